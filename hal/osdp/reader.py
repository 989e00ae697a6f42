"""OSDP readers as ports: Reader, Indicator and Contacts over one line, so that a door cannot tell them from others.

A reader is armed while it is online, which it only is in a secure session (or where plain text was allowed). What it
has in clear, unasked or with a wrong MAC never gets here as a card: it is a ReaderMisused. Times are when bytes were
read. A reader that comes back is shown again what it should show.
"""

from collections.abc import Callable, Sequence
from typing import Final, assert_never

from hal.errors import ConfigurationError, HalError
from hal.events import (
    CardBits,
    FaultKind,
    FrameRefused,
    Key,
    KeyPressed,
    Monotonic,
    ReaderArmed,
    ReaderEvent,
    ReaderFault,
    ReaderMisused,
)
from hal.osdp import commands
from hal.osdp.bus import Bus
from hal.osdp.commands import Blink, CardData, Color, Com, Command, Identity, Keys, Levels, LocalStatus
from hal.osdp.happenings import (
    Happening,
    Heard,
    KeyInstalled,
    Misuse,
    Misused,
    Offline,
    Online,
    Refused,
)
from hal.osdp.inputs import OsdpInput
from hal.osdp.session import ReaderSettings
from hal.ports import Light
from hal.wiegand.tally import Why

LIGHTS: Final = {
    Light.OFF: Blink(on=Color.BLACK),
    Light.IDLE: Blink(on=Color.RED),
    Light.GRANTED: Blink(on=Color.GREEN),
    Light.DENIED: Blink(on=Color.RED, on_ds=1, off_ds=1),
    Light.WAITING: Blink(on=Color.AMBER, on_ds=5, off_ds=5),
}
"""As an LED wire shows them, with colours where that is dark or lit: red at rest, as most readers are."""
KEYS: Final = {
    **{ord(str(digit)): Key(str(digit)) for digit in range(10)},
    0x7F: Key.ESC,
    ord("*"): Key.ESC,
    0x0D: Key.ENTER,
    ord("#"): Key.ENTER,
}
_DECISECOND_MS: Final = 100
_MOST: Final = 0xFF


class OsdpReader:
    """The Reader port of one address; made by OsdpLine."""

    def __init__(
        self, *, name: str, settings: ReaderSettings, accept: Callable[[int, int], bool], bus: Bus,
        begin: Callable[[], None], on_key: Callable[[bytes], None],
    ) -> None:  # fmt: skip
        """`accept(length, raw)`: the configured format's word; `on_key`: a new key has come to count in the reader."""
        self._name = name
        self.settings = settings
        self._accept, self._bus, self._begin, self._on_key = accept, bus, begin, on_key
        self._deliver: Callable[[ReaderEvent], None] | None = None
        self.indicator = OsdpIndicator(self._order)
        self.tamper = OsdpInput(f"{name} tamper", level=False)
        """Not active before the reader said anything, and as it was while it is away: that is a fault of its own."""
        self._inputs: dict[int, OsdpInput] = {}
        self.online: Online | None = None
        """What it said of itself when it came online; None while it is not."""
        self.refused_orders = 0
        self.claimed: Identity | None = None
        """Who it said it was when it was asked last; nothing proves it."""
        self._asking = False

    @property
    def name(self) -> str:
        """The name that its events carry."""
        return self._name

    @property
    def baud(self) -> int:
        """Its line's speed now."""
        return self._bus.baud

    @property
    def keyless(self) -> bool:
        """No key is known of it: it is offline until it is installed, or plain where that is allowed."""
        return self.settings.key is None and self.settings.new_key is None

    def input(self, number: int, name: str, *, active_high: bool = True) -> OsdpInput:
        """One of the reader's own inputs, counted from 0; ConfigurationError where it has a use already."""
        if number in self._inputs:
            raise ConfigurationError(f"input {number} of reader {self._name} is claimed twice: at last by {name}")
        self._inputs[number] = OsdpInput(name, active_high=active_high)
        return self._inputs[number]

    def start(self, deliver: Callable[[ReaderEvent], None]) -> None:
        """Begin to read; armed once it is online."""
        self._deliver = deliver
        self._begin()

    def counters(self) -> dict[str, int | float]:
        """What the line did for and with it."""
        return {**self._bus.counters(self.settings.address), "refused_orders": self.refused_orders}

    def configure(self, settings: ReaderSettings) -> None:
        """Other keys or rights, of the same address; its session begins anew."""
        self._asking = False
        self.settings = settings
        self._bus.configure(settings)

    def ask_who(self) -> None:
        """Have it say who it is, in clear, for whoever is about to install it; `claimed` has the answer.

        Until `configure` nothing else that comes from it is passed on.
        """
        self.claimed, self._asking = None, True
        self._bus.configure(ReaderSettings(address=self.settings.address, allow_plain=True))

    def close(self) -> None:
        """Not heard any more; the line goes on for its other readers."""
        self._deliver = None

    def happened(self, happening: Happening, at: Monotonic) -> None:
        """From the line."""
        if self._asking:
            self.claimed = happening.identity if isinstance(happening, Online) else self.claimed
            return
        match happening:
            case Online():
                self.online = happening
                self._ask_again()
                self._say(ReaderArmed(reader=self._name, at=at))
            case Offline():
                self.online = None
                self._inputs_lost(at, f"reader {self._name} is offline")
                self._say(ReaderFault(reader=self._name, kind=FaultKind.OFFLINE, at=at))
            case Heard(what=what):
                self._heard(what, at)
            case Misused(how=Misuse.DOWNGRADE) if self.keyless:
                pass  # it was never installed: that it asks for no key is nobody's misuse
            case Misused(how=how):
                if how is Misuse.MALFORMED:
                    self._say(FrameRefused(reader=self._name, why=how.value, bits=0, at=at))
                else:
                    self._say(ReaderMisused(reader=self._name, how=how.value, at=at))
            case KeyInstalled(key=key):
                self.settings = ReaderSettings(
                    address=self.settings.address, key=key, allow_plain=self.settings.allow_plain
                )
                self._on_key(key)
            case Refused(command=command):
                self._refused(command, at)
            case _:
                assert_never(happening)

    def _ask_again(self) -> None:
        """What may have changed while it was away, and what it should show."""
        self._order(Command.LOCAL_STATUS, b"")
        if self._inputs:
            self._order(Command.INPUT_STATUS, b"")
        self.indicator.show_again()

    def _heard(self, what: CardData | Keys | LocalStatus | Levels | Com, at: Monotonic) -> None:
        match what:
            case CardData(length=length, raw=raw):
                if self._accept(length, raw):
                    self._say(CardBits(reader=self._name, length=length, raw=raw, at=at))
                else:
                    self._say(FrameRefused(reader=self._name, why=Why.FORMAT.value, bits=length, at=at))
            case Keys(pressed=pressed):
                for key in map(KEYS.get, pressed):
                    if key is not None:
                        self._say(KeyPressed(reader=self._name, key=key, at=at))
            case LocalStatus(tamper=tamper):
                self.tamper.reported(at, level=tamper)
            case Levels(active=active):
                self._inputs_are(active, at)
            case Com():
                pass  # the line's business
            case _:
                assert_never(what)

    def _inputs_are(self, active: tuple[bool, ...], at: Monotonic) -> None:
        for number, one in self._inputs.items():
            if number < len(active):
                one.reported(at, level=active[number], lasted=self._bus.waited(self.settings.address))
            else:
                one.lost(at, f"reader {self._name} has no input {number}, only {len(active)}")

    def _refused(self, command: int, at: Monotonic) -> None:
        self.refused_orders += 1
        if command == Command.INPUT_STATUS:
            self._inputs_lost(at, f"reader {self._name} does not tell its inputs")

    def _inputs_lost(self, at: Monotonic, why: str) -> None:
        for one in self._inputs.values():
            one.lost(at, why)

    def _say(self, event: ReaderEvent) -> None:
        if self._deliver is not None:
            self._deliver(event)

    def _order(self, command: Command, data: bytes) -> None:
        self._bus.order(self.settings.address, command, data)


