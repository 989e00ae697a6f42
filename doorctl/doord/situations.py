"""How things stand at a door when a question is asked: the values that decisions and modes are given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from doorctl.config import types as config_types
from doorctl.config.types import Config, TimeUnknown
from doorctl.core.decision import Rules
from doorctl.core.schedule import mode_in_force
from doorctl.core.types import DoorName, Mode, ReaderName
from doorctl.doord import clock
from doorctl.doord.access import Interlocked, Ruling
from doorctl.doord.door_unit import DoorUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class _InForce:
    """What a reload replaces, at once and as a whole."""

    rules: Rules
    doors: Mapping[DoorName, config_types.Door]
    readers: Mapping[ReaderName, config_types.Reader]


class Situations:
    """Looks at clocks and doors; changes nothing."""

    def __init__(
        self, wall_clock: clock.WallClock, config: Config, rules: Rules, doors: Mapping[DoorName, DoorUnit]
    ) -> None:
        """`doors` may still be empty: it is read when asked."""
        self._clock, self._doors = wall_clock, doors
        self.follow(config, rules)

    def follow(self, config: Config, rules: Rules) -> None:
        """Another configuration of the same doors and readers; what was ruled on before keeps its own."""
        self._in_force = _InForce(
            rules=rules,
            doors={door.name: door for door in config.doors},
            readers={reader.name: reader for door in config.doors for reader in door.readers},
        )

    def mode_of(self, name: ReaderName) -> Callable[[], Mode]:
        """What the reader asks for now."""

        def mode() -> Mode:
            reader, calendar = self._in_force.readers[name], self._in_force.rules.calendar
            return mode_in_force(reader.mode, reader.modes, calendar, self._clock.local(clock.wall()))

        return mode

    def ruling_at(self, name: DoorName) -> Callable[[], Ruling]:
        """By what a request that is made now will be decided."""

        def ruling() -> Ruling:
            door = self._in_force.doors[name]
            return Ruling(rules=self._in_force.rules, situation=lambda locked_out: self._at(door, locked_out))

        return ruling

    def _at(self, door: config_types.Door, locked_out: bool) -> Interlocked:  # noqa: FBT001  named in Ruling
        return Interlocked(
            door=door.name,
            local=self._clock.local(clock.wall()),
            allow_unknown_time=door.time_unknown is TimeUnknown.ALLOW,
            locked_out=locked_out,
            lockdown=self._doors[door.name].machine.status.lockdown,
            interlock=any(not self._doors[other].at_rest for other in door.interlock),
            others=door.interlock,
        )
