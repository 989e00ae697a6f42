"""Played in a browser: at the door a duress code looks like the normal one, to the pixel; only the monitor's view differs.

Every visit is played and watched in one tab, so that all times are of one clock.
"""

from typing import Any, Final

import pytest
from playwright.sync_api import Page

from tests.browser.comparison import differences
from tests.browser.door_view import DoorPage
from tests.browser.simulation import Simulation, wait_for

pytestmark = pytest.mark.browser

ALARM_WITHIN_MS: Final = 1000.0
"""The issue's bound, from the strike's release."""
TRIES: Final = 3
"""A busy machine's noise is another one each time; what a code's meaning did would be there each time."""


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


@pytest.mark.parametrize(("name", "card"), [("front", True), ("office", False)])
def test_nothing_at_the_door_differs_and_one_alarm_is_raised(
    page: Page, sim: Simulation, name: str, card: bool
) -> None:
    ana = person(sim)
    holder = ana["holder"] if card else None
    view = DoorPage(page, sim)
    view.visit(name, holder, ana["code"])  # so that none is the first of its day
    found: list[str] = []
    for _ in range(TRIES):
        before = len(duress_alarms(view.sightings()))
        normal = view.visit(name, holder, ana["code"])
        records = received(sim)
        assert len(duress_alarms(view.sightings())) == before

        forced = view.visit(name, holder, ana["duress_code"])
        assert received(sim) > records
        wait_for(lambda: len(duress_alarms(view.sightings())) == before + 1)  # noqa: B023  it is called at once
        seen = view.sightings()
        took = duress_alarms(seen)[-1]["at_ms"] - seen["released"][-1]["at_ms"]
        assert took <= ALARM_WITHIN_MS
        found = differences(normal, forced)
        if not found:
            break
    assert found == []
