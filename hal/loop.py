"""The event loop of a process that keeps time to parts of a millisecond, as a line of many readers needs it.

epoll takes whole milliseconds, and asyncio rounds its timers up to them; select takes microseconds. So the wait is
select's, on epoll's own descriptor, and what is ready is epoll's answer: any number of descriptors, one more call a
round.
"""

import asyncio
import select
import selectors


class PreciseSelector(selectors.EpollSelector):
    """Wakes at the time that was asked for, and not at the next whole millisecond."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As every selector; `timeout` in seconds."""
        if timeout is not None and timeout > 0:
            select.select([self.fileno()], [], [], timeout)
            timeout = 0
        return super().select(timeout)


def precise_loop() -> asyncio.AbstractEventLoop:
    """For asyncio.Runner's loop_factory."""
    return asyncio.SelectorEventLoop(PreciseSelector())
