"""The Wiegand source on libgpiod: both data lines of a reader in one request of the kernel's gpio interface, version 2.

Better than pins where it is there: the kernel keeps 1,024 edges instead of 16 a line and numbers them, so a loss is
seen, and the descriptor is read on the loop itself, without a thread or a poll in between. One request a reader, not
one a chip: a reader that is flooded fills its own buffer and no other's. gpiod is imported when a board is opened.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any, Final

from hal.chip import Chip
from hal.errors import DeviceGoneError
from hal.events import Monotonic
from hal.wiegand.arming import Line
from hal.wiegand.source import D0, D1, QUEUE, Edge

BUFFER: Final = 1024
"""Edges that the kernel keeps for a reader: 200 ms of the fastest legal one."""
BATCH: Final = 64
"""Edges of one read; the binding makes an object of each."""
SLACK_NS: Final = 200_000
"""The interrupt stamps an edge, a kernel thread of real-time priority files it: what is younger may be in between."""


def find_gpiod() -> ModuleType | None:
    """The library, where it is installed and of version 2; version 1 has the same name and another interface."""
    try:
        import gpiod  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return gpiod if hasattr(gpiod, "LineSettings") else None


class GpiodEdgeSource:
    """Two lines of one chip by their numbers. Loop's thread only; it has no callback on any other."""

    def __init__(
        self, gpiod: ModuleType, chip: Chip, *, device: str, name: str, lines: tuple[int, int], queue: int = QUEUE
    ) -> None:
        self._gpiod = gpiod
        self._chip = chip
        self._device = device
        self._lines = lines
        self._what = f"reader {name}"
        self._consumer = f"doorctl {name}"
        self._room = queue
        self._waiting: deque[Edge] = deque()
        self._numbers: dict[int, int] = {}
        """The last edge's number, by line."""
        self._lost = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._descriptor = -1
        """Watched by the loop."""
        self._wake: Callable[[], None] | None = None
        self._request: Any = None
        with chip.edge_of_library(self._what, opening=True):
            self._claim()

    def start(self, wake: Callable[[], None]) -> None:
        """Listen on the running loop; `wake` is called while edges wait in the kernel."""
        self._wake = wake
        self.pause()  # what was filed since the claim is old
        self.resume()

    def pause(self) -> None:
        """Give the lines back and forget what waits."""
        with self._chip.edge_of_library(self._what):
            self._release()

    def resume(self) -> None:
        """Ask for the lines again."""
        with self._chip.edge_of_library(self._what):
            self._claim()
        if self._wake is not None:
            self._loop = asyncio.get_running_loop()
            self._descriptor = self._request.fd
            self._loop.add_reader(self._descriptor, self._wake)

    def complete_until(self, now: Monotonic) -> Monotonic | None:
        """Read the kernel's buffer until it is empty. None: it fills faster than this turn may take."""
        with self._chip.edge_of_library(self._what):
            empty = self._drain()
        return Monotonic(now - SLACK_NS) if empty else None

    def take(self, most: int) -> list[Edge]:
        """Up to so many edges; fewer means that was all."""
        waiting = self._waiting
        return [waiting.popleft() for _ in range(min(most, len(waiting)))]

    def lost(self) -> int:
        """Edges that found no room, here or in the kernel."""
        return self._lost

    def failures(self) -> int:
        """None: there is no callback."""
        return 0

    def high(self, line: Line) -> bool:
        """The line's level now."""
        with self._chip.edge_of_library(self._what):
            return bool(self._request.get_value(self._lines[line]) is self._gpiod.line.Value.ACTIVE)

    def close(self) -> None:
        """Give the lines back; idempotent."""
        self._wake = None
        with self._chip.edge_of_library(self._what):
            self._release()

    def _claim(self) -> None:
        line = self._gpiod.line
        settings = self._gpiod.LineSettings(
            direction=line.Direction.INPUT,
            edge_detection=line.Edge.FALLING,  # never both: the level after a 50 µs pulse is high again
            bias=line.Bias.PULL_UP,
            debounce_period=timedelta(0),  # it would erase such a pulse
            event_clock=line.Clock.MONOTONIC,
        )
        with self._gpiod.Chip(self._device) as chip:
            self._request = chip.request_lines(
                {self._lines: settings}, consumer=self._consumer, event_buffer_size=BUFFER
            )
        self._numbers = dict.fromkeys(self._lines, 0)

    def _release(self) -> None:
        self._waiting.clear()
        if self._loop is not None:
            self._loop.remove_reader(self._descriptor)
            self._loop = None
        request, self._request = self._request, None
        if request is not None:
            request.release()

    def _drain(self) -> bool:
        """Whether the kernel's buffer was empty in the end."""
        request = self._request
        if request is None:
            raise DeviceGoneError(f"{self._what}: its lines are given back")
        drained: list[Any] = []
        empty = False
        while not empty and len(drained) < BUFFER:
            empty = not request.wait_edge_events(0)
            if not empty:
                drained += request.read_edge_events(BATCH)
        # Each line's edges are filed by a thread of their own; only this number has them in the interrupts' order.
        drained.sort(key=_order)
        for edge in drained:
            self._file(edge)
        return empty

    def _file(self, edge: Any) -> None:
        """Check its number, keep it where there is room."""
        offset = edge.line_offset
        self._lost += max(edge.line_seqno - self._numbers[offset] - 1, 0)
        self._numbers[offset] = edge.line_seqno
        if len(self._waiting) >= self._room:
            self._lost += 1
            return
        line = D0 if offset == self._lines[D0] else D1
        self._waiting.append((line, Monotonic(edge.timestamp_ns)))


def _order(edge: Any) -> int:
    return int(edge.global_seqno)
