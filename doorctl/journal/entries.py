"""Entries become rows: checked before the disk is touched, written inside one transaction that the caller owns.

Never begins or ends a transaction, and never looks at what a sealed record says beyond its clear header.
"""

import json
import sqlite3
from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass
from typing import Final

from doorctl.core.types import WallTime
from doorctl.errors import InternalError, MalformedError
from doorctl.journal.rows import Entry, LogRow, LossReport, Plain, Weight
from doorctl.wire.record import Epoch, RecordHash, Sequence, parse_header, record_hash

INSERT_LOG: Final = (
    "INSERT INTO log (wall, event, door, reader, holder, outcome, reason, count, detail)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_RECORD: Final = "INSERT INTO record (epoch, sequence, wall, hash, sealed) VALUES (?, ?, ?, ?, ?)"
FIND_RECORD: Final = "SELECT hash FROM record WHERE epoch = ? AND sequence = ?"
KNOWN_EPOCH: Final = "SELECT EXISTS (SELECT 1 FROM record WHERE epoch = ?)"
DELETE_LOST: Final = (
    "DELETE FROM record WHERE epoch = ? AND sequence = ?"
    " AND EXISTS (SELECT 1 FROM pending WHERE pending.id = record.id)"
)
SET_GENERATION: Final = "UPDATE state SET sent_generation = ?"
PUT_LOCKOUT: Final = "INSERT OR REPLACE INTO lockout (key, value) VALUES (?, ?)"
LAST_LOG: Final = "SELECT coalesce(max(id), 0) FROM log"


PlainLockouts = tuple[tuple[bytes, str | None], ...]
"""Keys and their JSON; None forgets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A record with the name it is known by."""

    epoch: Epoch
    sequence: Sequence
    hash: RecordHash
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An entry whose record, if it has one, is named, and whose counters are JSON."""

    entry: Entry
    record: Named | None
    lockouts: PlainLockouts


def prepare(entry: Entry) -> Prepared:
    """InternalError where the record is none of ours or a counter is not plain: nothing was written yet."""
    record = None if entry.record is None else _name(entry.record)
    return Prepared(entry=entry, record=record, lockouts=plain_lockouts(entry.lockouts))


def plain_lockouts(changes: Mapping[bytes, Plain]) -> PlainLockouts:
    """Keys and their JSON, None forgets; InternalError where a value is not plain."""
    try:
        return tuple((key, None if value is None else _json(value)) for key, value in changes.items())
    except (TypeError, ValueError, RecursionError) as error:
        raise InternalError(f"journal: a lock-out counter is not plain: {error}") from error


def write(connection: sqlite3.Connection, prepared: Several[Prepared], last_wall: WallTime | None) -> int:
    """Writes all entries; by how many the spool grew. InternalError where a number is taken by another record.

    A record that is there already brings nothing with it: its log row and its loss were written when it was.
    """
    growth = 0
    for item in prepared:
        last_wall = _wall(item.entry, last_wall)
        if item.record is None or not is_there(connection, item.record):
            if item.entry.log is not None:
                connection.execute(INSERT_LOG, log_values(item.entry.log))
            if item.record is not None:
                _write_record(connection, item.record, item.entry, last_wall or WallTime(0))
                growth += 1
            if item.entry.loss is not None:
                growth -= _delete_lost(connection, item.entry.loss)
        if item.entry.sent_generation is not None:
            connection.execute(SET_GENERATION, (item.entry.sent_generation,))
        write_lockouts(connection, item.lockouts)
    return growth


def write_lockouts(connection: sqlite3.Connection, changes: PlainLockouts) -> None:
    """Each counter replaced, or forgotten."""
    for key, plain in changes:
        if plain is None:
            connection.execute("DELETE FROM lockout WHERE key = ?", (key,))
        else:
            connection.execute(PUT_LOCKOUT, (key, plain))


def landed(connection: sqlite3.Connection, prepared: Several[Prepared], last_log: int) -> bool:
    """Whether a transaction whose end is unknown is there; `last_log` is the log's last number before it.

    One row is as good as all: a transaction is whole or not at all. An entry with neither record nor log row
    leaves no trace to look for, and counts as not there.
    """
    records = [item.record for item in prepared if item.record is not None]
    if not all(is_there(connection, record) for record in records):
        return False
    if any(item.record is None and item.entry.log is not None for item in prepared):
        (last,) = connection.execute(LAST_LOG).fetchone()
        return bool(last > last_log)
    return bool(records)


def is_there(connection: sqlite3.Connection, record: Named) -> bool:
    """Whether this very record is stored; InternalError where its numbers are taken by another."""
    row = connection.execute(FIND_RECORD, (record.epoch, record.sequence)).fetchone()
    if row is None:
        return False
    if row[0] != record.hash:
        raise InternalError(f"journal: sequence {record.sequence} of this epoch is taken by another record")
    return True


def log_values(row: LogRow) -> tuple[object, ...]:
    """In the order of INSERT_LOG."""
    return (
        row.wall, row.event, row.door, row.reader, row.holder, int(row.outcome), int(row.reason), row.count, row.detail
    )  # fmt: skip


def _wall(entry: Entry, last: WallTime | None) -> WallTime | None:
    if entry.log is not None:
        return entry.log.wall
    return entry.wall if entry.wall is not None else last


def _weight(connection: sqlite3.Connection, epoch: Epoch, entry: Entry) -> Weight:
    (known,) = connection.execute(KNOWN_EPOCH, (epoch,)).fetchone()
    if entry.structure or entry.sent_generation is not None or not known:
        return Weight.STRUCTURE
    return Weight.MATCHED if entry.matched else Weight.UNMATCHED


def _write_record(connection: sqlite3.Connection, record: Named, entry: Entry, wall: WallTime) -> None:
    weight = _weight(connection, record.epoch, entry)
    values = (record.epoch, record.sequence, wall, record.hash, record.sealed)
    position = connection.execute(INSERT_RECORD, values).lastrowid
    connection.execute("INSERT INTO pending (id, weight) VALUES (?, ?)", (position, int(weight)))


def _delete_lost(connection: sqlite3.Connection, loss: LossReport) -> int:
    # What had its receipt since the report was made stays: the monitor has it, and may ask for it again.
    return sum(connection.execute(DELETE_LOST, name).rowcount for name in loss.records)


def _name(record: bytes) -> Named:
    try:
        header = parse_header(record)
    except MalformedError as error:
        raise InternalError(f"journal: asked to keep what is no record: {error}") from error
    if header.supervision:
        raise InternalError("journal: asked to keep a supervision record, which is never journaled")
    return Named(epoch=header.epoch, sequence=header.sequence, hash=record_hash(record), sealed=record)


def _json(value: Plain) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"), sort_keys=True)
