"""The metal: gpiozero's lgpio pins on a chip that is found by label or number, with a notifier of our own.

lgpio's Python thread dies of one exception in any callback, and then no input of the board is heard again; it also
cannot say whether reports still wait in its buffer. So alerts go to a pipe that we opened, and one thread here reads
it: it survives everything, knows when nothing is under way, and sees a pipe so full that reports may be missing.
lgpio is imported only when a board is opened (importing it makes a FIFO in the working directory).
"""

import fcntl
import os
import select
import struct
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from gpiozero.exc import GPIOZeroError, PinUnknownPi

from hal.chip import Chip, Device, WhenChanged
from hal.clock import monotonic_now
from hal.errors import ConfigurationError, DeviceGoneError
from hal.events import SECOND, Monotonic

SLACK_NS = 2_000_000
"""lgpio polls the chip every 0.5 ms and holds reports for another 0.5 ms to sort them; twice that."""
REPORT = struct.Struct("QBBBBI")
"""lgpio's lgGpioReport_t: time stamp in ns, chip, gpio, level, flags, padding."""
PIPE_BYTES = 65_536
"""What a Linux pipe holds; lgpio drops reports silently when it is full."""
WATCHDOG_LEVEL = 2
"""lgpio's report that nothing happened for a while; not an edge."""
ELSEWHERE_REVISION = 0xA02082
"""Off a Raspberry Pi gpiozero still wants a revision: that of a 3B, whose header has the names GPIO2 to GPIO27."""
PI_LABELS = ("pinctrl-rp1", "pinctrl-bcm2712", "pinctrl-bcm2711", "pinctrl-bcm2835")
"""The chip with the header's pins, newest board first; its number differs between kernels."""
DEVICES = Path("/dev")

Listener = Callable[[int, int], None]
"""(level after the edge, kernel time stamp in ns)."""


class Notifier:
    """Reads lgpio's alert pipe on a thread of its own and hands each report to the pin it is for."""

    def __init__(self, lgpio: ModuleType) -> None:
        self._lgpio = lgpio
        self.handle: int = lgpio.notify_open()
        self._pipe = os.open(f".lgd-nfy{self.handle}", os.O_RDONLY | os.O_NONBLOCK)
        self._end_read, self._end_write = os.pipe()
        self._listeners: dict[int, Listener] = {}
        self._busy = False
        self._taken = 0
        """Times the thread took reports out of the pipe."""
        self._taken_when_asked = 0
        self._waiting_since: Monotonic | None = None
        self.overruns = 0
        """Times the pipe was found full: reports may be missing."""
        self.failures = 0
        """Listeners that raised; each guards itself, so this should stay 0."""
        self._thread = threading.Thread(target=self._run, name="gpio-edges", daemon=True)
        self._thread.start()

    def listen(self, gpio: int, listener: Listener) -> None:
        """Reports of that line go there from now on."""
        self._listeners[gpio] = listener

    def forget(self, gpio: int) -> None:
        """Reports of that line go nowhere."""
        self._listeners.pop(gpio, None)

    def idle(self) -> bool:
        """Whether every report in the pipe so far has been handed over. Raises DeviceGoneError if the thread ended."""
        if not self._thread.is_alive():
            raise DeviceGoneError("the gpio notification pipe ended")
        # The thread says busy before it empties the pipe: an empty pipe first, then not busy, means all handed over.
        waiting = int.from_bytes(fcntl.ioctl(self._pipe, termios.FIONREAD, bytes(4)), "little")
        return waiting == 0 and not self._busy

    def unheard_for(self, now: Monotonic) -> int:
        """Nanoseconds, as far as calls of this saw, that reports wait and none was taken; DeviceGoneError as `idle`."""
        if self.idle() or self._taken != self._taken_when_asked:
            self._taken_when_asked, self._waiting_since = self._taken, None
            return 0
        if self._waiting_since is None:
            self._waiting_since = now
        return now - self._waiting_since

    def close(self) -> None:
        """Stop the thread and give the pipe back; idempotent."""
        if self._end_write < 0:
            return
        os.close(self._end_write)
        self._end_write = -1
        self._thread.join()
        os.close(self._end_read)
        os.close(self._pipe)
        self._lgpio.notify_close(self.handle)

    def _run(self) -> None:
        left = b""
        while True:
            readable, _, _ = select.select([self._pipe, self._end_read], [], [])
            if self._end_read in readable:
                return
            self._busy = True
            self._taken += 1
            read = os.read(self._pipe, PIPE_BYTES)
            if not read:
                return  # every input is deaf: `idle` says so, and the readers stop trusting what they have
            if len(read) > PIPE_BYTES - 4096:
                self.overruns += 1
            left = self._hand_over(left + read)
            self._busy = False

    def _hand_over(self, reports: bytes) -> bytes:
        """Call the listeners; returns the part of a report that is still incomplete."""
        whole = len(reports) - len(reports) % REPORT.size
        for at, _, gpio, level, flags, _ in REPORT.iter_unpack(reports[:whole]):
            listener = self._listeners.get(gpio)
            if listener is None or flags or level == WATCHDOG_LEVEL:
                continue
            try:
                listener(level, at)
            except Exception:  # noqa: BLE001 - any exception would end this thread and with it every input
                # Doors stay as they are; the ports guard themselves, so what arrives here is a bug of this file.
                self.failures += 1
        return reports[whole:]


