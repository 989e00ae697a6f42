"""What is to be recorded, before and after it has a number: the values that doord's parts hand to the recorder.

Nothing here seals, numbers or writes; and a draft cannot say what its token means.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from doorctl.core.types import Monotonic, Outcome, Reason
from doorctl.journal.rows import Entry, LogRow, LossReport, Plain
from doorctl.wire.record import Flag, Kind, RecordHash, RowTag, Sequence, Token


class RosterFacts(NamedTuple):
    """The roster as it stands on the disk now; every record says it."""

    generation: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be recorded, before it has a number."""

    kind: Kind
    outcome: Outcome = Outcome.NONE
    reason: Reason = Reason.NONE
    flags: Flag = Flag(0)  # noqa: RUF009  an IntFlag is immutable
    count: int = 1
    door: str = ""
    reader: str = ""
    token: Token | None = field(default=None, repr=False)
    """None: filler."""
    row_tag: RowTag | None = field(default=None, repr=False)
    """None: filler."""
    detail: bytes = field(default=b"", repr=False)
    log: LogRow | None = None
    lockouts: Mapping[bytes, Plain] = field(default_factory=dict, repr=False)
    sent_generation: int | None = None
    loss: LossReport | None = None
    """What gives way when this record is journaled."""
    weight_matched: bool | None = None
    """Whether it gives way with the matched ones; None: as its kind and flags say."""
    unhurried: bool = False
    """One of thousands that come at once: the courier gets it as backlog, so that no fresh record waits behind it."""


@dataclass(slots=True, kw_only=True, eq=False)
class Recording:
    """A sealed record, or only lock-out counters, on the way to the disk."""

    record: bytes | None = field(repr=False)
    hash: RecordHash
    """NO_HASH where there is no record."""
    sequence: Sequence
    """0 where there is no record."""
    entry: Entry = field(repr=False)
    committed: asyncio.Future[None]
    """Done when the disk has it; never fails."""
    made: Monotonic
    unhurried: bool = False
    """Never offered as fresh."""
    held_by: int = 0
    """The connection of the courier that was given it to keep while the disk has it not; 0: none."""
    receipted: bool = False
