"""The monitor's two clocks, read only by its runtimes; everything else is given the time."""

import time

from doorctl.core.types import Monotonic, WallTime


def wall() -> WallTime:
    """Nanoseconds since 1970 UTC; what receipts and alarms say."""
    return WallTime(time.time_ns())


def monotonic() -> Monotonic:
    """For ticks and time-outs."""
    return Monotonic(time.monotonic_ns())
