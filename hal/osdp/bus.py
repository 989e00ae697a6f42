"""One RS-485 line on the event loop: pyserial's port, the CP, and timers between them.

The port is read and written without blocking, through the loop. A device that vanishes is let go of at once and opened
again with a pause that grows to five seconds; meanwhile its readers are offline, nothing spins, and other lines go on.
Which end of the pair drives the line is the kernel's business where the port can do it (TIOCSRS485), else RTS's.
What raises in here breaks this line and no other.
"""

import asyncio
import logging
import os
import termios
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol

import serial
from serial.rs485 import RS485Settings

from hal.clock import monotonic_now
from hal.events import SECOND, Monotonic
from hal.osdp.commands import Command
from hal.osdp.cp import Cp, Effect, Send, Told
from hal.osdp.happenings import Happening
from hal.osdp.session import ReaderSettings

Deliver = Callable[[int, Happening, Monotonic], None]
"""Of which address, what, and when the bytes that said it were read."""
FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 5.0
READ: Final = 4096
MOST_AT_ONCE: Final = 64
"""Bytes; less than any kernel keeps for a port."""
BUDGET: Final = 0.08
"""Of a core, for a process whose readers nobody uses; where they are used, the line is polled as fast as it can be."""
SMOOTHED: Final = 1 / 64
SLOWEST_PACE: Final = 20_000_000
"""20 ms from one request to the next, however slow the machine is."""

log = logging.getLogger(__name__)


class Port(Protocol):
    """An open line."""

    def write(self, frame: bytes) -> None:
        """Queue one burst; OSError where the device is gone."""
        ...

    def expect(self, least: int) -> None:
        """Fewer bytes need not be told of; a port may tell of them all the same."""
        ...

    def pending(self) -> bytes:
        """What has come and was not told of."""
        ...

    def set_speed(self, baud: int) -> None:
        """From now on; OSError where it does not know this speed, or the device is gone."""
        ...

    def close(self) -> None:
        """Give it back; idempotent."""
        ...


OpenPort = Callable[[Callable[[bytes], None], Callable[[], None]], Port]
"""Opens the line: what is heard goes to the first, the end of the device to the second; OSError where it is not there.

Both are called on the loop's thread.
"""


class SerialPort:
    """A tty through pyserial, read and written without blocking."""

    def __init__(
        self, device: str, *, baud: int, rts_drives: bool, heard: Callable[[bytes], None], lost: Callable[[], None]
    ) -> None:
        """`rts_drives`: the port's RTS switches the transceiver, and the kernel does it. OSError: it is not there."""
        self._heard, self._lost = heard, lost
        self._serial = serial.Serial(device, baud, timeout=0, write_timeout=0, exclusive=True)
        try:
            if rts_drives:
                self._serial.rs485_mode = RS485Settings()
            self._least = 0
            self.expect(1)
            self._serial.reset_input_buffer()
        except (OSError, ValueError, termios.error) as error:
            self._serial.close()
            raise OSError(f"{device}: {error}") from error
        asyncio.get_running_loop().add_reader(self._serial.fileno(), self._readable)

    def write(self, frame: bytes) -> None:
        """One burst; what the kernel has no room for is lost, as on a bad wire, and asked for again."""
        with suppress(BlockingIOError):
            os.write(self._serial.fileno(), frame)

    def set_speed(self, baud: int) -> None:
        """What was sent is out by then: an exchange is over before. OSError where the port does not take this speed."""
        try:
            self._serial.baudrate = baud
            taken = termios.tcgetattr(self._serial.fileno())[5]
        except (termios.error, ValueError) as error:
            raise OSError(f"{baud} baud: {error}") from error
        if taken != getattr(termios, f"B{baud}", taken):  # a driver that knows it not sets another and says no word
            raise OSError(f"{baud} baud: the port runs at another speed")
        self._least = 0  # pyserial has set it anew
        self.expect(1)

    def expect(self, least: int) -> None:
        """The kernel wakes us for so many: once an answer and not for each handful of its bytes."""
        if least == self._least:
            return
        with suppress(termios.error):  # it is gone: reading will say so
            attributes = termios.tcgetattr(self._serial.fileno())
            attributes[6][termios.VMIN] = min(least, MOST_AT_ONCE)
            termios.tcsetattr(self._serial.fileno(), termios.TCSANOW, attributes)
            self._least = least

    def pending(self) -> bytes:
        """What the kernel has not woken us for."""
        try:
            return os.read(self._serial.fileno(), READ)
        except OSError:  # there is nothing, or no line any more, and then the loop says so
            return b""

    def close(self) -> None:
        """Give it back; idempotent."""
        if self._serial.is_open:
            asyncio.get_running_loop().remove_reader(self._serial.fileno())
            with suppress(OSError):  # it is gone already
                self._serial.close()

    def _readable(self) -> None:
        try:
            untrusted = os.read(self._serial.fileno(), READ)
        except BlockingIOError:
            return
        except OSError:
            untrusted = b""
        if untrusted:
            self._heard(untrusted)
        else:  # a line that is readable and has nothing is gone
            self._lost()


def serial_port(device: str, *, baud: int, rts_drives: bool = False) -> OpenPort:
    """How a Bus opens a tty."""
    return lambda heard, lost: SerialPort(device, baud=baud, rts_drives=rts_drives, heard=heard, lost=lost)


