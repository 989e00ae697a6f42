from pathlib import Path

import pytest

from doorctl.core.types import Duration, WallTime
from doorctl.journal import bounds
from doorctl.journal.bounds import Candidate, choose
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.journal.rows import Entry, LogRow, LossReport, Weight
from doorctl.wire.detail import RANGES_PER_RECORD, LostRange
from doorctl.wire.record import Epoch, Sequence
from tests.journal.making import DAY, NOW, entry, epoch, log_row, names, receipt, sealed

A, B, C = epoch(1), epoch(2), epoch(3)


def lost(epoch_: Epoch, first: int, last: int) -> LostRange:
    return LostRange(epoch=epoch_, first=Sequence(first), last=Sequence(last))


def candidates(weight: Weight, epoch_: Epoch, *sequences: int) -> list[Candidate]:
    return [Candidate(sequence, weight, epoch_, Sequence(sequence)) for sequence in sequences]


def test_nothing_to_choose_from() -> None:
    assert choose([], 5) is None


def test_runs_become_ranges_across_weights() -> None:
    assert choose(candidates(Weight.UNMATCHED, A, 2, 4, 5) + candidates(Weight.MATCHED, A, 1, 3), 5) == LossReport(
        ranges=(lost(A, 1, 5),),
        unmatched=3,
        matched=2,
        records=((A, Sequence(2)), (A, Sequence(4)), (A, Sequence(5)), (A, Sequence(1)), (A, Sequence(3))),
    )


def test_epochs_do_not_run_together() -> None:
    report = choose(
        [Candidate(1, Weight.MATCHED, A, Sequence(7)), Candidate(2, Weight.MATCHED, B, Sequence(8))], 2
    )  # fmt: skip
    assert report is not None
    assert report.ranges == (lost(A, 7, 7), lost(B, 8, 8))


def test_beyond_what_is_needed_only_what_can_be_named() -> None:
    scattered = candidates(Weight.UNMATCHED, A, *range(1, 101, 2))
    report = choose(scattered, 3)
    assert report is not None
    assert (len(report.records), len(report.ranges)) == (RANGES_PER_RECORD, RANGES_PER_RECORD)


def test_what_is_needed_goes_even_where_it_is_only_counted() -> None:
    report = choose(candidates(Weight.UNMATCHED, A, *range(1, 101, 2)), 30)
    assert report is not None
    assert (report.unmatched, len(report.records), len(report.ranges)) == (30, 30, RANGES_PER_RECORD)
    assert len(report.detail.encode()) <= 458


