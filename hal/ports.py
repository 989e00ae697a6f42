"""What the door side asks of hardware: six Protocols, each one screen.

A backend (gpio, mock, osdp) implements them; the contract tests in tests/conformance run over each.
Rules for every implementation: callbacks come from any thread, append and return; `close()` is
idempotent and leaves a strike secured; nothing blocks for more than a pin write takes.
"""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from hal.errors import HalError
from hal.events import InputEvent, Monotonic, ReaderEvent


class StrikeType(Enum):
    """What the strike does without power."""

    FAIL_SECURE = "fail-secure"
    FAIL_SAFE = "fail-safe"


class Light(Enum):
    """The reader's LED as the person at the door sees it."""

    OFF = "off"
    IDLE = "idle"
    GRANTED = "granted"
    DENIED = "denied"
    WAITING = "waiting"


class Reader(Protocol):
    """A card reader or keypad, whatever its line is."""

    @property
    def name(self) -> str:
        """The name that its events carry."""
        ...

    def start(self, deliver: Callable[[ReaderEvent], None]) -> None:
        """Begin to read; `deliver` is called on the event loop's thread. Begins disarmed (see facts: 1 s idle)."""
        ...

    def counters(self) -> dict[str, int | float]:
        """Numbers for `doorctl status`: frames read and refused by reason, learned interval, jitter, edges lost."""
        ...

    def close(self) -> None:
        """Stop reading and give the lines back; idempotent."""
        ...


class Strike(Protocol):
    """The lock. Created secured; `close()` leaves it secured (what the metal then does: docs/hal-backend.md)."""

    @property
    def released(self) -> bool:
        """Whether the strike was last told to release."""
        ...

    def release(self) -> None:
        """Let the door be opened, until `secure()`; idempotent."""
        ...

    def secure(self) -> None:
        """Lock the door; idempotent."""
        ...

    def close(self) -> None:
        """Secure, then give the pin back; idempotent."""
        ...


class Contact(Protocol):
    """An input that says open or closed, active or not: door position switch, REX and tamper alike."""

    @property
    def active(self) -> bool:
        """The level now, after polarity; raises HalError while it is not known."""
        ...

    def start(self, deliver: Callable[[InputEvent], None]) -> None:
        """Begin to report each raw change (no debounce here: the core decides what is a bounce).

        A level that nobody knows is an InputUnknown; the next InputChanged ends it.
        """
        ...

    def close(self) -> None:
        """Stop and give the pin back; idempotent."""
        ...


Rex = Contact
"""A request-to-exit input has the contact's contract."""


class Indicator(Protocol):
    """What the person at the door sees and hears."""

    def light(self, light: Light, on_fault: Callable[[HalError], None] | None = None) -> None:
        """Show this until told otherwise; `on_fault` hears on the loop, once, where it breaks off later."""
        ...

    def beep(self, pattern_ms: tuple[int, ...], on_fault: Callable[[HalError], None] | None = None) -> None:
        """Sound on, off, on … for these milliseconds; returns at once, a new pattern replaces the old."""
        ...

    def close(self) -> None:
        """Dark and silent; idempotent."""
        ...


class ByteChannel(Protocol):
    """A serial line for bus readers: bytes in with the time they were read, bytes out."""

    def start(self, deliver: Callable[[bytes, Monotonic], None]) -> None:
        """Begin to read on the running event loop."""
        ...

    def write(self, frame: bytes) -> None:
        """Queue bytes to be sent as one burst."""
        ...

    def close(self) -> None:
        """Give the port back; idempotent."""
        ...