class Bus:
    """One line and its readers."""

    def __init__(
        self,
        name: str,
        open_port: OpenPort,
        *,
        baud: int,
        readers: Sequence[ReaderSettings] = (),
        clock: Callable[[], Monotonic] = monotonic_now,
        nonce: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """`name` for messages; `baud` 9600 to 230400, which the CP counts characters by."""
        self._name, self._open_port, self._clock = name, open_port, clock
        self._cp = Cp(readers, baud=baud, now=clock(), nonce=nonce)
        self._baud = self._opens_at = baud
        self._deliver: Deliver | None = None
        self._port: Port | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pause_s = FIRST_PAUSE_S
        self._spent, self._cost = time.thread_time_ns(), 0.0
        self._closed = False
        self.opened = 0
        """How often the device was opened."""
        self.attempts = 0
        """And how often that was tried."""

    @property
    def baud(self) -> int:
        """Of the line now."""
        return self._baud

    @property
    def is_open(self) -> bool:
        """Whether the device is there."""
        return self._port is not None

    def configure(self, settings: ReaderSettings) -> None:
        """Add a reader, or begin anew with one whose settings changed."""
        self._cp.configure(settings, self._clock())
        self._arm()

    def start(self, deliver: Deliver) -> None:
        """Begin; `deliver` is called on the loop's thread. A missing device is waited for."""
        self._deliver = deliver
        self._open()

    def order(self, address: int, command: Command, data: bytes) -> None:
        """To be carried out when the reader is online; of a kind only the last counts."""
        self._cp.order(address, command, data, self._clock())
        self._arm()

    def counters(self, address: int) -> dict[str, int | float]:
        """What the line did for a reader."""
        return self._cp.counters(address).report(self._clock())

    def waited(self, address: int) -> int:
        """Nanoseconds that a reader could not say what it says in its latest answer."""
        return self._cp.waited(address)

    def addresses(self) -> frozenset[int]:
        """Of its readers."""
        return self._cp.addresses()

    def online(self) -> frozenset[int]:
        """Addresses of readers in an open session."""
        return self._cp.online()

    def left(self) -> frozenset[int]:
        """Addresses of readers that have taken another speed."""
        return self._cp.left()

    def takes(self, baud: int) -> bool:
        """Whether the port is there and can have this speed; an exchange under way is asked for again."""
        if self._port is None:
            return False
        known = _at_speed(self._port, baud)
        if not _at_speed(self._port, self._baud):
            self._lost()
            return False
        return known

    def set_speed(self, baud: int) -> None:
        """Of the port and in the CP, also when the device comes back; readers must have been told (speed.py)."""
        self._baud = baud
        if self._port is not None and not _at_speed(self._port, baud):
            self._lost()  # it has this speed when it comes back
        self._cp.set_speed(baud, self._clock())
        self._arm()

    def close(self) -> None:
        """Give the port back; idempotent."""
        self._closed = True
        self._disarm()
        self._let_go()

    def _open(self) -> None:
        """The door stays as it is where the device is missing: it is tried again, with growing pauses."""
        self._timer = None
        self.attempts += 1
        try:
            self._port = self._open_port(self._heard, self._lost)
            if self._baud != self._opens_at:
                self._port.set_speed(self._baud)
        except OSError as error:
            log.debug("%s: %s", self._name, error)
            self._let_go()
            self._timer = asyncio.get_running_loop().call_later(self._pause_s, self._open)
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            return
        self.opened += 1
        self._pause_s = FIRST_PAUSE_S
        self._arm()

    def _heard(self, untrusted: bytes) -> None:
        now = self._clock()
        self._guarded(lambda: self._cp.receive(untrusted, now), now)

    def _on_time(self) -> None:
        self._timer = None
        now = self._clock()
        pending = b"" if self._port is None else self._port.pending()
        self._guarded(lambda: [*self._cp.receive(pending, now), *self._cp.on_deadline(now)], now)

    def _guarded(self, work: Callable[[], Iterable[Effect]], now: Monotonic) -> None:
        """A fault of ours breaks this line: its readers are offline until doord is started again."""
        try:
            effects = list(work())
        except Exception:  # noqa: BLE001 - the wall between lines: an exception here must not reach another's
            log.critical("line %s: %s", self._name, traceback.format_exc(limit=-3))
            self.close()
            return
        for effect in effects:
            if isinstance(effect, Send):
                self._write(effect.frame)
                self._keep_budget()
            else:
                self._tell(effect, now)
        self._arm()

    def _write(self, frame: bytes) -> None:
        try:
            if self._port is not None:
                self._port.write(frame)
        except OSError:
            self._lost()

    def _keep_budget(self) -> None:
        """What this thread has done since the last request, all lines and doors, is what an exchange costs here."""
        spent, self._spent = time.thread_time_ns() - self._spent, time.thread_time_ns()
        self._cost += (spent - self._cost) * SMOOTHED
        self._cp.pace = min(SLOWEST_PACE, int(self._cost / BUDGET))

    def _tell(self, told: Told, now: Monotonic) -> None:
        if self._deliver is not None:
            self._deliver(told.address, told.happening, now)

    def _arm(self) -> None:
        """One timer, at the CP's next deadline."""
        if self._port is None or self._closed:
            return
        self._disarm()
        self._port.expect(self._cp.expected())
        wait = max(0, self._cp.next_deadline() - self._clock()) / SECOND
        self._timer = asyncio.get_running_loop().call_later(wait, self._on_time)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lost(self) -> None:
        """The device is gone: never spin on its descriptor."""
        self._disarm()
        self._let_go()
        if not self._closed:
            self._timer = asyncio.get_running_loop().call_later(self._pause_s, self._open)

    def _let_go(self) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        port.close()
        for effect in self._cp.closed(self._clock()):
            if not isinstance(effect, Send):
                self._tell(effect, self._clock())


def _at_speed(port: Port, baud: int) -> bool:
    """Whether the port has taken it."""
    try:
        port.set_speed(baud)
    except OSError as error:
        # the door stays as it is: whoever asked keeps the old speed, or opens the port anew
        log.debug("%d baud: %s", baud, error)
        return False
    return True
