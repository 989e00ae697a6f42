"""What a visitor's hands do at the simulated doors: cards, keys, the leaf, REX, a reader torn off.

Hands obey the door: a leaf opens only while its strike is released or it stands open, unless it is forced; its closer
shuts it after a moment, unless it is held or was broken open. Leaf and cover are things: they move on a board without
power as well. Times are the mock board's; a reader's frames follow each other with the pause that fingers leave.
"""

import asyncio
import time
from collections.abc import Coroutine
from enum import Enum
from typing import Any, Final

from doorctl.cli.mock_line import BoardGoneError
from doorctl.cli.sim_page_door import DoorSide
from doorctl.cli.sim_page_feed import Feed
from doorctl.cli.sim_page_mock import command
from doorctl.cli.sim_page_visits import WINDOW_NS, Visits
from doorctl.cli.sim_site import Person
from doorctl.cli.sim_wire import REX_S, moved, wire_of
from doorctl.config.types import Input, ReaderInput
from doorctl.core.types import MS, SECOND, Card
from doorctl.errors import OperatorError
from doorctl.paths import Paths

_PAUSE_NS: Final = 100 * MS
"""Between two frames at one reader; facts/wiegand.md: a frame ends by silence."""
_MOST_AHEAD_NS: Final = 5 * SECOND
"""A script that types faster than a keypad can send is stopped here."""
CLOSER_S: Final = 6.0
"""A door closer's: long enough to see the leaf stand open."""
_PLAY_GAP_NS: Final = 160 * MS
"""Between two keys of a code that is played: a person who knows it by heart."""
_CARD_TO_CODE_NS: Final = 500 * MS
_WALK_AFTER_NS: Final = WINDOW_NS + 100 * MS
"""From the last key: by then the whole answer was seen."""
WALK_S: Final = 1.5
"""How long the leaf is open for somebody who just walks through."""


class Move(Enum):
    """What is done to a leaf."""

    OPEN = "open"
    CLOSE = "close"
    FORCE = "force"
    HOLD = "hold"


class LockedError(OperatorError):
    """Somebody pulled at a leaf that its strike holds."""


