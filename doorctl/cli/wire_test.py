"""doorctl wire-test: an installer's half hour at a door, before doord has it. Decides nothing and records nothing."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any, Final

from doorctl.cli.parser import count
from doorctl.errors import OperatorError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.cli.wire_test_verdict import Verdict
    from doorctl.config.types import Config
    from doorctl.core.types import DoorName

WITHIN_S: Final = 60


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "wire-test",
        help="try a door's wires: inputs, outputs, a card and a key at each reader",
        description="Go round a door: shows each change of an input, moves each output after asking, and says of a "
        "card and a key at each reader what their pulses or their line were like and what is likely wrong with the "
        "wires. Takes the pins itself, so doord must not run. Nothing is recorded, and no card opens anything; the "
        "strike is released only for one second after a typed yes. A card's number is shown on the controlling "
        "terminal only. Its last lines say what was fine, what was not tried or not seen, and what is likely wrong.",
        epilog="example: doorctl wire-test front\n\n"
        "exit codes: 0 everything that the door has was tried, seen and fine, 1 something was not, or it could not be "
        "done, 2 wrong usage, 130 interrupted, 143 ended by SIGTERM, SIGHUP or SIGQUIT",
    )
    parser.add_argument("door", metavar="DOOR", help="the name of the [door.NAME] table")
    parser.add_argument(
        "--yes",
        action="store_true",
        help="do not ask: release the strike, light and sound the readers, and take it that each was seen to move",
    )
    parser.add_argument(
        "--seconds", type=count, default=WITHIN_S, metavar="S",
        help=f"how long inputs, each card and each key are waited for (default: {WITHIN_S}); ENTER ends a wait",
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

    told, report = wire_test_run.wire_test(
        paths, config, door, yes=args.yes, within_s=args.seconds, say=say, quiet=args.json
    )
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print("\n".join(lines(args.door, told)))
    return 0 if told.fine else 1


def lines(door: str, told: "Verdict") -> list[str]:
    """The verdict for whoever stands there: what was fine, what was not seen, what is wrong, and all in a line."""
    from doorctl.cli.wire_test_verdict import Standing

    fine = ", ".join(part.part for part in told.of(Standing.FINE))
    said = [f"{door}: fine: {fine}"] if fine else []
    for standing, word in ((Standing.MISSED, "not seen"), (Standing.WRONG, "wrong")):
        for part in told.of(standing):
            said.append(f"{door}: {word}: {part.part}: {part.why}")
            said += [f"  hint: {part.do}"] if part.do else []
    return [*said, f"{door}: {'everything was tried, seen and fine' if told.fine else 'not everything is fine'}"]


def _named(config: "Config", asked: str) -> "DoorName":
    from doorctl.config.section import nearest

    names = [door.name for door in config.doors]
    for name in names:
        if name == asked:
            return name
    hint = nearest(asked, names) or f"doors: {', '.join(names)}"
    raise OperatorError(f'there is no door "{asked}"', hint=hint)
