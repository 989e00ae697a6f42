"""axe-core finds nothing on either page, calm or alarmed, light or dark; everything is within a keyboard's reach.

Reflow (WCAG 1.4.10) is asked at 320 CSS pixels, which is a phone's width and a laptop's at 400 %.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.accessibility import violations
from tests.browser.simulation import Simulation

pytestmark = pytest.mark.browser

NARROW = ViewportSize(width=320, height=640)
ACTIONS = "button:visible:enabled, a[href]:visible, input:visible:enabled, select:visible:enabled, summary:visible"
"""What a mouse can press. Of a group with one stop (a keypad, radio buttons) one is reached with Tab, the rest with arrows."""


@pytest.fixture(scope="module", params=["address", "console"])
def opened(request: pytest.FixtureRequest, browser: Browser, sim: Simulation) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(getattr(sim, request.param))
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    yield page
    context.close()


def test_calm(opened: Page, axe: str) -> None:
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
