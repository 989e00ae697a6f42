"""The metal's chip over a stand-in for lgpio; gpiozero's own factory and pins are the real ones."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.chip import Chip
from hal.errors import ConfigurationError, DeviceGoneError
from hal.events import Monotonic
from hal.lgpio_chip import PIPE_BYTES, REPORT, SLACK_NS, find_chip, open_lgpio
from tests.hal.fake_lgpio import FakeLgpio, installed
from tests.hal.waiting import wait_for


@pytest.fixture
def lgpio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    with installed(tmp_path, monkeypatch) as fake:
        yield fake


@pytest.fixture
def chip(lgpio: FakeLgpio) -> Iterator[Chip]:
    chip = open_lgpio("board-pins")
    yield chip
    chip.factory.close()


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[float, int]] = []
        self.fail = False

    def changed(self, ticks: float, level: int) -> None:
        if self.fail:
            raise ValueError("a bug")
        self.heard.append((ticks, level))


def test_an_edge_reaches_its_pin_with_the_kernels_time(lgpio: FakeLgpio, chip: Chip) -> None:
    listener = Listener()
    pin = chip.open_input("GPIO14", "up", "reader")
    pin.edges = "falling"
    pin.when_changed = listener.changed
    assert lgpio.log[-1] == ("alert", 14, lgpio.FALLING_EDGE)
    lgpio.report(14, 0, 5_000_000_000)
    lgpio.report(14, 1, 5_000_050_000)  # not asked for
    lgpio.report(14, 2, 5_000_060_000)  # a watchdog's report is no edge
    lgpio.report(14, 0, 5_000_070_000, flags=1)
    lgpio.report(14, 0, 5_001_000_000)
    wait_for(lambda: len(listener.heard) == 2)
    assert listener.heard == [(5.0, 0), (5.001, 0)]


def test_a_raising_callback_does_not_end_the_thread(lgpio: FakeLgpio, chip: Chip) -> None:
    bad, good = Listener(), Listener()
    bad.fail = True
    for name, listener in (("GPIO14", bad), ("GPIO15", good)):
        chip.open_input(name, "up", "reader").when_changed = listener.changed
    lgpio.report(14, 0, 1_000_000_000)
    lgpio.report(15, 0, 2_000_000_000)
    wait_for(lambda: bool(good.heard))
    assert good.heard == [(2.0, 0)]


def test_nothing_is_complete_while_a_report_is_in_hand(lgpio: FakeLgpio, chip: Chip) -> None:
    verdicts: list[Monotonic | None] = []

    class Asking:
        def changed(self, ticks: float, level: int) -> None:
            verdicts.append(chip.complete_until(Monotonic(10**10)))

    asking = Asking()
    chip.open_input("GPIO14", "up", "reader").when_changed = asking.changed
    lgpio.report(14, 0, 1)
    wait_for(lambda: bool(verdicts))
    assert verdicts == [None]
    wait_for(lambda: chip.complete_until(Monotonic(10**10)) is not None)
    assert chip.complete_until(Monotonic(10**10)) == 10**10 - SLACK_NS


def test_a_full_pipe_counts_as_a_loss(lgpio: FakeLgpio, chip: Chip) -> None:
    held, entered = Gate(), Gate()

    class Holding:
        def changed(self, ticks: float, level: int) -> None:
            entered.open()
            held.pass_through()

    holding = Holding()
    chip.open_input("GPIO14", "up", "reader").when_changed = holding.changed
    lgpio.report(14, 0, 1)
    entered.pass_through()
    assert lgpio.write_raw(REPORT.pack(1, 0, 99, 0, 0, 0) * (PIPE_BYTES // REPORT.size)) == PIPE_BYTES
    before = chip.losses()
    held.open()
    wait_for(lambda: chip.complete_until(Monotonic(0)) is not None)
    assert (before, chip.losses()) == (0, 1)


def test_a_report_in_two_halves_is_one_report(lgpio: FakeLgpio, chip: Chip) -> None:
    listener = Listener()
    chip.open_input("GPIO14", "up", "reader").when_changed = listener.changed
    whole = REPORT.pack(3_000_000_000, 0, 14, 0, 0, 0)
    lgpio.write_raw(whole[:7])
    wait_for(lambda: chip.complete_until(Monotonic(0)) is not None)
    lgpio.write_raw(whole[7:])
    wait_for(lambda: bool(listener.heard))
    assert listener.heard == [(3.0, 0)]


def test_a_pipe_that_ends_is_a_device_gone(lgpio: FakeLgpio, chip: Chip) -> None:
    lgpio.end_pipe()

    def gone() -> bool:
        try:
            chip.complete_until(Monotonic(0))
        except DeviceGoneError:
            return True
        return False

    wait_for(gone)
    lgpio.reopen_pipe()


def test_an_output_begins_at_its_level(lgpio: FakeLgpio, chip: Chip) -> None:
    before = len(lgpio.log)
    pin = chip.open_output("GPIO17", 1, "strike")
    pin.state = 0
    assert [entry for entry in lgpio.log[before:] if entry[0] != "input"] == [("output", 17, 1), ("write", 17, 0)]


def test_a_library_error_names_what_and_where(lgpio: FakeLgpio, chip: Chip) -> None:
    lgpio.gone = True
    with pytest.raises(ConfigurationError, match=r"^strike: GPIO17 on gpiochip3 \(board-pins\): no such device$"):
        chip.open_output("GPIO17", 1, "strike")
    lgpio.gone = False


@pytest.mark.parametrize(
    ("wanted", "found"), [("3", 3), ("gpiochip3", 3), ("board-pins", 3), ("0", 0), ("some power key", 0)]
)
def test_a_chip_is_found_by_number_or_label(lgpio: FakeLgpio, tmp_path: Path, wanted: str, found: int) -> None:
    assert find_chip(lgpio, wanted, tmp_path)[0] == found


def test_no_chip_is_guessed(lgpio: FakeLgpio, tmp_path: Path) -> None:
    there = r"there are: 0 \(some power key\), 3 \(board-pins\)$"
    with pytest.raises(ConfigurationError, match="the board's main gpio chip: could be several; " + there):
        find_chip(lgpio, None, tmp_path)
    with pytest.raises(ConfigurationError, match="gpio chip '7': not found; " + there):
        find_chip(lgpio, "7", tmp_path)


def test_a_raspberry_pis_chip_is_found_wherever_it_is(lgpio: FakeLgpio, tmp_path: Path) -> None:
    lgpio.chips[3] = "pinctrl-rp1"
    assert find_chip(lgpio, None, tmp_path) == (3, "pinctrl-rp1")


def test_a_second_chip_has_pins_of_its_own(lgpio: FakeLgpio, chip: Chip) -> None:
    second = open_lgpio("some power key")
    pins = [one.open_input("GPIO14", "up", "reader") for one in (chip, second)]
    second.factory.close()
    assert pins[0] is not pins[1]


def test_without_lgpio_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(ConfigurationError, match=r"install doorctl\[board\]"):
        open_lgpio(None)


def test_closing_leaves_no_pipe_and_no_thread(lgpio: FakeLgpio, tmp_path: Path) -> None:
    chip = open_lgpio("3")
    chip.open_input("GPIO14", "up", "reader")
    assert (tmp_path / ".lgd-nfy0").exists()
    chip.factory.close()
    chip.factory.close()
    assert not (tmp_path / ".lgd-nfy0").exists()


class Gate:
    """Closed until it is opened; bounded waiting."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def open(self) -> None:
        os.close(self._write)

    def pass_through(self) -> None:
        os.read(self._read, 1)
        os.close(self._read)
