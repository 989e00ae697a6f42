"""The courier's connections as asyncio streams: dial, check who is there, turn bytes into events. Decides nothing.

A line has one task an attempt; hanging up cancels it, and an event of an attempt that ended is nobody's. What is
written is bounded by the protocol (one request in flight, to the monitor) or by a limit (to doord).
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Final, Protocol

from doorctl.courierd.config import Address
from doorctl.courierd.events import Answered, Connected, DoorSaid, Event, Line, Lost
from doorctl.courierd.tls import is_pinned
from doorctl.errors import MalformedError
from doorctl.wire.handoff import FROM_DOOR, Message, Parser, PathState
from doorctl.wire.http import Client, Route, batch_body

READ_SIZE: Final = 64 * 1024
MOST_UNREAD: Final = 256 * 1024
"""Bytes that doord has not read: more than a thousand receipts. It reads at once, or it hangs."""

Deliver = Callable[[Event], None]


class Talk(Protocol):
    """What a line does in an attempt: ends with an event, or by being cancelled."""

    def __call__(self) -> Coroutine[Any, Any, Lost]:
        """Connect, deliver events, return how it ended."""
        ...


class LineTask:
    """The one task of a line, supervised: what it raises unexpectedly goes to `fail`."""

    def __init__(self, deliver: Deliver, fail: Callable[[BaseException], None]) -> None:
        self._deliver = deliver
        self._fail = fail
        self._current: asyncio.Task[Lost] | None = None
        self._ending: set[asyncio.Task[Lost]] = set()

    def begin(self, talk: Talk, name: str) -> None:
        """Start an attempt; an earlier one is hung up."""
        self.hang_up()
        self._current = asyncio.get_running_loop().create_task(talk(), name=name)
        self._current.add_done_callback(self._ended)

    def hang_up(self) -> None:
        """End the attempt, if there is one; nothing of it is delivered any more."""
        if self._current is not None:
            self._ending.add(self._current)
            self._current.cancel()
            self._current = None

    async def close(self) -> None:
        """Hang up and wait until every socket is closed."""
        self.hang_up()
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Lost]) -> None:
        self._ending.discard(task)
        current = task is self._current
        if current:
            self._current = None
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            self._fail(error)
        elif current:
            self._deliver(task.result())


class DoorLine:
    """To doord's socket."""

    def __init__(self, socket_path: Path, deliver: Deliver, fail: Callable[[BaseException], None]) -> None:
        self._socket_path = socket_path
        self._deliver = deliver
        self._task = LineTask(deliver, fail)
        self._writer: asyncio.StreamWriter | None = None

    def dial(self, attempt: int) -> None:
        """Begin an attempt."""
        self._task.begin(lambda: self._talk(attempt), f"door-{attempt}")

    def tell(self, message: Message) -> None:
        """Queue one message; a doord that does not read loses the connection."""
        writer = self._writer
        if writer is not None and not writer.transport.is_closing():
            writer.write(message.encode())
            if writer.transport.get_write_buffer_size() > MOST_UNREAD:
                writer.transport.abort()

    def hang_up(self) -> None:
        """End the attempt or connection now."""
        self._writer = None
        self._task.hang_up()

    async def close(self) -> None:
        """Hang up, and wait until the socket is closed."""
        self._writer = None
        await self._task.close()

    async def _talk(self, attempt: int) -> Lost:
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket_path)
        except OSError as error:
            return _lost(Line.DOOR, attempt, PathState.UNREACHABLE, _reason(error))
        async with _closing(writer):
            self._writer = writer
            self._deliver(Connected(line=Line.DOOR, attempt=attempt))
            parser = Parser(FROM_DOOR)
            try:
                while untrusted := await reader.read(READ_SIZE):
                    for message in parser.feed(untrusted):
                        self._deliver(DoorSaid(attempt=attempt, message=message))
            except OSError as error:
                return _lost(Line.DOOR, attempt, PathState.UNREACHABLE, _reason(error))
            except MalformedError as error:
                return _lost(Line.DOOR, attempt, PathState.REFUSED, str(error), malformed=True)
            return _lost(Line.DOOR, attempt, PathState.UNREACHABLE, "closed")


