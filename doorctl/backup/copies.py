"""Folders for copies and drafts with secrets, in the data's own folder, each locked while it is used.

Everything of backup and restore that needs such a place takes it from here: what a killed command left is known by
nobody's holding its lock, and is removed by the next.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = ".backup-"


@contextmanager
def copies(home: Path) -> Iterator[Path]:
    """A new folder, 0700, and nothing of it afterwards."""
    for left in left_behind(home):
        _remove_unused(left)
    folder, descriptor = _new_folder(home)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def left_behind(home: Path) -> list[Path]:
    """Folders of copies that nobody works in any more; what only has such a name is none."""
    there = sorted(home.iterdir()) if home.is_dir() else []  # a glob would hide that we may not look
    return [path for path in there if path.name.startswith(_PREFIX) and _is_unused(path)]


def _new_folder(home: Path) -> tuple[Path, int]:
    while True:
        folder = home / f"{_PREFIX}{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        descriptor = _opened(folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return folder, descriptor
        os.close(descriptor)  # another command saw it before it was locked, and removed it


def _is_unused(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _remove_unused(folder: Path) -> None:
    descriptor = _opened(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except BlockingIOError:
        return  # another is at work
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
