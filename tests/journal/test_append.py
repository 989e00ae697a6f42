import os
from pathlib import Path

import pytest

from doorctl.core.types import HolderId, Outcome, Reason, WallTime
from doorctl.errors import InternalError, OperatorError
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.journal.rows import Entry, Head, Logged, LogRow, Oldest, Plain, SpoolStatus
from doorctl.wire.record import SUPERVISION_BIT, Sequence
from tests.journal.making import NOW, entry, epoch, hash_of, head, log_row, names, receipt, sealed

A, B = epoch(1), epoch(2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "journal.db"


def test_a_fresh_journal_is_empty(path: Path) -> None:
    with Journal.open(path) as journal:
        assert journal.status() == SpoolStatus(
            pending=0, oldest=None, head=None, receipted=None, last_wall=None, sent_generation=0
        )
        assert journal.last_epoch() is None
        assert journal.recovered is None
        assert journal.pending(10) == []
        assert journal.make_room() is None
        assert journal.load_lockouts() == {}
        assert journal.prune(NOW) == 0


def test_what_one_happening_writes_is_there_after_reopening(path: Path) -> None:
    row = LogRow(
        wall=NOW, event="access", door="front", reader="front/in", holder=HolderId("ana-lopez"),
        outcome=Outcome.GRANTED, reason=Reason.MATCHED, count=3, detail="three as one",
    )  # fmt: skip
    state: Plain = {"wrong": 4, "until": 12.5, "trail": [1, None, True]}
    with Journal.open(path) as journal:
        journal.append(
            [Entry(log=row, record=sealed(A, 1), matched=True, sent_generation=7, lockouts={b"\0card": state, b"r": 1})]
        )
    with Journal.open(path) as journal:
        assert journal.status() == SpoolStatus(
            pending=1,
            oldest=Oldest(A, Sequence(1), NOW),
            head=head(A, 1),
            receipted=None,
            last_wall=NOW,
            sent_generation=7,
        )
        assert journal.load_lockouts() == {b"\0card": state, b"r": 1}
        assert [one.record for one in journal.pending(10)] == [sealed(A, 1)]
    assert JournalReader(path).log(10) == [Logged(id=1, row=row)]


def test_a_group_is_one_transaction_in_order(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, 1), Entry(log=log_row(9)), entry(A, 2), entry(B, 1)])
        assert names(journal.pending(10)) == [(B, 1), (A, 2), (A, 1)]
        assert journal.last_epoch() == Head(B, Sequence(1), hash_of(B, 1))
    assert [one.row.wall - NOW for one in JournalReader(path).log(10)] == [1, 9, 2, 1]


def test_the_same_record_again_changes_nothing(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
        journal.done([receipt(A, 1)])
        journal.append([entry(A, 1), entry(A, 2)])
        assert names(journal.pending(10)) == [(A, 2)]
        assert journal.status().pending == 1
    assert [one.row for one in JournalReader(path).log(10)] == [log_row(1), log_row(2)]


def test_the_same_numbers_with_another_hash_are_our_fault_and_write_nothing(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
        with pytest.raises(InternalError, match="sequence 1 of this epoch is taken by another record"):
            journal.append([entry(A, 2), Entry(log=log_row(), record=sealed(A, 1, salt=1), sent_generation=5)])
        assert names(journal.pending(10)) == [(A, 1)]
        assert journal.status().sent_generation == 0
        journal.append([entry(A, 2)])
        assert journal.status().pending == 2


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"", "0 bytes, expected 2048"),
        (sealed(A, 1) + b"\0", "2049 bytes"),
        (b"X" + sealed(A, 1)[1:], "not a version 1 record"),
        (sealed(A, SUPERVISION_BIT | 1), "supervision"),
    ],
)
def test_what_is_no_journal_record_is_refused_before_the_disk(path: Path, record: bytes, message: str) -> None:
    with Journal.open(path) as journal:
        with pytest.raises(InternalError, match=message):
            journal.append([entry(A, 1), Entry(log=log_row(), record=record)])
        assert journal.status().pending == 0


