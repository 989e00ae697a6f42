"""Receipts and what the monitor wants again: the only way a record is ever forgotten here.

A receipt counts when the monitor signed it, for this controller, over the hash of a record that is here. Its time
confirms or contradicts the wall clock only where it answers a record made within the last minute, so that an old
receipt played back by the network side moves nothing. Nothing that arrives here ever moves a strike.
"""

import asyncio
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from doorctl.core.types import SECOND, Monotonic
from doorctl.doord import clock
from doorctl.doord.recorder import Recorder
from doorctl.doord.worker import Spawn, WorkerThread
from doorctl.errors import PeerError, StorageError
from doorctl.journal.journal import Journal
from doorctl.journal.rows import ReceiptKey, Stored
from doorctl.seal.public import MonitorPublic
from doorctl.seal.receipts import verify_receipt
from doorctl.wire.receipt import Receipt, Status
from doorctl.wire.record import SUPERVISION_BIT, ControllerId, RecordHash

_RECENT: Final = Monotonic(60 * SECOND)
_MOST_RECENT: Final = 512
_MOST_WANTED: Final = 1024
"""Records to be sent again, and those of one wish; a monitor that lost more wishes again."""
_MOST_WISHES: Final = 64
"""Not yet looked up: as many as the receipts of one batch bring."""
_MOST_PASSES: Final = 16
"""Passes begun above one that is not at its end; beyond that they become one, from the newest."""
MOST_TAKEN: Final = 4096
"""Receipts that wait for the journal; what comes above that is not taken, and its record sent and receipted again."""
RETRY_S: Final = 1.0


