"""Rows on their way into the roster, and entries on their way out: kept in temporary tables until the change is whole.

Rows come in the order in which people are enrolled and are read in the order of look-ups, which SQLite sorts outside
of our memory. So a hundred thousand holders cost no more memory than one, and a page of the roster shows no order but
its own. Nothing here is committed, and a killed process leaves nothing of it.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from doorctl.roster.factors import Lookup

_TABLES: Final = (
    "CREATE TEMP TABLE staged (lookup BLOB, token BLOB, holder INTEGER, entry BLOB) STRICT",
    "CREATE TEMP TABLE staged_begin (begin INTEGER PRIMARY KEY) STRICT",
    "CREATE TEMP TABLE revoked (entry BLOB) STRICT",
)
_NAMES: Final = ("staged", "staged_begin", "revoked")
_BEGIN_SIZE: Final = 8
"""Bytes of a look-up that stand for it among those staged: 700,000 of them meet by chance once in 75 million imports,
and then somebody's codes are drawn again. A table of them stays in memory where one of whole look-ups would not."""

_Staged = tuple[Lookup, bytes, int, bytes]
"""Look-up, token, the holder's number, registration entry."""


class Staging:
    """The temporary tables of one change."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.added = 0
        self.revoked = 0
        for table in _TABLES:
            connection.execute(table)

    def has(self, lookups: Sequence[Lookup]) -> bool:
        """Whether a row of any of these look-ups is on its way."""
        places = ", ".join("?" * len(lookups))
        sql = f"SELECT EXISTS (SELECT 1 FROM temp.staged_begin WHERE begin IN ({places}))"  # noqa: S608  # only marks
        return bool(self._connection.execute(sql, [_begin(lookup) for lookup in lookups]).fetchone()[0])

    def add(self, rows: Sequence[_Staged]) -> None:
        """Rows that are to be there when the change is made; none of a look-up that `has` says is there."""
        self._connection.executemany("INSERT INTO temp.staged VALUES (?, ?, ?, ?)", rows)
        begins = [(_begin(lookup),) for lookup, *_ in rows]
        self._connection.executemany("INSERT INTO temp.staged_begin VALUES (?)", begins)
        self.added += len(rows)

    def revoke(self, entries: Sequence[bytes]) -> None:
        """Entries of rows that are gone."""
        self._connection.executemany("INSERT INTO temp.revoked VALUES (?)", [(entry,) for entry in entries])
        self.revoked += len(entries)

    def write_rows(self) -> None:
        """Into the roster, in the order of look-ups."""
        self._connection.execute("INSERT INTO main.rows SELECT lookup, token, holder FROM temp.staged ORDER BY lookup")

    def added_entries(self) -> Iterator[bytes]:
        """In the order of their bytes."""
        yield from _column(self._connection, "SELECT entry FROM temp.staged ORDER BY entry")

    def revoked_entries(self) -> Iterator[bytes]:
        """In the order of their bytes."""
        yield from _column(self._connection, "SELECT entry FROM temp.revoked ORDER BY entry")

    def close(self) -> None:
        """The tables are gone."""
        for name in _NAMES:
            self._connection.execute(f"DROP TABLE temp.{name}")


def _begin(lookup: Lookup) -> int:
    return int.from_bytes(lookup[:_BEGIN_SIZE], "big", signed=True)


def _column(connection: sqlite3.Connection, sql: str) -> Iterator[bytes]:
    for (value,) in connection.execute(sql):
        yield value
