"""One enrolled site for all tests of doord, copied for each."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorctl.paths import Paths
from tests.doord.house import House, running, short_folder
from tests.doord.site import MadeSite, make_site
from tests.doord.virtual import VirtualLoop, virtual_time

Story = Callable[[House], Awaitable[None]]
Play = Callable[..., None]
"""play(story, config=…, courier=…): a house runs, the story happens, the house is stopped cleanly."""


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


@pytest.fixture
def play(site: MadeSite, paths: Paths, loop: VirtualLoop) -> Play:
    def run(story: Story, **options: Any) -> None:
        async def whole() -> None:
            async with running(site, paths, loop, **options) as house:
                await story(house)

        loop.run_until_complete(whole())

    return run
