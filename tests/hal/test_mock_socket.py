"""The mock's socket: its language, its strictness, and a card pressed through a real unix socket."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hal.board import Board, open_board
from hal.errors import ConfigurationError
from hal.events import CardBits, Key, KeyPressed, ReaderEvent
from hal.mock_socket import CONNECTIONS, LINE_BYTES, MockSocket
from hal.ports import StrikeType
from hal.wiegand.cards import find_format
from hal.wiegand.keys import Keypad, KeypadEncoding
from tests.hal.virtual import BEGIN, MS, SECOND, VirtualLoop

Reply = dict[str, Any]


class Driver:
    """The other end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, **request: Any) -> Reply:
        return await self.raw(json.dumps(request).encode() + b"\n")

    async def raw(self, line: bytes) -> Reply:
        self.writer.write(line)
        return await self.hear()

    async def hear(self) -> Reply:
        line = await self.reader.readline()
        assert line.endswith(b"\n")
        reply = json.loads(line)
        assert isinstance(reply, dict)
        return reply


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    with closing(VirtualLoop()) as opened:
        yield opened


@pytest.fixture
def board(loop: VirtualLoop) -> Iterator[Board]:
    with closing(open_board("mock", clock=loop.clock)) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mock.sock"


def play(loop: VirtualLoop, board: Board, path: Path, story: Callable[[Driver], Awaitable[None]]) -> None:
    trouble: list[str] = []
    loop.set_exception_handler(lambda _, context: trouble.append(context["message"]))

    async def whole() -> None:
        server = MockSocket(board, path)
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(path))
        try:
            await story(Driver(reader, writer))
        finally:
            writer.close()
            await writer.wait_closed()
            await server.close()
            await server.close()

    loop.run_until_complete(whole())
    assert (trouble, path.exists()) == ([], False)


def front(board: Board, seen: list[ReaderEvent], keypad: Keypad | None = None) -> None:
    card_format = find_format("H10301")
    board.wiegand_reader(
        name="front",
        d0="GPIO14",
        d1="GPIO15",
        card_lengths=frozenset({26}),
        accept=lambda length, raw: card_format.refusal(length, raw) is None,
        keypad=keypad,
    ).start(seen.append)


def test_a_card_edge_by_edge_by_pins_by_reader_or_by_format(loop: VirtualLoop, board: Board, path: Path) -> None:
    seen: list[ReaderEvent] = []
    length, raw = find_format("H10301").encode({"facility": 12, "card": 3456})
    bits = f"{raw:0{length}b}"
    pins = ["GPIO14", "GPIO15"]
    edges = [(pins[int(bit)], place * MS) for place, bit in enumerate(bits)]

    async def story(driver: Driver) -> None:
        front(board, seen)
        await asyncio.sleep(2)
        requests: list[dict[str, Any]] = [
            {"do": "edges", "edges": edges},
            {"do": "card", "pins": pins, "bits": bits, "interval_ns": 2 * MS},
            {"do": "card", "reader": "front", "bits": bits},
            {"do": "card", "reader": "front", "format": "H10301", "fields": {"facility": 12, "card": 3456}},
        ]
        for request in requests:
            now = loop.clock()
            interval = request.get("interval_ns", MS)
            assert await driver.say(**request) == {"ok": True, "first": now, "last": now + 25 * interval}
            await asyncio.sleep(0.2)
        at = loop.clock() + 500 * MS
        absolute = [[pin, at + offset] for pin, offset in edges]
        assert await driver.say(do="edges", at=0, edges=absolute) == {"ok": True, "first": at, "last": at + 25 * MS}
        await asyncio.sleep(1)

    play(loop, board, path, story)
    assert [(card.length, card.raw) for card in seen if isinstance(card, CardBits)] == [(length, raw)] * 5
    assert seen[-1].at == BEGIN + 2 * SECOND + 800 * MS + 500 * MS + 25 * MS


@pytest.mark.parametrize("encoding", list(KeypadEncoding))
def test_a_person_types(loop: VirtualLoop, board: Board, path: Path, encoding: KeypadEncoding) -> None:
    seen: list[ReaderEvent] = []
    facility = 7 if encoding is KeypadEncoding.BINARY_26 else None
    keypad = Keypad(encoding=encoding, enter_key="*", facility=facility)

    async def story(driver: Driver) -> None:
        board.wiegand_reader(
            name="front", d0="GPIO14", d1="GPIO15", card_lengths=frozenset(), accept=lambda _, __: False, keypad=keypad
        ).start(seen.append)
        await asyncio.sleep(2)
        text = "412345*" if encoding is KeypadEncoding.BCD_26 else "41234*"
        assert (await driver.say(do="keys", reader="front", keys=text))["ok"]
        await asyncio.sleep(2)

    play(loop, board, path, story)
    digits = [Key(digit) for digit in ("412345" if encoding is KeypadEncoding.BCD_26 else "41234")]
    assert [event.key for event in seen if isinstance(event, KeyPressed)] == [*digits, Key.ENTER]


