"""doorctl mock: hands at the doors of a mock board: cards, keys, the button inside, the leaf, and wires that are wrong.

For whoever runs the daemons on a laptop. It moves made-up wires through the mock board's socket, which no real board
has, and says what the strike did: what a person at the door sees, and not more.
"""

import argparse
from typing import Any, Final

_READER: Final = "the reader's name, DOOR or DOOR/SIDE"
_DOOR: Final = "the name of the [door.NAME] table"
FAULTS: Final = ("swapped", "no-ground", "stuck-low", "no-pull-up", "wrong-baud", "no-termination", "none")
"""doorctl/cli/mock_faults.py has what each does; `none` mends them all."""
_FOR: Final = 'For a doord that runs with [hal] backend = "mock".'


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "mock",
        help="cards, keys, REX, leaf and bad wires at the doors of a mock board",
        description="Press a card or keys at a door of a mock board, press the button inside, move the leaf. Says what "
        f"the strike did in the two seconds after that. {_FOR} A real board has no such wires.",
        epilog="example: doorctl mock card front H10301:12:3456",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _card(verbs)
    _keys(verbs)
    _rex(verbs)
    _contact(verbs)
    _fault(verbs)


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
    parser.set_defaults(run=run, verb="card")


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
    # somebody will write them here: told what to do instead, and never in a message that repeats them
    parser.add_argument("written", nargs="*", help=argparse.SUPPRESS)
    parser.set_defaults(run=run, verb="keys")


def _rex(verbs: Any) -> None:
    parser = verbs.add_parser(
        "rex",
        help="press the button inside",
        description=f"Press a door's REX for half a second. {_FOR}",
        epilog="example: doorctl mock rex front",
    )
    parser.add_argument("door", metavar="DOOR", help=_DOOR)
    parser.set_defaults(run=run, verb="rex")


def _contact(verbs: Any) -> None:
    parser = verbs.add_parser(
        "contact",
        help="open or close the leaf",
        description="Move a door's contact: the leaf is open from now on, or closed. A made-up wire floats, and so a "
        f"leaf stands open until it is closed for the first time. {_FOR}",
        epilog="example: doorctl mock contact front closed",
    )
    parser.add_argument("door", metavar="DOOR", help=_DOOR)
    parser.add_argument("leaf", choices=("open", "closed"), metavar="LEAF", help="what becomes of it")
    parser.set_defaults(run=run, verb="contact")


def _fault(verbs: Any) -> None:
    parser = verbs.add_parser(
        "fault",
        help="spoil a reader's wires, or mend them",
        description="Wire a reader wrongly from now on, as an installer might: D0 and D1 swapped, no common ground, D0 "
        "stuck low, D0 without a pull-up; at an OSDP reader another speed, or a line without termination. For trying "
        'what `doorctl wire-test` and `doorctl status` say of it, on a board that runs with [hal] backend = "mock".',
        epilog="example: doorctl mock fault front swapped",
    )
    parser.add_argument("reader", metavar="READER", help=_READER)
    parser.add_argument(
        "fault", choices=FAULTS, metavar="FAULT", help=f"one of {', '.join(FAULTS)}: none mends them all"
    )
    parser.set_defaults(run=run, verb="fault")


def run(args: argparse.Namespace) -> int:
    """Do it, and say what the door did."""
    from doorctl.cli.mock_acts import ACTS

    return ACTS[args.verb](args)
