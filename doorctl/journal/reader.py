"""The access log for `doorctl log`: read-only, from another process, while doord writes or while it does not run.

Each call opens the file anew: it holds no lock between calls, so a slow terminal keeps no checkpoint back, and a
journal that was moved aside is let go. Never writes, not even SQLite's own -shm repairs.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from doorctl.core.types import WallTime
from doorctl.errors import OperatorError
from doorctl.journal.examination import open_read_only
from doorctl.journal.faults import damaged, journal_error
from doorctl.journal.rows import Logged
from doorctl.journal.salvage import logged_row

_COLUMNS: Final = "SELECT id, wall, event, door, reader, holder, outcome, reason, count, detail FROM log"
_CHOSEN: Final = "(?1 IS NULL OR door = ?1) AND (?2 IS NULL OR wall >= ?2)"
NEWEST: Final = f"{_COLUMNS} WHERE {_CHOSEN} ORDER BY id DESC LIMIT ?3"
AFTER: Final = f"{_COLUMNS} WHERE {_CHOSEN} AND id > ?4 ORDER BY id LIMIT ?3"


class JournalReader:
    """The log of one journal."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def log(
        self, limit: int, *, door: str | None = None, since: WallTime | None = None, after_id: int | None = None
    ) -> list[Logged]:
        """Lines in the order they were written: the newest `limit`, or the first `limit` after a number (to follow)."""
        try:
            with closing(self._connect()) as connection:
                if after_id is not None:
                    rows = connection.execute(AFTER, (door, since, limit, after_id)).fetchall()
                else:
                    rows = connection.execute(NEWEST, (door, since, limit)).fetchall()[::-1]
        except (sqlite3.Error, OSError) as error:
            raise journal_error(error, self._path) from error
        try:
            return [logged_row(row) for row in rows]
        except ValueError as error:
            raise damaged(self._path, str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        if not self._path.exists():
            raise OperatorError(f"{self._path}: no journal", hint="has doord run here? or name its home with --home")
        return open_read_only(self._path)
