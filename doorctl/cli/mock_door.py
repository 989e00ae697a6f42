"""A mock board's doors as `doorctl mock` sees them: which reader or input is meant, and what a strike did. Pure.

Knows what a person at the door sees, and nothing else: the strike moved, or it did not. Never why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from doorctl.cli.holder_card import card_of_file
from doorctl.cli.sim_wire import is_released
from doorctl.config.section import nearest
from doorctl.config.types import Backend, Config, Door, Input, Reader, ReaderInput, Strike
from doorctl.core.types import MS, SECOND, Card, Mode
from doorctl.errors import OperatorError

KEYS: Final = frozenset("0123456789*#")
MOST_KEYS: Final = 64
"""hal/mock_commands.py, KeyText."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the strike did after a hand was done."""

    before: bool
    """Whether it was released when the hand began."""
    released: bool | None
    """What it did first that counts: it was released, it was secured, or it did not move."""
    after: int | None
    """Nanoseconds from the hand's end; less than none where it was while the hand was busy."""

    @property
    def moved(self) -> bool:
        """Whether it did anything."""
        return self.released is not None

    @property
    def now(self) -> bool:
        """Whether the leaf can be opened."""
        return self.before if self.released is None else self.released

    def told(self) -> dict[str, Any]:
        """For scripts."""
        moved = None if self.released is None else "released" if self.released else "secured"
        return {
            "moved": moved,
            "after_ms": None if self.after is None else round(self.after / MS),
            "released": self.now,
        }

    def __str__(self) -> str:
        """`strike released after 0.27 s`."""
        if self.released is None or self.after is None:
            return "the strike stayed released" if self.before else "the strike did not move"
        when = f"after {self.after / SECOND:.2f} s" if self.after >= 0 else "before that was done"
        return f"strike {'released' if self.released else 'secured'} {when}"


def answer(strike: Strike, *, level: bool, outputs: Iterable[list[Any]], done: int) -> Answer:
    """Of the strike's level before, and of the board's output changes since. A release counts before all else."""
    before = is_released(strike, level)
    moves = [(is_released(strike, None if now is None else bool(now)), at)
             for _, pin, now, at in outputs if pin == strike.pin]  # fmt: skip
    counts = [move for move in moves if move[0]] or moves
    released, at = counts[0] if counts else (None, None)
    return Answer(before=before, released=released, after=None if at is None else at - done)


def refuse_metal(config: Config) -> None:
    """OperatorError where the board is not made up."""
    if config.hal.backend is not Backend.MOCK:
        raise OperatorError(
            f'doorctl.toml: hal.backend is "{config.hal.backend.value}": a board of metal has no made-up wires',
            hint='`doorctl sim --config FILE` plays its doors; or backend = "mock" in a folder of its own, with --home',
        )


def reader_called(config: Config, asked: str) -> tuple[Door, Reader]:
    """The reader of that name, or the one of the door of that name."""
    found = [(door, one) for door in config.doors for one in door.readers if asked in (one.name, door.name)]
    if not found:
        raise _nowhere("reader", asked, [one.name for door in config.doors for one in door.readers])
    if len(found) > 1:
        raise OperatorError(f"{asked}: has several readers", hint=f"one of {', '.join(one.name for _, one in found)}")
    return found[0]


def door_called(config: Config, asked: str) -> Door:
    """The door of that name."""
    for door in config.doors:
        if door.name == asked:
            return door
    raise _nowhere("door", asked, [door.name for door in config.doors])


def may_be_repeated(asked: str) -> bool:
    """A word without a letter may be a code that was meant for the terminal: no message has it."""
    return any(map(str.isalpha, asked))


def wired(source: Input | ReaderInput | None, door: Door, key: str) -> Input | ReaderInput:
    """OperatorError where nothing is wired."""
    if source is None:
        raise OperatorError(
            f"{door.name}: has no {key}", hint=f"`doorctl config explain door.*.{key}` says how doorctl.toml wires one"
        )
    return source


def refuse_cards(reader: Reader) -> None:
    """OperatorError where no card is ever read."""
    if _modes(reader) == {Mode.CODE}:
        raise OperatorError(f"{reader.name}: reads no cards", hint=f"`doorctl mock keys {reader.name}` types a code")


def refuse_keys(reader: Reader) -> None:
    """OperatorError where nothing can be typed."""
    if not reader.takes_keys:
        raise OperatorError(
            f"{reader.name}: has no keypad", hint=f"`doorctl mock card {reader.name} NUMBER` shows a card"
        )


def card_of(untrusted: str) -> Card:
    """A made-up card; a message never repeats its number."""
    try:
        return card_of_file(untrusted)
    except OperatorError as error:
        raise OperatorError(f"the card: {error}") from error


def keys_of(untrusted: str) -> str:
    """What was typed, without the spaces that codes are shown with; a message never repeats it."""
    keys = "".join(untrusted.split())
    if not 0 < len(keys) <= MOST_KEYS or not KEYS.issuperset(keys):
        raise OperatorError(f"expected 1 to {MOST_KEYS} keys, each a digit, * or #", hint="nothing was pressed")
    return keys


def after_a_card(reader: Reader) -> str | None:
    """What a card may have been waiting for, as the configuration says it."""
    if Mode.CARD_AND_CODE not in _modes(reader):
        return None
    return f"at {reader.name} a code belongs to the card: with --keys it is asked for, and typed after the card"


def after_keys(reader: Reader, typed: str, length: int) -> str | None:
    """Whether the entry may have had no end."""
    if reader.enter_key in typed or len(typed) >= length:
        return None
    return f"an entry ends with {reader.enter_key}, or after {length} digits, which is how long codes are here"


def level_of(pins: Mapping[str, Any], strike: Strike) -> bool:
    """The strike's, of the board that runs; OperatorError where that board has no such strike."""
    if strike.pin not in pins:
        raise OperatorError(
            f"doord drives no strike at {strike.pin}",
            hint="doorctl.toml has changed since doord started: start it again",
        )
    return bool(pins[strike.pin]["level"])


def _modes(reader: Reader) -> set[Mode]:
    return {reader.mode, *(mode for _, mode in reader.modes)}


def _nowhere(what: str, asked: str, there: list[str]) -> OperatorError:
    named = f'"{asked[:40]}"' if may_be_repeated(asked) else "of that name"
    return OperatorError(
        f"there is no {what} {named}", hint=f"{nearest(asked, there) or ''} {what}s: {', '.join(there)}".strip()
    )
