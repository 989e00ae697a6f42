"""When answers leave: on a fixed 50 ms grid, after the commit, whatever the answer says.

At each tick the last batch's answers leave together and the next batch is taken. A batch that takes longer than a tick
delays the answers to a later tick, never to a time between ticks. Fresh records are taken before backlog.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from doorctl.core.types import MS, Duration, Monotonic
from doorctl.wire.http import Request, Route

TICK: Final = Duration(50 * MS)
"""Design, "The promise": receipts leave on a fixed tick, before anybody has looked at what a token means."""
_BATCHES: Final = 2
"""Backlog requests at once. Measured on two busy cores: 64 records take 50 ms, so a fresh one waits 100 ms at worst."""
_FRESH: Final = 64

Waiting = tuple[Sequence[bytes], "asyncio.Future[list[bytes]]"]
"""A request's records and where its receipts go."""


def next_tick(now: Monotonic) -> Monotonic:
    """The first instant of the grid after `now`."""
    return Monotonic((now // TICK + 1) * TICK)


class Queue:
    """What came and is not answered yet: one request a connection, so the number of connections bounds it."""

    def __init__(self) -> None:
        self._fresh: deque[Waiting] = deque()
        self._backlog: deque[Waiting] = deque()
        self._arrived = asyncio.Event()

    def put(self, request: Request) -> asyncio.Future[list[bytes]]:
        """The receipts, once they may leave."""
        waiting = (request.untrusted_records, asyncio.get_running_loop().create_future())
        (self._fresh if request.route is Route.RECORD else self._backlog).append(waiting)
        self._arrived.set()
        return waiting[1]

    async def arrival(self) -> None:
        """Returns when something waits."""
        await self._arrived.wait()

    def take(self) -> list[Waiting]:
        """One tick's work: all fresh records up to a bound, then a little backlog."""
        taken = [self._fresh.popleft() for _ in range(min(len(self._fresh), _FRESH))]
        taken += [self._backlog.popleft() for _ in range(min(len(self._backlog), _BATCHES))]
        if not self._fresh and not self._backlog:
            self._arrived.clear()
        return taken


class Pace:
    """The loop that ties queue, work and grid together."""

    def __init__(
        self,
        queue: Queue,
        work: Callable[[Sequence[Sequence[bytes]]], Awaitable[list[list[bytes]]]],
        *,
        clock: Callable[[], Monotonic],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._queue = queue
        self._work = work
        self._clock = clock
        self._sleep = sleep

    async def run(self) -> None:
        """For ever; an exception of the work is the process's end."""
        while True:
            await self._queue.arrival()
            await self._until_tick()
            while taken := self._queue.take():
                answers = await self._work([records for records, _ in taken])
                await self._until_tick()
                for (_, answered), receipts in zip(taken, answers, strict=True):
                    if not answered.done():
                        answered.set_result(receipts)

    async def _until_tick(self) -> None:
        now = self._clock()
        target = next_tick(now)
        while now < target:
            await self._sleep((target - now) / 1e9)
            now = self._clock()
