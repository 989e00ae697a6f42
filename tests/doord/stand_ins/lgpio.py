"""Stands in for lgpio between real processes: chips are folders of LGPIO_CHIPS, a line is a file of what it was set to.

A line is held by a lock, as the kernel does: another process cannot have it, and it is free when its holder is dead.
It then keeps its last level, as on the chips on which a killed process is worst.
"""

import fcntl
import os
import struct
import sys
import time
from pathlib import Path
from typing import Final

_CHIPS: Final = Path(os.environ["LGPIO_CHIPS"])
SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128
RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3
_handles: list[Path] = []
_lines: dict[tuple[int, int], int] = {}
_modes: dict[tuple[int, int], int] = {}
_pipes: dict[int, int] = {}


class error(Exception):  # noqa: N801, N818  lgpio's name
    """As lgpio raises it."""


def gpiochip_open(chip: int) -> int:
    path = _CHIPS / f"gpiochip{chip}"
    if not path.is_dir():
        raise error("can not open gpiochip")
    _handles.append(path)
    return len(_handles) - 1


def gpiochip_close(handle: int) -> int:
    for key in [key for key in _lines if key[0] == handle]:
        os.close(_lines.pop(key))
    return 0


def gpio_get_chip_info(handle: int) -> list[int | str]:
    return [0, 54, _handles[handle].name, (_handles[handle] / "label").read_text()]


def _claim(handle: int, gpio: int, mode: int, what: str) -> int:
    if (handle, gpio) not in _lines:
        line = os.open(_handles[handle] / f"{gpio}", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(line)
            raise error("GPIO busy") from None
        _lines[handle, gpio] = line
    _modes[handle, gpio] = mode
    return _say(handle, gpio, what)


def _say(handle: int, gpio: int, what: str) -> int:
    os.write(_lines[handle, gpio], f"{time.monotonic_ns()} {what}\n".encode())
    return 0


def gpio_claim_input(handle: int, gpio: int, flags: int = 0) -> int:
    return _claim(handle, gpio, flags, "input")


def gpio_claim_output(handle: int, gpio: int, level: int = 0, flags: int = 0) -> int:
    return _claim(handle, gpio, 2, str(level))


def gpio_claim_alert(handle: int, gpio: int, edges: int, flags: int = 0, notify_handle: int = -1) -> int:
    return 0


def gpio_free(handle: int, gpio: int) -> int:
    return 0


def gpio_get_mode(handle: int, gpio: int) -> int:
    return _modes.get((handle, gpio), 0)


def gpio_read(handle: int, gpio: int) -> int:
    return int(bool(_modes[handle, gpio] & SET_PULL_UP))


def gpio_write(handle: int, gpio: int, level: int) -> int:
    return _say(handle, gpio, str(int(level)))


def notify_open() -> int:
    handle = len(_pipes)
    path = Path(f".lgd-nfy{handle}")
    path.unlink(missing_ok=True)  # of a process that was killed
    os.mkfifo(path)
    _pipes[handle] = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    return handle


def notify_close(handle: int) -> int:
    if handle in _pipes:
        os.close(_pipes.pop(handle))
    Path(f".lgd-nfy{handle}").unlink()
    return 0


def report(gpio: int) -> None:
    """What the C library writes when a line changed."""
    os.write(max(_pipes.values()), struct.pack("QBBBBI", time.monotonic_ns(), 0, gpio, 0, 0, 0))


def end_pipes() -> None:
    """The library let go of its ends."""
    while _pipes:
        os.close(_pipes.popitem()[1])


if "hal.lgpio_chip" in sys.modules:
    sys.modules["hal.lgpio_chip"].DEVICES = _CHIPS  # type: ignore[attr-defined]  # it is there
