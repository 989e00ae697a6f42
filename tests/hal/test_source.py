"""The pin source and each trap of gpiozero and lgpio that it must not fall into."""

import gc
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from gpiozero import DigitalInputDevice

from hal.crossing import Crossing
from hal.errors import ConfigurationError
from hal.events import Monotonic
from hal.mock import MockChip
from hal.wiegand.source import D0, D1, PinEdgeSource
from tests.hal.virtual import BEGIN, MS, VirtualLoop


def source_on(chip: MockChip, queue: int = 64) -> PinEdgeSource:
    return PinEdgeSource(chip.chip(), name="front", d0="GPIO14", d1="GPIO15", queue=queue)


def begin(loop: VirtualLoop, source: PinEdgeSource) -> list[int]:
    """Start inside the loop; the list grows by one a wake-up."""
    wakes: list[int] = []

    async def start() -> None:
        source.start(lambda: wakes.append(1))

    loop.run_until_complete(start())
    return wakes


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    with closing(VirtualLoop()) as opened:
        yield opened


def test_the_trap_itself_a_dead_thread_stops_every_pin(loop: VirtualLoop) -> None:
    chip = MockChip(loop.clock)
    source = source_on(chip)
    begin(loop, source)

    class Careless:
        def changed(self, ticks: float, level: int) -> None:
            raise ValueError

    careless = Careless()
    chip.pin("GPIO4").when_changed = careless.changed
    chip.line("GPIO4").feed(Monotonic(BEGIN), level=True)
    chip.line("GPIO14").pulse(Monotonic(BEGIN))
    assert (chip.notifier_died, source.take(9)) == (True, [])


def test_the_trap_itself_a_device_of_gpiozero_would_see_levels(loop: VirtualLoop) -> None:
    chip = MockChip(loop.clock)
    device = DigitalInputDevice("GPIO14", pull_up=True, pin_factory=chip)
    assert chip.line("GPIO14").edges == "both"
    device.close()
    source = source_on(chip)
    begin(loop, source)
    assert [chip.line(pin).edges for pin in ("GPIO14", "GPIO15")] == ["falling", "falling"]


def test_edges_keep_the_kernels_time_and_live_through_the_garbage_collector(loop: VirtualLoop) -> None:
    chip = MockChip(loop.clock)
    source = source_on(chip)
    wakes = begin(loop, source)
    gc.collect()
    edges = [(D0, Monotonic(BEGIN + 1)), (D1, Monotonic(BEGIN + 123_456_789)), (D0, Monotonic(BEGIN - 5 * MS))]
    for line, at in edges:
        chip.line(("GPIO14", "GPIO15")[line]).pulse(at)
    loop.run_until_complete(_a_turn())
    assert source.take(9) == edges
    assert wakes == [1]


async def _a_turn() -> None:
    """Let the loop run what was called soon."""


def test_a_full_queue_drops_and_counts(loop: VirtualLoop) -> None:
    chip = MockChip(loop.clock)
    source = source_on(chip, queue=10)
    begin(loop, source)
    for edge in range(25):
        chip.line("GPIO14").pulse(Monotonic(BEGIN + edge * MS))
    assert source.lost() == 15
    assert [at for _, at in source.take(99)] == [BEGIN + edge * MS for edge in range(10)]
    chip.line("GPIO14").pulse(Monotonic(BEGIN))
    assert (len(source.take(99)), source.lost()) == (1, 15)


def test_a_failure_in_the_callback_is_counted_and_wakes_the_loop(loop: VirtualLoop) -> None:
    chip = MockChip(loop.clock)
    source = source_on(chip)
    wakes = begin(loop, source)
    chip.line("GPIO15").faults.raise_edges = 2
    for _ in range(3):
        chip.line("GPIO15").pulse(Monotonic(BEGIN))
    loop.run_until_complete(_a_turn())
    assert (source.failures(), source.take(9), wakes, chip.notifier_died) == (2, [(D1, BEGIN)], [1], False)


def test_a_paused_source_costs_nothing_and_forgets(loop: VirtualLoop) -> None:
    chip = MockChip(loop.clock)
    source = source_on(chip)
    begin(loop, source)
    chip.line("GPIO14").pulse(Monotonic(BEGIN))
    source.pause()
    assert [chip.line(pin).when_changed for pin in ("GPIO14", "GPIO15")] == [None, None]
    chip.line("GPIO14").pulse(Monotonic(BEGIN))
    source.resume()
    chip.line("GPIO15").pulse(Monotonic(BEGIN + 1))
    assert source.take(9) == [(D1, BEGIN + 1)]


def test_levels_are_the_wires(loop: VirtualLoop) -> None:
    chip = MockChip(loop.clock)
    source = source_on(chip)
    assert (source.high(D0), source.high(D1)) == (True, True)
    chip.line("GPIO15").hold_low(loop.clock())
    assert (source.high(D0), source.high(D1)) == (True, False)
    source.close()
    source.close()


def test_a_second_line_that_cannot_be_had_gives_the_first_back(loop: VirtualLoop) -> None:
    chip = MockChip(loop.clock)
    chip.hold_by_another("GPIO15", held=True)
    with pytest.raises(ConfigurationError, match=r"^reader front: GPIO15 on mock chip: pin GPIO15 is already in use"):
        source_on(chip)
    assert chip.line("GPIO14").when_changed is None


def test_nothing_is_overlooked_however_threads_and_loop_interleave(loop: VirtualLoop) -> None:
    crossing: Crossing[int] = Crossing(100_000)
    taken: list[int] = []
    firsts = (0, 10_000, 20_000)

    def put(first: int) -> None:
        for number in range(first, first + 2_000):
            crossing.put(number)

    def put_all() -> None:
        threads = [threading.Thread(target=put, args=(first,)) for first in firsts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    async def story() -> None:
        crossing.attach(lambda: taken.extend(crossing.take(100_000)))
        await loop.run_in_executor(None, put_all)

    loop.run_until_complete(story())
    loop.run_until_complete(_a_turn())
    loop.run_until_complete(loop.shutdown_default_executor())
    assert sorted(taken) == [first + n for first in firsts for n in range(2_000)]


def test_a_put_before_attach_still_wakes_and_one_after_the_loop_closed_harms_nobody(loop: VirtualLoop) -> None:
    crossing: Crossing[int] = Crossing(9)
    woken: list[int] = []
    crossing.put(1)

    async def story() -> None:
        crossing.attach(lambda: woken.extend(crossing.take(9)))

    loop.run_until_complete(story())
    loop.run_until_complete(_a_turn())
    loop.close()
    crossing.put(2)
    crossing.put(3)
    assert (woken, len(crossing)) == ([1], 2)
