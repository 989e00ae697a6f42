"""Wrong codes faster than people type are counted; none is lost from the count."""

from hypothesis import given
from hypothesis import strategies as st

from doorctl.core.types import SECOND, Monotonic, WallTime
from doorctl.doord.coalesce import BURST, WINDOW, Coalescer, Counted


def tell(coalescer: Coalescer, *seconds: float) -> list[bool]:
    return [coalescer.tell_alone(Monotonic(round(s * SECOND)), WallTime(round(s * SECOND) + 7)) for s in seconds]


def test_a_person_is_told_alone() -> None:
    assert tell(Coalescer(), 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20) == [True] * 11


def test_above_a_burst_they_are_counted() -> None:
    coalescer = Coalescer()
    assert tell(coalescer, 0, 1, 2, 3, 4, 5, 6, 7) == [True] * BURST + [False] * 3
    assert coalescer.next_deadline() == 5 * SECOND + WINDOW
    assert coalescer.on_deadline(Monotonic(5 * SECOND + WINDOW - 1)) is None
    counted = coalescer.on_deadline(Monotonic(5 * SECOND + WINDOW))
    assert counted == Counted(count=3, first=WallTime(5 * SECOND + 7))
    assert (coalescer.next_deadline(), coalescer.on_deadline(Monotonic(99 * SECOND))) == (None, None)


def test_when_the_first_is_ten_seconds_old_the_next_is_told_alone() -> None:
    coalescer = Coalescer()
    assert tell(coalescer, 0, 1, 2, 3, 4, 9.9, 10, 10.5, 11) == [True] * BURST + [False, True, False, True]


@given(st.lists(st.integers(0, 4 * SECOND), max_size=60))
def test_every_wrong_code_is_told_or_counted(gaps: list[int]) -> None:
    coalescer, now, told, counted = Coalescer(), 0, 0, 0
    recent: list[int] = []
    for gap in gaps:
        now += gap
        if found := coalescer.on_deadline(Monotonic(now)):
            counted += found.count
        if coalescer.tell_alone(Monotonic(now), WallTime(now)):
            told += 1
            recent.append(now)
    if found := coalescer.on_deadline(Monotonic(now + WINDOW)):
        counted += found.count
    assert told + counted == len(gaps)
    assert all(later - sooner >= WINDOW for sooner, later in zip(recent, recent[BURST:], strict=False))
