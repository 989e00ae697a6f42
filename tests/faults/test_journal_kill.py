"""kill -9 of a process that appends, takes receipts, prunes and checkpoints; and a power cut at any byte of the WAL."""

import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorctl.core.types import WallTime
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.wire.record import Sequence
from tests.journal.making import DAY, NOW, entry, epoch, names, receipt

GROUP = 3

CHILD = """
import random, sys
from pathlib import Path
from doorctl.core.types import WallTime
from doorctl.journal.journal import Journal
from tests.journal.making import DAY, NOW, entry, epoch, receipt

number = int(sys.argv[2])
chance = random.Random(number)
with Journal.open(Path(sys.argv[1])) as journal:
    assert journal.recovered is None
    print("open", flush=True)
    for sequence in range(1, 100_000, 3):
        journal.append([entry(epoch(number), sequence + i, matched=i == 0) for i in range(3)])
        print("kept", sequence, flush=True)
        if chance.random() < 0.5:
            print("receipt", sequence, flush=True)
            journal.done([receipt(epoch(number), sequence, NOW - chance.choice((0, 9)) * DAY)])
        if chance.random() < 0.1:
            journal.prune(NOW)
        if chance.random() < 0.05:
            journal.checkpoint()
"""


def run_and_kill(path: Path, number: int, lines: int) -> tuple[set[int], set[int]]:
    """First sequences of the groups whose append returned, and those whose receipt was on its way."""
    kept, receipted = set[int](), set[int]()
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path), str(number)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child, child.stdout as said:
        for _ in range(lines):
            note(next(said), kept, receipted)
        child.send_signal(signal.SIGKILL)
        for line in said:
            note(line, kept, receipted)
    assert child.returncode == -signal.SIGKILL
    return kept, receipted


def note(line: str, kept: set[int], receipted: set[int]) -> None:
    word, *number = line.split()
    if not line.endswith("\n") or word == "open":
        return
    {"kept": kept, "receipt": receipted}[word].add(int(number[0]))


def check(path: Path, number: int, kept: set[int], receipted: set[int], *, logged_before: int) -> int:
    """Everything promised is there, once; returns how many lines the log has by now."""
    with Journal.open(path) as journal:
        assert journal.recovered is None
        waiting = [sequence for epoch_, sequence in names(journal.pending(10**6)) if epoch_ == epoch(number)]
        again = [sequence for _, sequence in names(journal.again(epoch(number), Sequence(0), 10**6))]
        assert len(waiting) + len(again) == len({*waiting, *again})
        assert journal.status().pending == len(journal.pending(10**6))
    promised = {first + i for first in kept for i in range(GROUP)}
    assert promised - receipted <= {*waiting, *again}
    assert set(again) <= receipted
    beyond = {*waiting, *again} - promised
    last = max(kept, default=1 - GROUP)
    assert beyond in (set(), {last + GROUP + i for i in range(GROUP)})
    lines = [line.row.wall - NOW for line in JournalReader(path).log(10**6)]
    assert sorted(lines[logged_before:]) == sorted(promised | beyond)
    return len(lines)


def kill_often(path: Path, times: int, seed: int) -> None:
    chance, logged = random.Random(seed), 0
    for number in range(1, times + 1):
        kept, receipted = run_and_kill(path, number, chance.randint(0, 120))
        logged = check(path, number, kept, receipted, logged_before=logged)


def test_what_append_returned_from_survives_a_kill(tmp_path: Path) -> None:
    kill_often(tmp_path / "journal.db", times=10, seed=1)


@pytest.mark.soak
def test_what_append_returned_from_survives_two_hundred_kills(tmp_path: Path) -> None:
    kill_often(tmp_path / "journal.db", times=200, seed=2)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """Files as they lay while a journal was open, and how much of the WAL was synced after each append."""
    folder = tmp_path_factory.mktemp("power")
    sizes = []
    with Journal.open(folder / "live.db") as journal:
        journal.append([entry(epoch(1), 1)])
        journal.checkpoint()
        for sequence in range(2, 12):
            journal.append([entry(epoch(1), sequence)])
            sizes.append(journal.wal_size())
        shutil.copy(folder / "live.db", folder / "cut.db")
        shutil.copy(folder / "live.db-wal", folder / "cut.db-wal")
    return folder / "cut.db", sizes


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1), garbage=st.binary(max_size=9000))
def test_a_power_cut_leaves_what_was_synced(
    synced: tuple[Path, list[int]], tmp_path: Path, share: float, garbage: bytes
) -> None:
    source, sizes = synced
    path = tmp_path / "journal.db"
    cut = int(sizes[-1] * share)
    shutil.copy(source, path)
    Path(f"{path}-wal").write_bytes(Path(f"{source}-wal").read_bytes()[:cut] + garbage)
    expected = 1 + sum(size <= cut for size in sizes)
    with Journal.open(path) as journal:
        assert names(journal.pending(99)) == [(epoch(1), i) for i in range(expected, 0, -1)]
        assert journal.recovered is None
        journal.append([entry(epoch(2), 1)])
        assert journal.status().pending == expected + 1
    assert len(JournalReader(path).log(99)) == expected + 1


def test_the_settings_that_make_a_commit_durable(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db") as journal:
        connection = journal._live()
        read = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "wal_autocheckpoint", "foreign_keys", "fullfsync")
        ]
    assert read[:4] == ["wal", 2, 0, 1]


def test_receipts_of_before_the_kill_do_not_bring_records_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        journal.append([entry(epoch(1), i) for i in range(1, 5)])
        journal.done([receipt(epoch(1), 2)])
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{tmp_path}/copy.db{suffix}")
    with Journal.open(tmp_path / "copy.db") as journal:
        assert names(journal.pending(9)) == [(epoch(1), 4), (epoch(1), 3), (epoch(1), 1)]
        assert journal.prune(WallTime(NOW + 8 * DAY)) == 0
