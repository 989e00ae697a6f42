"""docs/install.md from its text alone: every command is read from the page and typed, from apt to the first alarm.

The board has no metal. That is all that differs, and stands in WITHOUT_METAL: the wires are the mock's, and so are the
board's keys. What hands do at the door they do at these wires. The board is the site's, once its package was purged;
its monitor runs, as the page expects.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.board.conftest import Site
from tests.board.hands import Answer, Typist
from tests.board.rig import until
from tests.board.test_units import alarms
from tests.board.test_upgrade import granted
from tests.docs.blocks import COMMANDS, ROOT, Step, blocks

pytestmark = pytest.mark.board

PAGE: Final = ROOT / "docs" / "install.md"
WITHOUT_METAL: Final = {
    r"^sudo cp \S+/raspberry-pi\.toml (\S+)$": r"""\g<0> && printf '\\n[hal]\\nbackend = "mock"\\n' >>\1""",
    r"^sudo doorctl init (?=--monitor)": r"\g<0>--mock ",
}
"""A line more in the file, and keys that no real monitor takes records of."""
CARD: Final = {"facility": 77, "card": 4321}
HAND: Final = (
    "import json, sys; from pathlib import Path; from doorctl.cli.mock_line import Drive; "
    "\nwith Drive(Path('/run/doorctl/mock.sock')) as drive:"
    "\n for one in json.loads(sys.argv[1]): drive.do(one.pop('do'), **one)"
)


@dataclass(slots=True)
class Door:
    """The page's door while the page is followed."""

    site: Site
    entrance: dict[str, Any]
    """The table of the configuration that the page shows."""
    before: int
    """Visits that the monitor knew of."""
    said: dict[str, str] = field(default_factory=dict)
    """What each command showed."""
    visits: list[str] = field(default_factory=list)

    def hand(self, *requests: dict[str, Any]) -> None:
        """At the wires of the page's table."""
        self.site.board.run(f"/usr/lib/doorctl/bin/python -c \"{HAND}\" '{json.dumps(requests)}'")

    def card(self) -> dict[str, Any]:
        return {"do": "card", "pins": self.entrance["reader"]["wiegand"], "format": "H10301", "fields": CARD}

    def press_key(self, _asked: re.Match[str]) -> str:
        """Nothing is typed."""
        reader = self.entrance["reader"]
        self.hand({"do": "keys", "pins": reader["wiegand"], "keys": "5", "encoding": reader["keypad"]})
        return ""

    def move_inputs(self, _asked: re.Match[str]) -> str:
        """The door is opened and closed, the button pressed and let go; ENTER."""
        self.hand(*(
            {"do": "input", "pin": self.entrance[key], "level": level}
            for key in ("contact", "rex") for level in (False, True, False)
        ))  # fmt: skip
        self.hand({"do": "input", "pin": self.entrance["rex"], "level": True})
        return "\n"

    def hold_card(self, _asked: re.Match[str]) -> str:
        """Nothing is typed."""
        self.hand(self.card())
        return ""

    def answers(self) -> dict[str, Answer]:
        """Of whoever follows the page."""
        return {
            r"\[y/N\] ": lambda _: "y\n",
            r"ENTER goes on": self.move_inputs,
            r"hold the card to the reader at entrance … ": self.hold_card,
            r"press a key at the reader at entrance … ": self.press_key,
        }

    def afterwards(self) -> dict[str, Callable[[], None]]:
        """What is done at the door once such a command has ended."""
        return {"systemctl enable": self.close_the_door, "holder add": self.visit}

    def close_the_door(self) -> None:
        """A made-up leaf stands open when doord starts; and people are slower than a reader that listens first."""
        board = self.site.board
        board.run("doorctl mock contact entrance closed")
        until(lambda: "reader entrance: reading" in board.run("doorctl status", check=False), 30, "it does not read")

    def visit(self) -> None:
        """What the page asks for once somebody is enrolled: by card, by code, by the other code."""
        drawn = re.search(r"code ([\d ]+), duress code ([\d ]+?)\s+\(", next(
            said for command, said in self.said.items() if "holder add" in command
        ))  # fmt: skip
        assert drawn
        board = self.site.board
        self.visits.append(board.run(f"doorctl mock card entrance H10301:{CARD['facility']}:{CARD['card']}"))
        for code in drawn.groups():
            self.walk_through()
            self.visits.append(board.run("doorctl mock keys entrance", typed=f"{code.replace(' ', '')}\n"))

    def walk_through(self) -> None:
        """The leaf opens, which secures the strike, and closes."""
        self.move_leaf(is_open=True, then="open")
        self.move_leaf(is_open=False, then="secured")

    def move_leaf(self, *, is_open: bool, then: str) -> None:
        """And wait until status says it."""
        self.hand({"do": "input", "pin": self.entrance["contact"], "level": is_open})
        board = self.site.board
        until(lambda: f"door entrance: {then}" in board.run("doorctl status"), 30, f"the door is not {then}")


