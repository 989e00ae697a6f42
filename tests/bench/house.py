"""From a card's last edge to the strike and from a code's last key to the alarm, through the real daemons."""

import time
from collections.abc import Iterator
from datetime import datetime

from doorctl.cli.sim_site import Person, SimSite, wait_for
from doorctl.cli.sim_visit import visit
from tests.bench import ingest
from tests.bench.machine import family, idle_percent, pss_mib, spread, start_to_ready_ms
from tests.system.alarms import alarms

VISITS = 15
STARTS = 3
MS = 1_000_000


def lines(site: SimSite) -> Iterator[str]:
    """The report, a line at a time; the site is made and not running."""
    ana = site.enrol("Ana Lopez", 3456)
    starts = [start_to_ready_ms(["doorctl.doord", "--home", str(site.paths.var.parent)]) for _ in range(STARTS)]
    yield f"{'doord, start → READY':36}{spread(starts, 'ms')}"
    site.start()
    answer_ms = site.status()["answer_ms"]
    front = [_opened(site, ana, "front", ana.code) for _ in range(VISITS)]
    office = [_opened(site, ana, "office", ana.code) for _ in range(VISITS)]
    yield f"{'card + code, last key → strike':36}{spread(front, 'ms')}   (fixed answer: {answer_ms['code']} ms)"
    yield f"{'code, last key → strike':36}{spread(office, 'ms')}   (fixed answer: {answer_ms['code']} ms)"
    yield f"{'  late slots on this machine':36}{site.status()['answer_ms']['late']:>8}"
    yield f"{'code → alarm, from the decision':36}{spread(_to_alarm(site, ana), 'ms')}"
    yield from _costs(site)
    yield from ingest.lines(site)


def _opened(site: SimSite, person: Person, door: str, code: str) -> float:
    seen = visit(site, person, door, code)
    if seen.opened_after_ms is None:
        raise RuntimeError(f"{door} did not open")
    return seen.opened_after_ms


def _to_alarm(site: SimSite, person: Person) -> list[float]:
    for count in range(1, VISITS + 1):
        visit(site, person, "office", person.duress_code)
        wait_for("the alarm", lambda count=count: _calls(site) == count, within_s=5)  # type: ignore[misc]
    taken = []
    for alarm in alarms(site):
        if alarm["kind"] == "duress":
            took = datetime.fromisoformat(alarm["raised"]) - datetime.fromisoformat(alarm["event"])
            taken.append(1000 * took.total_seconds())
    return taken


def _calls(site: SimSite) -> int:
    return sum(alarm["kind"] == "duress" for alarm in alarms(site))


def _costs(site: SimSite) -> Iterator[str]:
    time.sleep(3)
    processes = {"doord": site.doord.pid, "courierd": site.courier.pid, "monitord": site.monitor.pid}
    families = {name: family(pid) for name, pid in processes.items()}
    every = [pid for pids in families.values() for pid in pids]
    idle = dict(zip(every, idle_percent(every), strict=True))
    for name, pids in families.items():
        memory, cpu = sum(pss_mib(pid) for pid in pids), sum(idle[pid] for pid in pids)
        yield f"{name + ', ' + str(len(pids)) + ' process(es)':36}PSS {memory:6.1f} MiB   idle CPU {cpu:5.2f} % of a core"
