"""While a strike is released by hand nothing may stop this process: no key of the terminal, no output that blocks.

Ctrl-Z, and a terminal's ways to stop a process in the background, would leave the strike released for as long as it
sleeps. They wait until the strike is secured again; Ctrl-C and the signals that end a process secure it themselves.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_BY_KEY: Final = signal.SIGTSTP
_BY_TERMINAL: Final = frozenset({signal.SIGTTIN, signal.SIGTTOU})
"""Sent to who reads or writes; the kernel asks the thread that does."""


@contextmanager
def not_stopped() -> Iterator[None]:
    """Main thread only. Who was to be stopped meanwhile is stopped at the end."""
    came: list[int] = []
    before = signal.signal(_BY_KEY, lambda number, _: came.append(number))
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, _BY_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        signal.signal(_BY_KEY, before)
        if came:
            signal.raise_signal(_BY_KEY)
