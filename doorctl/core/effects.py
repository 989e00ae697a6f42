"""What the core wants done: frozen values out. Never carried out here; hidden fields keep codes out of reprs."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

from doorctl.core.types import Card, Duration, Monotonic, Reason

Code = NewType("Code", str)
"""The digits somebody typed; may be of a wrong length, since ENTER ends an entry early."""


class Light(Enum):
    """The reader's LED; the same members and values as hal's, which the core may not import."""

    OFF = "off"
    IDLE = "idle"
    GRANTED = "granted"
    DENIED = "denied"
    WAITING = "waiting"


class Happening(Enum):
    """What a door did; the names are those of the record's detail."""

    FORCED_OPEN = "forced open"
    PRE_ALARM = "pre-alarm"
    HELD_OPEN = "held open"
    CLOSED = "closed"
    """Closed again after one of the above."""
    UNLOCKED = "unlocked"
    """By its schedule or an operator's hold."""
    LOCKED = "locked"
    """No longer unlocked: the schedule or hold ended, or a lockdown began."""


# A reader's entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything somebody gave at a reader to be let through; at least one factor is there."""

    card: Card | None
    code: Code | None = field(repr=False)
    at: Monotonic
    """Of the last key or edge: the answer's time counts from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Look the factors up and decide."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """An entry ended without a request: INCOMPLETE (time ran out) or BAD_FORMAT. Answered as denied."""

    reason: Reason
    at: Monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowWaiting:
    """An entry has begun: more is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowIdle:
    """The entry was taken back with ESC: show the door's own light again."""


EntryEffect = Submit | Incomplete | ShowWaiting | ShowIdle


# A door


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStrike:
    """Let the door be opened, until SecureStrike; idempotent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureStrike:
    """Lock the door; idempotent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicate:
    """Show and sound this at every reader of the door."""

    light: Light
    """Until the next Indicate; a reader's own answer may cover it for a moment."""
    beep_ms: tuple[int, ...] | None
    """On, off, on …; () is silence at once, None leaves the sounder as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Make a record and a log row of it."""

    happening: Happening


DoorEffect = ReleaseStrike | SecureStrike | Indicate | Report


# A site


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessingAlarm:
    """More wrong codes at the site than people make: `wrong_codes` of them within `window`."""

    wrong_codes: int
    window: Duration
