"""Where a Wiegand reader's falling edges come from: the port, and the source on gpiozero's pins.

A source reports (line, kernel time stamp), in order for each line, says what it lost and up to which moment
nothing is under way any more. It never looks at a clock of its own, decodes nothing and debounces nothing
(kernel debounce erases 50 µs pulses). The traps of gpiozero and lgpio are named where they are avoided.
"""

from collections.abc import Callable
from typing import Protocol

from hal.chip import Chip, Pin, to_nanoseconds
from hal.crossing import Crossing
from hal.events import Monotonic
from hal.wiegand.arming import Line

D0: Line = 0
D1: Line = 1
Edge = tuple[Line, Monotonic]
"""(D0 or D1, when the kernel saw the line fall)."""

QUEUE = 4096
"""Edges waiting for the loop: 800 ms of the fastest legal reader (200 µs a bit), so a 400 ms stall fits twice."""


class EdgeSource(Protocol):
    """Both data lines of one reader. A gpiod source reads its descriptor in `complete_until` and `take`."""

    def start(self, wake: Callable[[], None]) -> None:
        """Listen; `wake` is called on the running loop once a batch."""
        ...

    def pause(self) -> None:
        """Let go of the interrupts and forget what waits: a noisy line then costs nothing."""
        ...

    def resume(self) -> None:
        """Listen again."""
        ...

    def complete_until(self, now: Monotonic) -> Monotonic | None:
        """Given now: edges up to the returned moment are in `take` or gone for good. None: ask again in 1 ms."""
        ...

    def take(self, most: int) -> list[Edge]:
        """Up to so many edges; fewer means that was all."""
        ...

    def lost(self) -> int:
        """How often edges were lost, ever: no room here, a gap in the kernel's numbers, a full pipe."""
        ...

    def failures(self) -> int:
        """How often our own callback raised, ever."""
        ...

    def high(self, line: Line) -> bool:
        """The line's level now; idle is high. Raises DeviceGoneError."""
        ...

    def close(self) -> None:
        """Give the lines back; idempotent, and it forgets them even if it raises."""
        ...


class PinEdgeSource:
    """The source on two gpiozero pins.

    Not on `DigitalInputDevice`: that asks for both edges, the kernel samples the level after a 50 µs pulse is over,
    and gpiozero drops the "unchanged" state: 26 pulses gave 0 bits. Here a falling edge is one, whatever the level.
    """

    def __init__(self, chip: Chip, *, name: str, d0: str, d1: str, queue: int = QUEUE) -> None:
        self._chip = chip
        self._what = f"reader {name}"
        self._crossing: Crossing[Edge] = Crossing(queue)
        self._failures = 0
        self._closed = False
        first = chip.open_input(d0, "up", self._what)
        try:
            second = chip.open_input(d1, "up", self._what)
        except Exception:
            first.close()
            raise
        self._pins: tuple[Pin, Pin] = (first, second)

    def start(self, wake: Callable[[], None]) -> None:
        """Listen; `wake` is called on the running loop once a batch."""
        self._crossing.attach(wake)
        self.resume()

    def pause(self) -> None:
        """Let go of the interrupts and forget what waits."""
        with self._chip.edge_of_library(self._what):
            for pin in self._pins:
                pin.when_changed = None
        self._crossing.clear()

    def resume(self) -> None:
        """Listen again."""
        # gpiozero keeps `when_changed` weakly: a lambda or closure would be dead at once. These are methods of an
        # object the reader holds.
        with self._chip.edge_of_library(self._what):
            for pin, fell in zip(self._pins, (self._d0_fell, self._d1_fell), strict=True):
                pin.edges = "falling"
                pin.when_changed = fell

    def complete_until(self, now: Monotonic) -> Monotonic | None:
        """Given now: edges up to the returned moment are in `take` or gone for good. None: ask again in 1 ms."""
        return self._chip.complete_until(now)

    def take(self, most: int) -> list[Edge]:
        """Up to so many edges; fewer means that was all."""
        return self._crossing.take(most)

    def lost(self) -> int:
        """Edges that found no room here, and moments when the library below may have lost some."""
        return self._crossing.dropped + self._chip.losses()

    def failures(self) -> int:
        """How often our own callback raised, ever."""
        return self._failures

    def high(self, line: Line) -> bool:
        """The line's level now."""
        with self._chip.edge_of_library(self._what):
            return bool(self._pins[line].state)

    def close(self) -> None:
        """Give the lines back; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._crossing.detach()
        with self._chip.edge_of_library(self._what):
            for pin in self._pins:
                pin.when_changed = None
                pin.close()

    def _d0_fell(self, ticks: float, level: int) -> None:  # noqa: ARG002 - gpiozero's signature; see the class
        self._fell(D0, ticks)

    def _d1_fell(self, ticks: float, level: int) -> None:  # noqa: ARG002 - gpiozero's signature; see the class
        self._fell(D1, ticks)

    def _fell(self, line: Line, ticks: float) -> None:
        """On the library's thread: append and wake, raise nothing."""
        try:
            self._crossing.put((line, to_nanoseconds(ticks)))
        except Exception:  # noqa: BLE001 - it would kill lgpio's thread and with it every input of the board
            # The door stays secured: the reader sees the count and calls itself broken.
            self._failures += 1
            self._crossing.notify()
