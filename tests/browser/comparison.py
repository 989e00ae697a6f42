"""What two visits at a door have to have in common: the same changes in the same order at the same times, and pictures.

Judges what a camera before the screen could see, and the page's own words for it besides. Times are told from the last
hand on the door: the last key, and then the leaf.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    at_ms: float = 0.0
    """By the page's clock, to tell what came after what."""

    @classmethod
    def of(cls, noted: Mapping[str, Any]) -> "Change":
        return cls(
            where=noted["where"],
            what=noted["what"],
            value=noted["value"],
            since_ms=float(noted["since_ms"]),
            at_ms=float(noted["at_ms"]),
        )

    @property
    def told(self) -> tuple[str, str]:
        """All but the time. A row that falls off the log's end was written long before, by whoever was there then."""
        fallen = self.what == "removed" and self.value is not None and "data-log-row" in self.value
        return self.where, f"{self.what}={'an old row' if fallen else repr(self.value)}"

    @property
    def source(self) -> str:
        """By which way the page learned it. Wires, doord's status and the log each come by one of their own, and which
        of them is first within a few milliseconds is the computer's doing; how far apart they may be is bounded.
        """
        if "[data-door" not in self.where:
            return "log"
        return "wires" if "[data-strike]" in self.where or self.what == "@data-beeping" else "status"

    @property
    def is_readers(self) -> bool:
        """Whether it is the lamp's or the sounder's."""
        return "[data-lamp]" in self.where or "[data-beep]" in self.where or self.what == "@data-beeping"

    def __str__(self) -> str:
        return f"{' '.join(self.told)} at {self.since_ms:.0f} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody at a door, from before the first key until everything is still again."""

    changes: Sequence[Change]
    pictures: Mapping[str, bytes]
    """State of the door → the door view's pixels, as PNG."""
    polled: bool = False
    """The reader is on a bus and hears of lamp and beep when it is asked next: a turn of the line before or after the
    strike's own wire moves."""


def differences(one: Visit, other: Visit) -> list[str]:
    """Every way to tell one from the other."""
    return [
        *_changes_differ(_lasting(one.changes), _lasting(other.changes), polled=one.polled and other.polled),
        *_pictures_differ(one.pictures, other.pictures),
    ]


def _lasting(changes: Sequence[Change]) -> list[Change]:
    """Of the status's words those that stood at last after each hand: the page puts them together with what the wires said,
    and which of the two it heard first is the computer's doing. What a wire did, and each state, counts however short.
    """
    kept: dict[tuple[object, ...], Change] = {}
    for number, change in enumerate(changes):
        words = change.source == "status" and change.what == "text"
        track = (change.where, round(change.at_ms - change.since_ms)) if words else (number,)
        kept.pop(track, None)
        kept[track] = change
    return list(kept.values())


def _changes_differ(one: Sequence[Change], other: Sequence[Change], *, polled: bool) -> list[str]:
    here, there = [Counter(change.told for change in visit) for visit in (one, other)]
    found = [f"only in one: {' '.join(told)}" for told in here - there]
    found += [f"only in the other: {' '.join(told)}" for told in there - here]
    if found:
        return found

    def way(change: Change) -> tuple[str, bool]:
        return change.source, polled and change.is_readers

    one, other = (sorted(visit, key=way) for visit in (one, other))  # stable: in their order
    for first, second in zip(one, other, strict=True):
        if first.told != second.told:
            return [f"order: {first} in one where {second} is in the other"]
        if abs(first.since_ms - second.since_ms) > WITHIN_MS:
            found.append(f"time: {first} in one, and at {second.since_ms:.0f} ms in the other")
    return found


def _pictures_differ(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    return [f"picture {state}: other pixels" for state in {**one, **other} if one.get(state) != other.get(state)]
