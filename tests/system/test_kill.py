"""kill -9 of each real process under load: no record lost whose strike had moved, none counted twice."""

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from doorctl.cli.sim_site import Daemon, wait_for
from doorctl.monitord.alarms.kinds import AlarmKind
from tests.system.alarms import alarm_kinds
from tests.system.busy_site import BusySite, Moved, Traffic, Watcher, unrecorded

pytestmark = pytest.mark.system

POINTS = 10
SOAK_POINTS = 200
NEVER = frozenset(
    {
        AlarmKind.FORK, AlarmKind.CLONE, AlarmKind.CHAIN, AlarmKind.GAP, AlarmKind.UNREGISTERED,
        AlarmKind.REVOKED, AlarmKind.ROW_TAG, AlarmKind.UNOPENABLE, AlarmKind.ROSTER, AlarmKind.ROLLBACK, AlarmKind.LOSS,
    }
)  # fmt: skip
"""What an honest board never causes, however often its processes die."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[BusySite]:
    with BusySite(tmp_path) as busy:
        busy.make()
        busy.start()
        yield busy


@pytest.mark.parametrize("points", [POINTS, pytest.param(SOAK_POINTS, marks=pytest.mark.soak)])
def test_doord_killed_under_load(site: BusySite, points: int) -> None:
    chance = random.Random(points)
    moved: list[Moved] = []
    for _ in range(points):
        watcher, traffic = Watcher(site.paths.mock_socket), Traffic(site, chance)
        wait_for("a strike to move", watcher.has_seen, site.doord)
        _pause(chance)
        site.doord.kill()
        traffic.stop()
        watcher.join()
        moved += watcher.moved
        _is_readable(site.paths.journal)
        site.start_doord()
    _reckon(site, moved)


@pytest.mark.parametrize("points", [POINTS, pytest.param(SOAK_POINTS, marks=pytest.mark.soak)])
@pytest.mark.parametrize("who", ["courier", "ingest", "alarms"])
def test_a_process_beside_the_door_killed_under_load(site: BusySite, who: str, points: int) -> None:
    chance = random.Random(points)
    watcher, traffic = Watcher(site.paths.mock_socket), Traffic(site, chance)
    for _ in range(points):
        _pause(chance)
        if who == "courier":
            site.courier.kill()
            site.courier.start()
        else:
            _kill_child(site.monitor, f"doorctl.monitord.{who}")
    traffic.stop()
    site.doord.stop()
    watcher.join()
    assert len(watcher.moved) > points / 2
    site.start_doord()
    _reckon(site, watcher.moved)


def _pause(chance: random.Random) -> None:
    """A random moment under load."""
    import time

    time.sleep(chance.uniform(0.05, 0.9))


def _kill_child(parent: Daemon, module: str) -> None:
    def child() -> int | None:
        for pid in _children(parent.pid):
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if module.encode() in arguments:
                return pid
        return None

    pid = wait_for(f"{module} to run", child, parent)
    assert pid > 1
    os.kill(pid, 9)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_readable(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _reckon(site: BusySite, moved: list[Moved]) -> None:
    """Everything that was seen at the doors is at the monitor, once, and the monitor is content."""
    wait_for("the spool to drain", lambda: site.status()["spool"]["pending"] == 0, site.doord, within_s=60)
    records = site.records()
    assert len(records) == len({(epoch, sequence) for epoch, sequence, _ in records})
    assert unrecorded(moved, site.granted()) == []
    assert not NEVER & alarm_kinds(site)
