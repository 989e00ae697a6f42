"""What can be wrong with the journal's file, as one exception with a kind. SQLite's own never leave this package.

The door side stays as it is at every one of these: an entry that could not be written moves no strike by itself.
"""

import errno
import sqlite3
from enum import Enum
from pathlib import Path
from typing import Final

from doorctl.errors import InternalError, StorageError


class FaultKind(Enum):
    """Why the file did not do what was asked."""

    FULL = "full"
    """No room on the disk; what was there before is still there and can be read."""
    IO = "i/o"
    """The disk or the rights to it failed."""
    DAMAGED = "damaged"
    """The file is not what was written; the next call moves it aside and saves what it can."""
    BUSY = "busy"
    """Another process holds the file longer than we wait."""


class JournalError(StorageError):
    """The journal's file could not do what was asked; `kind` says why. Nothing was half done."""

    def __init__(self, message: str, *, kind: FaultKind, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


_PRIMARY: Final = 0xFF
"""SQLite's extended result codes carry the primary one in their low byte (sqlite.org/rescode.html)."""
_KINDS: Final = {
    sqlite3.SQLITE_FULL: FaultKind.FULL,
    sqlite3.SQLITE_IOERR: FaultKind.IO,
    sqlite3.SQLITE_CANTOPEN: FaultKind.IO,
    sqlite3.SQLITE_READONLY: FaultKind.IO,
    sqlite3.SQLITE_PERM: FaultKind.IO,
    sqlite3.SQLITE_NOLFS: FaultKind.IO,
    sqlite3.SQLITE_NOMEM: FaultKind.IO,
    sqlite3.SQLITE_PROTOCOL: FaultKind.IO,
    sqlite3.SQLITE_CORRUPT: FaultKind.DAMAGED,
    sqlite3.SQLITE_NOTADB: FaultKind.DAMAGED,
    sqlite3.SQLITE_BUSY: FaultKind.BUSY,
    sqlite3.SQLITE_LOCKED: FaultKind.BUSY,
}
_HINTS: Final = {
    FaultKind.FULL: "free space on the disk that holds it; nothing in it was lost",
    FaultKind.IO: "look at the disk and at the file's owner and mode",
    FaultKind.DAMAGED: "it is moved aside at the next start, and what can be read of it is kept",
    FaultKind.BUSY: "only doord writes the journal; end whatever else has it open",
}


def damaged(path: Path, what: str) -> JournalError:
    """The file opens, and what it says cannot be."""
    return JournalError(f"{path.name}: damaged: {what}", kind=FaultKind.DAMAGED, hint=_HINTS[FaultKind.DAMAGED])


def journal_error(error: sqlite3.Error | OSError, path: Path) -> JournalError | InternalError:
    """The same failure in our words; InternalError where SQLite refused what we asked, not the disk."""
    kind = _os_kind(error) if isinstance(error, OSError) else _sqlite_kind(error)
    if kind is None:
        return InternalError(f"{path.name}: {error}")
    return JournalError(f"{path.name}: {kind.value}: {error}", kind=kind, hint=_HINTS[kind])


def code_of(error: sqlite3.Error) -> int | None:
    """SQLite's extended code; None for what Python's binding raises by itself (closed, not UTF-8)."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code


def _os_kind(error: OSError) -> FaultKind:
    return FaultKind.FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else FaultKind.IO


def _sqlite_kind(error: sqlite3.Error) -> FaultKind | None:
    code = code_of(error)
    if code is None:
        # Text that is not UTF-8 is an OperationalError; a closed connection is our own doing.
        return FaultKind.DAMAGED if isinstance(error, sqlite3.OperationalError) else None
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:
        # The -shm file could not grow: on a full disk this comes before SQLITE_FULL.
        return FaultKind.FULL
    return _KINDS.get(code & _PRIMARY)
