"""Drives output lines to given levels through lgpio alone, and holds them for as long as this process lives.

For a process that must act within a fraction of a second after another one died: without gpiozero, whose import alone
takes several times as long as all of this. The kernel refuses a line that another process holds, so nothing here can
take one from a living daemon. When the process ends the line is given back (docs/hal-backend.md says what that means).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from hal.errors import ConfigurationError

_DEVICE: Final = "gpiochip"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLevel:
    """One line of one chip, and the level it is to have."""

    chip: str
    """The device, as "gpiochip4"."""
    label: str
    """What the chip calls itself: a number may name another chip tomorrow."""
    line: int
    level: int


def load_lgpio() -> ModuleType:
    """The library; ConfigurationError where there is none, or no folder to make its FIFO in."""
    try:
        import lgpio  # noqa: PLC0415 - an extra, and importing it makes a FIFO
    except (ImportError, OSError) as error:
        raise ConfigurationError(
            f"gpio: lgpio does not load ({error}); install doorctl[board] and give it a writable working directory"
        ) from error
    module: ModuleType = lgpio
    return module


def drive(lgpio: ModuleType, lines: Iterable[LineLevel]) -> list[str | None]:
    """Claim each line as an output at its level; for each None, or why it is not. Whatever one does, all are tried."""
    handles: dict[str, int] = {}
    return [_drive(lgpio, line, handles) for line in lines]


def _drive(lgpio: ModuleType, line: LineLevel, handles: dict[str, int]) -> str | None:
    try:
        handle = handles.get(line.chip)
        if handle is None:
            handle = handles[line.chip] = lgpio.gpiochip_open(int(line.chip.removeprefix(_DEVICE)))
        found = lgpio.gpio_get_chip_info(handle)[3]
        if found != line.label:
            return f"{line.chip} is {found!r} now, not {line.label!r}"
        lgpio.gpio_claim_output(handle, line.line, line.level)
    except Exception as error:  # noqa: BLE001 - the other lines must still be driven, whatever the library raises
        # this door is where the metal leaves it (its resistor or relay); people get out without software
        return f"{line.chip} line {line.line}: {error}"
    return None
