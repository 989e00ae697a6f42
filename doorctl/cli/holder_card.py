"""`next@DOOR` and `FORMAT:FIELD:FIELD` → the card. Its number is shown on the controlling terminal and nowhere else."""

import re
import sys
from collections.abc import Iterable
from typing import Final, TextIO

from doorctl.cli.ask import ask
from doorctl.core.types import Card
from doorctl.errors import OperatorError
from doorctl.paths import Paths

CARD_HELP: Final = (
    "next@DOOR, the next card shown at a door; - asks for FORMAT and its fields; or those themselves, as "
    "H10301:12:3456, which other users of this machine can see while the command runs"
)
LONGEST_CARD: Final = 128
"""Bits; what readers send is shorter."""
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]{1,32}")
_LONGEST_LINE: Final = 256
WAIT_S: Final = 60
"""For somebody to walk to the reader."""


def read_card(paths: Paths, argument: str, terminal: TextIO) -> Card:
    """The card that `next@DOOR` waits for, the one that `-` reads from standard input, or the one the fields say."""
    word, at, place = argument.partition("@")
    if argument == "-":
        terminal.write("the card, as H10301:12:3456: ")
        terminal.flush()
        return _written_card(paths, sys.stdin.readline(_LONGEST_LINE).strip())
    return _next_card(paths, place, terminal) if word == "next" and at else _written_card(paths, argument)


def _next_card(paths: Paths, place: str, terminal: TextIO) -> Card:
    from doorctl.config.reading import read_config
    from doorctl.config.section import nearest
    from hal.wiegand.cards import FORMATS, CardFields

    doors = read_config(paths.config).doors
    readers = {reader.name: reader for door in doors for reader in door.readers}
    places = {*readers, *(door.name for door in doors)}
    if place not in places:
        hint = nearest(place, places) or f"doors and readers: {', '.join(sorted(places))}"
        raise OperatorError(f'--card next@{place}: there is no door or reader "{place}"', hint=hint)
    terminal.write(f"hold the card to the reader at {place} … ")
    terminal.flush()
    answer = ask(paths, "next-card", within_s=WAIT_S + 5, door=place, wait_s=WAIT_S)
    card = Card(length=int(answer["length"]), raw=int(answer["raw"]))
    reader = readers.get(answer["reader"])
    fields = None
    if reader is not None and reader.format is not None:
        fields = FORMATS[reader.format].decode(card.length, card.raw, check_parity=reader.check_parity)
    terminal.write(f"{fields if isinstance(fields, CardFields) else f'{card.length} bits'}\n")
    terminal.flush()
    return card


def card_of_file(untrusted: str) -> Card:
    """`H10301:12:3456` or `raw:26:0x1234567`, BITS and the number; an OperatorError never repeats what was there."""
    from doorctl.config.key import one_of
    from hal.errors import HalError
    from hal.wiegand.cards import FORMATS, nearest_formats

    name, *numbers = untrusted.split(":")
    if name == "raw":
        return _raw_card(numbers)
    if name not in FORMATS:
        near = nearest_formats(name[:20], limit=1)
        raise OperatorError(
            f"no such format; did you mean {one_of(near)}; `doorctl check --formats` lists them"
            if near and numbers  # else the one word may be the card's number
            else "expected FORMAT and its fields, as H10301:12:3456, or raw:BITS:NUMBER"
        )
    card_format = FORMATS[name]
    if len(numbers) != len(card_format.fields) or not _whole(numbers):
        raise OperatorError(f"expected {':'.join((name, *(field.upper() for field in card_format.fields)))}")
    try:
        length, raw = card_format.encode(dict(zip(card_format.fields, map(int, numbers), strict=True)))
    except HalError as error:
        raise OperatorError(str(error)) from error
    return Card(length=length, raw=raw)


def _raw_card(numbers: list[str]) -> Card:
    """As `raw:26:12345678`; the number also as 0x and hexadecimal digits."""
    if len(numbers) == len(("bits", "number")) and _whole(numbers[:1]):
        bits, number = int(numbers[0]), numbers[1]
        hexadecimal = _HEXADECIMAL.fullmatch(number)
        if 0 < bits <= LONGEST_CARD and (hexadecimal or _whole([number])):
            raw = int(number, 16 if hexadecimal else 10)
            if raw < 1 << bits:
                return Card(length=bits, raw=raw)
    raise OperatorError(f"expected raw:BITS:NUMBER, at most {LONGEST_CARD} bits, the number no longer than that")


def _written_card(paths: Paths, argument: str) -> Card:
    """The card; warns where no reader of this board would read it."""
    from doorctl.cli.holder_readers import card_readers, unread
    from doorctl.config.reading import read_config

    card = _card_of_fields(argument)
    told = unread(card_readers(read_config(paths.config)), argument.partition(":")[0], card)
    if told is not None:
        sys.stderr.write(f"doorctl: warning: --card: {told}\n")
    return card


def _card_of_fields(argument: str) -> Card:
    from doorctl.config.key import one_of
    from hal.errors import HalError
    from hal.wiegand.cards import FORMATS, nearest_formats

    name, *numbers = argument.split(":")
    if name not in FORMATS:
        near = nearest_formats(name, limit=1)
        hint = "`doorctl check --formats` lists them, and next@DOOR needs none"
        hint = f"did you mean {one_of(near)}? {hint}" if near else hint
        raise OperatorError(f'--card: there is no card format "{name[:20]}"', hint=hint)
    card_format = FORMATS[name]
    example = ":".join((name, *(field.upper() for field in card_format.fields)))
    if len(numbers) != len(card_format.fields) or not _whole(numbers):
        raise OperatorError(f"--card: expected {example}, found {len(numbers)} fields", hint="numbers, as on the card")
    try:
        length, raw = card_format.encode(dict(zip(card_format.fields, map(int, numbers), strict=True)))
    except HalError as error:
        raise OperatorError(f"--card: {error}", hint=f"expected {example}") from error
    return Card(length=length, raw=raw)


def _whole(numbers: Iterable[str]) -> bool:
    longest = len(str(1 << 128))
    return all(number.isascii() and number.isdecimal() and len(number) <= longest for number in numbers)
