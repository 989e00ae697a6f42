"""What is played on the machine's lines and what must be heard: cards, their pulses, percentiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

US: Final = 1000
PULSE: Final = 50 * US
"""The shortest that readers on sale send; SIA AC-01 has 20 to 100 µs."""
INTERVALS: Final = tuple(us * US for us in (200, 500, 1000, 2000))
RAW: Final = {
    26: (0x2F01234, 0x0000001, 0x1555555),
    34: (0x2_DEAD_BEEF, 0x0_0000_0001, 0x1_5555_5555),
    37: (0x1A_5A5A_5A5A, 0x00_0000_0001, 0x0A_AAAA_AAAA),
}
"""Busy ones, one with leading zeros, one whose lines take turns."""
FLOOD: Final = 1300
"""More edges than the kernel keeps for a request that asks for 1,024."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One frame at one pace."""

    length: int
    raw: int
    interval: int
    """Nanoseconds."""

    def schedule(self, *, first_file: int = 0, begin: int = 0) -> list[tuple[int, int, int]]:
        """(time, number of the line's file, level) of each edge; a 0 is on the first file, a 1 on the next."""
        edges = []
        for place in range(self.length):
            line = first_file + (self.raw >> (self.length - 1 - place) & 1)
            at = begin + place * self.interval
            edges += [(at, line, 0), (at + PULSE, line, 1)]
        return edges


EVERY: Final = tuple(
    Card(length=length, raw=raw, interval=interval) for interval in INTERVALS for length in RAW for raw in RAW[length]
)
USUAL: Final = tuple(Card(length=26, raw=0x2F01234 ^ number << 1, interval=1000 * US) for number in range(100))
"""For latencies: readers on sale send a bit a millisecond."""


def flood() -> list[tuple[int, int, int]]:
    """Both lines in turn at the fastest legal pace, and no silence."""
    edges = []
    for number in range(FLOOD):
        at, line = number * INTERVALS[0], number % 2
        edges += [(at, line, 0), (at + PULSE, line, 1)]
    return edges


def text(edges: Sequence[tuple[int, int, int]]) -> str:
    """For `pulses`: in the order of time."""
    return "".join(f"{at} {line} {level}\n" for at, line, level in sorted(edges))


def door(*, name: str, chip: str, lengths: Sequence[int] = tuple(RAW)) -> dict[str, Any]:
    """A door of a scenario, as the guest's driver reads it."""
    return {"name": name, "chip": chip, "pins": [14, 15], "strike": 17, "lengths": list(lengths)}


def percentile(values: Sequence[int], share: float) -> float:
    """The nearest-rank percentile, in milliseconds."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] / 1e6
