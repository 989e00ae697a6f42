"""doorctl lockdown on|off: refuse every credential at every door, or end that. Never touches egress."""

import argparse
import json
from typing import Any

from doorctl.cli.ask import ask
from doorctl.paths import Paths


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "lockdown",
        help="refuse every credential, or end that",
        description="Refuse every credential at every door of this board, also after a restart, until it is ended. "
        "People inside can always leave: request-to-exit keeps working. Needs group doorctl-operate.",
        epilog="example: doorctl lockdown on",
    )
    parser.add_argument("state", choices=("on", "off"), help="on begins it, off ends it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask doord."""
    answer = ask(Paths.chosen(args.home), "lockdown", on=args.state == "on")
    print(json.dumps({"lockdown": answer["lockdown"]}) if args.json else f"lockdown is {args.state}")
    return 0
