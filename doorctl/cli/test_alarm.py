"""doorctl test-alarm: send a path test to the monitor and wait until it says that it has it."""

import argparse
import json
from typing import Any, Final

from doorctl.cli.ask import ask
from doorctl.errors import OperatorError
from doorctl.paths import Paths

WAIT_S: Final = 30.0


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "test-alarm",
        help="test the way to the monitor",
        description="Send a path test. On the wire it looks like every other record; at the monitor it shows as a "
        "test with the number printed here. Needs group doorctl-operate.",
        epilog="example: doorctl test-alarm\n\n"
        "exit codes: 0 the monitor's signed receipt is back, 1 none came within 30 s or doord does not run, "
        "2 wrong usage",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask doord, which waits for the receipt."""
    answer = ask(Paths.chosen(args.home), "test-alarm", within_s=WAIT_S + 5, wait_s=WAIT_S)
    if args.json:
        print(json.dumps({name: answer[name] for name in ("number", "receipted", "milliseconds")}))
    if not answer["receipted"]:
        raise OperatorError(
            f"path test {answer['number']}: no receipt within {WAIT_S:g} s",
            hint="`doorctl status` says how the courier stands with the monitor",
        )
    if not args.json:
        print(f"path test {answer['number']}: the monitor has it, after {answer['milliseconds']} ms")
    return 0
