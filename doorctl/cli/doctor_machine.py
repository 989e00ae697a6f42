"""Doctor's checks of the machine itself, the same for a board and a monitor: disk, versions, systemd; and the pins.

The one thing here that touches a disk is the measurement of it: a file without a name, gone when it is closed.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from doorctl.cli.doctor_finding import Finding, Unseen, ok, unseen, warning, wrong
from doorctl.cli.doctor_subject import DOOR_USER, Board, Machine

_MB: Final = 1_000_000
_LEAST_FREE: Final = 64 * _MB
"""Below this a commit may fail at any moment."""
_LEAST_SHARE: Final = 0.03
_LEAST_FILES: Final = 64
_WRITES: Final = 7
_SLOW_MS: Final = 50.0
_TOO_SLOW_MS: Final = 150.0
"""The time after which a door answers without the disk; docs/decisions/storage-bound.md."""
_OLDEST_SQLITE: Final = (3, 37, 0)
"""STRICT tables: sqlite.org/stricttables.html."""
_OLDEST_PYTHON: Final = (3, 11)
_GROUP_MAY: Final = stat.S_IRGRP | stat.S_IWGRP
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?>=([0-9.]+)$")


def disk_room(folder: Path, *, may_grow: int) -> Iterator[Finding]:
    """Whether what is kept there has room; `may_grow`: bytes that it may still become more."""
    found = os.statvfs(folder)
    free, all_ = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    if found.f_files and found.f_favail < _LEAST_FILES:
        yield wrong(f"{folder}: the disk has room for {found.f_favail} more files only", "delete what nobody needs")
    if free < max(_LEAST_FREE, round(_LEAST_SHARE * all_)):
        yield wrong(f"{folder}: the disk is nearly full: {free // _MB:,} MB free", "df; delete what nobody needs")
    elif free < may_grow:
        yield warning(
            f"{folder}: {free // _MB:,} MB free, and it may still grow by {may_grow // _MB:,} MB",
            "make room before records wait for long",
        )
    else:
        yield ok(f"{free // _MB:,} MB free")


def disk_speed(folder: Path, now: Callable[[], float] = time.perf_counter) -> Iterator[Finding]:
    """How long a small write takes until it is on the disk."""
    times = sorted(_writes(folder, now))
    median, slowest = times[len(times) // 2], times[-1]
    words = (
        f"{folder}: a write is on the disk after {median:.1f} ms, the slowest of {len(times)} after {slowest:.1f} ms"
    )
    if median >= _TOO_SLOW_MS:
        yield wrong(words, "doors answer without waiting for this disk: replace it, or find what keeps it busy")
    elif median >= _SLOW_MS or slowest >= _TOO_SLOW_MS:
        yield warning(words, "above 150 ms a door no longer waits for it: find what keeps it busy")
    else:
        yield ok(words)


def _writes(folder: Path, now: Callable[[], float]) -> Iterator[float]:
    try:
        descriptor = os.open(folder, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise Unseen(f"{folder}: no right to write a file there", "run it with sudo") from error
    except OSError as error:
        raise Unseen(f"{folder}: its file system knows no files without a name") from error
    try:
        for number in range(_WRITES):
            begun = now()
            os.pwrite(descriptor, bytes(4096), number * 4096)
            os.fsync(descriptor)
            yield (now() - begun) * 1000
    finally:
        os.close(descriptor)


def versions(_: object) -> Iterator[Finding]:
    """Python, SQLite and every library that doorctl asks for."""
    old = list(_too_old())
    for name, found, least in old:
        yield wrong(f"{name} {found} is older than {least}", "update it: docs/operations.md, Updating")
    if not old:
        yield ok(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, doorctl {version('doorctl')}")


def _too_old() -> Iterator[tuple[str, str, str]]:
    if sys.version_info[:2] < _OLDEST_PYTHON:
        yield "Python", sys.version.split()[0], _dotted(_OLDEST_PYTHON)
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        yield "SQLite", sqlite3.sqlite_version, _dotted(_OLDEST_SQLITE)
    for requirement in requires("doorctl") or ():
        parsed = _REQUIREMENT.fullmatch(requirement.replace(" ", ""))
        if parsed is None:
            continue  # of an extra: what is not installed is not looked for
        name, least = parsed.groups()
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "0 (not installed)"
        if _numbers(found) < _numbers(least):
            yield name, found, least


def _dotted(numbers: Sequence[int]) -> str:
    return ".".join(map(str, numbers))


def _numbers(text: str) -> tuple[int, ...]:
    """`50.0.1` as numbers; what is behind them (`rc1`) does not count."""
    begin = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in begin[0].split(".")) if begin else (0,)


def units(machine: Machine, names: Sequence[str], *, service: bool) -> Iterator[Finding]:
    """Installed, enabled and running, where systemd is."""
    if not service:
        raise Unseen("not installed as a service: this is a folder of its own")
    if not machine.systemd.is_dir() or shutil.which(machine.systemctl[0]) is None:
        raise Unseen("systemd does not run here", "something else must start the daemons, and again when they end")
    for name in names:
        shown = _properties(machine, name)
        if shown.get("LoadState") == "not-found":
            yield wrong(f"{name}: the unit is not installed", "docs/operations.md, Installing")
            continue
        if shown.get("UnitFileState") not in ("enabled", "enabled-runtime", "static"):
            yield wrong(f"{name}: not enabled, so a power cut ends it", f"systemctl enable --now {name}")
        if shown.get("ActiveState") not in ("active", "activating"):
            yield wrong(
                f"{name}: {shown.get('ActiveState', 'unknown')}", f"systemctl start {name}; journalctl -u {name}"
            )


def _properties(machine: Machine, unit: str) -> dict[str, str]:
    command = [*machine.systemctl, "show", "-p", "LoadState,UnitFileState,ActiveState", unit]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unseen("systemctl does not answer") from error
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def pins(board: Board) -> Iterator[Finding]:
    """Whether doord's user may have the gpiochip, and the library for it is there."""
    if board.config.hal.backend.value != "gpiozero":
        raise Unseen("mock hardware: there is no chip")
    if find_spec("lgpio") is None:
        yield wrong("the library lgpio is not installed", "pip install 'doorctl[board]', or python3-lgpio of Debian")
    chips = sorted(board.machine.devices.glob("gpiochip*"))
    if not chips:
        yield wrong(
            f"{board.machine.devices}/gpiochip*: there is none", "is this a board with pins, and its driver loaded"
        )
    for chip in chips:
        yield from _may_use(chip, board)


