"""doorctl wire-test: an installer's half hour at a door, before doord has it. Decides nothing and records nothing."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any, Final

from doorctl.cli.parser import count
from doorctl.errors import OperatorError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.config.types import Config
    from doorctl.core.types import DoorName

WITHIN_S: Final = 60


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "wire-test",
        help="try a door's wires: inputs, outputs, a card at each reader",
        description="Go round a door: shows each change of an input, moves each output after asking, and says of a "
        "card at each reader what its pulses or its line were like and what is likely wrong with the wires. Takes the "
        "pins itself, so doord must not run. Nothing is recorded, and no card opens anything; the strike is released "
        "only for one second after a typed yes. A card's number is shown on the controlling terminal only.",
        epilog="example: doorctl wire-test front\n\n"
        "exit codes: 0 nothing wrong was seen (what was not seen at all is named), 1 something was or it could not be "
        "done, 2 wrong usage, 130 interrupted, 143 ended by SIGTERM, SIGHUP or SIGQUIT",
    )
    parser.add_argument("door", metavar="DOOR", help="the name of the [door.NAME] table")
    parser.add_argument(
        "--yes", action="store_true", help="do not ask: release the strike, light and sound the readers"
    )
    parser.add_argument(
        "--seconds", type=count, default=WITHIN_S, metavar="S",
        help=f"how long inputs and each card are waited for (default: {WITHIN_S}); ENTER ends a wait",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Claim the door's pins, go round it, give them back."""
    from doorctl.cli import wire_test_run
    from doorctl.config.reading import read_config

    paths = Paths.chosen(args.home)
    config = read_config(paths.config)
    door = _named(config, args.door)

    def say(text: str) -> None:
        if not args.json:
            sys.stdout.write(text)
            sys.stdout.flush()

    test = wire_test_run.wire_test(paths, config, door, yes=args.yes, within_s=args.seconds, say=say, quiet=args.json)
    if args.json:
        print(json.dumps(test.report, indent=2))
    elif not test.faults:
        print(f"{args.door}: {_verdict(test.report)}")
    return 1 if test.faults else 0


def _verdict(report: dict[str, Any]) -> str:
    left = [f"{output['output']} at {output['at']}" for output in report["outputs"] if not output["pulsed"]]
    told = ["nothing wrong was seen"]
    told += [f"not tried: {', '.join(left)}"] if left else []
    told += [f"not seen: {', '.join(report['missed'])}"] if report["missed"] else []
    return "; ".join(told)


def _named(config: "Config", asked: str) -> "DoorName":
    from doorctl.config.section import nearest

    names = [door.name for door in config.doors]
    for name in names:
        if name == asked:
            return name
    hint = nearest(asked, names) or f"doors: {', '.join(names)}"
    raise OperatorError(f'there is no door "{asked}"', hint=hint)
