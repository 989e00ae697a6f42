"""A named thread that does blocking work in order: one for journal.db, one for look-ups and Argon2id.

The event loop hands it calls and never waits for a disk itself.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, Protocol, TypeVar

from doorctl.core.types import Monotonic
from doorctl.doord import clock

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Spawn(Protocol):
    """Starts a supervised task: what it raises ends the process."""

    def __call__(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """The task, already scheduled."""
        ...


class WorkerThread:
    """A named thread with a queue of calls, done in order; knows how long the call in hand has taken."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._since: Monotonic | None = None

    async def call(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What `function` returns or raises, done after everything that was asked before."""

        def timed() -> _T:
            self._since = clock.monotonic()
            try:
                return function(*args, **kwargs)
            finally:
                self._since = None

        return await asyncio.get_running_loop().run_in_executor(self._executor, timed)

    def busy_for(self, now: Monotonic) -> int:
        """Nanoseconds that the call in hand has taken so far; 0 when idle. The watchdog asks."""
        since = self._since
        return 0 if since is None else now - since

    def stop(self) -> None:
        """Let the call in hand finish and take no more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
