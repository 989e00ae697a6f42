"""The wizard: one small file from answers, by pipe and on a terminal; every answer checked, nothing half-written."""

import json
import subprocess
from pathlib import Path

import pytest

from doorctl.cli.init_draft import Draft, pin_of, text_of
from doorctl.cli.init_wizard import zone_here
from doorctl.config.reading import read_config
from tests.cli.board import CTRL_C, DOORCTL, PATIENCE_S, Board, OnTerminal, Ran, make_monitor

ONE_DOOR = ["harbour-st", "Europe/Lisbon", *[""] * 9, "mechanical", *[""] * 8]
"""ENTER where there is a default; egress has none."""
HEAD = """\
# doorctl.toml: one board, its doors, who may open them when. `doorctl check` finds every mistake in it,
# `doorctl config explain KEY` says what a key means.

[site]
id       = "harbour-st"
timezone = "Europe/Lisbon"

[monitor]
file = "monitor.toml"

"""
FRONT = """\
[door.front]
reader  = { wiegand = ["GPIO14", "GPIO15"], mode = "card+code", format = "H10301", keypad = "8-bit" }
strike  = { pin = "GPIO17", type = "fail-secure" }
egress  = "mechanical"
contact = "GPIO27"
rex     = "GPIO22"

"""


@pytest.fixture
def empty(tmp_path: Path) -> Board:
    return Board(home=tmp_path / "new")


