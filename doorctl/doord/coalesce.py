"""Wrong codes that come faster than people type are told as one counted record. Pure; one a reader.

The first BURST within WINDOW are recorded one by one. What comes above that is counted, and the count is recorded
when the window is over, so that a machine at a keypad can fill neither the spool nor the monitor. An entry with a
row is never counted away, and an entry's answer never depends on what is done here.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from doorctl.core.types import SECOND, Duration, Monotonic, WallTime

BURST: Final = 5
"""As many as the default lock-out lets through at once."""
WINDOW: Final = Duration(10 * SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a counted record says."""

    count: int
    first: WallTime


class Coalescer:
    """The wrong codes of one reader."""

    def __init__(self) -> None:
        self._recorded: deque[Monotonic] = deque(maxlen=BURST)
        self._count = 0
        self._first = WallTime(0)
        self._due: Monotonic | None = None

    def tell_alone(self, now: Monotonic, wall: WallTime) -> bool:
        """Whether this wrong code gets a record of its own; otherwise it was counted."""
        full = len(self._recorded) == BURST and now - self._recorded[0] < WINDOW
        if not full:
            self._recorded.append(now)
            return True
        if self._count == 0:
            self._first, self._due = wall, Monotonic(now + WINDOW)
        self._count += 1
        return False

    def next_deadline(self) -> Monotonic | None:
        """When the count is to be recorded; None while nothing is counted."""
        return self._due

    def on_deadline(self, now: Monotonic) -> Counted | None:
        """The count whose window is over."""
        if self._due is None or now < self._due:
            return None
        counted = Counted(count=self._count, first=self._first)
        self._count, self._due = 0, None
        return counted
