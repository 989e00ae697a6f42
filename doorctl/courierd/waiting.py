"""The courier's memory of fresh records: bounded, newest first, and those that no disk has are kept before others.

Newest first, because what happens now matters before what happened then; the journal remembers the order.
Nothing here is ever written down: what is lost with the process is in doord's journal, or in doord's own memory.
"""

from dataclasses import dataclass
from typing import Final

from doorctl.wire.record import RecordHash, record_hash

MOST_WAITING: Final = 256
"""12 seconds of the fresh connection at one record per 50 ms tick; half a megabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    record: bytes
    held: bool
    """doord's disk had not answered for it when it came."""


class Waiting:
    """Records not yet receipted, by hash."""

    def __init__(self) -> None:
        self._entries: dict[RecordHash, _Entry] = {}
        self.dropped = 0
        """Fresh records that gave way; doord has them journaled and will offer them as backlog."""
        self.not_kept = 0
        """Records that could not be kept because all that was kept is as precious."""

    def __len__(self) -> int:
        return len(self._entries)

    def add_fresh(self, record: bytes) -> bool:
        """A journaled record; whether there was room without dropping one."""
        hash_ = record_hash(record)
        if hash_ in self._entries:
            # once held, now journaled too: it may give way from here on
            self._entries[hash_] = _Entry(record=record, held=False)
            return True
        room = self._make_room()
        self.dropped += not room
        if len(self._entries) < MOST_WAITING:
            self._entries[hash_] = _Entry(record=record, held=False)
        return room

    def hold(self, record: bytes) -> RecordHash | None:
        """A record that no disk has yet: its hash once it is in memory, None if there is no place for it."""
        hash_ = record_hash(record)
        if hash_ not in self._entries and not self._make_room():
            if len(self._entries) >= MOST_WAITING:
                self.not_kept += 1
                return None
            self.dropped += 1
        self._entries[hash_] = _Entry(record=record, held=True)
        return hash_

    def newest(self) -> bytes | None:
        """The record to send next."""
        return next(reversed(self._entries.values())).record if self._entries else None

    def forget(self, record: bytes) -> None:
        """It is receipted."""
        self._entries.pop(record_hash(record), None)

    def forget_journaled(self) -> None:
        """doord is gone: its journal will offer again what it has, and only what it has not stays here."""
        self._entries = {hash_: entry for hash_, entry in self._entries.items() if entry.held}

    def _make_room(self) -> bool:
        """Room for one more: whether there was some; if not, the oldest journaled record gives way, if there is one."""
        if len(self._entries) < MOST_WAITING:
            return True
        oldest = next((hash_ for hash_, entry in self._entries.items() if not entry.held), None)
        if oldest is not None:
            del self._entries[oldest]
        return False
