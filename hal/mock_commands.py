"""The mock socket's language: one JSON object a line, checked whole before anything of it is done.

| do        | says |
|-----------|------|
| `edges`   | falling edges on data pins, each `[pin, nanoseconds after the base]` |
| `card`    | one card frame: its bits, or a format with its fields |
| `keys`    | a person types on the keypad: digits, `*`, `#` |
| `input`   | an input pin takes a level |
| `osdp`    | an OSDP reader's cover or input changes, what becomes of its line, power and speed |
| `fault`   | misbehave from now on: stuck-low, no-pull-up, drop, raise, busy, gone, noise; swapped and no-ground |
|           | on two data pins; `clear` ends it |
| `history` | every output change after a number |
| `state`   | pins, users, readers' counters |
| `watch`   | output changes as they happen, on this connection, until it closes |

Times: `at` is the base, CLOCK_MONOTONIC in nanoseconds, now where it is absent; `"at": 0` makes offsets absolute.
"""

from typing import Annotated, Literal

import msgspec

from hal.errors import MockCommandError
from hal.events import SECOND

Offset = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Interval = Annotated[int, msgspec.Meta(ge=1, le=SECOND)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Bits = Annotated[str, msgspec.Meta(pattern="^[01]{1,256}\\Z")]
KeyText = Annotated[str, msgspec.Meta(pattern="^[0-9*#]{1,64}\\Z")]


PinFault = Literal["stuck-low", "no-pull-up", "drop", "raise", "busy", "noise", "clear"]


class Edges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag="edges"):
    """Falling edges, in any order."""

    edges: Annotated[list[tuple[str, Offset]], msgspec.Meta(min_length=1, max_length=10_000)]
    at: Nanoseconds | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag="card"):
    """A frame on the pins [D0, D1] or on the reader of that name; `bits` or `format` with `fields`."""

    reader: str | None = None
    pins: tuple[str, str] | None = None
    bits: Bits | None = None
    format: str | None = None
    fields: dict[str, int] | None = None
    interval_ns: Interval = 1_000_000
    at: Nanoseconds | None = None


class Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag="keys"):
    """Key presses at a reader whose keypad the board knows, or on pins with an `encoding`."""

    keys: KeyText
    reader: str | None = None
    pins: tuple[str, str] | None = None
    encoding: Literal["4-bit", "6-bit", "8-bit", "26-bit", "26-bit-bcd"] | None = None
    enter: Literal["*", "#"] = "#"
    interval_ns: Interval = 1_000_000
    gap_ns: Interval = 100_000_000
    """Silence between two keys."""
    at: Nanoseconds | None = None


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag="input"):
    """An input's wire, at once; `at` is the time stamp of the edge."""

    pin: str
    level: bool
    at: Nanoseconds | None = None


class Osdp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag="osdp"):
    """At an OSDP reader: exactly one of its cover, an input, a power cut, a speed, and what becomes of its line."""

    reader: str
    tamper: bool | None = None
    input: bool | None = None
    number: Annotated[int, msgspec.Meta(ge=0, le=7)] = 0
    """Of the input, counted from 0."""
    line: Literal["cut", "mend", "unplug", "plug", "spoil", "unterminated", "terminated"] | None = None
    """`spoil`: one burst arrives broken; `unterminated`: four answers of eleven do, until it is terminated."""
    power: Literal["cycle", "reset"] | None = None
    """`reset`: as from the factory, its key forgotten."""
    baud: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    """The speed that it is set to; 0: its line's."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag="fault"):
    """`pins` [D0, D1] for swapped and no-ground, `pin` for all others but gone.

    `count` edges for drop, raise and noise; noise comes at `edges_per_s`, a wire without a pull-up flickers so.
    """

    fault: PinFault | Literal["swapped", "no-ground", "gone"]
    pin: str | None = None
    pins: tuple[str, str] | None = None
    count: Count = 1
    edges_per_s: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """None: 50,000 of noise, and 100 of a wire that hangs in the air, as the mains hum."""


class History(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag="history"):
    """Output changes numbered above `since`."""

    since: Nanoseconds = 0


class State(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag="state"):
    """Everything at once."""


class Watch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag="watch"):
    """Begin after this number; absent: with what happens next."""

    since: Nanoseconds | None = None


Command = Edges | Card | Keys | Input | Osdp | Fault | History | State | Watch

_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


def parse_command(untrusted: bytes) -> Command:
    """The command in one line; raises MockCommandError with what is wrong and where."""
    try:
        return _decoder.decode(untrusted)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MockCommandError(str(error)) from error
