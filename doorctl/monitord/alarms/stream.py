"""Server-sent events: changes of alarms as they come, resumed by number without a hole.

Two streams. Scripts get changes alone. The page also gets a beat every few seconds, so that a script in it can tell
silence from calm (a browser hides comments from it), the ledger's newest record, so that a timeline grows, and `reload`
in place of so many changes that the whole list is shorter. Both get `reload` where they are ahead: the monitor was
restored since, its numbers went back, and what they know may never have been.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Final

from doorctl.monitord.alarms.archive import HIGHEST_ID
from doorctl.monitord.alarms.bell import Bell
from doorctl.monitord.alarms.desk import Desk
from doorctl.monitord.alarms.views import when

MOST_LISTENERS: Final = 64
BEAT_S: Final = 5.0
"""The page calls itself late when one is missing, and lost after three."""
FAR: Final = 500
"""Changes; more than these are a reload."""
_HEARTBEAT_S: Final = 15.0
_LOOK_S: Final = 0.5
"""How often the ledger is looked at for a timeline. Nobody is woken by a record: a backlog would wake all listeners."""
_CHANGES_AT_ONCE: Final = 256


class Streams:
    """All listeners."""

    def __init__(self, desk: Desk, bell: Bell) -> None:
        self._desk, self._bell = desk, bell
        self.listeners = 0

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        return self.listeners >= MOST_LISTENERS

    def changes(self, number: int, may_look: Callable[[], bool]) -> AsyncIterator[str]:
        """For scripts: every change after one, until whoever looks is signed out."""
        return self._while_in(may_look, self._changes(number), farewell="")

    def page(self, number: int, may_look: Callable[[], bool]) -> AsyncIterator[str]:
        """For the page: the same with beats, and it is told when it is signed out."""
        return self._while_in(may_look, self._page(number), farewell="event: out\ndata: {}\n\n")

    async def _while_in(
        self, may_look: Callable[[], bool], told: AsyncGenerator[str], *, farewell: str
    ) -> AsyncIterator[str]:
        """Asks before each word, not only at the start: a stream is a look that goes on."""
        self.listeners += 1
        try:
            async with aclosing(told):
                async for text in told:
                    if not may_look():
                        if farewell:
                            yield farewell
                        return
                    yield text
        finally:
            self.listeners -= 1

    async def _changes(self, number: int) -> AsyncGenerator[str]:
        newest = await self._desk.last_change()
        if number > newest:
            number = newest
            yield _reload(number)
        else:
            yield f"retry: 1000\nid: {number}\n\n"
        while not self._bell.stopping:
            rung = self._bell.listen()
            changes = await self._after(number)
            for change, text in changes:
                number = change
                yield text
            if not changes and not await self._bell.wait(rung, _HEARTBEAT_S):
                yield ": still here\n\n"

    async def _page(self, number: int) -> AsyncGenerator[str]:
        newest = await self._desk.last_change()
        if not 0 <= newest - number <= FAR:
            number = newest
            yield _reload(number)
        clock = asyncio.get_running_loop().time
        record, beaten = -1, 0.0
        while not self._bell.stopping:
            rung = self._bell.listen()
            changes = await self._after(number)
            for change, text in changes:
                number, record = change, -1
                yield text
            while not (changes or rung.is_set()):
                newest_record = await asyncio.to_thread(self._desk.sources.history.last_record)
                if newest_record != record or clock() >= beaten + BEAT_S:
                    record, beaten = newest_record, clock()
                    yield await self._beat(number, record)
                await self._bell.wait(rung, _LOOK_S)

    async def _after(self, number: int) -> list[tuple[int, str]]:
        """The next changes, each with its number."""
        changes = await asyncio.to_thread(self._desk.sources.store.changes_after, number, _CHANGES_AT_ONCE)
        return [
            (change, f"id: {change}\nevent: alarm\ndata: {json.dumps(self._desk.view(alarm))}\n\n")
            for change, alarm in changes
        ]

    async def _beat(self, change: int, record: int) -> str:
        """How things stand, for a page that shows something else. `id` again: a browser resumes here at the latest."""
        waiting = await asyncio.to_thread(self._desk.sources.archive.open, 1)
        worst = waiting.shown[0].severity.name.lower() if waiting.count.alarms else ""
        told = {
            "now": when(self._desk.sources.clock()), "record": record, "open": waiting.count.alarms,
            "notes": waiting.count.notes, "worst": worst,
        }  # fmt: skip
        return f"id: {change}\nevent: beat\ndata: {json.dumps(told)}\n\n"


def _reload(number: int) -> str:
    return f"retry: 1000\nid: {number}\nevent: reload\ndata: {{}}\n\n"


def resume_from(untrusted: str) -> int | None:
    """A change's number as a browser or script sent it back; None where it is none."""
    known = untrusted.isascii() and untrusted.isdecimal() and len(untrusted) < len(str(HIGHEST_ID))
    return int(untrusted) if known else None
