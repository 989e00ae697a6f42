"""The page's streams: to browsers, and from the monitor's console."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from doorctl.cli.sim_page_feed import MOST_LISTENERS, Event, Feed, encode
from doorctl.cli.sim_page_monitor import console_changes
from doorctl.errors import PeerError


def everything() -> list[Event]:
    return [("site", {"name": "demo"}), ("log", ["a\nb"])]


def test_an_event_is_two_lines_whatever_its_value_says() -> None:
    text = encode(("log", ["a\nevent: forged\n\n"]))
    assert text.splitlines()[0] == "event: log"
    assert json.loads(text.splitlines()[1].removeprefix("data: ")) == ["a\nevent: forged\n\n"]
    assert text.count("\n") == 3


def test_a_listener_is_told_everything_and_then_each_change_until_the_end() -> None:
    async def scenario() -> list[str]:
        feed = Feed()
        stream = feed.listen(everything)
        said = [await anext(stream)]
        for number in (1, 2):
            feed.publish("door", number)
        said += [await anext(stream), await anext(stream)]
        feed.close()
        return [*said, *[text async for text in stream]]

    begin = 'retry: 500\n\nevent: everything\ndata: {"site": {"name": "demo"}, "log": ["a\\nb"]}\n\n'
    assert asyncio.run(scenario()) == [begin, "event: door\ndata: 1\n\n", "event: door\ndata: 2\n\n"]


def test_a_listener_who_reads_too_slowly_is_let_go_and_others_are_not() -> None:
    async def scenario() -> tuple[list[str], int]:
        feed = Feed()
        slow, quick = feed.listen(everything), feed.listen(everything)
        await anext(slow)
        await anext(quick)
        for number in range(600):
            feed.publish("door", number)
            await anext(quick)
        rest = [text async for text in slow]
        feed.publish("door", "after")
        assert await anext(quick) == encode(("door", "after"))
        feed.close()
        await quick.aclose()  # type: ignore[attr-defined]  # an async generator, as every stream is
        return rest, len(feed._listeners)

    assert asyncio.run(scenario()) == ([], 0)


def test_there_is_an_end_to_listeners() -> None:
    async def scenario() -> None:
        feed = Feed()
        streams = [feed.listen(everything) for _ in range(MOST_LISTENERS)]
        for stream in streams:
            await anext(stream)
        assert feed.full
        feed.close()
        for stream in streams:
            assert [text async for text in stream] == []
        assert not feed.full

    asyncio.run(scenario())


class _Console:
    """Answers one request with these bytes and hangs up."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(self.answer)
        await writer.drain()
        writer.close()


def _listened(console: _Console) -> int:
    """How often the console's stream woke us."""

    async def scenario() -> int:
        server = await asyncio.start_server(console.serve, "127.0.0.1", 0)
        async with server:
            changes: AsyncIterator[None] = console_changes(server.sockets[0].getsockname()[1], "key")
            return len([change async for change in changes])

    return asyncio.run(scenario())


def test_each_change_at_the_console_wakes_and_silence_does_not() -> None:
    chunks = (
        "retry: 1000\nid: 4\n\n",
        "id: 5\nevent: alarm\ndata: {}\n\n",
        ": still here\n\n",
        "id: 6\nevent: alarm\ndata: {}\n\n",
    )
    body = "".join(f"{len(chunk):x}\r\n{chunk}\r\n" for chunk in chunks) + "0\r\n\r\n"
    console = _Console(f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}".encode())
    assert _listened(console) == 3  # when it begins, and at each of the two
    assert b"authorization: Bearer key\r\n" in console.asked


@pytest.mark.parametrize("answer", [b"HTTP/1.1 401 Unauthorized\r\n\r\n", b"", b"\x16\x03\x01 not http"])
def test_a_console_that_will_not_tell_is_an_error(answer: bytes) -> None:
    with pytest.raises(PeerError):
        _listened(_Console(answer))


def test_no_console_is_an_error() -> None:
    async def scenario() -> None:
        async for _ in console_changes(1, "key"):
            pass

    with pytest.raises(PeerError):
        asyncio.run(scenario())
