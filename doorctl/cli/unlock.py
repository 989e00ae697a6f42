"""doorctl unlock DOOR: release a strike by hand, for its usual time or for longer; the record names the uid."""

import argparse
import json
from typing import Any

from doorctl.cli.ask import ask
from doorctl.paths import Paths


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "unlock",
        help="release a door's strike",
        description="Release a door's strike now. The access log and the monitor's record name who asked.",
        epilog="example: doorctl unlock front --seconds 30",
    )
    parser.add_argument("door", metavar="DOOR", help="the name of the [door.NAME] table")
    parser.add_argument("--seconds", type=float, metavar="S", help="how long, at most 3600 (default: the door's own)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask doord."""
    request: dict[str, Any] = {"door": args.door}
    if args.seconds is not None:
        request["seconds"] = args.seconds
    answer = ask(Paths.chosen(args.home), "unlock", **request)
    print(json.dumps(answer) if args.json else f"{args.door}: released for {answer['seconds']:g} s")
    return 0
