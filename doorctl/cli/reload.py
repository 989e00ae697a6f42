"""doorctl reload: put the file on the disk in force while the doors work, or hear why doord keeps what it has."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from doorctl.cli.ask import ask
from doorctl.errors import OperatorError
from doorctl.paths import Paths

WITHIN_S: Final = 60.0
"""A large file on a slow and busy board is read in a few; another reload may come first."""


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "reload",
        help="put a changed configuration in force while the doors work",
        description="Put a changed configuration in force while the doors work, as a whole or not at all. Schedules, "
        "holidays, groups, modes and times count at once. A file with a mistake, and one that changes pins, ports or "
        "which doors and readers there are, changes nothing; the message says why, and so does `doorctl status` until "
        "a later reload does better. Needs group doorctl-operate.",
        epilog="example: doorctl reload\n\n"
        "exit codes: 0 the file is in force, 1 it is not (the message says why) or doord does not run, 2 wrong usage",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask doord."""
    answer = ask(Paths.chosen(args.home), "reload", within_s=WITHIN_S)
    if args.json:
        print(json.dumps({name: value for name, value in answer.items() if name != "ok"}, indent=2))
        return 0 if answer["applied"] else 1
    if not answer["applied"]:
        raise _not_applied(answer)
    changed = answer["changed"]
    print(f"in force, changed: {', '.join(changed)}" if changed else "in force already: nothing changed")
    for note in answer["notes"]:
        print(f"  {note}")
    return 0


def _not_applied(answer: Mapping[str, Any]) -> OperatorError:
    """Each reason goes before the error, which says what it came to."""
    reasons = [reason for reason in answer["reasons"] if reason != answer["why"]]
    if answer["more"]:
        reasons.append(f"and {answer['more']} more")
    for reason in reasons:
        print(reason.replace("; hint: ", "\n  hint: "), file=sys.stderr)
    return OperatorError(f"{answer['why']}; doord keeps what it has", hint=answer["hint"])
