"""One output pin that plays on/off patterns on the loop's timers: an LED or a buzzer. It never blocks or sleeps."""

import asyncio
from collections.abc import Callable

from hal.chip import Chip
from hal.errors import DeviceGoneError, HalError

LATE_S = 0.05
"""After a stall of the loop at most this much of a pattern is caught up, so that a beep never turns into a rattle."""


class Player:
    """A pin that is off, on, or walking through a pattern; created off."""

    def __init__(self, chip: Chip, *, pin: str, active_high: bool, what: str) -> None:
        self._chip = chip
        self._what = f"{what} {pin}"
        self._active_high = active_high
        self._timer: asyncio.TimerHandle | None = None
        self._on_fault: Callable[[HalError], None] | None = None
        """Of the order in hand."""
        self._closed = False
        self._pin = chip.open_output(pin, self._level(on=False), what)

    def play(
        self,
        pattern_ms: tuple[int, ...],
        *,
        first: bool,
        forever: bool,
        on_fault: Callable[[HalError], None] | None = None,
    ) -> None:
        """Begin with `first`, change after each of these milliseconds; at the end begin again, or stay off.

        Without a pattern the first level stays. Raises DeviceGoneError; needs a running loop for a pattern. A pin
        that fails later ends the pattern, and `on_fault` hears of it.
        """
        if self._closed:
            raise DeviceGoneError(f"{self._what} on {self._chip.label}: closed")
        self._stop()
        self._on_fault = on_fault
        self._write(on=first)
        if pattern_ms:
            loop = asyncio.get_running_loop()
            self._next(loop, pattern_ms, 0, loop.time(), on=first, forever=forever)

    def close(self) -> None:
        """Off, then give the pin back; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._stop()
        try:
            self._write(on=False)
        finally:
            with self._chip.edge_of_library(self._what):
                self._pin.close()

    def _next(
        self,
        loop: asyncio.AbstractEventLoop,
        pattern_ms: tuple[int, ...],
        step: int,
        begun: float,
        *,
        on: bool,
        forever: bool,
    ) -> None:
        """Wait for the end of this step; each counts from the planned end of the last, so nothing drifts."""
        end = begun + pattern_ms[step] / 1000

        def change() -> None:
            after = step + 1
            try:
                self._write(on=not on and (after < len(pattern_ms) or forever))
            except HalError as error:
                # The door stays as it is. The pattern ends here; raised on a timer it would end the daemon.
                if self._on_fault is not None:
                    self._on_fault(error)
                return
            if after == len(pattern_ms) and not forever:
                return
            self._next(
                loop, pattern_ms, after % len(pattern_ms), max(end, loop.time() - LATE_S), on=not on, forever=forever
            )

        self._timer = loop.call_at(end, change)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write(self, *, on: bool) -> None:
        with self._chip.edge_of_library(self._what):
            self._pin.state = self._level(on=on)

    def _level(self, *, on: bool) -> int:
        return int(on is self._active_high)
