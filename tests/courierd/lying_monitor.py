"""A monitor over real TLS that answers as it is told to: honest, or dropping, withholding, corrupting, repeating.

Its receipt for a record is six times the record's SHA-256: short, of the right size, and a door can check it.
"""

import asyncio
import contextlib
import hashlib
import ssl
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from doorctl.courierd.config import Address, Monitor
from doorctl.seal.certificates import create_tls
from doorctl.wire.http import Refusal, Request, RequestRefusedError, Route, Server
from doorctl.wire.sizes import RECEIPT_SIZE, RECORD_SIZE

PATIENCE_S = 20


class Act(Enum):
    """What the monitor does with one request."""

    ANSWER = auto()
    DROP = auto()
    """Close instead of answering."""
    CUT = auto()
    """Close in the middle of the answer."""
    WITHHOLD = auto()
    """Never answer."""
    CORRUPT = auto()
    """Answer with receipts that are none."""
    REPEAT = auto()
    """Answer twice."""
    REVERSE = auto()
    """Answer a batch's receipts in the opposite order."""
    DRIP = auto()
    """Answer byte by byte."""
    GOODBYE = auto()
    """Answer, and say that the connection ends."""
    REFUSE = auto()
    """404, as something that is not a monitor would."""
    GARBAGE = auto()


def receipt_for(record: bytes) -> bytes:
    return hashlib.sha256(record).digest() * (RECEIPT_SIZE // 32)


@dataclass
class Certificates:
    """Both ends' keys and certificates, in a folder."""

    folder: Path
    monitor_der: bytes
    courier_der: bytes

    @classmethod
    def create(cls, folder: Path) -> "Certificates":
        folder.mkdir(mode=0o700, exist_ok=True)
        return cls(
            folder=folder,
            monitor_der=create_tls(folder / "monitor.key", folder / "monitor.crt", name="monitor"),
            courier_der=create_tls(folder / "tls.key", folder / "tls.crt", name="courier"),
        )


@dataclass
class LyingMonitor:
    """Requests come into `requests`; what happens to them is in `acts`, then ANSWER for ever."""

    certificates: Certificates
    trusts_courier: bool = True
    asks_certificate: bool = True
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    requests: asyncio.Queue[Request] = field(default_factory=asyncio.Queue)
    acts: deque[Act] = field(default_factory=deque)
    batch_acts: deque[Act] = field(default_factory=deque)
    seen: list[bytes] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """Lets withheld answers go."""
    connections: int = 0
    """Handshakes that succeeded."""
    bytes_read: int = 0
    ended: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    port: int = 0
    _server: asyncio.Server | None = None
    _talks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def address(self) -> Address:
        return Address(host="127.0.0.1", port=self.port)

    def known(self, *addresses: Address) -> Monitor:
        """As its file would have it at the courier."""
        return Monitor(addresses=addresses or (self.address,), certificate_der=self.certificates.monitor_der)

    async def request(self, route: Route | None = None) -> Request:
        """The next request (of that route; others are passed over)."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                request = await self.requests.get()
                if route in (None, request.route):
                    return request

    async def start(self) -> None:
        """Listen, on the port of last time if there was one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = self.newest
        context.num_tickets = 0
        context.verify_mode = ssl.CERT_REQUIRED if self.asks_certificate else ssl.CERT_NONE
        folder = self.certificates.folder
        context.load_cert_chain(folder / "monitor.crt", folder / "monitor.key")
        context.load_verify_locations(folder / ("tls.crt" if self.trusts_courier else "monitor.crt"))
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut every connection and listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def cut(self) -> None:
        """Cut every connection."""
        for talk in self._talks:
            talk.cancel()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._serve(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        talk.add_done_callback(lambda _: writer.transport.abort())  # also where it was cancelled before its first step

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with contextlib.suppress(OSError):
                if self._server is not None:  # else its handshake ended after the listening did
                    await self._talk(reader, writer)
        finally:
            self.ended.put_nowait(None)
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = Server()
        try:
            while untrusted := await reader.read(65536):
                self.bytes_read += len(untrusted)
                request = server.receive(untrusted)
                if request is not None and not await self._act(request, server, writer):
                    return
        except RequestRefusedError as error:
            writer.write(error.answer)
            await writer.drain()

    async def _act(self, request: Request, server: Server, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        self.seen += request.untrusted_records
        self.requests.put_nowait(request)
        acts = self.acts if request.route is Route.RECORD else self.batch_acts
        act = acts.popleft() if acts else Act.ANSWER
        receipts = [receipt_for(record) for record in request.untrusted_records]
        match act:
            case Act.DROP:
                return False
            case Act.REFUSE:
                writer.write(Refusal.NOT_FOUND.encode())
                await writer.drain()
                return False
            case Act.GARBAGE:
                writer.write(b"220 mail.example ESMTP\r\n\r\n")
                await writer.drain()
                return True
            case Act.WITHHOLD:
                await self.release.wait()
            case Act.CORRUPT:
                receipts = [bytes(RECEIPT_SIZE)] * len(receipts)
            case Act.REVERSE:
                receipts.reverse()
            case Act.ANSWER | Act.CUT | Act.REPEAT | Act.DRIP | Act.GOODBYE:
                pass
        return await self._write(act, server.respond(receipts), writer)

    async def _write(self, act: Act, answer: bytes, writer: asyncio.StreamWriter) -> bool:
        match act:
            case Act.CUT:
                writer.write(answer[:-1])
            case Act.REPEAT:
                writer.write(answer + answer)
            case Act.DRIP:
                for byte in answer:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0)
            case Act.GOODBYE:
                writer.write(answer.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1))
            case _:
                writer.write(answer)
        await writer.drain()
        return act not in (Act.CUT, Act.GOODBYE)


@contextlib.asynccontextmanager
async def listening(monitor: LyingMonitor) -> AsyncIterator[LyingMonitor]:
    await monitor.start()
    try:
        yield monitor
    finally:
        await monitor.stop()


def record(number: int) -> bytes:
    return number.to_bytes(4, "big") * (RECORD_SIZE // 4)
