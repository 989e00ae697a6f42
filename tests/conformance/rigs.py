"""Boards to run the HAL's contract on. Another backend, metal included, is one more rig.

A rig drives the wires of a board from outside and says what its outputs do. Metal needs two pins wired together for
each; what a rig cannot do it says by raising `pytest.skip` with the reason.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from hal.board import Board, open_board
from hal.events import Monotonic
from tests.hal import fake_gpiod
from tests.hal.fake_gpiod import FakeGpiod
from tests.hal.fake_lgpio import FakeLgpio, installed
from tests.hal.virtual import VirtualLoop
from tests.hal.waiting import wait_for


class Rig(Protocol):
    """A board and the world around it."""

    board: Board
    loop: VirtualLoop

    def drive(self, gpio: int, level: int, at: int) -> None:
        """The wire takes this level at that moment, and every callback for it has returned."""
        ...

    def drive_unseen(self, gpio: int, level: int) -> None:
        """The wire takes this level, and the edge is lost on its way."""
        ...

    def output(self, gpio: int) -> int | None:
        """The level a pin is driven to; None: nobody drives it."""
        ...

    def levels(self, gpio: int) -> list[int | None]:
        """The levels the pin took as an output one after another, None where it was given back."""
        ...

    def vanish(self, *, gone: bool) -> None:
        """The chip is unplugged, or back."""
        ...


class MockRig:
    """The mock backend."""

    def __init__(self, board: Board, loop: VirtualLoop) -> None:
        assert board.mock is not None
        self.board, self.loop, self.chip = board, loop, board.mock

    def drive(self, gpio: int, level: int, at: int) -> None:
        self.chip.line(f"GPIO{gpio}").feed(Monotonic(at), level=bool(level))

    def drive_unseen(self, gpio: int, level: int) -> None:
        line = self.chip.line(f"GPIO{gpio}")
        line.faults.drop_edges = 1
        line.feed(self.loop.clock(), level=bool(level))

    def output(self, gpio: int) -> int | None:
        line = self.chip.line(f"GPIO{gpio}")
        return int(line.state) if line.function == "output" else None

    def levels(self, gpio: int) -> list[int | None]:
        changes = [change.level for change in self.chip.history if change.pin == f"GPIO{gpio}"]
        return _changes([None if level is None else int(level) for level in changes])

    def vanish(self, *, gone: bool) -> None:
        self.chip.gone = gone


class LgpioRig:
    """The gpiozero backend, its own pins and our notifier's thread, on a stand-in for the lgpio library."""

    def __init__(self, board: Board, loop: VirtualLoop, fake: FakeLgpio) -> None:
        self.board, self.loop, self.fake = board, loop, fake

    def drive(self, gpio: int, level: int, at: int) -> None:
        self.fake.report(gpio, level, at)
        wait_for(lambda: self.board.chip.complete_until(Monotonic(at)) is not None)

    def drive_unseen(self, gpio: int, level: int) -> None:
        self.fake.levels[gpio] = level

    def output(self, gpio: int) -> int | None:
        return self.fake.levels[gpio] if self.fake.modes[gpio] & 2 else None

    def levels(self, gpio: int) -> list[int | None]:
        own = [(what, level) for what, pin, level in self.fake.log if pin == gpio]
        return _changes([None if what == "input" else level for what, level in own[1:]])  # gpiozero claims it first

    def vanish(self, *, gone: bool) -> None:
        self.fake.gone = gone


class GpiodRig(LgpioRig):
    """The gpiozero backend whose readers' lines are read through a stand-in for gpiod."""

    def __init__(self, board: Board, loop: VirtualLoop, fake: FakeLgpio, gpiod: FakeGpiod) -> None:
        super().__init__(board, loop, fake)
        self.gpiod = gpiod

    def drive(self, gpio: int, level: int, at: int) -> None:
        if not self.gpiod.holds(gpio):
            super().drive(gpio, level, at)
            return
        self.gpiod.levels[gpio] = level
        if not level:
            self.gpiod.fell(gpio, at)

    def drive_unseen(self, gpio: int, level: int) -> None:
        super().drive_unseen(gpio, level)
        self.gpiod.levels[gpio] = level

    def vanish(self, *, gone: bool) -> None:
        super().vanish(gone=gone)
        self.gpiod.gone = gone


def _changes(levels: list[int | None]) -> list[int | None]:
    return [level for index, level in enumerate(levels) if index == 0 or level != levels[index - 1]]


@contextmanager
def opened(which: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A rig by name; everything is closed afterwards."""
    loop = VirtualLoop()
    try:
        if which == "mock":
            board = open_board("mock", clock=loop.clock)
            yield MockRig(board, loop)
            board.close()
        else:
            monkeypatch.setattr("hal.lgpio_chip.monotonic_now", loop.clock)
            with installed(folder, monkeypatch) as fake, fake_gpiod.installed(monkeypatch) as gpiod:
                if which != GPIOD:
                    monkeypatch.setitem(sys.modules, "gpiod", None)
                board = open_board("gpiozero", "board-pins")
                yield GpiodRig(board, loop, fake, gpiod) if which == GPIOD else LgpioRig(board, loop, fake)
                board.close()
    finally:
        loop.close()


GPIOD = "gpiozero and gpiod on stand-ins"
RIGS = ("mock", "gpiozero on a stand-in for lgpio", GPIOD)
