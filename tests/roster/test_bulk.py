"""Several people in one change: enrolled, changed and removed together or not at all, and what is refused harms nothing."""

import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from doorctl.core.types import GroupName, HolderId
from doorctl.errors import InternalError, OperatorError
from doorctl.roster import change
from doorctl.roster.enrolment import Enrolling, NewHolder, Person, RosterWriter
from doorctl.roster.holders import Which
from doorctl.roster.lookup import RosterReader
from doorctl.seal.roster_tree import roster_digest
from doorctl.wire.detail import Action
from tests.roster.people import Draw, all_bytes, entries

ANA, BEN, CY = HolderId("ana"), HolderId("ben"), HolderId("cy")


def test_one_change_enrols_changes_and_removes(
    writer: RosterWriter, reader: RosterReader, draw: Draw, path: Path
) -> None:
    first, second, new, other = draw.rows(), draw.rows(), draw.rows(), draw.rows()
    writer.add_holder(NewHolder(label="Ana", rows=first, card=draw.card()))
    writer.add_holder(NewHolder(label="Ben", rows=second))
    card = draw.card()
    with writer.enrolling() as enrolling:
        enrolling.replace(ANA, new, card)
        enrolling.edit(
            ANA, Person(label="Ana B", groups=(GroupName("staff"),), valid_until=date(2027, 1, 1), suspended=True)
        )
        enrolling.remove(BEN)
        assert enrolling.add(NewHolder(label="Cy", rows=other)) == CY

    ana, cy = reader.holders()
    assert (ana.id, ana.label, ana.groups, ana.valid_until, ana.suspended, ana.card) == (
        ANA, "Ana B", ("staff",), date(2027, 1, 1), True, card,
    )  # fmt: skip
    assert (cy.id, reader.holders(Which(search="ana b"))) == (CY, [ana])
    assert reader.digest() == roster_digest(entries(new + other))
    parts = reader.registrations_after(2, 10)
    assert [(part.generation, part.action, sorted(part.entries)) for part in parts] == [
        (3, Action.ADD, entries(new + other)), (3, Action.REVOKE, entries(first + second)),
    ]  # fmt: skip
    assert [row for row in first + second if bytes(row.lookup) in all_bytes(path)] == []


def test_what_is_refused_leaves_the_rest_of_the_change(writer: RosterWriter, reader: RosterReader, draw: Draw) -> None:
    rows, card = draw.rows(), draw.card()
    writer.add_holder(NewHolder(label="Ana", rows=rows, card=card))
    writer.add_holder(NewHolder(label="Ben", rows=draw.rows()))
    cys = draw.rows()
    with writer.enrolling() as enrolling:
        enrolling.add(NewHolder(label="Cy", rows=cys))
        for refused in (rows, cys):
            with pytest.raises(OperatorError, match="a code or the card is somebody's already"):
                enrolling.replace(BEN, refused, None)
        with pytest.raises(OperatorError, match="the card is ana's"):
            enrolling.replace(BEN, draw.rows(), card)
        with pytest.raises(OperatorError, match="none of that name"):
            enrolling.remove(HolderId("zoe"))
    assert [(holder.id, holder.card is None) for holder in reader.holders()] == [(ANA, False), (BEN, True), (CY, True)]
    assert reader.facts().rows == 21
    assert [part.action for part in reader.registrations_after(2, 10)] == [Action.ADD]


def test_a_holder_keeps_the_card_when_everything_else_is_drawn_anew(
    writer: RosterWriter, reader: RosterReader, draw: Draw
) -> None:
    rows, card = draw.rows(), draw.card()
    writer.add_holder(NewHolder(label="Ana", rows=rows, card=card))
    anew = [rows[0], *draw.rows()[1:]]  # the card's look-up stays what it is
    writer.replace_rows(ANA, anew, card=card)
    assert [reader.find(row.lookup) is not None for row in anew + rows[1:]] == [True] * 7 + [False] * 6


def test_whom_a_change_has_just_enrolled_it_does_not_take_away(
    writer: RosterWriter, reader: RosterReader, draw: Draw
) -> None:
    writer.add_holder(NewHolder(label="Ana", rows=draw.rows()))
    undone: list[Callable[[Enrolling], object]] = [
        lambda enrolling: enrolling.remove(BEN),
        lambda enrolling: enrolling.replace(BEN, draw.rows(), None),
    ]
    for undo in undone:
        with pytest.raises(InternalError, match="enrolled and taken away in one change"):
            enrol_and(writer, draw, undo)
    assert ([holder.id for holder in reader.holders()], reader.generation()) == ([ANA], 1)


def one(draw: Draw, label: str) -> NewHolder:
    return NewHolder(label=label, rows=draw.rows())


def enrol_and(writer: RosterWriter, draw: Draw, more: Callable[[Enrolling], object]) -> None:
    """Ben, and something else in the same change."""
    with writer.enrolling() as enrolling:
        enrolling.add(one(draw, "Ben"))
        more(enrolling)


def test_more_than_one_generation_can_tell_is_refused_whole(
    writer: RosterWriter, reader: RosterReader, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "MOST_ENTRIES", 20)
    with pytest.raises(OperatorError, match="21 rows change at once, at most 20 can"):
        enrol_and(writer, draw, lambda enrolling: [enrolling.add(one(draw, name)) for name in ("Ana", "Cy")])
    assert (reader.holders(), reader.generation()) == ([], 0)


def test_changes_that_are_tidied_once_leave_nothing_at_the_end(writer: RosterWriter, draw: Draw, path: Path) -> None:
    sets = [draw.rows() for _ in range(4)]
    writer.add_holder(NewHolder(label="Ana", rows=sets[0]))
    with writer.tidying_once():
        for rows in sets[1:]:
            writer.replace_rows(ANA, rows, card=None)
    content = all_bytes(path)
    assert [row for rows in sets[:-1] for row in rows if bytes(row.lookup) in content] == []
    assert [row for row in sets[-1] if bytes(row.lookup) not in content] == []


def test_a_digest_of_many_needs_little_more_than_their_bytes(draw: Draw) -> None:
    """One sort of all entries keeps the interpreter's lock while every door waits, and their objects three times that."""
    count = 100_000
    tracemalloc.start()
    digest = roster_digest(draw.random.randbytes(16) for _ in range(count))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(digest) == 32
    assert peak < 2 * 16 * count
