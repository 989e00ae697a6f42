"""May this request pass? One total, pure function. What a row's token means is not an input and never can be.

The first line that holds is the answer:

| # | holds when                                                              | answer           | names the holder |
|---|-------------------------------------------------------------------------|------------------|------------------|
| 1 | the door is in lockdown                                                 | LOCKDOWN         | no               |
| 2 | the card, or the reader where there is no card, is locked out           | LOCKED_OUT       | no               |
| 3 | no row matched                                                          | NO_MATCH         | no               |
| 4 | the holder is suspended                                                 | SUSPENDED        | yes              |
| 5 | no group of the holder ever opens this door                             | NO_ACCESS        | yes              |
| 6 | time is unknown, the door denies then, and the answer hangs on time     | TIME_UNKNOWN     | yes              |
| 7 | the day is before valid_from                                            | NOT_YET_VALID    | yes              |
| 8 | the day is after valid_until (which is the last good day)               | EXPIRED          | yes              |
| 9 | no group of the holder opens this door at this hour                     | OUTSIDE_SCHEDULE | yes              |
|10 | the interlock holds the door                                            | INTERLOCK        | yes              |
|11 | otherwise                                                               | GRANTED, MATCHED | yes              |

Lines 1 and 2 stand before the match and name nobody: in lockdown and at a locked-out reader a right code is refused
exactly like a wrong one, in the access log as well, so nobody can go on guessing and read there what was right.
Time that does not matter (no dates, an "always" access) is not asked for. Where an unknown time is allowed,
dates and schedules count as good.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from doorctl.core.schedule import Calendar
from doorctl.core.types import DoorName, GroupName, HolderId, LocalTime, Match, Outcome, Reason, ScheduleName


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Let the holder pass once."""

    holder: HolderId

    @property
    def outcome(self) -> Outcome:
        """For the log and the record."""
        return Outcome.GRANTED

    @property
    def reason(self) -> Reason:
        """For the log and the record."""
        return Reason.MATCHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Not now; the person at the door is never told why."""

    reason: Reason
    holder: HolderId | None

    @property
    def outcome(self) -> Outcome:
        """For the log and the record."""
        return Outcome.DENIED


Decision = Granted | Denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Who may open what and when: the site's groups and calendar."""

    groups: Mapping[GroupName, Mapping[DoorName, ScheduleName | None]]
    """Of each group the doors it opens; None: at any time."""
    calendar: Calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """How things stand at the door when the question is asked."""

    door: DoorName
    local: LocalTime | None
    """None: the clock is not trusted."""
    allow_unknown_time: bool
    """The door's policy for dates and schedules while `local` is None."""
    locked_out: bool
    lockdown: bool
    interlock: bool
    """Another door of the interlock is not closed and secured."""


def decide(*, match: Match | None, situation: Situation, rules: Rules) -> Decision:
    """The answer; total over every combination."""
    if situation.lockdown:
        return Denied(reason=Reason.LOCKDOWN, holder=None)
    if situation.locked_out:
        return Denied(reason=Reason.LOCKED_OUT, holder=None)
    if match is None:
        return Denied(reason=Reason.NO_MATCH, holder=None)
    reason = _objection(match, situation, rules)
    return Granted(holder=match.holder) if reason is None else Denied(reason=reason, holder=match.holder)


def _objection(match: Match, situation: Situation, rules: Rules) -> Reason | None:
    """Lines 4 to 10 of the table."""
    if match.suspended:
        return Reason.SUSPENDED
    schedules = _schedules(match.groups, situation.door, rules)
    if not schedules:
        return Reason.NO_ACCESS
    if situation.local is None:
        objection = None if situation.allow_unknown_time else _time_needed(match, schedules)
    else:
        objection = _by_time(match, schedules, situation.local, rules.calendar)
    if objection is None and situation.interlock:
        return Reason.INTERLOCK
    return objection


def _schedules(groups: Iterable[GroupName], door: DoorName, rules: Rules) -> frozenset[ScheduleName | None]:
    """The schedules under which these groups open the door; a group that nobody wrote opens nothing."""
    tables = (rules.groups.get(group, {}) for group in groups)
    return frozenset(table[door] for table in tables if door in table)


def _time_needed(match: Match, schedules: frozenset[ScheduleName | None]) -> Reason | None:
    timeless = match.valid_from is None and match.valid_until is None and None in schedules
    return None if timeless else Reason.TIME_UNKNOWN


def _by_time(
    match: Match, schedules: frozenset[ScheduleName | None], local: LocalTime, calendar: Calendar
) -> Reason | None:
    if match.valid_from is not None and local.day < match.valid_from:
        return Reason.NOT_YET_VALID
    if match.valid_until is not None and local.day > match.valid_until:
        return Reason.EXPIRED
    if any(name is None or calendar.is_open(name, local) for name in schedules):
        return None
    return Reason.OUTSIDE_SCHEDULE
