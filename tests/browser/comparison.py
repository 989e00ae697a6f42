"""What two visits at a door have to have in common: the same changes in the same order at the same times, and pictures.

Judges only what a camera before the screen could see. Times are told from the last hand on the door, a key or a leaf.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

WITHIN_MS: Final = 100.0
"""The issue's bound: from the last key, each change within this of its counterpart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change that the page's recorder noted (recorder.js)."""

    where: str
    what: str
    value: str | None
    since_ms: float

    @classmethod
    def of(cls, noted: Mapping[str, Any]) -> "Change":
        return cls(where=noted["where"], what=noted["what"], value=noted["value"], since_ms=float(noted["since_ms"]))

    def __str__(self) -> str:
        return f"{self.where} {self.what}={self.value!r} at {self.since_ms:.0f} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody at a door, from before the first key until everything is still again."""

    changes: Sequence[Change]
    pictures: Mapping[str, bytes]
    """State of the door → the door view's pixels, as PNG."""


def differences(one: Visit, other: Visit) -> list[str]:
    """Every way to tell one from the other."""
    return [*_changes_differ(one.changes, other.changes), *_pictures_differ(one.pictures, other.pictures)]


def _changes_differ(one: Sequence[Change], other: Sequence[Change]) -> list[str]:
    found = []
    for number, (here, there) in enumerate(zip_longest(one, other)):
        if here is None or there is None:
            found.append(f"change {number}: {here} in one, {there} in the other")
        elif (here.where, here.what, here.value) != (there.where, there.what, there.value):
            found.append(f"change {number}: {here} in one, {there} in the other")
            break  # from here on the two lists are out of step, and everything would be named
        elif abs(here.since_ms - there.since_ms) > WITHIN_MS:
            found.append(f"change {number}: {here} in one, {there.since_ms:.0f} ms in the other")
    return found


def _pictures_differ(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    return [f"picture {state}: other pixels" for state in {**one, **other} if one.get(state) != other.get(state)]
