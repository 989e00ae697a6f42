"""For the few tests with a real thread: wait for it, not for a time."""

import time
from collections.abc import Callable


def wait_for(happened: Callable[[], bool]) -> None:
    """Yield to other threads until it happened; fail after 10 s."""
    end = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0)
