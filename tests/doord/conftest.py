"""One enrolled site for all tests of doord, copied for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.paths import Paths
from tests.doord.house import short_folder
from tests.doord.site import MadeSite, make_site
from tests.doord.virtual import VirtualLoop, virtual_time


@pytest.fixture(scope="session")
def site() -> Iterator[MadeSite]:
    with short_folder() as folder:
        yield make_site(folder / "site")


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as place:
        yield place


@pytest.fixture
def paths(site: MadeSite, folder: Path) -> Paths:
    return site.copy(folder / "h")


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    with virtual_time() as virtual:
        yield virtual
