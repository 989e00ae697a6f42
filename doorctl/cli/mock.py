"""doorctl mock: hands at the doors of a mock board: cards, keys, the button inside, the leaf.

For whoever runs the daemons on a laptop. It moves made-up wires through the mock board's socket, which no real board
has, and says what the strike did: what a person at the door sees, and not more.
"""

import argparse
import json
from typing import Any, Final

from doorctl.paths import Paths

_OPEN, _CLOSED = "open", "closed"
_LONGEST_LINE: Final = 256
_READER: Final = "the reader's name, DOOR or DOOR/SIDE"
_DOOR: Final = "the name of the [door.NAME] table"
_FOR: Final = 'For a doord that runs with [hal] backend = "mock".'


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "mock",
        help="cards, keys, REX and leaf at the doors of a mock board",
        description="Press a card or keys at a door of a mock board, press the button inside, move the leaf. Says what "
        f"the strike did in the two seconds after that. {_FOR} A real board has no such wires.",
        epilog="example: doorctl mock card front H10301:12:3456",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _card(verbs)
    _keys(verbs)
    _rex(verbs)
    _contact(verbs)


def _card(verbs: Any) -> None:
    parser = verbs.add_parser(
        "card",
        help="hold a card to a reader",
        description=f"Hold a card to a reader. {_FOR}",
        epilog="example: doorctl mock card front H10301:12:3456",
    )
    parser.add_argument("reader", metavar="READER", help=_READER)
    parser.add_argument(
        "card", metavar="NUMBER",
        help="the card as `holder add --card` takes it, H10301:12:3456; or raw:BITS:NUMBER, any bits",
    )  # fmt: skip
    parser.add_argument(
        "--keys", action="store_true", help="ask for keys first, as `mock keys` does, and type them after the card"
    )
    parser.set_defaults(run=run_card)


def _keys(verbs: Any) -> None:
    parser = verbs.add_parser(
        "keys",
        help="type keys at a reader",
        description="Ask for keys on the terminal, where they are not shown, and type them at a reader. Where standard "
        "input is no terminal they are its first line. An entry ends when it is as long as the site's codes, or with "
        f"the reader's ENTER key, mostly #; the other one of * and # clears it. {_FOR}",
        epilog="example: doorctl mock keys front",
    )
    parser.add_argument("reader", metavar="READER", help=_READER)
    parser.set_defaults(run=run_keys)


def _rex(verbs: Any) -> None:
    parser = verbs.add_parser(
        "rex",
        help="press the button inside",
        description=f"Press a door's REX for half a second. {_FOR}",
        epilog="example: doorctl mock rex front",
    )
    parser.add_argument("door", metavar="DOOR", help=_DOOR)
    parser.set_defaults(run=run_rex)


def _contact(verbs: Any) -> None:
    parser = verbs.add_parser(
        "contact",
        help="open or close the leaf",
        description="Move a door's contact: the leaf is open from now on, or closed. A made-up wire floats, and so a "
        f"leaf stands open until it is closed for the first time. {_FOR}",
        epilog="example: doorctl mock contact front closed",
    )
    parser.add_argument("door", metavar="DOOR", help=_DOOR)
    parser.add_argument("leaf", choices=(_OPEN, _CLOSED), metavar="LEAF", help=f"{_OPEN} or {_CLOSED}")
    parser.set_defaults(run=run_contact)


def run_card(args: argparse.Namespace) -> int:
    """Hold the card there."""
    from doorctl.cli import mock_hands
    from doorctl.cli.holder_card import card_of_file
    from doorctl.cli.mock_door import reader_called, refuse_cards, refuse_keys

    paths = Paths.chosen(args.home)
    door, reader = reader_called(_config(paths), args.reader)
    refuse_cards(reader)
    if args.keys:
        refuse_keys(reader)
    held = card_of_file(args.card)
    mock_hands.wait_until_it_reads(paths, reader)
    hand = mock_hands.card(reader, held)
    if args.keys:
        hand = mock_hands.card_and_keys(reader, held, _asked_keys(reader.name))
    return _done(args, paths, door, hand)


def run_keys(args: argparse.Namespace) -> int:
    """Type them there."""
    from doorctl.cli import mock_hands
    from doorctl.cli.mock_door import reader_called, refuse_keys

    paths = Paths.chosen(args.home)
    door, reader = reader_called(_config(paths), args.reader)
    refuse_keys(reader)
    mock_hands.wait_until_it_reads(paths, reader)
    return _done(args, paths, door, mock_hands.keys(reader, _asked_keys(reader.name)))


def run_rex(args: argparse.Namespace) -> int:
    """Press it, and let it go."""
    from doorctl.cli import mock_hands
    from doorctl.cli.mock_door import door_called, wired

    paths = Paths.chosen(args.home)
    door = door_called(_config(paths), args.door)
    return _done(args, paths, door, mock_hands.press(wired(door.rex, door, "rex")))


def run_contact(args: argparse.Namespace) -> int:
    """Move the leaf."""
    from doorctl.cli import mock_hands
    from doorctl.cli.mock_door import door_called, wired

    paths = Paths.chosen(args.home)
    door = door_called(_config(paths), args.door)
    contact = wired(door.contact, door, "contact")
    return _done(
        args, paths, door, mock_hands.put(contact, active=args.leaf == _OPEN), before=f"the leaf is {args.leaf}; "
    )


def _config(paths: Paths) -> Any:
    from doorctl.cli.mock_door import refuse_metal
    from doorctl.config.reading import read_config

    config = read_config(paths.config)
    refuse_metal(config)
    return config


def _asked_keys(reader: str) -> str:
    """Typed unseen, or the first line of standard input; never an argument, which others can see."""
    import getpass
    import sys

    from doorctl.cli.mock_door import keys_of

    if sys.stdin.isatty():
        return keys_of(getpass.getpass(f"keys at {reader} (not shown): "))
    return keys_of(sys.stdin.readline(_LONGEST_LINE))


def _done(args: argparse.Namespace, paths: Paths, door: Any, hand: Any, *, before: str = "") -> int:
    """Do it, and say what the door did."""
    from doorctl.cli.mock_hands import at_the_board, seen

    with at_the_board(paths) as drive:
        answer = seen(drive, door, hand)
    if args.json:
        print(json.dumps({"door": door.name, **answer.told()}))
    else:
        print(f"{door.name}: {before}{answer}")
    return 0
