"""Which sequences of an epoch are here, as a few intervals instead of a hundred thousand numbers. Pure.

A backlog arrives newest first and a fresh record arrives before it, so the set is always a handful of intervals.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

FIRST_SEQUENCE = 1
"""Sequences of an epoch begin here; the epoch's START record has it."""


class Ranges:
    """A set of integers kept as sorted, disjoint, never touching intervals (first, last)."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, intervals: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in intervals:
            self.add(first, last)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._firsts, number) - 1
        return place >= 0 and number <= self._lasts[place]

    def add(self, first: int, last: int | None = None) -> None:
        """Add first..last (or the one number); an empty interval adds nothing."""
        last = first if last is None else last
        if last < first:
            return
        begin = bisect_right(self._firsts, first)
        if begin and self._lasts[begin - 1] >= first - 1:
            begin -= 1
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first = min(first, self._firsts[begin])
            last = max(last, self._lasts[end - 1])
        self._firsts[begin:end] = [first]
        self._lasts[begin:end] = [last]

    def first_hole(self, first: int, last: int) -> tuple[int, int] | None:
        """The lowest interval inside first..last that is not here."""
        if last < first:
            return None
        place = bisect_right(self._firsts, first) - 1
        if place >= 0 and self._lasts[place] >= first:
            first = self._lasts[place] + 1
            if first > last:
                return None
        following = place + 1
        until = self._firsts[following] - 1 if following < len(self._firsts) else last
        return first, min(until, last)

    def holes(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Every interval inside first..last that is not here, lowest first."""
        while hole := self.first_hole(first, last):
            yield hole
            first = hole[1] + 1

    def highest(self) -> int | None:
        """The largest number here."""
        return self._lasts[-1] if self._lasts else None
