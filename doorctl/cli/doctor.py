"""doorctl doctor: looks at everything of this machine's board or monitor, and says what is wrong and what to do.

Changes nothing, needs no running daemon and no rights: what could not be looked at is said as such.
"""

import argparse
import json
import time
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from doorctl.core.types import WallTime
from doorctl.errors import OperatorError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.cli.doctor_finding import Examined
    from doorctl.cli.doctor_subject import Machine

_WIDTH: Final = 16


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "doctor",
        help="look at everything and say what is wrong",
        description="Look at everything of this machine's board or monitor: files and their rights, databases, "
        "daemons, the clock, the disk, the way to the monitor. Says what is wrong and what to do. Changes nothing, "
        "needs no running daemon; without root it says what it could not look at.",
        epilog="example: doorctl doctor\n\n"
        "exit codes: 0 nothing is wrong (warnings perhaps), 1 something is wrong, 2 wrong usage",
    )
    sides = parser.add_mutually_exclusive_group()
    sides.add_argument("--board", action="store_true", help="only the door side")
    sides.add_argument("--monitor", action="store_true", help="only the monitor; default: whatever is here")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Each finding as soon as it is there, then how many."""
    from doorctl.cli.doctor_finding import Verdict
    from doorctl.cli.doctor_subject import Machine

    paths = Paths.chosen(args.home)
    sides = _sides(paths, board=args.board, monitor=args.monitor)
    findings: list[dict[str, Any]] = []
    counts = dict.fromkeys(Verdict, 0)
    for side, examined in chain.from_iterable(_examined(side, paths, Machine()) for side in sides):
        counts[examined.finding.verdict] += 1
        if args.json:
            findings.append(plain(side, examined))
            continue
        for line in lines(examined):
            print(line, flush=True)
    if args.json:
        print(json.dumps({"findings": findings, **{v.name.lower(): n for v, n in counts.items()}}, indent=2))
    else:
        print(_summary(counts[Verdict.WRONG], counts[Verdict.WARNING], counts[Verdict.UNSEEN]))
    return 1 if counts[Verdict.WRONG] else 0


def lines(examined: "Examined") -> list[str]:
    """A finding as people read it: what, how it is, words, and the hint on a line of its own."""
    finding = examined.finding
    first = f"{finding.verdict.value.upper() if finding.verdict.name == 'WRONG' else finding.verdict.value:<9}"
    said = [f"{first}{examined.check:<{_WIDTH}}{finding.words}"]
    return [*said, f"{'':<9}{'':<{_WIDTH}}hint: {finding.hint}"] if finding.hint else said


def plain(side: str, examined: "Examined") -> dict[str, Any]:
    """A finding as --json says it."""
    finding = examined.finding
    return {
        "side": side,
        "check": examined.check,
        "looks_at": examined.looks_at,
        "verdict": finding.verdict.name.lower(),
        "words": finding.words,
        "hint": finding.hint,
    }


def _sides(paths: Paths, *, board: bool, monitor: bool) -> list[str]:
    """What is asked for, else what is here."""
    if board or monitor:
        return ["board"] if board else ["monitor"]
    here = [
        side
        for side, places in (
            ("board", (paths.config, paths.keys)),
            ("monitor", (paths.monitor_config, paths.monitor_export, paths.ledger)),
        )
        if any(place.exists() for place in places)
    ]
    if not here:
        raise OperatorError(
            f"{paths.etc}: nothing of doorctl is set up here",
            hint="`doorctl init` makes a board, `doorctl monitor init` a monitor; or give --home",
        )
    return here


def _examined(side: str, paths: Paths, machine: "Machine") -> Iterator[tuple[str, "Examined"]]:
    from doorctl.cli.doctor_finding import examine
    from doorctl.cli.doctor_subject import Board, Monitor

    now = WallTime(time.time_ns())
    if side == "board":
        from doorctl.cli.doctor_board import BOARD

        found = examine(BOARD, Board(paths, now, machine))
    else:
        from doorctl.cli.doctor_monitor import MONITOR

        found = examine(MONITOR, Monitor(paths, now, machine))
    for examined in found:
        yield side, examined


def _summary(wrong: int, warnings: int, unseen: int) -> str:
    first = f"{wrong} wrong" if wrong else "nothing is wrong"
    more = [f"{warnings} warning{'' if warnings == 1 else 's'}"] if warnings else []
    more += [f"{unseen} not looked at"] if unseen else []
    return ", ".join([first, *more])
