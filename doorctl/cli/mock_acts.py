"""What `doorctl mock` does with its arguments: find the place, ask for keys, have hands do it, say what was seen."""

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Mapping
from typing import Final

from doorctl.cli import mock_hands
from doorctl.cli.mock_door import (
    after_a_card,
    after_keys,
    card_of,
    door_called,
    keys_of,
    may_be_repeated,
    reader_called,
    refuse_cards,
    refuse_keys,
    refuse_metal,
    wired,
)
from doorctl.cli.mock_faults import requests
from doorctl.config.reading import read_config
from doorctl.config.types import Config, Door
from doorctl.errors import OperatorError
from doorctl.paths import Paths

_LONGEST_LINE: Final = 256


def card(args: argparse.Namespace) -> int:
    """Hold a card to a reader, and type keys after it where that is wanted."""
    paths, config = _site(args)
    door, reader = reader_called(config, args.reader)
    refuse_cards(reader)
    if args.keys:
        refuse_keys(reader)
    held = card_of(args.card)
    mock_hands.wait_until_it_reads(paths, reader)
    if not args.keys:
        return _done(args, paths, door, mock_hands.card(reader, held), hint=after_a_card(reader))
    typed = _asked_keys(reader.name)
    hand = mock_hands.card_and_keys(reader, held, typed)
    return _done(args, paths, door, hand, hint=after_keys(reader, typed, config.codes.length))


def keys(args: argparse.Namespace) -> int:
    """Type keys at a reader."""
    if args.written:
        raise OperatorError(
            "keys are no argument: other users of this machine see those, and the shell remembers them",
            hint=f"`doorctl mock keys {args.reader if may_be_repeated(args.reader) else 'READER'}` asks for them",
        )
    paths, config = _site(args)
    door, reader = reader_called(config, args.reader)
    refuse_keys(reader)
    mock_hands.wait_until_it_reads(paths, reader)
    typed = _asked_keys(reader.name)
    hint = after_keys(reader, typed, config.codes.length)
    return _done(args, paths, door, mock_hands.keys(reader, typed), hint=hint)


def rex(args: argparse.Namespace) -> int:
    """Press the button inside."""
    paths, config = _site(args)
    door = door_called(config, args.door)
    return _done(args, paths, door, mock_hands.press(wired(door.rex, door, "rex")))


def contact(args: argparse.Namespace) -> int:
    """Open or close the leaf."""
    paths, config = _site(args)
    door = door_called(config, args.door)
    hand = mock_hands.put(wired(door.contact, door, "contact"), active=args.leaf == "open")
    return _done(args, paths, door, hand, leaf=args.leaf)


def fault(args: argparse.Namespace) -> int:
    """Spoil a reader's wires, or mend them."""
    paths, config = _site(args)
    _, reader = reader_called(config, args.reader)
    wanted = requests(reader, args.fault)
    with mock_hands.at_the_board(paths) as drive:
        for request in wanted:
            drive.do(request.pop("do"), **request)
    told = "mended" if args.fault == "none" else args.fault
    print(json.dumps({"reader": reader.name, "wires": told}) if args.json else f"{reader.name}: the wires are {told}")
    return 0


ACTS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "card": card, "keys": keys, "rex": rex, "contact": contact, "fault": fault,
}  # fmt: skip
"""By verb."""


def _site(args: argparse.Namespace) -> tuple[Paths, Config]:
    paths = Paths.chosen(args.home)
    config = read_config(paths.config)
    refuse_metal(config)
    return paths, config


def _asked_keys(reader: str) -> str:
    """Typed unseen, or the first line of standard input; never an argument, which other users can see."""
    if sys.stdin.isatty():
        return keys_of(getpass.getpass(f"keys at {reader} (not shown): "))
    return keys_of(sys.stdin.readline(_LONGEST_LINE))


def _done(
    args: argparse.Namespace, paths: Paths, door: Door, hand: mock_hands.Hand, *,
    leaf: str | None = None, hint: str | None = None,
) -> int:  # fmt: skip
    """Do it, and say what the door did; the hint is for a door that did nothing."""
    with mock_hands.at_the_board(paths) as drive:
        answer = mock_hands.seen(drive, door, hand, leaf=leaf is not None)
    if args.json:
        print(json.dumps({"door": door.name, **answer.told()}))
        return 0
    print(f"{door.name}: {answer}" if leaf is None else f"{door.name}: the leaf is {leaf}; {answer}")
    if hint is not None and not answer.moved:
        print(f"  hint: {hint}", file=sys.stderr)
    return 0
