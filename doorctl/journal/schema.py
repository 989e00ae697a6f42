"""The journal's tables and the way from an older file to this one. Never reads a row.

Three things lie here that must be true together: what people read (`log`), what the monitor gets (`record`,
with `pending` or `receipted` beside each), and what must survive a restart (`state`, `lockout`).

Why it is so:
- A record's row is never written again: a receipt moves a few bytes from `pending` to `receipted`.
- `hash` stands right before `sealed`, and a row fits its page: recovery finds records by that, tree or no tree.
- The newest row of `record` and of `log` is never deleted, so numbers only rise.
- `log` has no second index: the path to the strike writes it, and a reader has time to scan.
- No column, and no row's size, depends on what a token means.
"""

import sqlite3
from pathlib import Path
from typing import Final

from doorctl.errors import StorageError
from doorctl.journal.faults import FaultKind, JournalError, damaged

APPLICATION_ID: Final = 0x44434A31
""""DCJ1", in the file's header (sqlite.org/pragma.html#pragma_application_id)."""
PAGE_SIZE: Final = 4096
"""One record a page and much air: 8,192 bytes save a third of a full spool, and double what each commit writes."""

MIGRATIONS: Final = (
    """
    CREATE TABLE log (
        id INTEGER PRIMARY KEY,
        wall INTEGER NOT NULL,
        event TEXT NOT NULL,
        door TEXT NOT NULL,
        reader TEXT NOT NULL,
        holder TEXT,
        outcome INTEGER NOT NULL,
        reason INTEGER NOT NULL,
        count INTEGER NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE TABLE record (
        id INTEGER PRIMARY KEY,
        epoch BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        wall INTEGER NOT NULL,
        hash BLOB NOT NULL,
        sealed BLOB NOT NULL,
        UNIQUE (epoch, sequence)
    ) STRICT;
    CREATE TABLE pending (
        id INTEGER PRIMARY KEY REFERENCES record ON DELETE CASCADE,
        weight INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX pending_by_weight ON pending (weight, id);
    CREATE TABLE receipted (
        id INTEGER PRIMARY KEY REFERENCES record ON DELETE CASCADE,
        at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX receipted_by_time ON receipted (at, id);
    CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        sent_generation INTEGER NOT NULL
    ) STRICT;
    INSERT INTO state VALUES (1, 0);
    CREATE TABLE lockout (
        key BLOB PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
)
VERSION: Final = len(MIGRATIONS)


def configure(connection: sqlite3.Connection) -> None:
    """Every connection that writes. No checkpoint but an explicit one: it must not run between card and strike."""
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalError(f"journal: this disk cannot do write-ahead logging (journal mode {mode})", kind=FaultKind.IO)
    for setting in (
        "synchronous = FULL",
        "wal_autocheckpoint = 0",
        "foreign_keys = ON",
        "secure_delete = ON",  # Debian's default: who went where is gone when its line is, and not only unlisted
        "trusted_schema = OFF",
        "cell_size_check = ON",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {setting}")


def identify(connection: sqlite3.Connection, path: Path) -> None:
    """Before anything is written: damaged where the file is not ours, StorageError where it is newer than us."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (tables or application):
        raise damaged(path, "a database, but not a journal")
    if version > VERSION:
        raise StorageError(f"{path}: written by a newer doorctl (version {version}, this one knows {VERSION})")


def migrate(connection: sqlite3.Connection) -> None:
    """From whatever version the file has to VERSION, each step whole or not at all."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number in range(version, VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[number]}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number + 1}; COMMIT;"
        )
