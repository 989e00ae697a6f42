"""A database as it stands at one moment, copied while its daemon goes on writing. Never writes to the original.

One read transaction for the whole copy: in WAL mode it keeps no writer waiting, only the WAL from being emptied, which
both daemons wait for no longer than their busy bound (docs/decisions/sqlite-modes.md). SQLite's online backup copies
the pages as they are, so version, application id and WAL mode come along.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from doorctl.backup.plain_files import check_plain
from doorctl.errors import StorageError

_PAGES: Final = 256
"""One step, 1 MiB: after each somebody is told how far it is."""
_WAIT_S: Final = 10.0
"""While another process recovers the WAL or empties it."""


def copy_database(path: Path, target: Path, told: Callable[[int, int], None]) -> None:
    """`target` is a new file, 0600; StorageError where the original cannot be read or is damaged.

    `told(done, all)` hears of pages.
    """
    check_plain(path)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with closing(_open(path)) as source, closing(sqlite3.connect(target, isolation_level=None)) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # it is read once and thrown away
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # the moment
            source.backup(copy, pages=_PAGES, progress=lambda _status, left, all_: told(all_ - left, all_))
            source.execute("COMMIT")
            (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise StorageError(
            f"{path}: cannot be copied: {error}", hint="look at the disk and at the daemon's log"
        ) from error
    if verdict != "ok":
        raise StorageError(
            f"{path}: damaged: {verdict}", hint="a backup of it would be none: mend it first (docs/operations.md)"
        )


def _open(path: Path) -> sqlite3.Connection:
    """For reading only; not `mode=ro`, with which SQLite could not make the -shm file where no daemon runs."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=_WAIT_S, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
    except BaseException:
        connection.close()
        raise
    return connection
