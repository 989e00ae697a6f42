"""What somebody with the file in hand can do, and by what the monitor sees it: row tag, digest, generation."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doorctl.core.types import HolderId
from doorctl.roster.enrolment import NewHolder, NewRow, RosterWriter
from doorctl.roster.lookup import RosterReader, RosterState
from doorctl.seal.roster_tree import roster_digest
from doorctl.seal.sealing import registration, row_tag
from tests.roster.people import Draw, entries


@pytest.fixture
def rows(writer: RosterWriter, draw: Draw) -> list[NewRow]:
    rows = draw.rows()
    writer.add_holder(NewHolder(label="Ana", rows=rows))
    return rows


@contextmanager
def meddling(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program, with every right."""
    connection = sqlite3.connect(path)
    yield connection
    connection.commit()
    connection.close()


def registered(reader: RosterReader) -> bytes:
    """The digest the monitor has from the registrations it was sent."""
    return roster_digest(entry for part in reader.registrations_after(0, 1000) for entry in part.entries)


def test_two_tokens_exchanged(reader: RosterReader, path: Path, rows: list[NewRow]) -> None:
    assert reader.digest() == registered(reader)
    with meddling(path) as connection:
        for row, token in ((rows[0], rows[1].token), (rows[1], rows[0].token)):
            connection.execute("UPDATE rows SET token = ? WHERE lookup = ?", (token, row.lookup))

    found = reader.find(rows[0].lookup)

    assert found is not None
    assert found.token == rows[1].token
    assert found.row_tag == row_tag(rows[0].lookup)  # and inside the token is the tag of row 1
    assert found.entry not in entries(rows)
    assert reader.digest() != registered(reader)


def test_a_row_under_another_look_up(reader: RosterReader, path: Path, rows: list[NewRow], draw: Draw) -> None:
    moved = draw.lookup()
    with meddling(path) as connection:
        connection.execute("UPDATE rows SET lookup = ? WHERE lookup = ?", (moved, rows[0].lookup))

    found = reader.find(moved)

    assert reader.find(rows[0].lookup) is None
    assert found is not None
    assert found.row_tag != row_tag(rows[0].lookup)  # which is the one inside the token
    assert reader.digest() != registered(reader)


def test_a_row_deleted(reader: RosterReader, path: Path, rows: list[NewRow]) -> None:
    with meddling(path) as connection:
        connection.execute("DELETE FROM rows WHERE lookup = ?", (rows[3].lookup,))

    assert reader.find(rows[3].lookup) is None
    assert reader.state() == RosterState(generation=1, digest=roster_digest(entries(rows[:3] + rows[4:])))
    assert reader.digest() != registered(reader)


def test_a_row_sealed_anew(reader: RosterReader, path: Path, rows: list[NewRow], draw: Draw) -> None:
    token = draw.token()
    with meddling(path) as connection:
        connection.execute("UPDATE rows SET token = ? WHERE lookup = ?", (token, rows[3].lookup))

    found = reader.find(rows[3].lookup)

    assert found is not None
    assert found.entry == registration(row_tag(rows[3].lookup), token)
    assert found.entry not in {entry for part in reader.registrations_after(0, 9) for entry in part.entries}
    assert reader.digest() != registered(reader)


def test_a_row_smuggled_in(reader: RosterReader, path: Path, rows: list[NewRow], draw: Draw) -> None:
    assert rows
    with meddling(path) as connection:
        connection.execute("INSERT INTO rows VALUES (?, ?, 1)", (draw.lookup(), draw.token()))

    assert reader.digest() != registered(reader)


@pytest.mark.parametrize("by", ["replacing", "overwriting"])
def test_an_old_copy_put_back(
    writer: RosterWriter, reader: RosterReader, path: Path, rows: list[NewRow], draw: Draw, by: str
) -> None:
    old, copy = reader.state(), path.read_bytes()
    writer.replace_rows(HolderId("ana"), draw.rows(), card=None)
    new = reader.state()
    writer.close()

    if by == "replacing":
        saved = path.with_name("saved")
        saved.write_bytes(copy)
        saved.replace(path)
    else:
        path.write_bytes(copy)

    assert (new.generation, old.generation) == (2, 1)
    assert new.digest != old.digest
    assert reader.state() == old
    assert reader.find(rows[0].lookup) is not None


def test_forged_meta_and_registrations_change_no_digest(
    reader: RosterReader, path: Path, rows: list[NewRow], draw: Draw
) -> None:
    """Who deletes a row and covers the tracks in every other table still cannot have the monitor's digest."""
    honest = reader.digest()
    gone = registration(row_tag(rows[3].lookup), rows[3].token)
    with meddling(path) as connection:
        connection.execute("DELETE FROM rows WHERE lookup = ?", (rows[3].lookup,))
        connection.execute("DELETE FROM registrations WHERE entry = ?", (gone,))
        connection.execute("UPDATE generations SET added = 6")
        connection.execute("UPDATE meta SET digest = ?", (honest,))

    assert reader.digest() != honest
    assert draw.lookup() != rows[3].lookup