def _may_use(chip: Path, board: Board) -> Iterator[Finding]:
    if not board.service:
        if not os.access(chip, os.R_OK | os.W_OK):
            yield wrong(f"{chip}: no right to use it", "put yourself into group gpio")
        return
    found = chip.stat()
    uid = board.machine.user_id(DOOR_USER)
    groups = _groups(DOOR_USER)
    if uid is None:
        yield wrong(f"there is no user {DOOR_USER}", "systemd-sysusers makes it: docs/operations.md, Installing")
    elif not (found.st_mode & _GROUP_MAY == _GROUP_MAY and (found.st_gid in groups or _named_gpio(found.st_gid))):
        yield wrong(
            f"{chip}: user {DOOR_USER} may not use it (mode {found.st_mode & 0o777:04o})",
            "install systemd/udev/60-doorctl.rules, then udevadm trigger --subsystem-match=gpio",
        )


def _groups(user: str) -> list[int]:
    import pwd

    with contextlib.suppress(KeyError):
        return os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    return []


def _named_gpio(gid: int) -> bool:
    """The unit adds this group to doord's."""
    import grp

    try:
        return grp.getgrgid(gid).gr_name == "gpio"
    except KeyError:
        return False


def size_of(*files: Path) -> int:
    """Bytes of what is there."""
    return sum(file.stat().st_size for file in files if file.exists())


def nothing_there(folder: Path) -> Finding | None:
    """A folder that is not made yet has no disk to look at."""
    return None if folder.is_dir() else unseen(f"{folder}: there is none yet")
