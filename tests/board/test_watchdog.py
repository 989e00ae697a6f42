"""What hangs in an installed doord: systemd starts a new one within ten seconds, and the strikes are secured meanwhile.

The package's own unit runs under several names at once, each on a board of its own whose chip is a file
(tests/doord/stand_ins): there a line keeps its level when doord dies, and says when it was set. One after the other
gets stuck; the times are systemd's and the lines'. A disk that stands still all the while ends nothing.
"""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from doorctl.core.types import SECOND
from tests.board.card import Card
from tests.board.conftest import Site
from tests.board.rig import Container, until
from tests.doord.metal import STAND_INS, Metal

pytestmark = pytest.mark.board

STUCK: Final = STAND_INS.with_name("stuck_process.py")
LABEL: Final = "pinctrl-bcm2711"
PROMISE_S: Final = 10
APART_S: Final = 1.5
"""One begins anew while the next still hangs: seven that start at once would be late for want of processors."""
HANGS: Final = {
    "stop": ("STOP", "watchdog"),
    "spin": ("USR1", "watchdog"),
    "loop": ("USR1", "watchdog"),
    "journal": ("USR1", "watchdog"),
    "edges": ("USR1", "watchdog"),
    "pipe": ("USR1", "exit-code"),
}
"""What gets stuck (tests/doord/stuck_process.py): by which signal, and what systemd calls the end. `pipe` is lgpio's
reader thread dead, an end in order."""
DISK: Final = "disk"
DROP_IN: Final = """\
[Service]
Environment=DOORCTL_HOME=/srv/%N/home PYTHONPATH=/srv/breaks LGPIO_CHIPS=/srv/%N/chips THE_BREAK=%j
ReadWritePaths=/srv/%N
RuntimeDirectory=
RuntimeDirectory=%N
WorkingDirectory=/run/%N
"""
UNITS: Final = "/run/systemd/system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """What one came to; times are nanoseconds of the monotonic clock, which the machine shares."""

    at: int
    ready: int
    """The new one."""
    levels: list[tuple[int, str]]
    """Of the strike, from then on."""
    log: str


class Board:
    """The unit under a name of its own, with a home and a chip."""

    def __init__(self, machine: Container, what: str) -> None:
        self.machine, self.unit, self.folder = machine, f"stuck-{what}", f"/srv/stuck-{what}"
        machine.run(f"cp /usr/lib/systemd/system/doorctl.service {UNITS}/{self.unit}.service")

    def take(self, made: Path) -> None:
        """Home and chip as they are there."""
        shutil.copytree(made, self.machine.path(self.folder), dirs_exist_ok=True)
        self.machine.run(f"chown -R doorctl:doorctl {self.folder}")

    def ask(self, words: str) -> str:
        return self.machine.run(f"DOORCTL_HOME={self.folder}/home doorctl {words}", check=False)

    def levels(self, since: int = 0) -> list[tuple[int, str]]:
        said = self.machine.path(f"{self.folder}/chips/gpiochip0/17").read_text(encoding="ascii")
        told = [(int(at), level) for at, level in map(str.split, said.splitlines())]
        return [(at, level) for at, level in told if at >= since and level != "input"]

    def ready_at(self) -> int:
        shown = self.machine.run(f"systemctl show --property=ActiveEnterTimestampMonotonic --value {self.unit}")
        return int(shown) * 1_000

    def released(self) -> bool:
        """By somebody who may, for longer than anything here takes."""
        self.ask("unlock front --seconds 600")
        return self.levels()[-1][1] == "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """All of them, with the strikes released of those that are to hang."""

    boards: dict[str, Board]
    card: Card
    """Has the journal of one."""


@pytest.fixture(scope="module")
def bench(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    machine = site.board
    put_beside(machine)
    boards = {what: Board(machine, what) for what in (*HANGS, DISK)}
    units = " ".join(one.unit for one in boards.values())
    made = Metal(tmp_path_factory.mktemp("made"), {0: LABEL})
    made.enrolled(LABEL)
    with Card(machine, tmp_path_factory.mktemp("card") / "image", f"{boards[DISK].folder}/home/var/journal") as card:
        for one in boards.values():
            one.take(made.folder)
        machine.run(f"systemctl daemon-reload && systemctl start {units}")
        for what in HANGS:
            assert boards[what].released()
        yield Bench(boards=boards, card=card)
        card.thaw()
        machine.run(f"systemctl stop {units}; rm -r {UNITS}/stuck-*; systemctl daemon-reload")
    machine.run("rm -r /srv/*")


def put_beside(machine: Container) -> None:
    """What hangs, chips that are files, and where the units of this file have theirs."""
    modules = {"sitecustomize.py": Path(__file__).with_name("stuck_doord.py"), "tests/doord/stuck_process.py": STUCK}
    modules |= {one.name: one for one in STAND_INS.glob("*.py")}
    machine.path("/srv/breaks/tests/doord").mkdir(parents=True)
    for name, source in modules.items():
        machine.path(f"/srv/breaks/{name}").write_bytes(source.read_bytes())
    machine.path(f"{UNITS}/stuck-.service.d").mkdir()
    machine.path(f"{UNITS}/stuck-.service.d/board.conf").write_text(DROP_IN, encoding="utf-8")


@pytest.fixture(scope="module")
def hangs(bench: Bench) -> dict[str, Hang]:
    """The disk first, then one after the other; all that came of it."""
    bench.card.freeze()
    assert bench.boards[DISK].released(), "from memory"
    begun = {}
    for what, (signal, _) in HANGS.items():
        begun[what] = time.monotonic_ns()
        bench.boards[what].machine.kill(bench.boards[what].unit, signal)
        time.sleep(APART_S)
    return {what: came_of(bench.boards[what], at) for what, at in begun.items()}


def came_of(board: Board, at: int) -> Hang:
    until(lambda: board.ready_at() > at, 60, f"{board.unit} hangs")
    return Hang(
        at=at, ready=board.ready_at(), levels=board.levels(at), log=board.machine.run(f"journalctl -u {board.unit} -o cat")
    )  # fmt: skip


@pytest.mark.parametrize("what", HANGS)
def test_a_new_one_is_ready_within_ten_seconds(hangs: dict[str, Hang], what: str) -> None:
    hang = hangs[what]
    assert f"stuck-{what}.service: Failed with result '{HANGS[what][1]}'" in hang.log
    assert (hang.ready - hang.at) / SECOND < PROMISE_S


@pytest.mark.parametrize("what", HANGS)
def test_its_doors_are_secured_before_and_stay_so(hangs: dict[str, Hang], what: str) -> None:
    hang = hangs[what]
    assert {level for _, level in hang.levels} == {"0"}
    assert hang.levels[0][0] < hang.ready


@pytest.mark.parametrize("what", HANGS)
def test_it_opens_again(hangs: dict[str, Hang], bench: Bench, what: str) -> None:
    assert bench.boards[what].released()


def test_a_disk_that_does_not_answer_ends_nothing(hangs: dict[str, Hang], bench: Bench) -> None:
    """It stood still before the first of them was ended, and systemd's patience with it would be over."""
    board = bench.boards[DISK]
    pid = board.machine.main_pid(board.unit)
    states = board.machine.run(f"cat /proc/{pid}/task/*/stat").splitlines()
    assert [line.rpartition(")")[2].split()[0] for line in states].count("D") == 1
    assert "FAULT storage: the disk does not answer" in board.ask("status")
    bench.card.thaw()
    until(lambda: "FAULT storage" not in board.ask("status"), 30, "the disk answers, and the fault stays")
    assert board.machine.main_pid(board.unit) == pid
    assert board.levels()[-1][1] == "1"
    assert "Failed" not in board.machine.run(f"journalctl -u {board.unit} -o cat")
