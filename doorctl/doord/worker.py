"""A named thread that does blocking work in order: one for journal.db, one for look-ups and Argon2id.

The event loop hands it calls and never waits for a disk itself.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, ParamSpec, Protocol, TypeVar

from doorctl.core.types import SECOND, Duration, Monotonic
from doorctl.doord.pulse import Pulse, Sight, Verdict

_P = ParamSpec("_P")
_T = TypeVar("_T")
_STATE: Final = 0
_CPU: Final = slice(11, 13)
"""Fields of proc_pid_stat(5) behind the name: state; utime and stime in ticks."""
_SWITCHES: Final = "ctxt_switches:"
"""Two lines of a thread's status end their name so: it waited, or others had their turn."""
_TICK: Final = SECOND // os.sysconf("SC_CLK_TCK")


class Spawn(Protocol):
    """Starts a supervised task: what it raises ends the process."""

    def __call__(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """The task, already scheduled."""
        ...


class WorkerThread:
    """A named thread with a queue of calls, done in order; tells whether it moves."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._number: int | None = None
        """The kernel's, once it has run."""
        self._open: set[object] = set()
        """Calls that were asked for and are not done."""
        self._steps = 0
        self._pulse = Pulse()

    async def call(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What `function` returns or raises, done after everything that was asked before."""
        one = object()
        begun = False

        def counted() -> _T:
            nonlocal begun
            begun = True
            self._number = threading.get_native_id()
            self._steps += 1
            try:
                return function(*args, **kwargs)
            finally:
                self._steps += 1
                self._open.discard(one)

        self._open.add(one)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, counted)
        except asyncio.CancelledError:
            if not begun:  # nobody will do it any more
                self._open.discard(one)
            raise

    def look(self, now: Monotonic) -> Verdict:
        """How it is; the watchdog asks once a second."""
        asked = bool(self._open)
        unknown = ("?", 0, Duration(0))
        state, moved, worked = thread_state(self._number) if asked and self._number is not None else unknown
        sight = Sight(asked=asked, steps=self._steps, state=state, moved=moved, worked=worked)
        return self._pulse.look(sight, now)

    def stop(self) -> None:
        """Let the call in hand finish and take no more."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def thread_state(number: int) -> tuple[str, int, Duration]:
    """Of a thread of ours: the kernel's letter, empty where it is gone; what grows as it moves; its processor time."""
    try:
        folder = Path(f"/proc/self/task/{number}")
        fields = folder.joinpath("stat").read_text().rpartition(")")[2].split()
        lines = [line.split() for line in folder.joinpath("status").read_text().splitlines()]
    except OSError:
        # the process ends for it, and the doors are secured
        return "", 0, Duration(0)
    switches = sum(int(words[1]) for words in lines if words[0].endswith(_SWITCHES))
    ticks = sum(map(int, fields[_CPU]))
    return fields[_STATE], switches + ticks, Duration(ticks * _TICK)
