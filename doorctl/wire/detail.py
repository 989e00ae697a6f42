"""The detail field of a record, one frozen value a kind: exact, bounded, total. Big-endian.

A kind without a class here (ACCESS of one event) has an empty detail. Layouts are in docs/wire-format.md.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Self, TypeVar

from doorctl.core.types import WallTime
from doorctl.errors import MalformedError
from doorctl.wire.record import Epoch, Kind, RecordHash, Sequence, bounded, exact_size
from doorctl.wire.sizes import DETAIL_SIZE, EPOCH_SIZE, HASH_SIZE, REGISTRATION_SIZE

_START: Final = struct.Struct(">8sQ32s")
_COALESCED: Final = struct.Struct(">Q")
_DOOR: Final = struct.Struct(">B")
_ENROLLED: Final = struct.Struct(">QBIHHB")
_SUPERVISION: Final = struct.Struct(">Q8sQ8sQ32s")
_TEST: Final = struct.Struct(">16s")
_FAULT: Final = struct.Struct(">BB")
_OPERATOR: Final = struct.Struct(">BI")
_LOSS: Final = struct.Struct(">QQB")
_RANGE: Final = struct.Struct(">8sQQ")
_GUESSING: Final = struct.Struct(">II")

_E = TypeVar("_E", bound=IntEnum)

ENTRIES_PER_RECORD: Final = (DETAIL_SIZE - _ENROLLED.size) // REGISTRATION_SIZE
RANGES_PER_RECORD: Final = (DETAIL_SIZE - _LOSS.size) // _RANGE.size


class DoorHappening(IntEnum):
    """What a door did by itself. On the wire: never renumber, only append."""

    FORCED_OPEN = 1
    PRE_ALARM = 2
    HELD_OPEN = 3
    CLOSED = 4
    """Closed again after one of the above."""
    UNLOCKED = 5
    """By its schedule."""
    LOCKED = 6


class FaultCode(IntEnum):
    """What cannot be trusted. On the wire: never renumber, only append."""

    READER = 1
    STORAGE = 2
    TAMPER = 3
    CLOCK = 4
    ROSTER = 5
    COURIER = 6
    STRIKE = 7
    """A strike or an indicator does not take orders."""
    MISUSE = 8
    """Somebody on a reader's line does what the reader would not; nothing of it was believed."""


class Act(IntEnum):
    """What a person did with a command. On the wire: never renumber, only append."""

    UNLOCK = 1
    LOCKDOWN = 2
    RESTORE = 3
    INSTALL_READER = 4
    """A reader may take its first key, for a limited time."""
    REKEY_READER = 5
    CHANGE_SPEED = 6
    """All readers of a line are told another one."""
    RELOAD = 7
    """Another configuration is in force; it moves no pin but by an unlock schedule."""


BY_SIGNAL: Final = 0xFFFF_FFFF
"""The uid of an act that a signal asked for: the kernel does not say whose; chown(2) has it for nobody as well."""


class Action(IntEnum):
    """What a registration says of its entries. On the wire: never renumber, only append."""

    ADD = 1
    REVOKE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDetail:
    """The epoch before this one, as far as the journal knows it; zeros at the first start."""

    previous_epoch: Epoch
    previous_head: Sequence
    previous_hash: RecordHash

    def encode(self) -> bytes:
        """48 bytes."""
        exact_size("record detail: previous_epoch", self.previous_epoch, EPOCH_SIZE)
        exact_size("record detail: previous_hash", self.previous_hash, HASH_SIZE)
        bounded("record detail", self.previous_head)
        return _START.pack(self.previous_epoch, self.previous_head, self.previous_hash)

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        epoch, head, hash_ = _unpack(_START, untrusted)
        _bounded(head)
        return cls(previous_epoch=Epoch(epoch), previous_head=Sequence(head), previous_hash=RecordHash(hash_))


