"""The network side of ingest: mutual TLS 1.3 with pinned certificates, HTTP of one size, and a bound on everything.

A peer is anybody until its certificate is one of the folder's, and even then it can only wait for its own answer.
Whatever a peer does costs it its own connection; nothing here ends the process, and no answer leaves but on a tick.
"""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from doorctl.monitord.controllers import ControllersFolder
from doorctl.monitord.ingest.tick import Queue
from doorctl.wire.http import RequestRefusedError, Server

_log: Final = logging.getLogger(__name__)
_READ_SIZE: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a peer may cost; all times in seconds."""

    connections: int = 512
    handshakes: int = 64
    """At once; the oldest gives way, so that peers who never finish keep nobody out."""
    per_certificate: int = 4
    """A courier has two; the rest is for the ones it lost. The oldest gives way."""
    handshake_s: float = 5.0
    idle_s: float = 180.0
    """Between requests: supervision comes every 60 s at the slowest."""
    request_s: float = 20.0
    """From a request's first byte to its last."""
    write_s: float = 20.0


@dataclass(slots=True, eq=False)
class Peer:
    """One connection."""

    task: asyncio.Task[None] | None = None
    certificate: bytes | None = None
    """None while the handshake lasts."""

    def end(self) -> None:
        """Cut it off."""
        if self.task is not None:
            self.task.cancel()


@dataclass(slots=True)
class Listener:
    """Accepts, shakes hands, reads requests, writes answers."""

    listening: socket.socket
    certificate: Path
    key: Path
    controllers: ControllersFolder
    queue: Queue
    limits: Limits = field(default_factory=Limits)
    refused: Counter[str] = field(default_factory=Counter)
    _context: ssl.SSLContext | None = None
    _peers: list[Peer] = field(default_factory=list)

    def reload(self) -> None:
        """The folder has changed: new handshakes use it, and who is not in it any more is cut off."""
        self._context = tls_context(self.certificate, self.key, self._trusted())
        for peer in self._peers:
            if peer.certificate is not None and peer.certificate not in self._trusted():
                peer.end()

    async def serve(self) -> None:
        """For ever; cancelled at the end, and takes its connections with it."""
        loop = asyncio.get_running_loop()
        self.listening.setblocking(False)  # noqa: FBT003  the socket module's own signature
        if self._context is None:
            self.reload()
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    accepted = await self._accept(loop)
                    if accepted is None or not self._make_room():
                        self._drop(accepted, "too many connections")
                        continue
                    peer = Peer()
                    self._peers.append(peer)
                    peer.task = tasks.create_task(self._guard(peer, accepted))
                    peer.task.add_done_callback(partial(self._left, peer, accepted))
        finally:
            self.listening.close()

    async def _accept(self, loop: asyncio.AbstractEventLoop) -> socket.socket | None:
        """None where the system had no descriptor for it: a moment later it may."""
        try:
            accepted, _ = await loop.sock_accept(self.listening)
        except OSError:
            await asyncio.sleep(0.05)
            return None
        accepted.setblocking(False)  # noqa: FBT003  the socket module's own signature
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return accepted

    def _make_room(self) -> bool:
        """Whether one more may come in; the oldest unfinished handshake gives way."""
        unknown = [peer for peer in self._peers if peer.certificate is None]
        if len(unknown) >= self.limits.handshakes:
            unknown[0].end()
        return len(self._peers) < self.limits.connections

    def _drop(self, accepted: socket.socket | None, why: str) -> None:
        self.refused[why] += 1
        if accepted is not None:
            accepted.close()

    async def _guard(self, peer: Peer, accepted: socket.socket) -> None:
        """A connection's whole life; whatever it does ends here."""
        try:
            await self._connection(peer, accepted)
        except RequestRefusedError as error:
            self.refused[error.refusal.name] += 1
        except OSError as error:  # ssl.SSLError and TimeoutError are of it
            self.refused[type(error).__name__] += 1
        except Exception:  # noqa: BLE001
            # a mistake of ours that this peer found: it must not become everybody's
            self.refused["mistake"] += 1
            _log.exception("connection ended")

    def _left(self, peer: Peer, accepted: socket.socket, _task: asyncio.Task[None]) -> None:
        """Also where the task was cancelled before its first step."""
        self._peers.remove(peer)
        accepted.close()

    async def _connection(self, peer: Peer, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_READ_SIZE)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, accepted, ssl=self._context, ssl_handshake_timeout=self.limits.handshake_s,
            ssl_shutdown_timeout=1.0,
        )  # fmt: skip
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            if certificate not in self._trusted():
                return
            self._enter(peer, certificate)
            await self._requests(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                async with asyncio.timeout(self.limits.write_s):
                    await writer.wait_closed()
            transport.abort()

    def _enter(self, peer: Peer, certificate: bytes) -> None:
        """A courier that lost its line comes back before we know that the old one is gone: the oldest gives way."""
        others = [other for other in self._peers if other.certificate == certificate]
        if len(others) >= self.limits.per_certificate:
            others[0].end()
        peer.certificate = certificate

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = Server()
        while not protocol.closed:
            async with asyncio.timeout(self.limits.idle_s):
                untrusted = await reader.read(_READ_SIZE)
            try:
                async with asyncio.timeout(self.limits.request_s):
                    request = protocol.receive(untrusted)
                    while request is None and not protocol.closed:
                        request = protocol.receive(await reader.read(_READ_SIZE))
            except RequestRefusedError as error:
                await self._write(writer, error.answer)
                raise
            if request is not None:
                await self._write(writer, protocol.respond(await self.queue.put(request)))

    async def _write(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer)
        async with asyncio.timeout(self.limits.write_s):
            await writer.drain()

    def _trusted(self) -> frozenset[bytes]:
        return frozenset(file.certificate_der for file in self.controllers.trusted.values())


def tls_context(certificate: Path, key: Path, trusted: frozenset[bytes]) -> ssl.SSLContext:
    """TLS 1.3 only; a client must show one of these very certificates. No tickets: every handshake looks alike."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_cert_chain(certificate, key)
    if trusted:
        context.load_verify_locations(cadata=b"".join(sorted(trusted)))
    return context
