"""Stands in for lgpio on a machine without pins: one chip with a Raspberry Pi's label, and hands at its wires.

What is written to the FIFO /run/hands is done: a line `PIN0 PIN1 BITS` shows a card to the reader at
these two lines, pulse by pulse with the times that a reader keeps; `PIN LEVEL` opens or closes a switch.
"""

import os
import struct
import threading
import time
from pathlib import Path

import hal.lgpio_chip

_CHIPS = Path("/run/doorctl-gpio/dev")
_HANDS = Path("/run/hands")
_LABEL = "pinctrl-bcm2711"
_PULSE_NS, _APART_NS = 50_000, 2_000_000

SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128
RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3
FAKE = True


class error(Exception):  # noqa: N801, N818  lgpio's name
    """Never raised here."""


_modes: dict[int, int] = {}
_levels: dict[int, int] = {}
_alerts: dict[int, tuple[int, int]] = {}
_pipes: dict[int, int] = {}


def gpiochip_open(chip: int) -> int:
    return chip


def gpiochip_close(handle: int) -> int:
    return 0


def gpio_get_chip_info(handle: int) -> list[int | str]:
    return [0, 54, f"gpiochip{handle}", _LABEL]


def gpio_claim_input(handle: int, gpio: int, flags: int = 0) -> int:
    _alerts.pop(gpio, None)
    _modes[gpio], _levels[gpio] = flags, int(bool(flags & SET_PULL_UP))
    return 0


def gpio_claim_output(handle: int, gpio: int, level: int = 0, flags: int = 0) -> int:
    _modes[gpio], _levels[gpio] = 2, level
    return 0


def gpio_claim_alert(handle: int, gpio: int, edges: int, flags: int = 0, notify_handle: int = -1) -> int:
    _alerts[gpio] = (edges, notify_handle)
    return 0


def gpio_free(handle: int, gpio: int) -> int:
    _alerts.pop(gpio, None)
    return 0


def gpio_get_mode(handle: int, gpio: int) -> int:
    return _modes.get(gpio, 0)


def gpio_read(handle: int, gpio: int) -> int:
    return _levels.get(gpio, 0)


def gpio_write(handle: int, gpio: int, level: int) -> int:
    _levels[gpio] = int(level)
    return 0


def notify_open() -> int:
    handle = len(_pipes)
    os.mkfifo(f".lgd-nfy{handle}")
    _pipes[handle] = os.open(f".lgd-nfy{handle}", os.O_RDWR | os.O_NONBLOCK)
    return handle


def notify_close(handle: int) -> int:
    os.close(_pipes.pop(handle))
    Path(f".lgd-nfy{handle}").unlink()
    return 0


def _change(gpio: int, level: int, at: int) -> None:
    _levels[gpio] = level
    edges, handle = _alerts.get(gpio, (0, -1))
    if edges & (RISING_EDGE if level else FALLING_EDGE):
        os.write(_pipes[handle], struct.pack("QBBBBI", at, 0, gpio, level, 0, 0))


def _hands() -> None:
    with _HANDS.open() as lines:
        for line in lines:
            match line.split():
                case [pin, level]:
                    _change(int(pin), int(level), time.monotonic_ns())
                case [zero, one, bits]:
                    _show(int(zero), int(one), bits)


def _show(zero: int, one: int, bits: str) -> None:
    at = time.monotonic_ns()
    for bit in bits:
        pin = one if bit == "1" else zero
        _change(pin, 0, at)
        _change(pin, 1, at + _PULSE_NS)
        at += _APART_NS
        while time.monotonic_ns() < at:
            time.sleep(0.0005)


for path in Path().glob(".lgd-nfy*"):
    path.unlink()  # of a process that was killed
_CHIPS.mkdir(parents=True, exist_ok=True)
_CHIPS.joinpath("gpiochip0").touch()
hal.lgpio_chip.DEVICES = _CHIPS
_keeper = os.open(_HANDS, os.O_RDWR)
threading.Thread(target=_hands, name="hands", daemon=True).start()
