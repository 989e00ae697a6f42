"""The simulator's page as a visitor has it: hands on its buttons, eyes on its two views, a recorder on the door's.

Knows the page by its data attributes only, never by its layout. Waits for what shows, never for a time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Locator, Page, expect

from tests.browser.comparison import Change, Visit
from tests.browser.simulation import Simulation, wait_for

VIEW: Final = '[data-view="door"]'
MONITOR: Final = '[data-view="monitor"]'
RECORDER: Final = (Path(__file__).parent / "recorder.js").read_text(encoding="utf-8")
_QUIET_MS: Final = 400
"""Longer than any lamp or beep of an answer holds still in between."""
_PRESS_MS: Final = 130
"""A finger on a key; less than the 100 ms between two keys' frames, and they would queue up."""


class DoorPage:
    """One tab with the simulator's page in it."""

    def __init__(self, page: Page, sim: Simulation) -> None:
        self.page = page
        page.goto(sim.address)
        expect(page.locator("body")).to_have_attribute("data-live", "live")
        page.evaluate(RECORDER)

    def door(self, name: str) -> Locator:
        return self.page.locator(f'section[data-door="{name}"]')

    def act(self, name: str, act: str) -> Locator:
        return self.door(name).locator(f'[data-act="{act}"]')

    def alarms(self, kind: str) -> Locator:
        return self.page.locator(f'{MONITOR} [data-alarm][data-kind="{kind}"]')

    def press(self, name: str, keys: str) -> None:
        """With a finger, one after the other."""
        for key in keys:
            self.door(name).locator(f'[data-key="{key}"]').click(delay=_PRESS_MS)

    def hold_card(self, name: str, card: str) -> None:
        self.door(name).locator(f'[data-card="{card}"]').click(delay=_PRESS_MS)

    def shows(self, name: str, *, strike: str, leaf: str) -> None:
        door = self.door(name)
        expect(door.locator("[data-strike]")).to_have_attribute("data-strike", strike)
        expect(door.locator("[data-leaf]")).to_have_attribute("data-leaf", leaf)

    @contextmanager
    def recording(self) -> Iterator[list[Change]]:
        """The door view's changes; the list is filled when it ends."""
        changes: list[Change] = []
        self.page.evaluate(f"startRecorder('{VIEW}')")
        yield changes
        changes += [Change.of(noted) for noted in self.page.evaluate("recorder.stop()")]

    def still(self) -> None:
        """Until nothing has changed in the door view for a moment."""
        wait_for(lambda: self.page.evaluate("recorder.quiet_ms()") >= _QUIET_MS)

    def picture(self) -> bytes:
        """The door view without clocks, and without the lines that the log had before the recording."""
        self.page.mouse.move(0, 0)
        return self.page.locator(VIEW).screenshot(animations="disabled")

    def sightings(self) -> dict[str, Any]:
        """When strikes were seen released and alarms seen raised, by the page's clock."""
        seen: dict[str, Any] = self.page.evaluate("sightings")
        return seen

    def visit(self, name: str, card: str | None, code: str, released: Callable[[], None] = lambda: None) -> Visit:
        """Card where the door wants one, code, through the door, and until it is still again."""
        pictures = {}
        with self.recording() as changes:
            if card is not None:
                self.hold_card(name, card)
            self.press(name, code)
            self.shows(name, strike="released", leaf="closed")
            released()
            self.still()
            pictures["released"] = self.picture()
            self.act(name, "open").click()
            self.shows(name, strike="secured", leaf="open")
            self.still()
            pictures["open"] = self.picture()
            self.act(name, "close").click()
            self.shows(name, strike="secured", leaf="closed")
            self.still()
            pictures["secured"] = self.picture()
        return Visit(changes=tuple(changes), pictures=pictures)
