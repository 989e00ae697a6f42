"""One batch of older records at a time: when to ask doord for it, when it may be sent. Pure.

Theory of operation. IDLE until it is time to ask; ASKED while doord's records come in; READY while there is a batch
in hand; then IDLE again, and at once if there may be more. A record that doord offers although it was answered for
means that the receipt did doord no good, or that its disk has not noted it yet: it goes out again only after a wait
that doubles each time, so that a monitor whose receipts are worthless is not asked for them at the speed of the line.
The others of its batch go at once. A batch of nothing else is let go, and doord asked for the next: at once as a person
counts where it was full, since what was never sent may lie below. What is let go and still wanted is offered again.
"""

from collections import OrderedDict
from collections.abc import Iterable
from enum import Enum, auto
from typing import Final

from doorctl.core.types import MS, SECOND, Duration, Monotonic
from doorctl.errors import MalformedError
from doorctl.wire.record import RecordHash, record_hash
from doorctl.wire.sizes import BATCH_RECORDS

REST: Final = Duration(5 * SECOND)
"""Between asking doord when it had nothing: what only the journal knows of waits so long (announcements of an import,
what a restored monitor asks for again, a receipt that proved false)."""
SOON: Final = Duration(1 * SECOND)
PATIENCE: Final = Duration(60 * SECOND)
"""doord answers even while its disk stalls, only later; after this the link itself must be broken."""
_MOST_DOUBLINGS: Final = 6
"""1 s, 2 s … 64 s."""
NEXT: Final = Duration(100 * MS)
"""After a full batch of which nothing may go out yet; a small pause, so that a long pass does not keep doord busy."""
_MOST_ANSWERED: Final = 16_384
"""Remembered, some 4 MB. With more than these under worthless receipts each goes out once in half a minute, which is
how long a pass over them takes on the line, and the wait does not grow beyond that."""


class BacklogState(Enum):
    """Where the batch is."""

    IDLE = auto()
    ASKED = auto()
    READY = auto()


class Backlog:
    """At most one batch."""

    def __init__(self) -> None:
        self.state = BacklogState.IDLE
        self.batch: tuple[bytes, ...] = ()
        self.at = Monotonic(0)
        """IDLE: when to ask. ASKED: when doord is late. READY: when it may be sent."""
        self._incoming: list[bytes] = []
        self._answered = _Answered()

    def soon(self, at: Monotonic) -> None:
        """There is reason to ask doord by then."""
        if self.state is BacklogState.IDLE:
            self.at = min(self.at, at)

    def asked(self, now: Monotonic) -> int:
        """Asking doord now for this many."""
        self.state = BacklogState.ASKED
        self._incoming = []
        self.at = Monotonic(now + PATIENCE)
        return BATCH_RECORDS

    def take(self, record: bytes) -> None:
        """One of doord's; MalformedError if it is more than was asked for."""
        if self.state is not BacklogState.ASKED or len(self._incoming) == BATCH_RECORDS:
            raise MalformedError("handoff: more backlog than was asked for")
        self._incoming.append(record)

    def ended(self, now: Monotonic) -> None:
        """doord has no more for this batch."""
        if self.state is not BacklogState.ASKED:
            raise MalformedError("handoff: the end of a backlog that was not asked for")
        offered, self._incoming = self._incoming, []
        self.batch = tuple(record for record in offered if self._answered.again_at(record) <= now)
        if self.batch:
            self.state = BacklogState.READY
            self.at = now
            return
        if len(offered) == BATCH_RECORDS:
            self._idle(Monotonic(now + NEXT))
            return
        again_at = min(map(self._answered.again_at, offered), default=Monotonic(now + REST))
        self._idle(Monotonic(min(max(again_at, now + SOON), now + REST)))

    def receipted(self, batch: tuple[bytes, ...], now: Monotonic) -> None:
        """The monitor answered for this batch: there may be more."""
        self._answered.add(batch, now)
        if self.batch == batch:
            self._idle(now)

    def forget(self, now: Monotonic) -> None:
        """doord is gone, or back: whatever it has to offer it will offer again."""
        self._idle(now)

    def _idle(self, ask_at: Monotonic) -> None:
        self.state = BacklogState.IDLE
        self.batch = ()
        self._incoming = []
        self.at = ask_at


class _Answered:
    """Records that the monitor answered for, and when each may go out again if doord still offers it."""

    def __init__(self) -> None:
        self._again: OrderedDict[RecordHash, tuple[Monotonic, int]] = OrderedDict()

    def add(self, batch: Iterable[bytes], now: Monotonic) -> None:
        """Each time a record is among them its wait doubles."""
        for hash_ in map(record_hash, batch):
            _, doublings = self._again.pop(hash_, (now, 0))
            self._again[hash_] = Monotonic(now + (SOON << doublings)), min(doublings + 1, _MOST_DOUBLINGS)
        while len(self._again) > _MOST_ANSWERED:
            self._again.popitem(last=False)

    def again_at(self, record: bytes) -> Monotonic:
        """0 for one that was not among them."""
        at, _ = self._again.get(record_hash(record), (Monotonic(0), 0))
        return at
