"""Makes every record of this board: numbers, chains, signs and seals it, journals it, hands it to the courier.

Theory of operation. `record()` seals at once, on the event loop, so that the chain has one order; the journal's
thread then commits whatever waits, together. A commit makes a Recording `committed` and offers it to the courier as
fresh. Where the disk does not answer in time, `hold()` puts the record into the courier's memory instead, and the
queue here keeps it until the disk is back. Nothing in this file knows or asks what a token means; a record without a
row carries filler of the same size.

The door stays as it is whatever the disk does: a StorageError raises a fault and is tried again every second.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from doorctl.core.types import Monotonic
from doorctl.doord import clock
from doorctl.doord.drafts import Draft, Recording, RosterFacts
from doorctl.doord.handoff import CourierLink
from doorctl.doord.unstored import giving_way, to_keep
from doorctl.doord.worker import Spawn, WorkerThread
from doorctl.errors import StorageError
from doorctl.journal.journal import Journal
from doorctl.journal.rows import Entry, LogRow, Plain, SpoolStatus
from doorctl.seal.keys import ControllerKeys
from doorctl.seal.public import MonitorPublic
from doorctl.seal.sealing import filler_token, seal_record
from doorctl.wire.detail import FaultCode, FaultDetail, StartDetail, SupervisionDetail
from doorctl.wire.record import (
    NO_EPOCH,
    NO_HASH,
    SUPERVISION_BIT,
    Body,
    Epoch,
    Flag,
    Header,
    Kind,
    RecordHash,
    RowTag,
    Sequence,
    record_hash,
)
from doorctl.wire.sizes import EPOCH_SIZE, ROW_TAG_SIZE

RETRY_S: Final = 1.0
"""Between two tries of a disk that failed."""
GROUP: Final = 64
"""Records committed in one transaction at most: what a slow card writes in well under the bound."""
MOST_UNSTORED: Final = 4096
"""Records kept in memory while the disk fails (8 MiB); beyond that some give way, and a LOSS record says which."""
MOST_KEPT: Final = 256
"""Records that a courier has room for at a time."""
_KINDS_OF_STRUCTURE: Final = frozenset({Kind.START, Kind.ENROLLED, Kind.LOSS})


class Recorder:
    """One epoch's chain and the queue to the disk. All methods run on the event loop's thread."""

    def __init__(
        self,
        *,
        keys: ControllerKeys,
        monitor: MonitorPublic,
        journal: Journal,
        thread: WorkerThread,
        link: CourierLink,
        facts: Callable[[], RosterFacts],
        standing_flags: Callable[[], Flag],
        fault: Callable[[str, str | None], None],
        on_made: Callable[[RecordHash, Monotonic], None],
        spawn: Spawn,
    ) -> None:
        """`facts` and `standing_flags` are read for each record; `fault(name, text)` is told each change.

        `on_made` hears of every record, supervision included. What a spawned task raises ends the process.
        """
        self._keys, self._monitor, self._journal = keys, monitor, journal
        self._thread, self._link = thread, link
        self._facts, self._standing_flags = facts, standing_flags
        self._fault, self._on_made, self._spawn = fault, on_made, spawn
        self.epoch = Epoch(os.urandom(EPOCH_SIZE))
        self._boot_id = clock.boot_id()
        self._sequence = 0
        self._supervision = 0
        self._previous = NO_HASH
        self._queue: deque[Recording] = deque()
        self._by_hash: dict[RecordHash, Recording] = {}
        self._in_flight = 0
        """As many of the oldest are in the journal's hands now."""
        self._committer: asyncio.Task[None] | None = None
        self.storage_failed = False
        self.status = self._first_status()
        self.gave_way = 0
        """Records that memory could not keep while the disk failed."""
        self.nowhere = 0
        """Records that neither disk nor courier was known to have when their door answered."""

    @property
    def pending(self) -> int:
        """Records without a receipt, on the disk and on their way to it."""
        return self.status.pending + len(self._by_hash)

    @property
    def sequence(self) -> int:
        """The last number given in this epoch."""
        return self._sequence

    @property
    def waiting(self) -> int:
        """Records that the disk has not answered for."""
        return len(self._by_hash)

    @property
    def handed(self) -> tuple[int, int]:
        """Another value once a courier came, or a fresh record went to none: what is newest may be with nobody."""
        return self._link.counters.connections, self._link.counters.not_handed

    def start(self) -> Recording:
        """The epoch's first record: it names the epoch before it, so that no counter must survive a crash."""
        head = self.status.head
        detail = StartDetail(
            previous_epoch=head.epoch if head else NO_EPOCH,
            previous_head=head.sequence if head else Sequence(0),
            previous_hash=head.hash if head else NO_HASH,
        )
        log = LogRow(wall=clock.wall(), event="start")
        recording = self.record(Draft(kind=Kind.START, detail=detail.encode(), log=log))
        if self.storage_failed:
            self._say_storage()
            self._fault_record(began=True)
        return recording

    def record(self, draft: Draft) -> Recording:
        """Number, chain, sign, seal; the disk's answer comes later as `committed`."""
        self._sequence += 1
        sealed = self._seal(draft, Sequence(self._sequence), self._previous)
        self._previous = record_hash(sealed)
        entry = Entry(
            log=draft.log,
            record=sealed,
            matched=_matched(draft),
            structure=draft.kind in _KINDS_OF_STRUCTURE,
            wall=clock.wall() if draft.log is None else None,
            sent_generation=draft.sent_generation,
            lockouts=draft.lockouts,
            loss=draft.loss,
        )
        recording = self._enqueue(sealed, self._previous, Sequence(self._sequence), entry)
        recording.unhurried = draft.unhurried
        if self.storage_failed:
            self._keep(recording)
        return recording

    def remember(self, lockouts: Mapping[bytes, Plain]) -> Recording:
        """Counters of a wrong code that is only counted: durable like all others, and the door waits alike."""
        return self._enqueue(None, NO_HASH, Sequence(0), Entry(lockouts=lockouts))

    def supervision(self) -> bytes:
        """A signed, sealed word of where this epoch stands; never journaled, a counter of its own."""
        self._supervision += 1
        oldest, receipted = self.status.oldest, self.status.receipted
        detail = SupervisionDetail(
            head=Sequence(self._sequence),
            oldest_epoch=oldest.epoch if oldest else NO_EPOCH,
            oldest_sequence=oldest.sequence if oldest else Sequence(0),
            receipted_epoch=receipted.epoch if receipted else NO_EPOCH,
            receipted_sequence=receipted.sequence if receipted else Sequence(0),
            receipted_hash=receipted.hash if receipted else NO_HASH,
        )
        draft = Draft(kind=Kind.SUPERVISION, detail=detail.encode())
        return self._seal(draft, Sequence(SUPERVISION_BIT | self._supervision), self._previous)

    def slow(self) -> None:
        """The disk did not answer in time: a storage fault, until everything that waits is on it."""
        self._failed()

    async def hold(self, recording: Recording, deadline: Monotonic) -> bool:
        """Put a record that the disk has not into the courier's memory; whether it is in either place by then.

        The door answers either way; where it is in neither, a fault says so until the disk has everything.
        """
        if recording.record is None:
            return recording.committed.done()
        kept = await self._link.hold(recording.record, recording.hash, deadline)
        if kept:
            recording.held_by = self._link.connection
        if kept or recording.committed.done() or recording.receipted:
            return True
        self.nowhere += 1
        self._fault("storage and courier", f"{_records(self.nowhere)} had no place but memory when a door answered")
        return False

    def receipted(self, hash_: RecordHash) -> Recording | None:
        """The monitor has a record: the recording where it still waits for the disk here."""
        recording = self._by_hash.get(hash_)
        if recording is not None:
            recording.receipted = True
        return recording

    async def refresh(self) -> None:
        """Read the spool's status again, after receipts."""
        with suppress(StorageError):  # the door stays as it is: the numbers are the last good ones
            self.status = await self._thread.call(self._journal.status)

    async def close(self) -> None:
        """Give the disk a last moment for what waits; idempotent."""
        if self._committer is not None and not self.storage_failed:
            await asyncio.wait({self._committer}, timeout=RETRY_S)
        if self._committer is not None:
            self._committer.cancel()
            await asyncio.gather(self._committer, return_exceptions=True)
            self._committer = None

    def _first_status(self) -> SpoolStatus:
        try:
            return self._journal.status()
        except StorageError:
            # the door stays as it is: it works from memory and the courier's, until the disk can be had
            self.storage_failed = True
            return SpoolStatus(pending=0, oldest=None, head=None, receipted=None, last_wall=None, sent_generation=0)

    def _seal(self, draft: Draft, sequence: Sequence, previous: RecordHash) -> bytes:
        facts = self._facts()
        body = Body(
            kind=draft.kind,
            outcome=draft.outcome,
            reason=draft.reason,
            flags=draft.flags | self._standing_flags(),
            count=draft.count,
            wall=clock.wall(),
            monotonic=clock.monotonic(),
            boot_id=self._boot_id,
            door=draft.door,
            reader=draft.reader,
            token=draft.token if draft.token is not None else filler_token(),
            row_tag=draft.row_tag if draft.row_tag is not None else RowTag(os.urandom(ROW_TAG_SIZE)),
            roster_generation=facts.generation,
            roster_digest=facts.digest,
            previous=previous,
            pending=min(self.pending, 0xFFFF_FFFF),
            detail=draft.detail,
        )
        header = Header(
            key_id=self._monitor.record_key_id,
            controller=self._keys.controller,
            epoch=self.epoch,
            sequence=sequence,
        )
        sealed = seal_record(header=header, body=body, identity=self._keys.identity, monitor=self._monitor)
        self._on_made(record_hash(sealed), body.monotonic)
        return sealed

    def _enqueue(self, record: bytes | None, hash_: RecordHash, sequence: Sequence, entry: Entry) -> Recording:
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        recording = Recording(
            record=record, hash=hash_, sequence=sequence, entry=entry, committed=committed, made=clock.monotonic()
        )
        self._queue.append(recording)
        if record is not None:
            self._by_hash[hash_] = recording
        self._keep_bound()
        self._wake()
        return recording

    def _wake(self) -> None:
        if self._committer is None or self._committer.done():
            self._committer = self._spawn(self._commit(), name="committer")

    async def _commit(self) -> None:
        """Commit what waits, group by group, until nothing does."""
        while self._queue:
            group = [self._queue[i] for i in range(min(GROUP, len(self._queue)))]
            self._in_flight = len(group)
            try:
                self.status = await self._thread.call(self._append, [recording.entry for recording in group])
            except StorageError:
                # the door stays as it is: every record of the group goes to the courier's memory instead
                self._in_flight = 0
                self._failed()
                await asyncio.sleep(RETRY_S)
                continue
            self._in_flight = 0
            for recording in group:
                self._stored(recording)
            self._works()
            await self._make_room()

    def _append(self, entries: list[Entry]) -> SpoolStatus:
        self._journal.append(entries)
        return self._journal.status()

    def _stored(self, recording: Recording) -> None:
        self._queue.popleft()  # what is in flight does not give way, so this is the oldest
        self._by_hash.pop(recording.hash, None)
        if not recording.committed.done():
            recording.committed.set_result(None)
        if recording.record is not None and not recording.receipted and not recording.unhurried:
            self._link.fresh(recording.record)  # also where it was kept: from here on it may give way there

    def _keep(self, recording: Recording) -> None:
        """Into the memory of the courier that is there now: an earlier one took what it kept with it."""
        if recording.record is None or recording.receipted:
            return
        if not recording.held_by or recording.held_by != self._link.connection:
            recording.held_by = self._link.keep(recording.record)

    def _failed(self) -> None:
        for recording in to_keep(self._queue, self._link.connection, MOST_KEPT):
            self._keep(recording)
        if not self.storage_failed:
            self.storage_failed = True
            self._say_storage()
            self._fault_record(began=True)

    def _works(self) -> None:
        if self.storage_failed and not self._queue:
            self.storage_failed = False
            self._say_storage()
            self._fault("storage and courier", None)
            self._fault_record(began=False)

    def _say_storage(self) -> None:
        """What is wrong now; what gave way is gone for good, and stands until doord is started again."""
        failing = "the disk does not answer" if self.storage_failed else ""
        gone = f"{_records(self.gave_way)} gave way" if self.gave_way else ""
        self._fault("storage", "; ".join(text for text in (failing, gone) if text) or None)

    def _fault_record(self, *, began: bool) -> None:
        word = "storage fault" if began else "storage works again"
        self.record(
            Draft(
                kind=Kind.FAULT,
                detail=FaultDetail(code=FaultCode.STORAGE, began=began).encode(),
                log=LogRow(wall=clock.wall(), event="fault", detail=word),
            )
        )

    async def _make_room(self) -> None:
        """At the spool's bound the oldest become one signed loss record, and the door goes on."""
        with suppress(StorageError):  # tried again at the next commit
            report = await self._thread.call(self._journal.make_room)
            if report is not None:
                log = LogRow(wall=clock.wall(), event="loss", count=report.unmatched + report.matched)
                self.record(Draft(kind=Kind.LOSS, detail=report.detail.encode(), log=log, loss=report))

    def _keep_bound(self) -> None:
        """Neither what the journal has in hand gives way, nor the newest: a door is about to answer for it."""
        excess = len(self._queue) - MOST_UNSTORED
        if excess <= 0:
            return
        free = list(self._queue)[self._in_flight : -1]
        going = giving_way(free, self.epoch, excess, MOST_UNSTORED)
        self._drop({*going.silent, *going.lost})
        if going.report is not None:
            # no `loss` in it: should a failed append have reached the disk after all, the record there stays
            report = going.report
            log = LogRow(wall=clock.wall(), event="loss", count=report.unmatched + report.matched)
            self.record(Draft(kind=Kind.LOSS, detail=report.detail.encode(), log=log))

    def _drop(self, gone: set[Recording]) -> None:
        """Out of the queue; their lock-out counters go to the disk with the next that stays."""
        staying: deque[Recording] = deque()
        counters: dict[bytes, Plain] = {}
        for recording in self._queue:
            if recording in gone:
                counters.update(recording.entry.lockouts)
                self._by_hash.pop(recording.hash, None)
                self.gave_way += recording.record is not None
                continue
            if counters:
                recording.entry = replace(recording.entry, lockouts=counters | dict(recording.entry.lockouts))
                counters = {}
            staying.append(recording)
        self._queue = staying
        self._say_storage()


def _matched(draft: Draft) -> bool:
    if draft.weight_matched is not None:
        return draft.weight_matched
    return draft.kind is not Kind.ACCESS or Flag.MATCHED in draft.flags


def _records(count: int) -> str:
    return f"{count} record" if count == 1 else f"{count} records"
