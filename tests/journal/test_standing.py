"""A journal that cannot be opened yet: every call says so, and the first that can be done is done."""

import sqlite3
from pathlib import Path

import pytest

from doorctl.errors import InternalError, OperatorError, StorageError
from doorctl.journal.faults import FaultKind, JournalError
from doorctl.journal.journal import Journal
from tests.journal.making import entry, epoch, names

EPOCH = epoch(1)


@pytest.mark.parametrize("in_the_way", ["journal.db", "journal.db.lock"])
def test_it_stands_until_it_can_be_opened(tmp_path: Path, in_the_way: str) -> None:
    obstacle = tmp_path / in_the_way
    obstacle.mkdir()
    with Journal.standing(tmp_path / "journal.db") as journal:
        for call in (
            journal.status, journal.last_wall, journal.sent_generation, journal.load_lockouts,
            lambda: journal.append([entry(EPOCH, 1)]),
        ):  # fmt: skip
            with pytest.raises(JournalError) as raised:
                call()
            assert raised.value.kind is FaultKind.IO
        obstacle.rmdir()
        journal.append([entry(EPOCH, 1)])
        assert names(journal.pending(10)) == [(EPOCH, 1)]


def test_one_that_can_be_opened_is_open(tmp_path: Path) -> None:
    with Journal.standing(tmp_path / "journal.db") as journal:
        assert journal.status().pending == 0


def test_another_doord_refuses(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db"), pytest.raises(OperatorError, match="in use by another doord"):
        Journal.standing(tmp_path / "journal.db")


def test_another_doord_that_came_while_the_disk_failed_keeps_it(tmp_path: Path) -> None:
    obstacle = tmp_path / "journal.db.lock"
    obstacle.mkdir()
    with Journal.standing(tmp_path / "journal.db") as journal:
        obstacle.rmdir()
        with Journal.open(tmp_path / "journal.db"), pytest.raises(JournalError, match="in use") as raised:
            journal.status()
        assert raised.value.kind is FaultKind.BUSY
        assert journal.status().pending == 0


def test_a_newer_version_refuses(tmp_path: Path) -> None:
    Journal.open(tmp_path / "journal.db").close()
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match="written by a newer doorctl"):
        Journal.standing(tmp_path / "journal.db")


def test_closed_is_closed(tmp_path: Path) -> None:
    (tmp_path / "journal.db.lock").mkdir()
    journal = Journal.standing(tmp_path / "journal.db")
    journal.close()
    journal.close()
    with pytest.raises(InternalError, match="used after close"):
        journal.status()