def test_inputs_outputs_history_and_state(loop: VirtualLoop, board: Board, path: Path) -> None:
    async def story(driver: Driver) -> None:
        contact = board.contact(name="front", pin="GPIO27")
        strike = board.strike(pin="GPIO17", strike_type=StrikeType.FAIL_SECURE)
        assert await driver.say(do="input", pin="GPIO27", level=False) == {"ok": True, "at": BEGIN}
        assert not contact.active
        await asyncio.sleep(1)
        strike.release()
        released = [2, "GPIO17", 1, BEGIN + SECOND]
        assert await driver.say(do="history", since=1) == {
            "ok": True,
            "outputs": [released],
            "newest": 2,
            "forgotten": False,
        }
        assert await driver.say(do="state") == {
            "ok": True,
            "now": BEGIN + SECOND,
            "pins": {
                "GPIO27": {"user": "input front", "function": "input", "level": 0},
                "GPIO17": {"user": "strike GPIO17", "function": "output", "level": 1},
            },
            "readers": {},
            "newest": 2,
            "delivering": True,
        }

    play(loop, board, path, story)


def test_who_watches_sees_each_change_and_how_many_were_missed(loop: VirtualLoop, board: Board, path: Path) -> None:
    async def story(driver: Driver) -> None:
        strike = board.strike(pin="GPIO17", strike_type=StrikeType.FAIL_SECURE)
        assert await driver.say(do="watch") == {"ok": True, "newest": 1}
        strike.release()
        assert await driver.hear() == {"output": [2, "GPIO17", 1, loop.clock()]}
        assert (await driver.say(do="history", since=2))["outputs"] == []
        for _ in range(3_000):
            strike.secure()
            strike.release()
        assert await driver.hear() == {"forgotten": 6_000 - 4_096}
        numbers = [(await driver.hear())["output"][0] for _ in range(4_096)]
        assert numbers == list(range(6_002 - 4_095, 6_003))

    play(loop, board, path, story)


def test_a_driver_that_stops_listening_disturbs_nobody(loop: VirtualLoop, board: Board, path: Path) -> None:
    async def story(driver: Driver) -> None:
        strike = board.strike(pin="GPIO17", strike_type=StrikeType.FAIL_SECURE)
        _, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b'{"do":"watch","since":0}\n')
        await asyncio.sleep(0.01)
        writer.transport.abort()
        strike.release()
        await asyncio.sleep(0.01)
        assert (await driver.say(do="state"))["ok"]

    play(loop, board, path, story)


