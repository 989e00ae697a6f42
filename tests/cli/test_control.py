"""The commands' end of the control socket, against a server that says what it is told, or misbehaves."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from doorctl.cli import test_alarm
from doorctl.cli.ask import ask
from doorctl.cli.main import main
from doorctl.cli.status import lines
from doorctl.config.digest import config_digest
from doorctl.config.reading import parse_config
from doorctl.errors import OperatorError, PeerError
from doorctl.paths import Paths

STATUS: dict[str, Any] = {
    "ok": True,
    "site": "harbour-st",
    "controller": "ac05dc1a7f3a91c0ac05dc1a7f3a91c0",
    "keys": "keys in /var/lib/doorctl/keys",
    "configuration": "0123456789abcdef",
    "configuration_since": 1_782_907_200,
    "configuration_refused": None,
    "configuration_file": "not read",
    "simulated": False,
    "colocated": False,
    "lockdown": False,
    "time_trusted": True,
    "doors": [
        {
            "name": "front", "state": "held_open", "lock": "secured", "leaf": "open", "released": False, "light": "alarm",
            "readers": [
                {
                    "name": "front", "state": "reading", "dropped": 0,
                    "counters": {"cards": 1, "key frames": 8, "refused: length": 2, "refused: format": 1, "noise": 4},
                }
            ],
        }
    ],
    "spool": {
        "pending": 0, "waiting_for_disk": 0, "oldest": None, "epoch": "00", "head": 7, "refused_by_monitor": {},
        "forged_receipts": 0, "receipts_for_nothing": 0, "wishes_cut": 2, "gave_way": 0, "nowhere": 1,
    },
    "path": {"state": "connected", "courier_connections": 1, "courier_malformed": 0, "courier_not_read": 3},
    "control": {"refused": 0},
    "roster": {"holders": 1, "generation": 3},
    "answer_ms": {"card": 100, "code": 250, "late": 0},
    "faults": [],
}  # fmt: skip
RIGHT = """\
[site]
id = "harbour-st"
timezone = "Europe/Lisbon"
[door.front]
egress = "mechanical"
strike = { pin = "GPIO17", type = "fail-secure", release_s = 5 }
reader = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", mode = "card" }
"""
WELL = [
    "site harbour-st, controller ac05dc1a, keys in /var/lib/doorctl/keys",
    "configuration 01234567, in force since 2026-07-01 12:00:00 UTC",
    "door front: held open",
    "  reader front: reading, 1 card, 8 key frames, 3 frames refused",
    "monitor: connected; 0 records without a receipt",
    "roster: 1 holder, generation 3",
    "answers: 100 ms after a card, 250 ms after a code",
]


class Server:
    """Answers each request line with the next of its answers; remembers the requests."""

    def __init__(self, path: Path, *answers: bytes | dict[str, Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answers = [a if isinstance(a, bytes) else json.dumps(a).encode() + b"\n" for a in answers]
        path.parent.mkdir(parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        for answer in self._answers:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as requests:
                self.asked.append(json.loads(requests.readline()))
                connection.sendall(answer)
                if not answer.endswith(b"\n"):
                    continue
                requests.read()  # until the command hangs up


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path)


@contextmanager
def serving(paths: Paths, *answers: bytes | dict[str, Any]) -> Iterator[Server]:
    server = Server(paths.control_socket, *answers)
    try:
        yield server
    finally:
        server.close()
        paths.control_socket.unlink()


def run(capsys: pytest.CaptureFixture[str], paths: Paths, *arguments: str) -> tuple[int, str, str]:
    code = main(["--home", str(paths.etc.parent), *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_nobody_is_there(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    told = (
        f"doorctl: error: {paths.control_socket}: doord is not running here\n"
        "  hint: systemctl status doorctl; on a laptop: python -m doorctl.doord, with the same --home\n"
    )
    assert run(capsys, paths, "status") == (1, "", told)
    paths.run.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(paths.control_socket))
    assert run(capsys, paths, "status") == (1, "", told)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", PeerError("the daemon closed the connection without an answer")),
        (b'{"ok": true', PeerError("the daemon closed the connection without an answer")),
        (b"what\n", PeerError("Expecting value")),
        (b"\xff\n", PeerError("codec")),
        (b"[" * 100_000 + b"\n", PeerError("recursion")),
        (b"[1]\n", PeerError("the answer is no object")),
        (b"{}\n", OperatorError("refused")),
        (b'{"ok": 1}\n', OperatorError("refused")),
        (b'{"ok": false, "error": "unlock: not allowed", "hint": null}\n', OperatorError("unlock: not allowed")),
    ],
)
def test_answers_that_are_none(paths: Paths, answer: bytes, error: Exception) -> None:
    with serving(paths, answer), pytest.raises(type(error), match=str(error)):
        ask(paths, "status")


def test_an_answer_without_end_is_let_go(paths: Paths) -> None:
    endless = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                while not endless.is_set():
                    connection.sendall(b"x" * 65536)
            except OSError:
                return

    paths.run.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(paths.control_socket))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            with pytest.raises(PeerError, match="the answer has no end"):
                ask(paths, "status")
        finally:
            endless.set()
            thread.join()


def test_a_daemon_that_does_not_answer_is_not_waited_for(paths: Paths) -> None:
    paths.run.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(paths.control_socket))
        listener.listen()
        with pytest.raises(OperatorError, match=r"status: no answer within 0.05 s"):
            ask(paths, "status", within_s=0.05)


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="AF_UNIX path too long"):
        ask(Paths.under(tmp_path / ("x" * 120)), "status")


def test_status_as_people_read_it(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(paths, STATUS) as server:
        assert run(capsys, paths, "status") == (0, "\n".join(WELL) + "\n", "")
    assert server.asked == [{"op": "status"}]


def test_status_as_scripts_read_it(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(paths, STATUS):
        code, out, _ = run(capsys, paths, "status", "--json")
    assert code == 0
    assert json.loads(out) == {name: value for name, value in STATUS.items() if name != "ok"}


def test_a_fault_ends_status_with_1(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    faulty = STATUS | {"faults": ["courier: no way to the monitor (unreachable)"]}
    with serving(paths, faulty, faulty):
        code, out, _ = run(capsys, paths, "status")
        assert (code, out.splitlines()[-1]) == (1, "FAULT courier: no way to the monitor (unreachable)")
        assert run(capsys, paths, "status", "--json")[0] == 1


def test_everything_that_a_person_should_know_is_a_line_of_status() -> None:
    status = STATUS | {
        "simulated": True,
        "colocated": True,
        "lockdown": True,
        "time_trusted": False,
        "configuration_file": "another",
        "spool": STATUS["spool"] | {
            "pending": 2, "waiting_for_disk": 1, "oldest": 1_782_907_200, "refused_by_monitor": {"UNKNOWN_KEY": 1},
            "forged_receipts": 3,
        },
        "control": {"refused": 4},
        "answer_ms": {"card": 100, "code": 250, "late": 5},
    }  # fmt: skip
    assert lines(status) == [
        WELL[0],
        "simulated: mock hardware and keys that no real monitor accepts",
        "the door can know: the monitor's keys are on this board",
        "LOCKDOWN: every credential is refused; `doorctl lockdown off` ends it",
        "time: not trusted; schedules follow each door's time_unknown",
        WELL[1],
        "  the file says something else: `doorctl check`, then `doorctl reload`",
        *WELL[2:4],
        "monitor: connected; 2 records without a receipt",
        "  the oldest of them is of 2026-07-01 12:00:00 UTC",
        "  1 record not yet on the disk",
        "  1 record refused by the monitor: unknown key",
        "  3 receipts not the monitor's, ignored",
        WELL[5],
        "answers: 100 ms after a card, 250 ms after a code; 5 answers late",
        "control socket: 4 requests refused (malformed, unknown, not allowed or impossible)",
    ]


def test_status_says_what_was_refused_and_not_that_the_file_is_another() -> None:
    refused = {
        "at": 1_782_907_260, "why": "doorctl.toml: 5 mistakes", "more": 3, "hint": "`doorctl check` shows them",
        "reasons": ["doorctl.toml:3: site.id: expected a name", "doorctl.toml:9: egress: expected one"],
    }  # fmt: skip
    told = lines(STATUS | {"configuration_file": "mistaken", "configuration_refused": refused})
    assert told[1:8] == [
        WELL[1],
        "  a reload was refused at 2026-07-01 12:01:00 UTC: doorctl.toml: 5 mistakes",
        "    doorctl.toml:3: site.id: expected a name",
        "    doorctl.toml:9: egress: expected one",
        "    and 3 more",
        "    `doorctl check` shows them",
        WELL[2],
    ]


@pytest.mark.parametrize(
    ("text", "file", "told"),
    [
        (None, "not read", ()),
        ("[site]\n", "mistaken", ("  the file has mistakes now: `doorctl check` shows them",)),
        (RIGHT, "in force", ()),
        (
            RIGHT.replace("= 5", "= 6"), "another",
            ("  the file says something else: `doorctl check`, then `doorctl reload`",),
        ),
    ],
)  # fmt: skip
def test_status_compares_the_file_with_what_is_in_force(
    paths: Paths, capsys: pytest.CaptureFixture[str], text: str | None, file: str, told: tuple[str, ...]
) -> None:
    if text is not None:
        paths.etc.mkdir(parents=True)
        paths.config.write_text(text)
    status = STATUS | {"configuration": config_digest(parse_config(RIGHT, file="doorctl.toml"))}
    with serving(paths, status, status):
        assert json.loads(run(capsys, paths, "status", "--json")[1])["configuration_file"] == file
        assert tuple(run(capsys, paths, "status")[1].splitlines()[2 : 2 + len(told)]) == told


def test_reload_says_what_changed(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {
        "ok": True, "applied": True, "configuration": "0123456789abcdef",
        "changed": ["door.front.strike.release_s", "codes.length"], "notes": ["codes.length: the roster keeps it"],
    }  # fmt: skip
    told = "in force, changed: door.front.strike.release_s, codes.length\n  codes.length: the roster keeps it\n"
    with serving(paths, answer, answer | {"changed": [], "notes": []}, answer) as server:
        assert run(capsys, paths, "reload") == (0, told, "")
        assert run(capsys, paths, "reload") == (0, "in force already: nothing changed\n", "")
        code, out, _ = run(capsys, paths, "reload", "--json")
    assert (code, json.loads(out)) == (0, {name: value for name, value in answer.items() if name != "ok"})
    assert server.asked == [{"op": "reload"}] * 3


def test_reload_says_every_reason_why_not(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {
        "ok": True, "applied": False, "configuration": "0123456789abcdef", "why": "doorctl.toml: 102 mistakes",
        "reasons": ["doorctl.toml:3: site.id: expected a name, found 3; hint: short", "doorctl.toml:9: x: expected y"],
        "more": 100, "hint": "`doorctl check` shows each with its line", "mistakes": [], "restart": [],
    }  # fmt: skip
    one = answer | {"why": "no file", "reasons": ["no file"], "more": 0, "hint": "write one"}
    with serving(paths, answer, one, answer):
        assert run(capsys, paths, "reload") == (
            1, "",
            ("doorctl.toml:3: site.id: expected a name, found 3\n  hint: short\n"
            "doorctl.toml:9: x: expected y\nand 100 more\n"
            "doorctl: error: doorctl.toml: 102 mistakes; doord keeps what it has\n"
            "  hint: `doorctl check` shows each with its line\n"),
        )  # fmt: skip
        assert run(capsys, paths, "reload") == (
            1, "", "doorctl: error: no file; doord keeps what it has\n  hint: write one\n"
        )  # fmt: skip
        code, out, error = run(capsys, paths, "reload", "--json")
    assert (code, error, json.loads(out)["why"]) == (1, "", "doorctl.toml: 102 mistakes")


def test_every_counter_is_shown_to_whoever_asks_for_it(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(paths, STATUS):
        code, out, _ = run(capsys, paths, "status", "--verbose")
    assert (code, out.splitlines()) == (
        0,
        [
            *WELL,
            "counters of the courier's line: connections 1, malformed 0, not read 3",
            "counters of the spool: receipts for nothing 0, wishes cut 2, gave way 0, nowhere 1",
            "counters of reader front: cards 1, key frames 8, refused: length 2, refused: format 1, noise 4, dropped 0",
        ],
    )


def test_unlock(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    usual, long = {"ok": True, "door": "front", "seconds": 5.0}, {"ok": True, "door": "front", "seconds": 30.5}
    with serving(paths, usual, long) as server:
        assert run(capsys, paths, "unlock", "front") == (0, "front: released for 5 s\n", "")
        code, out, _ = run(capsys, paths, "unlock", "front", "--seconds", "30.5", "--json")
    assert (code, json.loads(out)) == (0, {"door": "front", "seconds": 30.5})
    assert server.asked == [{"op": "unlock", "door": "front"}, {"op": "unlock", "door": "front", "seconds": 30.5}]


def test_lockdown(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(paths, {"ok": True, "lockdown": True}, {"ok": True, "lockdown": False}) as server:
        assert run(capsys, paths, "lockdown", "on") == (0, "lockdown is on\n", "")
        assert run(capsys, paths, "--json", "lockdown", "off") == (0, '{"lockdown": false}\n', "")
    assert server.asked == [{"op": "lockdown", "on": True}, {"op": "lockdown", "on": False}]


def test_a_path_test_that_arrived(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"ok": True, "number": "7f3a91c0", "receipted": True, "milliseconds": 120}
    with serving(paths, answer, answer) as server:
        told = "path test 7f3a91c0: the monitor has it, after 120 ms\n"
        assert run(capsys, paths, "test-alarm") == (0, told, "")
        code, out, _ = run(capsys, paths, "test-alarm", "--json")
    assert (code, json.loads(out)) == (0, {"number": "7f3a91c0", "receipted": True, "milliseconds": 120})
    assert server.asked == [{"op": "test-alarm", "wait_s": test_alarm.WAIT_S}] * 2


def test_a_path_test_that_did_not(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(paths, {"ok": True, "number": "7f3a91c0", "receipted": False, "milliseconds": 30000}):
        told = (
            "doorctl: error: path test 7f3a91c0: no receipt within 30 s\n"
            "  hint: `doorctl status` says how the courier stands with the monitor\n"
        )
        assert run(capsys, paths, "test-alarm") == (1, "", told)


def test_the_daemons_hint_is_passed_on(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(paths, {"ok": False, "error": "there is no door 'frnt'", "hint": "doors: front, office"}):
        told = "doorctl: error: there is no door 'frnt'\n  hint: doors: front, office\n"
        assert run(capsys, paths, "unlock", "frnt") == (1, "", told)
