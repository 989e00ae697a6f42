"""A pattern that breaks off on its timer: told to whoever ordered it, and to nobody else."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hal.board import Board
from hal.errors import DeviceGoneError, HalError
from hal.gpio import GpioIndicator
from hal.ports import Light
from tests.hal.virtual import VirtualLoop, mock_board, run

Story = Callable[[Board, GpioIndicator, list[str]], Coroutine[Any, Any, None]]


def play(story: Story) -> None:
    """With an indicator, and what the loop was told of exceptions."""
    loop = VirtualLoop()
    stray: list[str] = []
    loop.set_exception_handler(lambda _, context: stray.append(repr(context)))
    with mock_board(loop) as board:
        run(story(board, board.indicator(led="GPIO5", buzzer="GPIO6"), stray), loop)
        repair(board)


def broken(board: Board, pin: str) -> None:
    assert board.mock is not None
    board.mock.line(pin).faults.unwritable = True


def repair(board: Board) -> None:
    assert board.mock is not None
    for line in board.mock.lines().values():
        line.faults.unwritable = False


def changes(board: Board, pin: str) -> int:
    assert board.mock is not None
    return sum(change.pin == pin for change in board.mock.history)


@pytest.mark.parametrize("pin", ["GPIO5", "GPIO6"])
def test_who_gave_the_order_is_told_once(pin: str) -> None:
    async def story(board: Board, indicator: GpioIndicator, stray: list[str]) -> None:
        told: list[HalError] = []
        if pin == "GPIO5":
            indicator.light(Light.DENIED, told.append)
        else:
            indicator.beep((100, 100, 100), told.append)
        await asyncio.sleep(0.05)
        assert told == []
        broken(board, pin)
        await asyncio.sleep(1)
        assert [str(error) for error in told] == [
            f"{'led' if pin == 'GPIO5' else 'buzzer'} {pin} on mock chip: [Errno 5] Input/output error"
        ]
        assert stray == []

    play(story)


def test_the_pattern_is_over_and_the_next_order_is_carried_out() -> None:
    async def story(board: Board, indicator: GpioIndicator, stray: list[str]) -> None:
        indicator.light(Light.DENIED)
        broken(board, "GPIO5")
        await asyncio.sleep(0.5)
        repair(board)
        before = changes(board, "GPIO5")
        await asyncio.sleep(1)
        assert changes(board, "GPIO5") == before
        indicator.light(Light.IDLE)
        assert changes(board, "GPIO5") == before + 1
        assert stray == []

    play(story)


def test_the_lamp_and_the_sounder_do_not_share_a_fault() -> None:
    async def story(board: Board, indicator: GpioIndicator, _: list[str]) -> None:
        told: list[str] = []
        indicator.light(Light.DENIED, lambda _: told.append("lamp"))
        indicator.beep((100, 100, 100), lambda _: told.append("sounder"))
        broken(board, "GPIO6")
        await asyncio.sleep(0.35)
        assert told == ["sounder"]
        assert changes(board, "GPIO5") == 5, "created, and four times changed: it goes on blinking"

    play(story)


def test_an_order_that_fails_at_once_is_raised_and_not_told_as_well() -> None:
    async def story(board: Board, indicator: GpioIndicator, stray: list[str]) -> None:
        told: list[HalError] = []
        broken(board, "GPIO5")
        with pytest.raises(DeviceGoneError):
            indicator.light(Light.WAITING, told.append)
        await asyncio.sleep(2)
        assert (told, stray) == ([], [])

    play(story)
