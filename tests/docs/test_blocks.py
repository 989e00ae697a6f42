"""Every command block of README.md and docs/, run as it is written, on machines that are thrown away.

One story a document, its blocks in their order: a board, a monitor and a laptop with the wheel of this tree to install,
pins that a stand-in for lgpio makes up, and a stand-in where systemd would start what the unit files say.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from hal.events import Key
from hal.wiegand.cards import FORMATS
from hal.wiegand.keys import Keypad, KeypadEncoding
from tests.docs.blocks import COMMANDS, NO_COMMANDS, ROOT, Block, Step, blocks, documents
from tests.docs.machine import PATIENCE_S, Machine, World
from tests.docs.needed import do_without, needed
from tests.system.wheelhouse import built, others, pip_environment

pytestmark = pytest.mark.system

BLOCKS = {path.relative_to(ROOT).as_posix(): blocks(path) for path in documents()}
STORIES = [name for name, found in BLOCKS.items() if any(one.language in COMMANDS and not one.not_run for one in found)]
EXCEPTIONS: dict[str, str] = {}
"""Place and reason of every block that is marked as not run; few, and each looked at."""

BEFORE = {"docs/install.md": ("docs/operations.md", "monitor")}
"""Where a page begins with a machine that another page has made: its first block for that one."""
LINES = {"front": "14 15", "entrance": "23 24"}
"""Of the pages' readers, D0 and D1."""
SWITCHES = {"contact": 27, "rex": 22}
"""Of the pages' doors; to ground while the door is closed, and while the button is pressed."""

UNTIL = {
    r"^make run\b|doorctl sim(\s|$)": r"open this: +http://127\.0\.0\.1:\d+/",
    r"doorctl log -f": r"\d\d:\d\d:\d\d",
}
"""Commands that go on until somebody presses Ctrl-C, and what they show before that."""

IN_BACKGROUND = re.compile(r"(alarms|doord|doorctl-courier): ")
"""How the lines begin that the laptop's daemons say into the same terminal, whatever command is typed meanwhile."""
WAITING = re.compile(r"waiting up to \S+ s for (doord|the reader \S+) …$")
"""What a command says where the daemon that was started just before, or a reader of it, is not there yet; on a fast
machine none does."""
TOO_BUSY = "(this machine was too busy to answer in its slot: once more)"


def yes(machine: Machine, _question: re.Match[str]) -> None:
    """Somebody compared both fingerprints."""
    machine.type("y\n")


def passphrase(machine: Machine, _question: re.Match[str]) -> None:
    """The same each time."""
    machine.type("five words drawn at random\n")


def hold_card(machine: Machine, question: re.Match[str]) -> None:
    """A card that nobody has yet."""
    machine.cards += 1
    length, raw = FORMATS["H10301"].encode({"facility": 12, "card": 3000 + machine.cards})
    machine.do_at_its_wires(f"{LINES[question[1]]} {raw:0{length}b}")


def move_inputs(machine: Machine, question: re.Match[str]) -> None:
    """The button pressed and let go, the door opened and closed: a made-up leaf stands open at first."""
    there = question[1].split(", ")
    assert there in (["contact"], ["contact", "rex"]), "nobody knows where these are"
    pressed = [("rex", 0), ("rex", 1)] if "rex" in there else []
    for kind, level in (*pressed, ("contact", 0), ("contact", 1), ("contact", 0)):
        machine.do_at_its_wires(f"{SWITCHES[kind]} {level}")


def press_enter(machine: Machine, _question: re.Match[str]) -> None:
    """Whoever is there has moved what there was to move, and saw it shown."""
    machine.type("\n")


def press_key(machine: Machine, question: re.Match[str]) -> None:
    """Any, at the reader that is named."""
    length, raw = Keypad(encoding=KeypadEncoding.BITS_8, enter_key="#").frame((Key("5"),))
    machine.do_at_its_wires(f"{LINES[question[1]]} {raw:0{length}b}")


def press_code(machine: Machine, _question: re.Match[str]) -> None:
    """Of whoever was enrolled last."""
    machine.type(f"{machine.code}\n")


