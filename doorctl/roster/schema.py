"""The roster's file: its tables, its connections, and what SQLite's errors mean for people.

Nothing here may depend on what a token means. Rows are all of one size and stand by their look-up alone; every
insert goes in the order of look-ups or entries, because SQLite fills a page in the order of inserts.

Why WAL and no rollback journal:
- A writer killed in the middle of a commit leaves a hot rollback journal, and a reader without write rights cannot
  roll it back: every door would deny until somebody ran the next command. Frames without their commit in a WAL are
  simply not read.
- A reader never waits for a commit's fsync, nor for an import of 100,000 holders.
- Deleted rows must not survive beside the file: the writer empties the WAL (`wal_checkpoint(TRUNCATE)`) after every
  change and when it opens, which is where a killed writer's frames go.
The price of WAL is the shared `-shm` beside the file, which `doord` makes if no writer is there: hence the setgid
directory of mode 2770. The file itself is 0640: `doord` reads it, by connections `mode=ro` and `query_only`.

Nor may deleted rows survive in the file. `secure_delete` zeroes a deleted cell, but not the copies that SQLite leaves
in a page's unused middle when it moves cells between pages (seen: 2 of 1,500 deleted rows). So a change that takes
rows away also marks `meta.leftovers` and is followed by a VACUUM, which builds the file from what is alive; the mark
lets the next writer do it where this one was killed. About 2 s for 100,000 holders; no reader waits.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from doorctl.errors import InternalError, OperatorError, StorageError
from doorctl.wire.sizes import REGISTRATION_SIZE, TOKEN_SIZE

APPLICATION_ID: Final = int.from_bytes(b"DCRO", "big")
VERSION: Final = 1
PAGE_SIZE: Final = 4096
"""Fixed, so that sizes compare between machines; a page of most file systems and flash translation layers."""
LOOKUP_SIZE: Final = 32
CARD_ID_SIZE: Final = 32
ROWS_PER_HOLDER: Final = 7
"""Everyone's: 1 of the card, 3 of codes, 3 of card and code; what is not real is a decoy (design.md)."""
DIRECTORY_MODE: Final = 0o2770
FILE_MODE: Final = 0o640

_READ_WAIT_S: Final = 0.05
"""A reader waits only while another process recovers the WAL; the door has an answer to give."""
_WRITE_WAIT_S: Final = 10.0
"""For another writer, and for readers in the way of emptying the WAL."""

TABLES: Final = f"""
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    site_salt BLOB NOT NULL CHECK (length(site_salt) = 16),
    memory_kib INTEGER NOT NULL,
    iterations INTEGER NOT NULL,
    lanes INTEGER NOT NULL,
    code_length INTEGER NOT NULL,
    codes_per_holder INTEGER NOT NULL,
    leftovers INTEGER NOT NULL CHECK (leftovers IN (0, 1))  -- deleted rows may still be in unused parts of pages
) STRICT;

CREATE TABLE holders (
    number INTEGER PRIMARY KEY CHECK (number > 0),
    id TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    folded TEXT NOT NULL,  -- id and label without case and accents, for search
    groups TEXT NOT NULL,  -- JSON array of names, sorted
    valid_from TEXT,  -- ISO dates
    valid_until TEXT,
    suspended INTEGER NOT NULL CHECK (suspended IN (0, 1)),
    drawn TEXT NOT NULL  -- the day the rows were made
) STRICT;

CREATE TABLE holder_cards (
    card BLOB PRIMARY KEY CHECK (length(card) = {CARD_ID_SIZE}),
    holder INTEGER NOT NULL UNIQUE REFERENCES holders (number)
) STRICT, WITHOUT ROWID;

CREATE TABLE rows (
    lookup BLOB PRIMARY KEY CHECK (length(lookup) = {LOOKUP_SIZE}),
    token BLOB NOT NULL CHECK (length(token) = {TOKEN_SIZE}),
    holder INTEGER NOT NULL REFERENCES holders (number)
) STRICT, WITHOUT ROWID;
CREATE INDEX rows_by_holder ON rows (holder);

CREATE TABLE generations (
    generation INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,  -- since 1970-01-01
    added INTEGER NOT NULL,
    revoked INTEGER NOT NULL
) STRICT;

CREATE TABLE registrations (
    generation INTEGER NOT NULL REFERENCES generations (generation),
    action INTEGER NOT NULL CHECK (action IN (1, 2)),  -- wire.detail.Action
    entry BLOB NOT NULL CHECK (length(entry) = {REGISTRATION_SIZE}),
    PRIMARY KEY (generation, action, entry)
) STRICT, WITHOUT ROWID;

PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""SQLITE_ERROR: a table or column that must be there is not."""
_NO_RIGHT: Final = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM})
_RIGHTS: Final = "readers must be in the group of its folder (mode 2770); only its owner may enrol"


