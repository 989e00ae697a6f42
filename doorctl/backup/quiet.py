"""Keeps a role's daemons from running while its files are exchanged: says that one does, or holds its place."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from doorctl.backup.contents import Contents
from doorctl.backup.manifest import Role
from doorctl.errors import OperatorError
from doorctl.journal.file import beside, lock

_PENDING_BYTE: Final = 0x40000000
_LOCK_BYTES: Final = 512
"""Where SQLite's locks lie (os_unix.c, PENDING_BYTE): whoever has a database in WAL mode open holds one there."""
_STOP: Final = {
    Role.BOARD: "stop it first: systemctl stop doorctl doorctl-courier",
    Role.MONITOR: "stop it first: systemctl stop doorctl-monitor",
}


@contextmanager
def nobody_running(contents: Contents) -> Iterator[None]:
    """OperatorError where a daemon or an enrolment has one of the databases open; none can open them inside."""
    with ExitStack() as held:
        if contents.role is Role.BOARD and contents.paths.journal.parent.exists():
            held.callback(os.close, _journal_lock(contents.paths.journal))
        for part in contents.present():
            if part.database:
                held.callback(os.close, _database_lock(part.path, _STOP[contents.role]))
        yield


def _journal_lock(journal: Path) -> int:
    there = beside(journal, ".lock").exists()
    descriptor = lock(journal)
    if not there and os.geteuid() == 0:
        owner = journal.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)  # doord must be able to open it
    return descriptor


def _database_lock(path: Path, hint: str) -> int:
    """Of another process only: the caller has none of these open."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCK_BYTES, _PENDING_BYTE)
    except OSError as error:
        os.close(descriptor)
        raise OperatorError(f"{path}: in use", hint=hint) from error
    return descriptor
