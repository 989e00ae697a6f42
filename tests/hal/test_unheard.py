"""A chip's thread that takes no edges any more, as the watchdog asks; and where another process finds its lines."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.chip import Device
from hal.errors import DeviceGoneError
from hal.events import Monotonic
from hal.lgpio_chip import open_lgpio
from tests.hal.fake_lgpio import FakeLgpio, installed
from tests.hal.waiting import wait_for


@pytest.fixture
def lgpio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    with installed(tmp_path, monkeypatch) as fake:
        yield fake


class Holding:
    """A listener that does not come back before it may."""

    def __init__(self) -> None:
        self.entered, self.go = threading.Semaphore(0), threading.Semaphore(0)

    def changed(self, ticks: float, level: int) -> None:
        self.entered.release()
        self.go.acquire()


def test_edges_that_wait_are_told_by_how_long(lgpio: FakeLgpio) -> None:
    chip, hand = open_lgpio("board-pins"), Holding()
    asked = [chip.unheard_for(Monotonic(100))]
    chip.open_input("GPIO14", "up", "reader").when_changed = hand.changed
    lgpio.report(14, 0, 1)
    assert hand.entered.acquire(timeout=60)
    asked += [chip.unheard_for(Monotonic(moment)) for moment in (200, 300, 500)]
    lgpio.report(14, 0, 2)
    hand.go.release()
    assert hand.entered.acquire(timeout=60)  # the next is in its hand
    asked += [chip.unheard_for(Monotonic(moment)) for moment in (600, 700, 900)]
    hand.go.release()
    wait_for(lambda: chip.complete_until(Monotonic(10**10)) is not None)
    asked.append(chip.unheard_for(Monotonic(1000)))
    chip.factory.close()
    assert asked == [0, 0, 0, 200, 0, 0, 200, 0]


def test_a_thread_that_ended_is_a_chip_that_is_gone(lgpio: FakeLgpio) -> None:
    chip = open_lgpio("board-pins")
    lgpio.end_pipe()

    def gone() -> bool:
        try:
            return chip.unheard_for(Monotonic(1)) < 0
        except DeviceGoneError:
            return True

    wait_for(gone)
    lgpio.reopen_pipe()
    chip.factory.close()


def test_where_another_process_finds_the_lines(lgpio: FakeLgpio) -> None:
    chip = open_lgpio("board-pins")
    assert chip.device == Device(name="gpiochip3", label="board-pins")
    chip.factory.close()