def test_a_long_run_goes_as_one_range() -> None:
    report = choose(candidates(Weight.UNMATCHED, A, *range(1, 1001)), 2)
    assert report is not None
    assert (report.ranges, report.unmatched) == ((lost(A, 1, 1000),), 1000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def fill(journal: Journal) -> None:
    """START, unmatched 2, matched 3, ENROLLED 4, unmatched 5, matched 6."""
    journal.append(
        [
            entry(A, 1),
            entry(A, 2),
            entry(A, 3, matched=True),
            entry(A, 4, structure=True),
            entry(A, 5),
            entry(A, 6, matched=True),
        ]
    )


def test_room_until_the_limit(path: Path) -> None:
    with Journal.open(path, limit=7) as journal:
        fill(journal)
        assert journal.make_room() is None
        assert journal.make_room(incoming=2) is not None


def test_unmatched_give_way_first_structure_last_and_the_newest_never(path: Path) -> None:
    with Journal.open(path, limit=6) as journal:
        fill(journal)
        order = [report.records for n in range(1, 9) if (report := journal.make_room(incoming=n)) is not None]
    two, five, three, one, four = (A, 2), (A, 5), (A, 3), (A, 1), (A, 4)
    assert order == [
        (two, five),
        (two, five, three),
        (two, five, three, one),
        *[(two, five, three, one, four)] * 5,
    ]


def test_what_completes_a_generation_is_structure_said_or_not(path: Path) -> None:
    with Journal.open(path, limit=3) as journal:
        journal.append([entry(A, 1), Entry(record=sealed(A, 2), sent_generation=4), entry(A, 3), entry(A, 4)])
        report = journal.make_room()
        assert report is not None
        assert report.records == ((A, 3), (A, 1), (A, 2))


def test_a_report_deletes_nothing_until_its_record_is_appended(path: Path) -> None:
    with Journal.open(path, limit=6) as journal:
        fill(journal)
        report = journal.make_room()
        assert report is not None
        assert (report.ranges, report.unmatched, report.matched) == ((lost(A, 2, 2), lost(A, 5, 5)), 2, 0)
        assert journal.status().pending == 6
        loss = Entry(record=sealed(A, 7), structure=True, loss=report)
        journal.append([loss, entry(A, 8, matched=True)])
        expected = [(A, 8), (A, 7), (A, 6), (A, 4), (A, 3), (A, 1)]
        assert (names(journal.pending(10)), journal.status().pending) == (expected, 6)
        journal.append([loss])
        assert (names(journal.pending(10)), journal.status().pending) == (expected, 6)


def test_what_was_receipted_meanwhile_is_not_deleted(path: Path) -> None:
    with Journal.open(path, limit=6) as journal:
        fill(journal)
        report = journal.make_room()
        journal.done([receipt(A, 2)])
        journal.append([Entry(record=sealed(A, 7), structure=True, loss=report)])
        assert names(journal.again(A, Sequence(1), 10)) == [(A, 2)]
        assert journal.status().pending == 5


def test_a_full_spool_goes_on_for_ever_and_stays_bounded(path: Path) -> None:
    counted = 0
    with Journal.open(path, limit=200) as journal:
        sequence = 0
        for i in range(700):
            group = []
            report = journal.make_room(incoming=1)
            if report is not None:
                sequence += 1
                counted += report.unmatched + report.matched
                group.append(Entry(record=sealed(A, sequence), structure=True, loss=report))
            sequence += 1
            group.append(entry(A, sequence, matched=i % 7 == 0))
            journal.append(group)
            assert journal.status().pending <= 200
        left = journal.status().pending
        assert left + counted == sequence
        assert journal.last_epoch() is not None


def test_receipted_records_stay_seven_days(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, i) for i in range(1, 6)])
        journal.done([receipt(A, 1, NOW), receipt(A, 2, NOW + 1), receipt(A, 4, NOW + 2)])
        assert journal.prune(WallTime(NOW + 7 * DAY)) == 0
        assert journal.prune(WallTime(NOW + 7 * DAY + 2)) == 2
        assert names(journal.again(A, Sequence(1), 9)) == [(A, 4)]
        assert names(journal.pending(9)) == [(A, 5), (A, 3)]


def test_the_head_and_the_newest_receipted_are_kept_for_ever(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, i) for i in range(1, 4)])
        journal.done([receipt(A, i) for i in range(1, 4)])
        assert journal.prune(WallTime(NOW + 100 * DAY)) == 2
        assert journal.status().receipted == journal.last_epoch() is not None
        journal.append([entry(A, 4)])
        assert journal.prune(WallTime(NOW + 100 * DAY)) == 0
        journal.done([receipt(A, 4)])
        assert journal.prune(WallTime(NOW + 100 * DAY)) == 1


def test_receipted_records_are_bounded_by_number_too(path: Path) -> None:
    with Journal.open(path, limit=10) as journal:
        journal.append([entry(A, i) for i in range(1, 31)])
        journal.done([receipt(A, i) for i in range(1, 31)])
        assert journal.prune(NOW) == 20
        assert names(journal.again(A, Sequence(1), 99)) == [(A, i) for i in range(21, 31)]


def test_pruning_goes_in_steps(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "PRUNE_STEP", 4)
    with Journal.open(path) as journal:
        journal.append([entry(A, i) for i in range(1, 12)])
        journal.done([receipt(A, i) for i in range(1, 12)])
        later = WallTime(NOW + 8 * DAY)
        assert [journal.prune(later) for _ in range(4)] == [4, 4, 2, 0]


