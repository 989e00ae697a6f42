"""Making a board: what is there is kept, a monitor is trusted only after somebody compared, kinds are not mixed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from doorctl.cli.init_template import MOCK
from doorctl.cli.main import main
from doorctl.seal.keys import (
    load_controller_keys,
    read_controller_file,
    read_monitor_file,
    write_controller_file,
)
from tests.cli.board import Board, OnTerminal, make_monitor


def secrets_of(board: Board) -> dict[str, bytes]:
    files = (board.paths.keys, board.paths.courier_keys)
    return {path.name: path.read_bytes() for folder in files for path in folder.iterdir()}


def test_a_board_has_keys_roster_configuration_and_its_public_half(made_board: Board) -> None:
    paths = made_board.paths
    assert sorted(secrets_of(made_board)) == ["identity.key", "lookup.key", "tls.crt", "tls.key"]
    modes = {path.name: path.stat().st_mode & 0o777 for path in (paths.keys, paths.courier_keys)}
    assert modes == {"keys": 0o700, "courier": 0o700}
    assert all(paths.keys.joinpath(name).stat().st_mode & 0o777 == 0o600 for name in ("identity.key", "lookup.key"))
    assert paths.roster.exists()
    assert paths.controller_public.exists()


def test_twice_keeps_everything(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    before, roster = secrets_of(board), board.paths.roster.read_bytes()
    board.paths.config.write_text(board.paths.config.read_text() + "# mine\n")
    first = board.run(capsys, "init", "--mock")
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("this monitor:    ")
    assert secrets_of(board) == before
    assert board.paths.roster.read_bytes() == roster
    assert board.paths.config.read_text().endswith("# mine\n")


def test_json_has_both_fingerprints(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = board.run(capsys, "init", "--mock", "--json")
    made = json.loads(ran.out)
    assert made["monitor"] == read_monitor_file(board.paths.monitor_public).fingerprint
    assert made["controller"] == load_controller_keys(board.paths).controller.hex()
    assert set(made) == {"monitor", "controller", "fingerprint"}


def test_a_file_of_ones_own_is_not_to_be_edited_next(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = Board(home=tmp_path / "new")
    init = ("init", "--mock", "--yes", "--monitor", str(board.paths.monitor_public))
    written, kept = (new.run(capsys, *init).out.splitlines() for _ in range(2))
    assert written[3] == f"next: edit {new.paths.config}, run `doorctl check`,"
    assert kept[3] == "next: run `doorctl check`,"
    short = load_controller_keys(new.paths).controller.hex()[:8]
    assert written[2].strip() == f"status and the monitor call this board {short}"
    assert kept[:3] == written[:3]


def test_what_a_failure_left_out_is_made_the_next_time(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    before = board.paths.controller_public.read_text()
    board.paths.controller_public.unlink()
    board.paths.roster.unlink()
    assert board.run(capsys, "init", "--mock").code == 0
    assert board.paths.controller_public.read_text() == before
    assert board.paths.roster.exists()


def test_a_site_that_was_renamed_gets_its_new_name_and_stays_who_it_is(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    before, config = read_controller_file(board.paths.controller_public), board.paths.config
    config.write_text(config.read_text().replace('id = "demo-site"', 'id = "harbour-st"'))
    assert board.run(capsys, "init", "--mock").code == 0
    after = read_controller_file(board.paths.controller_public)
    assert after == replace(before, site="harbour-st")
    assert after.fingerprint == before.fingerprint


def test_a_board_whose_file_says_no_zone_gets_it_and_stays_who_it_is(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_controller_file(board.paths.controller_public)
    assert before.timezone == "UTC"
    write_controller_file(board.paths.controller_public, replace(before, timezone=""))
    board.paths.config.write_text(board.paths.config.read_text().replace('timezone = "UTC"', 'timezone = "Asia/Tokyo"'))
    assert board.run(capsys, "init", "--mock").code == 0
    after = read_controller_file(board.paths.controller_public)
    assert after == replace(before, timezone="Asia/Tokyo")
    assert after.fingerprint == before.fingerprint


def test_without_a_monitor_there_is_no_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = Board(home=tmp_path / "new").run(capsys, "init", "--mock")
    assert ran.code == 1
    assert "monitor.toml: this board knows no monitor\n  hint: run `doorctl monitor init`" in ran.err
    assert not (tmp_path / "new" / "var" / "keys").exists()


def test_a_configuration_of_metal_is_no_mock_boards_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monitor = make_monitor(tmp_path / "monitor", simulated=True)
    board = Board(home=tmp_path / "new")
    board.paths.etc.mkdir(parents=True)
    board.paths.config.write_text(MOCK.replace('backend = "mock"', "# metal"))
    told = (
        f'doorctl: error: {board.paths.config}: hal.backend: expected "mock" for a board of `init --mock`, '
        'found "gpiozero"\n'
        '  hint: write backend = "mock" under [hal]; or, for a board of metal, leave out --mock\n'
    )
    assert board.run(capsys, "init", "--mock", "--yes", "--monitor", str(monitor)) == (1, "", told)
    assert [path for path in board.home.rglob("*") if path.is_file()] == [board.paths.config]


def test_another_monitor_is_taken_only_where_somebody_compared(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_monitor(tmp_path / "other", simulated=True)
    before = board.paths.monitor_public.read_bytes()
    ran = board.process("init", "--mock", "--monitor", str(other))
    assert (ran.code, ran.out) == (1, "")
    assert "nothing was paired" in ran.err
    assert read_monitor_file(board.paths.monitor_public).fingerprint in ran.err
    assert read_monitor_file(other).fingerprint in ran.err
    assert "everybody needs new codes" in ran.err
    assert board.paths.monitor_public.read_bytes() == before
    assert board.run(capsys, "init", "--mock", "--monitor", str(other), "--yes").code == 0
    assert read_monitor_file(board.paths.monitor_public) == read_monitor_file(other)


@pytest.mark.parametrize(("answer", "paired"), [("y\n", True), ("\n", False)])
def test_a_person_at_the_terminal_is_asked(board: Board, tmp_path: Path, answer: str, paired: bool) -> None:
    other = make_monitor(tmp_path / "other", simulated=True)
    with OnTerminal(board, "init", "--mock", "--json", "--monitor", str(other), errors_too=True) as command:
        command.type("y\n")  # before the question: no answer to it
        command.wait_for("is that what the monitor shows? [y/N]")
        command.type(answer)
        ran = command.ended()
    assert ran.code == (0 if paired else 1)
    assert (ran.out == "") is not paired
    assert (read_monitor_file(board.paths.monitor_public) == read_monitor_file(other)) is paired


def test_the_monitors_file_is_where_the_configuration_says(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    config = board.paths.config
    config.write_text(config.read_text().replace('file = "monitor.toml"', 'file = "other/monitor.toml"'))
    moved = board.paths.etc / "other" / "monitor.toml"
    assert board.run(capsys, "init", "--mock", "--yes", "--monitor", str(board.paths.monitor_public)).code == 0
    assert moved.read_bytes() == board.paths.monitor_public.read_bytes()


def test_a_simulated_board_and_a_real_monitor_do_not_pair(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = make_monitor(tmp_path / "real", simulated=False)
    ran = board.run(capsys, "init", "--mock", "--yes", "--monitor", str(real))
    assert ran.code == 1
    assert "this monitor is real and this board is simulated" in ran.err
    simulated = board.paths.monitor_public
    code = main(["--home", str(tmp_path / "new"), "init", "--yes", "--monitor", str(simulated)])
    assert code == 1
    assert "this monitor is simulated and this board is not" in capsys.readouterr().err
    assert not (tmp_path / "new" / "var" / "keys").exists()


def test_a_real_board_does_not_become_a_mock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real = make_monitor(tmp_path / "real", simulated=False)
    board = Board(home=tmp_path / "board")
    assert board.run(capsys, "init", "--yes", "--monitor", str(real)).code == 0
    assert not load_controller_keys(board.paths).simulated
    ran = board.run(capsys, "init", "--mock")
    assert ran.code == 1
    assert f"{board.paths.keys}: real keys are there" in ran.err


def test_a_spoilt_monitor_file_is_not_taken(board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = tmp_path / "monitor.toml"
    spoilt.write_text(board.paths.monitor_public.read_text().replace("version = 1", "version = 2"))
    ran = board.run(capsys, "init", "--mock", "--yes", "--monitor", str(spoilt))
    assert ran.code == 1
    assert "version" in ran.err
    missing = board.run(capsys, "init", "--mock", "--yes", "--monitor", str(tmp_path / "none.toml"))
    assert missing.code == 1
    assert "none.toml" in missing.err
