"""A disk that is full: a real one of a megabyte where this machine lets us mount, and a file-size limit anywhere."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.errors import StorageError
from doorctl.journal.faults import FaultKind, JournalError
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from tests.journal.making import entry, epoch, names, receipt, sealed
from tests.small_disk import mounted

A = epoch(1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "small") as place:
        yield place


def fill(journal: Journal, start: int) -> int:
    """Appends until the disk is full; the last sequence that was promised."""
    for sequence in range(start, start + 2000):
        try:
            journal.append([entry(A, sequence, matched=True)])
        except JournalError as error:
            assert error.kind is FaultKind.FULL  # noqa: PT017  the call before it may succeed
            return sequence - 1
    raise AssertionError("the disk never filled")


def test_a_full_disk_is_told_and_loses_nothing_promised(small_disk: Path) -> None:
    path = small_disk / "journal.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(200_000))
    with Journal.open(path) as journal:
        last = fill(journal, 1)
        assert last > 20
        # it stays full for a while: reading works, each append says so, nothing is there that was refused
        for _ in range(3):
            with pytest.raises(JournalError) as failure:
                journal.append([entry(A, last + 1)])
            assert failure.value.kind is FaultKind.FULL
            assert names(journal.pending(9999)) == [(A, i) for i in range(last, 0, -1)]
        assert journal.status().pending == last
        ballast.unlink()
        journal.append([entry(A, last + 1, matched=True)])
        last = fill(journal, last + 2)
    with Journal.open(path) as journal:
        assert names(journal.pending(9999)) == [(A, i) for i in range(last, 0, -1)]
        assert journal.recovered is None
    assert len(JournalReader(path).log(9999)) == last


def test_a_full_disk_can_be_opened_and_read(small_disk: Path) -> None:
    path = small_disk / "journal.db"
    with Journal.open(path) as journal:
        journal.append([entry(A, i) for i in range(1, 50)])
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "ballast").write_bytes(bytes(free - 64 * 1024))
    with Journal.open(path) as journal:
        assert journal.status().pending == 49
        last = fill(journal, 50)
        assert names(journal.pending(1)) == [(A, last)]


def test_a_damaged_journal_on_a_disk_without_room_for_two(small_disk: Path) -> None:
    path = small_disk / "journal.db"
    with Journal.open(path) as journal:
        for start in range(1, 121, 20):
            journal.append([entry(A, i) for i in range(start, start + 20)])
            journal.checkpoint()
    with path.open("r+b") as stream:
        stream.write(b"x" * 100)
    with Journal.open(path) as journal:
        assert journal.recovered is not None
        assert not journal.recovered.complete
        left = journal.pending(999)
        assert 0 < len(left) == journal.recovered.records == journal.status().pending < 120
        assert all(one.record == sealed(A, one.sequence) for one in left)
        journal.recovered.moved_to.unlink()
        journal.append([entry(epoch(2), 1)])
    with Journal.open(path) as journal:
        assert journal.status().pending == len(left) + 1


def test_no_room_for_a_journal_at_all(small_disk: Path) -> None:
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "ballast").write_bytes(bytes(free))
    with pytest.raises(StorageError) as failure:
        Journal.open(small_disk / "journal.db")
    assert isinstance(failure.value, JournalError)
    assert failure.value.kind is FaultKind.FULL
    (small_disk / "ballast").unlink()
    with Journal.open(small_disk / "journal.db") as journal:
        journal.append([entry(A, 1)])


LIMITED = """
import resource, signal, sys
from pathlib import Path
from doorctl.journal.journal import Journal
from doorctl.journal.faults import JournalError
from tests.journal.making import entry, epoch
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Journal.open(Path(sys.argv[1])) as journal:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    last = 0
    try:
        for last in range(1, 1000):
            journal.append([entry(epoch(1), last)])
    except JournalError as error:
        print(last - 1, error.kind.name, journal.status().pending)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    journal.append([entry(epoch(1), last)])
"""


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    promised, kind, pending = ran.stdout.split()
    assert (kind, pending, int(promised) > 5) == ("IO", promised, True)
    with Journal.open(path) as journal:
        assert names(journal.pending(9999)) == [(A, i) for i in range(int(promised) + 1, 0, -1)]
        assert journal.done([receipt(A, 1)]) == 1
