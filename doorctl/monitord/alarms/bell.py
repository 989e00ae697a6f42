"""Wakes everybody who waits for a change, from any thread; says nothing about what changed."""

import asyncio


class Bell:
    """Made and waited for on one loop; rung from anywhere."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self.stopping = False

    def ring(self) -> None:
        """Something changed; a loop that is gone has nobody left to wake."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def stop(self) -> None:
        """Nobody shall wait any more."""
        self.stopping = True
        self._wake()

    def listen(self) -> asyncio.Event:
        """Take it before looking for changes, then wait for it: a ring in between is not missed."""
        return self._rung

    async def wait(self, rung: asyncio.Event, timeout_s: float) -> bool:
        """Until the first ring since `listen`, or for a while; whether it rang."""
        try:
            async with asyncio.timeout(timeout_s):
                await rung.wait()
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()
