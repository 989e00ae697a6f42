"""Commands against a real doord on mock hardware, one for the whole file; and the strangers at its sockets."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorctl.cli import test_alarm
from hal.wiegand.cards import FORMATS
from tests.cli.board import (
    CTRL_C,
    PATIENCE_S,
    Board,
    Hands,
    OnTerminal,
    as_nobody,
    codes_shown,
    wait_until,
)

pytestmark = pytest.mark.system
CONTACTS = ("GPIO27", "GPIO24", "GPIO26")
LAMPS = {"front": "GPIO6", "office": "GPIO10"}
BUZZERS = {"front": "GPIO7", "office": "GPIO11"}


class Running:
    """A doord and the hands at its doors."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.log = board.home / "doord.log"
        self._hands: Hands | None = None
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "doorctl.doord", "--home", str(board.home), "--debug"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def start(self) -> None:
        """Until every reader reads and every door is closed."""
        mock = self.board.paths.mock_socket
        wait_until(lambda: mock.exists() or self._process.poll() is not None, "the mock board")
        assert self._process.poll() is None, self.log.read_text(encoding="utf-8")
        self._hands = Hands(self.board.paths.mock_socket)
        for pin in CONTACTS:
            self.hands.do("input", pin=pin, level=False)
        wait_until(self._armed, "the arming of the readers")

    @property
    def hands(self) -> Hands:
        assert self._hands is not None
        return self._hands

    def stop(self) -> int:
        if self._hands is not None:
            self._hands.close()
        self._process.terminate()
        return self._process.wait(PATIENCE_S)

    def ask(self, line: bytes) -> bytes:
        """One line to the control socket as anybody would send it."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(str(self.board.paths.control_socket))
            with contextlib.suppress(BrokenPipeError):  # let go before it was asked
                connection.sendall(line)
            return connection.makefile("rb").readline()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask(b'{"op": "status"}\n'))
        return found

    def card(self, reader: str, number: int) -> None:
        length, raw = FORMATS["H10301"].encode({"facility": 12, "card": number})
        self.hands.do("card", reader=reader, bits=format(raw, f"0{length}b"))

    def cards_read(self) -> int:
        return int(self.status()["doors"][0]["readers"][0]["counters"]["cards"])

    def lines(self, capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
        """The newest lines of the log that are about such an event."""
        found = map(json.loads, self.board.run(capsys, "log", "--json").out.splitlines())
        return [line for line in found if line["event"] == event]

    def enter(self, capsys: pytest.CaptureFixture[str], code: str, reader: str = "office") -> dict[str, Any]:
        """Type a code at a reader and hear the answer out; the line of the log that came of it."""
        entries, outputs = len(self.lines(capsys, "access")), self.hands.do("history", since=0)["newest"]
        self.hands.do("keys", reader=reader, keys=code, gap_ns=40_000_000)
        wait_until(lambda: self._was_high(BUZZERS[reader], outputs), "the answer")
        wait_until(lambda: self._quiet(BUZZERS[reader]), "the answer's end")
        assert len(self.lines(capsys, "access")) == entries + 1
        return self.lines(capsys, "access")[-1]

    def _quiet(self, buzzer: str) -> bool:
        """Whether the last beep is over: three beeps have 100 ms between them."""
        last = [at for _, name, _, at in self.hands.do("history", since=0)["outputs"] if name == buzzer][-1]
        return bool(self.hands.do("state")["now"] - last > 300_000_000)

    def lamp_lit(self, reader: str, since: int) -> bool:
        return self._was_high(LAMPS[reader], since)

    def _was_high(self, pin: str, since: int) -> bool:
        outputs = self.hands.do("history", since=since)["outputs"]
        return any(name == pin and level for _, name, level, _ in outputs)

    def _armed(self) -> bool:
        doors = self.status()["doors"]
        return all(reader["state"] == "reading" for door in doors for reader in door["readers"])


@pytest.fixture(scope="module")
def running(made_board: Board) -> Iterator[Running]:
    """In a folder that other users may enter, since some tests come as one."""
    folder = Path(tempfile.mkdtemp(prefix="doorctl-"))
    folder.chmod(0o755)
    doord = Running(made_board.copied_to(folder / "board"))
    try:
        doord.start()
        yield doord
    finally:
        code = doord.stop()
        shutil.rmtree(folder)
    assert code == 0


def test_enrol_open_redraw_remove(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    board = running.board
    with OnTerminal(board, "holder", "add", "Ana Lopez", "--group", "staff", "--card", "next@front") as command:
        command.wait_for("hold the card to the reader at front … ")
        wait_until(lambda: running.lamp_lit("front", 0), "the lamp")
        running.card("front", 3456)
        assert command.ended() == (0, "", "")
    assert "reader at front … H10301 12:3456\n" in command.seen
    first = codes_shown(command.seen)
    line = running.enter(capsys, first[0])
    assert (line["outcome"], line["holder"], line["door"]) == ("granted", "ana-lopez", "office")

    with OnTerminal(board, "holder", "codes", "ana-lopez") as command:
        assert command.ended() == (0, "", "")
    second = codes_shown(command.seen)
    for old in first:
        assert running.enter(capsys, old)["outcome"] == "denied"
    for new in second:
        assert running.enter(capsys, new)["outcome"] == "granted"

    assert board.run(capsys, "holder", "remove", "ana-lopez", "--yes").code == 0
    line = running.enter(capsys, second[0])
    assert (line["outcome"], line["holder"], line["reason"]) == ("denied", None, "no_match")
    told = running.log.read_text(encoding="utf-8")
    assert [secret for secret in (*first, *second, "3456") if secret in told] == []


def test_an_interrupted_enrolment_leaves_the_reader_to_the_door(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    before = running.cards_read()
    with OnTerminal(running.board, "holder", "add", "Ben", "--group", "staff", "--card", "next@front") as command:
        command.wait_for("hold the card to the reader at front … ")
        assert command.ended(typing=CTRL_C).code == 130
    answer = json.loads(running.ask(b'{"op": "next-card", "door": "front", "wait_s": 0.05}\n'))
    while "somebody else waits" in answer["error"]:  # at most until doord looks whether the caller is still there
        answer = json.loads(running.ask(b'{"op": "next-card", "door": "front", "wait_s": 0.05}\n'))
    assert answer["error"] == "front: no card was shown in time"
    running.card("front", 1)
    wait_until(lambda: running.cards_read() == before + 1, "the card")
    line = running.enter(capsys, "00000000", reader="front")
    assert (line["reader"], line["outcome"], line["reason"]) == ("front", "denied", "no_match")
    assert running.board.run(capsys, "holder", "list", "ben").out == "nobody matches\n"


def test_status(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    ran = running.board.run(capsys, "status")
    lines = ran.out.splitlines()
    assert lines[0].startswith("site demo-site, controller ")
    assert lines[1] == "simulated: mock hardware and keys that no real monitor accepts"
    assert "door front: secured" in lines
    assert any(line.startswith("monitor: no courier; ") for line in lines)
    assert json.loads(running.board.run(capsys, "status", "--json").out)["site"] == "demo-site"
    assert ran.code == (1 if "FAULT" in ran.out else 0)


def test_reload(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    board = running.board
    assert board.run(capsys, "reload") == (0, "in force already: nothing changed\n", "")
    was = board.paths.config.read_text()
    board.paths.config.write_text(was.replace('"GPIO17"', '"GPIO21"', 1))
    ran = board.run(capsys, "reload")
    assert (ran.code, ran.out) == (1, "")
    assert "door.front.strike.pin: counts when doord is started again\n" in ran.err
    board.paths.config.write_text(was)
    assert board.run(capsys, "reload").code == 0
    assert "FAULT configuration" not in board.run(capsys, "status").out


def test_unlock_and_lockdown(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    board = running.board
    assert board.run(capsys, "unlock", "front") == (0, "front: released for 5 s\n", "")
    assert running.lines(capsys, "operator")[-1]["detail"] == f"unlock front, by uid {os.geteuid()}"
    assert running.status()["doors"][0]["released"] is True
    assert board.run(capsys, "lockdown", "on") == (0, "lockdown is on\n", "")
    assert running.status()["doors"][0]["released"] is False
    assert "LOCKDOWN: every credential is refused" in board.run(capsys, "status").out
    refused = board.run(capsys, "unlock", "front", "--seconds", "30")
    assert refused == (1, "", "doorctl: error: front: lockdown is on\n  hint: `doorctl lockdown off` ends it\n")
    assert board.run(capsys, "lockdown", "off", "--json") == (0, '{"lockdown": false}\n', "")
    assert "LOCKDOWN" not in board.run(capsys, "status").out


def test_a_door_that_is_not(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    ran = running.board.run(capsys, "unlock", "frnt")
    assert ran == (1, "", "doorctl: error: there is no door 'frnt'\n  hint: doors: front, office, vault\n")


def test_a_path_test_without_a_way(
    running: Running, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_alarm, "WAIT_S", 0.1)
    ran = running.board.run(capsys, "test-alarm")
    assert (ran.code, ran.out) == (1, "")
    assert ": no receipt within 0.1 s\n  hint: `doorctl status`" in ran.err


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"\n", "control: not a line of JSON"),
        (b"\xff\n", "control: not a line of JSON"),
        (b"[" * 2000 + b"\n", "control: not a line of JSON"),
        (b"[]\n", 'control: expected an object with "op"'),
        (b'{"op": 1}\n', 'control: expected an object with "op"'),
        (b'{"op": "status", "more": {}}\n', "control: members must be flat"),
        (b'{"op": "status", "more": 1}\n', "control: unknown member 'more'"),
        (b'{"op": "open"}\n', "control: unknown operation 'open'"),
        (b'{"op": "unlock", "door": "front", "seconds": 1e999}\n', "unlock: expected seconds from 0 to 3600, got inf"),
        (b'{"op": "unlock", "door": "front", "seconds": true}\n', "unlock: expected seconds from 0 to 3600, got True"),
        (b'{"op": "lockdown", "on": "yes"}\n', "lockdown: expected on to be true or false"),
        (b'{"op": "test-alarm", "wait_s": 0}\n', "control: expected wait_s from 0 to 120"),
        (b'{"op": "next-card", "door": "nowhere"}\n', "there is no reader at 'nowhere'"),
    ],
)
def test_nonsense_is_refused_and_counted(running: Running, line: bytes, error: str) -> None:
    before = running.status()
    answer = json.loads(running.ask(line))
    assert (answer["ok"], answer["error"]) == (False, error)
    after = running.status()
    assert after["control"]["refused"] == before["control"]["refused"] + 1
    assert [(door["state"], door["released"]) for door in after["doors"]] == [
        (door["state"], door["released"]) for door in before["doors"]
    ]


def test_a_line_without_end_is_let_go_and_nobody_else(running: Running) -> None:
    before = running.status()["control"]["refused"]
    with socket.socket(socket.AF_UNIX) as patient:
        patient.settimeout(PATIENCE_S)
        patient.connect(str(running.board.paths.control_socket))
        with contextlib.suppress(ConnectionError):  # doord may close before all of it is written
            assert running.ask(b"x" * 100_000) == b""
        patient.sendall(b'{"op": "status"}\n')
        assert json.loads(patient.makefile("rb").readline())["ok"] is True
    assert running.status()["control"]["refused"] == before + 1


@pytest.mark.parametrize("operation", ["status", "unlock", "lockdown", "test-alarm", "next-card"])
def test_who_is_in_no_group_may_do_nothing(running: Running, operation: str) -> None:
    before = running.status()["control"]["refused"]
    with as_nobody():
        answer = json.loads(running.ask(json.dumps({"op": operation}).encode() + b"\n"))
    assert (answer["ok"], answer["error"]) == (False, "control: not allowed")
    assert running.status()["control"]["refused"] == before + 1
    assert running.status()["lockdown"] is False


def test_who_may_do_nothing_is_told_which_groups_may(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):  # doord may hang up before or after the command has asked
        with as_nobody():
            ran = running.board.run(capsys, "status")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("doorctl: error: control: not allowed\n  hint: ")
        assert "doorctl-read" in ran.err


def test_nobody_else_drives_the_mock_or_takes_records(running: Running) -> None:
    with as_nobody():
        for path in (running.board.paths.mock_socket, running.board.paths.courier_socket):
            with socket.socket(socket.AF_UNIX) as stranger, pytest.raises(PermissionError):
                stranger.connect(str(path))
