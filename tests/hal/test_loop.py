"""The loop of a process with lines: timers to parts of a millisecond, and descriptors as every loop has them."""

import asyncio
import os
import time

from hal.loop import precise_loop

TRIES = 200


def test_a_timer_is_not_rounded_up_to_a_millisecond() -> None:
    """The shortest of many waits: a busy machine makes some longer, and rounding would make each of them 1 ms."""

    async def waits() -> list[float]:
        found = []
        for _ in range(TRIES):
            before = time.monotonic()
            await asyncio.sleep(0.0002)
            found.append(time.monotonic() - before)
        return found

    with asyncio.Runner(loop_factory=precise_loop) as runner:
        assert 0.0002 <= min(runner.run(waits())) < 0.001


def test_a_descriptor_that_is_ready_ends_the_wait() -> None:
    async def story() -> bytes:
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[bytes] = loop.create_future()
        receiving, sending = os.pipe()
        try:
            loop.add_reader(receiving, lambda: heard.set_result(os.read(receiving, 9)))
            loop.call_later(0.01, os.write, sending, b"here")
            async with asyncio.timeout(20):
                return await heard
        finally:
            loop.remove_reader(receiving)
            os.close(receiving)
            os.close(sending)

    with asyncio.Runner(loop_factory=precise_loop) as runner:
        assert runner.run(story()) == b"here"


def test_another_thread_wakes_it() -> None:
    async def story() -> int:
        async with asyncio.timeout(20):
            return await asyncio.to_thread(lambda: 7)

    with asyncio.Runner(loop_factory=precise_loop) as runner:
        assert runner.run(story()) == 7
