"""axe-core finds nothing on either page, calm or alarmed, light or dark; all that can be pressed is in a keyboard's reach.

Reflow (WCAG 1.4.10) is asked at 320 CSS pixels, which is a phone's width and a laptop's at 400 %.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser import keyboard
from tests.browser.accessibility import violations
from tests.browser.simulation import Simulation

pytestmark = pytest.mark.browser

NARROW = ViewportSize(width=320, height=640)


@pytest.fixture(scope="module", params=["address", "console"])
def opened(request: pytest.FixtureRequest, browser: Browser, sim: Simulation) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(getattr(sim, request.param))
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    yield page
    context.close()


def test_calm(opened: Page, axe: str, sim: Simulation) -> None:
    sim.acknowledge_all()
    expect(opened.locator('[data-alarm][data-state="new"]')).to_have_count(0)
    assert violations(opened, axe) == []


def test_with_alarms(opened: Page, axe: str, sim: Simulation) -> None:
    sim.enter("office", sim.ask("people")["people"][0]["duress_code"])
    expect(opened.locator('[data-alarm][data-kind="duress"]').first).to_be_visible()
    assert violations(opened, axe) == []


def test_narrow(opened: Page, axe: str) -> None:
    wide = opened.viewport_size
    assert wide is not None
    opened.set_viewport_size(NARROW)
    assert opened.evaluate("document.scrollingElement.scrollWidth") <= NARROW["width"]
    assert violations(opened, axe) == []
    opened.set_viewport_size(wide)


def test_nothing_is_out_of_a_keyboards_reach(opened: Page) -> None:
    assert keyboard.out_of_reach(opened) == []


def test_with_everything_unfolded(browser: Browser, axe: str, sim: Simulation) -> None:
    """The simulator's page with codes on show, both visits played and their numbers open."""
    page = browser.new_page(reduced_motion="reduce")
    page.goto(sim.address)
    page.get_by_label("your name").fill("Lee Park")  # nobody whom another test at this site enrols
    page.get_by_label("your name").press("Enter")
    expect(page.locator("#own-codes")).to_be_visible()
    assert violations(page, axe) == []
    compared = page.locator('[data-compare="front"] .verdict')
    for kind, said in (("normal", "now play the duress code"), ("duress", "differs")):
        page.locator(f'[data-person="ana-lopez"] [data-play="{kind}"]').click()
        expect(compared).to_contain_text(said, timeout=20_000)
    for summary in page.locator("summary:visible").all():
        summary.click()
    assert violations(page, axe) == []
    page.close()


@pytest.mark.parametrize("path", ["past", "alarms/1"])
def test_the_alarms_pages_other_screens(browser: Browser, axe: str, sim: Simulation, path: str) -> None:
    page = browser.new_page(reduced_motion="reduce")
    page.goto(sim.console)
    page.goto(f"{sim.console.partition('?')[0]}{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert violations(page, axe) == []
    assert keyboard.out_of_reach(page) == []
    page.close()


def test_signed_out(browser: Browser, axe: str, sim: Simulation) -> None:
    page = browser.new_page(reduced_motion="reduce")
    page.goto(sim.console)
    keyboard.press(page, page.get_by_role("button", name="Sign out"))
    expect(page.locator("[data-alarm]")).to_have_count(0)
    assert violations(page, axe) == []
    page.close()
