"""A board without metal: a real backend on gpiozero's mock pins, driven edge by edge with given time stamps.

Ports, sources and decoder above it are the ones that run on metal; only the chip is made up. It keeps a bounded
history of every output and misbehaves on request: a line stuck low, edges lost, a callback that raises, a pin
somebody else holds, a chip that vanishes. Like lgpio it stops delivering anything once a callback has raised.
"""

import errno
import heapq
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gpiozero.exc import GPIOPinInUse, GPIOZeroError
from gpiozero.pins.mock import MockFactory, MockPin

from hal.chip import Chip, WhenChanged
from hal.clock import monotonic_now
from hal.errors import MockCommandError
from hal.events import SECOND, Monotonic

LABEL = "mock chip"
HISTORY = 4096
"""Output changes kept; `history` says when older ones were forgotten."""
AGENDA = 200_000
"""Edges that may wait for their moment: 8 readers × 100 frames × 56 bits is 44,800."""
PULSE_NS = 50_000
"""Width of a data pulse as most readers send it (facts: 20-100 µs)."""
REVISION = "a02082"
"""The Raspberry Pi 3B's header, so that every GPIO name is known; given here, so the environment cannot change it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChange:
    """An output took a level, or was given back (`level` None: it is an input now). Numbered from 1."""

    number: int
    pin: str
    level: bool | None
    at: Monotonic


@dataclass(slots=True)
class PinFaults:
    """How one pin misbehaves now."""

    stuck_low: bool = False
    drop_edges: int = 0
    """So many of the next edges never reach anybody."""
    raise_edges: int = 0
    """So many of the next edges make the callback fail inside."""
    unwritable: bool = False
    """Writing the output fails, as when its driver went away."""


class MockLine(MockPin):  # type: ignore[misc]  # gpiozero has no type information
    """gpiozero's mock pin with injected ticks and a bounded memory."""

    factory: "MockChip"
    states: deque[Any]
    when_changed: WhenChanged | None

    def __init__(self, factory: "MockChip", info: Any) -> None:
        self.faults = PinFaults()
        super().__init__(factory, info)

    @property
    def name(self) -> str:
        """As gpiozero names it: GPIO14."""
        return str(self.info.name)

    @property
    def wire(self) -> bool:
        """The level as a voltmeter at the terminal shows it, whatever became of the chip."""
        return bool(self._state) and not self.faults.stuck_low

    def clear_states(self) -> None:
        """gpiozero's list of states would grow for ever; the chip keeps the history instead."""
        super().clear_states()
        self.states = deque(self.states, maxlen=16)

    def output_with_state(self, state: int) -> None:
        """As output with this level from its first moment; recorded even when the level does not change."""
        self.factory.touch()
        self._function = "output"
        self._state = bool(state)
        self.factory.record(self.name, level=self._state)

    def close(self) -> None:
        """An input again, as on metal."""
        was_output = self._function == "output"
        self.when_changed = None
        self._function = "input"
        self._state = self._pull == "up"
        if was_output:
            self.factory.record(self.name, level=None)

    def _get_state(self) -> bool:
        self.factory.touch()
        return self.wire

    def _set_state(self, value: int) -> None:
        self.factory.touch()
        if self.faults.unwritable:
            raise OSError(errno.EIO, "Input/output error")
        before = self._state
        super()._set_state(value)
        if self._state != before:
            self.factory.record(self.name, level=self._state)

    def feed(self, at: Monotonic, *, level: bool) -> None:
        """From outside: the wire takes this level at that moment. An unchanged level is no edge."""
        if self._function != "input":
            raise MockCommandError(f"{self.name} is an output")
        if self._state != level:
            self._state = level
            self._edge(at, level=level)

    def pulse(self, at: Monotonic) -> None:
        """From outside: low at this moment and high again 50 µs later; on a wire that is low nothing can be seen."""
        self.feed(at, level=False)
        self.feed(Monotonic(at + PULSE_NS), level=True)

    def hold_low(self, at: Monotonic) -> None:
        """Fault: the wire goes low at this moment, visibly, and stays there until the fault is cleared."""
        self.feed(at, level=False)
        self.faults.stuck_low = True
        self._state = self._pull == "up"

    def _edge(self, at: Monotonic, *, level: bool) -> None:
        method = self.when_changed
        if method is None or self.faults.stuck_low or self._edges not in {"both", "rising" if level else "falling"}:
            return
        if self.faults.drop_edges:
            self.faults.drop_edges -= 1
            return
        ticks = at / SECOND
        if self.faults.raise_edges:
            self.faults.raise_edges -= 1
            ticks = float("nan")  # no callback can make a time of it: it fails inside, where a bug would
        self.factory.deliver(method, ticks, level=level)


