"""The monitor was away for long: a fresh call for help is heard at once, and everything else follows behind it."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from doorctl.cli.sim_site import SimSite, wait_for
from doorctl.cli.sim_visit import visit
from doorctl.core.types import Outcome, Reason
from doorctl.doord import clock
from doorctl.doord.drafts import Draft, RosterFacts
from doorctl.doord.handoff import CourierLink
from doorctl.doord.recorder import Recorder
from doorctl.doord.worker import WorkerThread
from doorctl.journal.journal import Journal
from doorctl.journal.rows import LogRow
from doorctl.roster.lookup import RosterReader
from doorctl.seal.keys import load_controller_keys, read_monitor_file
from doorctl.wire.record import Flag, Kind
from tests.system.alarms import alarms

pytestmark = pytest.mark.system

BACKLOG = 2_000
SOAK_BACKLOG = 99_990
"""The spool holds 100,000: the rest is for two starts, an enrolment and the call for help itself."""


class _Nobody:
    """No courier is there: what a board without a network sees."""

    def fresh(self, _: bytes) -> bool:
        return False


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SimSite]:
    with SimSite(tmp_path) as demo:
        demo.make()
        yield demo


@pytest.mark.parametrize("count", [BACKLOG, pytest.param(SOAK_BACKLOG, marks=pytest.mark.soak)])
def test_a_fresh_call_for_help_overtakes_the_backlog(site: SimSite, count: int) -> None:
    ana = site.enrol("Ana Lopez", 3456)
    asyncio.run(_record(site, count))
    site.start_doord()
    site.courier.start()
    assert site.status()["spool"]["pending"] >= count
    site.start_monitor()
    wait_for("the line", lambda: site.status()["path"]["state"] == "connected", site.courier)
    visit(site, ana, "office", ana.duress_code)
    wait_for("the alarm", lambda: any(alarm["kind"] == "duress" for alarm in alarms(site)), within_s=5)
    (alarm,) = [alarm for alarm in alarms(site) if alarm["kind"] == "duress"]
    took = datetime.fromisoformat(alarm["raised"]) - datetime.fromisoformat(alarm["event"])
    assert took.total_seconds() <= 1.0
    wait_for("the backlog to drain", lambda: site.status()["spool"]["pending"] == 0, within_s=60 + count / 200)
    records = site.records()
    assert set(Counter((epoch, sequence) for epoch, sequence, _ in records).values()) == {1}
    assert sum(body.detail == b"" and body.kind is Kind.ACCESS for _, _, body in records) == count + 1
    assert not {a["kind"] for a in alarms(site)} & {"gap", "chain", "fork", "clone", "loss", "roster", "unregistered"}


async def _record(site: SimSite, count: int) -> None:
    """So many records of an earlier epoch, made by the product's own recorder."""
    site.paths.journal.parent.mkdir(parents=True, exist_ok=True)
    journal, thread = Journal.open(site.paths.journal), WorkerThread("journal")
    with RosterReader.open(site.paths.roster) as roster:
        state = roster.state()
    facts = RosterFacts(state.generation, state.digest)
    tasks: set[asyncio.Task[None]] = set()

    def spawn(work: Any, *, name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        tasks.add(task)
        return task

    recorder = Recorder(
        keys=load_controller_keys(site.paths),
        monitor=read_monitor_file(site.paths.monitor_public).keys,
        journal=journal,
        thread=thread,
        link=cast("CourierLink", _Nobody()),
        facts=lambda: facts,
        standing_flags=lambda: Flag.SIMULATED,
        fault=lambda name, text: pytest.fail(f"{name}: {text}"),
        on_made=lambda _hash, _made: None,
        spawn=spawn,
    )
    last = recorder.start()
    for made in range(count):
        last = recorder.record(_wrong_code())
        if made % 512 == 0:
            await last.committed
    await last.committed
    await asyncio.gather(*tasks)
    await thread.call(journal.close)
    thread.stop()


def _wrong_code() -> Draft:
    log = LogRow(
        wall=clock.wall(), event="access", door="office", reader="office",
        outcome=Outcome.DENIED, reason=Reason.NO_MATCH,
    )  # fmt: skip
    return Draft(
        kind=Kind.ACCESS, outcome=Outcome.DENIED, reason=Reason.NO_MATCH, door="office", reader="office", log=log
    )
