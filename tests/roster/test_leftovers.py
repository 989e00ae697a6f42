"""Nothing is left in the file, nor beside it: no code or card ever, and no row of somebody who is gone."""

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from doorctl.core.types import Card, HolderId
from doorctl.roster import enrolment
from doorctl.roster.enrolment import NewHolder, NewRow, RosterWriter
from doorctl.roster.factors import CardId, Lookup, card_id, lookup_card, lookup_card_and_code, lookup_code, stretch
from doorctl.roster.lookup import RosterReader
from tests.roster.people import CHEAP, SALT, TODAY, Draw, all_bytes

KEY = bytes(range(32))


def holds(path: Path, part: bytes) -> bool:
    return part in all_bytes(path)


def real_rows(draw: Draw, card: CardId, codes: list[str]) -> list[NewRow]:
    """As enrolment composes them: the card, each code alone, each with the card, and decoys."""
    lookups: list[Lookup] = [lookup_card(KEY, card)]
    for code in codes:
        lookups.append(lookup_code(KEY, stretch(code, site_salt=SALT, card=None, parameters=CHEAP)))
        with_card = stretch(code, site_salt=SALT, card=card, parameters=CHEAP)
        lookups.append(lookup_card_and_code(KEY, card, with_card))
    lookups += [draw.lookup() for _ in range(7 - len(lookups))]
    return [NewRow(lookup=lookup, token=draw.token()) for lookup in lookups]


def spellings(card: Card) -> list[bytes]:
    """How a card number could stand in a file."""
    raw = card.raw.to_bytes(8, "big")
    return [
        str(card.raw).encode(),
        f"{card.raw:x}".encode(),
        f"{card.raw:X}".encode(),
        f"{card.raw:b}".encode(),
        raw.lstrip(b"\0"),
        raw.lstrip(b"\0")[::-1],
    ]


def test_no_code_and_no_card_number_is_in_any_file(
    writer: RosterWriter, reader: RosterReader, path: Path, draw: Draw
) -> None:
    codes: list[str] = []
    cards: list[Card] = []

    def person(number: int) -> tuple[list[NewRow], CardId]:
        card = Card(length=56, raw=draw.random.randrange(1 << 48, 1 << 56))
        drawn = [f"{draw.random.randrange(10**8):08}" for _ in range(2)]
        codes.extend(drawn)
        cards.append(card)
        id_ = card_id(KEY, card)
        return real_rows(draw, id_, drawn), id_

    for number in range(30):
        rows, card = person(number)
        writer.add_holder(NewHolder(label=f"Person No {number}", rows=rows, card=card))
        assert reader.find(rows[0].lookup) is not None
    for number in range(0, 30, 2):
        rows, card = person(number)
        writer.replace_rows(HolderId(f"person-no-{number}"), rows, card=card)
    for number in range(0, 30, 3):
        writer.remove_holder(HolderId(f"person-no-{number}"))
    files, names = all_bytes(path), " ".join(each.name for each in path.parent.iterdir())

    assert b"Person No 5" in files  # the search does find what is there
    assert [code for code in codes if code.encode() in files or code in names] == []
    assert [card for card in cards if any(spelling in files for spelling in spellings(card))] == []


def test_strings_finds_names_and_no_codes(writer: RosterWriter, path: Path, draw: Draw) -> None:
    strings = shutil.which("strings")
    if strings is None:
        pytest.skip("strings is not installed: make system-packages")
    card = card_id(KEY, Card(length=37, raw=123_456_789_012))
    rows = real_rows(draw, card, ["48207814", "93051302"])
    writer.add_holder(NewHolder(label="Ana Lopez", rows=rows, card=card))

    found = "".join(
        subprocess.run([strings, "-n", "4", each], check=True, capture_output=True, text=True).stdout
        for each in path.parent.iterdir()
    )

    assert "Ana Lopez" in found
    for secret in ("48207814", "93051302", "123456789012", f"{123_456_789_012:x}"):
        assert secret not in found