class MockChip(MockFactory):  # type: ignore[misc]  # gpiozero has no type information
    """The made-up chip: its pins, what its outputs did, and the edges that are still to come."""

    def __init__(self, clock: Callable[[], Monotonic] = monotonic_now, *, history: int = HISTORY) -> None:
        super().__init__(revision=REVISION, pin_class=MockLine)
        self.clock = clock
        self.history: deque[OutputChange] = deque(maxlen=history)
        self.recorded = 0
        """Number of the newest output change."""
        self.on_output: Callable[[], None] | None = None
        """Called after each output change, for whoever watches."""
        self.gone = False
        """Fault: the chip vanished; every access fails."""
        self.notifier_died = False
        """A callback raised, and as with lgpio nobody gets an edge any more."""
        self.wired: dict[str, tuple[tuple[str, int], ...]] = {}
        """Fault: the pins that a data pulse on this one is seen on instead, each so many nanoseconds later."""
        self._flickers: dict[str, tuple[Monotonic, int]] = {}
        """Fault: when this wire falls next, and how long after that again."""
        self._busy: set[str] = set()
        self._agenda: list[tuple[Monotonic, int, MockLine]] = []
        self._scheduled = 0

    def chip(self) -> Chip:
        """This chip as the ports want it."""
        return Chip(
            label=LABEL,
            factory=self,
            library_errors=(GPIOZeroError, OSError),
            clock=self.clock,
            complete_until=self.deliver_due,
            losses=lambda: 0,
        )

    def pin(self, name: str, pin_class: Any = None, **kwargs: Any) -> Any:
        """The pin of that name; refused while another process is said to hold it."""
        self.touch()
        if self.board_info.to_gpio(name) in self._busy:
            raise GPIOPinInUse(f"pin {name} is already in use by another process")
        return super().pin(name, pin_class, **kwargs)

    def line(self, name: str) -> MockLine:
        """The pin, for who drives it from outside; it must have been opened by a port."""
        for info, pin in self.pins.items():
            if name in info.names and isinstance(pin, MockLine):
                return pin
        raise MockCommandError(f"no port uses pin {name}")

    def lines(self) -> dict[str, MockLine]:
        """Every opened pin by name."""
        return {pin.name: pin for pin in self.pins.values()}

    def hold_by_another(self, name: str, *, held: bool) -> None:
        """Fault: claims of this pin are refused."""
        try:
            gpio = self.board_info.to_gpio(name)
        except GPIOZeroError as error:
            raise MockCommandError(str(error)) from error
        (self._busy.add if held else self._busy.discard)(gpio)

    def hang(self, name: str, every_ns: int) -> None:
        """Fault: the wire hangs in the air, and pulses so often with nobody at it; 0 ends that."""
        line = self.line(name)
        self._flickers.pop(line.name, None)
        if every_ns:
            self._flickers[line.name] = self.clock(), every_ns

    def touch(self) -> None:
        """Fail as a vanished chip would."""
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")

    def deliver(self, method: Callable[[float, int], None], ticks: float, *, level: bool) -> None:
        """As lgpio's one thread does: a callback that raises ends the deliveries of every pin."""
        if self.notifier_died or self.gone:
            return
        try:
            method(ticks, int(level))
        except Exception:  # noqa: BLE001 - what the thread would die of is any exception at all
            self.notifier_died = True

    def record(self, pin: str, *, level: bool | None) -> None:
        """Remember what an output did."""
        self.recorded += 1
        self.history.append(OutputChange(number=self.recorded, pin=pin, level=level, at=self.clock()))
        if self.on_output is not None:
            self.on_output()

    def outputs_since(self, number: int) -> list[OutputChange]:
        """Every remembered change after that number; a first one above number + 1 means older are forgotten."""
        return [change for change in self.history if change.number > number]

    def schedule(self, pulses: Iterable[tuple[str, Monotonic]]) -> None:
        """Data pulses to come, each (pin, when); those that are due are delivered by `deliver_due`, in order."""
        new = [(self.line(name), at) for name, at in pulses]
        if len(self._agenda) + len(new) > AGENDA:
            raise MockCommandError(f"more than {AGENDA} edges would be waiting")
        for line, at in new:
            self._scheduled += 1
            heapq.heappush(self._agenda, (at, self._scheduled, line))

    def next_due(self) -> Monotonic | None:
        """When the next scheduled pulse happens."""
        waiting = [at for at, _ in self._flickers.values()]
        return min(waiting + [at for at, _, _ in self._agenda[:1]], default=None)

    def deliver_due(self, now: Monotonic) -> Monotonic:
        """Hand over what has happened by now, as the kernel would have; returns now: nothing earlier is under way."""
        while (due := self.next_due()) is not None and due <= now:
            flickering = [name for name, (at, _) in self._flickers.items() if at == due]
            for name in flickering:
                every_ns = self._flickers[name][1]
                self._flickers[name] = Monotonic(due + every_ns), every_ns
                self.line(name).pulse(due)
            if not flickering:
                at, _, line = heapq.heappop(self._agenda)
                for name, later in self.wired.get(line.name, ((line.name, 0),)):
                    self.line(name).pulse(Monotonic(at + later))
        return now
