"""The words of the door side as types: identifiers, both clocks, closed sets of outcomes.

The numbers of `Outcome` and `Reason` are on the wire (docs/wire-format.md): never renumber, only append.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import Enum, IntEnum
from typing import NewType

DoorName = NewType("DoorName", str)
ReaderName = NewType("ReaderName", str)
GroupName = NewType("GroupName", str)
ScheduleName = NewType("ScheduleName", str)
HolderId = NewType("HolderId", str)
"""A cardholder's short name at this site, such as `ana-lopez`."""

Monotonic = NewType("Monotonic", int)
"""CLOCK_MONOTONIC, nanoseconds; all timers, lock-outs and bounces."""
WallTime = NewType("WallTime", int)
"""Nanoseconds since 1970 UTC; schedules, validity and what people read."""
Duration = NewType("Duration", int)
"""Nanoseconds."""

MS = 1_000_000
"""Nanoseconds in a millisecond."""
SECOND = 1_000_000_000
"""Nanoseconds in a second."""


class Mode(Enum):
    """What a reader asks for."""

    CARD = "card"
    CODE = "code"
    CARD_AND_CODE = "card+code"
    CARD_OR_CODE = "card or code"


class Outcome(IntEnum):
    """What was decided; NONE for records that are no decision."""

    NONE = 0
    GRANTED = 1
    DENIED = 2


class Reason(IntEnum):
    """Why, for the access log and the record; the person at the door never sees it."""

    NONE = 0
    MATCHED = 1
    NO_MATCH = 2
    NO_ACCESS = 3
    """No group of the holder opens this door at any time."""
    OUTSIDE_SCHEDULE = 4
    NOT_YET_VALID = 5
    EXPIRED = 6
    SUSPENDED = 7
    LOCKED_OUT = 8
    LOCKDOWN = 9
    TIME_UNKNOWN = 10
    INTERLOCK = 11
    INCOMPLETE = 12
    """Card without its code, or keys without ENTER, when the window closed."""
    BAD_FORMAT = 13
    """A frame of the right shape that the reader's format refuses (parity, fixed bits, checksum)."""
    FAULT = 14
    """The roster could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card as (bit length, raw value): an integer alone loses leading zeros."""

    length: int
    raw: int = field(repr=False)
    """Never in a repr: card numbers stay out of logs and tracebacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """Wall time in the site's zone, cut up by the runtime (which owns the zone data)."""

    day: date
    second_of_day: int
    """0..86399, by the clock on the wall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What the roster knows about the holder of a matched row; nothing of what the row's token means."""

    holder: HolderId
    groups: tuple[GroupName, ...]
    valid_from: date | None
    valid_until: date | None
    """Last day on which the credential is good."""
    suspended: bool
