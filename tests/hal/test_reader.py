"""Readers on mock pins in virtual time: what a board's loop may do to cards, and readers to each other."""

import asyncio
import random
from collections.abc import Callable

import pytest

from hal.board import Board
from hal.events import (
    CardBits,
    FaultKind,
    FrameRefused,
    Key,
    KeyPressed,
    Monotonic,
    ReaderArmed,
    ReaderEvent,
    ReaderFault,
)
from hal.mock import MockChip
from hal.wiegand.arming import Line
from hal.wiegand.cards import find_format
from hal.wiegand.decoder import Decoder
from hal.wiegand.keys import Keypad, KeypadEncoding
from hal.wiegand.reader import LONGEST_PAUSE_NS, TURN, WiegandReader
from hal.wiegand.source import D0, D1, Edge
from tests.hal.virtual import BEGIN, MS, SECOND, VirtualLoop, cards, frame, mock_board, run

H10301 = find_format("H10301")
PINS = [(f"GPIO{first}", f"GPIO{first + 1}") for first in range(4, 20, 2)]


def accept(length: int, raw: int) -> bool:
    return H10301.refusal(length, raw) is None


def bits_of(facility: int, card: int) -> str:
    length, raw = H10301.encode({"facility": facility, "card": card})
    return f"{raw:0{length}b}"


def add_reader(
    board: Board, index: int, deliver: Callable[[ReaderEvent], None], accept: Callable[[int, int], bool] = accept
) -> WiegandReader:
    d0, d1 = PINS[index]
    reader = board.wiegand_reader(name=f"r{index}", d0=d0, d1=d1, card_lengths=frozenset({26}), accept=accept)
    reader.start(deliver)
    return reader


async def play(chip: MockChip, until: int) -> None:
    """What the mock socket does: hand over edges when they are due, until that moment."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    while loop.clock() < until:
        due = chip.next_due()
        await asyncio.sleep((min(until, until if due is None else due) - loop.clock()) / SECOND + 1e-9)
        chip.deliver_due(loop.clock())


def chip_of(board: Board) -> MockChip:
    assert board.mock is not None
    return board.mock


def test_a_card_is_delivered_twice_the_interval_after_its_last_edge() -> None:
    loop = VirtualLoop()
    seen: list[tuple[int, ReaderEvent]] = []

    async def story(board: Board) -> None:
        add_reader(board, 0, lambda event: seen.append((loop.clock(), event)))
        begin = BEGIN + 2 * SECOND
        chip_of(board).schedule(frame(PINS[0], bits_of(12, 3456), begin))
        await play(chip_of(board), begin + SECOND)

    with mock_board(loop) as board:
        run(story(board), loop)
    last = BEGIN + 2 * SECOND + 25 * MS
    assert [event for _, event in seen] == [
        ReaderArmed(reader="r0", at=Monotonic(BEGIN + SECOND)),
        CardBits(reader="r0", length=26, raw=int(bits_of(12, 3456), 2), at=Monotonic(last)),
    ]
    assert 2 * MS <= seen[1][0] - last <= 2.5 * MS


def test_a_stall_of_400_ms_changes_no_card() -> None:
    sent = [bits_of(index, 7 * index + 1) for index in range(20)]
    for stall_at_ms in range(0, 60, 3):
        loop = VirtualLoop()
        seen: list[ReaderEvent] = []

        async def story(board: Board, loop: VirtualLoop, seen: list[ReaderEvent], stall_at_ms: int) -> None:
            add_reader(board, 0, seen.append)
            begin = BEGIN + 2 * SECOND
            for index, bits in enumerate(sent):
                chip_of(board).schedule(frame(PINS[0], bits, begin + index * 60 * MS))
            for turn in range(2):
                loop.call_at((begin + (stall_at_ms + 600 * turn) * MS) / SECOND, loop.stall, 0.4)
            await play(chip_of(board), begin + 3 * SECOND)

        with mock_board(loop) as board:
            run(story(board, loop, seen, stall_at_ms), loop)
        assert cards(seen) == [("r0", 26, int(bits, 2)) for bits in sent]


def test_a_backlog_of_several_turns_is_read_whole_before_anything_is_decided() -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []
    sent = [bits_of(1, 3 * index) for index in range(40)]

    async def story(board: Board) -> None:
        add_reader(board, 0, seen.append)
        begin = BEGIN + 2 * SECOND
        for index, bits in enumerate(sent):
            chip_of(board).schedule(frame(PINS[0], bits, begin + index * 60 * MS))
        loop.call_at((begin + 5 * MS) / SECOND, loop.stall, 2)  # 34 frames, 880 edges
        await play(chip_of(board), begin + 4 * SECOND)

    with mock_board(loop) as board:
        run(story(board), loop)
    assert cards(seen) == [("r0", 26, int(bits, 2)) for bits in sent]


def test_edges_under_way_are_waited_for() -> None:
    """Nobody hands these over but the reader's own question whether the source is drained."""
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []

    async def story(board: Board) -> None:
        add_reader(board, 0, seen.append)
        chip_of(board).schedule(frame(PINS[0], bits_of(1, 1), BEGIN + 2 * SECOND))
        await asyncio.sleep(4)

    with mock_board(loop) as board:
        run(story(board), loop)
    assert cards(seen) == [("r0", 26, int(bits_of(1, 1), 2))]


