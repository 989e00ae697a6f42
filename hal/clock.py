"""The one clock of hardware events: the kernel stamps edges with CLOCK_MONOTONIC, and so do we."""

import time

from hal.events import Monotonic


def monotonic_now() -> Monotonic:
    """CLOCK_MONOTONIC in nanoseconds."""
    return Monotonic(time.monotonic_ns())
