"""Numbers that enrolment never wrote: each is damage of the file, never an exception that ends the door's process."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from doorctl.errors import StorageError
from doorctl.roster.enrolment import RosterWriter
from doorctl.roster.factors import StretchParameters
from doorctl.roster.lookup import RosterReader

CHEAP = StretchParameters(memory_kib=8, iterations=1, lanes=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "roster" / "roster.db"
    writer = RosterWriter.create(path, today=date(2026, 1, 1), stretch=CHEAP, code_length=6, codes_per_holder=2)
    writer.close()
    return path


@pytest.mark.parametrize(
    "change",
    [
        "generation = -1",
        "memory_kib = 7",
        "memory_kib = 2147483647",
        "iterations = 0",
        "iterations = 8589934592",
        "lanes = 2",
        "code_length = 3",
        "code_length = 1000000000",
        "codes_per_holder = 4",
        "site_salt = x'00'",
    ],
)
def test_a_number_out_of_its_range_is_damage(path: Path, change: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        connection.execute(f"UPDATE meta SET {change}")
    with RosterReader(path) as reader:
        ask = reader.generation if change.startswith("generation") else reader.parameters
        with pytest.raises(StorageError, match="the roster is damaged"):
            ask()


@pytest.mark.parametrize("values", ["-1, 20000, 0, 0", "1, -1, 0, 0", "1, 20000, -1, 0", "1, 20000, 0, 99999999"])
def test_a_generation_that_does_not_fit_the_wire_is_damage(path: Path, values: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        connection.execute(f"INSERT INTO generations VALUES ({values})")
    with RosterReader(path) as reader, pytest.raises(StorageError, match="the roster is damaged"):
        reader.registrations_after(-2, 10)


def test_groups_nested_without_end_are_damage(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO holders (id, label, folded, groups, suspended, drawn) VALUES ('a', 'A', 'a', ?, 0, '2026-01-01')",
            ("[" * 20_000,),
        )
    with RosterReader(path) as reader, pytest.raises(StorageError, match="the roster is damaged"):
        reader.holders()