class Receipts:
    """Takes receipts on the loop, marks them in the journal's thread, many at a time."""

    def __init__(
        self,
        *,
        controller: ControllerId,
        monitor: MonitorPublic,
        journal: Journal,
        thread: WorkerThread,
        recorder: Recorder,
        wall_clock: clock.WallClock,
        spawn: Spawn,
    ) -> None:
        self._controller, self._monitor = controller, monitor
        self._journal, self._thread, self._recorder, self._clock = journal, thread, recorder, wall_clock
        self._spawn = spawn
        self._recent: OrderedDict[RecordHash, Monotonic] = OrderedDict()
        self._waiters: dict[RecordHash, asyncio.Future[None]] = {}
        self._taken: list[ReceiptKey] = []
        self._closed = False
        self._marking: asyncio.Task[None] | None = None
        self._finding: asyncio.Task[None] | None = None
        self._wishes: deque[Receipt] = deque()
        self._wanted: deque[Stored] = deque()
        self._passes: list[_Pass] = []
        self._newest = 0
        """Position of the newest record ever offered as backlog."""
        self._handed = (0, 0)
        self.wishes_cut = 0
        """Records that the monitor wants again and that there was no room for; it will want them again."""
        self.forged = 0
        """Receipts that the monitor did not sign, or that are of another board."""
        self.for_nothing = 0
        """Receipts of the monitor for what does not wait for one: repeats, or another record of the same numbers."""
        self.refused: dict[str, int] = {}
        """Records the monitor will not take, by its reason; they stay in the spool."""

    def made(self, hash_: RecordHash, now: Monotonic) -> None:
        """A record was made: a receipt for it within a minute tells the time."""
        self._recent[hash_] = now
        while len(self._recent) > _MOST_RECENT:
            self._recent.popitem(last=False)

    def waiter(self, hash_: RecordHash) -> asyncio.Future[None]:
        """Done when the record's receipt is here."""
        return self._waiters.setdefault(hash_, asyncio.get_running_loop().create_future())

    def forget_waiter(self, hash_: RecordHash) -> None:
        """Nobody waits any more."""
        self._waiters.pop(hash_, None)

    def take(self, untrusted: bytes) -> None:
        """Bytes that the courier says are a receipt."""
        try:
            receipt = verify_receipt(untrusted, self._monitor)
        except PeerError:
            # the door stays as it is: the record waits for a receipt that is one
            self.forged += 1
            return
        if receipt.controller != self._controller:
            self.forged += 1
            return
        if receipt.status is Status.REFUSED:
            self.refused[receipt.refusal.name] = self.refused.get(receipt.refusal.name, 0) + 1
            return
        self._tell_time(receipt)
        waiting = self._recorder.receipted(receipt.record)
        if waiter := self._waiters.pop(receipt.record, None):
            waiter.set_result(None)
        if receipt.want_count:
            self._want(receipt)
        if receipt.sequence & SUPERVISION_BIT:
            return
        key = (receipt.epoch, receipt.sequence, receipt.record, receipt.monitor_time)
        if waiting is None or waiting.committed.done():
            self._mark_soon(key)
        else:
            waiting.committed.add_done_callback(lambda _: self._mark_soon(key))

    def _mark_soon(self, key: ReceiptKey) -> None:
        if self._closed or len(self._taken) >= MOST_TAKEN:
            return
        self._taken.append(key)
        if self._marking is None or self._marking.done():
            self._marking = self._spawn(self._mark(), name="receipts")

    async def backlog(self, most: int) -> list[bytes]:
        """Older records, newest first: what the monitor wants again, then what waits for a receipt.

        Each pass goes down to the oldest before it begins at the newest again, so that a record which the monitor
        refuses cannot stand in the way of the others. What was made since, and may be with no courier, comes first.
        A wish that has just come is looked up before: the courier asks as soon as it has handed the receipt on.
        """
        if self._finding is not None:
            await asyncio.wait([self._finding])
        self._begin_pass()
        records = [self._wanted.popleft().record for _ in range(min(most, len(self._wanted)))]
        while len(records) < most and self._passes:
            records += await self._next_of_pass(most - len(records))
        return records

    def _begin_pass(self) -> None:
        handed, self._handed = self._handed, self._recorder.handed
        if len(self._passes) >= _MOST_PASSES:
            self._passes.clear()
        if not self._passes:
            self._passes.append(_Pass(above=0))
        elif handed != self._handed:
            self._passes.append(_Pass(above=self._newest))

    async def _next_of_pass(self, most: int) -> list[bytes]:
        this = self._passes[-1]
        try:
            found = await self._thread.call(self._journal.pending, most, before=this.last)
        except StorageError:
            # the door stays as it is: what is wanted again was taken already, and the courier asks for more
            self._passes.clear()
            return []
        fitting = [stored for stored in found if stored.position > this.above]
        if fitting:
            this.last = fitting[-1]
            self._newest = max(self._newest, fitting[0].position)
        if len(fitting) < most:
            self._passes.remove(this)
        return [stored.record for stored in fitting]

    async def close(self) -> None:
        """A last moment for the disk to mark what was taken; idempotent."""
        self._closed = True
        tasks = [task for task in (self._marking, self._finding) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        taken, self._taken = self._taken, []
        if taken:
            with suppress(StorageError, TimeoutError):  # the door stays as it is: the records are sent twice
                await asyncio.wait_for(self._thread.call(self._journal.done, taken), RETRY_S)

    def _tell_time(self, receipt: Receipt) -> None:
        made = self._recent.pop(receipt.record, None)
        now = clock.monotonic()
        if made is not None and now - made < _RECENT:
            self._clock.monitor_says(receipt.monitor_time, clock.wall(), at=now, age=now - made)

    async def _mark(self) -> None:
        while self._taken:
            taken = self._taken.copy()
            try:
                marked = await self._thread.call(self._journal.done, taken)
            except StorageError:
                # the door stays as it is: at worst a record is sent twice, which the monitor recognises
                await asyncio.sleep(RETRY_S)
            else:
                del self._taken[: len(taken)]
                self.for_nothing += len(taken) - marked
                await self._recorder.refresh()

    def _want(self, receipt: Receipt) -> None:
        if len(self._wishes) >= _MOST_WISHES:
            self.wishes_cut += receipt.want_count
            return
        self._wishes.append(receipt)
        if self._finding is None or self._finding.done():
            self._finding = self._spawn(self._find_wanted(), name="wanted")

    async def _find_wanted(self) -> None:
        while self._wishes:
            wish = self._wishes.popleft()
            count = min(wish.want_count, _MOST_WANTED)
            try:
                found = await self._thread.call(self._journal.again, wish.want_epoch, wish.want_sequence, count)
            except StorageError:
                self._wishes.clear()  # the door stays as it is: the monitor will want them again
                return
            waiting = {stored.hash for stored in self._wanted}
            again = [stored for stored in found if stored.hash not in waiting]
            room = _MOST_WANTED - len(self._wanted)
            self._wanted.extend(again[:room])
            self.wishes_cut += len(again[room:])


@dataclass(slots=True, kw_only=True)
class _Pass:
    """On the way down from the newest record to an old one."""

    above: int
    """Position at which another pass began."""
    last: Stored | None = None
    """Offered last."""
