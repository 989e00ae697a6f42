"""When a line is dialled next, and where. Pure: takes `now`, and randomness as a function.

Theory of operation. A line rests until it is wanted, waits until it is due, is dialled, is up, and is proven by the
first answer on it: TLS 1.3 lets a client believe in a connection that the monitor is about to refuse, so only an answer
counts. An attempt that ends unproven moves on to the next address at once; when every address has had its turn, the
wait doubles, with jitter, so that a site's boards do not come back in step. A connection that lasted begins
again at the shortest wait.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from doorctl.core.types import MS, SECOND, Duration, Monotonic
from doorctl.wire.handoff import PathState

STEADY: Final = Duration(10 * SECOND)
"""A proven connection that lasted this long was a good one; shorter ones keep doubling the wait."""
EAGER_GAP: Final = Duration(250 * MS)
"""A fresh record cuts a wait short, but never to less than this since the last attempt began."""

_GRAVITY: Final = {PathState.UNREACHABLE: 0, PathState.REFUSED: 1, PathState.WRONG_CERTIFICATE: 2}
"""Of two addresses that fail differently, the graver is what people should hear about."""


class LineState(Enum):
    """How a line is."""

    RESTING = auto()
    WAITING = auto()
    DIALLING = auto()
    UP = auto()
    PROVEN = auto()


class Dialer:
    """The state of one line."""

    def __init__(
        self,
        *,
        addresses: int,
        shortest: Duration,
        longest: Duration,
        patience: Duration,
        jitter: Callable[[], float],
    ) -> None:
        """Waits from `shortest` to `longest`, an attempt has `patience`; `jitter` returns 0 ≤ x < 1."""
        self._addresses = addresses
        self._shortest = shortest
        self._longest = longest
        self._patience = patience
        self._jitter = jitter
        self._deadline: Monotonic | None = None
        self._since = Monotonic(0)
        self._level = 0
        self._tried = 0
        self._gravest = PathState.UNREACHABLE
        self.state = LineState.RESTING
        self.attempt = 0
        self.address = 0
        """Index of the address that is dialled next, or was last."""

    @property
    def up(self) -> bool:
        """Whether something may be sent."""
        return self.state in (LineState.UP, LineState.PROVEN)

    def refused(self, now: Monotonic) -> bool:
        """Whether a peer that hangs up now declines us: it took our handshake, answered nothing, and did not wait long.

        A monitor that does not know our certificate looks like that in TLS 1.3, with or without an alert.
        """
        return self.state is LineState.UP and now - self._since < STEADY

    def next_deadline(self) -> Monotonic | None:
        """WAITING: when to dial. DIALLING: when to give up."""
        return self._deadline

    def want(self, now: Monotonic) -> None:
        """The line is needed: dial at once, unless a wait is on already."""
        if self.state is LineState.RESTING:
            self._wait(now)

    def rest(self) -> None:
        """The line is not needed; what is up or being dialled stays."""
        if self.state is LineState.WAITING:
            self.state = LineState.RESTING
            self._deadline = None

    def hurry(self, now: Monotonic) -> None:
        """A fresh record waits for this line: cut a long wait short."""
        if self.state is LineState.WAITING and self._deadline is not None:
            self._deadline = min(self._deadline, max(now, Monotonic(self._since + EAGER_GAP)))

    def dial(self, now: Monotonic) -> int:
        """An attempt begins now; its number."""
        self.state = LineState.DIALLING
        self.attempt += 1
        self._since = now
        self._deadline = Monotonic(now + self._patience)
        return self.attempt

    def connected(self, now: Monotonic) -> None:
        """The attempt came up."""
        self.state = LineState.UP
        self._since = now
        self._deadline = None

    def proven(self) -> None:
        """The monitor answered; doord's socket is proven by being there."""
        self.state = LineState.PROVEN
        self._tried = 0
        self._gravest = PathState.UNREACHABLE

    def lost(self, now: Monotonic, why: PathState) -> PathState | None:
        """The line ended: wait. Once all addresses failed, the gravest reason, else None."""
        if self.state is LineState.PROVEN:
            if now - self._since >= STEADY:
                self._level = 0
            self._wait(self._later(now))
            return None
        self._gravest = max(self._gravest, why, key=_GRAVITY.__getitem__)
        self.address = (self.address + 1) % self._addresses
        self._tried += 1
        if self._tried < self._addresses:
            self._wait(now)
            return None
        gravest, self._gravest, self._tried = self._gravest, PathState.UNREACHABLE, 0
        self._wait(self._later(now))
        return gravest

    def _wait(self, until: Monotonic) -> None:
        self.state = LineState.WAITING
        self._deadline = until

    def _later(self, now: Monotonic) -> Monotonic:
        """Half of the wait is certain, half is drawn; the next one is twice as long."""
        whole = min(self._longest, self._shortest << self._level)
        if whole < self._longest:
            self._level += 1
        return Monotonic(now + whole // 2 + int(whole / 2 * self._jitter()))
