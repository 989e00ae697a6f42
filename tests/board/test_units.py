"""The units on a real systemd: a door that opens, what the daemons may not, and what comes back after a blow."""

import json
import re
import time
from typing import Any

import pytest

from tests.board.conftest import CARD, Site
from tests.board.rig import until

pytestmark = pytest.mark.board

RELEASED = "front: strike released after"


def alarms(site: Site) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(site.monitor.run("doorctl monitor alarms --json -n 200"))
    return told


def opened(site: Site, command: str, code: str = "") -> None:
    """By what a person does at the door, whose strike was secured before and whose leaf is closed."""
    # it tells what becomes of the strike, for two seconds: not waited for
    site.board.run("doorctl mock contact front closed >/dev/null &")

    def secured() -> bool:
        return "door front: secured" in site.board.run("doorctl status", check=False)

    until(secured, 30, "the door is not secured")
    said = site.board.run(f"doorctl mock {command}", typed=f"{code}\n")
    assert RELEASED in said, said


def by_card(site: Site) -> None:
    opened(site, f"card front {CARD}")


def test_a_door_opens_and_only_the_monitor_knows(site: Site) -> None:
    by_card(site)
    opened(site, "keys front", site.codes.normal)
    before = [one["id"] for one in alarms(site)]
    opened(site, "keys front", site.codes.duress)
    until(lambda: [one["id"] for one in alarms(site)] != before, 10, "the call for help is no alarm")
    (raised,) = [one for one in alarms(site) if one["id"] not in before]
    assert "Ana Lopez" in json.dumps(raised)
    assert site.board.run("doorctl test-alarm").startswith("path test")


@pytest.mark.parametrize(
    ("unit", "at_most"), [("doorctl", 1.5), ("doorctl-courier", 1.5), ("doorctl-monitor", 2.0)]
)  # fmt: skip
def test_exposure(site: Site, unit: str, at_most: float) -> None:
    machine = site.monitor if unit == "doorctl-monitor" else site.board
    told = re.search(r"exposure level for \S+: ([\d.]+)", machine.run(f"systemd-analyze --no-pager security {unit}"))
    assert told
    assert float(told[1]) <= at_most


def test_twenty_kills_in_a_minute_leave_a_daemon_that_opens(site: Site) -> None:
    begun = time.monotonic()
    for _ in range(20):
        until(lambda: site.board.main_pid("doorctl") > 1, 30, "doord does not come back")
        site.board.kill("doorctl", "KILL")
    spent = time.monotonic() - begun
    until(lambda: site.board.run("systemctl is-active doorctl", check=False).strip() == "active", 30, "doord is gone")
    by_card(site)
    assert spent < 60
