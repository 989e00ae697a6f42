"""A stand-in for the lgpio library: real FIFOs and a real kernel pipe, made-up chips. gpiozero's own pins run on it."""

import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from gpiozero.pins.local import LocalPiFactory


class FakeLgpioError(Exception):
    """lgpio.error"""


class FakeLgpio(ModuleType):
    """What gpiozero and hal.lgpio_chip call, with the names and numbers of lgpio 0.2.2."""

    error = FakeLgpioError
    SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128
    RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3

    def __init__(self, folder: Path, labels: dict[int, str]) -> None:
        super().__init__("lgpio")
        self._folder = folder
        self.chips = labels
        self._open: dict[int, int] = {}
        self._pipes: dict[int, int] = {}
        self.levels: dict[int, int] = {}
        self.modes: dict[int, int] = {}
        self.alerts: dict[int, tuple[int, int]] = {}
        self.log: list[tuple[str, int, int]] = []
        self.gone = False

    def gpiochip_open(self, chip: int) -> int:
        if chip not in self.chips:
            raise self.error("can not open gpiochip")
        handle = len(self._open)
        self._open[handle] = chip
        return handle

    def gpiochip_close(self, handle: int) -> int:
        return 0

    def gpio_get_chip_info(self, handle: int) -> list[int | str]:
        chip = self._open[handle]
        return [0, 54, f"gpiochip{chip}", self.chips[chip]]

    def gpio_claim_input(self, handle: int, gpio: int, flags: int = 0) -> int:
        self._touch()
        self.alerts.pop(gpio, None)
        self.modes[gpio] = flags
        self.levels[gpio] = int(bool(flags & self.SET_PULL_UP))
        self.log.append(("input", gpio, flags))
        return 0

    def gpio_claim_output(self, handle: int, gpio: int, level: int = 0, flags: int = 0) -> int:
        self._touch()
        self.modes[gpio] = 2
        self.levels[gpio] = level
        self.log.append(("output", gpio, level))
        return 0

    def gpio_claim_alert(self, handle: int, gpio: int, edges: int, flags: int = 0, notify_handle: int = -1) -> int:
        self._touch()
        self.alerts[gpio] = (edges, notify_handle)
        self.log.append(("alert", gpio, edges))
        return 0

    def gpio_free(self, handle: int, gpio: int) -> int:
        self.alerts.pop(gpio, None)
        return 0

    def gpio_get_mode(self, handle: int, gpio: int) -> int:
        self._touch()
        return self.modes[gpio]

    def gpio_read(self, handle: int, gpio: int) -> int:
        self._touch()
        return self.levels[gpio]

    def gpio_write(self, handle: int, gpio: int, level: int) -> int:
        self._touch()
        self.levels[gpio] = int(level)
        self.log.append(("write", gpio, int(level)))
        return 0

    def notify_open(self) -> int:
        handle = len(self._pipes)
        path = self._folder / f".lgd-nfy{handle}"
        os.mkfifo(path)
        self._pipes[handle] = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        return handle

    def notify_close(self, handle: int) -> int:
        os.close(self._pipes.pop(handle))
        (self._folder / f".lgd-nfy{handle}").unlink()
        return 0

    def report(self, gpio: int, level: int, at: int, *, flags: int = 0) -> None:
        """What the C library writes when a line changed."""
        if level < 2:
            self.levels[gpio] = level
        if gpio in self.alerts:
            edges, handle = self.alerts[gpio]
            if level == 2 or edges & (self.RISING_EDGE if level else self.FALLING_EDGE):
                os.write(self._pipes[handle], struct.pack("QBBBBI", at, 0, gpio, level, flags, 0))

    def write_raw(self, data: bytes) -> int:
        return os.write(self._pipes[0], data)

    def end_pipe(self, handle: int = 0) -> None:
        """The library let go of its end."""
        os.close(self._pipes.pop(handle))

    def reopen_pipe(self, handle: int = 0) -> None:
        self._pipes[handle] = os.open(self._folder / f".lgd-nfy{handle}", os.O_RDWR | os.O_NONBLOCK)

    def _touch(self) -> None:
        if self.gone:
            raise self.error("no such device")


@contextmanager
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    """The stand-in in place of lgpio, with two chips and an empty gpiozero."""
    fake = FakeLgpio(folder, {0: "some power key", 3: "board-pins"})
    monkeypatch.setitem(sys.modules, "lgpio", fake)
    monkeypatch.setitem(sys.modules, "gpiod", None)  # where it is installed, it would be asked for real lines
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("hal.lgpio_chip.DEVICES", folder)
    for number in fake.chips:
        (folder / f"gpiochip{number}").touch()
    try:
        yield fake
    finally:
        sys.modules.pop("gpiozero.pins.lgpio", None)
        LocalPiFactory.pins.clear()
