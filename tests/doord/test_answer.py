"""The slot: never before its time, never before the work is done, always on the entry's own grid."""

from hypothesis import given
from hypothesis import strategies as st

from doorctl.core.types import MS, SECOND, Duration, Monotonic
from doorctl.doord.answer import (
    ANSWER_BOUND,
    CARD_WORK,
    COMMIT_ALLOWANCE,
    COMMIT_BOUND,
    GRID,
    AnswerTimes,
    calibrated,
)

TIMES = AnswerTimes(card_work=Duration(35 * MS), code_work=Duration(185 * MS))
AT = Monotonic(5 * SECOND)


def slot(after_ms: float, *, with_code: bool) -> float:
    now = Monotonic(AT + round(after_ms * MS))
    return (TIMES.slot(AT, with_code=with_code, now=now) - AT) / MS


def test_an_entry_on_time_has_its_factors_slot() -> None:
    assert [slot(after, with_code=False) for after in (0, 3, 34.9, 35)] == [35] * 4
    assert [slot(after, with_code=True) for after in (0, 3, 180, 185)] == [185] * 4


def test_a_late_entry_takes_the_next_of_its_grid() -> None:
    assert [slot(after, with_code=False) for after in (35.000001, 85, 85.000001, 1000)] == [85, 85, 135, 1035]
    assert [slot(after, with_code=True) for after in (185.1, 235, 235.1)] == [235, 235, 285]


@given(at=st.integers(0, 1 << 62), late=st.integers(-(10**9), 10**11), with_code=st.booleans())
def test_the_slot_is_the_first_of_the_grid_that_is_not_over(at: int, late: int, with_code: bool) -> None:
    work = TIMES.code_work if with_code else TIMES.card_work
    now = Monotonic(at + work + late)
    found = TIMES.slot(Monotonic(at), with_code=with_code, now=now)
    assert found >= max(now, at + work)
    assert (found - at - work) % GRID == 0
    assert found - GRID < max(now, at + work)


def test_a_boards_times_follow_from_its_slowest_run() -> None:
    assert calibrated(Duration(100 * MS)) == AnswerTimes(card_work=CARD_WORK, code_work=Duration(185 * MS))


def test_the_bounds_are_in_order() -> None:
    """Allowance, then the courier is asked, then the door answers: within 200 ms with what a pin write takes."""
    assert COMMIT_ALLOWANCE < COMMIT_BOUND < ANSWER_BOUND < 200 * MS