@dataclass(frozen=True, slots=True, kw_only=True)
class CoalescedDetail:
    """Of an ACCESS record with count > 1: when the first of them was."""

    first: WallTime

    def encode(self) -> bytes:
        """8 bytes."""
        bounded("record detail", self.first)
        return _COALESCED.pack(self.first)

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        (first,) = _unpack(_COALESCED, untrusted)
        _bounded(first)
        return cls(first=WallTime(first))


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorDetail:
    """Of a DOOR record."""

    happening: DoorHappening

    def encode(self) -> bytes:
        """1 byte."""
        return _DOOR.pack(self.happening)

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        (happening,) = _unpack(_DOOR, untrusted)
        return cls(happening=_member(DoorHappening, happening))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledDetail:
    """Some registration entries of one roster generation; `parts` records together are the generation."""

    generation: int
    action: Action
    day: int
    """Days since 1970-01-01."""
    part: int
    """1..parts."""
    parts: int
    entries: tuple[bytes, ...]
    """At most ENTRIES_PER_RECORD, 16 bytes each; order says nothing."""

    def encode(self) -> bytes:
        """18 + 16 bytes an entry."""
        bounded("record detail", self.generation)
        for entry in self.entries:
            exact_size("record detail: a registration entry", entry, REGISTRATION_SIZE)
        head = _ENROLLED.pack(
            self.generation, self.action, self.day, self.part, self.parts, len(self.entries)
        )  # fmt: skip
        return head + b"".join(self.entries)

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        head, rest = untrusted[: _ENROLLED.size], untrusted[_ENROLLED.size :]
        generation, action, day, part, parts, count = _unpack(_ENROLLED, head)
        _bounded(generation)
        if len(rest) != count * REGISTRATION_SIZE or not 1 <= part <= parts:
            raise MalformedError("record detail: registration entries do not add up")
        return cls(
            generation=generation, action=_member(Action, action), day=day, part=part, parts=parts,
            entries=tuple(rest[i : i + REGISTRATION_SIZE] for i in range(0, len(rest), REGISTRATION_SIZE)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionDetail:
    """Where the epoch stands, so that a hole or a standing backlog shows."""

    head: Sequence
    """Last journaled sequence of this epoch."""
    oldest_epoch: Epoch
    """Of the oldest record without a receipt; zeros where there is none."""
    oldest_sequence: Sequence
    receipted_epoch: Epoch
    """The newest record the monitor ever gave a receipt for; zeros where there is none."""
    receipted_sequence: Sequence
    receipted_hash: RecordHash

    def encode(self) -> bytes:
        """72 bytes."""
        exact_size("record detail: oldest_epoch", self.oldest_epoch, EPOCH_SIZE)
        exact_size("record detail: receipted_epoch", self.receipted_epoch, EPOCH_SIZE)
        exact_size("record detail: receipted_hash", self.receipted_hash, HASH_SIZE)
        bounded("record detail", self.head, self.oldest_sequence, self.receipted_sequence)
        return _SUPERVISION.pack(
            self.head, self.oldest_epoch, self.oldest_sequence,
            self.receipted_epoch, self.receipted_sequence, self.receipted_hash,
        )  # fmt: skip

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        head, oldest_epoch, oldest, epoch, sequence, hash_ = _unpack(_SUPERVISION, untrusted)
        _bounded(head, oldest, sequence)
        return cls(
            head=Sequence(head), oldest_epoch=Epoch(oldest_epoch), oldest_sequence=Sequence(oldest),
            receipted_epoch=Epoch(epoch), receipted_sequence=Sequence(sequence), receipted_hash=RecordHash(hash_),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDetail:
    """Of a TEST record: the number the person was shown, to find it at the monitor."""

    __test__ = False

    nonce: bytes

    def encode(self) -> bytes:
        """16 bytes."""
        exact_size("record detail: nonce", self.nonce, _TEST.size)
        return _TEST.pack(self.nonce)

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        (nonce,) = _unpack(_TEST, untrusted)
        return cls(nonce=nonce)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDetail:
    """Of a FAULT record."""

    code: FaultCode
    began: bool

    def encode(self) -> bytes:
        """2 bytes."""
        return _FAULT.pack(self.code, self.began)

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        code, began = _unpack(_FAULT, untrusted)
        if began not in (0, 1):
            raise MalformedError(f"record detail: {began} is neither began nor ended")
        return cls(code=_member(FaultCode, code), began=bool(began))


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorDetail:
    """Of an OPERATOR record."""

    act: Act
    uid: int

    def encode(self) -> bytes:
        """5 bytes."""
        return _OPERATOR.pack(self.act, self.uid)

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        act, uid = _unpack(_OPERATOR, untrusted)
        return cls(act=_member(Act, act), uid=uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRange:
    """Sequences first..last of one epoch that gave way."""

    epoch: Epoch
    first: Sequence
    last: Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class LossDetail:
    """Of a LOSS record: how many gave way and which; ranges beyond the room are only counted."""

    unmatched: int
    matched: int
    ranges: tuple[LostRange, ...]

    def encode(self) -> bytes:
        """17 + 24 bytes a range."""
        for lost in self.ranges:
            exact_size("record detail: epoch of a lost range", lost.epoch, EPOCH_SIZE)
        bounded("record detail", self.unmatched, self.matched, *(lost.last for lost in self.ranges))
        head = _LOSS.pack(self.unmatched, self.matched, len(self.ranges))
        return head + b"".join(_RANGE.pack(r.epoch, r.first, r.last) for r in self.ranges)

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        head, rest = untrusted[: _LOSS.size], untrusted[_LOSS.size :]
        unmatched, matched, count = _unpack(_LOSS, head)
        if len(rest) != count * _RANGE.size:
            raise MalformedError("record detail: lost ranges do not add up")
        ranges = tuple(
            LostRange(epoch=Epoch(epoch), first=Sequence(first), last=Sequence(last))
            for epoch, first, last in _RANGE.iter_unpack(rest)
        )
        if any(lost.first > lost.last for lost in ranges):
            raise MalformedError("record detail: a lost range ends before it begins")
        _bounded(unmatched, matched, *(lost.last for lost in ranges))
        return cls(unmatched=unmatched, matched=matched, ranges=ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessingDetail:
    """Of a GUESSING record."""

    wrong_codes: int
    window_s: int

    def encode(self) -> bytes:
        """8 bytes."""
        return _GUESSING.pack(self.wrong_codes, self.window_s)

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError."""
        wrong_codes, window_s = _unpack(_GUESSING, untrusted)
        return cls(wrong_codes=wrong_codes, window_s=window_s)


Detail = (
    StartDetail | CoalescedDetail | DoorDetail | EnrolledDetail | SupervisionDetail
    | TestDetail | FaultDetail | OperatorDetail | LossDetail | GuessingDetail
)  # fmt: skip

_BY_KIND: Final[dict[Kind, type[Detail]]] = {
    Kind.START: StartDetail,
    Kind.DOOR: DoorDetail,
    Kind.ENROLLED: EnrolledDetail,
    Kind.SUPERVISION: SupervisionDetail,
    Kind.TEST: TestDetail,
    Kind.FAULT: FaultDetail,
    Kind.OPERATOR: OperatorDetail,
    Kind.LOSS: LossDetail,
    Kind.GUESSING: GuessingDetail,
}


def parse_detail(kind: Kind, untrusted: bytes) -> Detail | None:
    """The detail of a record of this kind; None for an ACCESS record of one event."""
    if kind is Kind.ACCESS:
        return CoalescedDetail.parse(untrusted) if untrusted else None
    return _BY_KIND[kind].parse(untrusted)


def _unpack(layout: struct.Struct, untrusted: bytes) -> tuple[Any, ...]:
    if len(untrusted) != layout.size:
        raise MalformedError(f"record detail: {len(untrusted)} bytes, expected {layout.size}")
    return layout.unpack(untrusted)


def _bounded(*untrusted: int) -> None:
    try:
        bounded("record detail", *untrusted)
    except ValueError as error:
        raise MalformedError(str(error)) from error


def _member(enum: type[_E], number: int) -> _E:
    try:
        return enum(number)
    except ValueError as error:
        raise MalformedError(f"record detail: {error}") from error
