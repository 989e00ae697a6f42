"""What the inputs of a door say at rest, in the configuration's words: for `check --live` and `wire-test`."""

from collections.abc import Iterator
from typing import Any, Final

from doorctl.doord.assembly import DoorPins
from hal.errors import HalError, NotHeardYetError
from hal.ports import Contact

WORDS: Final = {"contact": ("closed", "open"), "rex": ("at rest", "pressed"), "tamper": ("at rest", "tampered with")}
"""Not active and active, as doorctl.toml's `active` has it."""


def inputs(pins: DoorPins) -> Iterator[tuple[str, Contact, str]]:
    """Kind, port and where it is wired, of each input that the door has."""
    for kind in WORDS:
        port, source = getattr(pins, kind), getattr(pins.door, kind)
        if port is not None:
            where = source.pin if hasattr(source, "pin") else f"input {source.number} of reader {source.reader}"
            yield kind, port, where


def at_rest(kind: str, port: Contact, where: str) -> dict[str, Any]:
    """Level, what the configuration calls it, and whether that is how an untouched door should be."""
    try:
        active = port.active
    except NotHeardYetError:
        return {"input": kind, "wired": where, "level": None, "words": "not heard yet", "idle": None}
    except HalError as error:
        return {"input": kind, "wired": where, "level": None, "words": str(error), "idle": False}
    return {"input": kind, "wired": where, "level": active, "words": WORDS[kind][active], "idle": not active}


def hint(told: dict[str, Any]) -> str | None:
    """What to look at where an input is not idle with nobody at the door."""
    if told["idle"] is not False:
        return None
    if told["level"] is None:
        return "the reader that it is wired to: power and line"
    return (
        f"with the door closed and nobody at it the {told['input']} should be {WORDS[told['input']][0]}: likely a "
        "broken wire, or active in doorctl.toml is the other level"
    )