class OsdpIndicator:
    """The Indicator port over LED and BUZ commands. An order to a reader that is away waits for it."""

    def __init__(self, order: Callable[[Command, bytes], None]) -> None:
        self._order = order
        self._shown = Light.OFF

    def light(self, light: Light, on_fault: Callable[[HalError], None] | None = None) -> None:  # noqa: ARG002  the port's signature; an absent reader is its own fault
        """Show this until told otherwise."""
        self._shown = light
        self.show_again()

    def beep(self, pattern_ms: tuple[int, ...], on_fault: Callable[[HalError], None] | None = None) -> None:  # noqa: ARG002  as above
        """Sound for these milliseconds, to the nearest tenth of a second; a new pattern replaces the old."""
        self._order(Command.BUZZER, sound(pattern_ms))

    def show_again(self) -> None:
        """What it should show now."""
        self._order(Command.LED, commands.led(lasting=LIGHTS[self._shown]))

    def close(self) -> None:
        """Dark and silent, if the line still carries it; idempotent."""
        if self._shown is not Light.OFF:
            self.light(Light.OFF)


class OsdpLine:
    """One RS-485 line and its readers; opened when the first of them is started."""

    def __init__(self, bus: Bus, given_back: Callable[[], None]) -> None:
        self.bus = bus
        self._given_back = given_back
        self._begun = False
        self.readers: dict[int, OsdpReader] = {}

    def reader(
        self, *, name: str, settings: ReaderSettings, accept: Callable[[int, int], bool],
        on_key: Callable[[bytes], None],
    ) -> OsdpReader:  # fmt: skip
        """A reader at an address that nobody else has here."""
        reader = OsdpReader(
            name=name, settings=settings, accept=accept, bus=self.bus, begin=self._begin, on_key=on_key
        )  # fmt: skip
        self.readers[settings.address] = reader
        self.bus.configure(settings)
        return reader

    def close(self) -> None:
        """Give the port back; idempotent."""
        self.bus.close()
        self._given_back()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self.bus.start(lambda address, happening, at: self.readers[address].happened(happening, at))


def sound(pattern_ms: Sequence[int]) -> bytes:
    """On, off, on … in milliseconds as OSDP's one rhythm: the first on and off, as often as there are ons."""
    if not pattern_ms:
        return commands.buzzer(on_ds=0, off_ds=0, count=0)
    on, off = (_deciseconds(pattern_ms[place]) if place < len(pattern_ms) else 1 for place in (0, 1))
    return commands.buzzer(on_ds=on, off_ds=off, count=min(_MOST, (len(pattern_ms) + 1) // 2))


def _deciseconds(milliseconds: int) -> int:
    return min(_MOST, max(1, round(milliseconds / _DECISECOND_MS)))