def steps() -> Iterator[Step]:
    """Of the page, in its order, without metal."""
    left = dict(WITHOUT_METAL)
    for block in blocks(PAGE):
        for step in block.steps() if block.language in COMMANDS else ():
            command = step.command
            for pattern in [one for one in left if re.search(one, command)]:
                command = re.sub(pattern, left.pop(pattern), command)
            yield Step(machine=step.machine, command=command, shown=step.shown, place=step.place)
    assert left == {}, "the page has no such line any more"


def shown() -> dict[str, Any]:
    """The configuration, as the page has it."""
    (text,) = [one.text for one in blocks(PAGE) if one.language == "toml"]
    return tomllib.loads(text)


@pytest.fixture(scope="module")
def followed(site: Site, stick: Path, package: Path) -> Door:
    """The page, to its last command."""
    for other in {*stick.glob("doorctl_*.deb")} - {package}:
        other.unlink()
    site.board.run("dpkg --purge doorctl")  # content where it is gone already
    door = Door(site=site, entrance=shown()["door"]["entrance"], before=granted(site))
    with Typist(site.board) as board, Typist(site.monitor) as monitor:
        at = {"board": board, "monitor": monitor}
        for step in steps():
            door.said[step.command] = at[step.machine].run(step.command, door.answers())
            for what, do in door.afterwards().items():
                if what in step.command:
                    do()
    return door


def told(door: Door, command: str) -> str:
    """What this command of the page showed."""
    return door.said[command]


def test_each_way_opens_the_door(followed: Door) -> None:
    assert [line.partition(" after ")[0] for line in followed.visits] == ["entrance: strike released"] * 3


def test_each_command_says_what_the_page_says(followed: Door) -> None:
    assert "no mistakes" in told(followed, "sudo doorctl check /etc/doorctl/doorctl.toml")
    assert "entrance: secured" in told(followed, "systemctl status --no-pager doorctl")
    assert "the monitor has it" in told(followed, "sudo doorctl test-alarm")
    wires = told(followed, "sudo doorctl wire-test entrance")
    assert "26 bits, H10301" in wires
    assert "strike at entrance: released and secured again" in wires
    assert re.findall(r"^entrance: (.*)$", wires, re.MULTILINE)[-1] == "everything was tried, seen and fine"
    log = told(followed, "sudo doorctl log")
    assert len(re.findall(r"  entrance +granted +ana-lopez\n", log)) == 3


def test_the_monitor_has_the_records_and_the_one_alarm(followed: Door) -> None:
    site = followed.site
    ours = [one for one in alarms(site) if "entrance" in json.dumps(one)]
    assert [one["title"] for one in ours if "Ana Lopez" in json.dumps(one)] == ["Duress code"]
    assert "Duress code" in told(followed, "sudo doorctl monitor alarms")
    until(lambda: granted(site) == followed.before + 3, 30, "the monitor has other visits")
