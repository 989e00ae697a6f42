"""`make screenshots`: both pages at phone, laptop and wall size into docs/screenshots/, with something to see on them.

A person has to look at them before they are committed; nothing here judges them but for their size in bytes.
"""

import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple

from playwright.sync_api import TimeoutError, ViewportSize, expect, sync_playwright  # noqa: A004  its only name

from tests.browser.conftest import launch
from tests.browser.door_view import VIEW, DoorPage
from tests.browser.simulation import Simulation, simulation

LARGEST: Final = 250_000
"""Bytes of one picture: a repository keeps every version of it for ever."""

TRIES: Final = 8
COMPARED_MS: Final = 3_500
"""The page compares two seconds after the answer, and the strike is released for five."""


class Size(NamedTuple):
    """One kind of screen."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]


SIZES: Final = (
    Size("laptop", 1366, 768, "light"),
    Size("phone", 390, 844, "dark"),
    Size("wall", 2560, 1440, "dark"),
)


def main(folder: Path) -> int:
    if shutil.which("pngquant") is None:
        sys.exit("pngquant makes the pictures small and is not here: as root on Debian, apt-get install pngquant")
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="dc-") as home,
        simulation(Path(home)) as sim,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright, "--force-color-profile=srgb")
        view = DoorPage(browser.new_page(reduced_motion="reduce"), sim)
        for size in SIZES:
            view.page.set_viewport_size(ViewportSize(width=size.width, height=size.height))
            view.page.emulate_media(color_scheme=size.scheme, reduced_motion="reduce")
            door(view, sim, folder / f"sim-{size.name}.png")
            alarms(view, sim, folder / f"alarms-{size.name}.png")
        browser.close()
    return 0


def door(view: DoorPage, sim: Simulation, file: Path) -> None:
    """Ana as usual, and Ana with somebody behind her, while her door is released and the alarm is there already.

    On a machine that is too busy for the door's own slots the page says so, and the two are played again.
    """
    for _ in range(TRIES):
        sim.acknowledge_all()
        ana = sim.ask("people")["people"][0]
        view.visit("front", ana["holder"], ana["code"])
        view.enter("front", ana["holder"], ana["duress_code"])
        view.shows("front", "released", strike="released", leaf="closed")
        verdict = view.page.locator('[data-compare="front"] .verdict[data-verdict="same"]')
        with suppress(TimeoutError):
            verdict.wait_for(timeout=COMPARED_MS)
            break
        view.shows("front", "secured", strike="secured", leaf="closed")
    else:
        sys.exit(f"{file}: this machine is too busy to be shown; try again when it is quiet")
    view.page.locator(VIEW if file.stem.endswith("phone") else "body").evaluate("one => one.scrollIntoView()")
    take(view, file)
    view.shows("front", "secured", strike="secured", leaf="closed")


def alarms(view: DoorPage, sim: Simulation, file: Path) -> None:
    """Her alarm and another on the monitor's own page; acknowledged afterwards, for the next picture."""
    view.act("office", "force").click()
    expect(view.alarms("forced-open").first).to_have_attribute("data-state", "new")
    here = view.page.url
    view.page.goto(sim.console)
    expect(view.page.locator("body")).to_have_attribute("data-live", "live")
    expect(view.page.locator("[data-alarm]").first).to_be_visible()
    take(view, file)
    sim.acknowledge_all()
    view.page.goto(here)
    view.begin()
    view.act("office", "close").click()
    view.shows("office", "secured", strike="secured", leaf="closed")


def take(view: DoorPage, file: Path) -> None:
    page = view.page
    page.mouse.move(0, 0)
    picture = _smaller(page.screenshot(animations="disabled"))
    if len(picture) > LARGEST:
        sys.exit(f"{file}: {len(picture):,} bytes; expected at most {LARGEST:,}")
    file.write_bytes(picture)
    print(f"{file}: {len(picture):,} bytes")


def _smaller(picture: bytes) -> bytes:
    """With 256 colours, which pages like these have hardly more than."""
    command = ["pngquant", "--quality=90-100", "--speed=1", "--strip", "-"]
    return subprocess.run(command, input=picture, capture_output=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
