"""Strike, contact, REX, tamper and indicator on the pins of a `Chip`; works alike on metal and on mock pins.

What closing does to a strike: the port secures first, then gives the pin back, and a pin given back is an *input*
(so does gpiozero, so does the kernel when the process dies, except that a killed process secures nothing first).
From then on the board's pull resistor and the relay decide. Wire them so that an input means "no power to the
strike": a fail-secure strike then stays locked, a fail-safe one opens, which is what it was bought for. See
docs/hal-backend.md. Data lines of Wiegand readers are not here: hal/wiegand/source.py.
"""

import asyncio
from collections.abc import Callable

from hal.chip import Chip, to_nanoseconds
from hal.crossing import Crossing
from hal.errors import DeviceGoneError, HalError
from hal.events import InputChanged, Monotonic
from hal.indication import Player
from hal.ports import Light, StrikeType
from hal.strike_level import strike_level

SETTLE_S = 0.02
"""After the last edge the level is read once more: the kernel keeps 16 edges a line, and a bounce can be longer."""
STORM_EDGES = 256
"""More edges than this within one settling time are no contact's bounce (5 ms of chatter at 10 kHz is 100)."""
STORM_S = 1.0
"""How long a storming input is sampled instead of listened to."""
TURN = 64
"""Changes reported in one turn of the loop, so that one input cannot hold up the others."""


class GpioStrike:
    """The lock on one pin: created secured, secured again before the pin is given back (see the module)."""

    def __init__(
        self, chip: Chip, *, pin: str, strike_type: StrikeType, active_high: bool, given_back: Callable[[], None]
    ) -> None:
        self._chip = chip
        self._what = f"strike {pin}"
        self._type = strike_type
        self._active_high = active_high
        self._given_back = given_back
        self._released = False
        self._closed = False
        self._pin = chip.open_output(pin, self._level(released=False), self._what)

    @property
    def released(self) -> bool:
        """Whether the strike was last told to release."""
        return self._released

    def release(self) -> None:
        """Let the door be opened; raises DeviceGoneError, and then the strike counts as not released."""
        self._write(released=True)

    def secure(self) -> None:
        """Lock the door; raises DeviceGoneError."""
        self._write(released=False)

    def close(self) -> None:
        """Secure, then give the pin back; the pin is given back even if securing failed, and the failure raised."""
        if self._closed:
            return
        try:
            self._write(released=False)
        finally:
            self._closed = True
            self._given_back()
            with self._chip.edge_of_library(self._what):
                self._pin.close()

    def _write(self, *, released: bool) -> None:
        if self._closed:
            raise DeviceGoneError(f"{self._what} on {self._chip.label}: closed")
        with self._chip.edge_of_library(self._what):
            self._pin.state = self._level(released=released)
        self._released = released

    def _level(self, *, released: bool) -> int:
        return strike_level(self._type, active_high=self._active_high, released=released)


