"""The access log as people and scripts read it."""

import json
import shutil
import signal
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from doorctl.cli.log import moment
from doorctl.cli.main import main
from doorctl.core.types import SECOND, HolderId, Outcome, Reason, WallTime
from doorctl.errors import OperatorError
from doorctl.journal.journal import Journal
from doorctl.journal.rows import Entry, LogRow
from tests.cli.board import DOORCTL, PATIENCE_S, Board, as_nobody

NOON = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
ANA = HolderId("ana-lopez")


def at(second: int) -> WallTime:
    return WallTime(round((NOON.timestamp() + second) * SECOND))


ROWS = [
    LogRow(wall=at(0), event="start"),
    LogRow(wall=at(1), event="access", door="front", reader="front", holder=ANA, outcome=Outcome.GRANTED,
           reason=Reason.MATCHED),
    LogRow(wall=at(2), event="access", door="office", reader="office/in", outcome=Outcome.DENIED,
           reason=Reason.NO_MATCH, count=3),
    LogRow(wall=at(3), event="operator", door="front", detail="unlock front, by uid 0"),
    LogRow(wall=at(4), event="access", door="front", reader="front", holder=ANA, outcome=Outcome.DENIED,
           reason=Reason.OUTSIDE_SCHEDULE),
]  # fmt: skip
LINES = [
    "2026-07-01 12:00:00                start",
    "2026-07-01 12:00:01  front         granted     ana-lopez",
    "2026-07-01 12:00:02  office/in     denied      no match  × 3",
    "2026-07-01 12:00:03  front         operator    unlock front, by uid 0",
    "2026-07-01 12:00:04  front         denied      ana-lopez  outside schedule",
]


def write(board: Board, rows: list[LogRow]) -> None:
    board.paths.journal.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal.open(board.paths.journal)
    journal.append([Entry(log=row) for row in rows])
    journal.close()


@pytest.fixture
def logged(board: Board) -> Board:
    write(board, ROWS)
    return board


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ([], LINES),
        (["-n", "2"], LINES[3:]),
        (["-n", "0"], []),
        (["--door", "front"], [LINES[1], LINES[3], LINES[4]]),
        (["--door", "front", "-n", "1"], LINES[4:]),
        (["--since", "2026-07-01T12:00:03"], LINES[3:]),
        (["--since", "2026-07-01T14:00:03+02:00"], LINES[3:]),
        (["--since", "2026-07-02"], []),
        (["--since", "99999d"], LINES),
        (["--since", "2026-07-01", "--door", "office"], LINES[2:3]),
    ],
)
def test_lines_of_the_log(
    logged: Board, capsys: pytest.CaptureFixture[str], arguments: list[str], lines: list[str]
) -> None:
    ran = logged.run(capsys, "log", *arguments)
    assert (ran.code, ran.out.splitlines(), ran.err) == (0, lines, "")


def test_times_are_the_sites(logged: Board, capsys: pytest.CaptureFixture[str]) -> None:
    config = logged.paths.config
    config.write_text(config.read_text().replace('timezone = "UTC"', 'timezone = "Europe/Lisbon"'))
    assert logged.run(capsys, "log", "-n", "1").out.startswith("2026-07-01 13:00:04  front")
    assert logged.run(capsys, "log", "--since", "2026-07-01T13:00:04").out.count("\n") == 1


def test_a_script_gets_an_object_a_line(logged: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = logged.run(capsys, "log", "--json", "--door", "office")
    assert json.loads(ran.out) == {
        "id": 3, "time": "2026-07-01T12:00:02+00:00", "event": "access", "door": "office", "reader": "office/in",
        "holder": None, "outcome": "denied", "reason": "no_match", "count": 3, "detail": "",
    }  # fmt: skip


def test_help_says_that_json_is_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["log", "--json", "--help"])
    assert ended.value.code == 0
    (line,) = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  --json")]
    assert " ".join(line) == "--json print JSON, one object a line, for scripts"


