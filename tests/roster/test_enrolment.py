"""The writer: each change whole or not at all, and what it refuses."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from doorctl.core.types import GroupName, HolderId, Match
from doorctl.errors import InternalError, OperatorError, StorageError
from doorctl.roster.enrolment import NewHolder, RosterWriter
from doorctl.roster.factors import CardId, Lookup
from doorctl.roster.holders import Holder, RosterFacts, Which
from doorctl.roster.lookup import RosterReader, RosterState
from doorctl.seal.roster_tree import roster_digest
from doorctl.wire.record import Token
from tests.roster.people import TODAY, Draw, edit, entries

ANA = HolderId("ana-lopez")
STAFF, NIGHT = GroupName("staff"), GroupName("night")


def everything(path: Path) -> list[list[tuple[object, ...]]]:
    """All tables, to compare before and after."""
    connection = sqlite3.connect(path)
    tables = ("meta", "holders", "holder_cards", "rows", "generations", "registrations")
    rows = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    connection.close()
    return rows


def test_a_new_holder_can_be_seen_and_found(writer: RosterWriter, reader: RosterReader, draw: Draw) -> None:
    rows, card = draw.rows(), draw.card()
    added = writer.add_holder(
        NewHolder(
            label="  Ana López ",
            rows=rows,
            card=card,
            groups=(STAFF, NIGHT, STAFF),
            valid_from=date(2026, 1, 1),
            valid_until=date(2026, 12, 31),
        )
    )

    assert added == ANA
    assert writer.holder(ANA) == Holder(
        id=ANA,
        label="Ana López",
        groups=(NIGHT, STAFF),
        valid_from=date(2026, 1, 1),
        valid_until=date(2026, 12, 31),
        suspended=False,
        drawn=TODAY,
        card=card,
    )
    match = Match(
        holder=ANA,
        groups=(NIGHT, STAFF),
        valid_from=date(2026, 1, 1),
        valid_until=date(2026, 12, 31),
        suspended=False,
    )
    found = [reader.find(row.lookup) for row in rows]
    assert [(row.match, row.token) for row in found if row] == [(match, row.token) for row in rows]
    assert reader.state() == RosterState(generation=1, digest=roster_digest(entries(rows)))
    assert writer.holder_of_card(card) == ANA
    assert writer.holder_of_card(draw.card()) is None


@pytest.mark.parametrize(
    ("label", "short"),
    [
        ("Ana Lopez", "ana-lopez"),
        ("Ana  LÓPEZ-García", "ana-lopez-garcia"),
        ("Großmann, Jörg", "grossmann-jorg"),
        ("李小龙", "holder"),
        ("?!", "holder"),
        ("Room 12", "room-12"),
        ("x" * 80, "x" * 40),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_short_names_are_made_of_labels(writer: RosterWriter, draw: Draw, label: str, short: str) -> None:
    assert writer.free_id(label) == short
    assert writer.add_holder(NewHolder(label=label, rows=draw.rows())) == short


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\uff1d1"])
def test_nobody_is_named_as_a_formula(writer: RosterWriter, draw: Draw, label: str) -> None:
    with pytest.raises(OperatorError, match=r"a name cannot begin with = \+ - or @"):
        writer.free_id(label)
    with pytest.raises(OperatorError, match=r"a name cannot begin with = \+ - or @"):
        writer.add_holder(NewHolder(label=label, rows=draw.rows(), id=ANA))
    assert writer.holders() == []


def test_namesakes_are_numbered_and_a_free_number_is_used_again(writer: RosterWriter, draw: Draw) -> None:
    added = [writer.add_holder(NewHolder(label="Ana Lopez", rows=draw.rows())) for _ in range(3)]
    long = [writer.add_holder(NewHolder(label="y" * 50, rows=draw.rows())) for _ in range(2)]
    writer.remove_holder(HolderId("ana-lopez-2"))

    assert added == ["ana-lopez", "ana-lopez-2", "ana-lopez-3"]
    assert long == ["y" * 40, "y" * 38 + "-2"]
    assert writer.add_holder(NewHolder(label="Ana Lopez", rows=draw.rows())) == "ana-lopez-2"


def test_an_asked_for_short_name_is_used_or_refused(writer: RosterWriter, draw: Draw) -> None:
    first = NewHolder(label="Ana Lopez", rows=draw.rows(), id=HolderId("al"))
    assert writer.add_holder(first) == "al"

    with pytest.raises(OperatorError, match="holder al: there is one of that name already"):
        writer.add_holder(replace(first, rows=draw.rows()))


@pytest.mark.parametrize("label", ["", "   ", "a" * 81, "a\nb", "a\0b", "a\x1b[31m"])
def test_labels_nobody_could_read_back_are_refused(writer: RosterWriter, path: Path, draw: Draw, label: str) -> None:
    before = everything(path)

    with pytest.raises(OperatorError, match="expected a name of 1 to 80 printable characters"):
        writer.add_holder(NewHolder(label=label, rows=draw.rows()))
    assert everything(path) == before


def test_the_whole_set_is_redrawn_and_the_old_one_revoked(
    writer: RosterWriter, reader: RosterReader, path: Path, draw: Draw
) -> None:
    old, card = draw.rows(), draw.card()
    writer.add_holder(NewHolder(label="Ana Lopez", rows=old, card=card))
    # the card's own row keeps its look-up: it is made of the card alone
    new = [replace(old[0], token=draw.token()), *draw.rows()[1:]]
    writer.close()

    with RosterWriter.open(path, today=date(2026, 9, 9)) as later:
        later.replace_rows(ANA, new, card=card)
        assert later.holder(ANA).drawn == date(2026, 9, 9)
        assert later.holder(ANA).card == card
        assert later.facts() == RosterFacts(holders=1, rows=7, generation=2, file_size=path.stat().st_size)
    assert [reader.find(row.lookup) for row in old[1:]] == [None] * 6
    assert [row.token for row in map(reader.find, [n.lookup for n in new]) if row] == [n.token for n in new]
    assert reader.digest() == roster_digest(entries(new))


def test_a_card_can_be_exchanged_and_taken_away(writer: RosterWriter, draw: Draw) -> None:
    first, second = draw.card(), draw.card()
    writer.add_holder(NewHolder(label="Ana Lopez", rows=draw.rows(), card=first))

    writer.replace_rows(ANA, draw.rows(), card=second)
    assert (writer.holder_of_card(first), writer.holder_of_card(second)) == (None, ANA)
    writer.replace_rows(ANA, draw.rows(), card=None)
    assert writer.holder(ANA).card is None
    assert writer.add_holder(NewHolder(label="Bo", rows=draw.rows(), card=first)) == "bo"


def test_a_removed_holder_leaves_nothing_that_opens(writer: RosterWriter, reader: RosterReader, draw: Draw) -> None:
    rows, others = draw.rows(), draw.rows()
    writer.add_holder(NewHolder(label="Ana Lopez", rows=rows, card=draw.card()))
    writer.add_holder(NewHolder(label="Bo", rows=others))

    writer.remove_holder(ANA)

    assert [holder.id for holder in writer.holders()] == ["bo"]
    assert [reader.find(row.lookup) for row in rows] == [None] * 7
    assert reader.state() == RosterState(generation=3, digest=roster_digest(entries(others)))


def test_groups_validity_and_suspension_change_the_match_and_no_row(
    writer: RosterWriter, reader: RosterReader, draw: Draw
) -> None:
    rows = draw.rows()
    writer.add_holder(NewHolder(label="Ana Lopez", rows=rows, groups=(STAFF,)))
    before = reader.find(rows[3].lookup)
    digest = reader.digest()
    assert before is not None

    edit(writer, ANA, groups=(NIGHT,))
    edit(writer, ANA, valid_from=None, valid_until=date(2026, 5, 5))
    edit(writer, ANA, suspended=True)

    changed = replace(before.match, groups=(NIGHT,), valid_until=date(2026, 5, 5), suspended=True)
    assert reader.find(rows[3].lookup) == replace(before, match=changed)
    assert reader.state() == RosterState(generation=4, digest=digest)
    edit(writer, ANA, suspended=False)
    edit(writer, ANA, valid_from=None, valid_until=None)
    edit(writer, ANA, groups=(STAFF,))
    assert reader.find(rows[3].lookup) == before


def test_holders_are_listed_searched_and_paged(writer: RosterWriter, reader: RosterReader, draw: Draw) -> None:
    for label, group in (("Zoë Ångström", STAFF), ("Ana López", NIGHT), ("Bo Lopez", STAFF), ("100% _Sure_", STAFF)):
        writer.add_holder(NewHolder(label=label, rows=draw.rows(), groups=(group,)))

    def ids(found: list[Holder]) -> list[str]:
        return [holder.id for holder in found]

    assert writer.holders() == reader.holders()
    assert ids(writer.holders()) == ["100-sure", "ana-lopez", "bo-lopez", "zoe-angstrom"]
    assert (
        ids(writer.holders(Which(search="LOPEZ")))
        == ids(writer.holders(Which(search="lópez")))
        == ["ana-lopez", "bo-lopez"]
    )
    assert ids(writer.holders(Which(search="ångström"))) == ["zoe-angstrom"]
    assert ids(writer.holders(Which(search="%"))) == ["100-sure"]
    assert ids(writer.holders(Which(search="lopez", group=STAFF))) == ["bo-lopez"]
    assert ids(writer.holders(Which(group=GroupName("staf")))) == []
    assert ids(writer.holders(limit=2)) == ["100-sure", "ana-lopez"]
    assert ids(writer.holders(after=ANA, limit=1)) == ["bo-lopez"]


@pytest.mark.parametrize(
    "act",
    [
        lambda writer, draw: writer.holder(HolderId("ana")),
        lambda writer, draw: writer.remove_holder(HolderId("ana")),
        lambda writer, draw: edit(writer, HolderId("ana"), groups=()),
        lambda writer, draw: edit(writer, HolderId("ana"), suspended=True),
        lambda writer, draw: edit(writer, HolderId("ana"), valid_from=None, valid_until=None),
        lambda writer, draw: writer.replace_rows(HolderId("ana"), draw.rows(), card=None),
    ],
)
def test_an_unknown_holder_is_named_with_those_it_may_be(
    writer: RosterWriter, path: Path, draw: Draw, act: Callable[[RosterWriter, Draw], object]
) -> None:
    writer.add_holder(NewHolder(label="Ana Lopez", rows=draw.rows()))
    before = everything(path)

    with pytest.raises(OperatorError, match="holder ana: there is none of that name") as raised:
        act(writer, draw)
    assert raised.value.hint == "did you mean ana-lopez"
    assert everything(path) == before


def test_an_unknown_holder_like_nobody_points_to_the_list(writer: RosterWriter) -> None:
    with pytest.raises(OperatorError) as raised:
        writer.remove_holder(HolderId("nobody"))

    assert raised.value.hint == "doorctl holder list shows all"


def test_what_is_somebodys_is_refused_and_nothing_is_changed(writer: RosterWriter, path: Path, draw: Draw) -> None:
    rows, card = draw.rows(), draw.card()
    writer.add_holder(NewHolder(label="Ana Lopez", rows=rows, card=card))
    writer.add_holder(NewHolder(label="Bo", rows=draw.rows()))
    before = everything(path)
    same_row = [rows[4], *draw.rows()[1:]]

    with pytest.raises(OperatorError, match="holder cy: the card is ana-lopez's"):
        writer.add_holder(NewHolder(label="Cy", rows=draw.rows(), card=card))
    with pytest.raises(OperatorError, match="holder bo: the card is ana-lopez's"):
        writer.replace_rows(HolderId("bo"), draw.rows(), card=card)
    with pytest.raises(OperatorError, match="holder cy: a code or the card is somebody's already"):
        writer.add_holder(NewHolder(label="Cy", rows=same_row))
    with pytest.raises(OperatorError, match="holder bo: a code or the card is somebody's already"):
        writer.replace_rows(HolderId("bo"), same_row, card=None)
    with pytest.raises(OperatorError, match="validity: 2026-01-01 is before 2026-01-02"):
        edit(writer, ANA, valid_from=date(2026, 1, 2), valid_until=date(2026, 1, 1))
    assert everything(path) == before
    assert [writer.code_taken(row.lookup) for row in (rows[4], *draw.rows())] == [True, *[False] * 7]


def test_rows_of_another_number_or_size_are_our_own_mistake(writer: RosterWriter, path: Path, draw: Draw) -> None:
    rows, before = draw.rows(), everything(path)
    wrong = [
        rows[:6],
        [*rows, *draw.rows()[:1]],
        [*rows[:6], rows[0]],
        [*rows[:6], replace(rows[6], lookup=Lookup(rows[6].lookup[:31]))],
        [*rows[:6], replace(rows[6], token=Token(rows[6].token + b"\0"))],
    ]

    for each in wrong:
        with pytest.raises(InternalError):
            writer.add_holder(NewHolder(label="Ana", rows=each))
    with pytest.raises(InternalError, match="a card id of 3 bytes"):
        writer.add_holder(NewHolder(label="Ana", rows=rows, card=CardId(draw.card()[:3])))
    assert everything(path) == before


def test_an_import_is_one_change_that_leaves_out_whom_it_refuses(
    writer: RosterWriter, reader: RosterReader, draw: Draw
) -> None:
    card, taken = draw.card(), draw.rows()
    people = [
        NewHolder(label="Ana Lopez", rows=taken, card=card),
        NewHolder(label="Ana Lopez", rows=draw.rows(), card=card),
        NewHolder(label="", rows=draw.rows()),
        NewHolder(label="Bo", rows=[taken[2], *draw.rows()[1:]]),
        NewHolder(label="Ana Lopez", rows=draw.rows(), card=draw.card()),
    ]
    outcomes = []

    with writer.enrolling() as enrolling:
        for number, person in enumerate(people):
            try:
                outcomes.append(enrolling.add(person))
            except OperatorError as error:
                outcomes.append(HolderId(f"{number}: {error}"))
        assert enrolling.code_taken(taken[0].lookup)
        assert not enrolling.code_taken(people[3].rows[1].lookup)
        assert enrolling.free_id("Ana Lopez") == "ana-lopez-3"
        assert reader.holders() == []

    assert outcomes == [
        "ana-lopez",
        "1: holder ana-lopez-2: the card is ana-lopez's",
        "2: holder: expected a name of 1 to 80 printable characters, found ''",
        "3: holder bo: a code or the card is somebody's already",
        "ana-lopez-2",
    ]
    expected = entries([*people[0].rows, *people[4].rows])
    assert [holder.id for holder in reader.holders()] == ["ana-lopez", "ana-lopez-2"]
    assert reader.state() == RosterState(generation=1, digest=roster_digest(expected))
    assert [entry for part in reader.registrations_after(0, 9) for entry in part.entries] == expected


def test_an_import_that_is_broken_off_leaves_nothing(writer: RosterWriter, path: Path, draw: Draw) -> None:
    before = everything(path)

    def interrupted() -> None:
        with writer.enrolling() as enrolling:
            enrolling.add(NewHolder(label="Ana Lopez", rows=draw.rows()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert everything(path) == before
    writer.add_holder(NewHolder(label="Bo", rows=draw.rows()))  # and the writer goes on
    assert writer.generation() == 1


def test_a_second_writer_waits_its_turn_or_is_told(writer: RosterWriter, path: Path, draw: Draw) -> None:
    with RosterWriter.open(path, today=TODAY) as other:
        other._connection.execute("PRAGMA busy_timeout = 1")
        with writer.enrolling() as enrolling:
            enrolling.add(NewHolder(label="Ana Lopez", rows=draw.rows()))
            with pytest.raises(StorageError, match="somebody else is enrolling") as raised:
                other.add_holder(NewHolder(label="Bo", rows=draw.rows()))
        assert raised.value.hint == "try again when that has ended"
        assert other.add_holder(NewHolder(label="Bo", rows=draw.rows())) == "bo"
    assert writer.generation() == 2


def test_a_full_disk_changes_nothing_and_says_so(
    writer: RosterWriter, reader: RosterReader, path: Path, draw: Draw
) -> None:
    rows = draw.rows()
    writer.add_holder(NewHolder(label="Ana Lopez", rows=rows))
    before = everything(path)
    (pages,) = writer._connection.execute("PRAGMA page_count").fetchone()
    writer._connection.execute(f"PRAGMA max_page_count = {pages}")

    def fifty() -> None:
        with writer.enrolling() as enrolling:
            for number in range(50):
                enrolling.add(NewHolder(label=f"Person {number}", rows=draw.rows()))

    with pytest.raises(StorageError, match="no room on the disk") as raised:
        fifty()
    assert raised.value.hint == "nothing was changed; make room and try again"
    assert everything(path) == before
    assert reader.find(rows[0].lookup) is not None


def test_no_secret_is_in_a_repr(writer: RosterWriter, reader: RosterReader) -> None:
    rows, card = Draw(2).rows(), Draw(3).card()
    new = NewHolder(label="Ana", rows=rows, card=card)
    writer.add_holder(new)
    row = reader.find(rows[1].lookup)
    shown = repr((new, row, writer.holder(HolderId("ana")), writer.parameters()))

    secrets = [card, writer.parameters().site_salt, *(r.lookup for r in rows), *(r.token for r in rows)]
    assert "Ana" in shown
    assert [secret for secret in secrets if repr(secret)[2:-1] in shown] == []
