"""What enrolment announced of one controller's roster: which rows there are, since when, and until when. Pure.

Announcements are parts of generations and come in any order. A generation's digest is known once every part of every
generation up to it is here *and was worked through*: a roster of a hundred thousand holders, or thousands of
generations whose first one comes last, take seconds. `catch_up` does a bounded share, so that a call for help which
arrives meanwhile is heard between two of them.
"""

from typing import Final

from doorctl.seal.roster_tree import RosterTree
from doorctl.wire.detail import Action, EnrolledDetail

AT_ONCE: Final = 1024
"""Entries worked through in one call; at seven a holder about 150 generations, measured at 20 to 40 ms."""
_DIGEST_SIZE: Final = 32
_PER_GENERATION: Final = 7
"""What even an empty generation counts for: its root is hashed like every other's."""


class Registered:
    """The rows of one controller's roster, by generation."""

    def __init__(self) -> None:
        self._added: dict[bytes, int] = {}
        self._revoked: dict[bytes, int] = {}
        self._parts: dict[int, set[int]] = {}
        self._missing: dict[int, int] = {}
        self._here = 0
        """Every part up to this generation has come."""
        self._waiting: dict[int, list[EnrolledDetail]] = {}
        """Parts that are not in the tree yet."""
        self._tree = RosterTree()
        self._digests = bytearray(self._tree.digest())
        """Of generation 0, 1, 2 …, one behind the other."""

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
        if detail.generation > self._here:  # else more parts than were announced: such a board's digests never agree
            self._waiting.setdefault(detail.generation, []).append(detail)
        while self._missing.get(self._here + 1) == 0:
            self._here += 1
        return True

    @property
    def behind(self) -> bool:
        """Whether `catch_up` has work."""
        return self._reached < self._here

    def catch_up(self, entries: int = AT_ONCE) -> bool:
        """Work through about so many entries; whether another generation's digest is known now."""
        before = self._reached
        while entries > 0 and self.behind:
            generation = self._reached + 1
            parts = self._waiting.get(generation)
            if parts:
                entries -= self._work_through(parts.pop(), generation)
            else:
                self._waiting.pop(generation, None)
                self._digests += self._tree.digest()
                entries -= _PER_GENERATION
        return self._reached > before

    def complete(self, generation: int) -> bool:
        """Whether this generation's digest is known."""
        return generation <= self._reached

    def added(self, entry: bytes) -> bool:
        """Whether a row was ever announced."""
        return entry in self._added

    def revoked_by(self, entry: bytes, generation: int) -> bool:
        """Whether a row had been taken away in or before a generation."""
        revoked = self._revoked.get(entry)
        return revoked is not None and revoked <= generation

    def digest(self, generation: int) -> bytes:
        """What the roster's digest must be in a complete generation."""
        return bytes(self._digests[generation * _DIGEST_SIZE : (generation + 1) * _DIGEST_SIZE])

    @property
    def _reached(self) -> int:
        return len(self._digests) // _DIGEST_SIZE - 1

    def _work_through(self, part: EnrolledDetail, generation: int) -> int:
        for entry in part.entries:
            if part.action is Action.REVOKE:
                self._tree.discard(entry)
            elif not self.revoked_by(entry, generation):
                self._tree.add(entry)
        return len(part.entries)
