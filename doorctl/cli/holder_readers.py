"""Whether any reader of this board reads a card that somebody wrote rather than showed; else words to warn with.

Never a refusal: the reader may come later. Only while the card is enrolled can it be said: the roster has a hash of it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from doorctl.core.types import Card, Mode
from hal.wiegand.cards import FORMATS

if TYPE_CHECKING:
    from doorctl.config.types import Config, Reader

_SHOWN: Final = 5
"""Readers of other formats; more of them nobody reads."""


def card_readers(config: "Config") -> "list[Reader]":
    """Those that take cards, at some time of the week at least."""
    readers = [reader for door in config.doors for reader in door.readers]
    return [reader for reader in readers if {reader.mode, *(mode for _, mode in reader.modes)} != {Mode.CODE}]


def unread(readers: "Sequence[Reader]", name: str, card: Card) -> str | None:
    """`no reader reads H10304; archive reads H10301`, the card's format being `name`; None where one reads it."""
    if any(_reads(reader, name, card) for reader in readers):
        return None
    others = [f"{reader.name} reads {reader.format}" for reader in readers[:_SHOWN]]
    if len(readers) > _SHOWN:
        others.append(f"and {len(readers) - _SHOWN} more")
    return f"no reader reads {name}; {', '.join(others) or 'none here reads cards'}"


def _reads(reader: "Reader", name: str, card: Card) -> bool:
    """A line's reader without a format takes every card; one format's frame may be right in another of its length."""
    if reader.format is None or reader.format == name:
        return True
    return FORMATS[reader.format].refusal(card.length, card.raw, check_parity=reader.check_parity) is None
