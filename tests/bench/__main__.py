"""`make bench`: speed and memory side by side in one run. Machines are noisy: read ratios, and p50 before worst.

`python -m tests.bench osdp wire` runs these parts alone.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from doorctl.cli.sim_site import SimSite
from tests.bench import card, house, journal, osdp, people, secure, wiegand
from tests.system.busy_site import BusySite


def main(wanted: list[str]) -> None:
    """Print the report as it is measured."""
    print(
        f"doorctl bench: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", flush=True
    )
    for title in wanted or PARTS:
        print(f"\n{title}", flush=True)
        for line in PARTS[title]():
            print(f"  {line}", flush=True)


def _disk() -> Iterator[str]:
    speed = journal.measure()
    yield f"{'bare durable commit, one record':36}{speed.single_median_ms:8.2f} ms p50   worst {speed.single_worst_ms:8.2f}"
    ratio = speed.grouped_per_s / speed.singles_per_s
    yield f"{'durable commits, one by one':36}{speed.singles_per_s:10.0f} records/s"
    yield f"{'durable commits, groups of 64':36}{speed.grouped_per_s:10.0f} records/s   {ratio:6.1f} × one by one"


def _door() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, BusySite(Path(folder)) as site:
        site.make()
        yield from card.lines(site)


def _house() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, SimSite(Path(folder)) as site:
        site.make()
        yield from house.lines(site)


def _people() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, SimSite(Path(folder) / "site") as site:
        site.make()
        yield from people.lines(site, Path(folder))


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "disk": _disk,
    "door": _door,
    "house": _house,
    "people": _people,
    "secure": secure.lines,
    "wire": wiegand.lines,
    "osdp": osdp.lines,
}


if __name__ == "__main__":
    main(sys.argv[1:])
