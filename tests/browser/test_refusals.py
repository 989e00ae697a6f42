"""What the simulator would not do is said where it was asked: as long as it is true or still to be read, and no longer.

The page's clock is ours, so that nobody waits for a reader's twelve seconds; the doors' clock is not.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.door_view import DoorPage
from tests.browser.simulation import Simulation, wait_for

pytestmark = pytest.mark.browser

READING_MS = 10_000
"""That much a person has at least, where nothing happens meanwhile."""
READ_MS = 15_000
BACK_WITHIN_MS = 30_000
LOCKED = "locked: the strike holds the leaf"


@pytest.fixture
def view(browser: Browser, sim: Simulation) -> Iterator[DoorPage]:
    """A tab with a clock that runs, and can be put forward."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    page = context.new_page()
    page.clock.install()
    yield DoorPage(page, sim)
    context.close()


def forward(view: DoorPage, ms: int) -> None:
    """The page takes it for a silence of its stream, and finds it alive again."""
    view.page.clock.fast_forward(ms)
    expect(view.page.locator("body")).to_have_attribute("data-live", "live")


def said(view: DoorPage, door: str) -> Locator:
    return view.door(door).locator(".say")


def test_what_is_still_true_stays_until_it_is_not(view: DoorPage, sim: Simulation) -> None:
    view.act("office", "open").click()
    expect(said(view, "office")).to_contain_text(LOCKED)
    forward(view, READ_MS)
    forward(view, READ_MS)
    expect(said(view, "office")).to_contain_text(LOCKED)
    sim.enter("office", sim.ask("people")["people"][0]["code"])
    expect(said(view, "office")).to_be_empty()


def test_an_act_that_is_done_ends_it(view: DoorPage) -> None:
    view.act("office", "open").click()
    expect(said(view, "office")).to_contain_text(LOCKED)
    view.act("office", "close").click()
    expect(said(view, "office")).to_be_empty()


def test_what_was_of_its_moment_stays_to_be_read(view: DoorPage) -> None:
    name, words = view.page.locator("#own-name"), view.page.locator("#own-say")
    name.fill("  ")
    name.press("Enter")
    expect(words).to_have_text("a person needs a name")
    forward(view, READING_MS)
    expect(words).to_have_text("a person needs a name")
    forward(view, READ_MS - READING_MS)
    expect(words).to_be_empty()


def test_the_board_comes_back(view: DoorPage, sim: Simulation) -> None:
    """What its absence refused is refused no more, and nothing says that it is."""
    power = view.page.locator('[data-rig="power"]')
    power.click()
    expect(view.board).to_contain_text("doord does not answer")
    view.door("office").locator('[data-key="1"]').click()
    view.page.locator('[data-rig="doord"]').click()
    refused = said(view, "office"), view.page.locator("#rig-say")
    for place, words in zip(refused, ("doord does not run", "the board has no power"), strict=True):
        expect(place).to_contain_text(words)
    forward(view, READ_MS)
    expect(refused[0]).to_contain_text("doord does not run")
    power.click()
    expect(view.board).to_contain_text("doord runs", timeout=BACK_WITHIN_MS)
    for place in refused:
        expect(place).to_be_empty()
    expect(power).to_have_attribute("aria-pressed", "false", timeout=BACK_WITHIN_MS)
    wait_for(lambda: sim.ask("door")["board"]["path"] == "connected", BACK_WITHIN_MS / 1000)
