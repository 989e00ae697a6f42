"""What has to be so in a simulation: its alarm is there for everybody to read, and waits for nobody."""

from pathlib import Path
from typing import Any

from tests.cli.fake_site import Browser, FakeSite, until
from tests.cli.test_sim_page import ALARM, play

BESIDE = {"id": 1, "kind": "colocated", "state": "new", "title": "Monitor on the door's board", "severity": "note"}
SEEN = BESIDE | {"state": "acknowledged"}


def raised(site: FakeSite, *alarms: dict[str, Any]) -> None:
    site.console.alarms += alarms
    site.console.changed.set()


def test_a_monitor_beside_its_door_is_acknowledged_by_the_simulator_and_stays_on_show(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, _: Browser) -> None:
        raised(site, BESIDE, ALARM | {"id": 2})
        await until(lambda: site.monitor.view.alarms == (SEEN, ALARM | {"id": 2}))
        assert site.console.posted == [("/api/alarms/1/ack", {"who": "the simulator"})]

    play(tmp_path, scenario)


def test_what_could_not_be_acknowledged_is_tried_again_with_the_next_change(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, _: Browser) -> None:
        site.console.refused = 0
        raised(site, BESIDE)
        await until(lambda: site.console.refused == 1)
        site.console.refused = None
        raised(site, ALARM | {"id": 2})
        await until(lambda: site.monitor.view.alarms == (SEEN, ALARM | {"id": 2}))

    play(tmp_path, scenario)
