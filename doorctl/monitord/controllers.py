"""The folder of trusted controllers, looked at again and again: new and removed files count at once.

A file that cannot be read is reported once and counts as absent; it never takes the others with it. A folder that
cannot be looked at changes nothing: a monitor must not go deaf to every board because its own disk stumbles.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

from doorctl.errors import DoorctlError
from doorctl.seal.keys import ControllerFile, read_controller_file
from doorctl.wire.record import ControllerId

SUFFIX: Final = ".toml"
_NO_STAMP: Final = (0, 0, 0)
_log: Final = logging.getLogger(__name__)

_Stamp: TypeAlias = tuple[int, int, int]
"""Inode, size, time of change."""


class ControllersFolder:
    """All trusted controllers as a mapping that is replaced, never changed, so that any thread may hold one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, _Stamp] | None = None
        self._failure: str | None = None
        self.trusted: Mapping[ControllerId, ControllerFile] = {}

    def refresh(self) -> bool:
        """Look at the folder; whether anything there has changed since the last look."""
        seen = self._look()
        if seen is None or seen == self._seen:
            return False
        self._seen = seen
        files = (_read(self._folder / name) for name in sorted(seen))
        self.trusted = {file.controller: file for file in files if file is not None}
        return True

    def _look(self) -> dict[str, _Stamp] | None:
        """What is there; None, reported once, where the folder does not answer."""
        try:
            seen = _listing(self._folder)
        except OSError as error:
            if str(error) != self._failure:
                _log.error("trusted controllers stay as they are: %s", error)
            self._failure = str(error)
            return None
        self._failure = None
        return seen


def controller_path(folder: Path, controller: ControllerId) -> Path:
    """Where a trusted controller's file lies."""
    return folder / f"{controller.hex()}{SUFFIX}"


def _listing(folder: Path) -> dict[str, _Stamp]:
    """Name → stamp; a missing folder is an empty one."""
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: _stamp(entry)
                for entry in entries
                if entry.name.endswith(SUFFIX) and not entry.name.startswith(".")
            }
    except FileNotFoundError:
        return {}


def _stamp(entry: os.DirEntry[str]) -> _Stamp:
    """What changes with the file; a dangling link or a file just removed has none, and reading it says why."""
    try:
        status = entry.stat()
    except OSError:
        return _NO_STAMP
    return status.st_ino, status.st_size, status.st_mtime_ns


def _read(path: Path) -> ControllerFile | None:
    try:
        return read_controller_file(path)
    except DoorctlError as error:
        _log.error("controller not trusted: %s", error)
        return None
