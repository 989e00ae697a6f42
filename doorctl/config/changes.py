"""What differs between two configurations, and what of it a running doord can take over. Pure.

Every key of the table has one class here (tests/config/test_changes.py walks them all). Only a reload and the manual
load this.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from doorctl.config.effective import effective
from doorctl.config.keys import key_at
from doorctl.config.lines import Place
from doorctl.config.section import dotted
from doorctl.config.types import Config


class Counts(Enum):
    """When a changed value counts."""

    AT_ONCE = "with a reload"
    RESTART = "when doord is started again"
    """It is about pins, ports or who this board is: a restart lets go of every line for a moment."""
    COURIER = "when the courier is started again"
    ROSTER = "with a new roster"
    """The roster keeps what it was made with, and neither a reload nor a restart changes that."""


_AT_ONCE: Final = (
    "site.timezone", "site.holidays",
    "lockout.tries", "lockout.first_s", "lockout.longest_s", "lockout.guessing_alarm",
    "log.keep_days",
    "door.NAME.egress", "door.NAME.held_open_s", "door.NAME.pre_alarm_s", "door.NAME.unlock", "door.NAME.time_unknown",
    "door.NAME.interlock", "door.NAME.strike.release_s", "door.NAME.strike.relock_on_open",
    "door.NAME.reader.mode", "door.NAME.reader.modes", "door.NAME.reader.modes.SCHEDULE",
    "door.NAME.reader.code_window_s",
    "schedule", "schedule.NAME", "schedule.NAME.DAYS", "group", "group.NAME", "group.NAME.DOOR",
)  # fmt: skip
_RESTART: Final = (
    "site", "site.id", "monitor", "monitor.file", "monitor.accept_colocated", "lockout", "log",
    "hal", "hal.backend", "hal.chip",
    "door", "door.NAME", "door.NAME.strike", "door.NAME.reader", "door.NAME.readers",
    "door.NAME.contact", "door.NAME.rex", "door.NAME.tamper",
    "door.NAME.strike.pin", "door.NAME.strike.type", "door.NAME.strike.active",
    "door.NAME.INPUT.pin", "door.NAME.INPUT.input", "door.NAME.INPUT.reader", "door.NAME.INPUT.active",
    "door.NAME.INPUT.pull",
    "door.NAME.reader.wiegand", "door.NAME.reader.osdp", "door.NAME.reader.address", "door.NAME.reader.baud",
    "door.NAME.reader.rts_drives", "door.NAME.reader.allow_plain", "door.NAME.reader.format",
    "door.NAME.reader.parity", "door.NAME.reader.keypad", "door.NAME.reader.enter", "door.NAME.reader.led",
    "door.NAME.reader.buzzer",
)  # fmt: skip
CLASSES: Final[Mapping[str, Counts]] = {
    **dict.fromkeys(_AT_ONCE, Counts.AT_ONCE),
    **dict.fromkeys(_RESTART, Counts.RESTART),
    "monitor.supervision_s": Counts.COURIER,
    **dict.fromkeys(("codes", "codes.length", "codes.per_holder"), Counts.ROSTER),
}
"""By a key's name in the table. A table's own class is that of a whole one that comes or goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Names as the file has them, `door.front.strike.release_s`, in its order."""

    by_class: Mapping[Counts, tuple[str, ...]]

    def of(self, counts: Counts) -> tuple[str, ...]:
        """Those of one class."""
        return self.by_class.get(counts, ())

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, a class after the other."""
        return tuple(name for counts in Counts for name in self.of(counts))


def changes(old: Config, new: Config) -> Changes:
    """Every value that `new` has otherwise than `old`, by the class of its key; a table that came or went once."""
    by_class: dict[Counts, tuple[str, ...]] = {}
    for place in _different(effective(old), effective(new), ()):
        counts = CLASSES[key_at(place).dotted]
        by_class[counts] = (*by_class.get(counts, ()), dotted(place))
    return Changes(by_class=by_class)


def _different(old: Mapping[str, Any], new: Mapping[str, Any], around: Place) -> Iterator[Place]:
    for key in dict.fromkeys([*old, *new]):
        place, was, is_ = (*around, key), old.get(key), new.get(key)
        if isinstance(was, dict) and isinstance(is_, dict) and not _as_one(place):
            yield from _different(was, is_, place)
        elif was != is_ or _order(was) != _order(is_):
            yield place


def _as_one(place: Place) -> bool:
    """A schedule's days are written in many ways; of a reader's modes the order counts as well."""
    return (place[0] == "schedule" and len(place) > 1) or place[-1] == "modes"


def _order(value: object) -> list[str]:
    return list(value) if isinstance(value, dict) else []
