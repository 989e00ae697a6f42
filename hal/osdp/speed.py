"""Takes a whole line to another speed by COMSET, or leaves it as it was: a reader that is not heard is waited for back.

Theory of operation. Every reader must be online, since one that is not told stays behind. Each is told within its
session and answers with what it will do; then the line changes. Who is online again counts. Where one is not, those who
are get told to go back, and the line goes back too: a reader that never heard the order is still there.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from hal.osdp import commands
from hal.osdp.commands import Command

TOLD_WITHIN_S: Final = 4.0
ONLINE_WITHIN_S: Final = 6.0
_LOOK_S: Final = 0.02


class Outcome(Enum):
    """How a change of speed went."""

    CHANGED = "changed"
    NOT_BEGUN = "not begun"
    """Not every reader was online; nothing was sent."""
    UNKNOWN = "unknown to the port"
    """The port has no such speed; nothing was sent."""
    TAKEN_BACK = "taken back"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedChange:
    """What became of it."""

    outcome: Outcome
    missing: frozenset[int] = frozenset()
    """Addresses that were not online, or not heard at the new speed."""
    lost: frozenset[int] = frozenset()
    """Of these, who was not heard at the old one again either: a scan finds them."""


class Line(Protocol):
    """What a Bus is to a change of speed."""

    @property
    def baud(self) -> int:
        """Its speed."""
        ...

    def addresses(self) -> frozenset[int]:
        """Of all its readers."""
        ...

    def online(self) -> frozenset[int]:
        """Who answers in an open session, at the speed of now."""
        ...

    def takes(self, baud: int) -> bool:
        """Whether the port can have this speed."""
        ...

    def left(self) -> frozenset[int]:
        """Who has answered a COMSET and is not at this speed any more."""
        ...

    def order(self, address: int, command: Command, data: bytes) -> None:
        """To be carried out in the reader's session."""
        ...

    def set_speed(self, baud: int) -> None:
        """Of this end; sessions begin anew."""
        ...


async def change_speed(line: Line, baud: int) -> SpeedChange:
    """All readers of the line, or none."""
    before, readers = line.baud, line.addresses()
    if line.online() != readers:
        return SpeedChange(outcome=Outcome.NOT_BEGUN, missing=readers - line.online())
    if not line.takes(baud):
        return SpeedChange(outcome=Outcome.UNKNOWN)
    await _take(line, readers, baud)
    missing = readers - line.online()
    if not missing:
        return SpeedChange(outcome=Outcome.CHANGED)
    await _take(line, line.online(), before, await_all=readers)
    return SpeedChange(outcome=Outcome.TAKEN_BACK, missing=missing, lost=readers - line.online())


async def tell(line: Line, told: frozenset[int], baud: int) -> None:
    """Order these readers to another speed, and wait until each has said that it will, or has had its time."""
    for address in told:
        line.order(address, Command.COMSET, commands.comset(address=address, baud=baud))
    await until(lambda: line.left() >= told, TOLD_WITHIN_S)


async def _take(line: Line, told: frozenset[int], baud: int, await_all: frozenset[int] = frozenset()) -> None:
    await tell(line, told, baud)
    line.set_speed(baud)
    await until(lambda: line.online() >= (await_all or told), ONLINE_WITHIN_S)


async def until(true: Callable[[], bool], within_s: float) -> None:
    """Return when it is true, or the time is over."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within_s
    while not true() and loop.time() < until:  # noqa: ASYNC110  what is waited for is a state of many readers
        await asyncio.sleep(_LOOK_S)
