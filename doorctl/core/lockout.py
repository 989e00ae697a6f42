"""Wrong codes are counted: who must wait, and when the whole site is being guessed at. Never a code, only counts.

A counter belongs to the card where there is a card, else to the reader. The configured number of wrong codes locks it
for `first`; each wrong code after that for twice as long, up to `longest`, with one try between. A right code resets
it. What is given while locked out is not counted, so waiting is enough and nobody is kept out by a stranger's
persistence longer than `longest`. A right code given while locked out resets nothing, or the reset would tell.

A holder who mixes in their own right code can guess on at a reader without cards; the guessing window is for that:
it counts every wrong code at the site and no right one clears it.

Times are monotonic. Across a restart the remaining time is kept, never shortened: `counters` gives plain values,
`restore` takes them up from the new clock's now.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NewType

from doorctl.core.effects import GuessingAlarm
from doorctl.core.types import SECOND, Duration, Monotonic, ReaderName

LockoutKey = NewType("LockoutKey", bytes)
"""Opaque; made by `card_key` or `reader_key`, and fit to be stored."""

CARD_KEYS: Final = 10_000
"""At most so many cards are remembered: what an attacker with a card writer can make us keep."""
GUESSING_WINDOW: Final = Duration(600 * SECOND)
"""Ten minutes (design.md, Cryptography: a site-wide guessing alarm)."""

_CARD: Final = b"c"
_READER: Final = b"r"
_MOST_DOUBLINGS: Final = 62
"""Past this a shift only makes numbers long."""


def card_key(card_id: bytes) -> LockoutKey:
    """The counter of a card, by its HMAC; the raw number never comes here."""
    return LockoutKey(_CARD + card_id)


def reader_key(reader: ReaderName) -> LockoutKey:
    """The counter of a reader, for codes without a card."""
    return LockoutKey(_READER + reader.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class LockoutPolicy:
    """[lockout] of the site."""

    tries: int
    """Wrong codes before the first lock-out."""
    first: Duration
    longest: Duration

    def __post_init__(self) -> None:
        if self.tries < 1 or not 0 < self.first <= self.longest:
            raise ValueError(f"lockout: {self.tries} tries, {self.first} to {self.longest} ns make no sense")

    def duration(self, wrong: int) -> Duration:
        """How long the `wrong`th wrong code in a row locks out; 0 while there are tries left."""
        if wrong < self.tries:
            return Duration(0)
        return Duration(min(self.first << min(wrong - self.tries, _MOST_DOUBLINGS), self.longest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One counter as plain values for the journal."""

    key: LockoutKey = field(repr=False)
    wrong: int
    remaining: Duration
    """Of the lock-out; 0 where there is none."""


@dataclass(slots=True, kw_only=True)
class _Count:
    wrong: int
    until: Monotonic


class Lockouts:
    """Every counter of the site."""

    __slots__ = ("_cards", "_counts", "_limit", "_policy")

    def __init__(self, policy: LockoutPolicy, *, limit: int = CARD_KEYS) -> None:
        if limit < 1:
            raise ValueError(f"lockout: a limit of {limit} cards makes no sense")
        self._policy = policy
        self._limit = limit
        self._counts: dict[LockoutKey, _Count] = {}
        """In order of the last wrong code, oldest first."""
        self._cards = 0

    def follow(self, policy: LockoutPolicy) -> None:
        """Count by another policy from now on; what was counted and who must wait stays as it is."""
        self._policy = policy

    def locked_out(self, key: LockoutKey, now: Monotonic) -> bool:
        """Whether this card or reader must wait; the lock-out ends at its last nanosecond."""
        count = self._counts.get(key)
        return count is not None and now < count.until

    def wrong(self, key: LockoutKey, now: Monotonic) -> None:
        """A code that matched nothing; not counted while locked out."""
        if self.locked_out(key, now):
            return
        count = self._take(key)
        wrong = 1 if count is None else count.wrong + 1
        self._put(key, wrong, Monotonic(now + self._policy.duration(wrong)), now)

    def right(self, key: LockoutKey, now: Monotonic) -> None:
        """A code that matched, whatever was decided then; resets nothing while locked out."""
        if not self.locked_out(key, now):
            self._take(key)

    def counter(self, key: LockoutKey, now: Monotonic) -> Counter:
        """One counter as it stands, all zero where nothing is counted: what to store after `wrong` and `right`."""
        count = self._counts.get(key)
        if count is None:
            return Counter(key=key, wrong=0, remaining=Duration(0))
        return Counter(key=key, wrong=count.wrong, remaining=Duration(max(0, count.until - now)))

    def counters(self, now: Monotonic) -> tuple[Counter, ...]:
        """All of them, oldest first."""
        return tuple(self.counter(key, now) for key in self._counts)

    def restore(self, counters: Iterable[Counter], now: Monotonic) -> None:
        """Take up stored counters; the remaining time runs from now on."""
        for stored in counters:
            self._take(stored.key)
            if stored.wrong > 0:
                self._put(stored.key, stored.wrong, Monotonic(now + max(0, stored.remaining)), now)

    def _take(self, key: LockoutKey) -> _Count | None:
        count = self._counts.pop(key, None)
        if count is not None and key.startswith(_CARD):
            self._cards -= 1
        return count

    def _put(self, key: LockoutKey, wrong: int, until: Monotonic, now: Monotonic) -> None:
        if key.startswith(_CARD):
            if self._cards == self._limit:
                self._take(self._gives_way(now))
            self._cards += 1
        self._counts[key] = _Count(wrong=wrong, until=until)

    def _gives_way(self, now: Monotonic) -> LockoutKey:
        """The oldest card that is not locked out, else the oldest; never a reader, of which there are few."""
        oldest = next(key for key in self._counts if key.startswith(_CARD))
        return next((k for k in self._counts if k.startswith(_CARD) and not self.locked_out(k, now)), oldest)


class GuessingWindow:
    """The last wrong codes of the whole site."""

    __slots__ = ("_armed", "_threshold", "_times", "_window")

    def __init__(self, *, threshold: int, window: Duration = GUESSING_WINDOW) -> None:
        if threshold < 1 or window <= 0:
            raise ValueError(f"guessing window: {threshold} in {window} ns makes no sense")
        self._threshold = threshold
        self._window = window
        self._times: deque[Monotonic] = deque(maxlen=threshold)
        self._armed = True

    def follow(self, threshold: int) -> None:
        """Another threshold from now on; the newest wrong codes stay counted."""
        if threshold < 1:
            raise ValueError(f"guessing window: {threshold} makes no sense")
        self._threshold = threshold
        self._times = deque(self._times, maxlen=threshold)

    def wrong(self, now: Monotonic) -> list[GuessingAlarm]:
        """A wrong code anywhere; one alarm when the window is full, and again only after the rate fell to half."""
        while self._times and self._times[0] <= now - self._window:
            self._times.popleft()
        if 2 * len(self._times) < self._threshold:
            self._armed = True
        self._times.append(now)
        if not self._armed or len(self._times) < self._threshold:
            return []
        self._armed = False
        return [GuessingAlarm(wrong_codes=len(self._times), window=self._window)]
