from datetime import date

import pytest

from doorctl.core.schedule import (
    DAY_S,
    HOLIDAY,
    STRICTNESS,
    Calendar,
    Window,
    is_open,
    mode_in_force,
    unlock_in_force,
)
from doorctl.core.types import LocalTime, Mode, ScheduleName

MONDAY = date(2026, 3, 2)
SUNDAY = date(2026, 3, 8)
CHRISTMAS = date(2026, 12, 25)  # a Friday
HOUR = 3600
OFFICE = ScheduleName("office")
NIGHT = ScheduleName("night")
CALENDAR = Calendar(
    schedules={
        OFFICE: (Window(weekday=0, begin=7 * HOUR, end=19 * HOUR), Window(weekday=HOLIDAY, begin=10 * HOUR, end=DAY_S)),
        NIGHT: (Window(weekday=0, begin=18 * HOUR, end=DAY_S), Window(weekday=1, begin=0, end=6 * HOUR)),
    },
    holidays=frozenset({CHRISTMAS}),
)


def local(day: date, second: int) -> LocalTime:
    return LocalTime(day=day, second_of_day=second)


@pytest.mark.parametrize(
    ("day", "second", "open_"),
    [
        (MONDAY, 7 * HOUR - 1, False),
        (MONDAY, 7 * HOUR, True),
        (MONDAY, 19 * HOUR - 1, True),
        (MONDAY, 19 * HOUR, False),
        (SUNDAY, 12 * HOUR, False),
        (CHRISTMAS, 10 * HOUR - 1, False),
        (CHRISTMAS, 10 * HOUR, True),
        (CHRISTMAS, DAY_S - 1, True),
    ],
)
def test_a_window_is_half_open(day: date, second: int, open_: bool) -> None:
    assert CALENDAR.is_open(OFFICE, local(day, second)) is open_


def test_weekday_windows_do_not_count_on_a_holiday_nor_holiday_windows_on_others() -> None:
    windows = (Window(weekday=4, begin=0, end=DAY_S),)
    assert is_open(windows, frozenset(), local(CHRISTMAS, 0)) is True
    assert is_open(windows, frozenset({CHRISTMAS}), local(CHRISTMAS, 0)) is False
    assert is_open((Window(weekday=HOLIDAY, begin=0, end=DAY_S),), frozenset(), local(CHRISTMAS, 0)) is False


def test_a_night_runs_through_midnight_without_a_gap() -> None:
    tuesday = date(2026, 3, 3)
    assert CALENDAR.is_open(NIGHT, local(MONDAY, DAY_S - 1)) is True
    assert CALENDAR.is_open(NIGHT, local(tuesday, 0)) is True


def test_a_schedule_that_nobody_wrote_is_never_on() -> None:
    assert CALENDAR.is_open(ScheduleName("no such"), local(MONDAY, 12 * HOUR)) is False


@pytest.mark.parametrize(
    ("weekday", "begin", "end"), [(-1, 0, 1), (8, 0, 1), (0, -1, 1), (0, 1, 1), (0, 2, 1), (0, 0, DAY_S + 1)]
)
def test_a_window_outside_a_day_is_refused(weekday: int, begin: int, end: int) -> None:
    with pytest.raises(ValueError, match="window"):
        Window(weekday=weekday, begin=begin, end=end)


@pytest.mark.parametrize(
    ("hour", "mode"),
    [(6, Mode.CARD_AND_CODE), (12, Mode.CARD), (18, Mode.CARD), (20, Mode.CODE)],
)
def test_the_first_schedule_that_is_on_gives_the_mode(hour: int, mode: Mode) -> None:
    modes = ((OFFICE, Mode.CARD), (NIGHT, Mode.CODE))
    assert mode_in_force(Mode.CARD_AND_CODE, modes, CALENDAR, local(MONDAY, hour * HOUR)) is mode


def test_both_factors_are_strictest_and_either_is_loosest() -> None:
    assert STRICTNESS[Mode.CARD] == STRICTNESS[Mode.CODE]
    assert STRICTNESS[Mode.CARD_OR_CODE] < STRICTNESS[Mode.CARD] < STRICTNESS[Mode.CARD_AND_CODE]


@pytest.mark.parametrize("own", Mode)
@pytest.mark.parametrize("scheduled", Mode)
def test_an_unknown_time_asks_for_the_strictest(own: Mode, scheduled: Mode) -> None:
    mode = mode_in_force(own, ((OFFICE, scheduled),), CALENDAR, None)
    assert mode is (scheduled if STRICTNESS[scheduled] > STRICTNESS[own] else own)


def test_without_modes_the_readers_own_is_in_force() -> None:
    assert mode_in_force(Mode.CARD, (), CALENDAR, None) is Mode.CARD
    assert mode_in_force(Mode.CARD, (), CALENDAR, local(MONDAY, 0)) is Mode.CARD


@pytest.mark.parametrize(
    ("schedule", "moment", "unlocked"),
    [
        (OFFICE, local(MONDAY, 12 * HOUR), True),
        (OFFICE, local(MONDAY, 20 * HOUR), False),
        (OFFICE, None, False),
        (None, local(MONDAY, 12 * HOUR), False),
        (None, None, False),
    ],
)
def test_the_unlock_schedule_fails_closed(
    schedule: ScheduleName | None, moment: LocalTime | None, unlocked: bool
) -> None:
    assert unlock_in_force(schedule, CALENDAR, moment) is unlocked