ANSWERS = {
    r"keys at \S+ \(not shown\): $": press_code,
    r"\[y/N\] ": yes,
    r"move each input now, and back \(([a-z, ]+)\); ENTER goes on": move_inputs,
    r"\d s  contact: open\n.*\d s  contact: closed\n": press_enter,
    r"press a key at the reader at (\S+) … ": press_key,
    r"(^|\n)(passphrase (for|of) the backup|again): $": passphrase,
    r"hold the card to the reader at (\S+) … ": hold_card,
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    built(folder)
    return folder


@pytest.fixture
def world(wheels: Path) -> Iterator[World]:
    if os.geteuid() != 0:
        do_without("a user's own namespace is enough for the machines and not yet for their pins: run it as root")
    for program in ("unshare", "nsenter", "setsid", "systemd-sysusers", "systemd-tmpfiles", "systemd-creds"):
        needed(program)
    with TemporaryDirectory(prefix="docs-") as folder, World(Path(folder), pip_environment(wheels, others())) as world:
        yield world


@pytest.mark.parametrize("document", STORIES)
def test_every_command_does_what_is_written(document: str, world: World) -> None:
    wrong = []
    (world.folder / "stick" / "doorctl_0.1.0_arm64.deb").touch()
    for block in (*made_before(document), *BLOCKS[document]):
        if block.language in COMMANDS and not block.not_run:
            for step in block.steps():
                begun = time.monotonic()
                found = played(world.machine(step.machine), step)
                sys.stdout.write(f"{time.monotonic() - begun:6.1f} s  {step.machine}$ {step.command}\n")
                if found:
                    wrong.append(f"{step.place}: {step.machine}$ {step.command}\n{found}")
    assert not wrong, "\n\n".join(wrong)


def made_before(document: str) -> list[Block]:
    """What another page says is done first."""
    if document not in BEFORE:
        return []
    page, machine = BEFORE[document]
    return [next(one for one in BLOCKS[page] if one.machine == machine)]


def played(machine: Machine, step: Step) -> str | None:
    """Type it, and look at what comes: what is wrong with that, if anything."""
    if reader := re.search(r"--card next@(\w+)", step.command):
        look_at_the_reader(machine, reader[1])
    until = next((shown for command, shown in UNTIL.items() if re.search(command, step.command)), None)
    code, seen = machine.run(step.command, ANSWERS, until)
    if code not in ({0, 130} if until else {0}):
        return f"ended with {code}: {seen}"
    if drawn := re.search(r": code ([\d ]+), ", seen):
        machine.code = drawn[1]
    wanted, found = comparable(step.shown, seen)
    return "\n".join(unified_diff(wanted, found, "document", "seen")) if step.shown and wanted != found else None


def look_at_the_reader(machine: Machine, name: str) -> None:
    """Nobody holds a card to one that doord has only just begun to listen to; people are slower than that."""
    deadline = time.monotonic() + PATIENCE_S
    while machine.run(f"doorctl status | grep -q 'reader {name}: reading'", {})[0] != 0:
        assert time.monotonic() < deadline, f"the reader {name} does not read"
        time.sleep(0.2)


def comparable(shown: str, seen: str) -> tuple[list[str], list[str]]:
    """Both in lines. Where the story had to play a visit again, what it counts is more than the document's."""
    wanted = masked(shown).splitlines()
    theirs = [one for one in masked(seen).splitlines() if TOO_BUSY not in one and not IN_BACKGROUND.match(one)]
    found = [one for one in theirs if not WAITING.match(one)]
    if TOO_BUSY in seen:
        wanted, found = ([re.sub(r"\b\d+\b", "N", line) for line in lines] for lines in (wanted, found))
    return wanted, found


def masked(text: str) -> str:
    """Without what differs each time: codes and times."""
    text = re.sub(r"\b\d{8}\b", "CODE", text)
    text = re.sub(r"\bpath test [0-9a-f]{8}\b", "path test ID", text)
    text = re.sub(r"\b\d+(\.\d+)? (ms|s)\b", r"N \2", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_every_block_says_what_it_is() -> None:
    unclear = [
        f"{one.place}: ```{one.language}"
        for found in BLOCKS.values()
        for one in found
        if one.language not in COMMANDS | NO_COMMANDS
    ]
    assert unclear == [], f"one of {', '.join(sorted(COMMANDS | NO_COMMANDS))}"


def test_blocks_that_are_not_run_are_few_and_known() -> None:
    marked = {one.text.splitlines()[0]: one.not_run for found in BLOCKS.values() for one in found if one.not_run}
    assert marked == EXCEPTIONS


def test_a_block_that_is_no_command_has_none() -> None:
    """No command passes by under another name."""
    hidden = [
        f"{one.place}: {line}"
        for found in BLOCKS.values()
        for one in found
        if one.language not in COMMANDS
        for line in one.text.splitlines()
        if re.match(r"(\w*\$ )?(sudo|doorctl|pip|make|systemctl) ", line)
    ]
    assert hidden == []


def block(language: str, text: str, machine: str = "board") -> Block:
    return Block(document="x.md", line=1, language=language, text=text, machine=machine, not_run=None)


def test_steps_of_a_block() -> None:
    typed = block("sh", "# first\ncd /etc\n\nls -l \\\n  x # why")
    assert [step.command for step in typed.steps()] == ["cd /etc", "ls -l \\\n  x # why"]
    dialogue = block("console", "monitor$ a  # b\nsaid\n\nmore\n$ b", machine="laptop")
    assert [(step.machine, step.command, step.shown) for step in dialogue.steps()] == [
        ("monitor", "a  # b", "said\n\nmore"), ("laptop", "b", ""),
    ]  # fmt: skip


def test_marks_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.blocks.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("<!-- on: monitor -->\n```sh\na\n```\n<!-- not run: why -->\n```sh\nb\n```\n```toml\n```\n")
    assert [(one.line, one.language, one.machine, one.not_run) for one in blocks(page)] == [
        (2, "sh", "monitor", None), (6, "sh", "board", "why"), (9, "toml", "board", None),
    ]  # fmt: skip


def test_what_differs_each_time_is_masked() -> None:
    assert masked("her code is 47986324, after 302 ms \n\n") == masked("her code is 12345678, after 7 ms")
    assert masked("path test 70c16ea0: x") == masked("path test 0123abcd: x") != masked("path test: x")
    assert masked("7 records") != masked("8 records")
    wanted, found = comparable("7 records", f"{TOO_BUSY}\n8 records")
    assert wanted == found
    wanted, found = comparable("7 records", "8 records")
    assert wanted != found
    for late in ("doord", "the reader front"):
        wanted, found = comparable("closed", f"waiting up to 15 s for {late} …\nclosed")
        assert wanted == found
