"""Weekly schedules with holidays, by the clock on the site's wall. Never a zone, never a clock: the runtime cuts time.

A window is half-open: open from `begin` up to but not at `end`. Its day is 0 (Monday) to 6, or 7 for holidays; on a
holiday only the windows of day 7 count. A night is two windows, up to 24:00 and from 00:00, so a window never
crosses a day and a holiday begins and ends at midnight.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from doorctl.core.types import LocalTime, Mode, ScheduleName

HOLIDAY: Final = 7
DAY_S: Final = 86_400

STRICTNESS: Final = {Mode.CARD_OR_CODE: 1, Mode.CARD: 2, Mode.CODE: 2, Mode.CARD_AND_CODE: 3}
"""How much a mode asks for; a card is asked for as much as a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window, in seconds of the local day; `end` may be 86,400, which is 24:00."""

    weekday: int
    begin: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.weekday <= HOLIDAY:
            raise ValueError(f"window: weekday {self.weekday} is not 0 to {HOLIDAY}")
        if not 0 <= self.begin < self.end <= DAY_S:
            raise ValueError(f"window: {self.begin} to {self.end} is not within one day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Every schedule of the site and its holidays."""

    schedules: Mapping[ScheduleName, tuple[Window, ...]]
    holidays: frozenset[date]

    def is_open(self, name: ScheduleName, local: LocalTime) -> bool:
        """Whether the schedule is on; one that nobody wrote is never on."""
        return is_open(self.schedules.get(name, ()), self.holidays, local)


def is_open(windows: Iterable[Window], holidays: frozenset[date], local: LocalTime) -> bool:
    """Whether any window holds this moment."""
    weekday = HOLIDAY if local.day in holidays else local.day.weekday()
    return any(w.weekday == weekday and w.begin <= local.second_of_day < w.end for w in windows)


def mode_in_force(
    mode: Mode, modes: Sequence[tuple[ScheduleName, Mode]], calendar: Calendar, local: LocalTime | None
) -> Mode:
    """The mode of the first schedule that is on, else the reader's own.

    At an unknown time (None) the strictest of them all, so that a stopped clock never asks for less; of equally strict
    ones the reader's own, then the first.
    """
    if local is None:
        return max((mode, *(scheduled for _, scheduled in modes)), key=STRICTNESS.__getitem__)
    return next((scheduled for name, scheduled in modes if calendar.is_open(name, local)), mode)


def unlock_in_force(schedule: ScheduleName | None, calendar: Calendar, local: LocalTime | None) -> bool:
    """Whether the door stands unlocked by its schedule; never at an unknown time, whatever the door's policy."""
    return schedule is not None and local is not None and calendar.is_open(schedule, local)
