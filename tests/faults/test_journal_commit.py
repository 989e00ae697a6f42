"""A disk that lies about a commit: it fails and is there, it fails and is not, it fails and cannot be made sure."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorctl.journal.faults import FaultKind, JournalError
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.journal.rows import Entry, Head
from tests.journal.making import entry, epoch, head, log_row, names, receipt

A = epoch(1)
Rule = Callable[[sqlite3.Connection, str], None]


def failing(code: int, message: str = "disk I/O error") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


class Disk:
    """Stands between the journal and SQLite, and fails one statement when told to."""

    def __init__(self) -> None:
        self.rule: Rule | None = None
        self.statements: list[str] = []
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
                disk.statements.append(sql)
                if disk.rule is not None:
                    disk.rule(self, sql)
                return super().execute(sql, *values)

        self.factory = Connection

    def fail(self, statement: str, code: int, *, lands: bool = False, times: int = 1) -> None:
        left = times

        def rule(connection: sqlite3.Connection, sql: str) -> None:
            nonlocal left
            if sql.startswith(statement) and left > 0:
                left -= 1
                if lands:
                    sqlite3.Connection.execute(connection, sql)
                raise failing(code)

        self.rule = rule


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    real = sqlite3.connect

    def connect(*args: Any, **keywords: Any) -> sqlite3.Connection:
        return real(*args, factory=disk.factory, **keywords)

    monkeypatch.setattr(sqlite3, "connect", connect)
    return disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_a_commit_that_failed_and_is_there_is_a_success(path: Path, disk: Disk) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
        disk.fail("COMMIT", sqlite3.SQLITE_IOERR_FSYNC, lands=True)
        journal.append([entry(A, 2), Entry(log=log_row(7))])
        assert names(journal.pending(9)) == [(A, 2), (A, 1)]
        assert journal.status().pending == 2
        assert journal.wal_size() == 0  # written anew into the file, not trusted where the sync failed
    assert len(JournalReader(path).log(9)) == 3


def test_a_log_row_alone_is_found_too(path: Path, disk: Disk) -> None:
    with Journal.open(path) as journal:
        disk.fail("COMMIT", sqlite3.SQLITE_IOERR_FSYNC, lands=True)
        journal.append([Entry(log=log_row(7))])
    assert len(JournalReader(path).log(9)) == 1


def test_a_commit_that_failed_and_is_not_there_is_told(path: Path, disk: Disk) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
        for entries in ([entry(A, 2)], [Entry(log=log_row(7))], [entry(A, 1), Entry(log=log_row(7))]):
            disk.fail("COMMIT", sqlite3.SQLITE_IOERR_FSYNC)
            with pytest.raises(JournalError) as failure:
                journal.append(entries)
            assert failure.value.kind is FaultKind.IO
        assert (names(journal.pending(9)), journal.status().pending) == ([(A, 1)], 1)
        journal.append([entry(A, 2)])
        assert journal.last_epoch() == head(A, 2)
    assert len(JournalReader(path).log(9)) == 2


def test_a_commit_is_never_tried_twice(path: Path, disk: Disk) -> None:
    with Journal.open(path) as journal:
        disk.fail("COMMIT", sqlite3.SQLITE_FULL)
        disk.statements.clear()
        with pytest.raises(JournalError):
            journal.append([entry(A, 1)])
    assert [sql for sql in disk.statements if sql.startswith(("COMMIT", "INSERT INTO record"))] == [
        "INSERT INTO record (epoch, sequence, wall, hash, sealed) VALUES (?, ?, ?, ?, ?)",
        "COMMIT",
    ]


def test_there_but_not_known_to_be_on_the_disk_is_a_failure(path: Path, disk: Disk) -> None:
    with Journal.open(path) as journal:
        state = {"committed": False, "broken": True}

        def rule(connection: sqlite3.Connection, sql: str) -> None:
            if sql == "COMMIT" and not state["committed"]:
                state["committed"] = True
                sqlite3.Connection.execute(connection, sql)
                raise failing(sqlite3.SQLITE_IOERR_FSYNC)
            if sql.startswith("PRAGMA wal_checkpoint") and state["broken"]:
                raise failing(sqlite3.SQLITE_IOERR_FSYNC)

        disk.rule = rule
        with pytest.raises(JournalError) as failure:
            journal.append([entry(A, 1)])
        assert failure.value.kind is FaultKind.IO
        assert names(journal.pending(9)) == [(A, 1)]  # it can be read and sent, and is not called durable
        with pytest.raises(JournalError):
            journal.append([entry(A, 1)])
        state["broken"] = False
        journal.append([entry(A, 1)])
        assert (journal.status().pending, journal.wal_size()) == (1, 0)
    assert len(JournalReader(path).log(9)) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, FaultKind.FULL),
        (sqlite3.SQLITE_IOERR_SHMSIZE, FaultKind.FULL),
        (sqlite3.SQLITE_IOERR_WRITE, FaultKind.IO),
        (sqlite3.SQLITE_READONLY_DBMOVED, FaultKind.IO),
        (sqlite3.SQLITE_CORRUPT_INDEX, FaultKind.DAMAGED),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, FaultKind.BUSY),
    ],
)
def test_each_failure_has_its_kind_and_a_hint(path: Path, disk: Disk, code: int, kind: FaultKind) -> None:
    with Journal.open(path) as journal:
        disk.fail("INSERT INTO log", code)
        with pytest.raises(JournalError, match=r"^journal\.db: ") as failure:
            journal.append([entry(A, 1)])
        assert (failure.value.kind, failure.value.hint is None) == (kind, False)
        journal.append([entry(A, 1)])
        assert journal.status().head == head(A, 1)


def test_counting_is_right_after_failures_of_everything(path: Path, disk: Disk) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, i) for i in range(1, 6)])
        for lands in (False, True):
            disk.fail("COMMIT", sqlite3.SQLITE_IOERR_FSYNC, lands=lands)
            with pytest.raises(JournalError):
                journal.done([receipt(A, 1)])
            assert journal.status().pending == len(journal.pending(9)) == (4 if lands else 5)
        disk.fail("SELECT", sqlite3.SQLITE_IOERR_READ)
        with pytest.raises(JournalError):
            journal.status()
        assert journal.status().pending == 4


def test_a_file_that_cannot_be_opened_again_is_tried_at_each_call(path: Path, disk: Disk) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
        disk.fail("", sqlite3.SQLITE_IOERR, times=10**9)
        for _ in range(3):
            with pytest.raises(JournalError):
                journal.append([entry(A, 2)])
            with pytest.raises(JournalError):
                journal.status()
        disk.rule = None
        journal.append([entry(A, 2)])
        assert journal.last_epoch() == Head(*head(A, 2))
        assert journal.status().pending == 2


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY])
def test_a_disk_that_fails_once_at_the_start_costs_no_file(path: Path, disk: Disk, code: int) -> None:
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
    disk.fail("PRAGMA quick_check", code)
    with pytest.raises(JournalError):
        Journal.open(path)
    with Journal.open(path) as journal:
        assert names(journal.pending(9)) == [(A, 1)]
    assert sorted(file.name for file in path.parent.iterdir()) == ["journal.db", "journal.db.lock"]
