"""A strike released by hand, for a moment: nothing may stretch it, no key of the terminal and no output that blocks.

Ctrl-Z, and a terminal's ways to stop a process in the background, would leave the strike released for as long as it
sleeps. They wait until the strike is secured again; Ctrl-C and the signals that end a process secure it themselves. And
whatever keeps the event loop from turning, a thread of its own secures the strike in time.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from hal.errors import HalError
from hal.ports import Strike

_STOPPING: Final = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""Caught: whoever sends them, and to whichever thread the kernel gives them."""
_BY_TERMINAL: Final = frozenset({signal.SIGTTIN, signal.SIGTTOU})
"""Blocked as well: who is in the background and writes is then let through, and not asked again for ever."""


@contextmanager
def released(strike: Strike, *, at_most_s: float) -> Iterator[None]:
    """Main thread only; secured at the end. `at_most_s`: should that not come, it is secured so long after."""
    # no daemon thread: also an interpreter that ends waits for it
    guard = threading.Timer(at_most_s, _secured_late, [strike])
    guard.name = "strike guard"
    with not_stopped():
        try:
            guard.start()
            strike.release()
            yield
        finally:
            strike.secure()
            guard.cancel()


@contextmanager
def not_stopped() -> Iterator[None]:
    """Main thread only. Who was to be stopped meanwhile is stopped at the end."""
    came: list[int] = []
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, _BY_TERMINAL)
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in _STOPPING}
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)  # what waited is in `came` when this returns
        for number, old in before.items():
            signal.signal(number, old)
        if came:
            signal.raise_signal(came[0])


def _secured_late(strike: Strike) -> None:
    with suppress(HalError):  # the strike is released, and is no more to be had: closing the board says so
        strike.secure()
