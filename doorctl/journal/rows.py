"""The values that go into the journal and come out of it. No SQL, no file.

Nothing here can say what a token means: the access log has no such field, and a sealed record is bytes of one size.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from doorctl.core.types import HolderId, Outcome, Reason, WallTime
from doorctl.wire.detail import LossDetail, LostRange
from doorctl.wire.record import Epoch, RecordHash, Sequence

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""What JSON can say."""


class Weight(IntEnum):
    """What gives way first when the spool is full. Stored: never renumber."""

    UNMATCHED = 0
    MATCHED = 1
    STRUCTURE = 2
    """START, ENROLLED, LOSS: without these the monitor could not read the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A line of the access log, for people: no code, no card number, no key."""

    wall: WallTime
    event: str
    """"access", "door", "operator", "fault" …"""
    door: str = ""
    reader: str = ""
    holder: HolderId | None = None
    outcome: Outcome = Outcome.NONE
    reason: Reason = Reason.NONE
    count: int = 1
    """More than 1: wrong codes that were told as one."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one happening writes, all of it in one transaction."""

    log: LogRow | None = None
    record: bytes | None = field(default=None, repr=False)
    """Sealed, of RECORD_SIZE."""
    matched: bool = False
    """A row was found, or the report weighs as much: it gives way after the others."""
    structure: bool = False
    """START, ENROLLED or LOSS: gives way last. (The first record of an epoch is one, said or not.)"""
    wall: WallTime | None = None
    """Of an entry without a log row; None: the log row's, else the last journal row's."""
    sent_generation: int | None = None
    """With the record that completes a roster generation's registrations: that generation."""
    lockouts: Mapping[bytes, Plain] = field(default_factory=dict, repr=False)
    """Lock-out counters that changed, under opaque keys; None forgets a key."""
    loss: "LossReport | None" = None
    """With the LOSS record that says it: what this entry deletes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A record as it lies in the journal."""

    position: int
    """Order of appending; for paging only."""
    epoch: Epoch
    sequence: Sequence
    hash: RecordHash
    record: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A line of the access log with its number, from which `doorctl log -f` goes on."""

    id: int
    row: LogRow


class Head(NamedTuple):
    """A record by name."""

    epoch: Epoch
    sequence: Sequence
    hash: RecordHash


class Oldest(NamedTuple):
    """The record that has waited longest."""

    epoch: Epoch
    sequence: Sequence
    wall: WallTime


ReceiptKey = tuple[Epoch, Sequence, RecordHash, WallTime]
"""(epoch, sequence, record hash, monitor time) of a verified STORED receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolStatus:
    """Where the spool stands; what supervision and `doorctl status` say."""

    pending: int
    oldest: Oldest | None
    """Without a receipt."""
    head: Head | None
    """Last sequence of the last epoch."""
    receipted: Head | None
    """Newest record that ever had a receipt."""
    last_wall: WallTime | None
    sent_generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LossReport:
    """What must give way: sealed by doord as a LOSS record, and deleted when `Entry.loss` brings it back."""

    ranges: tuple[LostRange, ...]
    """At most RANGES_PER_RECORD; beyond that only counted."""
    unmatched: int
    matched: int
    """START, ENROLLED and LOSS records count here."""
    records: tuple[tuple[Epoch, Sequence], ...] = field(repr=False)
    """All of them by name, also those that no range has room for."""

    @property
    def detail(self) -> LossDetail:
        """As the LOSS record says it."""
        return LossDetail(unmatched=self.unmatched, matched=self.matched, ranges=self.ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The journal was damaged: where it went, and what was saved."""

    moved_to: Path
    records: int
    log_rows: int
    complete: bool
    """False: the disk was full before everything that could be read was copied."""
