"""What doctor makes of each thing doord may say of itself, and of a doord that says nonsense."""

from pathlib import Path
from typing import Any

import pytest

from doorctl.cli.doctor_files import keys
from doorctl.cli.doctor_finding import Unseen
from doorctl.cli.doctor_subject import Board as Subject
from doorctl.cli.doctor_subject import Machine
from doorctl.config.digest import config_digest
from doorctl.config.reading import read_config
from doorctl.core.types import WallTime
from doorctl.seal.keys import read_monitor_file
from tests.cli.board import Board
from tests.cli.doctors import doctor, of
from tests.cli.test_control import STATUS, serving

SPOOL, DOOR = STATUS["spool"], STATUS["doors"][0]
READER = DOOR["readers"][0]


def status(board: Board, **changes: Any) -> dict[str, Any]:
    """As doord would say it with this board's files."""
    own = {
        "configuration": config_digest(read_config(board.paths.config)),
        "monitor": read_monitor_file(board.paths.monitor_public).fingerprint,
    }
    return STATUS | own | changes


def test_a_doord_that_is_well(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(board.paths, status(board)):
        found = doctor(board, capsys)
    assert list(of(found, "wrong")) == ["127.0.0.1:9: connection refused"]
    assert list(of(found, "ok", "courier")) == ["runs; the monitor: connected"]
    assert list(of(found, "ok", "clock")) == ["nothing contradicts it"]
    assert list(of(found, "ok", "hardware")) == ["1 reader, 1 door"]


@pytest.mark.parametrize(
    ("changes", "check", "verdict", "words", "hint"),
    [
        ({"time_trusted": False}, "clock", "wrong", "the time contradicts the monitor's receipts", "NTP"),
        ({"path": {"state": "no courier"}}, "courier", "wrong", "courierd does not run", "doorctl-courier"),
        ({"path": {"state": "unreachable"}}, "courier", "wrong", "cannot reach the monitor", "way to the monitor"),
        ({"path": {"state": "wrong certificate"}}, "courier", "wrong", "shows another certificate", "pair again"),
        ({"path": {"state": "refused"}}, "courier", "wrong", "the monitor refuses this board", "monitor trust"),
        ({"path": {"state": "connecting"}}, "courier", "warning", "just connecting", "in a minute"),
        ({"faults": ["storage: the disk does not answer"]}, "hardware", "wrong", "storage: ", "dmesg"),
        ({"faults": ["strike front: gone"]}, "hardware", "wrong", "strike front: gone", "relay"),
        ({"faults": ["input front: gone"]}, "hardware", "wrong", "input front: gone", "contact"),
        ({"faults": ["storage and courier: 1 record had no place"]}, "hardware", "wrong", "no place", "dmesg"),
        (
            {"faults": ["configuration: the file is not in force: doorctl.toml:3: x"]}, "hardware", "wrong",
            "doorctl.toml:3", "doorctl reload",
        ),
        ({"faults": ["news: of a later version"]}, "hardware", "wrong", "of a later version", "operations.md"),
        (
            {"doors": [DOOR | {"readers": [READER | {"state": "noise"}]}]}, "hardware", "wrong",
            "reader front: noise", "ground",
        ),
        (
            {"spool": SPOOL | {"refused_by_monitor": {"UNKNOWN_KEY": 3}}}, "pairing", "wrong",
            "the monitor refused 3 records: unknown key", "pair again",
        ),
        (
            {"spool": SPOOL | {"refused_by_monitor": {"UNKNOWN_KEY": 1}}}, "pairing", "wrong",
            "the monitor refused 1 record: unknown key", "pair again",
        ),
        ({"spool": SPOOL | {"pending": 90_000}}, "spool", "wrong", "90,000 of 100,000 records wait", "nothing is lost"),
        ({"lockdown": True}, "doord", "warning", "lockdown is on", "lockdown off"),
        ({"configuration": "0" * 16}, "in force", "wrong", "says something else", "reload doorctl"),
        ({"monitor": "0000"}, "in force", "wrong", "monitor.toml is of another monitor", "fingerprints"),
    ],
)  # fmt: skip
def test_what_doord_says_is_named(
    board: Board, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], check: str, verdict: str, words: str,
    hint: str,
) -> None:  # fmt: skip
    from tests.cli.test_doctor_board import waiting

    waiting(board, 1)
    with serving(board.paths, status(board, **changes)):
        found = of(doctor(board, capsys), verdict, check)
    assert [said for said, advice in found.items() if words in said and hint in advice], found


def test_a_doord_of_an_earlier_version(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(board.paths, STATUS):
        found = doctor(board, capsys)
    assert list(of(found, "wrong", "in force")) == ["doord is of an earlier version than this doctor"]


def test_keys_in_systemds_credentials_are_not_looked_for(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("identity.key", "lookup.key"):
        (board.paths.keys / name).unlink()
    with serving(board.paths, status(board, keys="keys in systemd credential")):
        found = doctor(board, capsys)
    assert list(of(found, "ok", "keys")) == ["in systemd's credentials, which only doord gets"]


def test_keys_in_credentials_of_a_doord_that_does_not_run(board: Board, tmp_path: Path) -> None:
    for name in ("identity.key", "lookup.key"):
        (board.paths.keys / name).rename(tmp_path / name)
    machine = Machine(credentials=tmp_path)
    with pytest.raises(Unseen, match="only a running doord can read"):
        list(keys(Subject(board.paths, WallTime(0), machine)))


@pytest.mark.parametrize("answer", [b"nonsense\n", b"", b"[]\n"])
def test_a_doord_that_says_nonsense(board: Board, capsys: pytest.CaptureFixture[str], answer: bytes) -> None:
    with serving(board.paths, answer):
        found = doctor(board, capsys)
    assert len(of(found, "wrong", "doord")) == 1
    assert list(of(found, "unseen", "courier")) == ["only a running doord can say"]
