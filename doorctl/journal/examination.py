"""How a journal stands, for `doorctl doctor`: read-only, from another process, while doord writes or does not run.

Reads the file from end to end and writes nothing, not even SQLite's own -shm repairs. For a journal of 100,000 records
that is seconds in which doord's log cannot be folded to its end; no card waits for it.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from doorctl.core.types import WallTime
from doorctl.journal.faults import damaged, journal_error
from doorctl.journal.file import BUSY_S, beside
from doorctl.journal.schema import APPLICATION_ID
from doorctl.wire.record import record_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStanding:
    """The access log."""

    lines: int
    oldest_line: WallTime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolStanding:
    """What waits for a receipt."""

    pending: int
    oldest: WallTime | None


def examine_journal(path: Path) -> LogStanding:
    """The log of a journal that is sound; JournalError where it is damaged or cannot be read."""
    try:
        with closing(open_read_only(path)) as connection:
            if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
                raise damaged(path, "not a journal")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise damaged(path, str(verdict))
            waiting = connection.execute("SELECT hash, sealed FROM pending JOIN record USING (id)")
            if not all(record_hash(sealed) == hash_ for hash_, sealed in waiting):
                raise damaged(path, "a record is not what was written")
            (lines,) = connection.execute("SELECT count(*) FROM log").fetchone()
            oldest = connection.execute("SELECT wall FROM log ORDER BY id LIMIT 1").fetchone()
    except (sqlite3.Error, OSError) as error:
        raise journal_error(error, path) from error
    return LogStanding(lines=lines, oldest_line=None if oldest is None else WallTime(oldest[0]))


def examine_spool(path: Path) -> SpoolStanding:
    """How many records wait, and since when; JournalError where it cannot be read."""
    try:
        with closing(open_read_only(path)) as connection:
            (pending,) = connection.execute("SELECT count(*) FROM pending").fetchone()
            sql = "SELECT wall FROM pending JOIN record USING (id) ORDER BY id LIMIT 1"
            oldest = connection.execute(sql).fetchone()
    except (sqlite3.Error, OSError) as error:
        raise journal_error(error, path) from error
    return SpoolStanding(pending=pending, oldest=None if oldest is None else WallTime(oldest[0]))


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that can change nothing; sqlite3.Error where there is no file that SQLite can open."""
    # Without its WAL nobody has it open, and somebody who may not write the folder could not make one.
    mode = "mode=ro" if beside(path, "-wal").exists() else "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
