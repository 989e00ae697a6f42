"""The console's front: a bounded number of connections, each with a deadline, so that no stranger keeps the guard out.

Theory of operation. A connection first has to bring one request's head within a few seconds. What the head says makes
it a *guest* (somebody who may look) or leaves it a *stranger*, and only then does the HTTP server behind see it. A
stranger is answered quickly or dropped; a guest may listen for as long as they read what is sent. One connection is one
request, so that none is ever idle in between. Where all places are taken, the stranger who waits longest gives way.

Knows nothing of alarms and looks at no body.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeAlias

import h11

PLACES: Final = 128
HEAD_S: Final = 5.0
"""For a whole head; a browser's speculative connection that brings none is dropped as well, and comes again."""
STRANGER_S: Final = 10.0
"""For a stranger's whole visit: the answer is one short line."""
STALLED_S: Final = 30.0
"""For somebody who does not take what is sent."""
_LARGEST_HEAD: Final = 16_384

Knows: TypeAlias = Callable[[Iterable[tuple[bytes, bytes]]], bool]
MakeServer: TypeAlias = Callable[..., asyncio.Protocol]


class Front:
    """All connections there are; makes one protocol for each."""

    def __init__(self, knows: Knows, make_server: MakeServer, *, places: int = PLACES, head_s: float = HEAD_S) -> None:
        """`knows` decides from a head's fields; `make_server` is uvicorn's protocol class and gets its arguments."""
        self.knows, self.head_s = knows, head_s
        self._make_server, self._places = make_server, places
        self._strangers: dict[Visit, None] = {}
        self._guests: set[Visit] = set()

    def __call__(self, *args: Any, **kwargs: Any) -> "Visit":
        """As uvicorn makes a protocol, once a connection."""
        return Visit(self, partial(self._make_server, *args, **kwargs))

    def count(self) -> tuple[int, int]:
        """Strangers and guests."""
        return len(self._strangers), len(self._guests)

    def close(self) -> None:
        """Nobody shall wait any more for what strangers have to say."""
        for visit in list(self._strangers):
            visit.drop()

    def enter(self, visit: "Visit") -> bool:
        """Take a place, a stranger's where there is none; False where only guests are here."""
        if len(self._strangers) + len(self._guests) >= self._places:
            longest = next(iter(self._strangers), None)
            if longest is None:
                return False
            self.leave(longest)
            longest.drop()
        self._strangers[visit] = None
        return True

    def welcome(self, visit: "Visit") -> None:
        """A stranger turned out to be a guest."""
        self._strangers.pop(visit, None)
        self._guests.add(visit)

    def leave(self, visit: "Visit") -> None:
        """The place is free; again is nothing."""
        self._strangers.pop(visit, None)
        self._guests.discard(visit)


class Visit(asyncio.Protocol):
    """One connection: holds what arrives until the head is whole, then hands everything to the server behind."""

    def __init__(self, front: Front, make_server: Callable[[], asyncio.Protocol]) -> None:
        self._front, self._make_server = front, make_server
        self._server: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self._arrived = b""
        self._head = h11.Connection(h11.SERVER, _LARGEST_HEAD)
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has come."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._front.enter(self):
            transport.abort()
            return
        _give_up_on_the_gone(transport)
        self._allow(self._front.head_s)

    def data_received(self, data: bytes) -> None:
        """Up to the head it is held here, and no byte prolongs the deadline."""
        if self._server is not None:
            self._server.data_received(data)
            return
        self._arrived += data
        fields = self._fields_with(data)
        if fields is not None:
            self._hand_over(guest=self._front.knows(fields))

    def eof_received(self) -> bool | None:
        """Whoever asked and shut their sending half still gets the answer, as from the server alone."""
        return self._server.eof_received() if self._server is not None else None

    def pause_writing(self) -> None:
        """They do not take what is sent."""
        self._stalled = asyncio.get_running_loop().call_later(STALLED_S, self.drop)
        if self._server is not None:
            self._server.pause_writing()

    def resume_writing(self) -> None:
        """They took it."""
        if self._stalled is not None:
            self._stalled.cancel()
        if self._server is not None:
            self._server.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone, or dropped."""
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()
        self._front.leave(self)
        if self._server is not None:
            self._server.connection_lost(exc)

    def drop(self) -> None:
        """At once, whatever is still to be sent."""
        if self._transport is not None:
            self._transport.abort()

    def _fields_with(self, untrusted: bytes) -> list[tuple[bytes, bytes]] | None:
        """A whole head's fields; none where it is no HTTP, which the server behind says; None: not whole yet."""
        try:
            self._head.receive_data(untrusted)
            event = self._head.next_event()
        except h11.RemoteProtocolError:
            return []
        return list(event.headers) if isinstance(event, h11.Request) else None

    def _hand_over(self, *, guest: bool) -> None:
        assert self._transport is not None
        if guest:
            self._front.welcome(self)
            self._allow(None)
        else:
            self._allow(STRANGER_S)
        arrived, self._arrived = self._arrived, b""
        self._server = self._make_server()
        self._server.connection_made(self._transport)
        self._server.data_received(arrived)

    def _allow(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None
        if seconds is not None:
            self._deadline = asyncio.get_running_loop().call_later(seconds, self.drop)


def _give_up_on_the_gone(transport: asyncio.Transport) -> None:
    """A peer gone without a word (a sleeping laptop, a cut line) holds its place no longer than a stalled one."""
    connection = transport.get_extra_info("socket")
    if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        with suppress(OSError):  # no TCP: there is no line that could be cut
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STALLED_S * 1000))
