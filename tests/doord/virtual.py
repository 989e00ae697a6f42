"""Virtual time for a whole door daemon: a loop that jumps from timer to timer, and threads that are only a queue each.

Sockets and files are real, so nothing waits that is not ready; what takes time takes as much as a test says. Two runs
of the same events give the same times to the nanosecond.
"""

import asyncio
import os
import resource
import selectors
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

import pytest

from doorctl.core.types import MS, SECOND, Duration, Monotonic, WallTime
from doorctl.doord import assembly, clock, lookup, operations, recorder
from doorctl.wire.sizes import EPOCH_SIZE
from hal import events
from hal.board import open_board

BEGIN: Final = 1_000 * SECOND
WEDNESDAY: Final = WallTime(round(datetime(2027, 3, 10, 10, 0, tzinfo=UTC).timestamp()) * SECOND)
"""A working day at ten in the morning; Lisbon has UTC then."""
COSTS: Final = {"journal": 3 * MS, "roster": 1 * MS, "stretch": 40 * MS, "digest": 2 * MS, "configuration": 60 * MS}
"""What one call takes, by the name of its thread."""
STRETCH: Final = Duration(40 * MS)
"""What the calibration at start measures."""


class _Impatient(selectors.DefaultSelector):
    """Waiting costs no time; it is only written down."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        assert timeout is not None, "everything waits, and for nothing"
        self.now += round(timeout * SECOND)
        return ready


class _Thread:
    """A worker's thread: calls in order, each done at the end of the time it takes."""

    def __init__(self, cost: int) -> None:
        self.cost = cost
        self.free_at = 0
        self.stalled_until = 0
        self.next_takes = 0
        self.calls = 0
        self.disk_takes_nothing = False
        """Whatever the call writes to any file fails, as on a disk without room."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time begins at BEGIN; `threads` has what became of each worker."""

    def __init__(self, wall: WallTime = WEDNESDAY) -> None:
        self._impatient = _Impatient()
        self.wall_at_begin = wall
        self.threads = {name: _Thread(cost) for name, cost in COSTS.items()}
        super().__init__(self._impatient)

    def time(self) -> float:
        return self._impatient.now / SECOND

    @property
    def now(self) -> Monotonic:
        return Monotonic(self._impatient.now)

    @property
    def wall(self) -> WallTime:
        return WallTime(self.wall_at_begin + self._impatient.now - BEGIN)

    def set_wall(self, wall: int) -> None:
        """Somebody sets the clock on the wall."""
        self.wall_at_begin = WallTime(wall - (self._impatient.now - BEGIN))

    def stall(self, thread: str, duration: int) -> None:
        """Calls of this thread that are made from now on are not done before it is over."""
        self.threads[thread].stalled_until = self._impatient.now + duration

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # it is awaited only
        assert executor is not None
        thread = self.threads[executor._thread_name_prefix]  # type: ignore[attr-defined]  # its name in production
        thread.calls += 1
        begin = max(self._impatient.now, thread.free_at, thread.stalled_until)
        cost, thread.next_takes = max(thread.cost, thread.next_takes), 0
        thread.free_at = begin + cost
        future: asyncio.Future[Any] = self.create_future()
        self.call_at(thread.free_at / SECOND, self._do, thread, future, partial(func, *args))
        return future

    @staticmethod
    def _do(thread: _Thread, future: asyncio.Future[Any], call: Callable[[], Any]) -> None:
        try:
            with _no_writing() if thread.disk_takes_nothing else nullcontext():
                result = call()
        except Exception as error:  # noqa: BLE001  a thread hands on whatever it was
            if not future.cancelled():
                future.set_exception(error)
        else:
            if not future.cancelled():
                future.set_result(result)


@contextmanager
def _no_writing() -> Iterator[None]:
    """Python ignores SIGXFSZ, so a write beyond the limit is an error of the call."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def virtual_time(wall: WallTime = WEDNESDAY, *, epochs: Iterator[bytes] | None = None) -> Iterator[VirtualLoop]:
    """A loop, and doord's clocks in it; `epochs` in place of random ones makes two runs alike."""
    loop = VirtualLoop(wall)
    asyncio.set_event_loop(loop)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "monotonic", lambda: loop.now)
        patch.setattr(clock, "wall", lambda: loop.wall)
        patch.setattr(assembly, "open_board", partial(open_board, clock=lambda: events.Monotonic(loop.now)))
        patch.setattr(lookup, "measure", lambda _: STRETCH)
        if epochs is not None:
            patch.setattr(recorder, "os", SimpleNamespace(urandom=_epochs_first(epochs)))
            patch.setattr(operations, "os", SimpleNamespace(urandom=bytes))  # the number of a path test
        try:
            yield loop
        finally:
            _finish(loop)


def _epochs_first(epochs: Iterator[bytes]) -> Callable[[int], bytes]:
    """recorder draws epochs of 8 bytes and filler of 16; only the former are given."""
    return lambda size: next(epochs) if size == EPOCH_SIZE else os.urandom(size)


def _finish(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    asyncio.set_event_loop(None)
    loop.close()
