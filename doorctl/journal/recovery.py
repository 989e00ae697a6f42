"""A damaged journal: what can be saved goes into a new file, the old one is moved aside, and `Recovered` says so.

Crash-safe by order: the new file is built under a name of its own, and gets another when it is complete and synced;
only then does the old one move. A start that finds the old one gone and a complete one waiting ends the renames.
Nothing is ever deleted but the oldest of several damaged files, so that a dying disk is not filled by them.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from doorctl.core.types import WallTime
from doorctl.journal import salvage
from doorctl.journal.entries import PUT_LOCKOUT, SET_GENERATION, log_values
from doorctl.journal.faults import FaultKind, JournalError, code_of, journal_error
from doorctl.journal.file import beside, connect, settle, sync_directory
from doorctl.journal.rows import Recovered, Stored, Weight

KEPT_ASIDE: Final = 3
"""Damaged files that stay for somebody to look at."""
_BUILDING: Final = ".salvaging"
_COMPLETE: Final = ".salvaged"
_ASIDE: Final = ".damaged-"
_BATCH: Final = 100
"""Rows that a disk which fills up meanwhile may cost, and pages that its WAL needs beside them."""

_PUT_LOG: Final = (
    "INSERT OR IGNORE INTO log (wall, event, door, reader, holder, outcome, reason, count, detail, id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_PUT_RECORD: Final = "INSERT INTO record (id, epoch, sequence, wall, hash, sealed) VALUES (?, ?, ?, ?, ?, ?)"
_KNOWN: Final = "SELECT EXISTS (SELECT 1 FROM record WHERE epoch = ? AND sequence = ?)"
_TAKEN: Final = "SELECT EXISTS (SELECT 1 FROM record WHERE id = ?)"
_BELOW: Final = "SELECT id - sequence FROM record WHERE epoch = ? AND sequence < ? ORDER BY sequence DESC LIMIT 1"
_ABOVE: Final = "SELECT id - sequence FROM record WHERE epoch = ? AND sequence > ? ORDER BY sequence LIMIT 1"


def open_or_recover(path: Path, *, check: bool) -> tuple[sqlite3.Connection, Recovered | None]:
    """The journal open for writing, whatever it takes short of a disk that fails; JournalError then."""
    try:
        if not path.exists() and beside(path, _COMPLETE).exists():
            _move_aside(path)
            _rename(beside(path, _COMPLETE), path)
        if path.exists() or not beside(path, "-wal").exists():
            return connect(path, check=check), None
    except JournalError as error:
        if error.kind is not FaultKind.DAMAGED:
            raise
    except OSError as error:
        raise journal_error(error, path) from error
    return _recover(path)


def _recover(path: Path) -> tuple[sqlite3.Connection, Recovered]:
    try:
        records, log_rows, complete = _build(path, beside(path, _BUILDING))
        _rename(beside(path, _BUILDING), beside(path, _COMPLETE))
        aside = _move_aside(path)
        _rename(beside(path, _COMPLETE), path)
        _forget_oldest(path)
    except (sqlite3.Error, OSError) as error:
        raise journal_error(error, path) from error
    recovered = Recovered(moved_to=aside, records=records, log_rows=log_rows, complete=complete)
    return connect(path, check=False), recovered


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """What lay beside the records, by their numbers."""

    weights: dict[int, Weight]
    receipts: dict[int, WallTime]


class _Building:
    """The new file while it is filled: committed and checkpointed every so many rows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = 0
        connection.execute("BEGIN")

    def put(self, statement: str, *values: object) -> int | None:
        """The new row's number; None where a damaged row has a column of the wrong type, or is there already."""
        try:
            cursor = self._connection.execute(statement, values)
        except sqlite3.IntegrityError:
            return None
        self._rows += 1
        if self._rows % _BATCH == 0:
            self.commit()
            self._connection.execute("BEGIN")
        return cursor.lastrowid

    def ask(self, question: str, *values: object) -> int | None:
        """The first column of the first row."""
        row = self._connection.execute(question, values).fetchone()
        return None if row is None else int(row[0])

    def commit(self) -> None:
        """Into the file itself, so that the WAL stays small while the disk holds two journals."""
        self._connection.execute("COMMIT")
        settle(self._connection)


