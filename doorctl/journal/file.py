"""The journal's file: created, locked, opened, checked, settled. Never reads what a row says.

One process writes: a lock beside the file, held as long as it is open. (Not on the file itself: closing a second
descriptor of it would drop SQLite's own locks, sqlite.org/howtocorrupt.html 2.2.)
"""

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from doorctl.errors import OperatorError
from doorctl.journal.faults import code_of, damaged, journal_error
from doorctl.journal.schema import configure, identify, migrate
from doorctl.wire.record import record_hash

MODE: Final = 0o640
"""Read by the group for `doorctl log`; SQLite gives -wal and -shm the same."""
BUSY_S: Final = 0.05
"""How long to wait for somebody else's lock: well inside the 150 ms that the door waits for us."""
_STOP: Final = "stop the other one first: systemctl stop doorctl; on a laptop: the one with the same --home"


def beside(path: Path, suffix: str) -> Path:
    """The file of the same name with a suffix, such as -wal."""
    return path.with_name(path.name + suffix)


def lock(path: Path) -> int:
    """A descriptor whose closing ends the lock; OperatorError where another process has it."""
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(beside(path, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
    except OSError as error:
        raise journal_error(error, path) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise OperatorError(f"{path}: in use by another doord", hint=_STOP) from error
    return descriptor


def sync_directory(directory: Path) -> None:
    """Makes a creation or a rename durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def connect(path: Path, *, check: bool) -> sqlite3.Connection:
    """The file open and of our version, made if it is not there; JournalError(DAMAGED) where a check finds it so."""
    try:
        _create(path)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            identify(connection, path)
            configure(connection)
            migrate(connection)
            if check:
                _check(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.OperationalError as error:
        # All that is asked here is constant and right, so a file that makes it wrong (no such table) is not ours.
        if code_of(error) == sqlite3.SQLITE_ERROR:
            raise damaged(path, str(error)) from error
        raise journal_error(error, path) from error
    except (sqlite3.Error, OSError) as error:
        raise journal_error(error, path) from error
    return connection


def settle(connection: sqlite3.Connection) -> bool:
    """Moves all of the WAL into the file and empties it; True where everything is in the file and synced.

    Also the only proof after a failed fsync: the kernel may show pages that never reached the disk, and a second
    fsync of the same pages says nothing. A checkpoint writes them anew, elsewhere, and syncs that.
    """
    _, frames, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return bool(frames == moved)


def fold(connection: sqlite3.Connection) -> bool:
    """As `settle`, but waits for nobody: where a reader is in the way, as far as that reader lets it."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        return settle(connection)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(BUSY_S * 1000)}")


def _create(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        os.fchmod(descriptor, MODE)  # still empty, and the umask may have taken the group away
    finally:
        os.close(descriptor)
    sync_directory(path.parent)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise damaged(path, str(verdict))
    (unreadable,) = connection.execute("SELECT count(*) FROM lockout WHERE NOT json_valid(value)").fetchone()
    if unreadable:
        raise damaged(path, "a lock-out counter is not what was written")
    with closing(connection.execute("SELECT hash, sealed FROM pending JOIN record USING (id)")) as waiting:
        sound = all(record_hash(sealed) == hash_ for hash_, sealed in waiting)
    if not sound:
        raise damaged(path, "a record is not what was written")
