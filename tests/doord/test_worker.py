"""The one thread a worker has: calls in order, errors handed on, and how long the call in hand has taken."""

import asyncio
import os
import threading
import time

import pytest

from doorctl.core.types import SECOND, Monotonic
from doorctl.doord.pulse import STILL, Verdict
from doorctl.doord.worker import WorkerThread, thread_state


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


def test_the_watchdog_sees_whether_a_call_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the kernel says of the thread: here nothing, so that time is the test's."""
    monkeypatch.setattr("doorctl.doord.worker.thread_state", lambda _: ("S", 7, 0))

    async def story() -> list[Verdict]:
        worker, begun, end = WorkerThread("journal"), threading.Event(), threading.Event()

        def stuck() -> None:
            begun.set()
            end.wait(60)

        found = [worker.look(Monotonic(0)), worker.look(Monotonic(9 * STILL))]
        call = asyncio.ensure_future(worker.call(stuck))
        behind = asyncio.ensure_future(worker.call(int))
        await asyncio.to_thread(begun.wait, 60)
        found += [worker.look(Monotonic(10 * STILL)), worker.look(Monotonic(11 * STILL))]
        behind.cancel()
        with pytest.raises(asyncio.CancelledError):
            await behind
        end.set()
        await call
        found.append(worker.look(Monotonic(20 * STILL)))
        worker.stop()
        return found

    assert asyncio.run(story()) == [Verdict.WELL, Verdict.WELL, Verdict.WELL, Verdict.STUCK, Verdict.WELL]


def test_what_the_kernel_says_of_a_thread() -> None:
    entered, end, seen = threading.Event(), threading.Event(), []

    def waiting() -> None:
        seen.append(threading.get_native_id())
        entered.set()
        end.wait(60)

    thread = threading.Thread(target=waiting)
    thread.start()
    assert entered.wait(60)
    while thread_state(seen[0])[0] != "S":
        pass
    before = thread_state(seen[0])
    assert thread_state(seen[0]) == before
    end.set()
    thread.join()
    while thread_state(seen[0])[0]:  # the kernel forgets it a moment later
        pass
    assert thread_state(seen[0]) == ("", 0, 0)
    own = threading.get_native_id()
    state, moved, worked = thread_state(own)
    while thread_state(own)[1] == moved:
        pass
    assert state == "R"
    while thread_state(own)[2] == worked:
        pass
    assert thread_state(own)[2] - worked >= SECOND // os.sysconf("SC_CLK_TCK")
    assert abs(thread_state(own)[2] - time.thread_time_ns()) < 2 * SECOND, "processor time, in nanoseconds"