def piped(board: Board, answers: list[str], *options: str) -> Ran:
    done = subprocess.run(
        [*DOORCTL, "--home", str(board.home), "init", "--wizard", *options], check=False, capture_output=True, text=True,
        input="".join(f"{answer}\n" for answer in answers), start_new_session=True, timeout=PATIENCE_S,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def test_enter_takes_what_is_offered(empty: Board) -> None:
    ran = piped(empty, ONE_DOOR)
    config = empty.paths.config
    assert ran.out == (
        f"{config}: 1 door, 1 reader, 1 schedule, 1 group: no mistakes\n"
        "next: `doorctl init --monitor FILE` makes keys and roster and pairs this board with its monitor\n"
    )
    assert ran.code == 0
    written = HEAD + FRONT + '[schedule.office]\nmon-fri = "07:00-19:00"\n\n[group.staff]\nfront = "office"\n'
    assert config.read_text() == written
    assert written in ran.err
    assert ran.err.endswith(f"write this to {config} [yes]: \n")
    assert [path.name for path in config.parent.iterdir()] == ["doorctl.toml"]


def test_two_doors_of_different_kinds(empty: Board) -> None:
    front = ["", "", "", "", "", "", "", "", "mechanical", "", ""]
    back = ["", "", "4,5", "card", "", "18", "fail-safe", "wired", "none", "gpio 23"]
    rest = ["opening", "sat-mon", "08:00-12:00, 13:00-17:00", "", "", "always", "y"]
    ran = piped(empty, ["harbour-st", "Europe/Lisbon", "2", *front, *back, *rest], "--mock", "--json")
    assert json.loads(ran.out) == {
        "written": str(empty.paths.config), "summary": "2 doors, 2 readers, 1 schedule, 1 group",
    }  # fmt: skip
    assert empty.paths.config.read_text() == (
        HEAD
        + '[hal]\nbackend = "mock"\n\n'
        + FRONT
        + """\
[door.back]
reader = { wiegand = ["GPIO4", "GPIO5"], mode = "card", format = "H10301" }
strike = { pin = "GPIO18", type = "fail-safe" }
egress = "wired"
rex    = "GPIO23"

[schedule.opening]
sat-mon = ["08:00-12:00", "13:00-17:00"]

[group.staff]
front = "opening"
back  = "always"
"""
    )


def test_no_schedule_means_always(empty: Board) -> None:
    ran = piped(empty, [*ONE_DOOR[:14], "none", "", "", ""])
    assert ran.code == 0
    assert empty.paths.config.read_text() == HEAD + FRONT + '[group.staff]\nfront = "always"\n'


def test_a_reader_on_a_line_is_asked_for_its_place(empty: Board) -> None:
    ran = piped(empty, [*ONE_DOOR[:4], "osdp", "", "7", "card", *ONE_DOOR[9:]])
    assert ran.code == 0, ran.err
    assert 'reader  = { osdp = "/dev/ttyAMA0", address = 7, mode = "card" }' in empty.paths.config.read_text()


@pytest.mark.parametrize("address", ["127", "seven"])
def test_an_address_that_no_reader_has_is_refused(empty: Board, address: str) -> None:
    ran = piped(empty, [*ONE_DOOR[:4], "osdp", "", address])
    assert ran.code == 1
    assert "front: its address on the line: expected a whole number from 0 to 126" in ran.err


WRONG = {
    0: ("Harbour St", 'site id: expected a name of 1 to 20 lower-case letters, digits and hyphens, found "Harbour St"'),
    1: ("Lissabon", 'time zone: expected a name of the IANA time zone database, found "Lissabon"'),
    2: ("none", "how many doors: expected a whole number from 1 to 8, found 'none'"),
    4: ("rs485", "front: type of the reader: wiegand or osdp: expected only address, allow_plain, baud"),
    5: ("14 14", 'front: its data lines D0 and D1: door.front.reader.wiegand: expected a pin of its own, found "GPIO14", which'),
    6: ("card and code", 'expected "card", "code", "card+code" or "card or code", found "card and code"'),
    7: ("h10301", 'front: card format: expected a known card format, found "h10301"'),
    8: ("26-bit", 'expected an encoding that can send every code, found "26-bit"'),
    9: ("14", 'front: pin of the strike: expected a pin of its own, found "GPIO14", which door.front.reader.wiegand has'),
    10: ("failsafe", 'found "failsafe"'),
    11: ("stairs", 'expected "mechanical" or "wired", found "stairs"'),
    12: ("17", 'expected a pin of its own, found "GPIO17", which door.front.strike.pin has'),
    13: ("17", 'expected a pin of its own, found "GPIO17", which door.front.strike.pin has'),
    14: ("always", 'a schedule: name, or none: expected another name, found "always"'),
    15: ("monday", "expected a day: mon to sun"),
    16: ("22:00-06:00", 'office: hours, commas between: expected hours such as "07:00-19:00", or a list of them, found "22:00-06:00"'),
    17: ("Staff", 'a group of people: name: expected a name of 1 to 20 lower-case letters, digits and hyphens, found "Staff"'),
    18: ("ofice", 'found "ofice"'),
    19: ("maybe", "expected yes or no, found 'maybe'"),
}  # fmt: skip


@pytest.mark.parametrize("at", WRONG)
def test_a_wrong_answer_from_a_script_ends_it_with_the_message_of_check(
    at: int, empty: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, told = WRONG[at]
    monkeypatch.setattr("sys.stdin", Script([*ONE_DOOR[:at], answer]))
    ran = empty.run(capsys, "init", "--wizard")
    assert (ran.code, ran.out) == (1, "")
    assert "doorctl: error: nothing was written: " in ran.err
    assert told in ran.err.rpartition("nothing was written: ")[2]
    assert not empty.home.joinpath("etc").exists()


class Script:
    """Standard input with answers and no person."""

    def __init__(self, answers: list[str]) -> None:
        self._lines = [f"{answer}\n" for answer in answers]

    def isatty(self) -> bool:
        return False

    def readline(self) -> str:
        return self._lines.pop(0) if self._lines else ""


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (ONE_DOOR[:11], 'the answers ended at "front: how people get out without software: mechanical or wired"\n  hint: `?`'),
        ([*ONE_DOOR[:11], ""], "an answer is needed: no default is safe here\n  hint: `?` explains the question"),
        ([*ONE_DOOR[:19], "no"], "nothing was written\n  hint: run it again"),
        (["a", "UTC", "2", *ONE_DOOR[3:14], "front"], "door 2: name: front is there already\n  hint: give it a name of its own"),
    ],
)  # fmt: skip
def test_what_ends_early_writes_nothing(
    answers: list[str], told: str, empty: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Script(answers))
    ran = empty.run(capsys, "init", "--wizard")
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err
    assert not empty.home.joinpath("etc").exists()


def test_it_never_writes_over_a_configuration(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    before = board.paths.config.read_bytes()
    ran = board.run(capsys, "init", "--wizard")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"doorctl: error: {board.paths.config}: is there already\n"
        "  hint: edit it, or move it away; `doorctl check` finds mistakes\n"
    )
    assert board.paths.config.read_bytes() == before


