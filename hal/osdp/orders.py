"""What one reader is to be told, in order and bounded: of the same kind and place only the last counts. Pure."""

from collections import deque
from typing import Final

from hal.osdp.commands import Command

MOST: Final = 16
"""Waiting for one reader; beyond it the oldest gives way."""
Order = tuple[Command, bytes]
_PLACE: Final = 2
"""Bytes at an order's begin that say which LED, sounder, line of text or output it is for."""


class Orders:
    """A queue, and the order that is under way."""

    def __init__(self) -> None:
        self._waiting: deque[Order] = deque(maxlen=MOST)
        self.under_way: Order | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, command: Command, data: bytes) -> None:
        """A newer one of the same kind and place takes an older one's place, at the end."""
        order = command, data
        for one in [one for one in self._waiting if _same(one, order)]:
            self._waiting.remove(one)
        self._waiting.append(order)

    def take(self) -> Order | None:
        """The next one, which is under way then."""
        self.under_way = self._waiting.popleft() if self._waiting else None
        return self.under_way

    def done(self) -> Order | None:
        """It was answered; which it was."""
        done, self.under_way = self.under_way, None
        return done

    def take_back(self) -> None:
        """It was not answered: it is the next one again, unless a newer one has taken its place."""
        order = self.done()
        if order is not None and len(self._waiting) < MOST and not any(_same(order, one) for one in self._waiting):
            self._waiting.appendleft(order)


def _same(this: Order, that: Order) -> bool:
    return this[0] is that[0] and this[1][:_PLACE] == that[1][:_PLACE]