@pytest.mark.parametrize(
    ("request_line", "error"),
    [
        (b"\n", "Input data was truncated"),
        (b"nonsense\n", "JSON is malformed"),
        (b"\xff\xfe\n", "JSON is malformed"),
        (b"[]\n", "Expected `object`, got `array`"),
        (b"{}\n", "Object missing required field `do`"),
        (b'{"do":"open"}\n', "Invalid value 'open'"),
        (b'{"do":"state","x":1}\n', "unknown field `x`"),
        (b'{"do":"edges","edges":[]}\n', "length >= 1"),
        (b'{"do":"edges","edges":[["GPIO14"]]}\n', "length 2"),
        (b'{"do":"edges","edges":[["GPIO14",1.5]]}\n', "Expected `int`"),
        (b'{"do":"edges","edges":[["GPIO14",-9999999999999999]]}\n', "before the beginning of time"),
        (b'{"do":"edges","edges":[["GPIO16",0]]}\n', "no port uses pin GPIO16"),
        (b'{"do":"card","bits":"01"}\n', "either a reader's name or its pins"),
        (b'{"do":"card","reader":"back","bits":"01"}\n', "no reader 'back'; there are: front"),
        (b'{"do":"card","reader":"front","bits":"012"}\n', "matching regex"),
        (b'{"do":"card","reader":"front"}\n', "either bits, or a format and its fields"),
        (b'{"do":"card","reader":"front","format":"H1031","fields":{}}\n', "did you mean H10301"),
        (b'{"do":"card","reader":"front","format":"H10301","fields":{"card":1}}\n', "expected the fields"),
        (b'{"do":"keys","reader":"front","keys":"1"}\n', "has no keypad"),
        (b'{"do":"keys","reader":"front","keys":"12\\n","encoding":"4-bit"}\n', "matching regex"),
        (b'{"do":"card","reader":"front","bits":"01\\n"}\n', "matching regex"),
        (b'{"do":"keys","reader":"front","keys":"A","encoding":"4-bit"}\n', "matching regex"),
        (b'{"do":"input","pin":"GPIO16","level":true}\n', "no port uses pin GPIO16"),
        (b'{"do":"input","pin":"GPIO17","level":true}\n', "GPIO17 is an output"),
        (b'{"do":"fault","fault":"drop"}\n', "drop: expected a pin"),
        (b'{"do":"fault","fault":"swapped","pin":"GPIO14"}\n', "swapped: expected the pins"),
        (b'{"do":"fault","fault":"no-ground","pins":["GPIO14","GPIO4"]}\n', "no port uses pin GPIO4"),
        (b'{"do":"fault","fault":"busy","pin":"GPIO99"}\n', "GPIO99 is not a valid pin name"),
        (b'{"do":"fault","fault":"fire","pin":"GPIO14"}\n', "Invalid enum value 'fire'"),
        (b'{"do":"input","pin":"GPIO27","level":1}\n', "Expected `bool`"),
        (b'{"do":' + b"[" * 5_000 + b"\n", ""),
    ],
)
def test_what_is_no_command_is_refused_and_disturbs_nothing(
    loop: VirtualLoop, board: Board, path: Path, request_line: bytes, error: str
) -> None:
    async def story(driver: Driver) -> None:
        front(board, [])
        board.strike(pin="GPIO17", strike_type=StrikeType.FAIL_SECURE)
        before = await driver.say(do="state")
        reply = await driver.raw(request_line)
        assert reply == {"ok": False, "error": reply["error"]}
        assert error in reply["error"]
        assert await driver.say(do="state") == before
        assert board.mock is not None
        assert board.mock.next_due() is None

    play(loop, board, path, story)


def test_a_request_without_end_is_refused_and_its_connection_closed(
    loop: VirtualLoop, board: Board, path: Path
) -> None:
    async def story(driver: Driver) -> None:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"x" * (LINE_BYTES + 100_000))
        assert json.loads(await reader.readline()) == {
            "ok": False,
            "error": f"a request of more than {LINE_BYTES} bytes",
        }
        writer.transport.abort()
        assert (await driver.say(do="state"))["ok"]

    play(loop, board, path, story)


def test_faults_are_injected_and_cleared(loop: VirtualLoop, board: Board, path: Path) -> None:
    seen: list[ReaderEvent] = []
    kinds: list[Any] = []

    async def story(driver: Driver) -> None:
        front(board, seen)
        await asyncio.sleep(2)
        for fault in ({"fault": "stuck-low"}, {"fault": "noise", "count": 1_000, "edges_per_s": 50_000}):
            assert await driver.say(do="fault", pin="GPIO15", **fault) == {"ok": True}
            await asyncio.sleep(1)
            assert await driver.say(do="fault", fault="clear", pin="GPIO15") == {"ok": True}
            await asyncio.sleep(5)
        assert await driver.say(do="fault", fault="drop", pin="GPIO14", count=3) == {"ok": True}
        await driver.say(do="card", reader="front", format="H10301", fields={"facility": 0, "card": 0})
        await asyncio.sleep(1)
        kinds.extend(getattr(event, "kind", type(event)) for event in seen)
        await driver.say(do="fault", fault="raise", pin="GPIO14")
        await driver.say(do="edges", edges=[["GPIO14", 0]])
        await asyncio.sleep(1)
        assert (await driver.say(do="state"))["readers"]["front"]["broken"] == 1
        assert await driver.say(do="fault", fault="gone") == {"ok": True}
        assert await driver.say(do="fault", fault="clear") == {"ok": True}

    play(loop, board, path, story)
    assert [getattr(kind, "value", getattr(kind, "__name__", kind)) for kind in kinds] == [
        "ReaderArmed",
        "line low",
        "ReaderArmed",
        "noise",
        "ReaderArmed",
        "FrameRefused",
    ]


