"""What an OSDP reader reports of switches: its own cover, and the inputs on its terminals, as Contact ports.

A level is only ever what an authentic report said. A reader that is away has no level: `active` raises, an
InputUnknown says since when, and the first report after it is a change, whatever the level was before. Nothing is
guessed, so a line that is cut neither closes a door nor lets anybody out.
"""

from collections.abc import Callable

from hal.errors import DeviceGoneError, HalError, NotHeardYetError
from hal.events import InputChanged, InputEvent, InputUnknown, Monotonic


class OsdpInput:
    """The Contact port of one switch."""

    def __init__(self, name: str, *, active_high: bool = True, level: bool | None = None) -> None:
        """`active_high`: what the reader calls active (1) means yes; `level`: what it has before any report."""
        self._name = name
        self._active_high = active_high
        self._active = level
        """None: not known."""
        self._unknown: HalError = NotHeardYetError(f"{name}: its reader has not told it yet")
        self._deliver: Callable[[InputEvent], None] | None = None

    @property
    def active(self) -> bool:
        """As the reader last said, after polarity; raises DeviceGoneError or NotHeardYetError while nobody knows."""
        if self._active is None:
            raise self._unknown
        return self._active

    def start(self, deliver: Callable[[InputEvent], None]) -> None:
        """Begin to report each change, and when the level is not known any more."""
        self._deliver = deliver

    def reported(self, at: Monotonic, *, level: bool, lasted: int = 0) -> None:
        """From the reader, which may have had it so for `lasted` nanoseconds before it was asked."""
        active = level is self._active_high
        if active is not self._active:
            self._active = active
            self._say(InputChanged(name=self._name, active=active, at=at, lasted=lasted))

    def lost(self, at: Monotonic, why: str) -> None:
        """Nobody knows its level from now on."""
        told = f"{self._name}: {why}"
        if self._active is not None or str(self._unknown) != told:
            self._active, self._unknown = None, DeviceGoneError(told)
            self._say(InputUnknown(name=self._name, why=told, at=at))

    def close(self) -> None:
        """Not reported any more; idempotent."""
        self._deliver = None

    def _say(self, event: InputEvent) -> None:
        if self._deliver is not None:
            self._deliver(event)