@pytest.mark.parametrize("value", [float("nan"), b"bytes", object(), {1, 2}])
def test_a_counter_that_is_not_plain_is_refused(path: Path, value: object) -> None:
    with Journal.open(path) as journal:
        with pytest.raises(InternalError, match="not plain"):
            journal.append([Entry(log=log_row(), lockouts={b"k": value})])  # type: ignore[dict-item]  # the point
        assert journal.status().last_wall is None


def test_a_value_the_database_refuses_leaves_no_transaction_open(path: Path) -> None:
    with Journal.open(path) as journal:
        with pytest.raises(InternalError):
            journal.append([Entry(log=LogRow(wall=WallTime(1), event="x", door=b"front"))])  # type: ignore[arg-type]  # the point
        with pytest.raises(OverflowError):
            journal.append([Entry(log=LogRow(wall=WallTime(1 << 70), event="x"))])
        journal.append([entry(A, 1)])
        assert journal.status().pending == 1


def test_lockouts_are_replaced_and_forgotten(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.save_lockouts({b"a": [1], b"b": "two", b"c": {"x": None}})
        journal.save_lockouts({b"a": None, b"b": 2, b"never": None})
        assert journal.load_lockouts() == {b"b": 2, b"c": {"x": None}}


def test_the_generation_can_be_set_alone(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.set_sent_generation(41)
        assert (journal.sent_generation(), journal.status().sent_generation) == (41, 41)


def test_the_wall_time_of_a_record_without_a_log_row(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([Entry(record=sealed(A, 1))])
        assert journal.status().oldest == Oldest(A, Sequence(1), WallTime(0))
        journal.done([receipt(A, 1)])
        journal.append([Entry(record=sealed(A, 2), wall=WallTime(77))])
        assert journal.status().oldest == Oldest(A, Sequence(2), WallTime(77))
        assert journal.last_wall() == 77
        journal.done([receipt(A, 2)])
        journal.append([Entry(log=log_row(5)), Entry(record=sealed(A, 3))])
        assert journal.status().oldest == Oldest(A, Sequence(3), WallTime(NOW + 5))
        assert journal.last_wall() == NOW + 5


def test_nothing_is_checkpointed_until_asked(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.checkpoint()
        before, wal = path.stat().st_size, journal.wal_size()
        for start in range(0, 1500, 500):
            journal.append([entry(A, start + i) for i in range(1, 501)])
        assert path.stat().st_size == before
        assert (wal, journal.wal_size() > 3_000_000) == (0, True)
        assert journal.checkpoint()
        assert (path.stat().st_size > 3_000_000, journal.wal_size()) == (True, 0)


def test_file_sizes_do_not_depend_on_what_is_sealed(tmp_path: Path) -> None:
    sizes = set()
    for salt in range(3):
        path = tmp_path / str(salt) / "journal.db"
        with Journal.open(path) as journal:
            for i in range(1, 50):
                journal.append([Entry(log=log_row(i), record=sealed(A, i, salt), matched=True)])
            wal = journal.wal_size()
            journal.checkpoint()
            sizes.add((wal, path.stat().st_size))
    assert len(sizes) == 1


def test_one_writer_only(path: Path) -> None:
    with Journal.open(path), pytest.raises(OperatorError, match="in use by another doord") as refused:
        Journal.open(path)
    how = "stop the other one first: systemctl stop doorctl; on a laptop: the one with the same --home"
    assert refused.value.hint == how
    Journal.open(path).close()


def test_the_group_may_read_whatever_the_umask(path: Path) -> None:
    before = os.umask(0o077)
    try:
        with Journal.open(path) as journal:
            journal.append([entry(A, 1)])
            modes = [Path(f"{path}{suffix}").stat().st_mode & 0o777 for suffix in ("", "-wal", "-shm")]
    finally:
        os.umask(before)
    assert modes == [0o640] * 3


def test_closed_is_closed(path: Path) -> None:
    journal = Journal.open(path)
    journal.close()
    journal.close()
    with pytest.raises(InternalError, match="used after close"):
        journal.append([entry(A, 1)])


def test_no_record_in_any_repr(path: Path) -> None:
    one = Entry(log=log_row(), record=sealed(A, 1), lockouts={b"secret key": 1})
    with Journal.open(path) as journal:
        journal.append([one])
        (stored,) = journal.pending(1)
    assert "DCR" not in repr(one) + repr(stored)
    assert "secret key" not in repr(one)
