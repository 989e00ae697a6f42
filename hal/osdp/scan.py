"""Which readers are on a line, and at which speed: each address is asked who it is, at one speed after the other. Pure.

Bytes and `now` in; bytes to send, speeds to take and readers found out. A scan asks in clear and with sequence 0, which
ends any session that a reader was in: it is for a line that nobody polls. A reader that refuses to say who it is has
answered all the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from hal.events import MS, SECOND, Monotonic
from hal.osdp.commands import Command, Identity, Reply, parse_identity
from hal.osdp.frame import HIGHEST_ADDRESS, MARK, Frame, Framer

SPEEDS: Final = (9600, 38_400, 115_200, 19_200, 57_600, 230_400)
"""Baud; the standard's default first, then what is common."""
ADDRESSES: Final = range(HIGHEST_ADDRESS + 1)
ANSWER_WITHIN: Final = 40 * MS
"""To the first byte of an answer; good readers take 3 ms, and 200 ms for each of 127 addresses would take minutes."""
BETWEEN_CHARACTERS: Final = 40 * MS
LONGEST: Final = 256
_BITS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A reader has answered."""

    address: int
    baud: int
    identity: Identity | None
    """None: it answered, and would not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Bytes for the line, at a speed that may be another one than before."""

    baud: int
    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Something answered that nobody could read: two readers at one address, or another speed."""

    address: int
    baud: int


Step = Found | Ask | Broken


class Scan:
    """One pass over a line."""

    def __init__(
        self, now: Monotonic, *, bauds: Sequence[int] = SPEEDS, addresses: Sequence[int] = ADDRESSES,
        within: int = ANSWER_WITHIN,
    ) -> None:  # fmt: skip
        """`within`: nanoseconds that a reader has for its answer; up to 200 ms finds the slowest."""
        self.total = len(bauds) * len(addresses)
        self.asked = 0
        """So many of them are done or under way."""
        self._left: Iterator[tuple[int, int]] = product(bauds, addresses)
        self._within = within
        self._framer = Framer(LONGEST)
        self._under_way: tuple[int, int] | None = None
        self._heard_something = False
        self._deadline: Monotonic = now
        self.done = False

    def next_deadline(self) -> Monotonic:
        """When `on_deadline` is to be called."""
        return self._deadline

    def on_deadline(self, now: Monotonic) -> list[Step]:
        """The address did not answer in time: the next one's turn."""
        if self.done or now < self._deadline:
            return []
        steps: list[Step] = []
        if self._under_way is not None and self._heard_something:
            baud, address = self._under_way
            steps.append(Broken(address=address, baud=baud))
        return steps + self._next(now)

    def receive(self, untrusted: bytes, now: Monotonic) -> list[Step]:
        """Bytes of the line; an answer is found once, and the next address has its turn when the line is free."""
        if self._under_way is None:
            return []
        baud, address = self._under_way
        for found in self._framer.feed(untrusted):
            if isinstance(found, Frame) and found.reply and found.address == address:
                self._under_way = None
                self._deadline = Monotonic(now + 2 * _BITS * SECOND // baud)
                identity = parse_identity(found.data) if found.code == Reply.IDENTITY else None
                return [Found(address=address, baud=baud, identity=identity)]
            self._heard_something |= not isinstance(found, Frame)
        self._heard_something |= self._framer.partial
        if self._framer.partial:
            self._deadline = max(self._deadline, Monotonic(now + BETWEEN_CHARACTERS))
        return []

    def _next(self, now: Monotonic) -> list[Step]:
        self._under_way = next(self._left, None)
        self._framer.clear()
        self._heard_something = False
        if self._under_way is None:
            self.done = True
            return []
        self.asked += 1
        baud, address = self._under_way
        frame = MARK + Frame(address=address, reply=False, sequence=0, code=Command.ID, data=b"\0").encode()
        self._deadline = Monotonic(now + (len(frame) + 1) * _BITS * SECOND // baud + self._within)
        return [Ask(baud=baud, frame=frame)]