def test_a_door_that_is_not_and_never_was(logged: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = logged.run(capsys, "log", "--door", "frnt")
    assert ran.code == 1
    assert ran.err == (
        'doorctl: error: there is no door "frnt", and no line about it\n  hint: did you mean "front"?\n'
    )  # fmt: skip


def test_a_door_that_was_is_still_in_the_log(logged: Board, capsys: pytest.CaptureFixture[str]) -> None:
    config = logged.paths.config
    config.write_text(config.read_text().replace("[door.front", "[door.gate").replace("front  =", "gate ="))
    assert logged.run(capsys, "log", "--door", "front").out.splitlines() == [LINES[1], LINES[3], LINES[4]]


def test_a_board_that_never_ran(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = board.run(capsys, "log")
    assert ran.code == 1
    assert "journal.db: no journal\n  hint: has doord run here?" in ran.err


def test_who_may_not_read_the_log_is_told_who_may(made_board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="doorctl-"))
    try:
        folder.chmod(0o755)
        board = made_board.copied_to(folder / "board")
        write(board, ROWS)
        board.paths.journal.parent.chmod(0o2750)
        with as_nobody():
            ran = board.run(capsys, "log")
    finally:
        shutil.rmtree(folder)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"doorctl: error: {board.paths.journal.parent}: no right to read the access log\n"
        "  hint: members of group doorctl-read and root may\n"
    )


@pytest.mark.parametrize("text", ["", "yesterday", "5", "5y", "٣m", "99999999999999d", "9" * 5000 + "d", "-5m"])
def test_a_moment_that_is_none(text: str) -> None:
    with pytest.raises(OperatorError, match="--since: expected 30m, 24h, 7d or a date such as 2026-12-31"):
        moment(text, ZoneInfo("UTC"), NOON)


@pytest.mark.parametrize("text", ["2300-01-01", "2262-04-11T23:47:17", "1677-09-21", "0001-01-02", "200000d"])
def test_a_moment_that_no_line_can_have(logged: Board, capsys: pytest.CaptureFixture[str], text: str) -> None:
    for command in (["log"], ["log", "export", "-"]):
        ran = logged.run(capsys, *command, "--since", text)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f'doorctl: error: --since: expected a time from 1678 to 2262, found "{text}"\n')


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", -1800), ("24h", -86400), ("7d", -604800), ("0m", 0), ("2026-07-01", -43200)]
)
def test_moments(text: str, seconds: int) -> None:
    assert moment(text, ZoneInfo("UTC"), NOON) == at(seconds)


def test_following_shows_what_comes_and_ends_with_ctrl_c(logged: Board) -> None:
    command = [*DOORCTL, "--home", str(logged.home), "log", "-f", "-n", "1", "--door", "front"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == LINES[4] + "\n"
        write(logged, [
            LogRow(wall=at(5), event="access", door="office", reader="office/in", outcome=Outcome.GRANTED),
            LogRow(wall=at(6), event="access", door="front", reader="front", holder=ANA, outcome=Outcome.GRANTED),
        ])  # fmt: skip
        assert process.stdout.readline() == "2026-07-01 12:00:06  front         granted     ana-lopez\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


class Sleeps:
    """Stands in for time.sleep: each sleep makes something happen, the last one is interrupted."""

    def __init__(self, *happenings: object) -> None:
        self._happenings = list(happenings)

    def __call__(self, _: float) -> None:
        if not self._happenings:
            raise KeyboardInterrupt
        happening = self._happenings.pop(0)
        assert callable(happening)
        happening()


def test_following_what_matched_nothing_does_not_begin_at_the_beginning(
    logged: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = LogRow(wall=at(9), event="start")
    monkeypatch.setattr(time, "sleep", Sleeps(lambda: write(logged, [new])))
    ran = logged.run(capsys, "log", "-f", "-n", "0")
    assert (ran.code, ran.out) == (130, "2026-07-01 12:00:09                start\n")


def test_following_goes_on_in_the_journal_that_replaced_a_damaged_one(
    logged: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced() -> None:
        for path in logged.paths.journal.parent.iterdir():
            path.unlink()
        write(logged, [LogRow(wall=at(9), event="start")])

    monkeypatch.setattr(time, "sleep", Sleeps(replaced, lambda: None))
    ran = logged.run(capsys, "log", "-f", "-n", "1")
    assert (ran.code, ran.out.splitlines()) == (130, [LINES[4], "2026-07-01 12:00:09                start"])


def test_the_folder_of_the_log_is_not_written_to(logged: Board, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in logged.paths.journal.parent.iterdir())
    assert logged.run(capsys, "log").code == 0
    assert sorted(path.name for path in logged.paths.journal.parent.iterdir()) == before