class GpioContact:
    """A door position switch, REX or tamper input: every change of level as it is, with the kernel's time stamp.

    Levels follow the edges; 20 ms after the last one the pin is read again, so that an edge the kernel had no room
    for leaves no wrong level behind. An input that storms (a floating wire) is sampled for a second instead of
    listened to; anything longer than 400 ms still gets through.
    """

    def __init__(
        self, chip: Chip, *, name: str, pin: str, active_high: bool, pull: str, given_back: Callable[[], None]
    ) -> None:
        self._chip = chip
        self._name = name
        self._what = f"input {name}: {pin}"
        self._active_high = active_high
        self._given_back = given_back
        self._crossing: Crossing[tuple[Monotonic, bool]] = Crossing(STORM_EDGES)
        self._deliver: Callable[[InputChanged], None] | None = None
        self._reported = False
        self._settle: asyncio.TimerHandle | None = None
        self._edges_since_settled = 0
        self._sampling_until: float | None = None
        self._closed = False
        self._pin = chip.open_input(pin, pull, f"input {name}")

    @property
    def active(self) -> bool:
        """The level now, after polarity; raises DeviceGoneError."""
        if self._closed:
            raise DeviceGoneError(f"{self._what} on {self._chip.label}: closed")
        with self._chip.edge_of_library(self._what):
            return bool(self._pin.state) is self._active_high

    def start(self, deliver: Callable[[InputChanged], None]) -> None:
        """Begin to report on the running loop each change from the level that `active` has now."""
        self._deliver = deliver
        self._crossing.attach(self._drain)
        self._listen()
        self._reported = self.active

    def close(self) -> None:
        """Stop and give the pin back; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._crossing.detach()
        if self._settle is not None:
            self._settle.cancel()
        self._given_back()
        with self._chip.edge_of_library(self._what):
            self._pin.when_changed = None
            self._pin.close()

    def _listen(self) -> None:
        with self._chip.edge_of_library(self._what):
            self._pin.edges = "both"
            self._pin.when_changed = self._changed

    def _changed(self, ticks: float, level: int) -> None:
        """On the library's thread: append and wake, raise nothing."""
        try:
            self._crossing.put((to_nanoseconds(ticks), bool(level) is self._active_high))
        except Exception:  # noqa: BLE001 - it would kill lgpio's thread and with it every input of the board
            # The door stays as it is: the level is read again when the input has settled, nothing is lost for long.
            self._crossing.notify()

    def _drain(self) -> None:
        if self._closed or self._sampling_until is not None:
            return
        changes = self._crossing.take(TURN)
        self._edges_since_settled += len(changes)
        if self._crossing.dropped or self._edges_since_settled > STORM_EDGES:
            self._begin_sampling()
            return
        for at, active in changes:
            self._report(at, active=active)
        if len(self._crossing):
            self._crossing.notify()
        self._after(SETTLE_S)

    def _after(self, seconds: float) -> None:
        if self._settle is not None:
            self._settle.cancel()
        self._settle = asyncio.get_running_loop().call_later(seconds, self._settled)

    def _settled(self) -> None:
        self._edges_since_settled = 0
        if self._sampling_until is not None:
            if asyncio.get_running_loop().time() < self._sampling_until:
                self._after(SETTLE_S)
            else:
                self._sampling_until = None
                self._crossing.clear()
                self._crossing.dropped = 0
                self._listen()
        self._report(self._chip.clock(), active=self.active)

    def _begin_sampling(self) -> None:
        with self._chip.edge_of_library(self._what):
            self._pin.when_changed = None
        self._crossing.clear()
        self._sampling_until = asyncio.get_running_loop().time() + STORM_S
        self._after(SETTLE_S)

    def _report(self, at: Monotonic, *, active: bool) -> None:
        if active is not self._reported and self._deliver is not None:
            self._reported = active
            self._deliver(InputChanged(name=self._name, active=active, at=at))


LIGHTS: dict[Light, tuple[bool, tuple[int, ...]]] = {
    Light.OFF: (False, ()),
    Light.IDLE: (False, ()),
    Light.GRANTED: (True, ()),
    Light.DENIED: (True, (100, 100)),
    Light.WAITING: (True, (500, 500)),
}
"""What one LED wire shows: its first level, then how long each level lasts, over and over (none: for ever).

IDLE is dark because a Wiegand reader lights its own idle colour while the wire rests.
"""


class GpioIndicator:
    """A reader's LED and buzzer wires, each optional; patterns run on timers of the loop."""

    def __init__(
        self, chip: Chip, *, led: str | None, buzzer: str | None, active_high: bool, given_back: Callable[[], None]
    ) -> None:
        self._led = None if led is None else Player(chip, pin=led, active_high=active_high, what="led")
        try:
            self._buzzer = None if buzzer is None else Player(chip, pin=buzzer, active_high=active_high, what="buzzer")
        except Exception:
            if self._led is not None:
                self._led.close()
            raise
        self._given_back = given_back
        self._closed = False

    def light(self, light: Light, on_fault: Callable[[HalError], None] | None = None) -> None:
        """Show this until told otherwise; raises DeviceGoneError, and what goes wrong later `on_fault` hears."""
        if self._led is not None:
            lit, pattern_ms = LIGHTS[light]
            self._led.play(pattern_ms, first=lit, forever=True, on_fault=on_fault)

    def beep(self, pattern_ms: tuple[int, ...], on_fault: Callable[[HalError], None] | None = None) -> None:
        """Sound on, off, on … for these milliseconds, then silence; a new pattern replaces the old."""
        if self._buzzer is not None:
            self._buzzer.play(pattern_ms, first=bool(pattern_ms), forever=False, on_fault=on_fault)

    def close(self) -> None:
        """Dark and silent; idempotent."""
        if self._closed:
            return
        self._closed = True
        self._given_back()
        try:
            if self._led is not None:
                self._led.close()
        finally:
            if self._buzzer is not None:
                self._buzzer.close()
