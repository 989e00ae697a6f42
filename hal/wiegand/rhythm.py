"""The pace of a frame: what regular means, and how long silence must last to end it.

A reader's clock is steady within one frame, whoever made it; a lost bit shows as a double interval, an
inserted one as a short interval. That catches what parity misses. Integer nanoseconds, no clock, no state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import add
from typing import Final

from hal.events import MS

US: Final = 1_000

TOO_CLOSE: Final = 120 * US
"""Rule 2: less between two edges, on either line, taints the frame (a pulse is 20 to 100 µs, SIA AC-01)."""
FASTEST_INTERVAL: Final = 200 * US
"""Of a legal reader (SIA AC-01); the slowest is 20 ms."""
SILENCE: Final = 25 * MS
"""Longer than any legal interval: whatever was on the line has ended."""
SHORTEST_QUIET: Final = 600 * US
"""Rule 3: the least that ends a frame, three of the fastest intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """The intervals between the edges of one frame."""

    shortest: int
    median: int
    """The upper one of two."""
    longest: int
    shortest_pair: int
    """Of two neighbouring intervals together."""

    @property
    def regular(self) -> bool:
        """Rule 1: longest ≤ 1.75 × median, shortest ≥ 0.5 × median; and two neighbours together ≥ 1.5 × median.

        The last one is ours: an edge inserted in the middle of a slightly long interval leaves two halves that pass
        for short intervals, but together they are no more than one. With a bit lost at an end as well, 17 of 20,000
        simulated cards were read wrong without it (tests/bench/wiegand_hazards.py), and none with it.
        """
        return (
            4 * self.longest <= 7 * self.median
            and 2 * self.shortest >= self.median
            and 2 * self.shortest_pair >= 3 * self.median
        )

    @property
    def quiet(self) -> int:
        """Rule 3: how long after its last edge a complete frame is believed."""
        return min(max(2 * self.median, SHORTEST_QUIET), SILENCE)

    @property
    def jitter(self) -> int:
        """The farthest that an interval lies from the median."""
        return max(self.longest - self.median, self.median - self.shortest)


def rhythm_of(intervals: Sequence[int]) -> Rhythm:
    """Measure a frame of three bits or more."""
    ranked = sorted(intervals)
    return Rhythm(
        shortest=ranked[0],
        median=ranked[len(ranked) // 2],
        longest=ranked[-1],
        shortest_pair=min(map(add, intervals, intervals[1:])),
    )
