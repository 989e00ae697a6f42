"""Names are anybody's: two hundred letters without a space push nothing off either page, and hide nothing to press.

The pages are given such names in what their servers really say, since the servers themselves would not take them.
"""

import pytest
from playwright.sync_api import Page, Request, Route, ViewportSize, expect

from tests.browser.simulation import Simulation, wait_for

pytestmark = pytest.mark.browser

LONG = "W" * 200
WIDTHS = pytest.mark.parametrize(
    "size",
    [ViewportSize(width=360, height=740), ViewportSize(width=1366, height=768), ViewportSize(width=2560, height=1440)],
    ids=["phone", "laptop", "wall"],
)

# Outside are elements whose box reaches over the page's sides, but for those that another box cuts or scrolls.
OUTSIDE = """() => [...document.querySelectorAll("body *:not(svg *, .skip)")].filter((one) => {
    for (let around = one.parentElement; around !== document.body; around = around.parentElement)
        if (getComputedStyle(around).overflowX !== "visible") return false;
    const { left, right, width } = one.getBoundingClientRect();
    return width > 0 && (left < -0.5 || right > document.documentElement.clientWidth + 0.5);
}).map((one) => `${one.localName}.${one.className}`)"""
# Cut are elements that hide a part of a long name, and do not say it in a title.
CUT = """(long) => [...document.querySelectorAll("body *:not(svg *)")].filter((one) =>
    getComputedStyle(one).overflowX === "hidden" && one.scrollWidth > one.clientWidth && !one.closest(".unseen") &&
    one.textContent.includes(long) && !one.title.includes(long) && !one.querySelector(`[title*="${long}"]`)
).map((one) => `${one.localName}.${one.className}`)"""

# Spilt are words of the bar that do not fit their place, and lie over what is beside it; the page is not live here.
SPILT = """() => [...document.querySelectorAll(".bar > *")].filter((one) => {
    if (getComputedStyle(one).overflowX !== "visible") return false;
    const words = document.createRange();
    words.selectNodeContents(one);
    const [inner, outer] = [words, one].map((each) => each.getBoundingClientRect());
    return inner.left < outer.left - 0.5 || inner.right > outer.right + 0.5;
}).map((one) => one.className)"""


def renamed(text: str) -> str:
    """What a server said of Ana, the office and the site, as if they had such names."""
    for name in ("Ana Lopez", "demo-site"):
        text = text.replace(name, LONG)
    return text.replace("office", LONG.lower())


@pytest.fixture(scope="module")
def visited(sim: Simulation) -> Simulation:
    """Somebody was there with either code: in the log, among the alarms, and compared."""
    for code in ("normal", "duress"):
        sim.ask("door/office/visit", {"person": "ana-lopez", "code": code})
        wait_for(lambda: sim.state("office") == "released")
        wait_for(lambda: sim.state("office") == "secured")
    wait_for(lambda: any(len(one["visits"]) == 2 for one in sim.ask("compare")["compare"] if one["door"] == "office"))
    return sim


@pytest.fixture
def simulator(page: Page, visited: Simulation) -> Page:
    """The simulator's page; its stream says everything once more whenever the page asks again."""
    said = renamed(visited.everything())

    def tell(route: Route) -> None:
        route.fulfill(content_type="text/event-stream", body=said)

    page.route("**/api/events", tell)
    page.goto(visited.address)
    expect(page.locator(".play").first).to_be_visible()
    return page


@WIDTHS
def test_the_simulators_page(simulator: Page, size: ViewportSize) -> None:
    simulator.set_viewport_size(size)
    assert LONG in simulator.locator("body").inner_text()
    assert simulator.evaluate(OUTSIDE) == []
    assert simulator.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
    assert simulator.evaluate(CUT, LONG) == []
    assert simulator.evaluate(SPILT) == []
    for button in simulator.locator(".play, .remove:visible, [data-card], [data-act]").all():
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]
    simulator.locator('.play[data-play="duress"]').first.click(trial=True)  # nothing lies over it


@WIDTHS
@pytest.mark.parametrize("path", ["", "past", "alarms/1"])
def test_the_alarms_page(page: Page, visited: Simulation, size: ViewportSize, path: str) -> None:
    page.goto(visited.console)

    def is_page(request: Request) -> bool:
        """Or the part of one that a live page asks for when something changed."""
        return request.resource_type in {"document", "fetch"}

    def tell(route: Route) -> None:
        if not is_page(route.request):
            route.fallback()
            return
        answer = route.fetch()
        route.fulfill(response=answer, body=renamed(answer.text()))

    page.route("**/*", tell)
    page.set_viewport_size(size)
    page.goto(f"{visited.console.partition('?')[0]}{path}")
    assert LONG in page.content()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(CUT, LONG) == []
    page.unroute_all(behavior="ignoreErrors")  # a part that is being fetched as the page closes
