"""The one thread a worker has: calls in order, errors handed on, and how long the call in hand has taken."""

import asyncio
import threading

import pytest

from doorctl.core.types import Monotonic
from doorctl.doord import clock
from doorctl.doord.worker import WorkerThread


def test_calls_are_done_in_order_in_a_named_thread() -> None:
    async def story() -> list[tuple[int, str]]:
        worker, done = WorkerThread("journal"), []

        def work(number: int) -> int:
            done.append((number, threading.current_thread().name))
            return number

        assert await asyncio.gather(*(worker.call(work, number) for number in range(20))) == list(range(20))
        worker.stop()
        return done

    assert asyncio.run(story()) == [(number, "journal_0") for number in range(20)]


def test_what_a_call_raises_is_raised_and_the_next_is_done() -> None:
    async def story() -> int:
        worker = WorkerThread("journal")
        with pytest.raises(ZeroDivisionError):
            await worker.call(lambda: 1 // 0)
        found: int = await worker.call(int, "7", base=8)
        worker.stop()
        return found

    assert asyncio.run(story()) == 7


def test_the_watchdog_sees_how_long_a_call_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "monotonic", lambda: Monotonic(1000))

    async def story() -> list[int]:
        worker, begun, end = WorkerThread("journal"), threading.Event(), threading.Event()

        def stuck() -> None:
            begun.set()
            end.wait(10)

        found = [worker.busy_for(Monotonic(5000))]
        call = asyncio.ensure_future(worker.call(stuck))
        await asyncio.to_thread(begun.wait, 10)
        found.append(worker.busy_for(Monotonic(5000)))
        end.set()
        await call
        found.append(worker.busy_for(Monotonic(9000)))
        worker.stop()
        return found

    assert asyncio.run(story()) == [0, 4000, 0]
