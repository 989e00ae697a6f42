"""How things stand at a door when a question is asked: the values that decisions and modes are given."""

from collections.abc import Callable, Mapping

from doorctl.config import types as config_types
from doorctl.config.types import TimeUnknown
from doorctl.core.schedule import Calendar, mode_in_force
from doorctl.core.types import DoorName, Mode
from doorctl.doord import clock
from doorctl.doord.access import Interlocked
from doorctl.doord.door_unit import DoorUnit


class Situations:
    """Looks at clocks and doors; changes nothing."""

    def __init__(self, wall_clock: clock.WallClock, calendar: Calendar, doors: Mapping[DoorName, DoorUnit]) -> None:
        """`doors` may still be empty: it is read when asked."""
        self._clock, self._calendar, self._doors = wall_clock, calendar, doors

    def mode_of(self, reader: config_types.Reader) -> Callable[[], Mode]:
        """What the reader asks for now."""
        return lambda: mode_in_force(reader.mode, reader.modes, self._calendar, self._clock.local(clock.wall()))

    def at(self, door: config_types.Door) -> Callable[[bool], Interlocked]:
        """How things stand at the door now, given whether the card or reader is locked out."""

        def situation(locked_out: bool) -> Interlocked:  # noqa: FBT001  one value, named where it is used
            return Interlocked(
                door=door.name,
                local=self._clock.local(clock.wall()),
                allow_unknown_time=door.time_unknown is TimeUnknown.ALLOW,
                locked_out=locked_out,
                lockdown=self._doors[door.name].machine.status.lockdown,
                interlock=any(not self._doors[other].at_rest for other in door.interlock),
                others=door.interlock,
            )

        return situation
