"""doorctl check: mistakes, warnings, exit codes, and every file that ships."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from doorctl.cli.init_template import BOARD, MOCK
from doorctl.cli.main import main
from tests.cli.board import Board, as_nobody, make_monitor

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.joinpath("etc").glob("*.toml"))


def test_a_good_file_says_what_is_in_it(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    told = (
        "doorctl.toml: one try in 5,000,000 guesses a live code\n"
        "doorctl.toml: 3 doors, 3 readers, 0 schedules, 1 group: no mistakes\n"
    )
    assert board.run(capsys, "check") == (0, told, "")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_that_ships_is_right(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(example)]) == 0
    captured = capsys.readouterr()
    assert captured.out.endswith(": no mistakes\n")
    assert "warning" not in captured.out
    assert captured.err == ""


@pytest.mark.parametrize("text", [BOARD, MOCK], ids=["board", "mock"])
def test_what_init_begins_with_is_right(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "doorctl.toml"
    path.write_text(text)
    assert main(["check", str(path)]) == 0
    assert "warning" not in capsys.readouterr().out


def test_mistakes_end_with_1_and_are_all_told(capsys: pytest.CaptureFixture[str]) -> None:
    mistaken = ROOT / "tests" / "config" / "mistaken.toml"
    assert main(["check", str(mistaken)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == mistaken.with_suffix(".txt").read_text(encoding="utf-8")


def test_mistakes_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", str(ROOT / "tests" / "config" / "mistaken.toml")]) == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert (len(found["mistakes"]), found["warnings"], captured.err) == (15, [], "")
    assert found["mistakes"][0] == {
        "file": "mistaken.toml", "line": 3, "column": 6, "key": "site.id",
        "expected": "a name of 1 to 20 lower-case letters, digits and hyphens", "found": '"Harbour Street"',
        "hint": 'try "harbour-street"',
    }  # fmt: skip


def test_a_good_file_as_json(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = board.run(capsys, "check", "--json")
    assert json.loads(ran.out) == {"mistakes": [], "warnings": [], "chance_of_a_guess": 2e-07}


def test_codes_that_are_soon_guessed_are_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "doorctl.toml"
    path.write_text(MOCK + "[codes]\nlength = 4\n")
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out == (
        "doorctl.toml: warning: codes: too easily guessed; take longer ones, or ask for a card as well\n"
        "doorctl.toml: one try in 500 guesses a live code\n"
        "doorctl.toml: 3 doors, 3 readers, 0 schedules, 1 group: no mistakes\n"
    )


def test_cards_alone_have_no_codes_to_guess(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "doorctl.toml"
    text = BOARD.replace('keypad = "8-bit", mode = "card+code"', 'mode = "card"')
    path.write_text(text)
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out == "doorctl.toml: 1 door, 1 reader, 1 schedule, 1 group: no mistakes\n"


def test_a_policy_that_the_roster_does_not_have(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    board.paths.config.write_text(board.paths.config.read_text() + "[codes]\nlength = 6\nper_holder = 3\n")
    ran = board.run(capsys, "check")
    assert ran.code == 0
    assert (
        "doorctl.toml: warning: codes: differs from the roster, which was made for 8 digits and 2 a holder; "
        "the roster's are in force\n" in ran.out
    )
    assert "one try in 5,000,000 guesses" in ran.out, "8 digits, 2 a holder: by what is in force"


def test_a_monitor_on_the_doors_own_board_is_a_warning(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    board.paths.monitor_keys.mkdir(parents=True)
    (board.paths.monitor_keys / "token.key").touch()
    ran = board.run(capsys, "check")
    assert ran.code == 0
    assert ran.out.startswith(
        "doorctl.toml: warning: monitor: its keys are on this board, so the door can know; every report says so\n"
    )


def test_a_site_that_was_renamed_after_init_is_a_warning(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    config = board.paths.config
    config.write_text(config.read_text().replace('id = "demo-site"', 'id = "harbour-st"'))
    ran = board.run(capsys, "check")
    assert ran.code == 0
    assert ran.out.startswith(
        f'doorctl.toml: warning: {board.paths.controller_public}: site: expected "harbour-st" as in doorctl.toml, '
        'found "demo-site", which is what the monitor shows; where doorctl.toml is right: `doorctl init`, then '
        "`doorctl monitor trust controller.toml` at the monitor again\n"
    )
    assert board.run(capsys, "init", "--mock").code == 0
    assert "harbour-st" not in board.run(capsys, "check").out, "and what it says to do is what there is to do"


def test_what_doord_would_not_start_with_ends_with_1(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = board.paths.config
    config.write_text(config.read_text().replace('backend = "mock"', 'backend = "gpiozero"'))
    ran = board.run(capsys, "check")
    assert ran.code == 1
    assert ran.err.startswith("doorctl: error: the keys of this board are simulated")
    assert "\n  hint: " in ran.err
    real = make_monitor(tmp_path / "real", simulated=False)
    config.write_text(config.read_text().replace('backend = "gpiozero"', 'backend = "mock"'))
    board.paths.monitor_public.write_bytes(real.read_bytes())
    ran = board.run(capsys, "check")
    assert (ran.code, ran.err.count("simulated")) == (1, 1)


def test_an_installation_without_keys_is_said_to_be_half_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = Board(home=tmp_path)
    board.paths.etc.mkdir()
    board.paths.config.write_text(BOARD)
    ran = board.run(capsys, "check")
    assert ran.code == 0
    assert "doorctl.toml: warning: no keys yet: `doorctl init` makes them\n" in ran.out
    assert "cannot be read" not in ran.out
    assert "the roster was not looked at" in ran.out


def test_keys_that_are_there_for_root_alone_are_said_to_be(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with TemporaryDirectory() as name:  # pytest's own folders nobody else may enter anyway
        Path(name).chmod(0o755)
        theirs = board.copied_to(Path(name) / "board")
        with as_nobody():
            ran = theirs.run(capsys, "check")
    assert ran.code == 0
    key = theirs.paths.keys / "identity.key"
    told = f"{key}: cannot be read here, so keys and monitor.toml were not looked at; root can"
    assert f"doorctl.toml: warning: {told}\n" in ran.out
    assert "no keys yet" not in ran.out


def test_formats_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("H10301     26 bits") for line in lines)
    assert main(["check", "--formats", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == len(lines)
    assert {"name", "bits", "description"} == set(listed[0])


def test_no_file_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path), "check"]) == 1
    assert capsys.readouterr().err == (
        f"doorctl: error: {tmp_path}/etc/doorctl.toml: there is no configuration\n"
        "  hint: `doorctl init` writes one to start from; is --home right\n"
    )
