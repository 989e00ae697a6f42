"""The board's clocks, and whether the one on the wall can be believed.

Boards often have no battery: after a power cut the wall clock may stand in the past until the network is back.
Timers, lock-outs and bounces use the monotonic clock only; schedules use the wall clock while it is trusted.
"""

import time
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from doorctl.core.types import SECOND, LocalTime, Monotonic, WallTime

LARGEST_DIFFERENCE: Final = 60 * SECOND
"""Beyond this the monitor's time and ours cannot both be right; design.md, Receipt."""
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def monotonic() -> Monotonic:
    """CLOCK_MONOTONIC now: the clock of kernel edges and of the event loop."""
    return Monotonic(time.monotonic_ns())


def wall() -> WallTime:
    """The wall clock now, trusted or not."""
    return WallTime(time.time_ns())


def boot_id() -> bytes:
    """16 bytes that are new at each boot; zeros where the kernel does not say."""
    try:
        return bytes.fromhex(_BOOT_ID.read_text(encoding="ascii").strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)


class WallClock:
    """The wall clock together with the reasons not to believe it."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._contradicted = False
        self._unconfirmed = False
        """Before the journal's end, or doubted when the process before this one ended."""
        self._agreed: int | None = None
        """How far the two clocks were apart when the monitor last agreed; only somebody who sets one changes that."""

    def follow(self, zone: ZoneInfo) -> None:
        """Another zone for schedules from now on; whether the clock is believed has nothing to do with it."""
        self._zone = zone

    @property
    def trusted(self) -> bool:
        """False once something contradicted the clock, until something confirms it."""
        return not (self._contradicted or self._unconfirmed)

    def confirmed(self, now: WallTime, at: Monotonic) -> bool:
        """Whether a receipt agreed with the clock in this process, and nobody has set it since.

        A trusted clock is one that nothing contradicts, and one that ran ahead may be that: good enough to open a
        door by, which can be mended, and not to delete by.
        """
        return self.trusted and self._agreed is not None and abs(now - at - self._agreed) <= LARGEST_DIFFERENCE

    def journal_ends_at(self, last: WallTime | None, now: WallTime) -> None:
        """Compare with the newest journal row: a clock before it has jumped back."""
        self._unconfirmed = last is not None and now < last

    def doubted_before(self) -> None:
        """The process before this one did not trust it, and a restart confirms nothing."""
        self._unconfirmed = True

    def monitor_says(self, monitor: WallTime, now: WallTime, *, at: Monotonic, age: int = 0) -> None:
        """Compare with the time of a verified receipt, of a record made `age` ns ago: it confirms or contradicts.

        It was signed at some time since then, so that whoever delays it contradicts nothing.
        """
        self._contradicted = not now - age - LARGEST_DIFFERENCE <= monitor <= now + LARGEST_DIFFERENCE
        if not self._contradicted:
            self._unconfirmed = False
            self._agreed = now - at

    def local(self, now: WallTime) -> LocalTime | None:
        """Day and second at the site; None while the clock is not trusted."""
        if not self.trusted:
            return None
        moment = datetime.fromtimestamp(now // SECOND, tz=self._zone)
        return LocalTime(day=moment.date(), second_of_day=moment.hour * 3600 + moment.minute * 60 + moment.second)
