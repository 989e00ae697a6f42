"""The folder of trusted controllers, looked at again and again: new and removed files count at once.

A file that cannot be read is reported once and counts as absent; it never takes the others with it.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from doorctl.errors import DoorctlError
from doorctl.seal.keys import ControllerFile, read_controller_file
from doorctl.wire.record import ControllerId

SUFFIX: Final = ".toml"
_log: Final = logging.getLogger(__name__)


class ControllersFolder:
    """All trusted controllers as a mapping that is replaced, never changed, so that any thread may hold one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, int, int]] | None = None
        self.trusted: Mapping[ControllerId, ControllerFile] = {}

    def refresh(self) -> bool:
        """Look at the folder; whether anything there has changed since the last look."""
        seen = _listing(self._folder)
        if seen == self._seen:
            return False
        self._seen = seen
        files = (_read(self._folder / name) for name in sorted(seen))
        self.trusted = {file.controller: file for file in files if file is not None}
        return True


def controller_path(folder: Path, controller: ControllerId) -> Path:
    """Where a trusted controller's file lies."""
    return folder / f"{controller.hex()}{SUFFIX}"


def _listing(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Name → (inode, size, time of change); a missing folder is an empty one."""
    found: dict[str, tuple[int, int, int]] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
                    status = entry.stat()
                    found[entry.name] = (status.st_ino, status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        return {}
    return found


def _read(path: Path) -> ControllerFile | None:
    try:
        return read_controller_file(path)
    except DoorctlError as error:
        _log.error("controller not trusted: %s", error)
        return None
