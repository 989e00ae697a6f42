"""Completion in real shells: what TAB offers where, with names from a real configuration, and nothing run by them."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.cli.completion import NAMES, SHELLS, script
from doorctl.cli.completion_tree import Kind, command_tree
from doorctl.cli.main import build_parser, main
from tests.docs.needed import needed
from tests.docs.terminal import Terminal

ROOT = Path(__file__).parents[2]
TREE = command_tree(build_parser())
COMMANDS = {one.path: one for one in TREE.all()}
FILES = dict(zip(SHELLS, ("doorctl.bash", "_doorctl", "doorctl.fish"), strict=True))
TOML = """\
[site]
id = "demo-site"
timezone = "UTC"
[monitor]
file = "monitor.toml"
[hal]
backend = "mock"
[door.front]
reader = { wiegand = ["GPIO4", "GPIO5"], format = "H10301", mode = "card" }
strike = { pin = "GPIO17", type = "fail-secure", release_s = 5 }
egress = "mechanical"
[door.fire-exit.readers]
in = { wiegand = ["GPIO8", "GPIO9"], format = "H10301", mode = "card" }
out = { wiegand = ["GPIO10", "GPIO11"], format = "H10301", mode = "card" }
[door.fire-exit]
strike = { pin = "GPIO18", type = "fail-secure", release_s = 5 }
egress = "mechanical"
[group.staff]
front = "always"
[group.night]
front = "always"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation of two doors and two groups, the scripts, and `doorctl` in its bin folder."""
    home = tmp_path_factory.mktemp("completion") / "home"
    (home / "etc").mkdir(parents=True)
    (home / "etc" / "doorctl.toml").write_text(TOML)
    (home / "bin").mkdir()
    program = home / "bin" / "doorctl"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m doorctl.cli.main "$@"\n')
    program.chmod(0o755)
    for shell, name in FILES.items():
        (home / name).write_text(script(shell))
    (home / "here").mkdir()
    (home / "here" / "board.toml").touch()
    (home / "here" / "new folder").mkdir()
    return home


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": f"{home}/bin:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8",
        "PS1": "", "PS2": "", "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_the_installed_files_are_current(shell: str) -> None:
    name = {"bash": "doorctl", "zsh": "_doorctl", "fish": "doorctl.fish"}[shell]
    assert (ROOT / "docs/completion" / name).read_text(encoding="utf-8") == script(shell), "run: make drawn"


class Bash(Terminal):
    """`bash --norc -i`; readline itself inserts everything that it would offer."""

    def __init__(self, home: Path) -> None:
        super().__init__([needed("bash"), "--norc", "--noprofile", "-i"], environment(home), home / "here")
        self.run("source ../doorctl.bash; bind '\"\\C-o\": insert-completions'")
        self.run('bind -x \'"\\C-g": printf "\\n<%s>\\n" "$READLINE_LINE"\'; bind \'set bell-style none\'')

    def offered(self, line: str) -> set[str]:
        return self.inserted(line, "\x0f\x07")


class Zsh(Terminal):
    """`zsh -f -i`, as somebody has it who put `_doorctl` into a folder of $fpath."""

    def __init__(self, home: Path) -> None:
        super().__init__([needed("zsh"), "-f", "-i"], environment(home), home / "here")
        self.run("unsetopt prompt_sp zle_bracketed_paste beep; PROMPT=; fpath=(.. $fpath); autoload -Uz compinit")
        self.run("compinit -u -D; zstyle ':completion:*' completer _all_matches _complete")
        self.run("zstyle ':completion:*:all-matches:*' insert true; zstyle ':completion:*' old-matches false")
        self.run("tell() { print -r -- $'\\n'\"<$BUFFER>\"; BUFFER= }; zle -N tell; bindkey '^G' tell")

    def offered(self, line: str) -> set[str]:
        return self.inserted(line, "\t\x07")


class Fish:
    """`complete -C` prints what TAB would offer."""

    def __init__(self, home: Path) -> None:
        self._fish, self._home = needed("fish"), home

    def offered(self, line: str) -> set[str]:
        command = f"source ../doorctl.fish; complete -C {shlex.quote(line)}"
        done = subprocess.run(
            [self._fish, "--no-config", "-c", command], env=environment(self._home), cwd=self._home / "here",
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert done.stderr == ""
        return {found.partition("\t")[0] for found in done.stdout.splitlines()}

    def close(self) -> None:
        """Nothing is left open."""


@pytest.fixture(scope="module", params=[Bash, Zsh, Fish], ids=SHELLS)
def shell(request: pytest.FixtureRequest, home: Path) -> Iterator[Bash | Zsh | Fish]:
    opened: Bash | Zsh | Fish = request.param(home)
    yield opened
    opened.close()


def test_commands_and_verbs_are_offered(shell: Bash | Zsh | Fish) -> None:
    assert shell.offered("doorctl ") >= {one.path[-1] for one in TREE.verbs}
    assert shell.offered("doorctl ho") == {"holder"}
    assert shell.offered("doorctl --json holder re") == {one for one in HOLDER if one.startswith("re")}
    assert shell.offered("doorctl --home /nowhere lock") == {"lockdown"}


HOLDER = {one.path[-1] for one in COMMANDS["holder",].verbs}
EVERYWHERE = {"--help", "--home", "--json"}


@pytest.mark.parametrize("path", [("holder", "edit"), ("monitor", "init"), ("status",)], ids=" ".join)
def test_every_option_is_offered_where_it_belongs(shell: Bash | Zsh | Fish, path: tuple[str, ...]) -> None:
    flags = {flag for option in COMMANDS[path].options for flag in option.flags if flag.startswith("--")}
    offered = shell.offered(f"doorctl {' '.join(path)} --")
    assert {flag.removesuffix("=") for flag in offered} == flags
    assert flags >= EVERYWHERE


def test_right_words_are_offered(shell: Bash | Zsh | Fish) -> None:
    assert shell.offered("doorctl lockdown ") >= {"on", "off"}
    assert shell.offered("doorctl sim --sabotage a") == {"alarm"}


def test_files_and_folders_are_offered(shell: Bash | Zsh | Fish) -> None:
    assert shell.offered("doorctl check b") == {"board.toml"}
    assert shell.offered("doorctl init --monitor b") == {"board.toml"}
    assert {name.rstrip("/") for name in shell.offered("doorctl --home ../e")} == {"../etc"}


def test_doors_groups_and_readers_come_from_the_configuration(shell: Bash | Zsh | Fish) -> None:
    assert shell.offered("doorctl --home .. unlock f") == {"front", "fire-exit"}
    assert shell.offered("doorctl unlock --home .. fr") == {"front"}
    assert shell.offered("doorctl --home .. mock card f") == {"front", "fire-exit/in", "fire-exit/out"}
    assert shell.offered("doorctl --home .. mock contact fire-exit o") == {"open"}
    assert shell.offered("doorctl --home=.. unlock fr") == {"front"}
    assert shell.offered("doorctl --home .. log --door fi") == {"fire-exit"}
    assert shell.offered("doorctl --home .. holder add Ana --group st") == {"staff"}
    assert shell.offered("doorctl --home .. holder list --group=n") <= {"night", "--group=night"} != set()
    assert {one.removeprefix("next@") for one in shell.offered("doorctl --home .. holder card ana next@fr")} == {
        "front"
    }


def test_without_a_configuration_no_name_is_offered_and_nothing_is_said(shell: Bash | Zsh | Fish) -> None:
    assert shell.offered("doorctl --home /nowhere unlock ") - {"unlock"} == set()


def test_names_are_never_run(shell: Bash | Zsh | Fish, home: Path) -> None:
    """Whoever answers to the name doorctl may say anything."""
    shell.offered("../evil unlock ")
    evil = home / "bin" / "doorctl"
    kept = evil.read_text()
    try:
        evil.write_text("#!/bin/sh\nprintf '%s\\n' '$(touch ran)' '`touch ran`' 'front'\n")
        assert "front" in shell.offered("doorctl unlock fr")
        shell.offered("doorctl unlock ")
    finally:
        evil.write_text(kept)
    assert not (home / "here" / "ran").exists()


def test_bash_finds_its_way_without_bash_completion() -> None:
    assert "_get_comp_words" not in script("bash")
    assert "_init_completion" not in script("bash")


def test_a_flag_may_take_a_value_with_one_command_only(shell: Bash | Zsh | Fish) -> None:
    """`init --monitor FILE` and `backup --monitor`: what follows the latter is the file to write, and nothing more."""
    assert shell.offered("doorctl backup --monitor b") == {"board.toml"}
    assert shell.offered("doorctl backup --monitor board.toml b") <= {"b"}
    assert shell.offered("doorctl init --monitor board.toml b") <= {"b"}


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("doors", "front\nfire-exit\n"),
        ("groups", "staff\nnight\n"),
        ("readers", "front\nfire-exit/in\nfire-exit/out\n"),
    ],
)
def test_names_one_a_line(what: str, names: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(home), "completion", what]) == 0
    assert capsys.readouterr().out == names


def test_no_name_of_a_person_is_ever_offered() -> None:
    """The roster is not read: TAB shows nobody who is enrolled."""
    for shell in SHELLS:
        assert len(re.findall(r"completion \S+ 2>/dev/null", script(shell))) == 1, "the one place that runs doorctl"
    assert set(NAMES) == {"doors", "groups", "readers"}
    assert COMMANDS["holder", "show"].places[0].value.kind is Kind.TEXT
