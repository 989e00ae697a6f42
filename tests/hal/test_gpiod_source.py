"""The gpiod source over a stand-in for the library; over the library itself and a kernel: tests/metal."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from hal.board import open_board
from hal.errors import ConfigurationError, DeviceGoneError
from hal.events import CardBits, FrameRefused, Monotonic, ReaderArmed, ReaderEvent, ReaderFault
from hal.mock import MockChip
from hal.wiegand.decoder import Decoder
from hal.wiegand.gpiod_source import BUFFER, SLACK_NS, GpiodEdgeSource, find_gpiod
from hal.wiegand.reader import WiegandReader
from hal.wiegand.source import D0, D1
from tests.hal import fake_lgpio
from tests.hal.fake_gpiod import Bias, Clock, Direction, Edge, FakeGpiod, installed
from tests.hal.virtual import BEGIN, MS, SECOND, VirtualLoop

BITS = "10110011100011110000111110"


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    with closing(VirtualLoop()) as opened:
        yield opened


@pytest.fixture
def gpiod(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGpiod]:
    with installed(monkeypatch) as fake:
        yield fake


@pytest.fixture
def source(gpiod: FakeGpiod, loop: VirtualLoop) -> Iterator[GpiodEdgeSource]:
    with closing(source_on(gpiod, loop)) as opened:
        yield opened


def source_on(gpiod: FakeGpiod, loop: VirtualLoop, queue: int = 4096) -> GpiodEdgeSource:
    chip = MockChip(loop.clock).chip()
    return GpiodEdgeSource(gpiod, chip, device="/dev/gpiochip4", name="front", lines=(14, 15), queue=queue)


def begin(loop: VirtualLoop, source: GpiodEdgeSource) -> list[int]:
    """Start inside the loop; the list grows by one a wake-up, which drains."""
    wakes: list[int] = []

    def wake() -> None:
        wakes.append(1)
        source.complete_until(loop.clock())

    async def start() -> None:
        source.start(wake)

    loop.run_until_complete(start())
    return wakes


def test_one_request_of_falling_edges_is_all_it_asks_for(gpiod: FakeGpiod, source: GpiodEdgeSource) -> None:
    settings = {
        "direction": Direction.INPUT, "edge_detection": Edge.FALLING, "bias": Bias.PULL_UP,
        "debounce_period": timedelta(0), "event_clock": Clock.MONOTONIC,
    }  # fmt: skip
    assert gpiod.asked == [("/dev/gpiochip4", (14, 15), "doorctl front", settings)]
    assert gpiod.requests[0].size == BUFFER


def test_edges_keep_the_kernels_time_and_wake_the_loop(
    gpiod: FakeGpiod, source: GpiodEdgeSource, loop: VirtualLoop
) -> None:
    wakes = begin(loop, source)
    gpiod.fell(14, BEGIN + 1)
    gpiod.fell(15, BEGIN + 123_456_789)
    loop.run_until_complete(_a_turn())
    assert wakes == [1]
    assert source.complete_until(Monotonic(BEGIN)) == BEGIN - SLACK_NS
    assert source.take(1) == [(D0, BEGIN + 1)]
    assert source.take(9) == [(D1, BEGIN + 123_456_789)]
    assert source.lost() == 0


async def _a_turn() -> None:
    """Let the loop see its descriptors."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_edges_are_in_the_interrupts_order_however_they_were_filed(
    gpiod: FakeGpiod, source: GpiodEdgeSource, loop: VirtualLoop
) -> None:
    begin(loop, source)
    gpiod.fell(14, BEGIN)
    gpiod.fell(15, BEGIN + MS)
    gpiod.requests[0].kept.reverse()
    source.complete_until(Monotonic(BEGIN + SECOND))
    assert (source.take(9), source.lost()) == ([(D0, BEGIN), (D1, BEGIN + MS)], 0)


def test_what_the_kernel_had_no_room_for_is_counted(
    gpiod: FakeGpiod, source: GpiodEdgeSource, loop: VirtualLoop
) -> None:
    begin(loop, source)
    for number in range(BUFFER + 7):
        gpiod.fell((14, 15)[number % 2], BEGIN + number * MS)
    assert source.complete_until(loop.clock()) is None  # so many at once: there may be more
    assert source.complete_until(loop.clock()) is not None
    assert (source.lost(), len(source.take(9999))) == (7, BUFFER)
    gpiod.fell(14, BEGIN + 2 * SECOND)
    source.complete_until(loop.clock())
    assert source.lost() == 7


