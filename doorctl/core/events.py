"""What the core is told: frozen values in. Never a decision, never a clock; hidden fields keep codes out of reprs.

Reader events go to `entry.Entry`, door events to `door.Door`; the runtime translates hal's words into these.
"""

from dataclasses import dataclass, field
from enum import Enum

from doorctl.core.types import Card, Duration, Monotonic


class IllegalEvent(Exception):  # noqa: N818  it names the event, which is at fault; the word of h11's trade
    """The event cannot happen in this state: whoever sent it broke a rule, and nothing was changed."""


class Key(Enum):
    """A key of a keypad; the same members and values as hal's, which the core may not import."""

    DIGIT_0 = "0"
    DIGIT_1 = "1"
    DIGIT_2 = "2"
    DIGIT_3 = "3"
    DIGIT_4 = "4"
    DIGIT_5 = "5"
    DIGIT_6 = "6"
    DIGIT_7 = "7"
    DIGIT_8 = "8"
    DIGIT_9 = "9"
    ENTER = "ENTER"
    ESC = "ESC"


# One reader's events


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRead:
    """A card that the reader's format accepts; `at` is its last edge."""

    card: Card
    at: Monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRead:
    """One key; hidden, since a row of these is a code."""

    key: Key = field(repr=False)
    at: Monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFrame:
    """A card frame of the right shape that the reader's format refuses."""

    at: Monotonic


ReaderEvent = CardRead | KeyRead | BadFrame


# One door's events


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Somebody may pass once: a decision after its commit, or an operator's momentary unlock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rex:
    """Request to exit, debounced; once for each press."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The door position switch says open, debounced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOpen:
    """The door position switch is heard for the first time since the start, and says open: nobody forced that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The door position switch says closed, debounced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockBegins:
    """The door's unlock schedule came on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockEnds:
    """The door's unlock schedule went off, or the time became unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldUnlocked:
    """An operator unlocks the door until Restore; illegal in lockdown, which only Restore ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockdown:
    """An operator closes the door to everybody until Restore; the way out stays free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """An operator ends HoldUnlocked or Lockdown; the schedule rules again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shunt:
    """An operator silences forced-open and held-open for so long; None: until Unshunt."""

    duration: Duration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unshunt:
    """The shunt is over."""


DoorEvent = (
    Grant | Rex | Opened | FoundOpen | Closed | UnlockBegins | UnlockEnds | HoldUnlocked | Lockdown | Restore | Shunt
    | Unshunt
)  # fmt: skip
