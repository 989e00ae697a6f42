"""Factors → the roster's row, off the event loop: Argon2id in one thread, look-ups in another.

The same work for every outcome: a miss is looked up like a hit, and a code that cannot be right (its check digit, its
length) is stretched like one that can. Codes leave this file only as HMACs. One entry a reader is in flight (its
reader waits for the answer), and calls are done in order, so no reader can starve another.

On failure the door stays as it is: a roster that cannot be read matches nobody, and a fault says so.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from doorctl.core.effects import Request
from doorctl.core.types import Duration
from doorctl.doord.drafts import RosterFacts
from doorctl.doord.worker import WorkerThread
from doorctl.errors import DoorctlError, InternalError, StorageError
from doorctl.roster.factors import (
    FLOOR,
    CardId,
    Lookup,
    card_id,
    lookup_card,
    lookup_card_and_code,
    lookup_code,
    measure,
    stretch,
)
from doorctl.roster.lookup import RosterReader, Row
from doorctl.roster.meta import RosterParameters
from doorctl.roster.registrations import Registration
from doorctl.seal.sealing import row_tag
from doorctl.wire.record import RowTag
from doorctl.wire.sizes import HASH_SIZE, ROW_TAG_SIZE

_RUNS: Final = 3
"""Of Argon2id at start, to see how slow it can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the roster says of one request."""

    row: Row | None = field(repr=False)
    card: CardId | None = field(repr=False)
    row_tag: RowTag = field(repr=False)
    readable: bool
    """False: the roster could not be read, and `row` says nothing."""


class RosterAccess:
    """The roster as doord uses it; every call returns, damage is a value."""

    def __init__(self, path: Path, lookup_key: bytes) -> None:
        """Opens the roster twice: for look-ups, and for the digest, which reads all rows after a change.

        OperatorError where there is none. A damaged one is a fault and matches nobody; REX and orders still work.
        """
        self._key = lookup_key
        self._rows_reader, self._facts_reader = RosterReader(path), RosterReader(path)
        self._rows = WorkerThread("roster")
        self._stretch = WorkerThread("stretch")
        self._digest = WorkerThread("digest")
        self.parameters: RosterParameters | None = None
        self.facts, self.holders = RosterFacts(0, bytes(HASH_SIZE)), 0
        self.damage: str | None = None
        """What is wrong with the roster, for status; None while it reads well."""
        try:
            with RosterReader.open(path):
                self._learn()
        except StorageError as error:
            # the door stays secured to everybody until the roster is mended; the way out is free
            self.damage = str(error)

    async def slowest_stretch(self) -> Duration:
        """The longest of some Argon2id runs with the site's parameters, in the thread that will do them."""
        cost = FLOOR if self.parameters is None else self.parameters.stretch
        return Duration(max([await self._stretch.call(measure, cost) for _ in range(_RUNS)]))

    async def find(self, request: Request) -> Found:
        """Look a request up; takes as long for a miss as for a hit."""
        card = card_id(self._key, request.card) if request.card is not None else None
        parameters = self.parameters
        if parameters is None:
            return Found(row=None, card=card, row_tag=RowTag(os.urandom(ROW_TAG_SIZE)), readable=False)
        lookup = await self._lookup(request, card, parameters)
        try:
            row = await self._rows.call(self._rows_reader.find, lookup)
        except DoorctlError as error:
            # the door stays secured: nobody is let in on a roster that cannot be read
            self.damage = str(error)
            return Found(row=None, card=card, row_tag=row_tag(lookup), readable=False)
        return Found(row=row, card=card, row_tag=row_tag(lookup), readable=True)

    async def refresh(self) -> None:
        """Read generation, digest and count again; cheap while nothing changed."""
        try:
            await self._digest.call(self._learn)
            self.damage = None
        except DoorctlError as error:
            # the door stays as it is: the last good facts go on being told
            self.damage = str(error)

    async def registrations_after(self, generation: int, limit: int, *, skip: int) -> list[Registration]:
        """See RosterReader; raises StorageError."""
        return await self._digest.call(self._facts_reader.registrations_after, generation, limit, skip=skip)

    @property
    def threads(self) -> tuple[WorkerThread, ...]:
        """On a card's way: without one of them nobody gets in, and the watchdog ends doord for it."""
        return self._rows, self._stretch

    @property
    def digest_thread(self) -> WorkerThread:
        """On no card's way: the digest of a large roster may take a slow board as long as it likes."""
        return self._digest

    async def close(self) -> None:
        """Close the connections in their own threads and stop all."""
        await self._rows.call(self._rows_reader.close)
        await self._digest.call(self._facts_reader.close)
        for thread in (*self.threads, self._digest):
            thread.stop()

    async def _lookup(self, request: Request, card: CardId | None, parameters: RosterParameters) -> Lookup:
        if request.code is None:
            if card is None:
                raise InternalError("a request without a factor")
            return lookup_card(self._key, card)
        stretched = await self._stretch.call(
            stretch,
            request.code,
            site_salt=parameters.site_salt,
            card=card,
            parameters=parameters.stretch,
        )
        if card is None:
            return lookup_code(self._key, stretched)
        return lookup_card_and_code(self._key, card, stretched)

    def _learn(self) -> None:
        """Everything but rows, of one moment; raises where the roster cannot be read."""
        parameters = self._facts_reader.parameters()
        state, holders = self._facts_reader.state(), self._facts_reader.facts().holders
        self.parameters = parameters
        self.facts, self.holders = RosterFacts(state.generation, state.digest), holders
