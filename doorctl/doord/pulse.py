"""Whether a thread that was asked for something still moves: looked at once a second, decided here. Pure.

A thread that waits for a disk is not stuck. The kernel says so (state D, proc_pid_stat(5)), a kill would not reach it
before the disk answers, and doord works from memory meanwhile (docs/decisions/watchdog.md). What neither waits for a
disk nor moves for STILL, or has computed for LONGEST_WORK, will not come back.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from doorctl.core.types import SECOND, Duration, Monotonic

STILL: Final = Duration(5 * SECOND)
"""With a second between two looks and RestartSec=, a new doord starts within ten of the moment it hung."""
LONGEST_WORK: Final = Duration(60 * SECOND)
"""At one call, of the thread's own processor time: a thread that a busy board keeps waiting has done nothing wrong."""
IN_THE_DISKS_HANDS: Final = "D"
RUNNABLE: Final = "R"
"""It computes, or would if the board were not busy with others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look at a thread."""

    asked: bool
    """It has something to do, or has it in hand."""
    steps: int
    """Another value once it began or ended a call."""
    state: str
    """The kernel's letter; empty where there is no such thread any more."""
    moved: int
    """Another value once it computed, or waited for something and got it."""
    worked: Duration
    """Processor time it has had, ever."""


class Verdict(Enum):
    """What a look came to."""

    WELL = "well"
    DISK = "the disk does not answer"
    """For STILL at least."""
    STUCK = "is stuck"
    DEAD = "ended"


class Pulse:
    """One thread's."""

    def __init__(self) -> None:
        self._last: Sight | None = None
        self._still_since = self._off_disk_at = Monotonic(0)
        self._worked_before = Duration(0)
        """The call that is in hand now."""

    def look(self, sight: Sight, now: Monotonic) -> Verdict:
        """Asked with each look at it."""
        last, self._last = self._last, sight
        if last is None or not sight.asked or not last.asked or sight.steps != last.steps:
            self._still_since = self._off_disk_at = now
            self._worked_before = sight.worked
        if sight.asked and not sight.state:
            return Verdict.DEAD
        if sight.state == IN_THE_DISKS_HANDS:
            self._still_since = now
            return Verdict.DISK if now - self._off_disk_at >= STILL else Verdict.WELL
        self._off_disk_at = now
        if sight.state == RUNNABLE or (last is not None and sight.moved != last.moved):
            self._still_since = now
        stuck = now - self._still_since >= STILL or sight.worked - self._worked_before >= LONGEST_WORK
        return Verdict.STUCK if stuck else Verdict.WELL
