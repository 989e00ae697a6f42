"""What restores put aside and killed commands left: doctor names it, because keys and people are in it."""

import shutil
from pathlib import Path

import pytest

from doorctl.backup.copies import copies
from tests.cli.board import Board, as_nobody
from tests.cli.doctors import Findings, doctor, of
from tests.cli.test_backup_monitor import Monitor
from tests.doord.house import short_folder

ADDRESS = ("--address", "monitor.example.net:7443")


@pytest.fixture
def monitor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Monitor:
    made = Monitor(home=tmp_path / "monitor")
    assert made.run(capsys, "monitor", "init", "--simulated", *ADDRESS).code == 0
    return made


def _said(findings: Findings) -> list[tuple[str, str, str | None]]:
    """(verdict, words, hint) of both checks."""
    return [
        (found["verdict"], found["words"], found["hint"])
        for found in findings
        if found["check"] in ("put aside", "copies")
    ]


def test_where_nothing_is_left_it_says_so(board: Board, monitor: Monitor, capsys: pytest.CaptureFixture[str]) -> None:
    fine = [("ok", "nothing of an older state is kept", None), ("ok", "no killed command left any", None)]
    assert _said(doctor(board, capsys, "--board")) == fine
    assert _said(doctor(monitor, capsys, "--monitor")) == fine


def test_what_a_restore_put_aside(board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert board.run(capsys, "backup", "--plain", str(tmp_path / "a.backup")).code == 0
    for _ in range(2):
        assert board.run(capsys, "restore", "--replace", str(tmp_path / "a.backup")).code == 0
    paths = board.paths
    ((words, hint),) = of(doctor(board, capsys), "warning", "put aside").items()
    count = len(list(board.home.rglob("*.before-*")))
    assert count >= 16
    assert words == (
        f"{count} files *.before-1, *.before-2 are beside those of now, with old keys, codes' rows and log in them"
    )
    assert hint.startswith("when all works with what was restored: rm ")
    folders = (paths.etc, paths.courier_keys, paths.keys, paths.roster.parent)
    assert [f"{folder}/*.before-*" in hint for folder in folders] == [True] * len(folders)


def test_what_a_monitors_restore_put_aside(monitor: Monitor, capsys: pytest.CaptureFixture[str]) -> None:
    left = monitor.paths.monitor_keys / "record.key.before-3"
    shutil.copy(monitor.paths.monitor_keys / "record.key", left)
    assert of(doctor(monitor, capsys, "--monitor"), "warning", "put aside") == {
        "1 file *.before-3 is beside those of now, with old keys, alarms and records in it":
        f"when all works with what was restored: rm {left.parent}/*.before-*"
    }  # fmt: skip


def test_what_a_killed_backup_left(board: Board, monitor: Monitor, capsys: pytest.CaptureFixture[str]) -> None:
    for made, home, side in (
        (board, board.paths.var, "--board"), (monitor, monitor.paths.monitor_var, "--monitor"),
    ):  # fmt: skip
        left = home / ".backup-0123"
        left.mkdir(mode=0o700)
        (left / "keys_record.key").touch(mode=0o600)
        assert of(doctor(made, capsys, side), "warning", "copies") == {
            f"{left}: left by a command that was killed, with copies of keys and databases in it":
            f"the next `doorctl backup` removes it; or: rm -r {left}"
        }  # fmt: skip
        assert left.exists(), "doctor changes nothing"


def test_a_backup_that_is_being_made_is_none(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with copies(board.paths.var):
        assert of(doctor(board, capsys), "warning", "copies") == {}


def test_who_may_not_look_is_told(made_board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with short_folder() as folder:
        folder.chmod(0o755)
        board = made_board.copied_to(folder / "board")
        shutil.copy(board.paths.config, board.paths.etc / "doorctl.toml.before-1")
        left = board.paths.var / ".backup-0123"
        left.mkdir(mode=0o700)
        with as_nobody():
            found = doctor(board, capsys)
    assert of(found, "unseen", "put aside") != {}
    assert len(of(found, "warning", "put aside")) == 1, "what could be seen is said all the same"
    assert of(found, "unseen", "copies") == {f"{left}: permission denied": "run it with sudo"}
