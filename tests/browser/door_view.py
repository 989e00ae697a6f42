"""The simulator's page as a visitor has it: hands on its buttons, eyes on its two views, a recorder on the door's.

Knows the page by its data attributes only, never by its layout. Waits for what shows, never for a time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Locator, Page, expect

from tests.browser.comparison import WITHIN_MS, Change, Visit
from tests.browser.simulation import Simulation, wait_for

VIEW: Final = '[data-view="door"]'
MONITOR: Final = '[data-view="monitor"]'
RECORDER: Final = (Path(__file__).parent / "recorder.js").read_text(encoding="utf-8")
SHOWN_MS: Final = 10_000
"""For what a hand did to show; a release ends by itself after five seconds."""
_QUIET_MS: Final = 400
"""Longer than any lamp or beep of an answer holds still in between."""
_PACE_MS: Final = 170
"""Between two keys: more than the 100 ms that a reader's frames keep apart."""
_CARD_MS: Final = 400
_ANSWERS: Final = frozenset({"@data-strike", "@data-beep"})


class DoorPage:
    """One tab with the simulator's page in it."""

    def __init__(self, page: Page, sim: Simulation) -> None:
        self.page, self._sim = page, sim
        page.goto(sim.address)
        self.begin()

    def begin(self) -> None:
        """Whenever the page was loaded anew."""
        expect(self.page.locator("body")).to_have_attribute("data-live", "live")
        self.page.evaluate(RECORDER)

    @property
    def board(self) -> Locator:
        """What the door view says of doord and its path to the monitor."""
        return self.page.locator(f"{VIEW} #board")

    def door(self, name: str) -> Locator:
        return self.page.locator(f'section[data-door="{name}"]')

    def act(self, name: str, act: str) -> Locator:
        return self.door(name).locator(f'[data-act="{act}"]')

    def alarms(self, kind: str) -> Locator:
        return self.page.locator(f'{MONITOR} [data-alarm][data-kind="{kind}"]')

    def enter(self, name: str, card: str | None, code: str) -> None:
        """Card where the door wants one, and the code, at an even pace."""
        first = 0 if card is None else _CARD_MS
        keys = [[f'[data-key="{key}"]', first + place * _PACE_MS] for place, key in enumerate(code)]
        cards = [] if card is None else [[f'[data-card="{card}"]', 0]]
        self.page.evaluate("([name, touches]) => play(name, touches)", [name, [*cards, *keys]])

    def shows(self, name: str, state: str, *, strike: str, leaf: str) -> None:
        door = self.door(name)
        expect(door).to_have_attribute("data-state", state, timeout=SHOWN_MS)
        expect(door.locator("[data-strike]")).to_have_attribute("data-strike", strike)
        expect(door.locator("[data-leaf]")).to_have_attribute("data-leaf", leaf)

    @contextmanager
    def recording(self) -> Iterator[list[Change]]:
        """The door view's changes from the last key on; the list is filled when it ends."""
        changes: list[Change] = []
        self.page.evaluate(f"startRecorder('{VIEW}')")
        yield changes
        changes += _from_the_answer([Change.of(noted) for noted in self.page.evaluate("recorder.stop()")])

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

    def visit(self, name: str, card: str | None, code: str) -> Visit:
        """Card where the door wants one, code, through the door, and until it is still again."""
        pictures = {}
        with self.recording() as changes:
            self.enter(name, card, code)
            self.shows(name, "released", strike="released", leaf="closed")
            self.still()
            pictures["released"] = self.picture()
            self.act(name, "open").click()
            self.shows(name, "open", strike="secured", leaf="open")
            self.still()
            pictures["open"] = self.picture()
            self.act(name, "close").click()
            self.shows(name, "secured", strike="secured", leaf="closed")
            self.still()
            pictures["secured"] = self.picture()
        return Visit(changes=tuple(changes), pictures=pictures, polled=self._sim.is_polled(name))


def _from_the_answer(changes: list[Change]) -> list[Change]:
    """Without the lamp until the answer is there: while an entry waits it blinks at the pace of whoever types, and whether
    the answer changes it depends on where it was. What the answer made of it is in the pictures and in what follows.
    """
    answer = next((number for number, change in enumerate(changes) if change.what in _ANSWERS), len(changes))
    settled = changes[answer].since_ms + WITHIN_MS if answer < len(changes) else 0.0
    opened = next((number for number, change in enumerate(changes) if change.what == "@data-leaf"), len(changes))
    return [
        change
        for number, change in enumerate(changes)
        if "[data-lamp]" not in change.where or number >= opened or (number > answer and change.since_ms > settled)
    ]
