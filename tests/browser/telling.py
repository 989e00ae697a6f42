"""Whether somebody can tell duress visits from normal ones, by as few visits as a busy machine allows.

A machine's noise falls on normal visits as well; what a code's meaning did falls on duress visits alone. So a duress
visit that shows another element, value or pixel than every normal one counts against the door if the normal visits on both
its sides equal each other: it asks for more visits that show nothing, and the same thing twice is no noise. A moment may
be noise more than twice: the alarm is raised and drawn on this same machine, and what a full machine has to do for it comes
out of the page's time. Where the neighbours differ from each other, the visit shows nothing, for the door or against it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from tests.browser.comparison import Visit, differences

EQUAL: Final = 2
"""Duress visits that must equal a normal one; and so many more for each where something else was seen."""
TRIES: Final = 8
"""Duress visits in all: on a machine that is busier than that nothing is shown, which is no pass."""
_OF_TIME: Final = ("time:", "order:")

Forced = tuple[Visit, list[str]]
"""A duress visit, and what was wrong with it where nobody at the door sees it: the alarm that came late."""


def ways_to_tell(normal: Callable[[], Visit], forced: Callable[[], Forced]) -> list[str]:
    """Plays visits until it is clear; empty if nobody can tell."""
    usual = [normal()]
    equal, needed = 0, EQUAL
    against: set[str] = set()
    ways: list[str] = []
    for _ in range(TRIES):
        visit, wrong = forced()
        found = _nearest(usual, visit)
        if found:
            usual.append(normal())
            found = _nearest(usual, visit)
        ways = [*wrong, *found] or ways
        if not wrong and not found:
            equal += 1
            if equal == needed:
                return []
        elif found and not differences(*usual[-2:]):
            seen = {way for way in differences(usual[-1], visit) if not way.startswith(_OF_TIME)}
            if again := sorted(seen & against):
                return [f"twice: {way}" for way in again]
            against |= seen
            needed += EQUAL if seen else 0
    return [f"{equal} of {TRIES} duress visits equal a normal one, expected {needed}", *ways]


def _nearest(usual: Sequence[Visit], visit: Visit) -> list[str]:
    """How it differs from the normal visit that is most like it."""
    return min((differences(one, visit) for one in usual), key=len)