def test_what_finds_no_room_here_is_counted(gpiod: FakeGpiod, loop: VirtualLoop) -> None:
    with closing(source_on(gpiod, loop, queue=10)) as source:
        begin(loop, source)
        for number in range(25):
            gpiod.fell(14, BEGIN + number * MS)
        source.complete_until(loop.clock())
        assert (source.lost(), [at for _, at in source.take(99)]) == (15, [BEGIN + n * MS for n in range(10)])


def test_a_paused_source_holds_no_line_and_forgets(
    gpiod: FakeGpiod, source: GpiodEdgeSource, loop: VirtualLoop
) -> None:
    begin(loop, source)
    gpiod.fell(14, BEGIN)
    source.complete_until(loop.clock())
    source.pause()
    assert gpiod.requests == []
    gpiod.fell(14, BEGIN + MS)

    async def resume() -> None:
        source.resume()

    loop.run_until_complete(resume())
    gpiod.fell(15, BEGIN + 2 * MS)
    source.complete_until(loop.clock())
    assert (source.take(9), source.lost()) == ([(D1, BEGIN + 2 * MS)], 0)


def test_levels_are_the_wires(gpiod: FakeGpiod, source: GpiodEdgeSource) -> None:
    gpiod.levels[15] = 0
    assert (source.high(D0), source.high(D1)) == (True, False)


def test_lines_that_another_holds_are_a_configuration_error(
    gpiod: FakeGpiod, source: GpiodEdgeSource, loop: VirtualLoop
) -> None:
    with pytest.raises(ConfigurationError, match=r"^reader front on mock chip: .*busy"):
        source_on(gpiod, loop)


def test_a_chip_that_vanished_is_a_device_gone(gpiod: FakeGpiod, source: GpiodEdgeSource, loop: VirtualLoop) -> None:
    begin(loop, source)
    gpiod.gone = True
    with pytest.raises(DeviceGoneError, match=r"^reader front on mock chip: .*No such device"):
        source.complete_until(loop.clock())
    with pytest.raises(DeviceGoneError):
        source.high(D0)


def test_a_lost_edge_refuses_the_card_and_the_next_one_is_read(gpiod: FakeGpiod, loop: VirtualLoop) -> None:
    heard: list[ReaderEvent] = []

    def make_decoder(now: Monotonic) -> Decoder:
        return Decoder(name="front", card_lengths=frozenset({26}), accept=lambda _, __: True, now=now)

    reader = WiegandReader(
        name="front", source=source_on(gpiod, loop), make_decoder=make_decoder, clock=loop.clock,
        given_back=lambda: None,
    )  # fmt: skip

    async def story() -> None:
        reader.start(heard.append)
        await _seconds(loop, 1.5)
        await _card(gpiod, loop, losing=13)
        await _seconds(loop, 4)
        await _card(gpiod, loop)
        await _seconds(loop, 0.1)

    loop.run_until_complete(story())
    lost = reader.counters()["edges lost"]
    reader.close()
    cards = [(event.length, event.raw) for event in heard if isinstance(event, CardBits)]
    kinds = [type(event) for event in heard]
    assert (cards, lost) == ([(26, int(BITS, 2))], 1)
    assert kinds[:2] == [ReaderArmed, ReaderFault]
    assert set(kinds) <= {ReaderArmed, ReaderFault, FrameRefused, CardBits}


async def _seconds(loop: VirtualLoop, seconds: float) -> None:
    future = loop.create_future()
    loop.call_later(seconds, future.set_result, None)
    await future


async def _card(gpiod: FakeGpiod, loop: VirtualLoop, losing: int | None = None) -> None:
    for place, bit in enumerate(BITS):
        if place == losing:
            gpiod.requests[0].lose((14, 15)[int(bit)])
        else:
            gpiod.fell((14, 15)[int(bit)], loop.clock())
        await _seconds(loop, 0.001)


def test_version_1_of_the_library_is_not_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", ModuleType("gpiod"))
    assert find_gpiod() is None


@pytest.mark.parametrize("there", [True, False])
def test_a_board_reads_through_gpiod_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    with fake_lgpio.installed(tmp_path, monkeypatch), installed(monkeypatch) as gpiod:
        if not there:
            monkeypatch.setitem(sys.modules, "gpiod", None)
        with closing(open_board("gpiozero", "board-pins")) as board:
            board.wiegand_reader(
                name="front", d0="J8:8", d1="GPIO15", card_lengths=frozenset({26}), accept=lambda _, __: True
            )
            assert board.readers["front"].source == ("gpiod" if there else "pins")
        asked = [(device, lines) for device, lines, _, _ in gpiod.asked]
        assert asked == ([("/dev/gpiochip3", (14, 15))] if there else [])