class MonitorLine:
    """To the monitor, over TLS."""

    def __init__(
        self,
        line: Line,
        *,
        context: ssl.SSLContext,
        certificate_der: bytes,
        random_bytes: Callable[[int], bytes],
        deliver: Deliver,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._line = line
        self._context = context
        self._certificate_der = certificate_der
        self._random_bytes = random_bytes
        self._deliver = deliver
        self._task = LineTask(deliver, fail)
        self._writer: asyncio.StreamWriter | None = None
        self._client = Client()

    def dial(self, attempt: int, address: Address) -> None:
        """Begin an attempt."""
        self._task.begin(lambda: self._talk(attempt, address), f"{self._line.value}-{attempt}")

    def send(self, records: tuple[bytes, ...]) -> None:
        """One request, in one write; the line is up and nothing is in flight."""
        if self._writer is None or self._writer.transport.is_closing() or self._client.closing:
            return  # its end is about to be heard, and what is in flight goes out again on the next connection
        if self._line is Line.FRESH:
            request = self._client.request(Route.RECORD, records[0])
        else:
            request = self._client.request(Route.RECORDS, batch_body(records, self._random_bytes))
        self._writer.write(request)

    def hang_up(self) -> None:
        """End the attempt or connection now."""
        self._writer = None
        self._task.hang_up()

    async def close(self) -> None:
        """Hang up, and wait until the socket is closed."""
        self._writer = None
        await self._task.close()

    async def _talk(self, attempt: int, address: Address) -> Lost:
        try:
            # an empty server name sends none: a board tells a listener no more than it must
            reader, writer = await asyncio.open_connection(
                address.host, address.port, ssl=self._context, server_hostname=""
            )
        except OSError as error:
            return _lost(self._line, attempt, _why(error), f"{address}: {_reason(error)}")
        async with _closing(writer):
            presented = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            if not is_pinned(presented, self._certificate_der):
                detail = f"{address}: not the certificate of the pairing"
                return _lost(self._line, attempt, PathState.WRONG_CERTIFICATE, detail)
            self._writer, self._client = writer, Client()
            self._deliver(Connected(line=self._line, attempt=attempt))
            return await self._listen(attempt, address, reader)

    async def _listen(self, attempt: int, address: Address, reader: asyncio.StreamReader) -> Lost:
        try:
            while untrusted := await reader.read(READ_SIZE):
                receipts = self._client.receive(untrusted)
                if receipts is not None:
                    self._deliver(Answered(line=self._line, attempt=attempt, receipts=receipts))
                    if self._client.closing:
                        break
        except OSError as error:
            why, detail = _why(error), _reason(error)
        except MalformedError as error:
            return _lost(self._line, attempt, PathState.REFUSED, f"{address}: {error}", malformed=True)
        else:
            why, detail = PathState.UNREACHABLE, "closed"
        return _lost(self._line, attempt, why, f"{address}: {detail}")


@contextlib.asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Whatever happens inside, the socket is closed when it is left, without waiting for the peer's consent."""
    try:
        yield
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _lost(line: Line, attempt: int, why: PathState, detail: str, *, malformed: bool = False) -> Lost:
    return Lost(line=line, attempt=attempt, why=why, detail=detail, malformed=malformed)


def _why(error: OSError) -> PathState:
    """TLS that failed is a peer that is there and declines; everything else is a way that is not there."""
    return PathState.REFUSED if isinstance(error, ssl.SSLError) else PathState.UNREACHABLE


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or 'failed').lower().replace('_', ' ')}"
    return (error.strerror or str(error) or "closed").lower()
