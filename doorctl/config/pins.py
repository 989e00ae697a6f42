"""Pins by name: claimed once over the whole file. Knows no chip; whether the board has a pin is found at start."""

import re
from typing import Final

from doorctl.config.lines import Place
from doorctl.config.section import Section, dotted, quoted

_PIN: Final = re.compile(r"GPIO(?:0|[1-9][0-9]{0,2})")
"""As gpiozero names a chip's lines; one spelling each, so that a pin taken twice is seen. No chip has 1,000 lines."""
PIN: Final = 'a pin such as "GPIO17"'
_HINT: Final = "numbers are the chip's lines, not the header's"
_TWICE: Final = "each pin has one use in the whole file: give one of the two another"

Pins = dict[str, str]
"""Pin → the key that took it, over the whole file."""


def read_pin(section: Section, key: str, pins: Pins) -> str:
    """The pin under a key."""
    value = section.value(key)
    if not isinstance(value, str):
        section.wrong(key, expected=PIN, hint=_HINT)
        return ""
    return take_pin(section, key, value, pins)


def read_optional_pin(section: Section, key: str, pins: Pins) -> str | None:
    """The pin under a key that may be missing."""
    return read_pin(section, key, pins) if section.has(key) else None


def take_pin(section: Section, key: str, pin: str, pins: Pins) -> str:
    """Claim a pin for a key; a malformed name or a pin claimed before is a mistake."""
    place: Place = (*section.place, key)
    if not _PIN.fullmatch(pin):
        section.mistakes.note(place, expected=PIN, found=quoted(pin), hint=_HINT)
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
