"""libosdp's readers as our tests see them: a process that can be killed, behind two ptys, and what passes between them.

What the readers say of themselves (`orders`, `secured`) is libosdp's own word; `frames` is what was on the wire.
"""

import asyncio
import json
import os
import sys
import tty
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hal.osdp.bus import Bus
from hal.osdp.commands import Command
from hal.osdp.frame import Frame, Framer
from hal.osdp.happenings import Happening, Online
from hal.osdp.session import ReaderSettings
from tests.hal.osdp.test_bus import bus_of, of, until

STRANGER = Path(__file__).with_name("stranger.py")
BAUD = 115_200


class StrangerLine:
    """Our end of a line, the readers' end, and the wire."""

    def __init__(self) -> None:
        self._ours, self._theirs = os.openpty(), os.openpty()
        for pair in (self._ours, self._theirs):
            tty.setraw(pair[1])
        self.frames: list[Frame] = []
        self.orders: list[dict[str, Any]] = []
        self.secured: set[int] = set()
        self.told: list[tuple[int, Happening]] = []
        self._ready = False
        self._join(self._ours[0], self._theirs[0])
        self._join(self._theirs[0], self._ours[0])

    def _join(self, one: int, other: int) -> None:
        """What one pty says the other hears; without power nobody does, and nothing is kept as a pty would."""
        framer = Framer()

        def pass_on() -> None:
            burst = os.read(one, 4096)
            self.frames += [found for found in framer.feed(burst) if isinstance(found, Frame)]
            if self._ready:
                os.write(other, burst)

        asyncio.get_running_loop().add_reader(one, pass_on)

    async def power_on(self, count: int, key: bytes | None) -> None:
        """The process; it says when it listens."""
        self._ready = False
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, STRANGER, os.ttyname(self._theirs[1]), str(count), "none" if key is None else key.hex(),
            stdin=-1, stdout=-1,
        )  # fmt: skip
        self._listening = asyncio.ensure_future(self._listen())
        await until(lambda: self._ready)

    async def kill(self) -> None:
        """With -9: no reader says good-bye."""
        self._ready = False
        self._process.kill()
        await self._process.wait()
        await self._listening
        self.secured.clear()

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            match json.loads(line):
                case {"ready": True}:
                    self._ready = True
                case {"reader": int(reader), "secure": bool(secure)}:
                    (self.secured.add if secure else self.secured.discard)(reader)
                case order:
                    self.orders.append(order)

    def happens(self, **what: Any) -> None:
        """At one of the readers."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    def bus(self, readers: Sequence[ReaderSettings]) -> Bus:
        """Our end, begun."""
        bus = bus_of(os.ttyname(self._ours[1]), BAUD, list(readers))
        bus.start(lambda address, happening, _at: self.told.append((address, happening)))
        return bus

    def codes(self, reply: bool) -> list[int]:
        """Of all frames in a direction so far."""
        return [frame.code for frame in self.frames if frame.reply is reply]

    def challenges(self) -> list[bytes]:
        """Which key each handshake was tried with: 1 the reader's own, 0 the factory's."""
        return [
            frame.security.data
            for frame in self.frames
            if not frame.reply and frame.code == Command.CHALLENGE and frame.security is not None
        ]

    def close(self) -> None:
        """The wire and all four ends."""
        for one in (self._ours[0], self._theirs[0]):
            asyncio.get_running_loop().remove_reader(one)
        for descriptor in (*self._ours, *self._theirs):
            os.close(descriptor)


@asynccontextmanager
async def strangers(count: int, key: bytes | None) -> AsyncIterator[StrangerLine]:
    """A line with libosdp's readers on it; `key` None: as from the factory."""
    line = StrangerLine()
    try:
        await line.power_on(count, key)
        yield line
    finally:
        await line.kill()
        line.close()


def with_readers(count: int, key: bytes, story: Callable[[StrangerLine, Bus], Any]) -> StrangerLine:
    """Plays a story at readers that are online and secured on both ends' word; the line as it is afterwards."""

    async def whole() -> StrangerLine:
        async with strangers(count, key) as line:
            bus = line.bus([ReaderSettings(address=number, key=key) for number in range(count)])
            await until(lambda: len(of(line.told, Online)) == count and len(line.secured) == count)
            await story(line, bus)
            bus.close()
        return line

    return asyncio.run(whole())