def test_a_file_that_came_meanwhile_is_kept(
    empty: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = empty.paths.config

    class Late(Script):
        def readline(self) -> str:
            if len(self._lines) == 1:
                config.parent.mkdir(parents=True)
                config.write_text("mine\n")
            return super().readline()

    monkeypatch.setattr("sys.stdin", Late(ONE_DOOR))
    ran = empty.run(capsys, "init", "--wizard")
    assert (ran.code, ran.out) == (1, "")
    assert "file exists" in ran.err
    assert {path.name: path.read_text() for path in config.parent.iterdir()} == {"doorctl.toml": "mine\n"}


def test_with_a_monitor_it_goes_on_to_keys_and_pairing(
    empty: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = make_monitor(tmp_path / "monitor", simulated=True)
    monkeypatch.setattr("doorctl.cli.init._STRETCH_NS", 1_000_000)
    monkeypatch.setattr("sys.stdin", Script(ONE_DOOR))
    ran = empty.run(capsys, "init", "--wizard", "--mock", "--yes", "--json", "--monitor", str(monitor))
    assert ran.code == 0
    assert set(json.loads(ran.out)) == {"monitor", "controller", "fingerprint"}
    assert read_config(empty.paths.config).site.id == "harbour-st"
    assert empty.paths.roster.exists()


def test_a_person_is_asked_again_with_what_was_meant(empty: Board) -> None:
    with OnTerminal(empty, "init", "--wizard", errors_too=True) as command:
        for shown, typed in (
            ("site id [my-site]: ", "Harbour St\n"),
            ('  expected a name of 1 to 20 lower-case letters, digits and hyphens, found "Harbour St"', ""),
            ("site id [harbour-st]: ", "\n"),
            ("time zone [", "lisbon\n"),
            ("time zone [Europe/Lisbon]: ", "\n"),
            ("how many doors [1]: ", "?\n"),
            ("  one table a door, at least one\n", "0\n"),
            ("  expected a whole number from 1 to 8, found '0'\n", "\n"),
            ("door 1: name [front]: ", "\n"),
            ("front: type of the reader: wiegand or osdp [wiegand]: ", "rs485\n"),
            ('the unknown key "rs485"', "\n"),
            ("front: its data lines D0 and D1 [GPIO14 GPIO15]: ", "\n"),
            ("card+code or card or code [card+code]: ", "code\n"),
            ("front: how the keypad sends keys: 4-bit or 6-bit or 8-bit or 26-bit-bcd [8-bit]: ", "\n"),
            ("front: pin of the strike [GPIO17]: ", "\n"),
            ("front: what the strike does without power: fail-secure or fail-safe [fail-secure]: ", "\n"),
            ("front: how people get out without software: mechanical or wired: ", "?\n"),
            ("    wired: a button that cuts the strike's power\n", "\n"),
            ("  an answer is needed: no default is safe here\n", "wired\n"),
            ("front: pin of the door contact, or none [GPIO27]: ", "none\n"),
            ("front: pin of the button that lets people out, or none [GPIO22]: ", "none\n"),
            ("a schedule: name, or none [office]: ", "none\n"),
            ("a group of people: name [staff]: ", "\n"),
            ("when staff may open front: always [always]: ", "\n"),
            ("doorctl.toml: warning: door.front.egress: a wired button needs power", ""),
            (f"write this to {empty.paths.config} [yes]: ", "yes\n"),
        ):
            command.wait_for(shown)
            command.type(typed)
        ran = command.ended()
    assert ran.code == 0
    assert (
        empty.paths.config.read_text()
        == HEAD
        + """\
[door.front]
reader = { wiegand = ["GPIO14", "GPIO15"], mode = "code", keypad = "8-bit" }
strike = { pin = "GPIO17", type = "fail-secure" }
egress = "wired"

[group.staff]
front = "always"
"""
    )


@pytest.mark.parametrize("answers", [2, 11, 19])
def test_ctrl_c_writes_nothing(answers: int, empty: Board) -> None:
    with OnTerminal(empty, "init", "--wizard", errors_too=True) as command:
        command.wait_for("site id [my-site]: ")
        command.type("".join(f"{answer}\n" for answer in ONE_DOOR[:answers]))
        command.wait_for({2: "how many doors", 11: "mechanical or wired: ", 19: "[yes]: "}[answers])
        ran = command.ended(typing=CTRL_C)
    assert (ran.code, ran.out) == (130, "")
    assert not empty.home.joinpath("etc").exists()


@pytest.mark.parametrize(
    ("answer", "pin"),
    [("17", "GPIO17"), ("gpio 4", "GPIO4"), ("GPIO04", "GPIO4"), ("17a", "17a"), ("", ""), ("٣", "٣")],
)
def test_pins_as_people_write_them(answer: str, pin: str) -> None:
    assert pin_of(answer) == pin


def test_a_refused_answer_leaves_the_draft_alone() -> None:
    draft = Draft({"site": {}})
    assert draft.take(lambda tree, answer: tree["site"].update(id=answer), "No Name") is not None
    assert draft.take(lambda tree, answer: tree["site"].update({answer: 1}), 'a"\n]') is not None
    assert draft.tree == {"site": {}}
    assert text_of(draft.tree).endswith("\n[site]\n")


def test_the_zone_of_this_machine(tmp_path: Path) -> None:
    assert zone_here(tmp_path) == "UTC"
    tmp_path.joinpath("localtime").symlink_to("../usr/share/zoneinfo/Europe/Lisbon")
    assert zone_here(tmp_path) == "Europe/Lisbon"
    tmp_path.joinpath("localtime").unlink()
    tmp_path.joinpath("localtime").symlink_to("/usr/share/zoneinfo/No/Where")
    assert zone_here(tmp_path) == "UTC"
