"""Doctor's checks of what runs on a board: the daemons, the clock, readers and inputs, by what doord itself says."""

from collections.abc import Iterator, Mapping
from typing import Final

from doorctl.cli.doctor_finding import Check, Finding, Unseen, of_error, ok, warning, wrong
from doorctl.cli.doctor_subject import Board
from doorctl.cli.status import counted
from doorctl.core.types import SECOND
from doorctl.errors import DoorctlError

_START: Final = "systemctl start doorctl, then journalctl -u doorctl -n 20; on a laptop `doorctl sim`"
_PATHS: Final[Mapping[str, tuple[str, str]]] = {
    "no courier": ("courierd does not run", "systemctl status doorctl-courier"),
    "connecting": ("the courier is just connecting to the monitor", "look again in a minute"),
    "unreachable": ("the courier cannot reach the monitor", "see the check of the way to the monitor"),
    "wrong certificate": (
        "what answers at the monitor's address shows another certificate",
        "the monitor was made anew (pair again), or somebody is in between",
    ),
    "refused": ("the monitor refuses this board", "`doorctl monitor trust controller.toml` at the monitor"),
}
_FAULTS: Final[Mapping[str, str]] = {
    "storage": "see df and dmesg; replace a card that is at its end",
    "journal": "look at the disk; the file moved aside has what could not be saved",
    "roster": "restore it from a backup, or make a new one and enrol anew",
    "thread": "see df and dmesg; if they show nothing, restart doord and report it",
    "clock": "NTP, or a clock with a battery",
    "courier": "see the check of the courier",
    "reader": "look at its power, its ground and its two data wires",
    "tamper": "look at the reader's housing and its tamper wire",
    "strike": "look at the strike's pin and relay",
    "lamp": "look at the reader's wires",
    "sounder": "look at the reader's wires",
    "input": "look at the contact, the button and their wires",
    "door": "look at the door's pins",
    "key": "restore its file from a backup of this board, or `doorctl reader install` once more",
    "configuration": "`doorctl check`, then `doorctl reload`; where it names keys, `systemctl restart doorctl`",
    "misuse": "look at the line's cable from end to end: docs/osdp.md",
}
"""By a fault's first word; docs/operations.md, When something breaks, has the long form."""
_READS: Final = frozenset({"reading", "arming"})


def doord(board: Board) -> Iterator[Finding]:
    """Whether it runs, and answers."""
    match board.running:
        case True:
            status = board.status
            yield ok(f"runs; controller {status['controller'][:8]}, keys in {status['keys'].removeprefix('keys in ')}")
            if status["lockdown"]:
                yield warning("lockdown is on: every credential is refused", "`doorctl lockdown off` ends it")
        case False:
            yield wrong("doord does not run", _START)
        case None:
            assert isinstance(board.answer, DoorctlError)
            if "not allowed" in str(board.answer):
                raise Unseen("doord runs, and does not tell you", board.answer.hint)
            yield of_error(board.answer)


def courier(board: Board) -> Iterator[Finding]:
    """Whether it runs, and how it stands with the monitor."""
    state = board.status["path"]["state"]
    if state in _PATHS:
        yield (warning if state == "connecting" else wrong)(*_PATHS[state])
    else:
        yield ok(f"runs; the monitor: {state}")


def wall_clock(board: Board) -> Iterator[Finding]:
    """Whether the time can be believed: by receipts while doord runs, else by what it left."""
    if board.running:
        if not board.status["time_trusted"]:
            yield wrong(
                "the time contradicts the monitor's receipts, or stands before the last line of the log",
                f"{_FAULTS['clock']}; schedules follow each door's time_unknown meanwhile",
            )
        return
    marks = board.paths.journal.parent
    if (marks / "time-unknown").exists():
        yield wrong("when doord ended it did not trust the clock", _FAULTS["clock"])
    newest = _newest_line(board)
    if newest is not None and newest > board.now:
        yield wrong(
            f"the clock stands {(newest - board.now) // SECOND} s before the last line of the log", _FAULTS["clock"]
        )


def hardware(board: Board) -> Iterator[Finding]:
    """Readers, inputs and outputs that doord reports, and everything else that it does."""
    for fault in board.status["faults"]:
        yield wrong(fault, _FAULTS.get(fault.partition(":")[0].partition(" ")[0], "docs/operations.md says more"))
    readers = [reader for door in board.status["doors"] for reader in door["readers"]]
    for reader in readers:
        if reader["state"] not in _READS:
            yield wrong(f"reader {reader['name']}: {reader['state']}", _FAULTS["reader"])
    yield ok(f"{counted(len(readers), 'reader')}, {counted(len(board.status['doors']), 'door')}")


def _newest_line(board: Board) -> int | None:
    from doorctl.journal.reader import JournalReader

    if not board.paths.journal.exists():
        return None
    try:
        return max((logged.row.wall for logged in JournalReader(board.paths.journal).log(1)), default=None)
    except DoorctlError:
        return None  # the check of the journal says what is wrong with it


RUNNING: Final[tuple[Check[Board], ...]] = (
    Check(name="doord", looks_at="the control socket", look=doord),
    Check(name="courier", looks_at="what doord hears of it", look=courier),
    Check(
        name="clock", looks_at="the time, against receipts and the log", look=wall_clock, fine="nothing contradicts it"
    ),
    Check(name="hardware", looks_at="readers, inputs, strikes: doord's faults", look=hardware),
)
