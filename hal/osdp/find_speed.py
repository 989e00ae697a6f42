"""Finds readers that are at another speed than their line: all of them after a change that no file knows of, or a few.

Theory of operation. Readers keep the speed that they were told (speed.py), and a board that starts has only its
configuration. So where no reader of a line was ever heard, the line stays a while at its own speed, then tries the
others one after the other, and keeps the first at which a reader proves its key. That goes round a few times and ends
at the line's own speed: readers that are not there at all come back there. It sends nothing but what polling sends, and
never begins while one reader answers: a line has one speed.

`gather` is for the few, on request, since the others are not heard meanwhile: who answers at another speed is told the
line's.
"""

import asyncio
from typing import Final, Protocol

from hal.osdp.scan import SPEEDS
from hal.osdp.speed import ONLINE_WITHIN_S, tell, until
from hal.osdp.speed import Line as TellingLine

ROUNDS: Final = 3
OWN_S: Final = 10.0
"""At the line's own speed, at first and between the others: readers start as slowly as boards."""
OTHER_S: Final = 1.0
A_READER_S: Final = 0.7
"""More for each: one that is not there costs three time-outs of 200 ms before it is asked less often."""
LONGEST_OTHER_S: Final = 10.0
_LOOK_S: Final = 0.1


class Line(Protocol):
    """What a Bus is to this search."""

    @property
    def baud(self) -> int:
        """Its speed."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether the device is there."""
        ...

    def takes(self, baud: int) -> bool:
        """Whether the port is there and can have this speed."""
        ...

    def addresses(self) -> frozenset[int]:
        """Of all its readers."""
        ...

    def online(self) -> frozenset[int]:
        """Who answers in an open session."""
        ...

    def set_speed(self, baud: int) -> None:
        """Of this end; sessions begin anew."""
        ...


async def find_speed(line: Line) -> bool:
    """Whether a reader was found, at whichever speed; cancelled or in vain, the line has its own again."""
    own = line.baud
    others = [baud for baud in SPEEDS if baud != own]
    other_s = _other_s(line.addresses())
    try:
        for _ in range(ROUNDS):
            for baud in (own, *others):
                if baud != own and not line.takes(baud):
                    continue  # the port has no such speed, or is gone: that is waited for at the line's own
                if await _found(line, baud, OWN_S if baud == own else other_s, waits=baud == own):
                    return True
        return False
    finally:
        if not line.online() and line.baud != own:
            line.set_speed(own)


async def gather(line: TellingLine) -> None:
    """Tell readers that are at other speeds the line's own; `online()` says who is there then."""
    own, absent = line.baud, line.addresses() - line.online()
    for baud in SPEEDS:
        if baud == own or not absent or not line.takes(baud):
            continue
        line.set_speed(baud)
        wanted = absent
        await until(lambda: line.online() >= wanted, _other_s(line.addresses()))  # noqa: B023  called in this turn only
        await tell(line, line.online(), own)
        absent -= line.left()
    line.set_speed(own)
    await until(lambda: line.online() == line.addresses(), ONLINE_WITHIN_S)


def _other_s(addresses: frozenset[int]) -> float:
    return min(LONGEST_OTHER_S, OTHER_S + A_READER_S * len(addresses))


async def _found(line: Line, baud: int, within_s: float, *, waits: bool) -> bool:
    """`waits`: for the device, however long it is away; what is not there proves nothing."""
    if line.baud != baud:
        line.set_speed(baud)
    waited = 0.0
    while not line.online():
        if waited >= within_s:
            return False
        await asyncio.sleep(_LOOK_S)
        waited += _LOOK_S if line.is_open or not waits else 0.0
    return True
