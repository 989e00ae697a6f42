"""An event loop whose time passes only when nothing is left to do, and a mock board that lives in it."""

import asyncio
import selectors
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hal.board import Board, open_board
from hal.events import CardBits, Monotonic, ReaderEvent

T = TypeVar("T")
MS = 1_000_000
SECOND = 1_000_000_000
BEGIN = 1_000 * SECOND


class _Impatient(selectors.DefaultSelector):
    """Waiting costs no time; it is only written down."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN / SECOND

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout is None:
            return ready or super().select(timeout)
        self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time begins at BEGIN and jumps from timer to timer."""

    def __init__(self) -> None:
        self._impatient = _Impatient()
        super().__init__(self._impatient)

    def time(self) -> float:
        return self._impatient.now

    def clock(self) -> Monotonic:
        return Monotonic(round(self._impatient.now * SECOND))

    def stall(self, seconds: float) -> None:
        """Called on the loop: its thread did something else for so long."""
        self._impatient.now += seconds


def run(main: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


@contextmanager
def mock_board(loop: VirtualLoop) -> Iterator[Board]:
    board = open_board("mock", clock=loop.clock)
    try:
        yield board
    finally:
        board.close()


def frame(pins: tuple[str, str], bits: str, begin: int, interval: int = MS) -> list[tuple[str, Monotonic]]:
    return [(pins[int(bit)], Monotonic(begin + place * interval)) for place, bit in enumerate(bits)]


def cards(events: list[ReaderEvent]) -> list[tuple[str, int, int]]:
    return [(event.reader, event.length, event.raw) for event in events if isinstance(event, CardBits)]
