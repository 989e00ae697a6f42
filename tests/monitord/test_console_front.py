"""The console's front with real sockets: strangers come in crowds and slowly, and the guard still sees alarms."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from doorctl.monitord.alarms import front as fronts
from doorctl.monitord.alarms.__main__ import _Server, console_config
from doorctl.monitord.alarms.answers import SafeHeaders
from doorctl.monitord.alarms.front import Front
from tests.monitord.waiting import until

GUEST = b"GET /look HTTP/1.1\r\nhost: here\r\nauthorization: guard\r\n\r\n"
STRANGER = b"GET /look HTTP/1.1\r\nhost: here\r\n\r\n"


class House:
    """A served console in small: whoever says that they are the guard may look and listen."""

    def __init__(self, front: Front, port: int) -> None:
        self.front, self._port = front, port
        self.open: list[asyncio.StreamWriter] = []

    async def come(self, said: bytes = b"") -> asyncio.StreamReader:
        """A connection that says something and then nothing more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.open.append(writer)
        writer.write(said)
        await writer.drain()
        return reader

    def go(self) -> None:
        for writer in self.open:
            writer.transport.abort()

    async def ask(self, said: bytes) -> bytes:
        """A whole answer."""
        return await (await self.come(said)).read()


async def _look(request: Request) -> Response:
    return PlainTextResponse("alarms", status_code=200 if "authorization" in request.headers else 401)


async def _listen(_request: Request) -> Response:
    async def told() -> AsyncIterator[str]:
        yield "first\n"
        await asyncio.Event().wait()

    return StreamingResponse(told())


async def _flood(_request: Request) -> Response:
    async def told() -> AsyncIterator[bytes]:
        while True:
            yield bytes(65_536)
            await asyncio.sleep(0)  # what is sent to nobody does not wait

    return StreamingResponse(told())


@asynccontextmanager
async def house(*, places: int = fronts.PLACES, head_s: float = fronts.HEAD_S) -> AsyncIterator[House]:
    app = Starlette(
        routes=[Route("/look", _look), Route("/listen", _listen), Route("/flood", _flood)],
        middleware=[Middleware(SafeHeaders)],
    )
    front = Front(lambda fields: (b"authorization", b"guard") in fields, H11Protocol, places=places, head_s=head_s)
    server: uvicorn.Server = _Server(console_config(app, front))
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        here = House(front, listener.getsockname()[1])
        async with AsyncExitStack() as stack:
            stack.callback(here.go)
            await until(lambda: server.started)
            yield here
        front.close()
        server.should_exit = True
        await serving


def play(scenario: Callable[[House], Awaitable[None]], *, places: int = fronts.PLACES, head_s: float = 5.0) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20), house(places=places, head_s=head_s) as here:
            await scenario(here)

    asyncio.run(whole())


def test_hundreds_of_idle_strangers_keep_nobody_out() -> None:
    async def scenario(here: House) -> None:
        listening = await here.come(GUEST.replace(b"/look", b"/listen"))
        await listening.readuntil(b"first\n")
        for _ in range(300):
            await here.come()
        assert here.front.count() == (fronts.PLACES - 1, 1)
        answer = await here.ask(GUEST)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"alarms")
        assert not listening.at_eof()

    play(scenario)


def test_the_stranger_who_waits_longest_gives_way() -> None:
    async def scenario(here: House) -> None:
        first, second = await here.come(b"GET"), await here.come()
        await until(lambda: here.front.count() == (2, 0))
        third = await here.come()
        assert await _ends(first)
        assert here.front.count() == (2, 0)
        assert not second.at_eof()
        assert not third.at_eof()

    play(scenario, places=2)


def test_where_only_guests_are_a_stranger_is_turned_away() -> None:
    async def scenario(here: House) -> None:
        listeners = [await here.come(GUEST.replace(b"/look", b"/listen")) for _ in range(2)]
        for listening in listeners:
            await listening.readuntil(b"first\n")
        assert await _ends(await here.come())
        assert here.front.count() == (0, 2)

    play(scenario, places=2)


@pytest.mark.parametrize("said", [b"", b"GET /look HTTP/1.1\r\nauthorization: gua"])
def test_half_a_head_is_not_waited_for(said: bytes) -> None:
    async def scenario(here: House) -> None:
        assert await _ends(await here.come(said))
        await until(lambda: here.front.count() == (0, 0))

    play(scenario, head_s=0.1)


def test_a_byte_now_and_then_prolongs_nothing() -> None:
    async def scenario(here: House) -> None:
        reader = await here.come(b"GET /look HTTP/1.1\r\n")
        writer = here.open[-1]

        async def dribble() -> None:
            while True:
                writer.write(b"a")
                await asyncio.sleep(0.01)

        dribbling = asyncio.ensure_future(dribble())
        assert await _ends(reader)
        dribbling.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await dribbling

    play(scenario, head_s=0.2)


def test_a_stranger_who_never_sends_the_body_is_answered_and_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(here: House) -> None:
        said = b"GET /listen HTTP/1.1\r\nhost: here\r\ncontent-length: 9\r\n\r\n"
        assert await _ends(await here.come(said))
        await until(lambda: here.front.count() == (0, 0))

    monkeypatch.setattr(fronts, "STRANGER_S", 0.2)
    play(scenario)


def test_a_guest_who_reads_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(here: House) -> None:
        reader = await here.come(GUEST.replace(b"/look", b"/flood"))
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # a reader that stands still has no public name
        await until(lambda: here.front.count() == (0, 1))
        await until(lambda: here.front.count() == (0, 0))

    monkeypatch.setattr(fronts, "STALLED_S", 0.2)
    play(scenario)


def test_one_connection_is_one_request() -> None:
    async def scenario(here: House) -> None:
        answer = await here.ask(GUEST)
        assert b"connection: close" in answer
        await until(lambda: here.front.count() == (0, 0))
        assert (await here.ask(GUEST + GUEST)).count(b"HTTP/1.1 200") == 1

    play(scenario)


@pytest.mark.parametrize(
    ("said", "status"),
    [(STRANGER, b"401"), (b"no http at all\r\n\r\n", b"400"), (b"GET /look HTTP/1.1\r\na: " + b"b" * 20_000, b"400")],
)
def test_a_stranger_gets_a_short_answer(said: bytes, status: bytes) -> None:
    async def scenario(here: House) -> None:
        assert (await here.ask(said)).startswith(b"HTTP/1.1 " + status)

    play(scenario, head_s=0.5)


async def _ends(reader: asyncio.StreamReader) -> bool:
    """Whether the other side closes, however it does."""
    with suppress(ConnectionError):
        await reader.read()
    return True
