"""What hardware tells: frozen values, one class a happening.

Every time is the kernel's CLOCK_MONOTONIC in integer nanoseconds, taken where the happening was seen
(the interrupt, the serial read), never where it was delivered. Nothing here knows what a card opens.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NewType

Monotonic = NewType("Monotonic", int)
"""CLOCK_MONOTONIC, nanoseconds."""
MS: Final = 1_000_000
SECOND: Final = 1000 * MS


class Key(Enum):
    """A key of a keypad after the reader's key map; ENTER and ESC differ between makers."""

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


class FaultKind(Enum):
    """Why a reader or an input cannot be trusted now."""

    LINE_LOW = "line low"
    """A data line was low for more than 5 ms: reader unpowered, shorted, or a wire pulled down."""
    NOISE = "noise"
    """Five bad frames in 2 s, or more edges than the fastest legal reader could send."""
    EDGES_LOST = "edges lost"
    """A queue or the kernel dropped edges; the frame they belonged to was refused."""
    BROKEN = "broken"
    """Our own code raised while serving this reader; it stays disarmed until restarted."""
    OFFLINE = "offline"
    """A bus reader stopped answering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardBits:
    """A whole card frame as it was read: `length` bits, first bit sent is the most significant of `raw`."""

    reader: str
    length: int
    raw: int = field(repr=False)
    at: Monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed:
    """One key of a keypad."""

    reader: str
    key: Key = field(repr=False)
    at: Monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRefused:
    """A frame arrived and was not believed; `why` is one of the decoder's reasons, for counters only."""

    reader: str
    why: str
    bits: int
    at: Monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderArmed:
    """The reader is read again (at start, or after a fault)."""

    reader: str
    at: Monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFault:
    """The reader is not read until a ReaderArmed follows."""

    reader: str
    kind: FaultKind
    at: Monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class InputChanged:
    """A contact, REX or tamper input changed its level; `active` is the electrical meaning after polarity."""

    name: str
    active: bool
    at: Monotonic
    lasted: int = 0
    """Nanoseconds that it may have been so before `at`, where the input is only asked about now and then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputUnknown:
    """Nobody knows an input's level any more, until an InputChanged follows."""

    name: str
    why: str
    at: Monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderMisused:
    """Somebody on the reader's line did what the reader would not; nothing of it was believed."""

    reader: str
    how: str
    """One of hal.osdp.happenings.Misuse, as words."""
    at: Monotonic


ReaderEvent = CardBits | KeyPressed | FrameRefused | ReaderArmed | ReaderFault | ReaderMisused
InputEvent = InputChanged | InputUnknown
HalEvent = ReaderEvent | InputEvent
