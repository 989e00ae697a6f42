import os
import shutil
from pathlib import Path

import pytest

from doorctl.core.types import WallTime
from doorctl.errors import OperatorError
from doorctl.journal.faults import FaultKind, JournalError
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.journal.rows import Entry, Logged
from tests.journal.making import NOW, entry, epoch, log_row

A = epoch(1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def numbers(lines: list[Logged]) -> list[int]:
    return [line.id for line in lines]


def test_the_newest_lines_in_order(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([Entry(log=log_row(i, door="front" if i % 2 else "vault")) for i in range(1, 11)])
        reader = JournalReader(path)
        assert numbers(reader.log(3)) == [8, 9, 10]
        assert numbers(reader.log(3, door="vault")) == [6, 8, 10]
        assert numbers(reader.log(99, since=WallTime(NOW + 7))) == [7, 8, 9, 10]
        assert numbers(reader.log(99, door="front", since=WallTime(NOW + 7))) == [7, 9]
        assert reader.log(99, door="nowhere") == []


def test_following_while_the_writer_writes(path: Path) -> None:
    with Journal.open(path) as journal:
        reader = JournalReader(path)
        assert reader.log(10, after_id=0) == []
        journal.append([entry(A, 1), entry(A, 2)])
        assert numbers(reader.log(10, after_id=0)) == [1, 2]
        journal.append([entry(A, 3)])
        journal.checkpoint()
        assert numbers(reader.log(10, after_id=2)) == [3]
        assert numbers(reader.log(1, after_id=0)) == [1]
        assert reader.log(10, after_id=3) == []


def test_reading_keeps_no_checkpoint_back(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
        assert numbers(JournalReader(path).log(5)) == [1]
        assert journal.checkpoint()
        assert journal.wal_size() == 0


def test_reading_writes_nothing_when_doord_does_not_run(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert numbers(JournalReader(path).log(5)) == [1]
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_reading_what_a_killed_doord_left(path: Path, tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    with Journal.open(path) as journal:
        journal.append([entry(A, 1), entry(A, 2)])
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", left)
    assert numbers(JournalReader(left / path.name).log(5)) == [1, 2]


def test_no_journal_is_the_operators_business(path: Path) -> None:
    with pytest.raises(OperatorError, match="no journal") as failure:
        JournalReader(path).log(5)
    assert failure.value.hint is not None
    assert not path.exists()


def test_a_file_that_is_no_journal(path: Path) -> None:
    path.write_bytes(os.urandom(20_000))
    with pytest.raises(JournalError) as failure:
        JournalReader(path).log(5)
    assert failure.value.kind is FaultKind.DAMAGED
