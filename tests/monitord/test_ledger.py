from pathlib import Path

import pytest

from doorctl.core.types import WallTime
from doorctl.errors import StorageError
from doorctl.monitord.ledger import Disposition, LedgerReader, LedgerRecord, LedgerWriter, Verified
from doorctl.wire.record import SUPERVISION_BIT, Kind, Sequence
from tests.monitord.board import Board, Made

EARLY = WallTime(1000)


def verified(made: Made, received: int = EARLY) -> Verified:
    return Verified(
        header=made.header, body=made.body, signature=bytes(64), hash=made.hash, received=WallTime(received)
    )  # fmt: skip


@pytest.fixture
def board() -> Board:
    return Board()


def test_records_come_back_in_the_order_they_came(tmp_path: Path, board: Board) -> None:
    writer = LedgerWriter(tmp_path / "ledger.db")
    records = [board.start(), board.access(None), board.access(None)]
    assert writer.store([verified(records[2]), verified(records[0])]) == [Disposition.STORED] * 2
    assert writer.store([verified(records[1])]) == [Disposition.STORED]
    reader = LedgerReader(tmp_path / "ledger.db")
    with reader.snapshot() as snapshot:
        assert snapshot.last_id() == 3
        assert snapshot.between(1, 3) == [
            LedgerRecord(id=n, header=made.header, body=made.body, hash=made.hash, received=EARLY, fork=False)
            for n, made in enumerate([records[2], records[0], records[1]], start=1)
        ]
        assert [record.id for record in snapshot.before(board.controller, 3, 10)] == [2, 1]
    reader.close()
    writer.close()


def test_a_repeat_is_not_counted_and_a_fork_is_kept_beside(tmp_path: Path, board: Board) -> None:
    writer = LedgerWriter(tmp_path / "ledger.db")
    made = board.start()
    forked = board.fork(made)
    stored = [writer.store([verified(one)])[0] for one in (made, made, forked, forked, made)]
    assert stored == [
        Disposition.STORED, Disposition.REPEATED, Disposition.FORKED, Disposition.REPEATED, Disposition.REPEATED,
    ]  # fmt: skip
    assert writer.sequences(board.controller, board.epoch) == [(1, 1)]
    first = writer.record_at(board.controller, board.epoch, Sequence(1))
    assert first == made.body
    writer.close()


def test_twice_in_one_tick_is_once(tmp_path: Path, board: Board) -> None:
    writer = LedgerWriter(tmp_path / "ledger.db")
    made = board.start()
    assert writer.store([verified(made)] * 3) == [Disposition.STORED, Disposition.REPEATED, Disposition.REPEATED]
    writer.close()


def test_only_the_last_supervision_of_an_epoch_stays(tmp_path: Path, board: Board) -> None:
    writer = LedgerWriter(tmp_path / "ledger.db")
    first, second, third = board.supervise(), board.supervise(), board.supervise()
    start = board.start()
    assert writer.store([verified(first), verified(third, 2000)]) == [Disposition.SUPERVISED] * 2
    assert writer.store([verified(second), verified(third)]) == [Disposition.SUPERVISED_BEFORE] * 2
    assert writer.store([verified(start), verified(board.supervise(), 3000)])[1] is Disposition.SUPERVISED
    reader = LedgerReader(tmp_path / "ledger.db")
    with reader.snapshot() as snapshot:
        found = snapshot.supervision_after(0)
        assert [(one.counter, one.after_record, one.received, one.arrival) for one in found] == [
            (3, 0, 2000, 2), (1, 1, 3000, 3),
        ]  # fmt: skip
        assert found[0].header.sequence == SUPERVISION_BIT | 3
        assert snapshot.supervision_after(2) == found[1:]
        assert snapshot.last_id() == 1
    reader.close()
    writer.close()


def test_sequences_are_intervals(tmp_path: Path, board: Board) -> None:
    writer = LedgerWriter(tmp_path / "ledger.db")
    records = [board.start(), *(board.access(None) for _ in range(9))]
    writer.store([verified(records[n]) for n in (8, 7, 0, 1, 2, 4)])
    writer.store([verified(board.fork(records[4]))])
    assert writer.sequences(board.controller, board.epoch) == [(1, 3), (5, 5), (8, 9)]
    writer.close()


def test_loss_records_are_found_by_their_kind(tmp_path: Path, board: Board) -> None:
    writer = LedgerWriter(tmp_path / "ledger.db")
    lost = board.record(Kind.LOSS, None)
    writer.store([verified(board.access(None)), verified(lost)])
    assert writer.losses(board.controller) == [lost.body]
    writer.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    LedgerWriter(tmp_path / "ledger.db").close()
    reader = LedgerReader(tmp_path / "ledger.db")
    with pytest.raises(StorageError, match="attempt to write a readonly database"), reader.snapshot() as snapshot:
        snapshot._connection.exec_driver_sql("DELETE FROM records")
    reader.close()


def test_a_ledger_of_another_version_is_refused(tmp_path: Path) -> None:
    writer = LedgerWriter(tmp_path / "ledger.db")
    with writer._engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 99")
    writer.close()
    with pytest.raises(StorageError, match="version 99, this doorctl has 1"):
        LedgerWriter(tmp_path / "ledger.db")
    with pytest.raises(StorageError, match="version 99, this doorctl has 1"):
        LedgerReader(tmp_path / "ledger.db")


def test_a_missing_ledger_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open database file"):
        LedgerReader(tmp_path / "ledger.db")


def test_the_file_is_nobody_elses(tmp_path: Path) -> None:
    LedgerWriter(tmp_path / "var" / "ledger.db").close()
    assert (tmp_path / "var" / "ledger.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700


def test_a_damaged_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError, match="not a database"):
        LedgerWriter(tmp_path / "ledger.db")