def test_closing_ends_who_is_still_connected_or_watching(loop: VirtualLoop, board: Board, path: Path) -> None:
    trouble: list[str] = []
    loop.set_exception_handler(lambda _, context: trouble.append(context["message"]))

    async def story() -> tuple[bytes, bytes]:
        server = MockSocket(board, path)
        await server.start()
        idle, idle_writer = await asyncio.open_unix_connection(str(path))
        watching, watching_writer = await asyncio.open_unix_connection(str(path))
        watching_writer.write(b'{"do":"watch"}\n')
        await watching.readline()
        await server.close()
        ends = await idle.read(), await watching.read()
        for writer in (idle_writer, watching_writer):
            writer.close()
        return ends

    assert loop.run_until_complete(story()) == (b"", b"")
    loop.run_until_complete(asyncio.sleep(1))
    assert trouble == []


def test_the_state_of_a_vanished_chip_can_still_be_asked_for(loop: VirtualLoop, board: Board, path: Path) -> None:
    async def story(driver: Driver) -> None:
        board.contact(name="front", pin="GPIO27")
        await driver.say(do="fault", fault="gone")
        assert (await driver.say(do="state"))["pins"]["GPIO27"]["level"] == 1
        await driver.say(do="fault", fault="clear")

    play(loop, board, path, story)


def test_only_the_owner_may_connect_and_only_so_many_at_once(loop: VirtualLoop, board: Board, path: Path) -> None:
    async def story(driver: Driver) -> None:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600  # noqa: ASYNC240 - a test may wait for its own folder
        others = [await asyncio.open_unix_connection(str(path)) for _ in range(CONNECTIONS)]
        refused = await others[-1][0].readline()
        assert b"connections are open already" in refused
        for _, writer in others:
            writer.close()
            await writer.wait_closed()
        assert (await driver.say(do="state"))["ok"]

    before = os.umask(0)
    try:
        play(loop, board, path, story)
    finally:
        os.umask(before)


def test_a_dead_socket_gives_way_and_a_live_one_or_a_file_does_not(loop: VirtualLoop, board: Board, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def story(driver: Driver) -> None:
        with pytest.raises(ConfigurationError, match=r"mock.sock: Address already in use$"):
            await MockSocket(board, path).start()
        assert (await driver.say(do="state"))["ok"]

    play(loop, board, path, story)
    path.write_text("a file")
    with pytest.raises(ConfigurationError, match=r"mock.sock: Address already in use$"):
        loop.run_until_complete(MockSocket(board, path).start())
    assert path.read_text() == "a file"
    path.unlink()


def test_data_wires_get_mixed_up_and_are_mended(loop: VirtualLoop, board: Board, path: Path) -> None:
    length, raw = find_format("H10301").encode({"facility": 12, "card": 3456})
    bits = f"{raw:0{length}b}"
    inverted = bits.translate(str.maketrans("01", "10"))
    seen: list[ReaderEvent] = []
    read: list[int] = []

    async def story(driver: Driver) -> None:
        front(board, seen)
        await asyncio.sleep(2)
        pins = {"pins": ["GPIO14", "GPIO15"]}
        for fault, shown in (({"fault": "no-ground", **pins}, bits), ({"fault": "swapped", **pins}, inverted),
                             ({"fault": "swapped", **pins}, bits), ({"fault": "clear", "pin": "GPIO15"}, bits)):  # fmt: skip
            assert await driver.say(do="fault", **fault) == {"ok": True}
            await driver.say(do="card", reader="front", bits=shown)
            await asyncio.sleep(5)
            read.append(sum(isinstance(event, CardBits) and event.raw == raw for event in seen))

    play(loop, board, path, story)
    assert read == [0, 1, 1, 2]


def test_a_wire_without_a_pull_up_flickers_until_it_is_mended(loop: VirtualLoop, board: Board, path: Path) -> None:
    seen: list[ReaderEvent] = []
    edges: list[float] = []

    async def story(driver: Driver) -> None:
        front(board, seen)
        await driver.say(do="fault", fault="no-pull-up", pin="GPIO14", edges_per_s=20)
        await asyncio.sleep(1)
        edges.append((await driver.say(do="state"))["readers"]["front"]["edges"])
        await driver.say(do="fault", fault="clear", pin="GPIO14")
        await asyncio.sleep(1)
        edges.append((await driver.say(do="state"))["readers"]["front"]["edges"])

    play(loop, board, path, story)
    assert edges[0] in {20, 21}
    assert edges[1] == edges[0]
