"""An OSDP reader at the door: is it there, and if not where else; what its line does to frames; a card.

The reader is spoken to as doord would. Only where that finds nobody is the line asked anew in clear, at this address
with every speed and at every address with this speed; that ends whatever session was open there.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from doorctl.cli.progress import progress
from doorctl.config.types import BusPlace, Reader
from hal.board import Board
from hal.events import CardBits, FrameRefused, KeyPressed, ReaderEvent
from hal.osdp.bus import Bus, OpenPort, serial_port
from hal.osdp.reader import OsdpReader
from hal.osdp.scan import ADDRESSES, SPEEDS, Broken, Found, Scan
from hal.osdp.scan_line import scan_line
from hal.osdp.wiring import Seen, findings
from hal.wiring import Finding

ONLINE_WITHIN_S: Final = 4.0
"""A handshake takes 0.3 s at 9600 baud; a reader that was just powered, three."""
LAST_ANSWER_S: Final = 0.3
"""What was asked last is answered within 200 ms, and is not to be taken for another's answer."""
LISTENED_S: Final = 2.0
"""Exchanges enough to see frames broken: 60 at 9600 baud with one reader, 8 with eight."""
_LOOK_S: Final = 0.05


class LineWatch:
    """An OSDP reader from before its start."""

    def __init__(self, board: Board, reader: Reader, port: OsdpReader, others: Iterable[BusPlace]) -> None:
        """`others`: the configured places of all readers."""
        assert isinstance(reader.wiring, BusPlace)
        self.reader, self.port, self.place = reader, port, reader.wiring
        self._board = board
        self._others = frozenset(
            place.address for place in others if place.device == self.place.device and place != self.place
        )
        self._read: list[CardBits | FrameRefused] = []
        self._came = asyncio.Event()
        self._pressed = asyncio.Event()
        self._answers: list[Found | Broken] = []
        self._is_open = self._online = False

    def start(self) -> None:
        """Begin to poll it."""
        self.port.start(self._heard)

    async def online(self) -> bool:
        """Whether it comes into a session in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + ONLINE_WITHIN_S
        while self.port.online is None and loop.time() < until:  # noqa: ASYNC110  a state of the port, with a time-out
            await asyncio.sleep(_LOOK_S)
        self._is_open = self._bus.is_open
        self._online = self.port.online is not None
        return self._online

    async def search(self, *, quiet: bool) -> None:
        """Look for it elsewhere on its line, which nobody polls from now on."""
        if not self._is_open:
            return
        self._bus.close()
        await asyncio.sleep(LAST_ANSWER_S)
        for bauds, addresses in ((SPEEDS, (self.place.address,)), ((self.place.baud,), ADDRESSES)):
            if not self._found_here():
                await self._scan(bauds, addresses, quiet=quiet)

    def forget(self) -> None:
        """What was read and pressed until now: before somebody is asked for it, so that nothing of it is lost."""
        self._read.clear()
        self._came.clear()
        self._pressed.clear()

    async def next_card(self) -> CardBits | FrameRefused:
        """The next card since `forget` that the reader has for us, of whatever format."""
        await self._came.wait()
        return self._read[0]

    async def next_key(self) -> bool:
        """True, at the next key since `forget`; which one it is nobody needs to know."""
        return await self._pressed.wait()

    def findings(self) -> tuple[Finding, ...]:
        """What is likely wrong; once `online` has returned."""
        return findings(
            Seen(
                device=self.place.device,
                address=self.place.address,
                baud=self.place.baud,
                others=self._others,
                is_open=self._is_open,
                online=self._online,
                counters=self.port.counters(),
                answers=self._answers,
            )
        )

    def facts(self) -> dict[str, Any]:
        """As JSON has it."""
        counters = self.port.counters()
        return {
            "reader": self.reader.name,
            "wired": str(self.place),
            "answers": self._online,
            "exchanges": counters["exchanges"],
            "broken": counters["broken"],
        }

    @property
    def _bus(self) -> Bus:
        return self._board.lines[self.place.device].bus

    def _found_here(self) -> bool:
        return any(answer.address == self.place.address for answer in self._answers)

    async def _scan(self, bauds: Sequence[int], addresses: Sequence[int], *, quiet: bool) -> None:
        clock = self._board.chip.clock
        with progress("asking addresses", len(bauds) * len(addresses), quiet=quiet) as advance:
            await scan_line(
                Scan(clock(), bauds=bauds, addresses=addresses),
                self._open_port(),
                self._answers.append,
                progress=lambda _asked, _total: advance(1),
                clock=clock,
            )

    def _open_port(self) -> OpenPort:
        if self.place.device in self._board.mock_lines:
            return self._board.mock_lines[self.place.device].open
        return serial_port(self.place.device, baud=self.place.baud, rts_drives=self.place.rts_drives)

    def _heard(self, event: ReaderEvent) -> None:
        if isinstance(event, CardBits) or (isinstance(event, FrameRefused) and event.bits):
            self._read.append(event)
            self._came.set()
        elif isinstance(event, KeyPressed):
            self._pressed.set()
