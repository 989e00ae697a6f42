"""What hands do at a mock board that runs, and eyes on the strike afterwards. Knows no arguments and prints no outcome.

doord may have been started a moment ago: a board that is not there yet, or a reader that is not armed, is waited for.
"""

import sys
import time
from collections.abc import Callable
from typing import Final, TypeVar

from doorctl.cli.ask import ask
from doorctl.cli.mock_door import Answer, answer, level_of
from doorctl.cli.mock_line import BoardGoneError, Drive
from doorctl.cli.sim_wire import REX_S, moved
from doorctl.config.types import Door, Input, Reader, ReaderInput
from doorctl.core.types import MS, SECOND, Card
from doorctl.errors import OperatorError
from doorctl.paths import Paths

READY_WITHIN_S: Final = 15.0
"""For doord to start, and for a reader to arm after a second of idle lines."""
ANSWER_WITHIN_S: Final = 2.0
"""A door answers in a third of a second, doord/answer.py, and believes a leaf after 100 ms; a busy laptop's a little
later."""
_TELL_AFTER_S: Final = 1.0
_POLL_S: Final = 0.02
_CARD_TO_KEYS: Final = 500 * MS
"""A hand's way from the reader to its keys."""
Hand = Callable[[Drive], int]
"""Does something; the board's time when it was done."""
_Got = TypeVar("_Got")


class NotReadyError(OperatorError):
    """The reader does not read yet."""


def at_the_board(paths: Paths) -> Drive:
    """A connection, as soon as there is a board."""
    return _patiently(lambda: Drive(paths.mock_socket), "doord")


def wait_until_it_reads(paths: Paths, reader: Reader) -> None:
    """Until doord listens to the reader; NotReadyError with what it is instead."""
    _patiently(lambda: _refuse_unready(paths, reader), f"the reader {reader.name}")


def card(reader: Reader, held: Card) -> Hand:
    """Hold a card to the reader."""
    return lambda drive: int(drive.do("card", reader=reader.name, bits=format(held.raw, f"0{held.length}b"))["last"])


def keys(reader: Reader, typed: str) -> Hand:
    """Press keys one after the other."""
    return lambda drive: int(drive.do("keys", reader=reader.name, keys=typed)["last"])


def card_and_keys(reader: Reader, held: Card, typed: str) -> Hand:
    """The card, and the keys in a moment."""

    def both(drive: Drive) -> int:
        last = card(reader, held)(drive)
        return int(drive.do("keys", reader=reader.name, keys=typed, at=last + _CARD_TO_KEYS)["last"])

    return both


def put(source: Input | ReaderInput, *, active: bool) -> Hand:
    """A switch, to stay so."""
    what, more = moved(source, active=active)
    return lambda drive: int(drive.do(what, **more)["at"])


def press(source: Input | ReaderInput) -> Hand:
    """A button, and let it go again."""

    def pressed(drive: Drive) -> int:
        at = put(source, active=True)(drive)
        try:
            time.sleep(REX_S)
        finally:
            put(source, active=False)(drive)
        return at

    return pressed


def seen(drive: Drive, door: Door, hand: Hand, *, leaf: bool) -> Answer:
    """Do it, and look at the door's strike until it is released, or for as long as that may take.

    After a leaf was moved any move of the strike is what was waited for.
    """
    state = drive.do("state")
    level = level_of(state["pins"], door.strike)
    done = hand(drive)
    end = done + round(ANSWER_WITHIN_S * SECOND)
    while True:
        now = drive.do("state")["now"]  # before the look: what the strike did until then is seen by it
        outputs = drive.do("history", since=state["newest"])["outputs"]
        found = answer(door.strike, level=level, outputs=outputs, done=done)
        if found.released or (leaf and found.moved) or now >= end:
            return found
        time.sleep(_POLL_S)


def _refuse_unready(paths: Paths, reader: Reader) -> None:
    try:
        readers = ask(paths, "readers")["readers"]
    except OperatorError as error:  # the mock board is there before the control socket is
        raise NotReadyError(str(error), hint=error.hint) from error
    states = [one["state"] for one in readers if one["name"] == reader.name]
    if states != ["reading"]:
        raise NotReadyError(
            f"{reader.name}: not ready for cards and keys: {states[0] if states else 'doord has no such reader'}",
            hint=f"`doorctl reader show {reader.name}` says more"
            if states
            else "doorctl.toml has changed since doord started: start it again",
        )


def _patiently(get: Callable[[], _Got], what: str) -> _Got:
    """What it returns, once it can; tells a person when that takes a while."""
    begun, told = time.monotonic(), False
    while True:
        try:
            return get()
        except (BoardGoneError, NotReadyError):
            waited_s = time.monotonic() - begun
            if waited_s >= READY_WITHIN_S:
                raise
        if not told and waited_s >= _TELL_AFTER_S:
            told = True
            print(f"waiting up to {READY_WITHIN_S:g} s for {what} …", file=sys.stderr, flush=True)
        time.sleep(_POLL_S)
