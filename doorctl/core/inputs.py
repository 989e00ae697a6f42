"""Debounce for contacts, REX and tamper: which changes of an input are meant. Never drops a press over 400 ms.

An integrator, not a quiet-time filter: the charge grows while the raw level is active and shrinks while it is not,
between empty (0) and full (the threshold). Full settles the input as active, empty as inactive. So a pulse shorter
than the threshold changes nothing, a level that lasts as long as the threshold always counts, and short drop-outs in a
long press (a worn button, a noisy wire) only delay it, where a quiet-time filter would start anew for ever.

Outcomes depend only on the changes' own times. Times that run backwards count as equal to the latest one seen.
"""

from dataclasses import dataclass
from typing import Final

from doorctl.core.types import MS, Duration, Monotonic

HONOURED: Final = Duration(400 * MS)
"""Inputs that last longer must be honoured (EN 60839-11-1); thresholds stay under it."""
REX_THRESHOLD: Final = Duration(30 * MS)
"""Below the contact's, so that a handle that asks and opens at once is seen to ask first: no false forced-open."""
CONTACT_THRESHOLD: Final = Duration(100 * MS)
"""A rattling leaf bounces for tens of milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The input changed and it was no bounce."""

    active: bool
    at: Monotonic


class Debounce:
    """One input."""

    __slots__ = ("_charge", "_raw", "_seen", "_settled", "_threshold")

    def __init__(self, *, threshold: Duration, active: bool, now: Monotonic) -> None:
        if not 0 < threshold < HONOURED:
            raise ValueError(f"debounce: threshold {threshold} ns is not between 0 and {HONOURED}")
        self._threshold = threshold
        self._settled = self._raw = active
        self._charge = threshold if active else Duration(0)
        self._seen = now

    @property
    def active(self) -> bool:
        """The settled level."""
        return self._settled

    def receive(self, *, active: bool, at: Monotonic, lasted: int = 0) -> Settled | None:
        """A raw change; the answer is about the level that ends here. A repeat of the same level is harmless.

        `lasted`: for how long before `at` it may have been so, where an input is only asked about now and then. It
        counts, or a press that fell into a pause of the line would be dropped however long it was.
        """
        settled = self.on_deadline(at)
        if active is not self._raw:
            self._raw = active
            charge = self._charge + (lasted if active else -lasted)
            self._charge = Duration(min(max(charge, 0), self._threshold))
        return settled

    def next_deadline(self) -> Monotonic | None:
        """When the raw level will have lasted long enough; None while it is the settled one."""
        if self._raw is self._settled:
            return None
        return Monotonic(self._seen + (self._threshold - self._charge if self._raw else self._charge))

    def on_deadline(self, now: Monotonic) -> Settled | None:
        """The change that settled by now, with the time at which it did."""
        due = self.next_deadline()
        passed = max(0, now - self._seen)
        charge = self._charge + (passed if self._raw else -passed)
        self._charge = Duration(min(max(charge, 0), self._threshold))
        self._seen = Monotonic(self._seen + passed)
        if due is None or self._seen < due:
            return None
        self._settled = self._raw
        return Settled(active=self._settled, at=due)
