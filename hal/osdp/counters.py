"""What a line did for one reader, as numbers that `doorctl reader show` prints. Pure; bounded, however long it runs.

What each number means, and what to do about it, stands in docs/osdp.md.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hal.events import MS, SECOND, Monotonic
from hal.osdp.commands import Refusal

LAST: Final = 256
"""So many exchanges the percentiles are of."""
USE_WINDOW: Final = 10 * 1_000_000_000
"""Line use is of the last whole ten seconds."""
_PERCENTILES: Final = (50, 95, 99)


@dataclass(slots=True)
class Spread:
    """The last durations of a kind, in nanoseconds."""

    _last: deque[int] = field(default_factory=lambda: deque(maxlen=LAST))

    def add(self, duration: int) -> None:
        """One more; the oldest is forgotten."""
        self._last.append(duration)

    def percentiles_ms(self) -> Iterator[tuple[int, float]]:
        """Percentile and milliseconds; nothing where nothing was measured."""
        ordered = sorted(self._last)
        for percentile in _PERCENTILES if ordered else ():
            yield percentile, round(ordered[min(len(ordered) - 1, len(ordered) * percentile // 100)] / MS, 1)


@dataclass(slots=True)
class Use:
    """Which share of the line somebody has."""

    begun: Monotonic
    _held: int = 0
    _share: float = 0.0

    def held(self, duration: int, now: Monotonic) -> None:
        """The line was somebody's for so long, until now."""
        self._held += duration
        if now - self.begun >= USE_WINDOW:
            self._share = self._held / (now - self.begun)
            self._held, self.begun = 0, now

    def percent(self, now: Monotonic) -> float:
        """Of the last window; of what there is before the first has passed."""
        share = self._share or self._held / max(1, now - self.begun)
        return round(100 * share, 1)


@dataclass(slots=True, kw_only=True)
class Counters:
    """Of one reader."""

    use: Use
    exchanges: int = 0
    retries: int = 0
    timeouts: int = 0
    broken: int = 0
    """Answers with a wrong check, length or form."""
    busy: int = 0
    restarts: int = 0
    misused: int = 0
    bad_macs: int = 0
    in_clear: int = 0
    """Frames in clear in a secure session."""
    naks: dict[Refusal | None, int] = field(default_factory=dict)
    """By their code; None: one that nobody has defined."""
    answers: Spread = field(default_factory=Spread)
    """From a request's first byte to its answer's last."""
    waits: Spread = field(default_factory=Spread)
    """From one answer to the next: how long a card waits to be fetched."""
    offline_ns: int = 0
    _offline_since: Monotonic | None = None

    def nak(self, code: int) -> None:
        """The reader refused."""
        why = next((known for known in Refusal if known == code), None)
        self.naks[why] = self.naks.get(why, 0) + 1

    def offline(self, now: Monotonic) -> None:
        """It is not there from now on, or is still not."""
        if self._offline_since is None:
            self._offline_since = now

    def online(self, now: Monotonic) -> None:
        """It is."""
        if self._offline_since is not None:
            self.offline_ns += now - self._offline_since
            self._offline_since = None

    def report(self, now: Monotonic) -> dict[str, int | float]:
        """Flat, in the order a person reads it."""
        away = 0 if self._offline_since is None else now - self._offline_since
        naks = {f"nak_{why.name.lower()}": self.naks.get(why, 0) for why in Refusal}
        return {
            "exchanges": self.exchanges, "retries": self.retries, "timeouts": self.timeouts, "broken": self.broken,
            "busy": self.busy, "restarts": self.restarts, "misused": self.misused, "bad_macs": self.bad_macs,
            "in_clear": self.in_clear, **naks, "nak_other": self.naks.get(None, 0),
            "offline_s": round((self.offline_ns + away) / SECOND, 1), "line_use_percent": self.use.percent(now),
            **{f"answer_ms_p{percentile}": spent for percentile, spent in self.answers.percentiles_ms()},
            **{f"wait_ms_p{percentile}": spent for percentile, spent in self.waits.percentiles_ms()},
        }  # fmt: skip
