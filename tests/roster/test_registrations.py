"""What goes to the monitor: parts of generations in order, no order within, and a set that adds up."""

from dataclasses import replace
from pathlib import Path

import pytest

from doorctl.core.types import HolderId
from doorctl.errors import StorageError
from doorctl.roster.enrolment import NewHolder, RosterWriter
from doorctl.roster.lookup import RosterReader
from doorctl.roster.registrations import Registration
from doorctl.seal.roster_tree import roster_digest
from doorctl.wire.detail import ENTRIES_PER_RECORD, Action, EnrolledDetail
from tests.roster.people import DAY, Draw, edit, entries

ANA = HolderId("ana")


def whole(generation: int, action: Action, found: list[bytes]) -> Registration:
    """A generation that fits one part."""
    return Registration(generation=generation, action=action, day=DAY, part=1, parts=1, entries=tuple(found))


def test_each_change_is_a_generation(writer: RosterWriter, reader: RosterReader, draw: Draw) -> None:
    first, second = draw.rows(), draw.rows()
    writer.add_holder(NewHolder(label="Ana", rows=first))
    edit(writer, ANA, suspended=True)
    writer.replace_rows(ANA, second, card=None)
    writer.remove_holder(ANA)

    assert reader.registrations_after(0, 100) == [
        whole(1, Action.ADD, entries(first)),
        whole(2, Action.ADD, []),
        replace(whole(3, Action.ADD, entries(second)), parts=2),
        replace(whole(3, Action.REVOKE, entries(first)), part=2, parts=2),
        whole(4, Action.REVOKE, entries(second)),
    ]


def test_a_large_generation_comes_in_parts_from_anywhere(
    writer: RosterWriter, reader: RosterReader, draw: Draw
) -> None:
    rows = []
    with writer.enrolling() as enrolling:
        for number in range(40):
            rows += draw.rows()
            enrolling.add(NewHolder(label=f"Person {number}", rows=rows[-7:]))
    writer.add_holder(NewHolder(label="Ana", rows=draw.rows()))
    everything = reader.registrations_after(0, 1000)
    expected = entries(rows)

    assert everything[:-1] == [
        Registration(
            generation=1,
            action=Action.ADD,
            day=DAY,
            part=part + 1,
            parts=11,
            entries=tuple(expected[part * ENTRIES_PER_RECORD : (part + 1) * ENTRIES_PER_RECORD]),
        )
        for part in range(11)
    ]
    assert everything[-1].generation == 2
    for skip in range(12):
        for limit in (1, 2, 5, 20):
            assert reader.registrations_after(0, limit, skip=skip) == everything[skip : skip + limit]
    assert reader.registrations_after(0, 0) == []


def test_parts_of_both_actions_can_be_cut_anywhere(writer: RosterWriter, reader: RosterReader, draw: Draw) -> None:
    with writer.enrolling() as enrolling:
        for number in range(9):
            enrolling.add(NewHolder(label=f"Person {number}", rows=draw.rows()))
    with writer._change() as change:
        for number in range(9):
            change.replace(HolderId(f"person-{number}"), draw.rows(), None)

    parts = reader.registrations_after(1, 100)

    assert [(part.action, part.part, part.parts, len(part.entries)) for part in parts] == [
        (Action.ADD, 1, 6, 27),
        (Action.ADD, 2, 6, 27),
        (Action.ADD, 3, 6, 9),
        (Action.REVOKE, 4, 6, 27),
        (Action.REVOKE, 5, 6, 27),
        (Action.REVOKE, 6, 6, 9),
    ]
    for skip in range(7):
        for limit in range(1, 8):
            assert reader.registrations_after(1, limit, skip=skip) == parts[skip : skip + limit]


def test_every_part_fits_its_record(writer: RosterWriter, reader: RosterReader, draw: Draw) -> None:
    with writer.enrolling() as enrolling:
        for number in range(5):
            enrolling.add(NewHolder(label=f"Person {number}", rows=draw.rows()))

    parts = reader.registrations_after(0, 10)

    assert [len(part.entries) for part in parts] == [27, 8]
    assert [EnrolledDetail.parse(part.encode()) for part in parts] == parts


def test_what_was_added_less_what_was_revoked_is_the_digest(
    writer: RosterWriter, reader: RosterReader, draw: Draw
) -> None:
    for number in range(12):
        writer.add_holder(NewHolder(label=f"Person {number}", rows=draw.rows()))
        if number % 3 == 0:
            writer.remove_holder(HolderId(f"person-{number}"))
        if number % 3 == 1:
            writer.replace_rows(HolderId(f"person-{number}"), draw.rows(), card=None)
        live: set[bytes] = set()
        for part in reader.registrations_after(0, 10_000):
            live = live | set(part.entries) if part.action is Action.ADD else live - set(part.entries)
        assert reader.digest() == roster_digest(live)


def test_damaged_registrations_are_told(writer: RosterWriter, reader: RosterReader, path: Path, draw: Draw) -> None:
    writer.add_holder(NewHolder(label="Ana", rows=draw.rows()))
    writer._connection.execute("PRAGMA ignore_check_constraints = ON")
    writer._connection.execute("UPDATE registrations SET entry = substr(entry, 2)")
    with pytest.raises(StorageError, match="bytes of the wrong size"):
        reader.registrations_after(0, 5)

    writer._connection.execute("UPDATE generations SET added = 1000000000000")
    with pytest.raises(StorageError, match="a generation's numbers"):
        reader.registrations_after(0, 5)
    assert reader.generation() == 1
