"""One RS-485 line on the event loop: pyserial's port, the CP, and timers between them.

The port is read and written without blocking, through the loop. A device that vanishes is let go of at once and opened
again with a pause that grows to five seconds; meanwhile its readers are offline, nothing spins, and other lines go on.
Which end of the pair drives the line is the kernel's business where the port can do it (TIOCSRS485), else RTS's.
What raises in here breaks this line and no other.
"""

import asyncio
import logging
import os
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

import serial
from serial.rs485 import RS485Settings

from hal.clock import monotonic_now
from hal.events import Monotonic
from hal.osdp.commands import Command
from hal.osdp.cp import Counters, Cp, Effect, Send, Told
from hal.osdp.happenings import Happening
from hal.osdp.session import ReaderSettings

Deliver = Callable[[int, Happening, Monotonic], None]
"""Of which address, what, and when the bytes that said it were read."""
FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 5.0
READ: Final = 4096
_NANOSECONDS: Final = 1_000_000_000

log = logging.getLogger(__name__)


class Bus:
    """One line and its readers."""

    def __init__(
        self,
        device: str,
        *,
        baud: int,
        readers: Sequence[ReaderSettings] = (),
        rts_drives: bool = False,
        clock: Callable[[], Monotonic] = monotonic_now,
        nonce: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """`baud` 9600 to 230400; `rts_drives`: the port's RTS switches the transceiver, and the kernel does it."""
        self._device, self._baud, self._rts_drives, self._clock = device, baud, rts_drives, clock
        self._cp = Cp(readers, baud=baud, now=clock(), nonce=nonce)
        self._deliver: Deliver | None = None
        self._port: serial.Serial | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pause_s = FIRST_PAUSE_S
        self._closed = False
        self.opened = 0
        """How often the device was opened."""

    @property
    def is_open(self) -> bool:
        """Whether the device is there."""
        return self._port is not None

    def configure(self, settings: ReaderSettings) -> None:
        """Add a reader, or begin anew with one whose settings changed."""
        self._cp.configure(settings, self._clock())
        if self._port is not None:
            self._arm()

    def start(self, deliver: Deliver) -> None:
        """Begin; `deliver` is called on the loop's thread. A missing device is waited for."""
        self._deliver = deliver
        self._open()

    def order(self, address: int, command: Command, data: bytes) -> None:
        """To be carried out when the reader is online; of a kind only the last counts."""
        self._cp.order(address, command, data)
        if self._port is not None:
            self._arm()

    def counters(self, address: int) -> Counters:
        """What the line did for a reader."""
        return self._cp.counters(address)

    def close(self) -> None:
        """Give the port back; idempotent."""
        self._closed = True
        self._disarm()
        self._let_go()

    def _open(self) -> None:
        self._timer = None
        try:
            port = serial.Serial(self._device, self._baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, serial.SerialException) as error:
            log.debug("%s: %s", self._device, error)
            return self._later()
        try:
            if self._rts_drives:
                port.rs485_mode = RS485Settings()
            port.reset_input_buffer()
        except (OSError, ValueError, serial.SerialException) as error:
            log.warning("%s: %s", self._device, error)
            port.close()
            return self._later()
        self._port = port
        self.opened += 1
        self._pause_s = FIRST_PAUSE_S
        asyncio.get_running_loop().add_reader(port.fileno(), self._readable)
        return self._arm()

    def _later(self) -> None:
        """The door stays as it is; the line is tried again, with growing pauses."""
        self._timer = asyncio.get_running_loop().call_later(self._pause_s, self._open)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _readable(self) -> None:
        assert self._port is not None
        try:
            untrusted = os.read(self._port.fileno(), READ)
        except BlockingIOError:
            return None
        except OSError:
            untrusted = b""
        if not untrusted:  # a line that is readable and has nothing is gone
            return self._lost()
        now = self._clock()
        return self._guarded(lambda: self._cp.receive(untrusted, now), now)

    def _on_time(self) -> None:
        self._timer = None
        now = self._clock()
        self._guarded(lambda: self._cp.on_deadline(now), now)

    def _guarded(self, work: Callable[[], Iterable[Effect]], now: Monotonic) -> None:
        """A fault of ours breaks this line: its readers are offline until doord is started again."""
        try:
            effects = list(work())
        except Exception:  # noqa: BLE001 - the wall between lines: an exception here must not reach another's
            log.critical("line %s: %s", self._device, traceback.format_exc(limit=-3))
            return self.close()
        for effect in effects:
            if isinstance(effect, Send):
                self._write(effect.frame)
            else:
                self._tell(effect, now)
        return self._arm()

    def _write(self, frame: bytes) -> None:
        """One burst; what the kernel has no room for is lost, as on a bad wire, and asked for again."""
        if self._port is None:
            return
        try:
            os.write(self._port.fileno(), frame)
        except BlockingIOError:
            return
        except OSError:
            self._lost()

    def _tell(self, told: Told, now: Monotonic) -> None:
        if self._deliver is not None:
            self._deliver(told.address, told.happening, now)

    def _arm(self) -> None:
        """One timer, at the CP's next deadline."""
        if self._port is None or self._closed:
            return
        self._disarm()
        wait = max(0, self._cp.next_deadline() - self._clock()) / _NANOSECONDS
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
            self._later()

    def _let_go(self) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        asyncio.get_running_loop().remove_reader(port.fileno())
        with suppress(OSError, serial.SerialException):  # it is gone already
            port.close()
        for effect in self._cp.closed():
            if not isinstance(effect, Send):
                self._tell(effect, self._clock())
