"""The file does not depend on what tokens mean: two rosters that differ in nothing else are the same, byte by byte."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from doorctl.core.types import GroupName, HolderId
from doorctl.roster import registrations
from doorctl.roster.enrolment import NewHolder, NewRow, RosterWriter
from doorctl.roster.factors import Lookup
from doorctl.roster.lookup import RosterReader
from doorctl.seal.sealing import registration
from doorctl.wire.record import RowTag, Token
from tests.roster.people import Draw, edit, new_roster

PEOPLE = 60
Compose = Callable[[Random, list[NewRow]], list[NewRow]]
"""How a holder's set is handed over: which token on which row, and in what order."""

LOOKUP_BYTES, ENTRY_BYTES, TOKEN_BYTES = range(0xE0), range(0xE0, 0xF0), range(0xF0, 0x100)
"""Kinds of bytes for this test, so that the smallest remnant of a token can be told from everything else."""
PAINT = bytes.maketrans(bytes(range(0xE0, 0x100)), bytes(0x20))


def of_kind(kind: range, content: bytes) -> bytes:
    return bytes(kind[byte % len(kind)] for byte in content)


def as_drawn(_: Random, rows: list[NewRow]) -> list[NewRow]:
    return rows


def meanings_exchanged(_: Random, rows: list[NewRow]) -> list[NewRow]:
    """The same look-ups; the tokens say something else."""
    return [
        replace(row, token=Token(of_kind(TOKEN_BYTES, bytes(255 - byte for byte in row.token)))) for row in rows
    ]  # fmt: skip


def order_exchanged(random: Random, rows: list[NewRow]) -> list[NewRow]:
    """The everyday code first, or last, or anywhere."""
    return random.sample(rows, len(rows))


def both_exchanged(random: Random, rows: list[NewRow]) -> list[NewRow]:
    return order_exchanged(random, meanings_exchanged(random, rows))


def a_year(path: Path, compose: Compose) -> bytes:
    """People come, get new codes and go; the file at the end."""
    draw, order = Draw(4), Random(5)

    def rows() -> list[NewRow]:
        drawn = [
            NewRow(lookup=Lookup(of_kind(LOOKUP_BYTES, row.lookup)), token=Token(of_kind(TOKEN_BYTES, row.token)))
            for row in draw.rows()
        ]
        return compose(order, drawn)

    with new_roster(path) as writer:
        with writer.enrolling() as enrolling:
            for number in range(PEOPLE):
                enrolling.add(NewHolder(label=f"Person {number}", rows=rows(), card=draw.card()))
        for number in range(0, PEOPLE, 2):
            writer.replace_rows(HolderId(f"person-{number}"), rows(), card=draw.card())
        for number in range(0, PEOPLE, 3):
            writer.remove_holder(HolderId(f"person-{number}"))
        for number in range(10):
            writer.add_holder(NewHolder(label=f"New {number}", rows=rows(), groups=(GroupName("staff"),)))
        edit(writer, HolderId("new-3"), suspended=True)
    return path.read_bytes()


def painted(path: Path, content: bytes) -> bytes:
    """Without tokens, entries and the digest over them: those are what differs."""
    connection = sqlite3.connect(path)
    (digest,) = connection.execute("SELECT digest FROM meta").fetchone()
    connection.close()
    return content.replace(digest, bytes(32)).translate(PAINT)


@pytest.fixture
def entries_of_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_a_kind(tag: RowTag, token: Token) -> bytes:
        return of_kind(ENTRY_BYTES, registration(tag, token))

    monkeypatch.setattr(registrations, "registration", of_a_kind)


def test_the_order_in_which_a_set_is_drawn_changes_no_byte(tmp_path: Path) -> None:
    assert a_year(tmp_path / "one.db", as_drawn) == a_year(tmp_path / "other.db", order_exchanged)


@pytest.mark.usefixtures("entries_of_a_kind")
@pytest.mark.parametrize("compose", [meanings_exchanged, both_exchanged])
def test_meanings_change_no_byte_but_the_tokens_and_their_hashes(tmp_path: Path, compose: Compose) -> None:
    one = a_year(tmp_path / "one.db", as_drawn)
    other = a_year(tmp_path / "other.db", compose)

    assert one != other
    assert len(one) == len(other)
    assert painted(tmp_path / "one.db", one) == painted(tmp_path / "other.db", other)


@pytest.mark.usefixtures("entries_of_a_kind")
def test_the_comparison_sees_one_byte_of_one_look_up(tmp_path: Path) -> None:
    def one_bit(_: Random, rows: list[NewRow]) -> list[NewRow]:
        return [replace(rows[0], lookup=Lookup(bytes([rows[0].lookup[0] ^ 1]) + rows[0].lookup[1:])), *rows[1:]]

    one = a_year(tmp_path / "one.db", as_drawn)
    other = a_year(tmp_path / "other.db", one_bit)

    assert painted(tmp_path / "one.db", one) != painted(tmp_path / "other.db", other)


def test_page_counts_and_places_are_the_same_table_by_table(tmp_path: Path) -> None:
    def places(path: Path, compose: Compose) -> list[tuple[object, ...]]:
        a_year(path, compose)
        connection = sqlite3.connect(path)
        found = connection.execute("SELECT name, path, pageno, ncell, payload, unused FROM dbstat").fetchall()
        connection.close()
        return found

    try:
        one = places(tmp_path / "one.db", as_drawn)
    except sqlite3.OperationalError as error:
        pytest.skip(f"this SQLite was built without dbstat: {error}")
    assert one == places(tmp_path / "other.db", both_exchanged)
    assert len([place for place in one if place[0] == "rows"]) > 10


@pytest.mark.parametrize("position", range(7))
def test_no_row_of_a_set_is_answered_differently(
    writer: RosterWriter, reader: RosterReader, draw: Draw, position: int
) -> None:
    rows = draw.rows()
    writer.add_holder(NewHolder(label="Ana", rows=rows, groups=(GroupName("staff"),)))

    first, other = reader.find(rows[0].lookup), reader.find(rows[position].lookup)

    assert first is not None
    assert other is not None
    assert (first.match, len(first.token), len(first.entry)) == (other.match, len(other.token), len(other.entry))
