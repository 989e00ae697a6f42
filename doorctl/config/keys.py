"""The table of every key, and how a key is found in it. What is not here is a mistake in a configuration."""

from collections.abc import Iterable
from functools import cache
from typing import Final

from doorctl.config import door_keys, site_keys
from doorctl.config.key import Key
from doorctl.config.lines import Place

KEYS: Final = (
    *site_keys.SITE, *site_keys.MONITOR, *site_keys.CODES, *site_keys.LOCKOUT, *site_keys.LOG,
    *site_keys.HAL,
    *door_keys.DOOR, *door_keys.STRIKE, *door_keys.INPUT, *door_keys.READER, *site_keys.SCHEDULE, *site_keys.GROUP,
)  # fmt: skip
"""In the order of a file and of its manual."""
INPUTS: Final = ("contact", "rex", "tamper")
ANY: Final = "*"
"""Stands for any name where somebody asks about a key."""


@cache
def key_at(place: Place) -> Key:
    """What the table says of a place in a file; KeyError where it says nothing."""
    found = [key for key in KEYS if stands_for(key.place, place)]
    if not found:
        raise KeyError(place)
    return found[0]


def stands_for(general: Place, place: Place) -> bool:
    """Whether a place of the table is this place of a file; a reader of several is as the only one, `*` is any name."""
    asked = _as_only_reader(place)
    return len(asked) == len(general) and all(map(_same, general, asked))


def keys_in(table: Key) -> list[Key]:
    """The keys directly in a table; those of an input, where the key is one."""
    return [key for key in KEYS if len(key.place) > 1 and stands_for(key.place[:-1], table.place)]


def keys_called(asked: Place) -> list[Key]:
    """The keys that somebody means by `door.front.strike`, `door.*.strike`, `door.strike` or `strike`; [] for none."""
    exact = [key for key in KEYS if stands_for(key.place, asked)]
    named = [key for key in KEYS if stands_for(_without_names(key.place), asked)]
    ending = [key for key in KEYS if key.place[-len(asked) :] == asked]
    return _unlike(named or exact or ending)


def nearest_keys(asked: Place) -> list[str]:
    """What somebody may have meant: the keys of the table that the beginning names, else every key's own name."""
    for size in range(len(asked) - 1, 0, -1):
        if tables := keys_called(asked[:size]):
            inside = [key.place[-1] for table in tables for key in keys_in(table)]
            return [".".join((*asked[:size], name)) for name in inside if not name.isupper()]
    return [key.place[-1] for key in KEYS if not key.place[-1].isupper()]


def _without_names(place: Place) -> Place:
    return tuple(part for part in place if part == "INPUT" or not part.isupper())


def _unlike(keys: Iterable[Key]) -> list[Key]:
    """[door] and [door.NAME] are asked for by the same word: the first speaks for both."""
    found = list(keys)
    return found[:1] if len({_without_names(key.place) for key in found}) == 1 else found


def _as_only_reader(place: Place) -> Place:
    match place:
        case ("door", door, "readers", _, *more):
            return ("door", door, "reader", *more)
    return place


def _same(general: str, asked: str) -> bool:
    """INPUT is one of three; other capitals stand for any name."""
    if general == "INPUT":
        return asked in (*INPUTS, general, ANY)
    return general == asked or general.isupper()
