"""A door that was told every secret keeps none in clear: no word, code or card number in any file, name or output.

The daemon runs at debug level with asyncio's own debugging on, so that every callback's and task's repr is logged too.
"""

import asyncio
import contextlib
import io
import json
import logging
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from doorctl.cli import holder_codes
from doorctl.cli import status as status_command
from doorctl.cli.init import make_board
from doorctl.cli.main import main
from doorctl.core.types import Card
from doorctl.doord.assembly import read_site
from doorctl.doord.runtime import Doord
from doorctl.paths import Paths
from doorctl.roster.enrolment import RosterWriter
from doorctl.seal.keys import MonitorFile, create_monitor_keys, create_tls, load_monitor_keys, write_monitor_file
from hal.mock_commands import Fault
from hal.mock_drive import perform
from tests.covert.needles import Needles
from tests.covert.onlooker import listening
from tests.doord.courier import Courier, Monitor
from tests.doord.house import House
from tests.doord.site import CHEAP, MadeSite, Person, a_card
from tests.doord.virtual import VirtualLoop, virtual_time


class Terminal(io.StringIO):
    """The one place where codes are shown."""

    def codes(self) -> tuple[str, ...]:
        """Of the last person shown."""
        line = self.getvalue().splitlines()[-1]
        return tuple("".join(code.split()) for code in re.findall(r"code ((?:\d{2,3} ?)+)", line))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    shown = Terminal()
    monkeypatch.setattr(holder_codes, "controlling_terminal", lambda: contextlib.nullcontext(shown))
    return shown


@pytest.fixture
def home(folder: Path) -> Path:
    """A board as `doorctl init --mock` makes it, paired with a monitor that is elsewhere."""
    paths = Paths.under(folder / "home")
    keys = create_monitor_keys(folder / "elsewhere")
    certificate = create_tls(folder / "elsewhere" / "tls.key", folder / "elsewhere" / "tls.crt", name="monitor")
    for place in (paths.etc, paths.var):
        place.mkdir(parents=True)
    write_monitor_file(
        paths.monitor_public,
        MonitorFile(addresses=("192.0.2.1:8443",), certificate_der=certificate, keys=keys.public, simulated=True),
    )
    RosterWriter.create(  # as init makes it, but cheap
        paths.roster, today=date(2027, 1, 1), stretch=CHEAP, code_length=8, codes_per_holder=3
    ).close()
    make_board(paths, mock=True)
    return folder / "home"


def command(home: Path, *arguments: str) -> str:
    """A doorctl command; everything it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        assert main(["--home", str(home), *arguments]) == 0, err.getvalue()
    return out.getvalue() + err.getvalue()


class Live(House):
    """As a house, but of files that a real start reads."""

    async def start(self) -> None:
        self.doord = Doord(read_site(self.paths))
        self.config = self.doord.site.config
        for pin in ("GPIO27", "GPIO24", "GPIO23"):
            self._chip.line(pin).feed(self._chip.clock(), level=False)
        await self.doord.start()


async def every_use(house: House, person: Person) -> None:
    """Every code at every reader: right, with a stranger's card, one digit wrong, cut short, too often, at a bad time."""
    for code in person.codes:
        await house.enter("front", person.card, code)
        await house.wait(8)
        await house.enter("front", a_card(54_321), code)
        await house.wait(2)
        await house.enter("office", None, code)
        await house.wait(6)
        await house.enter("office", None, code[:-1] + "#")
        await house.wait(2)
        await house.enter("office", None, code[::-1])
        await house.wait(2)
        await house.enter("front", person.card, code[:5])
        await house.wait(12)
    await house.enter("front", Card(length=26, raw=person.card.raw ^ 1), None)
    await house.wait(2)
    for _ in range(7):
        await house.enter("office", None, "12345670", gap_ms=40)
        await house.wait(0.4)
    await house.enter("office", None, person.codes[1])  # locked out
    await house.wait(1)
    await house.ask("lockdown", on=True)
    await house.enter("front", person.card, person.codes[1])
    await house.wait(1)
    await house.ask("lockdown", on=False)


async def in_trouble(house: House, person: Person) -> None:
    """Codes typed while the disk is full, the roster gone, a reader broken."""
    house.loop.threads["journal"].disk_takes_nothing = True
    await house.enter("front", person.card, person.codes[1])
    await house.wait(3)
    house.loop.threads["journal"].disk_takes_nothing = False
    away = house.paths.roster.with_suffix(".away")
    house.paths.roster.rename(away)
    await house.enter("front", person.card, person.codes[2])
    await house.wait(3)
    away.rename(house.paths.roster)
    perform(house.doord.board, Fault(fault="raise", pin="GPIO8", count=1))
    await house.enter("office", None, person.codes[1])
    await house.wait(3)


