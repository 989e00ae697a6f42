"""A new roster: whole or not there, with the rights and pragmas the docstring of schema.py promises."""

import os
import sqlite3
import stat
from datetime import date
from pathlib import Path

import pytest

from doorctl.errors import OperatorError, StorageError
from doorctl.roster.enrolment import RosterWriter
from doorctl.roster.factors import FLOOR, StretchParameters
from doorctl.roster.holders import RosterFacts
from doorctl.roster.lookup import RosterReader, RosterState
from doorctl.roster.meta import RosterParameters
from doorctl.seal.roster_tree import roster_digest
from tests.roster.people import CHEAP, SALT, TODAY, new_roster


def test_a_new_roster_is_empty_and_remembers_what_it_was_made_with(path: Path) -> None:
    with new_roster(path) as writer, RosterReader.open(path) as reader:
        assert writer.facts() == RosterFacts(holders=0, rows=0, generation=0, file_size=path.stat().st_size)
        assert reader.state() == RosterState(generation=0, digest=roster_digest(()))
        assert reader.registrations_after(0, 10) == []
        assert reader.parameters() == writer.parameters()
        assert reader.parameters() == RosterParameters(
            stretch=CHEAP, site_salt=SALT, code_length=8, codes_per_holder=2
        )  # fmt: skip


def test_every_site_has_a_salt_of_its_own(tmp_path: Path) -> None:
    salts = set()
    for name in ("one", "two"):
        with RosterWriter.create(
            tmp_path / f"{name}.db", today=TODAY, stretch=FLOOR, code_length=6, codes_per_holder=1
        ) as writer:
            salts.add(writer.parameters().site_salt)

    assert len(salts) == 2
    assert SALT not in salts


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_file_and_folder_have_their_modes_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with new_roster(path):
            beside = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
            assert beside["roster.db"] == 0o640
            assert {mode & 0o007 for mode in beside.values()} == {0}
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o2770
    finally:
        os.umask(before)


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "roster"
    folder.mkdir(mode=0o700)

    with new_roster(folder / "roster.db"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_roster_is_never_overwritten(path: Path) -> None:
    with new_roster(path) as writer:
        writer.close()
        before = path.read_bytes()

    with pytest.raises(OperatorError, match="there is a roster already"), new_roster(path):
        pass
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["roster.db"]


def test_a_creation_that_fails_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)

    with pytest.raises(StorageError, match="cannot be made: No space left on device"), new_roster(path):
        pass
    assert list(path.parent.iterdir()) == []


def test_the_pragmas_are_as_promised(path: Path, writer: RosterWriter) -> None:
    def pragma(name: str) -> object:
        return writer._connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert {
        name: pragma(name)
        for name in ("journal_mode", "secure_delete", "synchronous", "foreign_keys", "page_size", "auto_vacuum")
    } == {
        "journal_mode": "wal",
        "secure_delete": 1,
        "synchronous": 2,
        "foreign_keys": 1,
        "page_size": 4096,
        "auto_vacuum": 0,
    }
    plain = sqlite3.connect(path)
    tables = plain.execute("SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    plain.close()
    assert {table for table in tables if not table[0].startswith("sqlite_")} == {
        ("meta", 0, 1),
        ("holders", 0, 1),
        ("holder_cards", 1, 1),
        ("rows", 1, 1),
        ("generations", 0, 1),
        ("registrations", 1, 1),
    }


def test_opening_where_there_is_none_is_the_operators_mistake(tmp_path: Path) -> None:
    missing = tmp_path / "roster.db"
    with pytest.raises(OperatorError, match="there is no roster") as writing:
        RosterWriter.open(missing, today=date(2026, 1, 1))
    with pytest.raises(OperatorError, match="there is no roster") as reading:
        RosterReader.open(missing)

    assert writing.value.hint == reading.value.hint == "doorctl init makes one"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is not a roster"),
        (b"not a database at all, but longer than a header of one" * 50, "damaged"),
    ],
)
def test_another_file_is_not_taken_for_a_roster(tmp_path: Path, content: bytes, message: str) -> None:
    other = tmp_path / "roster.db"
    other.write_bytes(content)

    for opening in (RosterReader.open, lambda path: RosterWriter.open(path, today=TODAY)):
        with pytest.raises(StorageError, match=message) as raised:
            opening(other)
        assert str(other) in str(raised.value)
        assert raised.value.hint is not None
    assert other.read_bytes() == content


def test_another_version_is_not_taken_for_this_one(path: Path) -> None:
    with new_roster(path) as writer:
        writer._connection.execute("PRAGMA user_version = 2")

    with pytest.raises(StorageError, match="a roster of version 2, expected 1"):
        RosterReader.open(path)


def test_weak_parameters_are_the_callers_business_but_impossible_ones_are_damage(path: Path) -> None:
    with new_roster(path) as writer:
        assert writer.parameters().stretch == StretchParameters(memory_kib=8, iterations=1, lanes=1)
        writer._connection.execute("UPDATE meta SET iterations = 0")

    with pytest.raises(StorageError, match=r"damaged \(argon2id's parameters\)"):
        RosterReader.open(path)
