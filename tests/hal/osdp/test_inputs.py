"""Switches at a reader's terminals, in virtual time: a Contact like a wired one, and unknown while its reader is away."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import pytest

from doorctl.core.inputs import CONTACT_THRESHOLD, HONOURED, REX_THRESHOLD, Debounce
from doorctl.core.types import Duration
from doorctl.core.types import Monotonic as CoreMonotonic
from hal.board import Board
from hal.errors import ConfigurationError, DeviceGoneError, NotHeardYetError
from hal.events import MS, SECOND, InputChanged, InputEvent, InputUnknown, Monotonic, ReaderEvent
from hal.mock_commands import Osdp
from hal.mock_drive import perform
from hal.osdp.commands import Command, Refusal, Reply
from hal.osdp.frame import Frame
from hal.osdp.happenings import Refused
from hal.osdp.inputs import OsdpInput
from hal.osdp.reader import OsdpReader
from hal.osdp.session import ReaderSettings
from hal.ports import Contact
from tests.hal.virtual import VirtualLoop, mock_board, run

KEY: Final = bytes(range(16))
DEVICE: Final = "/dev/ttyAMA0"


class Wall:
    """Readers on one line, and what is at the inputs of the first."""

    def __init__(self, board: Board, loop: VirtualLoop, *, baud: int, count: int) -> None:
        self.board, self.loop = board, loop
        self.misuse: list[ReaderEvent] = []
        self.events: list[InputEvent] = []
        self.readers = [self._reader(address, baud) for address in range(count)]
        self.input = self.readers[0].input(0, "front rex")

    def _reader(self, address: int, baud: int) -> OsdpReader:
        settings = ReaderSettings(address=address, key=KEY)
        return self.board.osdp_reader(
            name=f"reader-{address}", device=DEVICE, baud=baud, settings=settings,
            accept=lambda _length, _raw: True, on_key=lambda _key: None,
        )  # fmt: skip

    async def begin(self) -> None:
        self.input.start(self.events.append)
        for reader in self.readers:
            reader.start(self.misuse.append)
        await self.pass_(5)
        self.misuse.clear()

    async def pass_(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def put(self, *, active: bool) -> None:
        perform(self.board, Osdp(reader="reader-0", input=active))

    def line(self, how: str) -> None:
        perform(self.board, Osdp(reader="reader-0", line=how))  # type: ignore[arg-type]  # the tests' own words


def play(story: Callable[[Wall], Coroutine[Any, Any, None]], *, baud: int = 115_200, count: int = 1) -> None:
    loop = VirtualLoop()

    async def whole(board: Board) -> None:
        await story(Wall(board, loop, baud=baud, count=count))

    with mock_board(loop) as board:
        run(whole(board), loop)


def settled(events: list[InputEvent], threshold: Duration, now: Monotonic) -> list[bool]:
    """What the door makes of them."""
    debounce, found = Debounce(threshold=threshold, active=False, now=CoreMonotonic(0)), []
    for event in events:
        assert isinstance(event, InputChanged)
        change = debounce.receive(active=event.active, at=CoreMonotonic(event.at), lasted=event.lasted)
        found += [] if change is None else [change.active]
    change = debounce.on_deadline(CoreMonotonic(now))
    return found + ([] if change is None else [change.active])


def test_it_is_a_contact_that_reports_changes_and_nothing_else() -> None:
    async def story(wall: Wall) -> None:
        contact: Contact = wall.input
        with pytest.raises(NotHeardYetError, match="front rex: its reader has not told it yet"):
            _ = contact.active
        await wall.begin()
        assert contact.active is False
        wall.events.clear()
        for active in (True, True, False):
            wall.put(active=active)
            await wall.pass_(0.1)
        told = [(event.name, event.active) for event in wall.events if isinstance(event, InputChanged)]
        assert told == [("front rex", True), ("front rex", False)]
        contact.close()
        contact.close()
        wall.put(active=True)
        await wall.pass_(0.1)
        assert len(wall.events) == 2

    play(story)


def test_polarity_is_the_configurations() -> None:
    inverse, events = OsdpInput("front contact", active_high=False), list[InputEvent]()
    inverse.start(events.append)
    inverse.reported(Monotonic(1), level=False)
    inverse.reported(Monotonic(2), level=True, lasted=7)
    assert events == [
        InputChanged(name="front contact", active=True, at=Monotonic(1)),
        InputChanged(name="front contact", active=False, at=Monotonic(2), lasted=7),
    ]
    assert inverse.active is False


def test_the_level_is_asked_for_when_a_session_begins() -> None:
    async def story(wall: Wall) -> None:
        await wall.begin()
        wall.events.clear()
        wall.line("unplug")
        wall.put(active=True)
        perform(wall.board, Osdp(reader="reader-0", power="cycle"))  # what it would have said at a poll is lost
        await wall.pass_(3)
        told = [InputUnknown(name="front rex", why="front rex: reader reader-0 is offline", at=wall.events[0].at)]
        assert wall.events == told
        with pytest.raises(DeviceGoneError, match="reader-0 is offline"):
            _ = wall.input.active
        wall.line("plug")
        await wall.pass_(7)
        assert wall.input.active is True
        assert [type(event) for event in wall.events] == [InputUnknown, InputChanged]

    play(story)


def test_a_level_that_is_the_same_again_ends_the_doubt() -> None:
    async def story(wall: Wall) -> None:
        await wall.begin()
        wall.events.clear()
        wall.line("cut")
        await wall.pass_(20)
        wall.line("mend")
        await wall.pass_(3)
        assert [type(event) for event in wall.events] == [InputUnknown, InputChanged]
        assert wall.input.active is False

    play(story)


def test_what_is_said_in_clear_changes_no_input() -> None:
    async def story(wall: Wall) -> None:
        await wall.begin()
        wall.events.clear()
        line = wall.board.mock_lines[DEVICE]
        for turn in range(200):
            forged = Frame(
                address=0, reply=True, sequence=turn % 4, code=Reply.INPUT_STATUS, data=b"\1" * 8, security=None
            )  # fmt: skip
            line.say(forged.encode())
            await wall.pass_(0.0137)
        await wall.pass_(3)
        assert wall.events == []
        assert wall.input.active is False
        assert wall.misuse != []

    play(story)


def test_a_reader_with_fewer_inputs_or_none_is_told_of() -> None:
    async def story(wall: Wall) -> None:
        wall.board.made_up["reader-0"].inputs = bytearray(2)
        third = wall.readers[0].input(2, "front contact")
        await wall.begin()
        assert wall.input.active is False
        with pytest.raises(DeviceGoneError, match="front contact: reader reader-0 has no input 2, only 2"):
            _ = third.active
        refused = Refused(command=Command.INPUT_STATUS, code=Refusal.UNKNOWN_COMMAND)
        wall.readers[0].happened(refused, wall.loop.clock())
        with pytest.raises(DeviceGoneError, match="front rex: reader reader-0 does not tell its inputs"):
            _ = wall.input.active
        with pytest.raises(ConfigurationError, match="input 2 of reader reader-0 is claimed twice"):
            wall.readers[0].input(2, "front tamper")

    play(story)


@pytest.mark.parametrize("threshold", [REX_THRESHOLD, CONTACT_THRESHOLD], ids=["rex", "contact"])
@pytest.mark.parametrize(("baud", "count", "broken_s"), [(9600, 8, 0.0), (115_200, 1, 0.0), (115_200, 1, 0.45)])
def test_what_lasts_400_ms_is_honoured_however_late_the_line_is(
    threshold: Duration, baud: int, count: int, broken_s: float
) -> None:
    """Also where the press fell into a pause of the line, and the reader told its begin and end within 4 ms."""

    async def story(wall: Wall) -> None:
        await wall.begin()
        line = wall.board.mock_lines[DEVICE]
        for phase in range(5):
            wall.events.clear()
            await wall.pass_(0.5 + phase * 0.053)
            line.cut = broken_s > 0
            wall.loop.call_later(broken_s, partial(setattr, line, "cut", False))
            wall.put(active=True)
            await wall.pass_(HONOURED / SECOND)
            wall.put(active=False)
            await wall.pass_(3)
            assert settled(wall.events, threshold, wall.loop.clock()) == [True, False]

    play(story, baud=baud, count=count)


def test_a_rattling_leaf_is_still_a_bounce() -> None:
    async def story(wall: Wall) -> None:
        await wall.begin()
        wall.events.clear()
        for active in (True, False):
            wall.put(active=active)
            await wall.pass_(0.02)
        await wall.pass_(1)
        assert [type(event) for event in wall.events] == [InputChanged, InputChanged]
        assert all(isinstance(event, InputChanged) and event.lasted < 30 * MS for event in wall.events)
        assert settled(wall.events, CONTACT_THRESHOLD, wall.loop.clock()) == []

    play(story)
