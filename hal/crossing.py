"""From any thread to the event loop: a bounded queue that wakes the loop once a batch.

A GPIO callback may do exactly two things here, append and wake; neither blocks nor raises. What does not fit is
dropped and counted, so that a flood costs memory nothing and nobody mistakes a gap for silence.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Crossing(Generic[T]):
    """`put` on any thread; `attach`, `take` and `detach` on the loop's. Order is kept for each thread."""

    def __init__(self, limit: int) -> None:
        self._queue: deque[T] = deque()
        self._limit = limit
        self._woken = False
        self._wake: Callable[[], None] | None = None
        self.dropped = 0
        """Items that did not fit, ever."""

    def attach(self, drain: Callable[[], None]) -> None:
        """From now on `drain` is called on the running loop after the first `put` of a batch."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(drain)
            except RuntimeError:
                # The loop closed between the interrupt and here. Nobody is left to tell, and the strike was
                # secured when its port closed.
                self._wake = None

        self._wake = wake
        if self._queue:
            self.notify()

    def put(self, item: T) -> None:
        """Append and wake; any thread."""
        if len(self._queue) >= self._limit:
            self.dropped += 1
            return
        self._queue.append(item)
        self.notify()

    def notify(self) -> None:
        """Wake the loop without an item; any thread."""
        # Appended before the flag is read here, cleared before the queue is read in `take`: no item is overlooked.
        if not self._woken and self._wake is not None:
            self._woken = True
            self._wake()

    def take(self, most: int) -> list[T]:
        """Up to `most` items, oldest first; the next `put` wakes the loop again."""
        self._woken = False
        queue = self._queue
        taken: list[T] = []
        while queue and len(taken) < most:
            taken.append(queue.popleft())
        return taken

    def clear(self) -> None:
        """Forget what waits."""
        self._queue.clear()

    def detach(self) -> None:
        """Wake nobody any more; what waits is forgotten."""
        self._wake = None
        self._woken = False
        self._queue.clear()

    def __len__(self) -> int:
        return len(self._queue)
