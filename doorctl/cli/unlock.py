"""doorctl unlock DOOR: release a strike by hand, for its usual time or for longer; the record names the uid."""

import argparse
import json
from typing import Any, Final

from doorctl.cli.ask import ask
from doorctl.paths import Paths

LONGEST_S: Final = 3600
"""doord's own bound (doord/operations.py): longer needs an unlock schedule, which people can read."""


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "unlock",
        help="release a door's strike",
        description="Release a door's strike now. The access log and the monitor's record name who asked. "
        "Refused in a lockdown. Needs group doorctl-operate.",
        epilog="example: doorctl unlock front --seconds 30",
    )
    parser.add_argument("door", metavar="DOOR", help="the name of the [door.NAME] table")
    parser.add_argument(
        "--seconds", type=_seconds, metavar="S", help=f"how long, at most {LONGEST_S} (default: the door's own)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask doord."""
    request: dict[str, Any] = {"door": args.door}
    if args.seconds is not None:
        request["seconds"] = args.seconds
    answer = ask(Paths.chosen(args.home), "unlock", **request)
    if args.json:
        print(json.dumps({"door": answer["door"], "seconds": answer["seconds"]}))
    else:
        print(f"{args.door}: released for {answer['seconds']:g} s")
    return 0


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f'expected more than 0 and at most {LONGEST_S} seconds, found "{text}"')
    return seconds
