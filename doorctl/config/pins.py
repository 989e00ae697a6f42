"""Pins by name: claimed once over the whole file. Knows no chip; whether the board has a pin is found at start."""

import re
from typing import Final

from doorctl.config.lines import Place
from doorctl.config.section import Section, dotted, quoted

_PIN: Final = re.compile(r"GPIO(?:0|[1-9][0-9]{0,2})")
"""As gpiozero names a chip's lines; one spelling each, so that a pin taken twice is seen. No chip has 1,000 lines."""
_HIGHEST: Final = 999
_MEANT: Final = re.compile(r"(?:gpio|bcm)?[ _-]?([0-9]{1,3})", re.IGNORECASE)
"""`gpio22`, `BCM22`, `22`: other ways to write a line of the chip."""
PIN: Final = 'a pin such as "GPIO17"'
_NUMBERS: Final = "numbers are the chip's lines, not the header's"
_TWICE: Final = "each pin has one use in the whole file: give one of the two another"

Pins = dict[str, str]
"""Pin → the key that took it, over the whole file."""


def meant_pin(value: object) -> str | None:
    """`22`, as a number or as text, and `gpio22` → `GPIO22`; None where no line of a chip is meant."""
    match value:
        case bool():
            return None
        case int():
            return f"GPIO{value}" if 0 <= value <= _HIGHEST else None
        case str() if number := _MEANT.fullmatch(value):
            return f"GPIO{int(number[1])}"
    return None


def _hint(value: object) -> str:
    pin = meant_pin(value)
    return f'write "{pin}"; {_NUMBERS}' if pin else _NUMBERS


def read_pin(section: Section, key: str, pins: Pins) -> str:
    """The pin under a key."""
    value = section.value(key)
    if not isinstance(value, str):
        section.wrong(key, expected=PIN, hint=_hint(value))
        return ""
    return take_pin(section, key, value, pins)


def read_optional_pin(section: Section, key: str, pins: Pins) -> str | None:
    """The pin under a key that may be missing."""
    return read_pin(section, key, pins) if section.has(key) else None


def take_pin(section: Section, key: str, pin: str, pins: Pins) -> str:
    """Claim a pin for a key; a malformed name or a pin claimed before is a mistake."""
    place: Place = (*section.place, key)
    if not _PIN.fullmatch(pin):
        section.mistakes.note(place, expected=PIN, found=quoted(pin), hint=_hint(pin))
    elif pin in pins:
        section.mistakes.note(
            place, expected="a pin of its own", found=f"{quoted(pin)}, which {pins[pin]} has", hint=_TWICE
        )
    else:
        pins[pin] = dotted(place)
    return pin


def read_level(section: Section, *, default: bool) -> bool:
    """`active = "high"` or `"low"`: which level of the pin means yes."""
    return section.word("active", default="high" if default else "low") == "high"
