"""The made-up chip: its wires, its memory and its faults."""

import pytest

from hal.errors import MockCommandError
from hal.events import Monotonic
from hal.mock import AGENDA, MockChip, OutputChange
from tests.hal.virtual import BEGIN, MS, VirtualLoop


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[float, int]] = []

    def changed(self, ticks: float, level: int) -> None:
        self.heard.append((ticks, level))


@pytest.fixture
def chip() -> MockChip:
    loop = VirtualLoop()
    loop.close()
    return MockChip(loop.clock, history=4)


def listening(chip: MockChip, pin: str, edges: str) -> Ear:
    ear = Ear()
    opened = chip.pin(pin)
    opened.input_with_pull("up")
    opened.edges = edges
    opened.when_changed = ear.changed
    return ear


@pytest.mark.parametrize(
    ("edges", "heard"),
    [("both", [(2.0, 0), (2.00005, 1)]), ("falling", [(2.0, 0)]), ("rising", [(2.00005, 1)]), ("none", [])],
)
def test_a_pulse_is_told_with_the_time_it_was_given(chip: MockChip, edges: str, heard: list[tuple[float, int]]) -> None:
    ear = listening(chip, "GPIO14", edges)
    chip.line("GPIO14").pulse(Monotonic(2_000_000_000))
    assert ear.heard == heard


def test_an_unchanged_level_is_no_edge(chip: MockChip) -> None:
    ear = listening(chip, "GPIO14", "both")
    for level in (True, False, False, True, True):
        chip.line("GPIO14").feed(Monotonic(BEGIN), level=level)
    assert [level for _, level in ear.heard] == [0, 1]


def test_scheduled_edges_come_in_order_and_only_when_due(chip: MockChip) -> None:
    ears = [listening(chip, pin, "falling") for pin in ("GPIO14", "GPIO15")]
    chip.schedule([("GPIO15", Monotonic(3 * MS)), ("GPIO14", Monotonic(MS)), ("GPIO14", Monotonic(5 * MS))])
    assert (chip.next_due(), chip.deliver_due(Monotonic(3 * MS))) == (MS, 3 * MS)
    assert [[ticks for ticks, _ in ear.heard] for ear in ears] == [[0.001], [0.003]]
    assert chip.next_due() == 5 * MS
    chip.deliver_due(Monotonic(5 * MS))
    assert chip.next_due() is None


def test_a_schedule_is_taken_whole_or_not_at_all(chip: MockChip) -> None:
    listening(chip, "GPIO14", "falling")
    with pytest.raises(MockCommandError, match=r"^no port uses pin GPIO15$"):
        chip.schedule([("GPIO14", Monotonic(1)), ("GPIO15", Monotonic(2))])
    with pytest.raises(MockCommandError, match=rf"^more than {AGENDA} edges would be waiting$"):
        chip.schedule(("GPIO14", Monotonic(1)) for _ in range(AGENDA + 1))
    assert chip.next_due() is None


def test_the_history_is_bounded_and_numbered(chip: MockChip) -> None:
    pin = chip.pin("GPIO17")
    pin.output_with_state(0)
    for level in (1, 0, 0, 1, 0):
        pin.state = level
    pin.close()
    assert chip.outputs_since(3) == [
        OutputChange(number=number, pin="GPIO17", level=level, at=Monotonic(BEGIN))
        for number, level in ((4, True), (5, False), (6, None))
    ]
    assert (len(chip.history), chip.recorded, chip.outputs_since(6)) == (4, 6, [])


def test_an_output_is_nobody_elses_to_drive(chip: MockChip) -> None:
    chip.pin("GPIO17").output_with_state(0)
    with pytest.raises(MockCommandError, match=r"^GPIO17 is an output$"):
        chip.line("GPIO17").feed(Monotonic(BEGIN), level=True)


def test_lost_edges_and_stuck_lines(chip: MockChip) -> None:
    ear = listening(chip, "GPIO14", "falling")
    line = chip.line("GPIO14")
    line.faults.drop_edges = 2
    for at in (1, 2, 3):
        line.pulse(Monotonic(at))
    line.hold_low(Monotonic(4))
    line.pulse(Monotonic(5))
    assert line.state == 0
    line.faults.stuck_low = False
    line.pulse(Monotonic(6))
    assert line.state == 1
    assert [round(ticks * 1e9) for ticks, _ in ear.heard] == [3, 4, 6]


def test_a_wire_that_hangs_in_the_air_pulses_until_it_is_mended(chip: MockChip) -> None:
    ear = listening(chip, "GPIO14", "falling")
    chip.hang("GPIO14", 10 * MS)
    chip.schedule([("GPIO14", Monotonic(BEGIN + 5 * MS))])
    assert chip.next_due() == BEGIN
    chip.deliver_due(Monotonic(BEGIN + 29 * MS))
    assert [round(ticks * 1e9) - BEGIN for ticks, _ in ear.heard] == [0, 5 * MS, 10 * MS, 20 * MS]
    assert chip.next_due() == BEGIN + 30 * MS
    chip.hang("GPIO14", 0)
    assert chip.next_due() is None


def test_a_vanished_chip_fails_every_access_and_tells_no_edge(chip: MockChip) -> None:
    ear = listening(chip, "GPIO14", "falling")
    chip.gone = True
    chip.line("GPIO14").pulse(Monotonic(1))
    assert ear.heard == []
    with pytest.raises(OSError, match=r"No such device"):
        _ = chip.line("GPIO14").state
    with pytest.raises(OSError, match=r"No such device"):
        chip.pin("GPIO15")


def test_gpiozeros_own_list_of_states_stays_small(chip: MockChip) -> None:
    pin = chip.pin("GPIO17")
    pin.output_with_state(0)
    for turn in range(1_000):
        pin.state = turn % 2
    assert len(pin.states) <= 16
