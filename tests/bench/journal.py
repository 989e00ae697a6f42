"""Bare durable commits a second: one entry at a time, as a card needs it, and in groups, as a busy door gives them."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from doorctl.journal.journal import Journal
from tests.journal.making import entry, epoch

SINGLES = 300
GROUPS = 30
GROUP = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSpeed:
    """What one run measured; of a disk, not of us: fsync is most of it."""

    singles_per_s: float
    single_median_ms: float
    single_worst_ms: float
    grouped_per_s: float
    wal_bytes_per_single: int
    open_full_spool_s: float
    """Opening, with all checks, of what the groups left behind."""
    status_ms: float


def measure(folder: Path | None = None) -> JournalSpeed:
    """On the disk that holds `folder`; the system's temporary one by default."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "journal.db"
        with Journal.open(path) as journal:
            singles = [entry(epoch(1), sequence) for sequence in range(1, SINGLES + 1)]
            taken = sorted(_timed(partial(journal.append, [one])) for one in singles)
            wal = journal.wal_size()
            journal.checkpoint()
            groups = [[entry(epoch(group), i) for i in range(1, GROUP + 1)] for group in range(2, GROUPS + 2)]
            grouped = sum(_timed(partial(journal.append, group)) for group in groups)
            status = _timed(journal.status)
        opened = _timed(lambda: Journal.open(path).close())
    return JournalSpeed(
        singles_per_s=SINGLES / sum(taken),
        single_median_ms=taken[SINGLES // 2] * 1e3,
        single_worst_ms=taken[-1] * 1e3,
        grouped_per_s=GROUPS * GROUP / grouped,
        wal_bytes_per_single=wal // SINGLES,
        open_full_spool_s=opened,
        status_ms=status * 1e3,
    )


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    print(measure())