def test_the_access_log_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LOG_ROWS", 10)
    with Journal.open(path) as journal:
        journal.append([Entry(log=log_row(i)) for i in range(1, 26)])
        assert [journal.prune(NOW) for _ in range(2)] == [15, 0]
        assert journal.last_wall() == NOW + 25
    assert [one.id for one in JournalReader(path).log(99)] == list(range(16, 26))


KEEP = Duration(90 * DAY)


def aged(*days: float) -> list[Entry]:
    """Log lines so many days before NOW, in the order in which they were written."""
    return [Entry(log=LogRow(wall=WallTime(NOW - round(age * DAY)), event="access", door="front")) for age in days]


@pytest.mark.parametrize(
    ("days", "left"),
    [
        ([], []),
        ([91, 90.1, 90, 89.9, 0], [3, 4, 5]),
        ([89, 88], [1, 2]),
        ([100], [1]),
        ([100, 99], [2]),
        ([100, 99, 20_000, 89, 20_000, 1], [3, 4, 5, 6]),
        ([20_000, 20_000, 0.01], [1, 2, 3]),
        ([20_000, 20_000, 91, 90, 0], [4, 5]),
        ([20_000, -400, 91, -400, 20_000, 1, 0], [4, 5, 6, 7]),
        ([20_000, -400, 20_000], [1, 2, 3]),
        ([100, -400, 99, 1], [4]),
        ([-400, -400, 1], [1, 2, 3]),
        ([1, 100, 100, 0], [1, 2, 3, 4]),
    ],
    ids=[
        "nothing", "what is older than the retention", "nothing is old", "the newest stays", "the newest stays behind",
        "a clock that stood at the beginning", "a new journal begun by one", "and dated since", "from here to there",
        "no line says when", "a clock that ran ahead", "nothing says how old it is", "order counts",
    ],
)  # fmt: skip
def test_lines_of_the_log_go_when_their_time_is_over(path: Path, days: list[float], left: list[int]) -> None:
    with Journal.open(path) as journal:
        journal.append(aged(*days))
        assert journal.prune(NOW, keep_log=KEEP) == len(days) - len(left)
        assert journal.prune(NOW, keep_log=KEEP) == 0
    assert [one.id for one in JournalReader(path).log(99)] == left


def test_old_lines_go_in_steps(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "PRUNE_STEP", 4)
    with Journal.open(path) as journal:
        journal.append(aged(*[100] * 10, 1))
        assert [journal.prune(NOW, keep_log=KEEP) for _ in range(4)] == [4, 4, 2, 0]


@pytest.mark.parametrize(("age", "left"), [(91, 1), (89, 41), (20_000, 41)])
def test_more_lines_without_a_date_than_one_look_hold_up_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, age: float, left: int
) -> None:
    """They go when a dated line far behind them says so, and not before."""
    monkeypatch.setattr(bounds, "LOG_LOOK", 4)
    with Journal.open(path) as journal:
        journal.append(aged(*[20_000] * 20, *[age] * 20, 0.01))
        while journal.prune(NOW, keep_log=KEEP):
            pass
    assert len(JournalReader(path).log(99)) == left


def test_what_has_no_receipt_stays_whatever_its_age(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, i) for i in range(1, 6)])
        journal.done([receipt(A, 1), receipt(A, 3)])
        assert journal.prune(WallTime(NOW + 400 * DAY), keep_log=KEEP) == 1 + 4
        assert names(journal.pending(9)) == [(A, 5), (A, 4), (A, 2)]
        assert journal.last_wall() == NOW + 5


def test_a_line_that_is_gone_has_left_the_file(path: Path) -> None:
    detail = "unlock front, by uid 4711"
    with Journal.open(path) as journal:
        journal.append([Entry(log=LogRow(wall=WallTime(NOW - 100 * DAY), event="operator", detail=detail))])
        journal.append(aged(1))
        journal.checkpoint()
        assert detail.encode() in path.read_bytes()
        assert journal.prune(NOW, keep_log=KEEP) == 1
        journal.checkpoint()
        assert detail.encode() not in path.read_bytes()
