"""One batch of older records at a time: when to ask doord for it, when it may be sent. Pure.

Theory of operation. IDLE until it is time to ask; ASKED while doord's records come in; READY while there is a batch
in hand; then IDLE again, and at once if there may be more. A batch that holds a record of the last receipted one means
that those receipts did doord no good (or its disk is slow to note them): it is sent after a wait that doubles, so
that a monitor whose receipts are worthless is not asked for them at the speed of the line.
"""

from enum import Enum, auto
from typing import Final

from doorctl.core.types import SECOND, Duration, Monotonic
from doorctl.errors import MalformedError
from doorctl.wire.sizes import BATCH_RECORDS

REST: Final = Duration(5 * SECOND)
"""Between asking doord when it had nothing: what only the journal knows of waits so long (announcements of an import,
what a restored monitor asks for again, a receipt that proved false)."""
SOON: Final = Duration(1 * SECOND)
PATIENCE: Final = Duration(60 * SECOND)
"""doord answers even while its disk stalls, only later; after this the link itself must be broken."""
_MOST_DOUBLINGS: Final = 6
"""1 s, 2 s … 64 s."""


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
        self._last: frozenset[bytes] = frozenset()
        self._level = 0

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
        self.batch, self._incoming = tuple(self._incoming), []
        if not self.batch:
            self._idle(Monotonic(now + REST))
            return
        self.state = BacklogState.READY
        stuck = not self._last.isdisjoint(self.batch)
        self.at = Monotonic(now + (SOON << self._level if stuck else 0))
        self._level = min(self._level + 1, _MOST_DOUBLINGS) if stuck else 0

    def receipted(self, batch: tuple[bytes, ...], now: Monotonic) -> None:
        """The monitor answered for this batch: there may be more."""
        self._last = frozenset(batch)
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
