from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.core.types import WallTime
from doorctl.journal.journal import Journal
from doorctl.wire.record import RecordHash, Sequence
from tests.journal.making import NOW, entry, epoch, hash_of, head, names, receipt

A, B = epoch(1), epoch(2)
GREATEST = (1 << 64) - 1


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.db") as journal:
        journal.append([entry(A, i) for i in range(1, 6)])
        journal.append([entry(B, i) for i in range(1, 4)])
        yield journal


def test_pages_go_from_the_newest_to_the_oldest(journal: Journal) -> None:
    first = journal.pending(3)
    second = journal.pending(3, before=first[-1])
    third = journal.pending(3, before=second[-1])
    assert names(first + second + third) == [(B, 3), (B, 2), (B, 1), (A, 5), (A, 4), (A, 3), (A, 2), (A, 1)]
    assert journal.pending(3, before=third[-1]) == []


def test_a_page_goes_on_where_its_end_was_receipted_meanwhile(journal: Journal) -> None:
    first = journal.pending(3)
    journal.done([receipt(B, 1), receipt(A, 5)])
    journal.append([entry(B, 4)])
    assert names(journal.pending(2, before=first[-1])) == [(A, 4), (A, 3)]


def test_a_receipt_counts_once_and_only_for_its_hash(journal: Journal) -> None:
    other = (A, Sequence(1), RecordHash(bytes(32)), NOW)
    unknown = (epoch(9), Sequence(1), hash_of(A, 1), NOW)
    absurd = (A, Sequence(GREATEST), hash_of(A, 1), NOW)
    assert journal.done([other, unknown, absurd]) == 0
    assert journal.done([receipt(A, 1), receipt(A, 1), receipt(B, 3), other]) == 2
    assert journal.done([receipt(A, 1)]) == 0
    assert journal.status().pending == 6


def test_a_receipt_of_any_time_is_taken(journal: Journal) -> None:
    assert journal.done([(A, Sequence(1), hash_of(A, 1), WallTime(GREATEST))]) == 1
    assert names(journal.again(A, Sequence(1), 1)) == [(A, 1)]


def test_status_follows_receipts(journal: Journal) -> None:
    journal.done([receipt(A, 1), receipt(A, 2), receipt(B, 2)])
    status = journal.status()
    assert (status.pending, status.oldest and status.oldest[:2]) == (5, (A, 3))
    assert (status.head, status.receipted) == (head(B, 3), head(B, 2))
    journal.done([receipt(A, 3)])
    assert journal.status().receipted == head(B, 2)


def test_again_gives_what_was_receipted_and_nothing_else(journal: Journal) -> None:
    journal.done([receipt(A, i) for i in (5, 2, 3)] + [receipt(B, 2)])
    assert names(journal.again(A, Sequence(2), 3)) == [(A, 2), (A, 3)]
    assert names(journal.again(A, Sequence(0), GREATEST)) == [(A, 2), (A, 3), (A, 5)]
    assert journal.again(A, Sequence(GREATEST), 5) == []
    assert journal.again(A, Sequence(3), 0) == []
    assert journal.again(epoch(9), Sequence(0), 10) == []


def test_the_head_is_the_last_sequence_also_where_the_disk_got_them_out_of_order(journal: Journal) -> None:
    journal.append([entry(B, 6)])
    journal.append([entry(B, 5)])
    assert journal.last_epoch() == head(B, 6)
