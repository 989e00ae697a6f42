"""The grid on which answers leave, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from doorctl.core.types import MS, Monotonic
from doorctl.monitord.ingest.tick import TICK, Pace, Queue, next_tick
from doorctl.wire.http import Request, Route


class Clock:
    """Time that moves only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 1_000_000 * MS + 7

    def monotonic(self) -> Monotonic:
        return Monotonic(self.now)

    async def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)
        for _ in range(5):
            await asyncio.sleep(0)


def request(name: bytes, route: Route = Route.RECORD) -> Request:
    return Request(route=route, untrusted_records=(name,))


async def _run(
    work: Callable[[Clock, Sequence[Sequence[bytes]]], Awaitable[None]], waves: Sequence[Sequence[Request]]
) -> list[tuple[bytes, int]]:
    """(record, when its answer left) for requests that come wave by wave."""
    clock, queue = Clock(), Queue()
    left: list[tuple[bytes, int]] = []

    async def worker(requests: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
        await work(clock, requests)
        return [list(records) for records in requests]

    pace = asyncio.ensure_future(Pace(queue, worker, clock=clock.monotonic, sleep=clock.sleep).run())
    for wave in waves:
        answers = [queue.put(one) for one in wave]
        for answer in answers:
            answer.add_done_callback(lambda done: left.append((done.result()[0], clock.now)))
        await asyncio.gather(*answers)
        clock.now += 13 * MS
    pace.cancel()
    await asyncio.gather(pace, return_exceptions=True)
    return left


async def _quick(clock: Clock, _requests: Sequence[Sequence[bytes]]) -> None:
    clock.now += 3 * MS


async def _slow(clock: Clock, requests: Sequence[Sequence[bytes]]) -> None:
    clock.now += 120 * MS if requests[0][0] == b"slow" else 1 * MS


def test_the_next_tick_is_always_later() -> None:
    ticks = [next_tick(Monotonic(now)) for now in (0, TICK - 1, TICK, TICK + 1)]
    assert ticks == [Monotonic(TICK), Monotonic(TICK), Monotonic(2 * TICK), Monotonic(2 * TICK)]


def test_every_answer_leaves_on_the_grid_one_tick_after_its_work_began() -> None:
    left = asyncio.run(_run(_quick, [[request(b"a"), request(b"b")], [request(b"c")]]))
    assert [name for name, _ in left] == [b"a", b"b", b"c"]
    assert [when % TICK for _, when in left] == [0, 0, 0]
    assert left[0][1] == left[1][1]


def test_work_longer_than_a_tick_delays_to_a_later_tick() -> None:
    left = asyncio.run(_run(_slow, [[request(b"quick")], [request(b"slow")]]))
    assert [when % TICK for _, when in left] == [0, 0]
    assert left[1][1] - left[0][1] >= 3 * TICK


def test_fresh_records_go_before_backlog_and_backlog_is_bounded() -> None:
    async def scenario() -> list[list[bytes]]:
        queue = Queue()
        for n in range(5):
            queue.put(request(b"backlog %d" % n, Route.RECORDS))
        for n in range(3):
            queue.put(request(b"fresh %d" % n))
        taken = []
        while batch := queue.take():
            taken.append([records[0] for records, _ in batch])
        return taken

    assert asyncio.run(scenario()) == [
        [b"fresh 0", b"fresh 1", b"fresh 2", b"backlog 0", b"backlog 1"],
        [b"backlog 2", b"backlog 3"],
        [b"backlog 4"],
    ]


def test_a_caller_that_went_away_disturbs_nobody() -> None:
    async def scenario() -> list[bytes]:
        clock, queue = Clock(), Queue()

        async def worker(requests: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
            return [list(records) for records in requests]

        pace = asyncio.ensure_future(Pace(queue, worker, clock=clock.monotonic, sleep=clock.sleep).run())
        gone, here = queue.put(request(b"gone")), queue.put(request(b"here"))
        gone.cancel()
        answer = await here
        pace.cancel()
        await asyncio.gather(pace, return_exceptions=True)
        return answer

    assert asyncio.run(scenario()) == [b"here"]
