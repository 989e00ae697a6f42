"""Entries that match nothing, faster than people make them, are told as one counted record a reason. Pure.

The first BURST within WINDOW are recorded one by one. What comes above that is counted, and the count is recorded
when the window is over, so that a machine at a keypad can fill neither the spool nor the monitor. An entry with a
row is never counted away, and an entry's answer never depends on what is done here. What is answered without regard
to a row (lock-out, lockdown) never comes here: what was counted there would be known to be wrong.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from doorctl.core.types import SECOND, Duration, Monotonic, Reason, WallTime

BURST: Final = 5
"""As many as the default lock-out lets through at once."""
WINDOW: Final = Duration(10 * SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a counted record says."""

    reason: Reason
    count: int
    first: WallTime


class Coalescer:
    """The entries of one reader that matched nothing."""

    def __init__(self) -> None:
        self._recorded: deque[Monotonic] = deque(maxlen=BURST)
        self._counted: dict[Reason, Counted] = {}
        self._due: Monotonic | None = None

    @property
    def count(self) -> int:
        """How many are counted and not yet told."""
        return sum(counted.count for counted in self._counted.values())

    def tell_alone(self, reason: Reason, now: Monotonic, wall: WallTime) -> bool:
        """Whether this entry gets a record of its own; otherwise it was counted."""
        full = len(self._recorded) == BURST and now - self._recorded[0] < WINDOW
        if not full:
            self._recorded.append(now)
            return True
        if self._due is None:
            self._due = Monotonic(now + WINDOW)
        before = self._counted.get(reason, Counted(reason=reason, count=0, first=wall))
        self._counted[reason] = replace(before, count=before.count + 1)
        return False

    def next_deadline(self) -> Monotonic | None:
        """When the counts are to be recorded; None while nothing is counted."""
        return self._due

    def on_deadline(self, now: Monotonic) -> tuple[Counted, ...]:
        """The counts whose window is over."""
        return () if self._due is None or now < self._due else self.take()

    def take(self) -> tuple[Counted, ...]:
        """The counts as they stand, whose window nobody waits for."""
        counted = tuple(self._counted.values())
        self._counted, self._due = {}, None
        return counted
