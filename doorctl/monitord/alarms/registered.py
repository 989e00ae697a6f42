"""What enrolment announced of one controller's roster: which rows there are, since when, and until when. Pure.

Announcements are parts of generations and come in any order; `complete(generation)` says whether all of them up to
one are here, and only then is a digest surely comparable.
"""

from typing import Final

from doorctl.seal.sealing import roster_digest
from doorctl.wire.detail import Action, EnrolledDetail

_DIGESTS_KEPT: Final = 4096


class Registered:
    """The rows of one controller's roster, by generation."""

    def __init__(self) -> None:
        self._added: dict[bytes, int] = {}
        self._revoked: dict[bytes, int] = {}
        self._parts: dict[int, set[int]] = {}
        self._missing: dict[int, int] = {}
        self._complete = 0
        self._digests: dict[int, bytes] = {}

    def announce(self, detail: EnrolledDetail) -> bool:
        """Take in one part; whether it was new."""
        parts = self._parts.setdefault(detail.generation, set())
        if detail.part in parts:
            return False
        parts.add(detail.part)
        self._missing[detail.generation] = detail.parts - len(parts)
        into = self._added if detail.action is Action.ADD else self._revoked
        for entry in detail.entries:
            into[entry] = min(detail.generation, into.get(entry, detail.generation))
        while self._missing.get(self._complete + 1) == 0:
            self._complete += 1
        for generation in [known for known in self._digests if known >= detail.generation]:
            del self._digests[generation]
        return True

    def complete(self, generation: int) -> bool:
        """Whether every part of every generation up to this one is here."""
        return generation <= self._complete

    def added(self, entry: bytes) -> bool:
        """Whether a row was ever announced."""
        return entry in self._added

    def revoked_by(self, entry: bytes, generation: int) -> bool:
        """Whether a row had been taken away in or before a generation."""
        revoked = self._revoked.get(entry)
        return revoked is not None and revoked <= generation

    def digest(self, generation: int) -> bytes:
        """What the roster's digest must be in a generation, as far as is announced; slow the first time."""
        if generation not in self._digests:
            if len(self._digests) >= _DIGESTS_KEPT:
                del self._digests[next(iter(self._digests))]
            self._digests[generation] = roster_digest(
                entry
                for entry, since in self._added.items()
                if since <= generation and not self.revoked_by(entry, generation)
            )
        return self._digests[generation]
