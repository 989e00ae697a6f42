"""A door's wires on the made-up board: what a switch is called there, what moves it, and what a strike's level means.

A switch is wired to a pin, or to the input of a made-up OSDP reader; whoever opens leaves and presses buttons need not
know.
"""

from typing import Any, Final

from doorctl.config.types import Input, ReaderInput, Strike, StrikeKind

REX_S: Final = 0.5
"""How long a hand presses; longer than the 400 ms from which on every input is honoured."""


def wire_of(source: Input | ReaderInput) -> str:
    """The pin, or a name that no pin has."""
    return source.pin if isinstance(source, Input) else f"{source.reader} input {source.number}"


def moved(source: Input | ReaderInput, *, active: bool) -> tuple[str, dict[str, Any]]:
    """The command, and what it says."""
    level = active is source.active_high
    if isinstance(source, Input):
        return "input", {"pin": source.pin, "level": level}
    return "osdp", {"reader": source.reader, "number": source.number, "input": level}


def is_released(strike: Strike, level: bool | None) -> bool:  # noqa: FBT001  a wire's level is a value
    """Without power a fail-secure strike holds and a fail-safe one does not."""
    powered = level is not None and level is strike.active_high
    return powered is (strike.type is StrikeKind.FAIL_SECURE)
