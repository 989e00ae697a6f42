"""`make screenshots`: both pages at phone, laptop and wall size into docs/screenshots/, with something to see on them.

A person has to look at them before they are committed; nothing here judges them but for their size in bytes.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final, Literal, NamedTuple

from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import chromium
from tests.browser.door_view import DoorPage
from tests.browser.simulation import Simulation, simulation

LARGEST: Final = 250_000
"""Bytes of one picture: a repository keeps every version of it for ever."""


class Size(NamedTuple):
    """One kind of screen."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]


SIZES: Final = (
    Size("phone", 390, 844, "dark"),
    Size("laptop", 1366, 768, "light"),
    Size("wall", 2560, 1440, "dark"),
)


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="dc-") as home,
        simulation(Path(home)) as sim,
        chromium("--force-color-profile=srgb") as browser,
    ):
        page = browser.new_page(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
        story(DoorPage(page, sim), sim)
        for size in SIZES:
            page.set_viewport_size(ViewportSize(width=size.width, height=size.height))
            page.emulate_media(color_scheme=size.scheme, reduced_motion="reduce")
            for name, address in (("sim", sim.address), ("alarms", sim.console)):
                take(page, address, folder / f"{name}-{size.name}.png")
    return 0


def story(view: DoorPage, sim: Simulation) -> None:
    """Ana as usual, Ana with somebody behind her, and a door that is forced."""
    ana = sim.ask("people")["people"][0]
    for code in (ana["code"], ana["duress_code"]):
        view.visit("front", ana["holder"], code)
    view.act("office", "force").click()
    expect(view.alarms("duress")).to_be_visible()
    expect(view.alarms("forced-open")).to_be_visible()


def take(page: Page, address: str, file: Path) -> None:
    page.goto(address)
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    expect(page.locator("[data-alarm]").first).to_be_visible()
    page.mouse.move(0, 0)
    picture = page.screenshot(animations="disabled")
    if len(picture) > LARGEST:
        sys.exit(f"{file}: {len(picture):,} bytes; expected at most {LARGEST:,}")
    file.write_bytes(picture)
    print(f"{file}: {len(picture):,} bytes")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
