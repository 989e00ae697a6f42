"""The simulated network between courier and monitor: a TCP relay in a thread that can be cut and mended.

It sees only what a listener on the line sees, and notes it: bytes of each direction with their times.
"""

import asyncio
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final, Literal, Self

_PIECE: Final = 65536
_START_WITHIN_S: Final = 5.0
Way = Literal["up", "down"]
"""up: from the board to the monitor."""
_NOTED: Final = 4096
"""Pieces; at one record a second more than half an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One piece that went over the line."""

    way: Way
    size: int
    """Bytes."""
    at: int
    """CLOCK_MONOTONIC, nanoseconds."""


class Relay:
    """Listens on a loopback port and passes everything on to another; `cut()` drops all and refuses new ones."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.port = 0
        self._passed: deque[Passed] = deque(maxlen=_NOTED)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_START_WITHIN_S)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_START_WITHIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_WITHIN_S)
        self._loop.close()

    def cut(self) -> None:
        """From now on nothing passes, and what was connected is gone."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(_START_WITHIN_S)

    def mend(self) -> None:
        """Let new connections through again."""
        self._is_cut = False

    def passed(self, since: int, until: int) -> list[Passed]:
        """What went over the line between two moments, in order; of what is long gone nothing."""
        return [piece for piece in tuple(self._passed) if since <= piece.at <= until]

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        self._is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    async def _close(self) -> None:
        await self._cut()
        if self._server is not None:
            self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer, "up"), self._pump(far_reader, writer, "down"))
        finally:
            self._writers -= {writer, far_writer}
            for one in (writer, far_writer):
                one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        try:
            while piece := await reader.read(_PIECE):
                self._passed.append(Passed(way=way, size=len(piece), at=time.monotonic_ns()))
                writer.write(piece)
                await writer.drain()
            writer.close()
        except OSError:
            writer.transport.abort()