class LateSource:
    """Edges reach us 2 ms after they happened, pulses are 100 µs wide: what lgpio does to a slow reader."""

    LATE, WIDTH = 2 * MS, 100_000

    def __init__(self, loop: VirtualLoop, edges: list[Edge]) -> None:
        self._loop, self._edges, self._waiting = loop, edges, list(edges)
        self.sees = True
        """Whether it can tell that edges are under way."""

    def start(self, wake: Callable[[], None]) -> None:
        for _, at in self._edges:
            self._loop.call_at((at + self.LATE) / SECOND, wake)

    def pause(self) -> None:
        raise AssertionError

    def resume(self) -> None:
        raise AssertionError

    def complete_until(self, now: Monotonic) -> Monotonic | None:
        return Monotonic(now - self.LATE) if self.sees else None

    def take(self, most: int) -> list[Edge]:
        there = [edge for edge in self._waiting if edge[1] + self.LATE <= self._loop.clock()]
        self._waiting = self._waiting[len(there) :]
        return there

    def lost(self) -> int:
        return 0

    def failures(self) -> int:
        return 0

    def high(self, line: Line) -> bool:
        now = self._loop.clock()
        return not any(own == line and at <= now < at + self.WIDTH for own, at in self._edges)

    def close(self) -> None:
        pass


def late_reader(loop: VirtualLoop, edges: list[Edge], seen: list[tuple[int, ReaderEvent]]) -> LateSource:
    source = LateSource(loop, edges)
    reader = WiegandReader(
        name="late",
        source=source,
        make_decoder=lambda now: Decoder(name="late", card_lengths=frozenset({26}), accept=accept, now=now),
        clock=loop.clock,
        given_back=lambda: None,
    )

    async def start() -> None:
        reader.start(lambda event: seen.append((loop.clock(), event)))

    loop.run_until_complete(start())
    return source


@pytest.mark.parametrize("interval", [MS, 3 * MS, 6_950_000, 7 * MS, 7_050_000, 20 * MS])
def test_a_pulse_whose_edge_is_still_under_way_is_no_line_held_low(interval: int) -> None:
    loop = VirtualLoop()
    seen: list[tuple[int, ReaderEvent]] = []
    begin = BEGIN + 2 * SECOND
    edges: list[Edge] = [
        (D1 if bit == "1" else D0, Monotonic(begin + place * interval)) for place, bit in enumerate(bits_of(0, 0))
    ]
    late_reader(loop, edges, seen)
    run(asyncio.sleep(4), loop)
    assert [type(event) for _, event in seen] == [ReaderArmed, CardBits]
    quiet = min(max(2 * interval, 600_000), 25 * MS)
    last = edges[-1][1]
    assert quiet + LateSource.LATE <= seen[1][0] - last <= quiet + LateSource.LATE + MS