class ColumnError(Exception):
    """A column holds what enrolment never wrote; `translated` turns it into damage of the named file."""


def must_be_there(path: Path) -> None:
    """OperatorError where there is no file, StorageError where we may not even see it. Does not open it."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise OperatorError(f"{path}: there is no roster", hint="doorctl init makes one") from error
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", hint=_RIGHTS) from error


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that can change nothing; raises sqlite3.Error, or StorageError where it is no roster."""
    connection = _connect(path, "ro", _READ_WAIT_S)
    return _prepared(connection, path, ("query_only = ON",))


def connect_for_writing(path: Path) -> sqlite3.Connection:
    """A connection for the only writer; raises sqlite3.Error, or StorageError where it is no roster."""
    connection = _connect(path, "rw", _WRITE_WAIT_S)
    return _prepared(connection, path, ("secure_delete = ON", "synchronous = FULL", "foreign_keys = ON"))


def create_tables(path: Path) -> sqlite3.Connection:
    """A connection to a new roster in an empty file that is there already, with its mode."""
    connection = _connect(path, "rw", _WRITE_WAIT_S)
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN IMMEDIATE; {TABLES} COMMIT;")
    connection.close()
    return connect_for_writing(path)


def empty_wal(connection: sqlite3.Connection) -> bool:
    """Brings the WAL's pages home and cuts it to nothing; False where a reader was in the way all the while."""
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def drop_leftovers(connection: sqlite3.Connection) -> None:
    """Rebuilds the file from what is alive, if rows were taken away since that was last done."""
    (leftovers,) = connection.execute("SELECT leftovers FROM meta").fetchone()
    if leftovers:
        connection.execute("VACUUM")
        connection.execute("UPDATE meta SET leftovers = 0")


def damaged(path: Path, what: str) -> StorageError:
    """The file is not what enrolment wrote."""
    return StorageError(
        f"{path}: {what}",
        hint="put a backup of the roster in its place, or move it away and enrol again; the monitor sees either",
    )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours, with the file's name and a hint; never with a value that was bound."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translation(path, error) from error
    except ColumnError as error:
        raise damaged(path, f"the roster is damaged ({error})") from error


def _translation(path: Path, error: sqlite3.Error) -> StorageError | InternalError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_INTERNAL) & 0xFF
    if code in _DAMAGED:
        return damaged(path, f"the roster is damaged ({error})")
    if code in _NO_RIGHT:
        return StorageError(f"{path}: {error}", hint=_RIGHTS)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StorageError(f"{path}: somebody else is enrolling", hint="try again when that has ended")
    if code == sqlite3.SQLITE_CONSTRAINT:
        return InternalError(f"{path}: {error}")
    if code == sqlite3.SQLITE_FULL:
        return StorageError(f"{path}: no room on the disk", hint="nothing was changed; make room and try again")
    return StorageError(f"{path}: {error}", hint="nothing was changed; look at the disk and the kernel's log")


def _connect(path: Path, mode: str, wait_s: float) -> sqlite3.Connection:
    # check_same_thread: a reader may be opened by one thread and used by another, never by two at once
    return sqlite3.connect(
        f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=wait_s,
        isolation_level=None,
        check_same_thread=False,
    )


def _prepared(connection: sqlite3.Connection, path: Path, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    try:
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", *pragmas):
            connection.execute(f"PRAGMA {pragma}")
        _recognise(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise damaged(path, "this is not a roster")
    if version != VERSION:
        raise damaged(path, f"a roster of version {version}, expected {VERSION}")
