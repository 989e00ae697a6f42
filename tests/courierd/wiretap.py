"""A plain TCP proxy that reads what everybody on the network can: when TLS records pass, and how long they are."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from doorctl.courierd.config import Address

TLS_APPLICATION_DATA = 23
TLS_RECORD_HEADER = 5
LARGEST_HANDSHAKE = 4096
"""Of the courier's flight: one P-256 certificate and its proof, with room."""


@dataclass
class Direction:
    """One way of one connection: the lengths of its application data records, handshake's encrypted part included."""

    lengths: list[int] = field(default_factory=list)
    _buffer: bytearray = field(default_factory=bytearray)

    def pass_by(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= TLS_RECORD_HEADER:
            length = int.from_bytes(self._buffer[3:5], "big")
            if len(self._buffer) < TLS_RECORD_HEADER + length:
                break
            if self._buffer[0] == TLS_APPLICATION_DATA:
                self.lengths.append(length)
            del self._buffer[: TLS_RECORD_HEADER + length]


@dataclass
class Tapped:
    """One connection through the tap."""

    up: Direction
    down: Direction
    courier: asyncio.StreamWriter


class Wiretap:
    """Listens on a port of its own and passes everything on."""

    def __init__(self, target: Address) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections: list[Tapped] = []
        self.address = target
        self.stalls_after_first = False
        """Of every connection but the first, nothing more is read once the courier has sent more than a handshake."""
        self.stalling = asyncio.Event()
        self.flow = asyncio.Event()
        """Set it, and what stalls goes on."""

    def half_close(self) -> None:
        """The monitor's side of every connection says that it has nothing more to say, and goes on listening."""
        for connection in self.connections:
            if not connection.courier.transport.is_closing():
                connection.courier.write_eof()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._target.host, self._target.port)
        tapped = Tapped(up=Direction(), down=Direction(), courier=writer)
        self.connections.append(tapped)
        number = len(self.connections)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, far_writer, tapped.up, number))
                group.create_task(self._pass(far_reader, writer, tapped.down))
        finally:
            far_writer.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction, number: int = 1
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                direction.pass_by(data)
                if self.stalls_after_first and number > 1 and sum(direction.lengths) > LARGEST_HANDSHAKE:
                    self.stalling.set()
                    await self.flow.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = Address(host="127.0.0.1", port=self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def tapping(target: Address) -> AsyncIterator[Wiretap]:
    tap = Wiretap(target)
    await tap.start()
    try:
        yield tap
    finally:
        await tap.stop()
