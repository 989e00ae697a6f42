"""A door's switch on the made-up board: what it is called there, and what the mock socket is told to move it.

It is wired to a pin, or to the input of a made-up OSDP reader; whoever opens leaves and presses buttons need not know.
"""

from typing import Any

from doorctl.config.types import Input, ReaderInput


def wire_of(source: Input | ReaderInput) -> str:
    """The pin, or a name that no pin has."""
    return source.pin if isinstance(source, Input) else f"{source.reader} input {source.number}"


def moved(source: Input | ReaderInput, *, active: bool) -> tuple[str, dict[str, Any]]:
    """The command, and what it says."""
    level = active is source.active_high
    if isinstance(source, Input):
        return "input", {"pin": source.pin, "level": level}
    return "osdp", {"reader": source.reader, "number": source.number, "input": level}
