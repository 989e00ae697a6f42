"""Everything that a visitor can break shows at the door and at the monitor as it should, and is over again.

Done with the keyboard alone, so that these are also the proof that each action of the page works by keyboard.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser import keyboard
from tests.browser.door_view import DoorPage
from tests.browser.simulation import Simulation

pytestmark = pytest.mark.browser

SOON_MS = 5_000
HELD_WITHIN_MS = 25_000
BACK_WITHIN_MS = 25_000
"""doord starts with a self-test and calibrates its stretching of codes."""


@pytest.fixture(scope="module")
def view(browser: Browser, sim: Simulation) -> Iterator[DoorPage]:
    """One tab for the whole module: nothing here needs a fresh one."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    yield DoorPage(context.new_page(), sim)
    context.close()


def do(view: DoorPage, target: Locator, key: str = "Enter") -> None:
    keyboard.press(view.page, target, key)


def newest(view: DoorPage, kind: str) -> Locator:
    """The monitor's alarm of that kind that has not ended."""
    return view.alarms(kind).filter(has_not_text=re.compile(r"\bover\b")).first


def is_over(view: DoorPage, kind: str) -> None:
    expect(newest(view, kind)).to_have_count(0, timeout=SOON_MS)
    expect(view.alarms(kind).first).to_contain_text(re.compile(r"\bover\b"))


def test_a_forced_leaf(view: DoorPage) -> None:
    door = view.door("office")
    do(view, view.act("office", "force"))
    view.shows("office", strike="secured", leaf="open")
    expect(door).to_have_attribute("data-state", "forced open")
    expect(newest(view, "forced-open")).to_have_attribute("data-state", "new", timeout=SOON_MS)
    do(view, view.act("office", "close"), "Space")
    view.shows("office", strike="secured", leaf="closed")
    expect(door).to_have_attribute("data-state", "secured")
    is_over(view, "forced-open")


def test_a_held_leaf(view: DoorPage) -> None:
    door = view.door("front")
    do(view, view.act("front", "rex"))
    view.shows("front", strike="released", leaf="closed")
    do(view, view.act("front", "hold"))
    view.shows("front", strike="secured", leaf="open")
    expect(door).to_have_attribute("data-state", "pre-alarm", timeout=HELD_WITHIN_MS)
    expect(door).to_have_attribute("data-state", "held open", timeout=HELD_WITHIN_MS)
    expect(newest(view, "held-open")).to_have_attribute("data-state", "new", timeout=SOON_MS)
    do(view, view.act("front", "close"), "Space")
    view.shows("front", strike="secured", leaf="closed")
    expect(door).to_have_attribute("data-state", "secured")
    is_over(view, "held-open")


def test_a_reader_torn_off(view: DoorPage) -> None:
    tamper = view.door("front").locator("[data-tamper]")
    whole = tamper.get_attribute("data-tamper")
    do(view, view.act("front", "tamper"))
    expect(tamper).not_to_have_attribute("data-tamper", str(whole))
    expect(newest(view, "tamper")).to_have_attribute("data-state", "new", timeout=SOON_MS)
    do(view, view.act("front", "tamper"), "Space")
    expect(tamper).to_have_attribute("data-tamper", str(whole))
    is_over(view, "tamper")
