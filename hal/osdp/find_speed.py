"""Finds the speed of a line whose readers do not answer at the configured one, as after a change that no file knows of.

Theory of operation. Readers keep the speed that they were told (speed.py), and a board that starts has only its
configuration. So where no reader of a line was ever heard, the line stays a while at its own speed, then tries the
others one after the other, and keeps the first at which a reader proves its key. That goes round a few times and ends
at the line's own speed: readers that are not there at all come back there. It sends nothing but what polling sends, and
never begins while one reader answers: a line has one speed.
"""

import asyncio
from typing import Final, Protocol

from hal.osdp.scan import SPEEDS

ROUNDS: Final = 3
OWN_S: Final = 10.0
"""At the line's own speed, at first and between the others: readers start as slowly as boards."""
OTHER_S: Final = 1.0
A_READER_S: Final = 0.7
"""More for each: one that is not there costs three time-outs of 200 ms before it is asked less often."""
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
    other_s = OTHER_S + A_READER_S * len(line.addresses())
    try:
        for _ in range(ROUNDS):
            for baud in (own, *others):
                if await _found(line, baud, OWN_S if baud == own else other_s):
                    return True
        return False
    finally:
        if not line.online() and line.baud != own:
            line.set_speed(own)


async def _found(line: Line, baud: int, within_s: float) -> bool:
    if line.baud != baud:
        line.set_speed(baud)
    waited = 0.0
    while not line.online():
        if waited >= within_s:
            return False
        await asyncio.sleep(_LOOK_S)
        waited += _LOOK_S if line.is_open else 0.0  # a device that is not there proves nothing
    return True
