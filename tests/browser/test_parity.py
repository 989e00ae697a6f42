"""Played in a browser: at the door a duress code looks like the normal one, to the pixel; only the monitor's view differs.

A duress visit stands beside the normal one of the same person, which begins in the same state of door and page.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from tests.browser.comparison import Visit, differences
from tests.browser.door_view import DoorPage
from tests.browser.simulation import Simulation, wait_for
from tests.browser.telling import Forced, ways_to_tell

pytestmark = pytest.mark.browser

ALARM_WITHIN_MS: Final = 1000.0
"""The issue's bound, from the strike's release."""


def person(sim: Simulation) -> dict[str, str]:
    found: dict[str, str] = sim.ask("people")["people"][0]
    return found


def received(sim: Simulation) -> int:
    """How many records the monitor has, once it has all."""
    wait_for(lambda: sim.ask("door")["board"]["pending"] == 0)
    count: int = sim.ask("monitor")["records"]
    return count


def duress_alarms(seen: dict[str, Any]) -> list[dict[str, Any]]:
    return [alarm for alarm in seen["alarms"].values() if alarm["kind"] == "duress"]


@pytest.fixture(scope="module")
def view(browser: Browser, sim: Simulation) -> Iterator[DoorPage]:
    """One tab for all visits, so that all times are of one clock."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    yield DoorPage(context.new_page(), sim)
    context.close()


@pytest.mark.parametrize(("name", "card"), [("front", True), ("office", False), ("vault", True)])
def test_nothing_at_the_door_differs_and_one_alarm_is_raised(
    view: DoorPage, sim: Simulation, name: str, card: bool
) -> None:
    ana = person(sim)
    holder = ana["holder"] if card else None

    def normal() -> Visit:
        before = len(duress_alarms(view.sightings()))
        visit = view.visit(name, holder, ana["code"])
        received(sim)
        assert len(duress_alarms(view.sightings())) == before
        return visit

    def forced() -> Forced:
        before, records = len(duress_alarms(view.sightings())), received(sim)
        visit = view.visit(name, holder, ana["duress_code"])
        assert received(sim) > records
        seen = view.sightings()
        (alarm,) = duress_alarms(seen)[before:]
        took = alarm["at_ms"] - seen["released"][-1]["at_ms"]
        return visit, [] if took <= ALARM_WITHIN_MS else [f"the alarm came after {took:.0f} ms"]

    assert ways_to_tell(normal, forced) == []


def test_a_door_that_told_would_be_found_out(view: DoorPage, sim: Simulation) -> None:
    """One attribute that nobody sees, and a title one pixel to the right, both when the strike is released."""
    ana = person(sim)
    usual = view.visit("office", None, ana["code"])
    view.page.evaluate(
        """() => {
            const door = document.querySelector('section[data-door="office"]');
            new MutationObserver((_, observer) => {
                if (door.dataset.state !== "released") return;
                observer.disconnect();
                door.dataset.extra = "1";
                const sheet = new CSSStyleSheet();
                sheet.replaceSync('[data-door="office"] h3 { position: relative; left: 1px }');
                document.adoptedStyleSheets.push(sheet);
            }).observe(door, { attributes: true, attributeFilter: ["data-state"] });
        }"""
    )
    found = differences(usual, view.visit("office", None, ana["code"]))
    assert "picture released: other pixels" in found
    assert any(words.endswith("[data-door=office] @data-extra='1'") for words in found), found
