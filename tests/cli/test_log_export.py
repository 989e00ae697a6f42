"""The access log as a file: what is in it, what is not, and that it is whole or not there."""

import csv
import errno
import gc
import json
import os
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doorctl.cli import log_export
from doorctl.cli.log_export import new_file
from doorctl.core.types import Duration
from doorctl.errors import OperatorError, StorageError
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.journal.rows import Logged, LogRow
from tests.cli.board import Board
from tests.cli.test_log import ROWS, at, write

HEADER = "id,time,event,door,reader,holder,outcome,reason,count,detail"
CSV = [
    "1,2026-07-01T12:00:00+00:00,start,,,,none,none,1,",
    "2,2026-07-01T12:00:01+00:00,access,front,front,ana-lopez,granted,matched,1,",
    "3,2026-07-01T12:00:02+00:00,access,office,office/in,,denied,no_match,3,",
    '4,2026-07-01T12:00:03+00:00,operator,front,,,none,none,1,"unlock front, by uid 0"',
    "5,2026-07-01T12:00:04+00:00,access,front,front,ana-lopez,denied,outside_schedule,1,",
]


@pytest.fixture
def logged(board: Board) -> Board:
    write(board, ROWS)
    return board


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ([], CSV),
        (["--door", "front"], [CSV[1], CSV[3], CSV[4]]),
        (["--since", "2026-07-01T12:00:03"], CSV[3:]),
        (["--until", "2026-07-01T12:00:03"], CSV[:3]),
        (["--since", "2026-07-01T12:00:01", "--until", "2026-07-01T12:00:03"], CSV[1:3]),
        (["--until", "2026-07-01"], []),
    ],
)
def test_what_is_in_the_file(
    logged: Board, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], lines: list[str]
) -> None:
    file = tmp_path / "log.csv"
    ran = logged.run(capsys, "log", "export", *arguments, str(file))
    assert (ran.code, ran.err) == (0, "")
    assert file.read_bytes().decode() == "".join(f"{line}\r\n" for line in (HEADER, *lines))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_it_says_at_the_end(logged: Board, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    assert logged.run(capsys, "log", "export", str(file)).out == (
        f"{file}: 5 lines, of 2026-07-01T12:00:00+00:00 to 2026-07-01T12:00:04+00:00\n"
    )
    ran = logged.run(capsys, "log", "export", "--door", "office", "--json", str(tmp_path / "office.csv"))
    assert json.loads(ran.out) == {
        "file": str(tmp_path / "office.csv"), "format": "csv", "lines": 1,
        "first": "2026-07-01T12:00:02+00:00", "last": "2026-07-01T12:00:02+00:00",
    }  # fmt: skip
    assert logged.run(capsys, "log", "export", "--until", "2026-01-01", str(tmp_path / "no.csv")).out.endswith(
        "no.csv: 0 lines\n"
    )


def test_standard_output_has_the_lines_and_nothing_else(logged: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = logged.run(capsys, "log", "export", "--format", "json", "-")
    assert [json.loads(line)["id"] for line in ran.out.splitlines()] == [1, 2, 3, 4, 5]
    assert ran.out.splitlines()[1] == logged.run(capsys, "log", "--json").out.splitlines()[1]
    assert ran.err.startswith("-: 5 lines, of ")


def test_an_option_may_stand_before_the_verb(logged: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = logged.run(capsys, "log", "--door", "office", "export", "-")
    assert ran.out.splitlines() == [HEADER, CSV[2]]


def test_pages_leave_nothing_out_and_nothing_twice(
    logged: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in (1, 2, 5, 6):
        monkeypatch.setattr(log_export, "PAGE", page)
        assert logged.run(capsys, "log", "export", "-").out.splitlines() == [HEADER, *CSV]


def test_what_comes_meanwhile_is_left_to_the_next_export(
    logged: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = JournalReader.log

    def busy(self: JournalReader, limit: int, *, after_id: int | None = None) -> list[Logged]:
        found = read(self, limit, after_id=after_id)
        write(logged, [LogRow(wall=at(9), event="start")])
        return found

    monkeypatch.setattr(log_export, "PAGE", 2)
    monkeypatch.setattr(JournalReader, "log", busy)
    assert len(logged.run(capsys, "log", "export", "-").out.splitlines()) == 6


def test_lines_that_are_pruned_meanwhile_are_no_mistake(
    logged: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = JournalReader.log

    def pruned(self: JournalReader, limit: int, *, after_id: int | None = None) -> list[Logged]:
        found = read(self, limit, after_id=after_id)
        with Journal.open(logged.paths.journal) as journal:
            journal.prune(at(3), keep_log=Duration(1))  # all but the last two, as they are of the future or the newest
        return found

    monkeypatch.setattr(log_export, "PAGE", 1)
    monkeypatch.setattr(JournalReader, "log", pruned)
    assert logged.run(capsys, "log", "export", "-").out.splitlines() == [HEADER, CSV[3], CSV[4]]


def test_a_file_that_is_there_stays(logged: Board, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("precious", encoding="utf-8")
    ran = logged.run(capsys, "log", "export", str(file))
    assert ran == (
        1, "", f"doorctl: error: {file}: is there already and is never overwritten\n  hint: give another name\n"
    )  # fmt: skip
    assert file.read_text(encoding="utf-8") == "precious"


def test_it_is_whole_or_not_there(tmp_path: Path) -> None:
    def half(path: Path) -> None:
        with new_file(path) as file:
            file.write("half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half(tmp_path / "half.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_was_taken_meanwhile(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="is there already"), new_file(tmp_path / "log.csv"):
        (tmp_path / "log.csv").write_text("another's", encoding="utf-8")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["another's"]


def test_a_folder_that_is_not(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written: no such file or directory"), new_file(tmp_path / "a/b"):
        pass


def test_a_disk_without_room(
    logged: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ran = logged.run(capsys, "log", "export", str(tmp_path / "log.csv"))
    assert (ran.code, ran.out) == (1, "")
    assert "log.csv: cannot be written: no space left on device\n  hint: nothing was left there" in ran.err
    assert list(tmp_path.glob("*.csv*")) == list(tmp_path.glob(".log*")) == []


def test_a_span_that_is_none(logged: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = logged.run(capsys, "log", "export", "--since", "2026-07-02", "--until", "2026-07-01", "-")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("doorctl: error: --until: expected a time after --since\n")
    ran = logged.run(capsys, "log", "export", "--until", "tomorrow", "-")
    assert ran.err.startswith('doorctl: error: --until: expected 30m, 24h, 7d or a date such as 2026-12-31, found "tom')


def test_a_door_that_is_not_and_never_was(logged: Board, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ran = logged.run(capsys, "log", "export", "--door", "frnt", str(tmp_path / "log.csv"))
    assert (ran.code, 'there is no door "frnt"' in ran.err) == (1, True)
    assert list(tmp_path.glob("*.csv")) == []


def test_memory_does_not_grow_with_the_log(board: Board, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Ten times the lines, and not twice the memory: a list of all of them would have ten times it."""
    peaks = []
    for lines in (2_000, 18_000):
        write(board, [LogRow(wall=at(i), event="access", door="front") for i in range(lines)])
        gc.collect()
        tracemalloc.start()
        assert board.run(capsys, "log", "export", str(tmp_path / f"{lines}.csv")).code == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    with (tmp_path / "18000.csv").open(encoding="utf-8", newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == 20_000
    assert peaks[1] < 2 * peaks[0], peaks


def test_progress_counts_every_line_whether_it_is_wanted_or_not(
    logged: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, int, bool, list[int]]] = []

    @contextmanager
    def watched(what: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
        advances: list[int] = []
        yield advances.append
        told.append((what, total, quiet, advances))

    monkeypatch.setattr(log_export, "progress", watched)
    monkeypatch.setattr(log_export, "PAGE", 2)
    assert logged.run(capsys, "log", "export", "--door", "office", "-").code == 0
    assert logged.run(capsys, "log", "export", "--json", "-").code == 0
    assert told == [("exporting lines", 5, False, [2, 2, 1]), ("exporting lines", 5, True, [2, 2, 1])]


def test_the_folder_of_the_log_is_not_written_to(logged: Board, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in logged.paths.journal.parent.iterdir()}
    assert logged.run(capsys, "log", "export", "-").code == 0
    assert {path.name: path.stat().st_mtime_ns for path in logged.paths.journal.parent.iterdir()} == before