def _build(path: Path, building: Path) -> tuple[int, int, bool]:
    """Copies all that reads into a fresh file; (records, log rows, whether there was room for all)."""
    for suffix in ("", "-wal", "-shm"):
        beside(building, suffix).unlink(missing_ok=True)
    with closing(connect(building, check=False)) as connection:
        complete = True
        try:
            target = _Building(connection)
            beside_records = _copy_rows(path, target)
            _copy_carved(path, target, beside_records)
            target.commit()
        except sqlite3.OperationalError as error:
            if code_of(error) != sqlite3.SQLITE_FULL:
                raise
            # What fits is better than no journal; the rest stays in the file moved aside.
            complete = False
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        (records,) = connection.execute("SELECT count(*) FROM record").fetchone()
        (log_rows,) = connection.execute("SELECT count(*) FROM log").fetchone()
    return records, log_rows, complete


def _copy_rows(path: Path, target: _Building) -> _Beside:
    """All that SQLite still finds, under its old numbers."""
    source = salvage.open_damaged(path)
    if source is None:
        return _Beside(weights={}, receipts={})
    with closing(source):
        target.put(SET_GENERATION, salvage.sent_generation(source))
        for key, plain in salvage.lockouts(source):
            target.put(PUT_LOCKOUT, key, plain)
        known = _Beside(weights=salvage.weights(source), receipts=salvage.receipts(source))
        for record, wall in salvage.records(source):
            _put_record(target, record, wall, record.position, known)
        for logged in salvage.logged(source):
            target.put(_PUT_LOG, *log_values(logged.row), logged.id)
    return known


def _copy_carved(path: Path, target: _Building, known: _Beside) -> None:
    """Records that only their bytes gave away, each at its place among its epoch if that place is free."""
    missing = {
        (carved.epoch, carved.sequence): carved
        for carved in salvage.carve(path)
        if not target.ask(_KNOWN, carved.epoch, carved.sequence)
    }
    for carved in sorted(missing.values()):
        record = salvage.carved_record(carved)
        if record is not None:
            _put_record(target, record, carved.wall, _place(target, record), known)


def _place(target: _Building, record: Stored) -> int | None:
    # Within an epoch numbers and sequences rise together, so a neighbour tells which number this one had.
    for question in (_BELOW, _ABOVE):
        difference = target.ask(question, record.epoch, record.sequence)
        if difference is not None:
            place = difference + record.sequence
            return place if place > 0 and not target.ask(_TAKEN, place) else None
    return None


def _put_record(target: _Building, record: Stored, wall: WallTime, place: int | None, known: _Beside) -> None:
    number = target.put(_PUT_RECORD, place, record.epoch, record.sequence, wall, record.hash, record.record)
    if number is None:
        return
    receipt = None if place is None else known.receipts.get(place)
    if receipt is None:
        # Of unknown weight: as if it mattered.
        weight = known.weights.get(number, Weight.MATCHED)
        target.put("INSERT INTO pending (id, weight) VALUES (?, ?)", number, int(weight))
    else:
        target.put("INSERT INTO receipted (id, at) VALUES (?, ?)", number, receipt)


def _rename(old: Path, new: Path) -> None:
    """A database under another name; its WAL, if the disk was too full to empty it, goes first."""
    beside(old, "-shm").unlink(missing_ok=True)
    for suffix in ("-wal", ""):
        if beside(old, suffix).exists():
            beside(old, suffix).replace(beside(new, suffix))
    sync_directory(new.parent)


def _move_aside(path: Path) -> Path:
    """The file first: without it the next start knows from the WAL alone that something was begun."""
    aside = beside(path, f"{_ASIDE}{max(_aside_numbers(path), default=0) + 1}")
    for suffix in ("", "-wal", "-shm"):
        if beside(path, suffix).exists():
            beside(path, suffix).replace(beside(aside, suffix))
    sync_directory(path.parent)
    return aside


def _forget_oldest(path: Path) -> None:
    for number in sorted(_aside_numbers(path))[:-KEPT_ASIDE]:
        for suffix in ("", "-wal", "-shm"):
            beside(path, f"{_ASIDE}{number}{suffix}").unlink(missing_ok=True)


def _aside_numbers(path: Path) -> set[int]:
    begin = path.name + _ASIDE
    names = (file.name.removeprefix(begin).partition("-")[0] for file in path.parent.glob(f"{begin}*"))
    return {int(name) for name in names if name.isdecimal()}