def test_nothing_is_believed_while_the_source_cannot_say_that_it_is_drained() -> None:
    loop = VirtualLoop()
    seen: list[tuple[int, ReaderEvent]] = []
    begin = BEGIN + 2 * SECOND
    edges: list[Edge] = [
        (D1 if bit == "1" else D0, Monotonic(begin + place * MS)) for place, bit in enumerate(bits_of(0, 0))
    ]
    source = late_reader(loop, edges, seen)
    loop.run_until_complete(asyncio.sleep(2))
    source.sees = False
    loop.run_until_complete(asyncio.sleep(1))
    assert cards([event for _, event in seen]) == []
    source.sees = True
    run(asyncio.sleep(0.002), loop)
    assert cards([event for _, event in seen]) == [("late", 26, int(bits_of(0, 0), 2))]


def test_eight_readers_read_a_hundred_simultaneous_frames_each_and_cross_none() -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []
    dice = random.Random(7)
    sent = {f"r{index}": [bits_of(index, dice.randrange(65536)) for _ in range(100)] for index in range(8)}

    async def story(board: Board) -> None:
        chip = chip_of(board)
        for index in range(8):
            add_reader(board, index, seen.append)
        begin = BEGIN + 2 * SECOND
        for turn in range(100):
            for index in range(8):
                interval = 300_000 + 50_000 * index
                chip.schedule(frame(PINS[index], sent[f"r{index}"][turn], begin + turn * 100 * MS, interval))
        await play(chip, begin + 11 * SECOND)

    with mock_board(loop) as board:
        run(story(board), loop)
    read: dict[str, list[int]] = {name: [] for name in sent}
    for name, _, raw in cards(seen):
        read[name].append(raw)
    assert read == {name: [int(bits, 2) for bits in frames] for name, frames in sent.items()}


def test_a_raising_edge_callback_breaks_its_reader_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []
    begin = BEGIN + 2 * SECOND

    async def story(board: Board) -> dict[str, int | float]:
        chip = chip_of(board)
        readers = [add_reader(board, index, seen.append) for index in range(2)]
        await play(chip, begin)
        seen.clear()
        chip.line(PINS[0][0]).faults.raise_edges = 1
        for index in range(2):
            chip.schedule(frame(PINS[index], bits_of(1, 2), begin))
        await play(chip, begin + SECOND)
        assert not chip.notifier_died
        return readers[0].counters()

    with mock_board(loop) as board:
        counters = run(story(board), loop)
    broken = [event for event in seen if isinstance(event, ReaderFault)]
    assert [(event.reader, event.kind) for event in broken] == [("r0", FaultKind.BROKEN)]
    assert cards(seen) == [("r1", 26, int(bits_of(1, 2), 2))]
    assert (counters["broken"], counters["armed"], counters["callback failures"]) == (1, 0, 1)
    assert caplog.records[0].getMessage().startswith("reader r0: broken: RuntimeError at ")


def test_a_decoder_that_raises_breaks_its_reader_and_shows_no_card(caplog: pytest.LogCaptureFixture) -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []
    begin = BEGIN + 2 * SECOND

    def explode(length: int, raw: int) -> bool:
        raise ValueError(f"card {raw}")

    async def story(board: Board) -> None:
        add_reader(board, 0, seen.append, explode)
        add_reader(board, 1, seen.append)
        for index in range(2):
            chip_of(board).schedule(frame(PINS[index], bits_of(9, 999), begin))
        await play(chip_of(board), begin + SECOND)

    with mock_board(loop) as board:
        run(story(board), loop)
    assert cards(seen) == [("r1", 26, int(bits_of(9, 999), 2))]
    assert str(int(bits_of(9, 999), 2)) not in caplog.text
    assert caplog.text.count("ValueError") == 1


def test_an_exception_of_the_core_is_not_swallowed_by_the_reader() -> None:
    loop = VirtualLoop()
    raised: list[BaseException] = []
    loop.set_exception_handler(lambda _, context: raised.append(context["exception"]))

    def deliver(event: ReaderEvent) -> None:
        raise AssertionError("the core has a bug")

    async def story(board: Board) -> int | float:
        reader = add_reader(board, 0, deliver)
        await play(chip_of(board), BEGIN + 2 * SECOND)
        return reader.counters()["broken"]

    with mock_board(loop) as board:
        assert run(story(board), loop) == 0
    assert [str(error) for error in raised] == ["the core has a bug"]


