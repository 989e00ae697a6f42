"""One stream of server-sent events for any number of browsers: first everything, then each change.

The first event is everything at once, so a browser that comes back, from however long a sleep, needs nothing that it
missed and keeps no hole: it forgets what it showed. One that reads too slowly is let go, comes back, and is given
everything again. In silence there is a beat, by which a browser knows that it is live. Knows nothing of doors.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Final

Event = tuple[str, Any]
"""(name, JSON value)."""

MOST_LISTENERS: Final = 32
_MOST_WAITING: Final = 512
"""Events; a lamp that blinks makes ten a second."""
BEAT_S: Final = 1.0
_COME_BACK_MS: Final = 500


class Feed:
    """Published to by one side of the page, listened to by browsers; everything on one loop."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether nobody more may listen."""
        return len(self._listeners) >= MOST_LISTENERS

    def publish(self, name: str, value: Any) -> None:
        """To everybody who listens now."""
        text = encode((name, value))
        for queue in list(self._listeners):
            try:
                queue.put_nowait(text)
            except asyncio.QueueFull:
                self._let_go(queue)

    async def listen(self, everything: Callable[[], Iterable[Event]]) -> AsyncIterator[str]:
        """Everything as it is now, then what changes, until the feed closes."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(_MOST_WAITING)
        self._listeners.add(queue)
        try:
            yield f"retry: {_COME_BACK_MS}\n\n" + encode(("everything", dict(everything())))
            while not self._closed:
                try:
                    text = await asyncio.wait_for(queue.get(), BEAT_S)
                except TimeoutError:
                    text = encode(("beat", {}))
                if text is None:
                    return
                yield text
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for queue in list(self._listeners):
            self._let_go(queue)

    def _let_go(self, queue: asyncio.Queue[str | None]) -> None:
        self._listeners.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)


def encode(event: Event) -> str:
    """As text/event-stream has it: JSON has no line breaks of its own."""
    name, value = event
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"
