"""Wrong codes faster than people type are counted; none is lost from the count."""

from hypothesis import given
from hypothesis import strategies as st

from doorctl.core.types import SECOND, Monotonic, Reason, WallTime
from doorctl.doord.coalesce import BURST, WINDOW, Coalescer, Counted


def tell(coalescer: Coalescer, *seconds: float) -> list[bool]:
    return [told(coalescer, Reason.NO_MATCH, second) for second in seconds]


def told(coalescer: Coalescer, reason: Reason, second: float) -> bool:
    now = round(second * SECOND)
    return coalescer.tell_alone(reason, Monotonic(now), WallTime(now + 7))


def test_a_person_is_told_alone() -> None:
    assert tell(Coalescer(), 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20) == [True] * 11


def test_above_a_burst_they_are_counted() -> None:
    coalescer = Coalescer()
    assert tell(coalescer, 0, 1, 2, 3, 4, 5, 6, 7) == [True] * BURST + [False] * 3
    assert coalescer.next_deadline() == 5 * SECOND + WINDOW
    assert coalescer.on_deadline(Monotonic(5 * SECOND + WINDOW - 1)) == ()
    assert coalescer.count == 3
    counted = coalescer.on_deadline(Monotonic(5 * SECOND + WINDOW))
    assert counted == (Counted(reason=Reason.NO_MATCH, count=3, first=WallTime(5 * SECOND + 7)),)
    assert (coalescer.next_deadline(), coalescer.on_deadline(Monotonic(99 * SECOND))) == (None, ())
    assert coalescer.count == 0


def test_when_the_first_is_ten_seconds_old_the_next_is_told_alone() -> None:
    coalescer = Coalescer()
    assert tell(coalescer, 0, 1, 2, 3, 4, 9.9, 10, 10.5, 11) == [True] * BURST + [False, True, False, True]


def test_each_reason_has_its_count() -> None:
    coalescer = Coalescer()
    tell(coalescer, 0, 0, 0, 0, 0)
    assert not any(
        [
            told(coalescer, Reason.BAD_FORMAT, 1),
            told(coalescer, Reason.NO_MATCH, 2),
            told(coalescer, Reason.BAD_FORMAT, 3),
        ]
    )
    assert coalescer.take() == (
        Counted(reason=Reason.BAD_FORMAT, count=2, first=WallTime(1 * SECOND + 7)),
        Counted(reason=Reason.NO_MATCH, count=1, first=WallTime(2 * SECOND + 7)),
    )
    assert (coalescer.take(), coalescer.next_deadline()) == ((), None)


@given(st.lists(st.integers(0, 4 * SECOND), max_size=60))
def test_every_wrong_code_is_told_or_counted(gaps: list[int]) -> None:
    coalescer, now, told, counted = Coalescer(), 0, 0, 0
    recent: list[int] = []
    for gap in gaps:
        now += gap
        counted += sum(found.count for found in coalescer.on_deadline(Monotonic(now)))
        if coalescer.tell_alone(Reason.NO_MATCH, Monotonic(now), WallTime(now)):
            told += 1
            recent.append(now)
    counted += sum(found.count for found in coalescer.on_deadline(Monotonic(now + WINDOW)))
    assert told + counted == len(gaps)
    assert all(later - sooner >= WINDOW for sooner, later in zip(recent, recent[BURST:], strict=False))