@pytest.mark.parametrize("line", [0, 1])
def test_a_line_held_low_is_a_fault_and_its_end_arms_again(line: int) -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []
    begin = BEGIN + 2 * SECOND

    async def story(board: Board) -> None:
        chip = chip_of(board)
        add_reader(board, 0, seen.append)
        await play(chip, begin)
        seen.clear()
        chip.line(PINS[0][line]).hold_low(loop.clock())
        await play(chip, begin + SECOND)
        chip.line(PINS[0][line]).faults.stuck_low = False
        await play(chip, begin + 3 * SECOND)

    with mock_board(loop) as board:
        run(story(board), loop)
    fault, armed = seen
    assert (type(fault), getattr(fault, "kind", None)) == (ReaderFault, FaultKind.LINE_LOW)
    assert 5 * MS <= fault.at - begin <= 6 * MS
    assert isinstance(armed, ReaderArmed)
    assert 2 * SECOND <= armed.at - begin <= 2.2 * SECOND


def test_noise_on_one_reader_costs_the_others_nothing_and_ends() -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []
    begin = BEGIN + 2 * SECOND
    sent = [bits_of(3, index) for index in range(20)]

    async def story(board: Board) -> tuple[dict[str, int | float], int]:
        chip = chip_of(board)
        noisy = add_reader(board, 0, seen.append)
        add_reader(board, 1, seen.append)
        await play(chip, begin)
        seen.clear()
        chip.schedule((PINS[0][edge % 2], Monotonic(begin + edge * 20_000)) for edge in range(100_000))
        for index, bits in enumerate(sent):
            chip.schedule(frame(PINS[1], bits, begin + index * 100 * MS))
        await play(chip, begin + 10 * SECOND)
        chip.schedule(frame(PINS[0], sent[0], begin + 10 * SECOND))
        await play(chip, begin + 11 * SECOND)
        return noisy.counters(), loop.clock()

    with mock_board(loop) as board:
        counters, _ = run(story(board), loop)
    assert [card for card in cards(seen) if card[0] == "r1"] == [("r1", 26, int(bits, 2)) for bits in sent]
    own = [event for event in seen if event.reader == "r0" and not isinstance(event, CardBits)]
    kinds = [(type(event), getattr(event, "kind", None)) for event in own]
    assert kinds == [(ReaderFault, FaultKind.NOISE), (ReaderArmed, None)]
    assert cards(seen)[-1] == ("r0", 26, int(sent[0], 2))
    assert counters["edges"] < 10_000  # of 100,000: the source was let go of
    assert counters["pauses"] >= 2


def test_a_burst_that_does_not_fit_is_a_fault_and_no_card() -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []
    begin = BEGIN + 2 * SECOND

    async def story(board: Board) -> int | float:
        chip = chip_of(board)
        reader = add_reader(board, 0, seen.append)
        await play(chip, begin)
        seen.clear()
        for edge in range(5_000):  # in one go: the loop has no turn in between
            chip.line(PINS[0][0]).pulse(Monotonic(begin + edge * MS))
        for pin, at in frame(PINS[0], bits_of(1, 1), begin + 5_000 * MS):
            chip.line(pin).pulse(at)
        loop.stall(6)
        await play(chip, begin + 9 * SECOND)
        return reader.counters()["edges lost"]

    with mock_board(loop) as board:
        lost = run(story(board), loop)
    assert cards(seen) == []
    assert [type(event) for event in seen] == [ReaderFault, ReaderArmed, FrameRefused]
    assert [getattr(event, "kind", None) or getattr(event, "why", None) for event in seen] == [
        FaultKind.EDGES_LOST,
        None,
        "edges lost",
    ]
    assert lost == 5_026 - 4_096


def test_dropped_edges_give_no_card() -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []
    begin = BEGIN + 2 * SECOND
    bits = bits_of(200, 54321)

    async def story(board: Board) -> None:
        chip = chip_of(board)
        add_reader(board, 0, seen.append)
        for place in range(26):
            at = begin + place * 500 * MS
            edges = frame(PINS[0], bits, at)
            chip.schedule(edges[:place] + edges[place + 1 :])
        await play(chip, begin + 20 * SECOND)

    with mock_board(loop) as board:
        run(story(board), loop)
    assert cards(seen) == []


