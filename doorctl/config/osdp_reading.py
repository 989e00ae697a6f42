"""osdp = "/dev/…" of a reader → its place on a line, checked against the other readers of that line.

Knows no port: whether the device is there is found at start, and waited for.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from doorctl.config.key import Device, expected
from doorctl.config.lines import Place
from doorctl.config.section import Section, dotted
from doorctl.config.types import BusPlace

DEVICE: Final = re.compile(r"/dev/[A-Za-z0-9_.:@+/-]{1,95}")
"""Also the long names of /dev/serial/by-id."""
WIEGAND_ONLY: Final = ("keypad", "enter", "led", "buzzer")
OSDP_ONLY: Final = ("address", "baud", "rts_drives", "allow_plain")
_WHY: Final = {
    "wiegand": "a reader has two wires of its own or is on a line: leave wiegand or osdp out",
    "keypad": "an OSDP reader sends its keys as characters: leave keypad out",
    "enter": "at an OSDP reader # ends an entry and * clears it: leave enter out",
    "led": "an OSDP reader is told over its line what to show: leave led out",
    "buzzer": "an OSDP reader is told over its line when to sound: leave buzzer out",
}
_ADDRESS_HINT: Final = "address = 1; the reader's manual or its label says which it answers to, new ones mostly to 0"


@dataclass(slots=True, kw_only=True)
class Line:
    """What is known of one line so far."""

    baud: int
    first: str
    """The reader that said so."""
    addresses: dict[int, str] = field(default_factory=dict)
    """Address → the reader that has it."""


Lines = dict[str, Line]
"""Device → line, over the whole file."""


def read_bus_place(section: Section, lines: Lines) -> BusPlace:
    """The reader's place; a place that another one has, or another speed on one line, is a mistake."""
    for key in _WHY:
        if section.has(key):
            section.wrong(key, expected="no such key beside osdp", hint=_WHY[key])
    place = BusPlace(
        device=_device(section),
        address=_address(section),
        baud=section.whole("baud"),
        rts_drives=section.truth("rts_drives"),
        allow_plain=section.truth("allow_plain"),
    )
    if place.device and place.address >= 0:
        _claim(section, place, lines)
    return place


def refuse_line_keys(section: Section) -> None:
    """Note what only a reader on a line has."""
    for key in OSDP_ONLY:
        if section.has(key):
            section.wrong(key, expected="no such key without osdp", hint='osdp = "/dev/ttyAMA0" names the line')


def _device(section: Section) -> str:
    value = section.value("osdp")
    if isinstance(value, str) and DEVICE.fullmatch(value):
        return value
    section.wrong("osdp", expected=expected(Device()), hint="`ls -l /dev/serial/by-id` shows the adapters by name")
    return ""


def _address(section: Section) -> int:
    """Minus one where there is none: it has no default, since two readers of a line would have it."""
    if section.has("address"):
        return section.whole("address", default=-1, hint="127 is every reader's, so none may be called it")
    section.wrong("address", expected="the address that the reader answers to", hint=_ADDRESS_HINT)
    return -1


def _claim(section: Section, place: BusPlace, lines: Lines) -> None:
    mine = dotted(section.place)
    line = lines.setdefault(place.device, Line(baud=place.baud, first=mine))
    if line.baud != place.baud:
        _note(
            section, "baud", expected=f"{line.baud}, the speed of {line.first} on the same line", found=str(place.baud),
            hint="one line has one speed: set every reader of it to the same",
        )  # fmt: skip
    if other := line.addresses.get(place.address):
        _note(
            section, "address", expected="an address of its own", found=f"{place.address}, which {other} has",
            hint="two readers that answer at once are not heard: set one of them to another address",
        )  # fmt: skip
    line.addresses.setdefault(place.address, mine)


def _note(section: Section, key: str, *, expected: str, found: str, hint: str) -> None:
    """At the key, or at the reader where the key is left to its default."""
    place: Place = (*section.place, key) if key in section.table else (*section.place, "osdp")
    section.mistakes.note(place, expected=expected, found=found, hint=hint)