async def next_card(house: House, card: Card) -> dict[str, Any]:
    """As `holder add --card next@front` asks for it."""
    answers: list[dict[str, Any]] = []  # not the task's result, which asyncio would log at our request

    async def ask() -> None:
        answers.append(await house.ask("next-card", door="front", wait_s=5))

    waiting = asyncio.ensure_future(ask())
    await house.wait(0.1)
    house.card("front", card)
    await waiting
    return answers[0]


def without_fractions(said: str) -> str:
    """Without the loop's own times to more than 0.1 ms: half a million of them hold some code by chance, one run in thirty."""
    return re.sub(r"(\bwhen=\d+\.\d{4})\d+", r"\1", said)


def test_nothing_at_the_door_says_what_was_typed(home: Path, folder: Path, terminal: Terminal) -> None:
    paths, card = Paths.under(home), a_card(34_567)
    outputs = {"add": command(home, "holder", "add", "Ana Lopez", "--group", "staff", "--card", "H10301:12:34567")}
    first_codes = terminal.codes()
    outputs["codes"] = command(home, "--json", "holder", "codes", "ana-lopez")
    person = Person(holder=json.loads(outputs["codes"])["holder"], card=card, codes=terminal.codes())
    assert len(first_codes) == len(person.codes) == 3
    needles = Needles([*first_codes, *person.codes, "12345670"], [card, a_card(54_321), a_card(22_222)])
    with virtual_time() as loop, listening() as said:
        loop.set_debug(True)
        loop.slow_callback_duration = 0
        found = loop.run_until_complete(whole(home, folder, loop, person, needles))
    outputs |= {"daemon": without_fractions("\n".join(said)), "log": command(home, "log", "-n", "9999")}
    outputs |= {"log --json": command(home, "--json", "log", "-n", "9999")}
    outputs |= {"show": command(home, "holder", "show", "ana-lopez"), "list": command(home, "--json", "holder", "list")}
    assert len(said) > 1000, "asyncio told of every callback"
    assert "granted" in outputs["log"]
    assert "locked out" in outputs["log"]
    assert found == {}
    assert needles.in_texts(outputs) == {}
    assert needles.below(home) == {}
    assert paths.journal.exists()


async def whole(home: Path, folder: Path, loop: VirtualLoop, person: Person, needles: Needles) -> dict[str, set[str]]:
    """Two starts of the daemon; what was found while it ran, when the write-ahead log is full of it."""
    site = read_site(Paths.under(home))
    made = MadeSite(home=home, keys=site.keys, monitor=load_monitor_keys(folder / "elsewhere"), people={})
    house = Live(made, Paths.under(home), site.config, loop)
    house.courier = Courier(Monitor(made))
    found: dict[str, set[str]] = {}
    await house.start()
    await house.courier.connect(house.paths.courier_socket)
    await house.armed()
    await every_use(house, person)
    answer = await next_card(house, a_card(22_222))
    assert answer["raw"] == str(a_card(22_222).raw), "the one who enrols is told, and nobody else"
    found |= needles.below(home)
    status = await house.status()
    found |= needles.in_texts({"status": json.dumps(status), "lines": "\n".join(status_command.lines(status))})
    await house.restart()
    await house.courier.connect(house.paths.courier_socket)
    await house.armed()
    await in_trouble(house, person)
    found |= needles.below(home)
    await house.stop()
    return found


PLANTED = {
    "a word in a file": lambda home: (home / "var" / "note").write_text("Duress"),
    "a word in a name": lambda home: (home / "run" / "panic").touch(),
    "a code in a file": lambda home: (home / "var" / "note").write_text("code=48207891;"),
    "a code as it is shown": lambda home: (home / "etc" / "note").write_text("482 078 91"),
    "a card's number": lambda home: (home / "var" / "note").write_text("card 34567"),
    "a card's raw value": lambda home: (home / "var" / "note").write_text(f"{a_card(34_567).raw:x}"),
    "facility and number": lambda home: (home / "var" / "note").write_text("12:34567"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_the_search_finds_what_is_planted(folder: Path, what: str) -> None:
    for name in ("etc", "var", "run"):
        (folder / name).mkdir()
    needles = Needles(["48207891"], [a_card(34_567)])
    assert needles.below(folder) == {}
    PLANTED[what](folder)
    assert len(needles.below(folder)) == 1


def test_the_search_looks_into_databases(home: Path, terminal: Terminal) -> None:
    """A code as a holder's name: there it must be found, in the file or in its write-ahead log."""
    needles = Needles(["48207891"], [])
    command(home, "holder", "add", "48207891")
    assert set(needles.below(home)) == {"var/roster/roster.db"}


def test_the_search_hears_the_daemon() -> None:
    with listening() as said:
        logging.getLogger("doord").debug("typed %s", "48207891")
    assert Needles(["48207891"], []).in_texts({"daemon": "\n".join(said)}) == {"daemon": {"code 0"}}
