"""Opens a backend and hands out ports: the one place where doord meets a board, of metal or made up.

Nothing falls back: a backend that does not open is an error, never another backend. A pin has one user, and a
second claim names both. Pins are named as gpiozero names them: "GPIO14", "J8:8", "BOARD8" are one pin.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar, assert_never

from gpiozero.exc import GPIOZeroError

from hal.chip import Chip
from hal.clock import monotonic_now
from hal.errors import ConfigurationError
from hal.events import Monotonic
from hal.gpio import GpioContact, GpioIndicator, GpioStrike
from hal.lgpio_chip import open_lgpio
from hal.mock import MockChip
from hal.osdp.bus import Bus, OpenPort, serial_port
from hal.osdp.emulator import Emulator
from hal.osdp.mock_line import MockLine, made_up_reader
from hal.osdp.reader import OsdpLine, OsdpReader
from hal.osdp.session import ReaderSettings
from hal.ports import StrikeType
from hal.wiegand.decoder import Decoder
from hal.wiegand.gpiod_source import GpiodEdgeSource, find_gpiod
from hal.wiegand.keys import Keypad
from hal.wiegand.reader import WiegandReader
from hal.wiegand.source import EdgeSource, PinEdgeSource

Backend = Literal["gpiozero", "mock"]
Pull = Literal["up", "down", "none"]
GPIOZERO_PULLS = {"up": "up", "down": "down", "none": "floating"}

Port = WiegandReader | GpioStrike | GpioContact | GpioIndicator | OsdpLine
OpenSource = Callable[[str, str, str], EdgeSource]
"""(reader's name, D0's pin, D1's pin) to where its edges come from."""
P = TypeVar("P", WiegandReader, GpioStrike, GpioContact, GpioIndicator)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderWiring:
    """A reader and what it was made of."""

    reader: WiegandReader
    d0: str
    d1: str
    keypad: Keypad | None
    source: str
    """What its edges come through: gpiod or pins."""


class Board:
    """An open board. Ports are made before or while the loop runs, always on its thread."""

    def __init__(self, chip: Chip, *, mock: MockChip | None = None, gpiod_source: OpenSource | None = None) -> None:
        self.chip = chip
        """For ports of other kinds that want pins of this chip."""
        self._gpiod_source = gpiod_source
        self.mock = mock
        """The made-up chip, to be driven; None on metal."""
        self._users: dict[str, str] = {}
        self._ports: list[Port] = []
        self.readers: dict[str, ReaderWiring] = {}
        """Wiegand readers by name."""
        self.lines: dict[str, OsdpLine] = {}
        """OSDP lines by device."""
        self.mock_lines: dict[str, MockLine] = {}
        """What is behind them on a mock board."""
        self.made_up: dict[str, Emulator] = {}
        """And the readers there, by name."""
        self._bauds: dict[str, int] = {}
        self._closed = False

    @property
    def label(self) -> str:
        """What `doorctl status` calls the chip."""
        return self.chip.label

    @property
    def users(self) -> dict[str, str]:
        """Who uses which pin, by gpiozero's name of it."""
        return dict(self._users)

    def wiegand_reader(
        self,
        *,
        name: str,
        d0: str,
        d1: str,
        card_lengths: frozenset[int],
        accept: Callable[[int, int], bool],
        keypad: Keypad | None = None,
    ) -> WiegandReader:
        """A reader on two data lines; `accept(length, raw)` is the configured format's word on a card frame."""
        chip = self.chip

        open_source: OpenSource = self._gpiod_source or self._pin_source

        def make_decoder(now: Monotonic) -> Decoder:
            return Decoder(name=name, card_lengths=card_lengths, accept=accept, keypad=keypad, now=now)

        def make(given_back: Callable[[], None]) -> WiegandReader:
            make_decoder(chip.clock())  # refuses impossible combinations before a pin is touched
            source = open_source(name, d0, d1)
            return WiegandReader(
                name=name, source=source, make_decoder=make_decoder, clock=chip.clock, given_back=given_back
            )

        reader = self._claim(f"reader {name}", {"d0": d0, "d1": d1}, make)
        through = "pins" if self._gpiod_source is None else "gpiod"
        self.readers[name] = ReaderWiring(reader=reader, d0=d0, d1=d1, keypad=keypad, source=through)
        return reader

    def _pin_source(self, name: str, d0: str, d1: str) -> EdgeSource:
        return PinEdgeSource(self.chip, name=name, d0=d0, d1=d1)

    def osdp_reader(
        self,
        *,
        name: str,
        device: str,
        baud: int,
        settings: ReaderSettings,
        accept: Callable[[int, int], bool],
        on_key: Callable[[bytes], None],
        rts_drives: bool = False,
    ) -> OsdpReader:
        """A reader at its address on a line, which all readers of the device share; the line opens when one starts."""
        if self._closed:
            raise ConfigurationError(f"reader {name}: the board is closed")
        line = self.lines.get(device)
        if line is None:
            line = self._osdp_line(device, baud, rts_drives=rts_drives)
        elif self._bauds[device] != baud:
            raise ConfigurationError(f"reader {name}: {device} runs at {self._bauds[device]} baud, not at {baud}")
        other = line.readers.get(settings.address)
        if other is not None:
            raise ConfigurationError(
                f"address {settings.address} of {device} is claimed twice: by {other.name} and by {name}"
            )
        if self.mock is not None:
            made_up = self.made_up[name] = made_up_reader(self.mock, name, settings)
            self.mock_lines[device].readers[settings.address] = made_up
        return line.reader(name=name, settings=settings, accept=accept, on_key=on_key)

    def _osdp_line(self, device: str, baud: int, *, rts_drives: bool) -> OsdpLine:
        if self.mock is not None:
            mock = self.mock_lines[device] = MockLine(baud)
            open_port: OpenPort = mock.open
        else:
            open_port = serial_port(device, baud=baud, rts_drives=rts_drives)
        bus = Bus(device, open_port, baud=baud, clock=self.chip.clock)
        line = OsdpLine(bus, given_back=lambda: None)
        self.lines[device], self._bauds[device] = line, baud
        self._ports.append(line)
        return line

    def strike(self, *, pin: str, strike_type: StrikeType, active_high: bool = True) -> GpioStrike:
        """A strike, secured from its first moment; `active_high`: a high pin powers it."""
        return self._claim(
            f"strike {pin}",
            {"": pin},
            lambda given_back: GpioStrike(
                self.chip, pin=pin, strike_type=strike_type, active_high=active_high, given_back=given_back
            ),
        )

    def contact(self, *, name: str, pin: str, active_high: bool = True, pull: Pull = "up") -> GpioContact:
        """A door position switch, REX or tamper input."""
        return self._claim(
            f"input {name}",
            {"": pin},
            lambda given_back: GpioContact(
                self.chip,
                name=name,
                pin=pin,
                active_high=active_high,
                pull=GPIOZERO_PULLS[pull],
                given_back=given_back,
            ),
        )

    def indicator(self, *, led: str | None, buzzer: str | None, active_high: bool = True) -> GpioIndicator:
        """A reader's LED and buzzer wires; either may be absent."""
        pins = {what: pin for what, pin in (("led", led), ("buzzer", buzzer)) if pin is not None}
        return self._claim(
            "indicator",
            pins,
            lambda given_back: GpioIndicator(
                self.chip, led=led, buzzer=buzzer, active_high=active_high, given_back=given_back
            ),
        )

    def close(self) -> None:
        """Close every port, strikes first, then the chip; idempotent. An error is raised when all else is closed."""
        if self._closed:
            return
        self._closed = True
        failed: Exception | None = None
        for port in sorted(self._ports, key=lambda port: not isinstance(port, GpioStrike)):
            try:
                port.close()
            except Exception as error:  # noqa: BLE001 - the other strikes must still be secured
                failed = error
        try:
            with self.chip.edge_of_library("closing"):
                self.chip.factory.close()
        except Exception as error:  # noqa: BLE001 - the port's error came first and says more
            failed = failed or error
        if failed is not None:
            raise failed

    def _claim(self, user: str, pins: dict[str, str], make: Callable[[Callable[[], None]], P]) -> P:
        """Check that the pins are free, make the port, and free them when it closes."""
        if self._closed:
            raise ConfigurationError(f"{user}: the board is closed")
        claimed: dict[str, str] = {}
        for what, pin in pins.items():
            canonical = self._canonical(pin)
            holder = {**self._users, **claimed}.get(canonical)
            mine = f"{user} {what}".strip()
            if holder is not None:
                raise ConfigurationError(f"pin {pin} is claimed twice: by {holder} and by {mine}")
            claimed[canonical] = mine

        def given_back() -> None:
            for canonical in claimed:
                self._users.pop(canonical, None)

        port = make(given_back)
        self._users.update(claimed)
        self._ports.append(port)
        return port

    def _canonical(self, pin: str) -> str:
        """The one name of a pin that has many."""
        try:
            return str(self.chip.factory.board_info.to_gpio(pin))
        except (GPIOZeroError, ValueError) as error:
            raise ConfigurationError(f"{pin!r} is not a gpio pin; gpiozero names them GPIO2 to GPIO27") from error


def open_board(backend: Backend, chip: str | None = None, *, clock: Callable[[], Monotonic] = monotonic_now) -> Board:
    """Open the backend that the configuration names; `chip` is a label or number, of metal only.

    `clock` is the mock's (tests give a virtual one); the metal's is the kernel's.
    """
    match backend:
        case "gpiozero":
            opened = open_lgpio(chip)
            return Board(opened, gpiod_source=_gpiod_source(opened))
        case "mock":
            mock = MockChip(clock)
            return Board(mock.chip(), mock=mock)
        case _:
            assert_never(backend)


def _gpiod_source(chip: Chip) -> OpenSource | None:
    """Reads Wiegand lines through gpiod; None where that is not installed, and the pins are read."""
    gpiod = find_gpiod()
    if gpiod is None or chip.device is None:
        return None
    device = f"/dev/{chip.device.name}"

    def open_source(name: str, d0: str, d1: str) -> EdgeSource:
        first, second = (int(chip.factory.board_info.to_gpio(pin).removeprefix("GPIO")) for pin in (d0, d1))
        return GpiodEdgeSource(gpiod, chip, device=device, name=name, lines=(first, second))

    return open_source
