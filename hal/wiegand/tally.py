"""What one reader's decoder has learned and counted (rule 9), for `doorctl status`. No frame's content."""

from collections import Counter
from enum import Enum
from typing import Final

from hal.wiegand.rhythm import Rhythm

SMOOTHING: Final = 8
"""A new frame's weight in the learned pace is one eighth."""
SWAPPED_AFTER: Final = 3
"""Frames in a row whose complement fits the format: a quarter of garbage does by chance, three in a row 1.6 %."""


class Why(Enum):
    """Why a frame was refused; the values name the counters."""

    TOO_CLOSE = "edges too close"
    OVERLONG = "too many bits"
    RUNAWAY = "no silence"
    LENGTH = "length"
    IRREGULAR = "irregular"
    FORMAT = "format"
    COMPLEMENT = "format, complement fits"
    """The format refuses the frame and would take its complement: D0 and D1 may be swapped."""
    KEY = "key"
    TAIL = "edges after a card"
    ORDER = "out of order"
    LOST = "edges lost"


class Tally:
    """Counts and the learned pace."""

    __slots__ = (
        "_complements",
        "_interval",
        "_jitter",
        "_refused",
        "cards",
        "edges",
        "ignored",
        "key_frames",
        "line_faults",
        "losses",
        "noise",
    )

    def __init__(self) -> None:
        self.edges = 0
        self.ignored = 0
        """Edges while disarmed."""
        self.cards = 0
        self.key_frames = 0
        self.noise = 0
        """Times disarmed for it."""
        self.line_faults = 0
        self.losses = 0
        """Times that the source missed edges."""
        self._refused: Counter[Why] = Counter()
        self._interval: int | None = None
        self._jitter = 0
        self._complements = 0

    def believe_card(self, rhythm: Rhythm) -> None:
        """A card was read: its pace, and the lines are not swapped."""
        self.cards += 1
        self._complements = 0
        self._learn(rhythm)

    def believe_keys(self, rhythm: Rhythm) -> None:
        """A key frame was read."""
        self.key_frames += 1
        self._learn(rhythm)

    def refuse(self, why: Why) -> None:
        """A frame that was not believed."""
        self._refused[why] += 1
        if why is Why.COMPLEMENT:
            self._complements += 1
        elif why is Why.FORMAT:
            self._complements = 0

    def counters(self) -> dict[str, int | float]:
        """Flat numbers; times in milliseconds."""
        return {
            "edges": self.edges,
            "edges while disarmed": self.ignored,
            "cards": self.cards,
            "key frames": self.key_frames,
            "noise": self.noise,
            "line faults": self.line_faults,
            "losses": self.losses,
            "interval ms": (self._interval or 0) / 1e6,
            "jitter ms": self._jitter / 1e6,
            "swapped lines": int(self._complements >= SWAPPED_AFTER),
            **{f"refused: {why.value}": self._refused[why] for why in Why},
        }

    def _learn(self, rhythm: Rhythm) -> None:
        """A running mean of the pace."""
        if self._interval is None:
            self._interval, self._jitter = rhythm.median, rhythm.jitter
            return
        self._interval += (rhythm.median - self._interval) // SMOOTHING
        self._jitter += (rhythm.jitter - self._jitter) // SMOOTHING
