"""What a key of the configuration is: what it takes, what it means, what it risks.

The tables of all keys are in site_keys and door_keys; what reading accepts, `doorctl config explain`, the schema and
the manual come from them. Every daemon at the door loads this: it holds data and imports next to nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

FIRST: Final = "0.1"
"""The version that had the first configuration."""
LONGEST_NAME: Final = 20
"""Characters of a name; a door's and its reader's fit the record's 32 bytes."""
LONGEST_SIDE: Final = 11
"""A door's 20 characters, a slash and these fit the record's 32 bytes for a reader's name."""
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`[site]` or `strike = { … }`: its keys are in the table of keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """`[door.NAME]`: a table of tables, each under a name that the installer gives."""

    longest: int = LONGEST_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """Short and safe in paths, logs and on the wire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Any text that is not empty and has no control characters."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A name of the IANA time zone database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """A list of TOML dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Seconds, whole or not."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number, and what it counts where its name does not say."""

    low: int
    high: int
    unit: str | None = None
    only: tuple[int, ...] = ()
    """Of these, no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """true or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few words, each with what it means; `refused` are known and taken by no reader."""

    words: Mapping[str, str]
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A line of the chip, used once in the whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLines:
    """A list of two pins: D0, D1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The path of a serial port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A pin, or a table of a pin or of an OSDP reader's input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSide:
    """The side of one of the door's readers; a door's only reader is called like the door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """The name of a card format; `doorctl check --formats` lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorNames:
    """A list of other doors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleName:
    """The name of a [schedule.NAME] table; `or_always` takes that word as well."""

    or_always: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """`"07:00-19:00"`, or a list of such windows."""


Kind = (
    Table | Tables | Name | Text | Zone | Dates | Seconds | Whole | Truth | Choice | Pin | DataLines | Device | Input
    | ReaderSide | Format | DoorNames | ScheduleName | Hours
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. In its place a part in capitals stands for any name: ("door", "NAME", "strike", "pin")."""

    place: tuple[str, ...]
    kind: Kind
    meaning: str
    """One sentence, without its full stop."""
    example: str = ""
    """What may stand after the equals sign; tables have none."""
    required: bool = False
    default: bool | float | str | None = None
    """None: required, absent unless it is written, or what `otherwise` says."""
    otherwise: str | None = None
    """A default in words, where it depends on something or is the absence of the thing."""
    danger: str | None = None
    """What can go wrong for people if it is set carelessly."""
    since: str = FIRST

    @property
    def dotted(self) -> str:
        """`door.NAME.strike.pin`."""
        return ".".join(self.place)

    @property
    def line(self) -> str | None:
        """`release_s = 5`; None for a table."""
        name = {"DAYS": "mon-fri", "DOOR": "front", "SCHEDULE": "night"}.get(self.place[-1], self.place[-1])
        return f"{name} = {self.example}" if self.example else None

    @property
    def unit(self) -> str | None:
        """What a number counts."""
        match self.kind:
            case Seconds():
                return "seconds"
            case Whole(unit=unit):
                return unit
        return None


def expected(kind: Kind) -> str:  # noqa: PLR0911, PLR0912, C901  one line a kind
    """What may stand there, in the words of a message: `seconds from 0.5 to 600`."""
    match kind:
        case Table():
            return "a table"
        case Tables(longest=longest):
            return f"a table for each name of 1 to {longest} lower-case letters, digits and hyphens"
        case Name():
            return f"a name of 1 to {LONGEST_NAME} lower-case letters, digits and hyphens"
        case Text(what=what):
            return what
        case Zone():
            return "a name of the IANA time zone database"
        case Dates():
            return "a list of dates"
        case Seconds(low=low, high=high):
            return f"seconds from {low:g} to {high:g}"
        case Whole(only=(*fewer, last)):
            return f"{', '.join(map(str, fewer))} or {last}"
        case Whole(low=low, high=high):
            return f"a whole number from {low} to {high}"
        case Truth():
            return "true or false"
        case Choice(words=words, refused=refused):
            return one_of(word for word in words if word not in refused)
        case Pin():
            return 'a pin such as "GPIO17"'
        case DataLines():
            return "the two data lines"
        case Device():
            return 'a device such as "/dev/ttyAMA0"'
        case Input():
            return "a pin or a table"
        case ReaderSide():
            return "the name of an OSDP reader of this door"
        case Format():
            return "a known card format"
        case DoorNames():
            return "names of other doors"
        case ScheduleName(or_always=True):
            return '"always" or the name of a [schedule.NAME] table'
        case ScheduleName():
            return "the name of a [schedule.NAME] table"
        case Hours():
            return 'hours such as "07:00-19:00", or a list of them'
    assert_never(kind)


def is_name(text: str, longest: int = LONGEST_NAME) -> bool:
    """Whether doors, readers, schedules and groups may be called so: short, and safe in paths, logs and on the wire."""
    return _NAME.fullmatch(text) is not None and len(text) <= longest


def one_of(words: Iterable[str]) -> str:
    """`"a", "b" or "c"`."""
    listed = [f'"{word}"' for word in words]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"