def open_lgpio(chip: str | None) -> Chip:
    """Open a gpiochip by number ("4"), by label ("pinctrl-rp1"), or the board's main one.

    Raises ConfigurationError when lgpio is not installed, no chip or several fit, or the chip does not open.
    """
    try:
        import lgpio  # noqa: PLC0415 - an extra, and importing it makes a FIFO
        from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise ConfigurationError(
            f"gpio: lgpio does not load ({error}); install doorctl[board] and give it a writable working directory"
        ) from error
    number, label = find_chip(lgpio, chip, DEVICES)
    pin_class = _pin_class(lgpio, LGPIOPin)
    try:
        factory = _factory_class(lgpio, LGPIOFactory, pin_class)(number)
    except (lgpio.error, GPIOZeroError, OSError) as error:
        raise ConfigurationError(f"gpiochip{number}: {error}") from error
    notifier: Notifier = factory.notifier

    def complete_until(now: Monotonic) -> Monotonic | None:
        return Monotonic(now - SLACK_NS) if notifier.idle() else None

    return Chip(
        label=f"gpiochip{number} ({label})",
        factory=factory,
        library_errors=(lgpio.error, GPIOZeroError, OSError),
        clock=monotonic_now,
        complete_until=complete_until,
        losses=lambda: notifier.overruns,
        device=Device(name=f"gpiochip{number}", label=label),
        unheard_for=notifier.unheard_for,
    )


def find_chip(lgpio: ModuleType, wanted: str | None, devices: Path) -> tuple[int, str]:
    """(number, label) of the chip that was asked for. Chip 0 is never assumed: on some machines it is a power key's."""
    labels = {number: _label(lgpio, number) for number in _numbers(devices)}
    shown = ", ".join(f"{number} ({label})" for number, label in labels.items()) or "none"
    if wanted is None:
        for label in PI_LABELS:
            fitting = [number for number in labels if labels[number] == label]
            if fitting:
                return fitting[0], label
        fitting = list(labels)
    else:
        fitting = [number for number in labels if wanted in {str(number), f"gpiochip{number}", labels[number]}]
    if len(fitting) != 1:
        asked = "the board's main gpio chip" if wanted is None else f"gpio chip {wanted!r}"
        found = "not found" if not fitting else "could be several"
        raise ConfigurationError(f"{asked}: {found}; there are: {shown}")
    return fitting[0], labels[fitting[0]]


def _numbers(devices: Path) -> list[int]:
    suffixes = (path.name.removeprefix("gpiochip") for path in devices.glob("gpiochip*"))
    return sorted(int(suffix) for suffix in suffixes if suffix.isdecimal())


def _label(lgpio: ModuleType, number: int) -> str:
    try:
        handle = lgpio.gpiochip_open(number)
    except lgpio.error:
        return "does not open"  # no right or no device; named in the error if it was the one that was asked for
    try:
        return str(lgpio.gpio_get_chip_info(handle)[3])
    finally:
        lgpio.gpiochip_close(handle)


def _factory_class(lgpio: ModuleType, base: Any, pins: Any) -> Any:
    """gpiozero's lgpio factory, on any machine, with our notifier and pins."""

    class BoardFactory(base):  # type: ignore[misc]  # gpiozero has no type information
        """One chip; gpiozero names its pins as those of a Raspberry Pi's header."""

        def __init__(self, chip: int) -> None:
            super().__init__(chip)
            self.pins: dict[
                Any, Any
            ] = {}  # gpiozero's is one for all chips: a second one's GPIO17 would be the first one's pin
            self.pin_class = pins
            self.notifier = Notifier(lgpio)

        def _get_revision(self) -> int:
            try:
                return int(super()._get_revision())
            except PinUnknownPi:
                return ELSEWHERE_REVISION

        def close(self) -> None:
            try:
                super().close()
            finally:
                self.notifier.close()

    return BoardFactory


def _pin_class(lgpio: ModuleType, base: Any) -> Any:
    """gpiozero's lgpio pin, with alerts sent to our notifier and outputs that begin at their level."""

    class BoardPin(base):  # type: ignore[misc]  # gpiozero has no type information
        """One line."""

        when_changed: WhenChanged | None

        def output_with_state(self, state: int) -> None:
            # gpiozero claims low first and writes after: an active-low strike would be released for that moment.
            self.when_changed = None
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))  # noqa: SLF001

        def _enable_event_detect(self) -> None:
            handle, notifier = self.factory._handle, self.factory.notifier  # noqa: SLF001
            flags = lgpio.gpio_get_mode(handle, self._number) & self.GPIO_LINE_FLAGS_MASK
            notifier.listen(self._number, self._report)
            lgpio.gpio_claim_alert(handle, self._number, self._edges, flags, notifier.handle)

        def _disable_event_detect(self) -> None:
            self.factory.notifier.forget(self._number)
            super()._disable_event_detect()

        def _report(self, level: int, at: int) -> None:
            method = self.when_changed
            if method is not None:  # it may have been let go of while the report was under way
                method(at / SECOND, level)

    return BoardPin
