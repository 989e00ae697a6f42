"""A newer package over one that works: visits go on, the monitor gets every record, and no strike moves by itself."""

import json
import re
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.board.conftest import CARD, NEWER_ONE, Build, Site
from tests.board.rig import until

pytestmark = pytest.mark.board


class Visits:
    """One after the other, in a thread, until told to stop: what was said to each."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._enough = Event()
        self.said: list[str] = []
        self._thread = Thread(target=self._visit)
        self._thread.start()

    def _visit(self) -> None:
        while not self._enough.is_set():
            self.said.append(self._site.board.run(f"doorctl mock card front {CARD}", check=False))
            time.sleep(0.2)

    def stop(self) -> None:
        self._enough.set()
        self._thread.join()


LEDGER = (
    "import json; from pathlib import Path; from doorctl.monitord.ledger import LedgerReader; "
    "reader = LedgerReader(Path('/var/lib/doorctl-monitor/ledger.db')); "
    "\nwith reader.snapshot() as now: told = now.between(1, now.last_id())"
    "\nprint(json.dumps([[one.header.epoch.hex(), one.header.sequence, one.body.outcome.name] for one in told]))"
)


def ledger(site: Site) -> list[tuple[str, int, str]]:
    """(epoch, sequence, outcome) of every record that the monitor has, in the order of arrival."""
    told = site.monitor.run(f'/usr/lib/doorctl/bin/python -c "{LEDGER}"')
    return [(epoch, sequence, outcome) for epoch, sequence, outcome in json.loads(told)]


def granted(site: Site) -> int:
    """Visits that the monitor knows were let in; each with a number of its own, and none between them missing."""
    records = ledger(site)
    numbers = sorted((epoch, sequence) for epoch, sequence, _ in records)
    assert len(set(numbers)) == len(numbers)
    epochs = {epoch: [sequence for one, sequence in numbers if one == epoch] for epoch, _ in numbers}
    assert epochs == {epoch: [*range(all_[0], all_[0] + len(all_))] for epoch, all_ in epochs.items()}
    return sum(outcome == "GRANTED" for _, _, outcome in records)


def waiting(site: Site) -> int:
    status: dict[str, Any] = json.loads(site.board.run("doorctl status --json", check=False))
    pending: int = status["spool"]["pending"]
    return pending


def alarms(site: Site) -> list[tuple[int, str]]:
    told = json.loads(site.monitor.run("doorctl monitor alarms --json -n 200"))
    return sorted((one["id"], one["title"]) for one in told)


LEVELS = (
    "from pathlib import Path; from doorctl.cli.mock_line import Drive; "
    "outputs = Drive(Path('/run/doorctl/mock.sock')).do('history', since=0)['outputs']; "
    "print([level for _, pin, level, _ in outputs if pin == 'GPIO17'])"
)
"""Of the strike of the one door, since doord started; false is its secured one."""


def test_an_upgrade_under_load_loses_no_record(site: Site, stick: Path, others: Mapping[Build, Future[Path]]) -> None:
    newer = Path(shutil.copy(others[NEWER_ONE].result(), stick))
    site.board.run("doorctl mock contact front closed")
    before, raised, so_far = site.board.main_pid("doorctl"), alarms(site), granted(site)
    visits = Visits(site)
    until(lambda: len(visits.said) > 3, 60, "nobody comes")
    site.board.run(f"apt-get install -y /media/stick/{newer.name}")
    there = len(visits.said)
    until(lambda: len(visits.said) > there + 3, 60, "nobody comes any more")
    visits.stop()
    assert site.board.main_pid("doorctl") not in {0, before}
    assert re.search(r"^Version: 0\.1\.1~", site.board.run("dpkg -s doorctl"), re.MULTILINE)
    until(lambda: waiting(site) == 0, 60, "records wait for ever")
    opened = [said for said in visits.said if "strike released" in said or "stayed released" in said]
    assert granted(site) - so_far >= len(opened) > 6, visits.said
    assert alarms(site) == raised


def test_an_upgrade_moves_no_strike(site: Site, package: Path) -> None:
    """Down again and so over a running doord: what the new one did with its strike since it claimed it."""
    before = site.board.main_pid("doorctl")
    site.board.run(f"apt-get install -y --allow-downgrades /media/stick/{package.name}")
    assert site.board.main_pid("doorctl") not in {0, before}
    site.board.run("doorctl mock contact front closed")
    moved = site.board.run(f'/usr/lib/doorctl/bin/python -c "{LEVELS}"')
    assert set(json.loads(moved.lower())) == {False}
