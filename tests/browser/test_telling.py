"""The rule for a busy machine is judged: noise passes, and no difference of duress visits alone does, however seldom."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.browser.comparison import Change, Visit
from tests.browser.telling import EQUAL, TRIES, ways_to_tell

USUAL = Visit(
    changes=(Change(where="[data-strike] [data-lamp]", what="@data-lamp", value="lit", since_ms=300.0),), pictures={}
)
TOLD = replace(USUAL, pictures={"released": b"a pixel"})
SLOW, SLOWER = (replace(USUAL, changes=(replace(USUAL.changes[0], since_ms=since_ms),)) for since_ms in (450.0, 620.0))
PIXEL = "picture released: other pixels"
LATE = ["the alarm came after 1200 ms"]


class Day:
    """Visits as they come on one day: U usual, T told by a pixel, S and R slow in two ways, L usual with a late alarm."""

    def __init__(self, normal: str, duress: str) -> None:
        self._normal, self._duress = (self._endless(day) for day in (normal, duress))
        self.played = ""

    def ways(self) -> list[str]:
        return ways_to_tell(lambda: self._visit("n", self._normal)[0], lambda: self._visit("d", self._duress))

    def _visit(self, kind: str, day: Iterator[str]) -> tuple[Visit, list[str]]:
        self.played += kind
        came = next(day)
        return {"U": USUAL, "L": USUAL, "T": TOLD, "S": SLOW, "R": SLOWER}[came], LATE if came == "L" else []

    @staticmethod
    def _endless(day: str) -> Iterator[str]:
        yield from day
        while True:
            yield day[-1]


@pytest.mark.parametrize(
    ("normal", "duress", "played"),
    [
        ("U", "U", "ndd"),
        ("SU", "U", "ndnd"),  # the first normal visit was the slow one
        ("US", "SU", "ndnd"),  # both were slow at once
        ("US", "RU", "ndndd"),  # each slow in its own way
        ("U", "SRSU", "ndndndndd"),  # moments, again and again
        ("U", "TU", "ndndddd"),  # what was seen asks for two visits more
        ("U", "LU", "nddd"),
    ],
)
def test_noise_passes(normal: str, duress: str, played: str) -> None:
    day = Day(normal, duress)
    assert (day.ways(), day.played) == ([], played)


@pytest.mark.parametrize("duress", ["T", "UTUT", "UTUUTU", "TUUUT", "STUT"])
def test_the_same_difference_twice_is_found_out(duress: str) -> None:
    assert Day("U", duress).ways() == [f"twice: {PIXEL}"]


def test_a_moment_that_is_always_another_is_found_out() -> None:
    said, *ways = Day("U", "S").ways()
    assert said == f"0 of {TRIES} duress visits equal a normal one, expected {EQUAL}"
    assert ways == ["time: [data-strike] [data-lamp] @data-lamp='lit' at 300 ms in one, and at 450 ms in the other"]


def test_a_difference_that_hides_in_noise_is_no_pass() -> None:
    normal = "US" * TRIES
    assert Day(normal, "T").ways() == [f"0 of {TRIES} duress visits equal a normal one, expected {EQUAL}", PIXEL]


def test_alarms_that_are_always_late_are_no_pass() -> None:
    assert Day("U", "L").ways() == [f"0 of {TRIES} duress visits equal a normal one, expected {EQUAL}", *LATE]
