"""A process that broke ends: whatever else fails on the way, strikes are secured, files closed, the watchdog starves."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from doorctl.core.types import SECOND, DoorName
from doorctl.doord import upkeep
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import STRIKES, a_card


class BugError(Exception):
    """Something nobody thought of."""


def bug() -> None:
    raise BugError


async def bug_in_a_task() -> None:
    bug()


def then_fail(real: Callable[[], None]) -> Callable[[], None]:
    """Do it, and raise as well."""

    def closing() -> None:
        real()
        bug()

    return closing


def let_go(house: House) -> bool:
    """Whether the sockets are gone, the journal is closed, and every strike's pin was given back secured."""
    given_back = {pin for pin, level, _ in house.outputs(*STRIKES.values()) if level is None}
    sockets = (house.paths.control_socket, house.paths.courier_socket, house.paths.mock_socket)
    return given_back == set(STRIKES.values()) and not any(path.exists() for path in sockets)


@pytest.mark.parametrize("where", ["callback", "task"])
def test_it_ends_even_where_the_board_does_not_close(play: Play, where: str, caplog: pytest.LogCaptureFixture) -> None:
    houses: list[House] = []

    async def story(house: House) -> None:
        houses.append(house)
        ana = house.site.people["ana"]
        for door in ("side", "office"):
            await house.enter(door, ana.card if door == "side" else None, ana.code if door == "office" else None)
        await house.wait(1)
        assert house.released("office")
        house.breaks(STRIKES["side"], unwritable=True)
        if where == "callback":
            house.loop.call_soon(bug)
        else:
            house.doord.spawn(bug_in_a_task(), name="bug")
        await house.wait(0)
        await house.wait(0.01)
        assert not house.released("office"), "secured at once"
        with pytest.raises(BugError):
            await house.doord.run_until_stopped()

    with pytest.raises(BugError):
        play(story)
    assert let_go(houses[0])
    (told,) = [record for record in caplog.records if record.levelno >= logging.ERROR and record.name == "doord"]
    assert told.getMessage() == "the board does not close"


def test_the_watchdog_is_not_fed_after_a_failure(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever holds up the end then, systemd ends it."""
    told: list[str] = []
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.setattr(upkeep, "notify", told.append)

    async def story(house: House) -> None:
        await house.wait(3)
        assert "WATCHDOG=1" in told
        house.loop.call_soon(bug)
        await house.wait(0.01)
        told.clear()
        await house.wait(30)
        assert told == []

    with pytest.raises(BugError):
        play(story)


def test_a_board_and_doors_that_do_not_close_keep_nothing_else_open(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    houses: list[House] = []

    async def story(house: House) -> None:
        houses.append(house)
        front, board = house.doord.doors[DoorName("front")], house.doord.board
        monkeypatch.setattr(front, "close", bug)
        monkeypatch.setattr(board, "close", then_fail(board.close))
        house.loop.stall("journal", 5 * SECOND)
        await house.enter("side", a_card(999), None)
        await house.wait(0.5)

    play(story)
    house = houses[0]
    assert let_go(house)
    assert "access" in [row.event for row in house.log()], "what was on its way is in the journal"
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert told == ["door front does not close", "the board does not close"]


def test_a_recorder_that_does_not_close_keeps_nothing_else_open(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    houses: list[House] = []

    async def story(house: House) -> None:
        houses.append(house)
        real: Any = house.doord.recorder.close

        async def closing() -> None:
            await real()
            bug()

        monkeypatch.setattr(house.doord.recorder, "close", closing)

    with pytest.raises(BugError):
        play(story)
    assert let_go(houses[0])
    assert houses[0].doord._tasks == set()
