"""Reading the spool and taking receipts: what waits, what was receipted, where it all stands.

Every statement here is answered from an index whatever the number of rows (tests/journal/test_plans.py looks).
Never begins or ends a transaction, never deletes a record. Rows are fetched whole before one is looked at: a cursor
left half read, which the traceback of an exception keeps, would keep the file open behind a closed connection, and
SQLite would end that one by deleting the WAL of whatever file has the name by then.
"""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from doorctl.core.types import WallTime
from doorctl.journal.faults import damaged
from doorctl.journal.rows import Head, Oldest, Plain, ReceiptKey, SpoolStatus, Stored
from doorctl.wire.record import Epoch, RecordHash, Sequence, record_hash

PENDING: Final = (
    "SELECT id, epoch, sequence, hash, sealed FROM pending JOIN record USING (id) WHERE id < ? ORDER BY id DESC LIMIT ?"
)
AGAIN: Final = (
    "SELECT id, epoch, sequence, hash, sealed FROM record JOIN receipted USING (id)"
    " WHERE epoch = ? AND sequence BETWEEN ? AND ? ORDER BY sequence"
)
HEAD: Final = (
    "SELECT id, epoch, sequence, hash FROM record"
    " WHERE epoch = (SELECT epoch FROM record ORDER BY id DESC LIMIT 1) ORDER BY sequence DESC LIMIT 1"
)
OLDEST: Final = "SELECT epoch, sequence, wall FROM pending JOIN record USING (id) ORDER BY id LIMIT 1"
RECEIPTED: Final = "SELECT epoch, sequence, hash FROM receipted JOIN record USING (id) ORDER BY id DESC LIMIT 1"
LAST_LOG_WALL: Final = "SELECT wall FROM log ORDER BY id DESC LIMIT 1"
LAST_RECORD_WALL: Final = "SELECT wall FROM record ORDER BY id DESC LIMIT 1"
BY_NAME: Final = "SELECT id FROM record WHERE epoch = ? AND sequence = ? AND hash = ?"

NEWEST: Final = (1 << 63) - 1
"""The greatest number SQLite can hold, above every row's."""


def pending(connection: sqlite3.Connection, path: Path, limit: int, before: Stored | None) -> list[Stored]:
    """Without a receipt, newest first; `before` is the last of the page before."""
    position = NEWEST if before is None else before.position
    return [_stored(row, path) for row in connection.execute(PENDING, (position, limit)).fetchall()]


def again(connection: sqlite3.Connection, path: Path, epoch: Epoch, first: Sequence, count: int) -> list[Stored]:
    """Receipted records among first .. first + count - 1 of an epoch, in order; those still kept."""
    last = min(first + count - 1, NEWEST)
    if first > last:
        return []
    return [_stored(row, path) for row in connection.execute(AGAIN, (epoch, first, last)).fetchall()]


def receive(connection: sqlite3.Connection, receipts: Iterable[ReceiptKey]) -> int:
    """Marks what these name; how many were waiting. Another hash, or a second receipt, is not counted."""
    moved = 0
    for epoch, sequence, hash_, monitor_time in receipts:
        if sequence > NEWEST:
            continue
        row = connection.execute(BY_NAME, (epoch, sequence, hash_)).fetchone()
        if row is not None and connection.execute("DELETE FROM pending WHERE id = ?", row).rowcount:
            connection.execute("INSERT INTO receipted (id, at) VALUES (?, ?)", (row[0], min(monitor_time, NEWEST)))
            moved += 1
    return moved


def count_pending(connection: sqlite3.Connection) -> int:
    """Counts; the journal does it once at opening and keeps the number."""
    (count,) = connection.execute("SELECT count(*) FROM pending").fetchone()
    return int(count)


def head(connection: sqlite3.Connection) -> Head | None:
    """Last sequence of the epoch that was written last."""
    row = connection.execute(HEAD).fetchone()
    return None if row is None else _head(row[1:])


def status(connection: sqlite3.Connection, count: int) -> SpoolStatus:
    """Everything supervision says; `count` is the number of records that wait."""
    oldest = connection.execute(OLDEST).fetchone()
    receipted = connection.execute(RECEIPTED).fetchone()
    return SpoolStatus(
        pending=count,
        oldest=None if oldest is None else Oldest(Epoch(oldest[0]), Sequence(oldest[1]), WallTime(oldest[2])),
        head=head(connection),
        receipted=None if receipted is None else _head(receipted),
        last_wall=last_wall(connection),
        sent_generation=sent_generation(connection),
    )


def last_wall(connection: sqlite3.Connection) -> WallTime | None:
    """Wall time of the last journal row: the access log's, or the last record's where the log is empty."""
    row = connection.execute(LAST_LOG_WALL).fetchone() or connection.execute(LAST_RECORD_WALL).fetchone()
    return None if row is None else WallTime(row[0])


def sent_generation(connection: sqlite3.Connection) -> int:
    """The last roster generation whose registrations are all in records; 0 at first."""
    (generation,) = connection.execute("SELECT sent_generation FROM state").fetchone()
    return int(generation)


def lockouts(connection: sqlite3.Connection, path: Path) -> dict[bytes, Plain]:
    """All lock-out counters, as they were passed."""
    rows = connection.execute("SELECT key, value FROM lockout").fetchall()
    try:
        return {key: json.loads(value) for key, value in rows}
    except ValueError as error:
        raise damaged(path, "a lock-out counter is not what was written") from error


def _stored(row: tuple[int, bytes, int, bytes, bytes], path: Path) -> Stored:
    position, epoch, sequence, hash_, sealed = row
    if record_hash(sealed) != hash_:
        raise damaged(path, f"record {position} is not what was written")
    return Stored(
        position=position, epoch=Epoch(epoch), sequence=Sequence(sequence), hash=RecordHash(hash_), record=sealed
    )  # fmt: skip


def _head(row: tuple[bytes, int, bytes]) -> Head:
    epoch, sequence, hash_ = row
    return Head(Epoch(epoch), Sequence(sequence), RecordHash(hash_))
