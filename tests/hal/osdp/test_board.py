"""A mock board with OSDP readers, driven as the mock socket drives it: the ports a door sees."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hal.board import Board, open_board
from hal.errors import ConfigurationError, MockCommandError
from hal.events import (
    CardBits,
    FaultKind,
    FrameRefused,
    InputChanged,
    InputEvent,
    Key,
    KeyPressed,
    ReaderArmed,
    ReaderEvent,
    ReaderFault,
)
from hal.mock_commands import Card, Keys, Osdp
from hal.mock_drive import perform
from hal.osdp.reader import OsdpReader, sound
from hal.osdp.session import ReaderSettings
from hal.ports import Light
from tests.hal.osdp.test_bus import until

KEY = bytes(range(16))


def reader_of(board: Board, name: str = "vault", address: int = 1, baud: int = 115_200) -> OsdpReader:
    return board.osdp_reader(
        name=name, device="/dev/ttyAMA0", baud=baud, settings=ReaderSettings(address=address, key=KEY),
        accept=lambda length, _raw: length == 26, on_key=lambda _key: None,
    )  # fmt: skip


def play(story: Callable[[Board, OsdpReader, list[ReaderEvent]], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        board = open_board("mock")
        events: list[ReaderEvent] = []
        reader = reader_of(board)
        reader.start(events.append)
        await until(lambda: any(isinstance(event, ReaderArmed) for event in events))
        events.clear()
        await story(board, reader, events)
        board.close()
        board.close()

    asyncio.run(whole())


def plain(events: list[ReaderEvent]) -> list[object]:
    """Without their times."""
    told: list[object] = []
    for event in events:
        match event:
            case CardBits():
                told.append((event.reader, event.length, event.raw))
            case KeyPressed():
                told.append(event.key)
            case FrameRefused():
                told.append(event.why)
            case ReaderFault():
                told.append(event.kind)
            case _:
                told.append(type(event))
    return told


def test_cards_and_keys_come_as_from_any_reader() -> None:
    async def story(board: Board, _: OsdpReader, events: list[ReaderEvent]) -> None:
        perform(board, Card(reader="vault", bits="1" * 26))
        perform(board, Card(reader="vault", bits="1" * 34))
        perform(board, Keys(reader="vault", keys="7*#", gap_ns=1_000_000))
        await until(lambda: len(events) == 5)
        assert sorted(map(str, plain(events))) == sorted(
            map(str, [("vault", 26, (1 << 26) - 1), "format", Key.DIGIT_7, Key.ESC, Key.ENTER])
        )

    play(story)


def test_what_is_shown_is_in_the_boards_history() -> None:
    async def story(board: Board, reader: OsdpReader, _: list[ReaderEvent]) -> None:
        assert board.mock is not None
        begin = board.mock.recorded
        reader.indicator.light(Light.GRANTED)
        reader.indicator.beep((200,))
        await until(lambda: board.mock is not None and board.mock.recorded >= begin + 2)
        shown = [(change.pin, change.level) for change in board.mock.outputs_since(begin)]
        assert shown == [("vault led", True), ("vault buzzer", True)]

    play(story)


def test_covers_and_inputs_are_contacts() -> None:
    async def story(board: Board, reader: OsdpReader, _: list[ReaderEvent]) -> None:
        changes: list[InputEvent] = []
        rex = reader.input(0, "vault rex")
        for contact in (reader.tamper, rex):
            contact.start(changes.append)
        perform(board, Osdp(reader="vault", tamper=True))
        perform(board, Osdp(reader="vault", input=True))
        await until(lambda: len(changes) == 2)
        assert {(change.name, change.active) for change in changes if isinstance(change, InputChanged)} == {
            ("vault tamper", True),
            ("vault rex", True),
        }
        assert (reader.tamper.active, rex.active) == (True, True)

    play(story)


def test_a_cut_line_is_a_fault_and_its_end() -> None:
    async def story(board: Board, _: OsdpReader, events: list[ReaderEvent]) -> None:
        perform(board, Osdp(reader="vault", line="unplug"))
        await until(lambda: plain(events) == [FaultKind.OFFLINE])
        perform(board, Osdp(reader="vault", line="plug"))
        await until(lambda: plain(events) == [FaultKind.OFFLINE, ReaderArmed])

    play(story)


def test_what_cannot_be_together_is_refused() -> None:
    board = open_board("mock")
    reader_of(board)
    with pytest.raises(ConfigurationError, match="address 1 of /dev/ttyAMA0 is claimed twice: by vault and by other"):
        reader_of(board, "other")
    with pytest.raises(ConfigurationError, match="runs at 115200 baud, not at 9600"):
        reader_of(board, "slow", 2, 9600)
    for wrong in (
        Osdp(reader="nobody", tamper=True),
        Osdp(reader="vault"),
        Osdp(reader="vault", tamper=True, input=True),
    ):
        with pytest.raises(MockCommandError):
            perform(board, wrong)
    board.close()


def test_a_sound_is_told_in_tenths_of_a_second() -> None:
    assert [sound(pattern).hex() for pattern in ((), (200,), (100, 100, 100, 100, 100), (30, 5000, 30))] == [
        "0001000000", "0002020101", "0002010103", "0002013202",
    ]  # fmt: skip