def test_no_turn_of_the_loop_decodes_more_than_its_share() -> None:
    loop = VirtualLoop()
    turns: list[int] = []
    seen: list[ReaderEvent] = []

    async def story(board: Board) -> None:
        chip = chip_of(board)
        reader = add_reader(board, 0, seen.append)
        await play(chip, BEGIN + 2 * SECOND)
        for edge in range(1_000):
            chip.line(PINS[0][0]).pulse(Monotonic(loop.clock() + edge * 20_000))
        before = reader.counters()["edges"]
        for _ in range(20):
            await asyncio.sleep(0)
            now = reader.counters()["edges"]
            turns.append(int(now - before))
            before = now

    with mock_board(loop) as board:
        run(story(board), loop)
    assert max(turns) == TURN


def test_a_keypad_says_its_keys() -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []
    keypad = Keypad(encoding=KeypadEncoding.BITS_8, enter_key="#")
    begin = BEGIN + 2 * SECOND

    async def story(board: Board) -> None:
        d0, d1 = PINS[0]
        reader = board.wiegand_reader(
            name="r0", d0=d0, d1=d1, card_lengths=frozenset({26}), accept=accept, keypad=keypad
        )
        reader.start(seen.append)
        for index, key in enumerate((Key.DIGIT_4, Key.ENTER)):
            length, raw = keypad.frame([key])
            chip_of(board).schedule(frame(PINS[0], f"{raw:0{length}b}", begin + index * 100 * MS))
        await play(chip_of(board), begin + SECOND)

    with mock_board(loop) as board:
        run(story(board), loop)
    assert [event.key for event in seen if isinstance(event, KeyPressed)] == [Key.DIGIT_4, Key.ENTER]


def test_a_reader_closed_inside_its_own_delivery_says_nothing_more() -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []

    async def story(board: Board) -> None:
        def deliver(event: ReaderEvent) -> None:
            seen.append(event)
            reader.close()

        reader = add_reader(board, 0, deliver)
        chip_of(board).schedule(frame(PINS[0], bits_of(1, 1), BEGIN + 2 * SECOND))
        await play(chip_of(board), BEGIN + 3 * SECOND)
        reader.close()
        assert PINS[0][0] not in board.users

    with mock_board(loop) as board:
        run(story(board), loop)
    assert [type(event) for event in seen] == [ReaderArmed]


def test_a_vanished_chip_breaks_its_readers(caplog: pytest.LogCaptureFixture) -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []

    async def story(board: Board) -> None:
        add_reader(board, 0, seen.append)
        await play(chip_of(board), BEGIN + 2 * SECOND)
        chip_of(board).gone = True
        await play(chip_of(board), BEGIN + 4 * SECOND)
        chip_of(board).gone = False

    with mock_board(loop) as board:
        run(story(board), loop)
    assert [type(event) for event in seen] == [ReaderArmed, ReaderFault]
    assert "DeviceGoneError" in caplog.text


def test_pauses_grow_to_a_bound_and_a_good_reader_begins_anew() -> None:
    loop = VirtualLoop()
    seen: list[ReaderEvent] = []

    async def story(board: Board) -> list[int]:
        chip = chip_of(board)
        reader = add_reader(board, 0, seen.append)
        lengths: list[int] = []
        for _ in range(8):
            pauses = reader.counters()["pauses"]
            while reader.counters()["pauses"] == pauses:  # never silent for a second, so never armed
                chip.line(PINS[0][0]).pulse(loop.clock())
                await asyncio.sleep(0.0005)
            begun = loop.clock()
            while chip.line(PINS[0][0]).when_changed is None:  # noqa: ASYNC110 - virtual time, no event to wait for
                await asyncio.sleep(0.25)
            lengths.append(round((loop.clock() - begun) / SECOND))
        return lengths

    with mock_board(loop) as board:
        lengths = run(story(board), loop)
    assert lengths == [1, 2, 4, 8, 16, 30, 30, LONGEST_PAUSE_NS // SECOND]
    assert seen == []
