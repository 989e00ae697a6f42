"""A line of made-up OSDP readers for the mock board: paced to its baud, on the loop's own time. A Port like a tty's.

The readers are strict emulators; a reader whose key the board knows has that key, as a reader on a wall would. The line
misbehaves on request: cut, spoilt bytes, somebody who speaks unasked.
"""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from typing import Final

from hal.mock import MockChip
from hal.osdp.bus import Port
from hal.osdp.commands import Color, Command
from hal.osdp.emulator import Emulator, Shown
from hal.osdp.session import ReaderSettings

TURNAROUND_S: Final = 0.001
"""From a request's last bit to its answer's first; what good readers take."""
FIFO: Final = 8
"""Characters that a UART hands on at a time."""
_SPOILT, _ANSWERS, _STRIDE = 4, 11, 7
"""On a line without termination: so many of so many answers, and how they are shuffled."""
_BITS: Final = 10
_DECISECONDS: Final = 10
_LED_LASTING: Final = 9
"""Where an LED order says whether it is about what is shown from now on, and five bytes later in which colour."""


def made_up_reader(chip: MockChip, name: str, settings: ReaderSettings) -> Emulator:
    """A reader on the wall; what it shows is in the chip's history as outputs `NAME led` and `NAME buzzer`."""
    reader = Emulator(settings.address, os.urandom, key=settings.key)
    sounding: list[asyncio.TimerHandle] = []

    def sound(on_ds: int, off_ds: int, count: int) -> None:
        """Its rhythm; a new one replaces the old."""
        for timer in sounding:
            timer.cancel()
        sounding.clear()
        chip.record(f"{name} buzzer", level=on_ds > 0)
        for turn in range(count if on_ds else 0):
            begin_s = turn * (on_ds + off_ds) / _DECISECONDS
            for at_s, level in ((begin_s, True), (begin_s + on_ds / _DECISECONDS, False)):
                if at_s:
                    later = asyncio.get_running_loop().call_later
                    sounding.append(later(at_s, partial(chip.record, f"{name} buzzer", level=level)))

    def shown(what: Shown) -> None:
        if what.command is Command.LED:
            chip.record(f"{name} led", level=_is_green(what.data))
        elif what.command is Command.BUZZER:
            sound(*what.data[2:5])

    reader.on_shown = shown
    return reader


def _is_green(data: bytes) -> bool:
    return data[_LED_LASTING + 3 : _LED_LASTING + 4] == bytes((Color.GREEN,))


def _flipped(burst: bytes) -> bytes:
    middle = len(burst) // 2
    return burst[:middle] + bytes((burst[middle] ^ 1,)) + burst[middle + 1 :]


class MockLine:
    """The wire and everything on it but the CP."""

    def __init__(self, baud: int) -> None:
        self.readers: dict[int, Emulator] = {}
        self.cut = False
        """Nothing passes."""
        self.gone = False
        """The device is not there."""
        self.spoil = 0
        """So many of the next bursts arrive with a flipped bit."""
        self.terminated = True
        """Else echoes spoil four answers of eleven, in an order that does not fall in with the polling."""
        self._answers = 0
        self._baud = baud
        self._character_s = _BITS / baud
        self._heard: Callable[[bytes], None] | None = None
        self._lost: Callable[[], None] | None = None

    def open(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> Port:
        """As Bus opens it; OSError while the device is unplugged."""
        if self.gone:
            raise OSError("no such device")
        self._heard, self._lost = heard, lost
        return self

    def write(self, frame: bytes) -> None:
        """The CP sends."""
        if self.gone:
            raise OSError("input/output error")
        later = asyncio.get_running_loop().call_later
        later(len(frame) * self._character_s, self._arrive, self._passed(frame))

    def expect(self, least: int) -> None:
        """It hands on what comes."""

    def pending(self) -> bytes:
        """Nothing is kept."""
        return b""

    def set_speed(self, baud: int) -> None:
        """Readers that were not told do not understand any more."""
        for reader in self.readers.values():
            reader.baud = reader.baud or self._baud
        self._baud, self._character_s = baud, _BITS / baud

    def close(self) -> None:
        """The CP lets go; idempotent."""
        self._heard = self._lost = None

    def unplug(self) -> None:
        """The device vanishes; `gone` says for how long."""
        self.gone = True
        if self._lost is not None:
            self._lost()

    def say(self, burst: bytes) -> None:
        """Whoever else is on the wire says something."""
        later = asyncio.get_running_loop().call_later
        for at in range(0, len(burst), FIFO):
            piece = burst[at : at + FIFO]
            later((at + len(piece)) * self._character_s, self._hand_on, piece)

    def _arrive(self, burst: bytes) -> None:
        for reader in self.readers.values():
            reader.silence()
            if reader.baud not in {None, self._baud}:
                continue
            if answer := reader.receive(burst):
                asyncio.get_running_loop().call_later(TURNAROUND_S, self.say, self._passed(self._echoed(answer)))

    def _echoed(self, answer: bytes) -> bytes:
        self._answers += 1
        if self.terminated or self._answers * _STRIDE % _ANSWERS >= _SPOILT:
            return answer
        return _flipped(answer)

    def _passed(self, burst: bytes) -> bytes:
        if self.cut:
            return b""
        if self.spoil and burst:
            self.spoil -= 1
            return _flipped(burst)
        return burst

    def _hand_on(self, piece: bytes) -> None:
        if self._heard is not None:
            self._heard(piece)
