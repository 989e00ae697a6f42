"""What the monitor is told of the roster: entries by generation, and the digest over the rows that are really there.

An entry is a hash of a row's tag and token. In a generation entries stand in the order of their bytes, which says
nothing of the order they were drawn in, nor of whom they belong to where several were enrolled at once.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from doorctl.roster.meta import HIGHEST_GENERATION, whole_number
from doorctl.roster.schema import LOOKUP_SIZE, ColumnError
from doorctl.seal.roster_tree import roster_digest
from doorctl.seal.sealing import registration, row_tag
from doorctl.wire.detail import ENTRIES_PER_RECORD, Action, EnrolledDetail
from doorctl.wire.record import Token
from doorctl.wire.sizes import REGISTRATION_SIZE, TOKEN_SIZE

Registration = EnrolledDetail
"""As it goes on the wire; every generation has at least one, with no entries where no row changed."""

_MOST_PARTS: Final = 0xFFFF
"""What a part's number holds on the wire: 1.7 million entries."""
MOST_ENTRIES: Final = (_MOST_PARTS - 1) * ENTRIES_PER_RECORD
"""Of one generation; one part less, because those added and those revoked each end with a part that is not full."""
_LAST_DAY: Final = 0xFFFF_FFFF
_COUNT: Final = """
    UPDATE generations SET
        added = (SELECT count(*) FROM registrations AS r WHERE r.generation = ?1 AND r.action = ?2),
        revoked = (SELECT count(*) FROM registrations AS r WHERE r.generation = ?1 AND r.action = ?3)
    WHERE generation = ?1
"""


class _Generation(NamedTuple):
    """A row of `generations`."""

    generation: int
    day: int
    added: int
    revoked: int


def entry_of(lookup: object, token: object) -> bytes:
    """The 16 bytes that stand for a row; ColumnError where it is not of a row's shape."""
    tag = row_tag(_blob(lookup, LOOKUP_SIZE))
    return registration(tag, Token(_blob(token, TOKEN_SIZE)))


def digest_of_rows(connection: sqlite3.Connection) -> bytes:
    """32 bytes over all rows as they are; reads every row."""
    rows = connection.execute("SELECT lookup, token FROM rows")
    return roster_digest(entry_of(lookup, token) for lookup, token in rows)


def registrations_after(
    connection: sqlite3.Connection, generation: int, limit: int, *, skip: int = 0
) -> list[Registration]:
    """At most `limit` parts of the generations above `generation`, in order, without the first one's first `skip`.

    The parts of a generation never change, so a reader that stopped within one goes on with `skip`.
    """
    found: list[Registration] = []
    rows = connection.execute(
        "SELECT generation, day, added, revoked FROM generations WHERE generation > ? ORDER BY generation LIMIT ?",
        (generation, limit + 1),  # one more: all of the first one may be skipped
    ).fetchall()
    for row in rows:
        found += _parts(connection, _checked(*row), skip, limit - len(found))
        skip = 0
        if len(found) == limit:
            break
    return found


def record_generation(
    connection: sqlite3.Connection, generation: int, day: int, *, added: Iterable[bytes], revoked: Iterable[bytes]
) -> None:
    """Writes a generation's entries; both in ascending order, so that a page shows no other order. May be large."""
    connection.execute("INSERT INTO generations VALUES (?, ?, 0, 0)", (generation, day))
    for action, entries in ((Action.ADD, added), (Action.REVOKE, revoked)):
        rows = ((generation, action, entry) for entry in entries)
        connection.executemany("INSERT INTO registrations VALUES (?, ?, ?)", rows)
    connection.execute(_COUNT, (generation, Action.ADD, Action.REVOKE))


def _checked(generation: object, day: object, added: object, revoked: object) -> _Generation:
    """ColumnError where a number does not fit on the wire."""
    what = "a generation's numbers"
    return _Generation(
        whole_number(generation, 1, HIGHEST_GENERATION, what),
        whole_number(day, 0, _LAST_DAY, what),
        whole_number(added, 0, MOST_ENTRIES, what),
        whole_number(revoked, 0, MOST_ENTRIES, what),
    )


def _parts(connection: sqlite3.Connection, of: _Generation, skip: int, limit: int) -> list[Registration]:
    """Parts skip + 1 … skip + limit of a generation: first those that were added, then those that were revoked."""
    added_parts, revoked_parts = -(-of.added // ENTRIES_PER_RECORD), -(-of.revoked // ENTRIES_PER_RECORD)
    parts = max(1, added_parts + revoked_parts)
    if parts > _MOST_PARTS:
        raise ColumnError("a generation of more entries than can be sent")
    chunks = [
        *_chunks(connection, of.generation, Action.ADD, range(skip, min(skip + limit, added_parts))),
        *_chunks(
            connection,
            of.generation,
            Action.REVOKE,
            range(max(0, skip - added_parts), min(skip + limit - added_parts, revoked_parts)),
        ),
    ]
    if of.added == of.revoked == 0 and skip == 0:
        chunks = [(Action.ADD, ())]
    return [
        Registration(generation=of.generation, action=action, day=of.day, part=part, parts=parts, entries=entries)
        for part, (action, entries) in enumerate(chunks, start=skip + 1)
    ]


def _chunks(
    connection: sqlite3.Connection, generation: int, action: Action, wanted: range
) -> list[tuple[Action, tuple[bytes, ...]]]:
    """The wanted chunks of one action, by one query: a query a chunk would count from the beginning each time."""
    rows = connection.execute(
        "SELECT entry FROM registrations WHERE generation = ? AND action = ? ORDER BY entry LIMIT ? OFFSET ?",
        (generation, action, len(wanted) * ENTRIES_PER_RECORD, wanted.start * ENTRIES_PER_RECORD),
    )
    entries = [_blob(entry, REGISTRATION_SIZE) for (entry,) in rows]
    return [
        (action, tuple(entries[begin : begin + ENTRIES_PER_RECORD]))
        for begin in range(0, len(entries), ENTRIES_PER_RECORD)
    ]


def _blob(value: object, size: int) -> bytes:
    """A column that must be so many bytes: whoever can write the file can also write something else."""
    if not isinstance(value, bytes) or len(value) != size:
        raise ColumnError("bytes of the wrong size")
    return value
