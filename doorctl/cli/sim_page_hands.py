"""What a visitor's hands do at the simulated doors: cards, keys, the leaf, REX, a reader torn off.

Hands obey the door: a leaf opens only while its strike is released or it stands open, unless it is forced. Times are
the mock board's; a reader's frames follow each other with the pause that a person's fingers leave.
"""

import asyncio
import time
from enum import Enum
from typing import Any, Final

from doorctl.cli.sim_page_door import DoorSide
from doorctl.cli.sim_page_mock import command
from doorctl.config.types import Input
from doorctl.core.types import MS, SECOND, Card
from doorctl.errors import OperatorError
from doorctl.paths import Paths

_PAUSE_NS: Final = 100 * MS
"""Between two frames at one reader; facts/wiegand.md: a frame ends by silence."""
_MOST_AHEAD_NS: Final = 5 * SECOND
"""A script that types faster than a keypad can send is stopped here."""
REX_S: Final = 0.5
"""Longer than the 400 ms from which on every input is honoured."""


class Move(Enum):
    """What is done to a leaf."""

    OPEN = "open"
    CLOSE = "close"
    FORCE = "force"


class Hands:
    """At all doors of the site."""

    def __init__(self, paths: Paths, side: DoorSide) -> None:
        self._paths, self._side = paths, side
        self._free = dict.fromkeys(side.config, 0)
        """When each reader's line is free for the next frame, CLOCK_MONOTONIC in nanoseconds."""
        self._turns = {name: asyncio.Lock() for name in side.config}

    async def hold_card(self, door: str, card: Card) -> None:
        """Hold a card to the reader."""
        await self._frames(door, "card", bits=format(card.raw, f"0{card.length}b"))

    async def press_keys(self, door: str, keys: str) -> None:
        """Press keys one after the other."""
        if self._side.config[door].readers[0].keypad is None:
            raise OperatorError(f"the reader at {door} has no keypad")
        await self._frames(door, "keys", keys=keys)

    async def move_leaf(self, door: str, move: Move) -> None:
        """Open, close or force; OperatorError where a locked door is pulled at."""
        contact = _wired(self._side.config[door].contact, door, "contact")
        seen = self._side.doors[door]
        if move is Move.OPEN and not (seen.released or seen.open):
            raise OperatorError("locked: the strike holds the leaf")
        await self._put(contact, active=move is not Move.CLOSE)

    async def press_rex(self, door: str) -> None:
        """Press the button inside for half a second."""
        rex = _wired(self._side.config[door].rex, door, "REX")
        await self._put(rex, active=True)
        try:
            await asyncio.sleep(REX_S)
        finally:
            await self._put(rex, active=False)

    async def tamper(self, door: str, *, torn: bool) -> None:
        """Take the reader off its wall, or put it back."""
        await self._put(_wired(self._side.config[door].tamper, door, "tamper switch"), active=torn)

    async def _frames(self, door: str, what: str, **more: Any) -> None:
        async with self._turns[door]:
            now = time.monotonic_ns()
            if self._free[door] > now + _MOST_AHEAD_NS:
                raise OperatorError(f"the reader at {door} is still busy with what was given before")
            if self._free[door] > now:
                more["at"] = self._free[door]
            reader = str(self._side.config[door].readers[0].name)
            done = await command(self._paths.mock_socket, what, reader=reader, **more)
            self._free[door] = int(done["last"]) + _PAUSE_NS
        self._side.look()

    async def _put(self, source: Input, *, active: bool) -> None:
        level = active is source.active_high
        await command(self._paths.mock_socket, "input", pin=source.pin, level=level)
        self._side.take_level(source.pin, level=level)


def _wired(source: Input | None, door: str, what: str) -> Input:
    if source is None:
        raise OperatorError(f"{door} has no {what}")
    return source
