"""Help that teaches, wrong usage, and errors that a person can act on."""

import argparse
import errno
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest

from doorctl.cli.main import COMMANDS, build_parser, main
from tests.cli.board import DOORCTL, PATIENCE_S, Board


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and those of all its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


ALL = {parser.prog: parser for parser in parsers(build_parser())}


def test_every_command_is_there() -> None:
    names = {name.replace("_", "-") for name in COMMANDS}
    assert {prog.split()[1] for prog in ALL if prog != "doorctl"} == names
    assert {prog for prog in ALL if prog.startswith("doorctl holder ")} == {
        f"doorctl holder {verb}"
        for verb in (
            "add",
            "list",
            "show",
            "edit",
            "card",
            "codes",
            "remove",
            "import",
            "export",
        )
    }


@pytest.mark.parametrize("prog", ALL)
def test_every_help_has_an_example_that_parses_and_its_exit_codes(prog: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = ALL[prog].format_help()
    assert "exit codes: 0" in text
    (example,) = [line for line in text.splitlines() if line.startswith("example:")]
    program, *arguments = shlex.split(example.removeprefix("example:"))
    assert program == "doorctl"
    assert callable(build_parser().parse_args(arguments).run)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["statsu"], 'there is no command "statsu"\n  hint: did you mean "status"?'),
        (["holder", "remov"], 'there is no command "remov"\n  hint: did you mean "remove"?'),
        (["holder", "zzz"], 'there is no command "zzz"\n  hint: there are add, list, show, edit, card, codes, remove'),
        ([], "the following arguments are required: COMMAND\n  hint: `doorctl --help`"),
        (["unlock"], "the following arguments are required: DOOR\n  hint: `doorctl unlock --help`"),
        (["unlock", "front", "--seconds", "nan"], 'more than 0 and at most 3600 seconds, found "nan"'),
        (["unlock", "front", "--seconds", "0"], 'more than 0 and at most 3600 seconds, found "0"'),
        (["unlock", "front", "--sec", "5"], "unrecognized arguments: --sec 5"),
        (["lockdown", "maybe"], "invalid choice: 'maybe'"),
        (["sim", "--port", "99999"], 'argument --port: expected a port from 1 to 65535, found "99999"'),
        (["sim", "--port", "0"], 'argument --port: expected a port from 1 to 65535, found "0"'),
        (["sim", "--port", "-1"], 'argument --port: expected a port from 1 to 65535, found "-1"'),
        (["sim", "--port", "abc"], 'argument --port: expected a port from 1 to 65535, found "abc"'),
        (["sim", "--port", "9" * 5000], "argument --port: expected a port from 1 to 65535, found "),
        (["log", "-n", "-1"], 'expected a whole number, found "-1"'),
        (["log", "-n", "٣"], 'expected a whole number, found "٣"'),
        (["holder", "add", "Ana", "--until", "soon"], 'expected a date such as 2026-12-31, found "soon"'),
        (["holder", "edit", "ana", "--suspend", "--resume"], "not allowed with argument --suspend"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_hint(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert captured.out == ""
    assert told in captured.err
    assert "\n  hint: " in captured.err


@pytest.mark.parametrize(
    "arguments", [["--json", "holder", "list"], ["holder", "--json", "list"], ["holder", "list", "--json"]]
)
def test_options_of_the_program_stand_anywhere(
    capsys: pytest.CaptureFixture[str], made_board: Board, arguments: list[str]
) -> None:
    assert json.loads(made_board.run(capsys, *arguments).out) == []
    here = main([*arguments, "--home", str(made_board.home)])
    assert (here, json.loads(capsys.readouterr().out)) == (0, [])


def test_the_home_may_come_from_the_environment(
    capsys: pytest.CaptureFixture[str], made_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORCTL_HOME", str(made_board.home))
    assert main(["holder", "list"]) == 0
    assert capsys.readouterr().out == "nobody is enrolled\n"


def test_a_folder_that_cannot_be_made_is_an_error_of_two_lines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert main(["--home", str(tmp_path / "file" / "home"), "init", "--mock"]) == 1
    assert capsys.readouterr().err == (
        f"doorctl: error: --home: {tmp_path}/file/home: is below a file\n"
        "  hint: give the folder that `doorctl init` has filled, or is to fill\n"
    )


@pytest.mark.parametrize(
    "command",
    [["status"], ["check"], ["doctor"], ["init", "--mock"], ["log"], ["holder", "list"], ["completion", "doors"],
     ["unlock", "front"], ["backup", "FILE"], ["monitor", "run"]],
    ids=" ".join,
)  # fmt: skip
def test_a_home_that_is_a_file_is_named_as_such(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DOORCTL_HOME", str(tmp_path / "file"))
    assert main(command) == 1
    assert capsys.readouterr().err == (
        f"doorctl: error: DOORCTL_HOME: {tmp_path}/file: is a file, not a folder\n"
        "  hint: set it to a folder, or `unset DOORCTL_HOME` for /etc, /var/lib and /run\n"
    )


@pytest.mark.parametrize(("module", "program"), [("doord", "doord"), ("courierd", "doorctl-courier")])
def test_a_daemon_says_the_same_of_its_home(tmp_path: Path, module: str, program: str) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", f"doorctl.{module}"], check=False, capture_output=True, text=True, timeout=PATIENCE_S,
        env=os.environ | {"DOORCTL_HOME": str(tmp_path / "file")},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{program}: error: DOORCTL_HOME: {tmp_path}/file: is a file, not a folder\n"
        "  hint: set it to a folder, or `unset DOORCTL_HOME` for /etc, /var/lib and /run\n"
    )


def test_a_missing_right_asks_for_sudo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/etc/doorctl")

    monkeypatch.setattr(Path, "mkdir", refused)
    assert main(["init", "--mock"]) == 1
    assert capsys.readouterr().err == (
        "doorctl: error: /etc/doorctl: permission denied\n"
        "  hint: run it with sudo, or give --home DIR for a folder of your own\n"
    )


def test_a_reader_that_goes_away_is_no_error(made_board: Board) -> None:
    command = [*DOORCTL, "--home", str(made_board.home), "check", "--formats"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("command", [["sim"], ["monitor", "controllers"]])
def test_a_small_installation_says_which_extra_is_missing(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As after `pip install doorctl` without extras: no traceback."""
    for module in [
        name
        for name in sys.modules
        if name.startswith(("doorctl.cli.sim_", "doorctl.cli.monitor_", "doorctl.monitord"))
    ]:
        monkeypatch.delitem(sys.modules, module)
    for module in ("starlette", "uvicorn", "sqlalchemy", "httpx"):
        for loaded in [name for name in sys.modules if name == module or name.startswith(module + ".")]:
            monkeypatch.delitem(sys.modules, loaded)
        monkeypatch.setattr(sys, "meta_path", [_Missing(module), *sys.meta_path])
    assert main(["--home", str(tmp_path), *command]) == 1
    said = capsys.readouterr().err
    assert "which is not installed" in said
    assert "hint: pip install 'doorctl[monitor]'" in said


class _Missing(MetaPathFinder):
    """Finds that a package is not there."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname.partition(".")[0] == self._package:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
