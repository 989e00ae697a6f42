"""Whatever the network does to an honest board's records, the alarms are the same: the duress codes, each once."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.core.types import SECOND, Reason, WallTime
from doorctl.monitord.ranges import Ranges
from doorctl.seal.meaning import Meaning
from tests.monitord.board import Board, Made, new_row
from tests.monitord.court import Court, brief

_STEPS = st.lists(
    st.sampled_from(["code", "duress", "refused duress", "wrong", "restart", "reboot", "enrol", "revoke", "regroup"]),
    max_size=25,
)


def _history(steps: list[str]) -> tuple[Board, Court, list[Made], int]:
    """An honest board's records, and how many of them are duress codes."""
    board = Board()
    rows = {"code": new_row("Ana"), "duress": new_row("Ana", Meaning.DURESS)}
    others = [new_row("Ben")]
    court = Court(board, *rows.values(), *others)
    records = [board.start(), *board.enrol(*rows.values(), *others)]
    forced = 0
    for step in steps:
        match step:
            case "code" | "duress":
                records.append(board.access(rows[step]))
            case "refused duress":
                records.append(board.access(rows["duress"], Reason.LOCKED_OUT))
            case "wrong":
                records.append(board.access(None))
            case "restart":
                records.append(board.start())
            case "reboot":
                board.boot = f"boot {board.now}".encode()[-16:].rjust(16)
                records.append(board.start())
            case "enrol":
                others.append(new_row("Cleo"))
                court.knows(others[-1])
                records += board.enrol(others[-1], new_row("decoy", Meaning.DECOY), parts=2)
                records.append(board.access(others[-1]))
            case "revoke" if others:
                records.append(board.access(others[-1]))
                records += board.revoke(others.pop())
            case "regroup":
                records += board.enrol()
        forced += "duress" in step
    return board, court, records, forced


@given(steps=_STEPS, data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_and_any_repeats_of_an_honest_history(steps: list[str], data: st.DataObject) -> None:
    board, court, records, forced = _history(steps)
    arrived = data.draw(st.permutations([*records, *data.draw(st.lists(st.sampled_from(records), max_size=5))]))
    supervised = [board.supervise() for _ in range(3)]
    assert court.take(*arrived, *supervised) == ["duress Ana"] * forced
    assert court.wait(12 * SECOND) == []


@given(steps=_STEPS, data=st.data())
@settings(max_examples=100, deadline=None)
def test_batches_do_not_matter(steps: list[str], data: st.DataObject) -> None:
    """Time may be looked at between any two records of a backlog that comes in order: it says nothing new."""
    _, court, records, forced = _history(steps)
    told: Counter[str] = Counter()
    for made in records:
        told.update(court.take(made))
        if data.draw(st.booleans()):
            told.update(brief(court.judge.on_deadline(WallTime(made.body.wall + SECOND))))
    assert told == Counter({"duress Ana": forced} if forced else {})


@given(steps=_STEPS.filter(bool), data=st.data())
@settings(max_examples=100, deadline=None)
def test_one_record_that_never_comes_is_noticed(steps: list[str], data: st.DataObject) -> None:
    """The board believes that all have receipts: whichever is missing, somebody is told."""
    board, court, records, _ = _history(steps)
    withheld = data.draw(st.sampled_from(records))
    told = court.take(*(made for made in records if made is not withheld), *(board.supervise() for _ in range(2)))
    assert "gap" in told


@given(intervals=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))), last=st.integers(0, 70))
def test_ranges_are_a_set(intervals: list[tuple[int, int]], last: int) -> None:
    model: set[int] = set()
    ranges = Ranges()
    for first, end in intervals:
        ranges.add(first, end)
        model |= set(range(first, end + 1))
    assert {number for number in range(80) if number in ranges} == model
    listed = list(ranges)
    assert [number for first, end in listed for number in range(first, end + 1)] == sorted(model)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(listed))
    holes = [number for first, end in ranges.holes(0, last) for number in range(first, end + 1)]
    assert holes == [number for number in range(last + 1) if number not in model]
    assert ranges.highest() == max(model, default=None)
