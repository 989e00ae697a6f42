"""A database is copied as it stood at one moment, while somebody writes to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from doorctl.backup.snapshot import copy_database
from doorctl.core.types import WallTime
from doorctl.errors import StorageError
from doorctl.journal.journal import Journal
from doorctl.journal.rows import Entry, LogRow

ROWS = 6000


def _row(number: int) -> Entry:
    return Entry(log=LogRow(wall=WallTime(number), event="access", detail="x" * 500))


def _numbers(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [wall for (wall,) in connection.execute("SELECT wall FROM log ORDER BY id")]


def test_a_writer_goes_on_and_the_copy_is_of_one_moment(tmp_path: Path) -> None:
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    with Journal.open(path) as journal:
        journal.append([_row(number) for number in range(ROWS)])
        steps: list[tuple[int, int]] = []

        def told(done: int, of: int) -> None:
            steps.append((done, of))
            journal.append([_row(ROWS + len(steps))])
            journal.checkpoint()

        copy_database(path, copy, told)
        assert len(steps) > 2, "the copy was made in one step, and nobody wrote meanwhile"
        assert steps[-1][0] == steps[-1][1]
        assert _numbers(copy) == list(range(ROWS))
        assert _numbers(path) == [*range(ROWS), *(ROWS + step for step in range(1, len(steps) + 1))]
        assert journal.checkpoint(), "nothing keeps the log back any more"


def test_a_copy_is_a_journal_like_the_original(tmp_path: Path) -> None:
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    with Journal.open(path) as journal:
        journal.append([_row(1)])
        copy_database(path, copy, lambda _done, _of: None)
    assert copy.stat().st_mode & 0o777 == 0o600
    with Journal.open(copy) as again:
        assert again.recovered is None
        assert again.last_wall() == WallTime(1)


def test_what_nobody_has_open_is_copied_and_left_as_it_is(tmp_path: Path) -> None:
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    with Journal.open(path) as journal:
        journal.append([_row(1)])
    before = path.read_bytes()
    copy_database(path, copy, lambda _done, _of: None)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "journal.db", "journal.db.lock"]


def test_a_damaged_database_is_not_saved_as_if_it_were_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        journal.append([_row(number) for number in range(200)])
        journal.checkpoint()
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"journal\.db: damaged"):
        copy_database(path, tmp_path / "copy.db", lambda _done, _of: None)


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(StorageError, match=r"journal\.db: cannot be copied"):
        copy_database(path, tmp_path / "copy.db", lambda _done, _of: None)
