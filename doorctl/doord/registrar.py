"""Tells the monitor every row that enrolment makes or revokes, generation by generation, as sealed records.

The roster's file keeps what there is to tell; the journal keeps how far it was told, in the transaction of the record
that completes a generation. So a crash at any point tells at most the parts of one generation again, which the monitor
recognises by their numbers. Entries are hashes: they say nothing of codes or of what a row means.

An import of 100,000 holders is 26,000 records. They are made a few at a time with room for cards between, go as backlog
so that no fresh record waits behind them, and stop while many records wait for a receipt, so that they never push
others out of the spool: what is not yet told stays in the roster.
"""

import asyncio
from typing import Final

from doorctl.doord import clock
from doorctl.doord.drafts import Draft
from doorctl.doord.lookup import RosterAccess
from doorctl.doord.recorder import Recorder
from doorctl.errors import DoorctlError
from doorctl.journal.rows import LogRow
from doorctl.wire.record import Kind

STEP: Final = 64
"""Records made between two pauses: one commit of the journal."""
PAUSE_S: Final = 0.2
"""Between two steps of a large change: at most 320 records a second, which an SD card writes beside its other work."""
ROOM: Final = 10_000
"""Records without a receipt above which nothing more is told: a tenth of the spool (journal/bounds.py, LIMIT)."""
FEW: Final = 8
"""Parts of a generation that go as fresh records: what one command changes, but an import."""


class Registrar:
    """How far the monitor was told."""

    def __init__(self, roster: RosterAccess, recorder: Recorder, sent_generation: int) -> None:
        self._roster, self._recorder = roster, recorder
        self._sent = sent_generation
        self._parts = 0
        """Of the generation after `_sent`, those already recorded."""

    async def step(self) -> bool:
        """Record at most STEP parts of what is new; whether there may be more."""
        recorder = self._recorder
        if self._roster.facts.generation <= self._sent or recorder.waiting > STEP or recorder.pending >= ROOM:
            return False
        try:
            found = await self._roster.registrations_after(self._sent, STEP, skip=self._parts)
        except DoorctlError:
            return False  # the door stays as it is: the roster's own fault is raised by its next look-up
        for registration in found:
            last = registration.part == registration.parts
            recorder.record(
                Draft(
                    kind=Kind.ENROLLED,
                    detail=registration.encode(),
                    log=self._log(registration.generation) if last else None,
                    sent_generation=registration.generation if last else None,
                    unhurried=registration.parts > FEW,
                )
            )
            self._parts = 0 if last else registration.part
            self._sent = registration.generation if last else self._sent
            await asyncio.sleep(0)  # a card's turn: sealing 64 at once would make an answer late
        if len(found) < STEP:
            return False
        await asyncio.sleep(PAUSE_S)
        return True

    def _log(self, generation: int) -> LogRow:
        return LogRow(wall=clock.wall(), event="roster", detail=f"generation {generation}")
