"""The manuals: current, complete, without a fault that groff or mandoc can find, and their examples are right."""

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from doorctl.cli.completion_tree import Command, command_tree
from doorctl.cli.main import build_parser
from doorctl.cli.parser import CommandParser
from tests.docs.needed import needed

ROOT = Path(__file__).parents[2]
MAN = ROOT / "docs" / "man"
PAGES = {path.name: path for path in sorted(MAN.glob("*.[1-8]"))}
COMMANDS = command_tree(build_parser()).all()


def drawn() -> dict[str, str]:
    """What docs/draw_manuals.py would write; a script beside the pages is in no package."""
    spec = importlib.util.spec_from_file_location("draw_manuals", ROOT / "docs" / "draw_manuals.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: dict[str, str] = module.drawn_pages()
    return pages


def plain(name: str) -> str:
    """A page without its fonts and escapes."""
    text = PAGES[name].read_text(encoding="utf-8").replace("\\-", "-").replace("\\(aq", "'")
    return re.sub(r"\\f[BIR]|^\.(BI|BR|B|IR|I|RB|RI|SS|TP|EX|EE) ?", "", text, flags=re.MULTILINE)


def test_every_command_has_its_page_and_every_daemon_and_file() -> None:
    ours = {f"doorctl-{one.path[0]}.1" for one in COMMANDS if len(one.path) == 1}
    assert set(PAGES) == ours | {"doorctl.1", "doorctl.toml.5", "doord.8", "courierd.8", "monitord.8"}


def test_the_drawn_pages_are_current() -> None:
    pages = drawn()
    stale = [name for name, text in pages.items() if name not in PAGES or PAGES[name].read_text("utf-8") != text]
    assert stale == [], "run: make drawn"
    unused = {path.stem for path in (MAN / "parts").iterdir()} - {name.removesuffix(".1") for name in pages}
    assert unused == set()


@pytest.mark.parametrize("name", PAGES)
def test_groff_has_nothing_to_say(name: str) -> None:
    command = [needed("groff"), "-ww", "-man", "-Tutf8", "-z", str(PAGES[name])]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", PAGES)
def test_mandoc_has_nothing_to_say(name: str) -> None:
    done = subprocess.run([needed("mandoc"), "-Tlint", str(PAGES[name])], check=False, capture_output=True, text=True)
    # lines are as long as everywhere in this project
    found = [line for line in done.stdout.splitlines() if "STYLE: input text line longer than 80 bytes" not in line]
    assert (found, done.stderr) == ([], "")


def test_man_shows_a_page() -> None:
    command = [needed("man"), "-E", "UTF-8", "-P", "cat", "-l", str(PAGES["doorctl-holder.1"])]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "doorctl-holder - enrol people, change and remove them" in re.sub(".\b", "", done.stdout)


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_its_parts(name: str) -> None:
    text = plain(name)
    title, section = name.rsplit(".", 1)
    assert re.search(rf"^\.TH {re.escape(title.upper())} {section} ", text, re.MULTILINE)
    assert f"\n.SH NAME\n{title} - " in text
    wanted = {"SYNOPSIS", "DESCRIPTION", "SEE ALSO"} | ({"EXIT STATUS", "EXAMPLES"} if section == "1" else set())
    assert wanted <= set(re.findall(r"^\.SH (.+)$", text, re.MULTILINE))


@pytest.mark.parametrize("name", PAGES)
def test_pages_that_are_named_are_there(name: str) -> None:
    named = {f"{page}.{section}" for page, section in re.findall(r"^([\w.-]+) \((\d)\)", plain(name), re.MULTILINE)}
    assert named - set(PAGES) == set()
    assert named - {name}, "a page names another"


def page_of(command: Command) -> str:
    return plain(f"{'-'.join(('doorctl', *command.path[:1]))}.1")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: " ".join(one.path))
def test_everything_a_command_takes_is_on_its_page(command: Command) -> None:
    page = page_of(command)
    flags = {flag for option in command.options for flag in option.flags}
    missing = [flag for flag in flags if flag not in page and flag not in plain("doorctl.1")]
    assert missing == []
    assert [place.value.name for place in command.places if place.value.name not in page and place.value.name] == []
    assert all(str(code) in page for code in command.parser.exit_codes)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: " ".join(one.path))
def test_help_has_examples_that_parse_and_exit_codes(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = command.parser.format_help()
    assert command.parser.examples
    for example in command.parser.examples:
        assert example in shown, "an example is not wrapped"
        program, *words = shlex.split(example.partition(" > ")[0])
        assert program == "doorctl"
        assert callable(build_parser().parse_args(words).run)
        if len(command.path) > 0:
            assert tuple(word for word in words if not word.startswith("-"))[: len(command.path)] == command.path
    assert {0, 1, 2} <= set(command.parser.exit_codes)
    assert "exit codes: 0" in shown


def test_an_epilog_is_read_as_it_is_written() -> None:
    parser = CommandParser(
        prog="x", epilog="example: doorctl a\n         doorctl b --c\n\nexit codes: 0 fine, or not, 1 no"
    )
    assert parser.examples == ("doorctl a", "doorctl b --c")
    assert parser.exit_codes == {0: "fine, or not", 1: "no"}


@pytest.mark.parametrize("page", ["doorctl.1"])
def test_examples_written_by_hand_parse_too(page: str) -> None:
    """Pipes and sudo aside."""
    lines = [line for block in re.findall(r"\.EX\n(.*?)\.EE", PAGES[page].read_text("utf-8"), re.DOTALL)
             for line in block.replace("\\-", "-").replace("\\(aq", "'").splitlines()]  # fmt: skip
    assert len(lines) > 3
    for line in lines:
        words = shlex.split(line.partition("|")[0].removeprefix("sudo "))
        assert words[0] == "doorctl"
        assert callable(build_parser().parse_args(words[1:]).run)
