"""doorctl reader: how readers are, and what an installer does with them: keys, a test, a scan, a line's speed.

doord does all of it but the scan (doord/reader_operations.py); here it is asked, shown, and agreed to. docs/osdp.md
says what the lines of `reader show` mean and what to do; change both together.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from doorctl.cli.ask import ask
from doorctl.cli.reader_words import at_a_glance, in_full
from doorctl.cli.terminal import confirmed
from doorctl.errors import OperatorError
from doorctl.paths import Paths

INSTALL_S: Final = 120
LONGEST_INSTALL_S: Final = 600
WHO_S: Final = 10
"""doord looks for a reader for five seconds."""
REKEY_S: Final = 30
TEST_S: Final = 60
SPEEDS: Final = (9600, 38_400, 115_200, 19_200, 57_600, 230_400)
"""hal.osdp.scan.SPEEDS, which only the scan itself loads."""
_ENROL: Final = "Needs group doorctl-enrol."


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "reader",
        help="how the readers are; keys and tests of OSDP readers",
        description="How the readers are, and what an installer does with them. docs/osdp.md says how a reader is "
        "wired and installed, and what each line of `reader show` asks for.",
        epilog="example: doorctl reader install vault",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _list(verbs)
    _show(verbs)
    _scan(verbs)
    _install(verbs)
    _rekey(verbs)
    _test(verbs)
    _speed(verbs)


def _list(verbs: Any) -> None:
    parser = verbs.add_parser(
        "list", help="all readers, a line each", description="All readers, a line each. Needs group doorctl-read.",
        epilog="example: doorctl reader list",
    )  # fmt: skip
    parser.set_defaults(run=run_list)


def _show(verbs: Any) -> None:
    parser = verbs.add_parser(
        "show",
        help="everything that is known of a reader",
        description="Who a reader says it is, whether it is secured, and every counter of its line. "
        "Needs group doorctl-read.",
        epilog="example: doorctl reader show vault",
    )
    _add_door(parser)
    parser.set_defaults(run=run_show)


def _scan(verbs: Any) -> None:
    parser = verbs.add_parser(
        "scan",
        help="find the readers on a line, and their speed",
        description="Ask every address of a line who it is, at each speed. For a line that no running doord uses: it "
        "speaks on the line itself, and ends the session of every reader there. All speeds take up to a minute.",
        epilog="example: doorctl reader scan /dev/ttyAMA0 --baud 9600",
    )
    parser.add_argument("device", metavar="DEVICE", help="the serial port of the line")
    parser.add_argument(
        "--baud", type=int, choices=SPEEDS, action="append", metavar="N", help="only this speed; may be given again"
    )
    parser.add_argument("--rts-drives", action="store_true", help="as rts_drives in doorctl.toml")
    parser.set_defaults(run=run_scan)


def _install(verbs: Any) -> None:
    parser = verbs.add_parser(
        "install",
        help="give an OSDP reader its first key",
        description="Say who answers at the reader's address, and give it a key of its own if you agree. Until it has "
        "taken the key, at most for the time given, it may be opened with the key that readers leave the factory with; "
        f"keep others off the line as long. The monitor's record names who asked. {_ENROL}",
        epilog="example: doorctl reader install vault --serial 1042",
    )
    _add_door(parser)
    parser.add_argument("--serial", type=int, metavar="N", help="only the reader of this serial number")
    parser.add_argument("--yes", action="store_true", help="do not ask whether it is the right reader")
    parser.add_argument(
        "--seconds", type=_seconds, default=INSTALL_S, metavar="S",
        help=f"how long it may take, at most {LONGEST_INSTALL_S} (default: {INSTALL_S})",
    )  # fmt: skip
    parser.set_defaults(run=run_install)


def _rekey(verbs: Any) -> None:
    parser = verbs.add_parser(
        "rekey",
        help="give an OSDP reader a new key over its old one",
        description="Give a reader that is online a new key. The old one counts until the new one has worked. "
        f"The monitor's record names who asked. {_ENROL}",
        epilog="example: doorctl reader rekey vault",
    )
    _add_door(parser)
    parser.set_defaults(run=run_rekey)


def _test(verbs: Any) -> None:
    parser = verbs.add_parser(
        "test",
        help="blink, beep and wait for a card, which opens nothing",
        description=f"Blink, beep and wait up to {TEST_S} s for a card, which opens nothing. {_ENROL}",
        epilog="example: doorctl reader test front",
    )
    _add_door(parser)
    parser.set_defaults(run=run_test)


def _speed(verbs: Any) -> None:
    parser = verbs.add_parser(
        "speed",
        help="take all readers of an OSDP line to another speed",
        description="Tell all readers of a line another speed, and follow them. Where one is not heard there, all are "
        "taken back. It takes up to 20 s, in which no card is read there; Ctrl-C does not end it. Says which "
        f"lines of doorctl.toml to change then. The monitor's record names who asked. {_ENROL}",
        epilog="example: doorctl reader speed /dev/ttyAMA0 38400",
    )
    parser.add_argument("device", metavar="DEVICE", help="the serial port of the line, as in doorctl.toml")
    parser.add_argument(
        "baud", type=int, choices=SPEEDS, metavar="BAUD", help=f"one of {', '.join(map(str, sorted(SPEEDS)))}"
    )
    parser.add_argument(
        "--find", action="store_true",
        help="first look at every other speed for readers that do not answer, and bring them along: up to 100 s",
    )  # fmt: skip
    parser.set_defaults(run=run_speed)


def _add_door(parser: Any) -> None:
    parser.add_argument("door", metavar="DOOR", help="the door, or DOOR/SIDE where it has several readers")


def run_list(args: argparse.Namespace) -> int:
    """A line each."""
    readers = ask(Paths.chosen(args.home), "readers")["readers"]
    if args.json:
        print(json.dumps(readers, indent=2))
    else:
        print("\n".join(map(at_a_glance, readers)))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """One reader in full."""
    reader = _called(ask(Paths.chosen(args.home), "readers")["readers"], args.door)
    print(json.dumps(reader, indent=2) if args.json else "\n".join(in_full(reader)))
    return 0


def run_scan(args: argparse.Namespace) -> int:
    """A line each, as they are found; 1 where nobody answered."""
    from doorctl.cli import reader_scan
    from doorctl.cli.progress import progress

    found: list[dict[str, Any]] = []

    def told(reader: dict[str, Any]) -> None:
        found.append(reader)
        if not args.json:
            print(f"address {reader['address']} at {reader['baud']} baud: {reader['words']}", flush=True)

    bauds = args.baud or SPEEDS
    with progress("asking addresses", reader_scan.questions(bauds), quiet=args.json) as advance:
        reader_scan.scanned(args.device, bauds, rts_drives=args.rts_drives, told=told, advance=advance)
    if args.json:
        print(json.dumps(found, indent=2))
    if not found:
        raise OperatorError(
            f"{args.device}: nobody answers",
            hint="power, A and B swapped, termination: docs/osdp.md, Wiring",
        )
    return 0


def run_install(args: argparse.Namespace) -> int:
    """Who is it, is it the right one, then the key."""
    paths = Paths.chosen(args.home)
    found = ask(paths, "reader-who", within_s=WHO_S, door=args.door)
    name, identity = found["reader"], found["identity"]
    print(f"{name}: {identity['words']} answers", file=sys.stderr)
    if args.serial not in {None, identity["serial"]}:
        raise OperatorError(
            f"{name}: serial {identity['serial']} answers, not {args.serial}; no key went out",
            hint="the number on the reader's label; two readers may have been swapped",
        )
    agreed = args.yes or args.serial is not None
    if not confirmed(f"{name}: is this the reader, and may it have its key?", yes=agreed):
        raise OperatorError(f"{name}: no key went out", hint="--yes or --serial N where nobody can be asked")
    print(f"{name}: waiting up to {args.seconds} s for it to take its key …", file=sys.stderr)
    ask(
        paths, "reader-install", within_s=args.seconds + WHO_S, door=name, words=identity["words"],
        wait_s=args.seconds,
    )  # fmt: skip
    _said(args, {"reader": name, "identity": identity}, f"{name}: installed, with a key of its own")
    return 0


def run_rekey(args: argparse.Namespace) -> int:
    """Ask doord, which waits until the new key has worked."""
    answer = ask(Paths.chosen(args.home), "reader-rekey", within_s=REKEY_S + WHO_S, door=args.door, wait_s=REKEY_S)
    told = {name: answer[name] for name in ("reader", "identity")}
    _said(args, told, f"{answer['reader']}: has a new key; the old one is gone")
    return 0


def run_test(args: argparse.Namespace) -> int:
    """Ask doord, which waits for the card."""
    print(f"{args.door}: blinks and beeps; hold a card to it …", file=sys.stderr)
    answer = ask(Paths.chosen(args.home), "reader-test", within_s=TEST_S + WHO_S, door=args.door, wait_s=TEST_S)
    told = {name: answer[name] for name in ("reader", "length")}
    _said(args, told, f"{answer['reader']}: read a card of {answer['length']} bits")
    return 0


def run_speed(args: argparse.Namespace) -> int:
    """All readers of a line, or none."""
    from doorctl.cli.reader_speed import run

    return run(args)


def _said(args: argparse.Namespace, told: Mapping[str, Any], words: str) -> None:
    print(json.dumps(told) if args.json else words)


def _called(readers: list[dict[str, Any]], asked: str) -> dict[str, Any]:
    found = [reader for reader in readers if asked in (reader["name"], reader["door"])]
    if not found:
        raise OperatorError(f"there is no reader at {asked!r}", hint=f"readers: {', '.join(_names(readers))}")
    if len(found) > 1:
        raise OperatorError(f"{asked}: has several readers", hint=f"one of {', '.join(_names(found))}")
    return found[0]


def _names(readers: list[dict[str, Any]]) -> Iterator[str]:
    return (reader["name"] for reader in readers)


def _seconds(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= len(str(LONGEST_INSTALL_S)):
        seconds = int(text)
        if 0 < seconds <= LONGEST_INSTALL_S:
            return seconds
    raise argparse.ArgumentTypeError(f'expected whole seconds from 1 to {LONGEST_INSTALL_S}, found "{text}"')
