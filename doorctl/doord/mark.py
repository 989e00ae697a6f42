"""One bit that outlives a restart: a file that is there while it holds. The lockdown order, and doubt of the clock."""

import os
from pathlib import Path

from doorctl.errors import StorageError


class Mark:
    """One empty file; made and removed durably."""

    def __init__(self, path: Path, *, unwritten: str) -> None:
        """`unwritten` says what a disk that does not take it means."""
        self._path = path
        self._unwritten = unwritten

    def is_set(self) -> bool:
        """Whether it holds; where the folder cannot be read, nobody can tell, and the doors open as usual."""
        try:
            self._path.stat()
        except OSError:
            return False
        return True

    def write(self, *, on: bool) -> None:
        """Set or clear; StorageError where the disk does not take it (what it stands for holds until a restart)."""
        try:
            if on:
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o640))
            else:
                self._path.unlink(missing_ok=True)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror}", hint=self._unwritten) from error