class Hands:
    """At all doors of the site."""

    def __init__(
        self,
        paths: Paths,
        side: DoorSide,
        visits: Visits,
        feed: Feed,
        *,
        closer_s: float = CLOSER_S,
        walk_s: float = WALK_S,
    ) -> None:
        self._paths, self._side, self._visits, self._feed = paths, side, visits, feed
        self._closer_s, self._walk_s = closer_s, walk_s
        self._free = dict.fromkeys(side.config, 0)
        """When each reader's line is free for the next frame, CLOCK_MONOTONIC in nanoseconds."""
        self._turns = {name: asyncio.Lock() for name in side.config}
        self._moving: dict[str, asyncio.Task[None]] = {}
        """What moves a leaf by itself: its closer, or somebody who walks through."""

    async def hold_card(self, door: str, card: Card) -> None:
        """Hold a card to the reader."""
        async with self._turns[door]:
            await self._frames(door, "card", bits=format(card.raw, f"0{card.length}b"))
        self._visits.touched(door, time.monotonic_ns())
        self._feed.publish("press", {"door": door, "key": "card"})

    async def press_keys(self, door: str, keys: str) -> None:
        """Press keys one after the other."""
        self._refuse_without_keypad(door)
        async with self._turns[door]:
            done = await self._frames(door, "keys", keys=keys)
        self._visits.pressed(door, keys, first=int(done["first"]), last=int(done["last"]))
        for key in keys:
            self._feed.publish("press", {"door": door, "key": key})

    async def play(self, door: str, person: Person, code: str) -> None:
        """A whole visit: the card where the reader wants one, a code at an even pace, and through if it opens."""
        self._refuse_without_keypad(door)
        if self._side.wants_card(door):
            if person.card is None:
                raise OperatorError(f"{person.label} has no card", hint=f"{door} wants card and code")
            await self.hold_card(door, person.card)
            self._free[door] = max(self._free[door], time.monotonic_ns() + _CARD_TO_CODE_NS)
        async with self._turns[door]:
            done = await self._frames(door, "keys", keys=code, gap_ns=_PLAY_GAP_NS)
            self._visits.pressed(door, code, first=int(done["first"]), last=int(done["last"]))
            for number, key in enumerate(code, 1):
                due = int(done["last"]) - (len(code) - number) * _PLAY_GAP_NS
                await asyncio.sleep(max(0, due - time.monotonic_ns()) / SECOND)
                self._feed.publish("press", {"door": door, "key": key})
        self._leave_leaf_to(door, self._walk_through(door, int(done["last"])))

    async def move_leaf(self, door: str, move: Move) -> None:
        """Open, close, force or hold open; OperatorError where a locked door is pulled at."""
        contact = _wired(self._side.config[door].contact, door, "contact")
        seen = self._side.doors[door]
        if move in (Move.OPEN, Move.HOLD) and not (seen.released or seen.open):
            raise LockedError("locked: the strike holds the leaf", hint="get it released first, or force it")
        self._leave_leaf_to(door, None)
        self._visits.touched(door, time.monotonic_ns())
        await self._put(contact, active=move is not Move.CLOSE)
        if move is Move.OPEN:
            self._leave_leaf_to(door, self._close_by_itself(contact))

    async def press_rex(self, door: str) -> None:
        """Press the button inside for half a second."""
        rex = _wired(self._side.config[door].rex, door, "REX")
        self._visits.touched(door, time.monotonic_ns())
        await self._put(rex, active=True)
        try:
            await asyncio.sleep(REX_S)
        finally:
            await self._put(rex, active=False)

    async def tamper(self, door: str, *, torn: bool) -> None:
        """Take the reader's cover off its wall, or put it back."""
        await self._put(_wired(self._side.config[door].tamper, door, "tamper switch"), active=torn)

    def close(self) -> None:
        """Let go of every leaf."""
        for door in tuple(self._moving):
            self._leave_leaf_to(door, None)

    def _leave_leaf_to(self, door: str, moving: Coroutine[Any, Any, None] | None) -> None:
        """From now on this moves the leaf, and nothing that was begun before."""
        if before := self._moving.pop(door, None):
            before.cancel()
        if moving is not None:
            self._moving[door] = asyncio.create_task(moving, name=f"leaf of {door}")

    async def _close_by_itself(self, contact: Input | ReaderInput) -> None:
        await asyncio.sleep(self._closer_s)
        await self._put(contact, active=False)

    async def _walk_through(self, door: str, last: int) -> None:
        contact = self._side.config[door].contact
        await asyncio.sleep(max(0, last + _WALK_AFTER_NS - time.monotonic_ns()) / SECOND)
        seen = self._side.doors[door]
        if contact is None or seen.open or not seen.released:
            return
        self._visits.touched(door, time.monotonic_ns())
        await self._put(contact, active=True)
        await asyncio.sleep(self._walk_s)
        await self._put(contact, active=False)

    def _refuse_without_keypad(self, door: str) -> None:
        if not self._side.config[door].readers[0].takes_keys:
            raise OperatorError(f"the reader at {door} has no keypad", hint="hold a card to it")

    async def _frames(self, door: str, what: str, **more: Any) -> dict[str, Any]:
        """To the reader, as soon as its line is free; the caller has the door's turn."""
        now = time.monotonic_ns()
        if self._free[door] > now + _MOST_AHEAD_NS:
            raise OperatorError(f"the reader at {door} is still busy with what was given before", hint="wait a moment")
        if self._free[door] > now:
            more["at"] = self._free[door]
        reader = str(self._side.config[door].readers[0].name)
        done = await command(self._paths.mock_socket, what, reader=reader, **more)
        self._free[door] = int(done["last"]) + _PAUSE_NS
        self._side.look()
        return done

    async def _put(self, source: Input | ReaderInput, *, active: bool) -> None:
        """The wire if there is a board to feel it, and the thing itself anyway: a start puts the wire where it is."""
        level = active is source.active_high
        what, more = moved(source, active=active)
        try:
            await command(self._paths.mock_socket, what, **more)
        except BoardGoneError:
            if not self._side.take_level(wire_of(source), level=level):
                raise
        else:
            self._side.take_level(wire_of(source), level=level)


def _wired(source: Input | ReaderInput | None, door: str, what: str) -> Input | ReaderInput:
    if source is None:
        raise OperatorError(f"{door} has no {what}", hint="doorctl.toml says what is wired at a door")
    return source
