"""Two stages for scenes: a site where everybody has two codes, and one where they have three."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.covert.onlooker import Stage
from tests.doord.house import short_folder
from tests.doord.site import make_site


@pytest.fixture(scope="session")
def stages() -> Iterator[dict[int, Stage]]:
    """By the number of codes of each holder."""
    with short_folder() as folder:
        found = {}
        for per_holder in (2, 3):
            place = folder / str(per_holder)
            place.mkdir()
            found[per_holder] = Stage(make_site(place / "site", per_holder=per_holder), place / "h")
        yield found


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for sockets."""
    with short_folder() as place:
        yield place
