"""doorctl wire-test and check --live as an installer runs it: a process on a terminal, a mock board, hands at its wires."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from doorctl.cli.mock_line import Drive
from doorctl.cli.wire_test_claim import refuse_beside_doord
from doorctl.doord import assembly
from hal.board import Board as MockBoard
from hal.board import open_board
from hal.mock_commands import Fault
from hal.mock_drive import perform
from hal.wiegand.cards import FORMATS
from tests.cli.board import CTRL_C, Board, OnTerminal

pytestmark = pytest.mark.system

CONFIG = """\
[site]
id = "demo-site"
timezone = "Europe/Lisbon"

[hal]
backend = "mock"

[door.front]
egress  = "mechanical"
strike  = { pin = "GPIO17", type = "fail-secure", release_s = 5 }
contact = "GPIO27"
reader  = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", mode = "card" }
"""
LENGTH, RAW = FORMATS["H10301"].encode({"facility": 12, "card": 3456})
BITS = f"{RAW:0{LENGTH}b}"
CLOSED = (
    "with nobody at the door it should be closed: likely a broken wire, or active in doorctl.toml is the other level"
)
NOTHING = "neither data line moves: likely the reader has no power, both wires are off, or it does not know such cards"
NUMBER = "H10301 12:3456"
HOLD = "hold the card to the reader at front … "


@pytest.fixture
def door(board: Board) -> Board:
    board.paths.config.write_text(CONFIG)
    return board


@contextmanager
def hands(board: Board) -> Iterator[Drive]:
    drive = Drive(board.paths.mock_socket)
    try:
        yield drive
    finally:
        drive.close()


def outputs(drive: Drive) -> list[Any]:
    return [level for _, pin, level, _ in drive.do("history")["outputs"] if pin == "GPIO17"]


def test_a_card_with_swapped_lines_is_named_and_mended(door: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with OnTerminal(door, "wire-test", "front", errors_too=True) as test:
        test.wait_for("ENTER goes on")
        with hands(door) as drive:
            for level in (False, True, False):
                drive.do("input", pin="GPIO27", level=level)
            test.type("\n")
            test.wait_for("release the strike at front for 1 s? [y/N] ")
            assert outputs(drive) == [0]
            test.type("y\n")
            test.wait_for("did the strike at front move? [y/N] ")
            test.type("y\n")
            test.wait_for(HOLD)
            assert outputs(drive) == [0, 1, 0]
            assert door.run(capsys, "mock", "fault", "front", "swapped").out == "front: the wires are swapped\n"
            drive.do("card", reader="front", bits=BITS)
            test.wait_for("once more at front? [y/N] ")
            assert NUMBER not in test.seen
            test.seen = ""
            assert door.run(capsys, "mock", "fault", "front", "none").out == "front: the wires are mended\n"
            test.type("y\n")
            test.wait_for(HOLD)
            drive.do("card", reader="front", bits=BITS)
            test.wait_for(f"the card says {NUMBER}\n")
        ran = test.ended()
    assert ran.code == 0
    assert "contact: closed\n" in ran.out
    assert "strike at front: released and secured again\n" in ran.out
    assert "front: D0 and D1 are likely swapped: 26 bits came, and fit only with each of them inverted\n" in ran.out
    assert "26 bits, H10301 (facility, card), interval 1.00 ms, jitter 0.00 ms: good\n" in ran.out
    assert ran.out.endswith("front: fine: contact, strike, card at front\nfront: everything was tried, seen and fine\n")
    assert "3456" not in ran.out


def test_no_is_no_and_a_fault_is_one(door: Board) -> None:
    with OnTerminal(door, "wire-test", "front", "--json", errors_too=True) as test:
        test.wait_for("ENTER goes on")
        test.type("\n")
        test.wait_for("release the strike at front for 1 s? [y/N] ")
        test.type("\n")
        test.wait_for(HOLD)
        with hands(door) as drive:
            assert outputs(drive) == [0]
        test.type("\n")
        test.wait_for("once more at front? [y/N] ")
        test.type("n\n")
        ran = test.ended()
    report = json.loads(ran.out)
    assert report["outputs"] == [{"output": "strike", "at": "front", "pulsed": False, "moved": False}]
    assert report["missed"] == ["contact", "strike", "card at front"]
    assert [finding["fault"] for finding in report["readers"][0]["findings"]] == ["neither line moves"]
    assert ran.code == 1


def test_ctrl_c_ends_it_without_a_traceback(door: Board) -> None:
    with OnTerminal(door, "wire-test", "front", errors_too=True) as test:
        test.wait_for("ENTER goes on")
        test.type(CTRL_C)
        ran = test.ended()
    assert ran.code == 130
    assert "Traceback" not in test.seen
    assert not door.paths.mock_socket.exists()


def test_who_leaves_the_terminal_agrees_to_nothing_more(door: Board) -> None:
    with OnTerminal(door, "wire-test", "front", "--json", "--seconds", "1", errors_too=True) as test:
        test.wait_for("ENTER goes on")
        test.type("\x04")
        ran = test.ended()
    assert ran.code == 1
    assert json.loads(ran.out)["outputs"] == [{"output": "strike", "at": "front", "pulsed": False, "moved": False}]
    assert "[y/N]" not in test.seen


@pytest.mark.parametrize("command", [["wire-test", "front"], ["check", "--live"]], ids=["wire-test", "check"])
def test_never_beside_doord(door: Board, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    door.paths.run.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as doord:
        doord.bind(str(door.paths.control_socket))
        doord.listen()
        ran = door.run(capsys, *command)
    assert ran.code == 1
    assert ran.err.startswith("doorctl: error: doord runs, and has the pins\n  hint: systemctl stop doorctl")


def test_a_socket_that_a_killed_doord_left_is_no_doord(door: Board) -> None:
    door.paths.run.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as doord:
        doord.bind(str(door.paths.control_socket))
    refuse_beside_doord(door.paths)


def test_a_door_that_is_not(door: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = door.run(capsys, "wire-test", "frnt")
    assert (ran.code, ran.err) == (1, 'doorctl: error: there is no door "frnt"\n  hint: did you mean "front"?\n')


def test_check_live_says_what_is_on_every_line(door: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = door.run(capsys, "check", "--live")
    assert ran.out.splitlines()[-7:] == [
        "mock chip: every line of 1 door could be claimed",
        "front: strike (GPIO17): secured",
        "front: contact (GPIO27): open",
        "reader front (D0 GPIO14, D1 GPIO15): both lines rest high",
        "warning: front: contact: is open",
        f"  hint: {CLOSED}",
        "nothing wrong was seen",
    ]
    assert ran.code == 0, "a leaf may stand open"


def test_check_live_as_json(door: Board, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(door.run(capsys, "check", "--live", "--json").out)
    (front,) = told["live"]
    assert told["verdict"] == {
        "fine": True, "wrong": [], "warnings": [{"part": "front: contact", "why": "is open", "do": CLOSED}],
    }  # fmt: skip
    assert front == {
        "door": "front",
        "strike": {"wired": "GPIO17", "released": False},
        "inputs": [
            {"input": "contact", "wired": "GPIO27", "level": True, "words": "open", "idle": False, "flickers": False}
        ],
        "readers": [{"reader": "front", "wired": "D0 GPIO14, D1 GPIO15", "rests_high": True, "findings": []}],
    }


def test_check_live_names_the_pin_that_cannot_be_had(door: Board, capsys: pytest.CaptureFixture[str]) -> None:
    door.paths.config.write_text(CONFIG.replace('"GPIO27"', '"GPIO40"'))
    ran = door.run(capsys, "check", "--live")
    assert ran.code == 1
    assert "GPIO40" in ran.err


def test_what_was_not_seen_and_what_is_wrong_are_the_last_lines(door: Board) -> None:
    """The strike did not move as somebody saw, the leaf was left open, and no card was at hand."""
    with OnTerminal(door, "wire-test", "front", errors_too=True) as test:
        test.wait_for("ENTER goes on")
        with hands(door) as drive:
            for level in (False, True):
                drive.do("input", pin="GPIO27", level=level)
            test.type("\n")
            test.wait_for("release the strike at front for 1 s? [y/N] ")
            test.type("y\n")
            test.wait_for("did the strike at front move? [y/N] ")
            test.type("n\n")
            test.wait_for(HOLD)
            test.type("\n")
            test.wait_for("once more at front? [y/N] ")
            test.type("n\n")
            test.wait_for("leave the door as it rests (contact closed); ENTER goes on")
            test.type("\n")
            ran = test.ended()
    assert ran.code == 1
    said = [line for line in ran.out.splitlines() if line.startswith("front: ")][-5:]
    assert said[:4] == [
        "front: not seen: card at front: none came",
        "front: wrong: contact: moved, and was left open",
        "front: wrong: strike: was switched on, and nobody saw it move",
        f"front: wrong: reader front: {NOTHING}",
    ]
    assert said[4] == "front: not everything is fine"


def test_check_live_ends_with_one_where_it_saw_something_wrong(
    door: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shorted(*arguments: Any) -> MockBoard:
        board = open_board(*arguments)
        board.mock.pin("GPIO15")  # type: ignore[union-attr]
        perform(board, Fault(fault="stuck-low", pin="GPIO15"))
        return board

    monkeypatch.setattr(assembly, "open_board", shorted)
    ran = door.run(capsys, "check", "--live")
    assert ran.code == 1
    (wrong,) = [line for line in ran.out.splitlines() if line.startswith("wrong: ")]
    assert wrong.startswith("wrong: front: reader front: D1 is low at rest: likely shorted to ground")
    assert ran.out.endswith("\nsomething is wrong\n")