def test_rows_of_somebody_who_is_gone_are_in_no_file(path: Path, writer: RosterWriter, reader: RosterReader) -> None:
    draw = Draw(1)  # with this seed `secure_delete` alone left two deleted rows whole in unused parts of pages
    writer._connection.execute("PRAGMA synchronous = OFF")  # only for speed
    live: dict[HolderId, list[NewRow]] = {}
    gone: list[NewRow] = []
    with writer.enrolling() as enrolling:
        for number in range(100):
            rows = draw.rows()
            live[enrolling.add(NewHolder(label=f"Person {number}", rows=rows))] = rows
    for step in range(300):
        chance, id_ = draw.random.random(), draw.random.choice(list(live))
        rows = draw.rows() if chance < 0.4 or chance >= 0.7 else []
        if chance < 0.4:
            writer.replace_rows(id_, rows, card=None)
            gone += live[id_]
            live[id_] = rows
        elif chance < 0.7:
            writer.remove_holder(id_)
            gone += live.pop(id_)
        else:
            live[writer.add_holder(NewHolder(label=f"N {step}", rows=rows))] = rows
    assert reader.generation() == 301
    files = all_bytes(path)
    windows = {files[begin : begin + 8] for begin in range(len(files) - 7)}

    def pieces(row: NewRow) -> set[bytes]:
        parts = row.lookup + row.token
        return {parts[begin : begin + 8] for begin in range(0, len(parts), 8)}

    assert len(gone) > 1000
    assert [row for row in gone if pieces(row) & windows] == []
    assert all(pieces(row) <= windows for rows in live.values() for row in rows)


def test_a_name_and_a_card_are_gone_with_their_holder(path: Path, writer: RosterWriter, draw: Draw) -> None:
    card = draw.card()
    writer.add_holder(NewHolder(label="Zacharias Quill", rows=draw.rows(), card=card))
    assert holds(path, b"Zacharias")
    assert holds(path, card)

    writer.remove_holder(HolderId("zacharias-quill"))

    assert not holds(path, b"acharias")
    assert not holds(path, card)


def test_a_writer_finishes_what_a_killed_one_left(
    path: Path, writer: RosterWriter, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = draw.rows()
    writer.add_holder(NewHolder(label="Ana", rows=rows))

    def killed(_: object) -> None:
        raise sqlite3.OperationalError("killed before it could tidy up")

    with monkeypatch.context() as patched:
        patched.setattr(enrolment, "drop_leftovers", killed)
        writer.remove_holder(HolderId("ana"))
        writer._connection.close()
    assert leftovers(path) == 1

    with RosterWriter.open(path, today=TODAY) as next_writer:
        assert next_writer.holders() == []
        assert path.with_name("roster.db-wal").stat().st_size == 0
    assert leftovers(path) == 0
    assert [row for row in rows if holds(path, row.token)] == []


def leftovers(path: Path) -> int:
    connection = sqlite3.connect(path)
    (mark,) = connection.execute("SELECT leftovers FROM meta").fetchone()
    connection.close()
    return int(mark)


def test_the_wal_is_empty_after_each_change_even_while_somebody_reads(
    path: Path, writer: RosterWriter, reader: RosterReader, draw: Draw
) -> None:
    rows = draw.rows()
    writer.add_holder(NewHolder(label="Ana", rows=rows))
    assert reader.find(rows[0].lookup) is not None
    writer.replace_rows(HolderId("ana"), draw.rows(), card=None)

    assert path.with_name("roster.db-wal").stat().st_size == 0
    assert sorted(each.name for each in path.parent.iterdir()) == ["roster.db", "roster.db-shm", "roster.db-wal"]
    reader.close()
    writer.close()


def test_nothing_is_beside_the_file_when_all_are_done(path: Path, writer: RosterWriter, draw: Draw) -> None:
    writer.add_holder(NewHolder(label="Ana", rows=draw.rows()))
    writer.close()

    assert os.listdir(path.parent) == ["roster.db"]  # noqa: PTH208  # names are what is compared
