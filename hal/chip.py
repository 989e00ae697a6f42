"""What the GPIO ports need of an opened chip, whichever pin factory stands behind it: metal or mock.

gpiozero gives pins; this adds what gpiozero does not tell: which exceptions the library below raises, whether
every edge up to a moment has been handed over, and whether some were lost on the way. Nothing here imports
gpiozero, so a backend is anything that fills in a `Chip`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from hal.errors import ConfigurationError, DeviceGoneError
from hal.events import SECOND, Monotonic

WhenChanged = Callable[[float, int], None]
"""gpiozero's callback of a pin: (kernel CLOCK_MONOTONIC in seconds, level after the edge)."""


def _always_heard(_: Monotonic) -> int:
    """Of a chip without a thread of its own, which can neither end nor hang."""
    return 0


class Pin(Protocol):
    """The part of gpiozero's pin that the ports use. `when_changed` is kept weakly by gpiozero: hold the object."""

    state: Any
    edges: str
    when_changed: WhenChanged | None

    def input_with_pull(self, pull: str) -> None:
        """Make it an input; `pull` is up, down or floating."""
        ...

    def output_with_state(self, state: int) -> None:
        """Make it an output that begins at this level."""
        ...

    def close(self) -> None:
        """Make it an input without a pull again."""
        ...


class PinFactory(Protocol):
    """The part of gpiozero's factory that the board uses."""

    @property
    def board_info(self) -> Any:
        """Knows the names of a pin."""
        ...

    def pin(self, name: str) -> Pin:
        """The one object of that pin."""
        ...

    def close(self) -> None:
        """Close every pin, then the chip."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where another process finds the lines of an open chip."""

    name: str
    """In /dev, as "gpiochip4"."""
    label: str
    """What the kernel's driver calls it, as "pinctrl-rp1"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """An open chip. Every function may be called from the loop's thread only."""

    label: str
    factory: PinFactory
    library_errors: tuple[type[Exception], ...]
    """What gpiozero and the library below it raise; `edge_of_library` turns them into hal.errors."""
    clock: Callable[[], Monotonic]
    """The clock of the edges' time stamps, now."""
    complete_until: Callable[[Monotonic], Monotonic | None]
    """Given now: every edge up to the returned time has been handed to its callback. None: some are under way."""
    losses: Callable[[], int]
    """How many times edges of unknown pins may have been lost below us, ever; a rise taints every reader."""
    device: Device | None = None
    """None for a chip that ends with this process: made up, or behind a driver of its own."""
    unheard_for: Callable[[Monotonic], int] = _always_heard
    """Given now: for how many nanoseconds edges have waited for a thread that takes none. DeviceGoneError: it ended."""

    @contextmanager
    def edge_of_library(self, what: str, *, opening: bool = False) -> Iterator[None]:
        """Turn a library's exception into ours: a wrong claim while `opening`, a vanished device later."""
        try:
            yield
        except self.library_errors as error:
            kind = ConfigurationError if opening else DeviceGoneError
            raise kind(f"{what} on {self.label}: {error}") from error

    def open_input(self, name: str, pull: str, what: str) -> Pin:
        """A pin as input, silent until `when_changed` is set."""
        with self.edge_of_library(f"{what}: {name}", opening=True):
            pin = self.factory.pin(name)
            pin.input_with_pull(pull)
            return pin

    def open_output(self, name: str, level: int, what: str) -> Pin:
        """A pin as output at `level` from its first moment."""
        with self.edge_of_library(f"{what}: {name}", opening=True):
            pin = self.factory.pin(name)
            pin.output_with_state(level)
            return pin


def to_nanoseconds(ticks: float) -> Monotonic:
    """gpiozero's seconds as the integer they came from (exact to 1 ns for the first months of uptime)."""
    return Monotonic(round(ticks * SECOND))
