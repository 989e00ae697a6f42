"""What can still be read of a damaged journal, row by row. Reads only, and trusts nothing that it reads.

Two ways, the second for what the first did not find:
- through SQLite, going on behind each page that it refuses: rows with their numbers, weights and receipts;
- over the bytes of the file and its WAL: a record is 2,048 bytes that begin as a header, right behind the SHA-256 of
  themselves (schema.py keeps them side by side). That needs no tree, so a lost root page loses no record.

A record found by its bytes may have been receipted or have given way already. It is sent again: the monitor counts a
repeat as what it is, while a lost record cannot be had back.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from doorctl.core.types import HolderId, Outcome, Reason, WallTime
from doorctl.errors import MalformedError
from doorctl.journal.file import beside
from doorctl.journal.rows import Logged, LogRow, Stored, Weight
from doorctl.wire.record import MAGIC, Epoch, RecordHash, Sequence, parse_header, record_hash
from doorctl.wire.sizes import HASH_SIZE, RECORD_SIZE

_FARTHEST: Final = 1 << 40
"""Skips double with each refusal, so some forty refusals in a row end a scan."""
_WINDOW: Final = 1 << 20
_LEAD: Final = 8 + HASH_SIZE
"""Wall time and hash, before the record."""
_YEAR_2001: Final = 10**18
_YEAR_2096: Final = 4 * 10**18
"""SQLite stores a wall time between these as 8 bytes, right before the hash."""


class Carved(NamedTuple):
    """Where a record was found by its bytes; sorts by its time."""

    wall: WallTime
    """0 where it could not be read."""
    epoch: Epoch
    sequence: Sequence
    file: Path
    at: int


def open_damaged(path: Path) -> sqlite3.Connection | None:
    """Read-only, so that nothing is checkpointed into what may be evidence; None where SQLite sees no database."""
    if not path.exists():
        return None
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error:
        connection.close()
        return None
    return connection


def logged(connection: sqlite3.Connection) -> Iterator[Logged]:
    """Every log row that reads as one."""
    select = "SELECT id, wall, event, door, reader, holder, outcome, reason, count, detail FROM log"
    for row in _rows(connection, select):
        try:
            yield logged_row(row)
        except ValueError:
            continue


def logged_row(row: tuple[Any, ...]) -> Logged:
    """A log row from its columns; ValueError where an outcome or reason is none of ours."""
    id_, wall, event, door, reader, holder, outcome, reason, count, detail = row
    return Logged(
        id=id_,
        row=LogRow(
            wall=WallTime(wall), event=event, door=door, reader=reader,
            holder=None if holder is None else HolderId(holder),
            outcome=Outcome(outcome), reason=Reason(reason), count=count, detail=detail,
        ),
    )  # fmt: skip


def records(connection: sqlite3.Connection) -> Iterator[tuple[Stored, WallTime]]:
    """Every record whose bytes have their hash and whose header says the numbers it is stored under."""
    for id_, epoch, sequence, wall, hash_, sealed in _rows(
        connection, "SELECT id, epoch, sequence, wall, hash, sealed FROM record"
    ):
        found = _record(id_, hash_, sealed)
        if found is not None and (found.epoch, found.sequence) == (epoch, sequence) and isinstance(wall, int):
            yield found, WallTime(wall)


def weights(connection: sqlite3.Connection) -> dict[int, Weight]:
    """Of the records that wait, by number."""
    known = {int(weight) for weight in Weight}
    return {
        id_: Weight(weight) for id_, weight in _rows(connection, "SELECT id, weight FROM pending") if weight in known
    }


def receipts(connection: sqlite3.Connection) -> dict[int, WallTime]:
    """Monitor time of the receipted records, by number."""
    return {id_: WallTime(at) for id_, at in _rows(connection, "SELECT id, at FROM receipted") if isinstance(at, int)}


def lockouts(connection: sqlite3.Connection) -> list[tuple[bytes, str]]:
    """Lock-out counters as JSON; all of them or none."""
    try:
        return connection.execute("SELECT key, value FROM lockout WHERE json_valid(value)").fetchall()
    except sqlite3.Error:
        return []


def sent_generation(connection: sqlite3.Connection) -> int:
    """0 where it cannot be read: registrations are recorded again then, and the monitor knows them."""
    try:
        row = connection.execute("SELECT sent_generation FROM state").fetchone()
    except sqlite3.Error:
        return 0
    return row[0] if row is not None and isinstance(row[0], int) else 0


def carve(path: Path) -> Iterator[Carved]:
    """Where records lie in the bytes of the file and its WAL, whatever became of the database around them."""
    for file in (path, beside(path, "-wal")):
        for start, window in _windows(file):
            at = window.find(MAGIC, _LEAD, _LEAD + _WINDOW + len(MAGIC) - 1)
            while at >= 0:
                found = _record(0, window[at - HASH_SIZE : at], window[at : at + RECORD_SIZE])
                if found is not None:
                    wall = _wall(window[at - _LEAD : at - HASH_SIZE])
                    yield Carved(wall, found.epoch, found.sequence, file, start + at)
                at = window.find(MAGIC, at + len(MAGIC), _LEAD + _WINDOW + len(MAGIC) - 1)


def carved_record(carved: Carved) -> Stored | None:
    """The record there, looked at anew."""
    with carved.file.open("rb", buffering=0) as stream:
        content = os.pread(stream.fileno(), HASH_SIZE + RECORD_SIZE, carved.at - HASH_SIZE)
    return _record(0, content[:HASH_SIZE], content[HASH_SIZE:])


def _windows(file: Path) -> Iterator[tuple[int, bytes]]:
    # Read, not mapped: a sector that cannot be read is an error to step over here, and a SIGBUS there.
    if not file.exists():
        return
    with file.open("rb", buffering=0) as stream:
        for start in range(0, file.stat().st_size, _WINDOW):
            with suppress(OSError):
                yield start, os.pread(stream.fileno(), _LEAD + _WINDOW + RECORD_SIZE, start)


def _rows(connection: sqlite3.Connection, select: str) -> Iterator[tuple[Any, ...]]:
    """All rows by number, going on behind what SQLite refuses."""
    wanted, skip = 1, 1
    while skip < _FARTHEST:
        try:
            with closing(connection.execute(f"{select} WHERE id >= ? ORDER BY id", (wanted,))) as rows:
                for row in rows:
                    wanted, skip = row[0] + 1, 1
                    yield row
        except sqlite3.Error:
            wanted, skip = wanted + skip, skip * 2
        else:
            return


def _record(position: int, hash_: object, sealed: object) -> Stored | None:
    if not isinstance(hash_, bytes) or not isinstance(sealed, bytes) or record_hash(sealed) != hash_:
        return None
    try:
        header = parse_header(sealed)
    except MalformedError:
        return None
    return Stored(
        position=position, epoch=header.epoch, sequence=header.sequence, hash=RecordHash(hash_), record=sealed
    )  # fmt: skip


def _wall(stored: bytes) -> WallTime:
    wall = int.from_bytes(stored, "big")
    return WallTime(wall if _YEAR_2001 < wall < _YEAR_2096 else 0)
