"""People are imported while cards are shown: doors answer meanwhile, calls for help come first, and no alarm is false."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from doorctl.cli.sim_site import SimSite, wait_for
from doorctl.cli.sim_visit import visit
from doorctl.wire.detail import ENTRIES_PER_RECORD, EnrolledDetail
from doorctl.wire.record import Kind
from tests.cli.people_file import many, people_file
from tests.system.alarms import alarms
from tests.system.busy_site import BusySite, Watcher

pytestmark = pytest.mark.system

PEOPLE = 400
"""2,800 rows: 104 records, so that they go as backlog."""
SOAK_PEOPLE = 100_000


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[BusySite]:
    with BusySite(tmp_path) as site:
        site.make()
        site.start()
        yield site
        site.doord.stop()  # and with it what watches


def importing(site: SimSite, count: int, folder: Path) -> subprocess.Popen[str]:
    lines = [line.replace("H10302:", "raw:37:") for line in many(count)]
    command = [
        "doorctl.cli.main",
        "--home",
        str(site.paths.var.parent),
        "holder",
        "import",
        people_file(folder, *lines),
    ]
    return subprocess.Popen([sys.executable, "-m", *command, "--json"], stdout=subprocess.PIPE, text=True)


def show(site: BusySite, watcher: Watcher, number: int) -> None:
    """A known card at a door that is secured; the strike moves."""
    watcher.wait_secured()
    before = len(watcher.moved)
    card = site.cards[number % len(site.cards)]
    with site.drive() as drive:
        drive.do("card", reader="north", bits=format(card.raw, f"0{card.length}b"))
    watcher.wait(before + 1)


def import_while_cards_come(site: BusySite, count: int, folder: Path) -> None:
    """Every card shown meanwhile moved its strike and left its record at the monitor."""
    watcher = Watcher(site.paths.mock_socket)
    late = site.status()["answer_ms"]["late"]
    shown = 0
    with importing(site, count, folder) as running:
        while running.poll() is None:
            show(site, watcher, shown)
            shown += 1
        assert running.stdout is not None
        said = json.loads(running.stdout.read())
    assert said["enrolled"] == count
    wait_for("every card's record", lambda: len(site.granted()) == shown, within_s=30)
    assert len(watcher.moved) == shown
    sys.stdout.write(
        f"{count} people in {said['seconds']} s; {shown} cards, {site.status()['answer_ms']['late'] - late} late\n"
    )


def test_doors_answer_while_people_are_imported(busy: BusySite, tmp_path: Path) -> None:
    import_while_cards_come(busy, PEOPLE, tmp_path)


@pytest.mark.soak
def test_a_hundred_thousand_are_told_without_a_false_alarm(busy: BusySite, tmp_path: Path) -> None:
    import_while_cards_come(busy, SOAK_PEOPLE, tmp_path)
    parts = -(-7 * SOAK_PEOPLE // ENTRIES_PER_RECORD)
    begun = time.monotonic()
    wait_for("all of it to be told", lambda: _told(busy) == (parts, 0), within_s=1200)
    sys.stdout.write(f"{parts} records told in {time.monotonic() - begun:.0f} s\n")
    assert [alarm["kind"] for alarm in alarms(busy)] == ["colocated"]  # the demo's monitor is on the same machine


def _told(site: SimSite) -> tuple[int, int]:
    """Records of the last generation at the monitor, and how many wait for a receipt."""
    pending: int = site.status()["spool"]["pending"]
    if pending:
        time.sleep(1)  # the ledger of a hundred thousand is not read for nothing
        return 0, pending
    told = [EnrolledDetail.parse(body.detail) for _, _, body in site.records() if body.kind is Kind.ENROLLED]
    newest = max(detail.generation for detail in told)
    return len({detail.part for detail in told if detail.generation == newest}), 0


def test_a_call_for_help_does_not_wait_behind_an_import(tmp_path: Path) -> None:
    with SimSite(tmp_path / "site") as site:
        site.make()
        ana = site.enrol("Ana Lopez", 3456)
        site.start()
        with importing(site, 2 * PEOPLE, tmp_path) as running:
            assert running.wait(120) == 0
        wait_for("the import to be told", lambda: site.status()["spool"]["pending"] > 0, within_s=30)
        visit(site, ana, "office", ana.duress_code)
        wait_for("the alarm", lambda: any(alarm["kind"] == "duress" for alarm in alarms(site)), within_s=5)
        (alarm,) = [alarm for alarm in alarms(site) if alarm["kind"] == "duress"]
        took = datetime.fromisoformat(alarm["raised"]) - datetime.fromisoformat(alarm["event"])
        assert took.total_seconds() <= 1.0
