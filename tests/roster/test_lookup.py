"""The reader at the door: afresh each time, the same work for every outcome, never stopped for good."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from doorctl.core.types import GroupName, HolderId, Match
from doorctl.errors import StorageError
from doorctl.roster.enrolment import NewHolder, RosterWriter
from doorctl.roster.factors import Lookup
from doorctl.roster.holders import RosterFacts
from doorctl.roster.lookup import FIND, RosterReader, Row
from doorctl.seal.sealing import registration, row_tag
from tests.roster.people import Draw, new_roster

ANA = HolderId("ana-lopez")


def test_a_row_says_who_may_and_nothing_of_what_it_means(
    writer: RosterWriter, reader: RosterReader, draw: Draw
) -> None:
    rows = draw.rows()
    writer.add_holder(NewHolder(label="Ana Lopez", rows=rows, groups=(GroupName("staff"),)))

    assert [reader.find(row.lookup) for row in rows] == [
        Row(
            match=Match(holder=ANA, groups=(GroupName("staff"),), valid_from=None, valid_until=None, suspended=False),
            token=row.token,
            row_tag=row_tag(row.lookup),
            entry=registration(row_tag(row.lookup), row.token),
        )
        for row in rows
    ]
    assert reader.find(draw.lookup()) is None


def test_every_look_up_reads_afresh(writer: RosterWriter, reader: RosterReader, draw: Draw) -> None:
    old, new = draw.rows(), draw.rows()
    writer.add_holder(NewHolder(label="Ana Lopez", rows=old))
    assert reader.find(old[0].lookup) is not None

    writer.replace_rows(ANA, new, card=None)

    assert [reader.find(row.lookup) is None for row in (*old, *new)] == [True] * 7 + [False] * 7


def test_hit_and_miss_ask_the_same_and_compute_the_same(
    writer: RosterWriter, reader: RosterReader, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = draw.rows()
    writer.add_holder(NewHolder(label="Ana Lopez", rows=rows))
    reader.generation()
    done: list[str] = []
    assert reader._connection is not None
    reader._connection.set_trace_callback(lambda _: done.append("query"))
    for module, name in (
        ("doorctl.roster.holders", "decode_match"),
        ("doorctl.roster.registrations", "entry_of"),
        ("doorctl.roster.lookup", "row_tag"),
    ):
        watch(monkeypatch, module, name, done)

    assert reader.find(rows[0].lookup) is not None
    hit, done[:] = list(done), []
    assert reader.find(draw.lookup()) is None

    assert hit == done == ["query", "row_tag", "decode_match", "entry_of"]


def watch(monkeypatch: pytest.MonkeyPatch, module: str, name: str, done: list[str]) -> None:
    """Notes each call of a function, and calls it."""
    target = __import__(module, fromlist=[name])
    real = getattr(target, name)

    def noted(*arguments: object) -> object:
        done.append(name)
        return real(*arguments)

    monkeypatch.setattr(target, name, noted)


def test_a_look_up_is_one_search_by_key_whatever_the_size(
    writer: RosterWriter, reader: RosterReader, draw: Draw
) -> None:
    with writer.enrolling() as enrolling:
        for number in range(300):
            enrolling.add(NewHolder(label=f"Person {number}", rows=draw.rows()))
    assert reader.find(draw.lookup()) is None
    assert reader._connection is not None

    plan = [detail for *_, detail in reader._connection.execute(f"EXPLAIN QUERY PLAN {FIND}", (b"",))]

    assert [step.removesuffix(" LEFT-JOIN") for step in plan if step.startswith("SEARCH")] == [
        "SEARCH r USING PRIMARY KEY (lookup=?)",
        "SEARCH h USING INTEGER PRIMARY KEY (rowid=?)",
    ]
    assert {step for step in plan if step.startswith("SCAN")} <= {"SCAN CONSTANT ROW", "SCAN w"}


def test_the_digest_is_of_the_rows_that_are_there_whatever_meta_says(
    writer: RosterWriter, reader: RosterReader, path: Path, draw: Draw
) -> None:
    writer.add_holder(NewHolder(label="Ana Lopez", rows=draw.rows()))
    honest = reader.state()
    meddler = sqlite3.connect(path)
    (stored,) = meddler.execute("SELECT digest FROM meta").fetchone()
    assert stored == honest.digest
    meddler.execute("UPDATE meta SET digest = zeroblob(32)")
    meddler.commit()
    meddler.close()

    assert reader.state() == honest


def test_the_digest_is_kept_until_somebody_writes(
    writer: RosterWriter, reader: RosterReader, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.add_holder(NewHolder(label="Ana Lopez", rows=draw.rows()))
    done: list[str] = []
    watch(monkeypatch, "doorctl.roster.registrations", "digest_of_rows", done)

    assert len({reader.digest() for _ in range(5)}) == 1
    assert done == ["digest_of_rows"]
    writer.add_holder(NewHolder(label="Bo", rows=draw.rows()))
    assert len({reader.state() for _ in range(5)}) == 1
    assert done == ["digest_of_rows"] * 2


def test_reading_has_no_right_to_write(reader: RosterReader) -> None:
    reader.generation()
    assert reader._connection is not None
    for sql in ("DELETE FROM rows", "PRAGMA user_version = 9", "CREATE TABLE more (x)"):
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute(sql)


@pytest.fixture
def served(path: Path, draw: Draw) -> Iterator[tuple[RosterReader, Lookup, bytes]]:
    """A reader that has found somebody, and the file as it was then; nobody else has it open."""
    rows = draw.rows()
    with new_roster(path) as writer:
        writer.add_holder(NewHolder(label="Ana Lopez", rows=rows))
    copy = path.read_bytes()
    with RosterReader.open(path) as reader:
        assert reader.find(rows[2].lookup) is not None
        yield reader, rows[2].lookup, copy


def test_a_roster_put_in_its_place_is_read_at_once(
    served: tuple[RosterReader, Lookup, bytes], path: Path, tmp_path: Path
) -> None:
    reader, lookup, _ = served
    other, rows = tmp_path / "other" / "roster.db", Draw(9).rows()
    with new_roster(other) as writer:
        writer.add_holder(NewHolder(label="Bo", rows=rows))
    assert reader.find(rows[0].lookup) is None

    other.replace(path)

    assert reader.find(lookup) is None
    assert reader.find(rows[0].lookup) is not None


def test_a_roster_written_past_sqlite_is_read_at_once(served: tuple[RosterReader, Lookup, bytes], path: Path) -> None:
    reader, lookup, copy = served
    row = reader.find(lookup)
    before = reader.digest()
    assert row is not None
    changed = replace(row, token=type(row.token)(bytes(144)))
    with path.open("r+b") as file:
        file.seek(copy.index(row.token))
        file.write(bytes(144))

    found = reader.find(lookup)

    assert found == replace(changed, entry=registration(row.row_tag, changed.token))
    assert reader.digest() != before


@pytest.mark.parametrize("damage", ["gone", "empty", "noise", "cut", "folder"])
def test_damage_is_told_and_the_next_good_file_is_read(
    served: tuple[RosterReader, Lookup, bytes], path: Path, damage: str
) -> None:
    reader, lookup, copy = served
    path.unlink()
    match damage:
        case "empty":
            path.write_bytes(b"")
        case "noise":
            path.write_bytes(Draw(5).random.randbytes(len(copy)))
        case "cut":
            path.write_bytes(copy[: len(copy) // 2])
        case "folder":
            path.mkdir()

    for _ in range(2):
        with pytest.raises(StorageError) as raised:
            reader.find(lookup)
        assert str(path) in str(raised.value)
        assert raised.value.hint is not None
        with pytest.raises(StorageError):
            reader.state()

    if damage == "folder":
        path.rmdir()
    path.write_bytes(copy)
    assert reader.find(lookup) is not None
    assert reader.generation() == 1


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("UPDATE holders SET groups = '{'", "a holder's groups"),
        ("UPDATE holders SET groups = '{}'", "a holder's groups"),
        ("UPDATE holders SET groups = '[1]'", "a holder's groups"),
        ("UPDATE holders SET valid_until = 'soon'", "a holder's date"),
        ("PRAGMA ignore_check_constraints = ON; UPDATE rows SET token = x'00'", "bytes of the wrong size"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM holders", "a row of nobody"),
        ("DROP TABLE rows", "no such table: rows"),
    ],
)
def test_columns_that_enrolment_never_wrote_are_damage(
    served: tuple[RosterReader, Lookup, bytes], path: Path, sql: str, column: str
) -> None:
    reader, lookup, copy = served
    meddler = sqlite3.connect(path)
    meddler.executescript(sql)
    meddler.close()

    with pytest.raises(StorageError) as raised:
        reader.find(lookup)
    assert str(raised.value) == f"{path}: the roster is damaged ({column})"

    shutil.rmtree(path.parent)
    path.parent.mkdir()
    path.write_bytes(copy)
    assert reader.find(lookup) is not None


def test_a_reader_may_be_closed_twice_and_used_again(served: tuple[RosterReader, Lookup, bytes]) -> None:
    reader, lookup, _ = served

    reader.close()
    reader.close()

    assert reader.find(lookup) is not None


def test_a_path_with_odd_characters_is_the_path(tmp_path: Path, draw: Draw) -> None:
    odd = tmp_path / "a b?mode=rwc#x%20" / "roster.db"
    rows = draw.rows()
    with new_roster(odd) as writer:
        writer.add_holder(NewHolder(label="Ana", rows=rows))

    with RosterReader.open(odd) as reader:
        assert reader.find(rows[0].lookup) is not None
    assert list(tmp_path.iterdir()) == [odd.parent]


def test_facts_are_of_the_file(writer: RosterWriter, reader: RosterReader, path: Path, draw: Draw) -> None:
    for label in ("Ana", "Bo", "Cy"):
        writer.add_holder(NewHolder(label=label, rows=draw.rows()))
    writer.remove_holder(HolderId("bo"))

    expected = RosterFacts(holders=2, rows=14, generation=4, file_size=path.stat().st_size)
    assert (reader.facts(), writer.facts()) == (expected, expected)
    assert reader.holder(HolderId("cy")) == writer.holder(HolderId("cy"))
