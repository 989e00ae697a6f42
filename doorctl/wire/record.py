"""The record: a clear header, a body that only the monitor reads. Sans-IO, exact, total.

Layout (docs/wire-format.md has the table byte by byte):
    record = header 48 ‖ HPKE(body 864) — 2,048 bytes, always
    header = "DCR" ‖ version u8 ‖ zero u32 ‖ record key id 8 ‖ controller 16 ‖ epoch 8 ‖ sequence u64
    body   = 800 signed bytes ‖ Ed25519 signature 64
All integers are big-endian. This file never encrypts, signs or knows what a token means.
"""

import hashlib
import re
import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NewType

from doorctl.core.types import Monotonic, Outcome, Reason, WallTime
from doorctl.errors import MalformedError
from doorctl.wire.sizes import (
    BODY_SIZE,
    CONTROLLER_ID_SIZE,
    DETAIL_SIZE,
    EPOCH_SIZE,
    HASH_SIZE,
    HEADER_SIZE,
    KEY_ID_SIZE,
    NAME_SIZE,
    RECORD_SIZE,
    ROW_TAG_SIZE,
    SIGNATURE_SIZE,
    SIGNED_BODY_SIZE,
    TOKEN_SIZE,
)

ControllerId = NewType("ControllerId", bytes)
Epoch = NewType("Epoch", bytes)
Sequence = NewType("Sequence", int)
RecordHash = NewType("RecordHash", bytes)
KeyId = NewType("KeyId", bytes)
Token = NewType("Token", bytes)
RowTag = NewType("RowTag", bytes)

MAGIC = b"DCR\x01"
SUPERVISION_BIT = 1 << 63
"""Supervision has a counter of its own: sequences with this bit, never journaled, never chained."""
BOUND = 1 << 63
"""Times, sequences, generations and counts of 8 bytes are below: both sides keep them in signed columns."""
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, line ends and what turns the direction of writing: they would command an operator's terminal."""
NO_HASH = RecordHash(bytes(HASH_SIZE))
NO_EPOCH = Epoch(bytes(EPOCH_SIZE))

_HEADER = struct.Struct(f">4sI{KEY_ID_SIZE}s{CONTROLLER_ID_SIZE}s{EPOCH_SIZE}sQ")
_BODY = struct.Struct(
    f">BBBBIQQ16s{NAME_SIZE}s{NAME_SIZE}s{TOKEN_SIZE}s{ROW_TAG_SIZE}sQ{HASH_SIZE}s{HASH_SIZE}sIH{DETAIL_SIZE}s"
)
assert _HEADER.size == HEADER_SIZE
assert _BODY.size == SIGNED_BODY_SIZE


class Kind(IntEnum):
    """What a record reports. On the wire: never renumber, only append."""

    START = 1
    """First of an epoch; detail names the previous epoch, its head and the head's hash."""
    ACCESS = 2
    """A decision about a card or code (`count` > 1: coalesced wrong codes)."""
    DOOR = 3
    """The door itself: forced open, held open, pre-alarm, closed again; detail names which."""
    ENROLLED = 4
    """Registration entries of a roster generation."""
    SUPERVISION = 5
    TEST = 6
    """A path test asked for by a person."""
    FAULT = 7
    """Reader, storage, tamper, clock …; detail names which and whether it began or ended."""
    OPERATOR = 8
    """Unlock, lockdown, restore by a person; detail names the act and the uid."""
    LOSS = 9
    """The spool was full: detail names how many of the oldest gave way."""
    GUESSING = 10
    """More wrong codes at the site than people make."""


class Flag(IntFlag):
    """What was true when the record was made."""

    MATCHED = 1
    """A row was found: the token is a row's, not filler."""
    SIMULATED = 2
    TIME_UNKNOWN = 4
    STORAGE_FAULT = 8
    """The door released before the disk had it."""
    COLOCATED = 16
    """The monitor's keys are on the door's own board: the door can know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The clear part: who and which, nothing about what."""

    key_id: KeyId
    controller: ControllerId
    epoch: Epoch
    sequence: Sequence

    def encode(self) -> bytes:
        """48 bytes; raises ValueError where a caller broke a size (our fault)."""
        exact_size("record header: key_id", self.key_id, KEY_ID_SIZE)
        exact_size("record header: controller", self.controller, CONTROLLER_ID_SIZE)
        exact_size("record header: epoch", self.epoch, EPOCH_SIZE)
        return _HEADER.pack(MAGIC, 0, self.key_id, self.controller, self.epoch, self.sequence)

    @property
    def supervision(self) -> bool:
        """Whether the sequence is of supervision's own counter."""
        return bool(self.sequence & SUPERVISION_BIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The sealed part without its signature."""

    kind: Kind
    outcome: Outcome
    reason: Reason
    flags: Flag
    count: int
    wall: WallTime
    monotonic: Monotonic
    boot_id: bytes
    door: str
    reader: str
    token: Token
    row_tag: RowTag
    roster_generation: int
    roster_digest: bytes
    previous: RecordHash
    """Hash of the record before this one in the epoch; of supervision: the head's hash."""
    pending: int
    """Records without a receipt when this one was made."""
    detail: bytes

    def encode(self) -> bytes:
        """800 bytes, ready to be signed; raises ValueError where a caller broke a size (our fault)."""
        exact_size("record body: boot_id", self.boot_id, 16)
        exact_size("record body: token", self.token, TOKEN_SIZE)
        exact_size("record body: row_tag", self.row_tag, ROW_TAG_SIZE)
        exact_size("record body: roster_digest", self.roster_digest, HASH_SIZE)
        exact_size("record body: previous", self.previous, HASH_SIZE)
        if len(self.detail) > DETAIL_SIZE:
            raise ValueError(f"record body: detail has {len(self.detail)} bytes, at most {DETAIL_SIZE}")
        bounded("record body", self.wall, self.monotonic, self.roster_generation)
        return _BODY.pack(
            self.kind, self.outcome, self.reason, self.flags, self.count, self.wall, self.monotonic,
            self.boot_id, _name(self.door), _name(self.reader), self.token, self.row_tag,
            self.roster_generation, self.roster_digest, self.previous, self.pending, len(self.detail), self.detail,
        )  # fmt: skip


def exact_size(name: str, value: bytes, size: int) -> None:
    """ValueError unless it fits: `struct` would cut or pad it without a word."""
    if len(value) != size:
        raise ValueError(f"{name} has {len(value)} bytes, expected {size}")


def bounded(name: str, *values: int) -> None:
    """ValueError unless each fits a signed 64-bit column."""
    if any(value >= BOUND for value in values):
        raise ValueError(f"{name}: a number is not below 2^63")


def is_plain(text: str) -> bool:
    """Whether people can be shown it as it is."""
    return _STEERING.search(text) is None


def record_hash(record: bytes) -> RecordHash:
    """SHA-256 over all 2,048 sealed bytes: what receipts name and the next record chains to."""
    return RecordHash(hashlib.sha256(record).digest())


def parse_header(untrusted_record: bytes) -> Header:
    """The clear header of one record; MalformedError unless every byte of it is as it must be."""
    if len(untrusted_record) != RECORD_SIZE:
        raise MalformedError(f"record: {len(untrusted_record)} bytes, expected {RECORD_SIZE}")
    magic, zero, key_id, controller, epoch, sequence = _HEADER.unpack(untrusted_record[:HEADER_SIZE])
    if magic != MAGIC:
        raise MalformedError("record: not a version 1 record")
    if zero != 0:
        raise MalformedError("record: reserved bytes are not zero")
    return Header(
        key_id=KeyId(key_id),
        controller=ControllerId(controller),
        epoch=Epoch(epoch),
        sequence=Sequence(sequence),
    )


def split_body(untrusted_body: bytes) -> tuple[bytes, bytes]:
    """(signed 800 bytes, signature 64) of an opened body."""
    if len(untrusted_body) != BODY_SIZE:
        raise MalformedError(f"record body: {len(untrusted_body)} bytes, expected {BODY_SIZE}")
    return untrusted_body[:-SIGNATURE_SIZE], untrusted_body[-SIGNATURE_SIZE:]


def parse_body(untrusted_signed: bytes) -> Body:
    """The body's fields; strict: unknown numbers, stray padding and bad UTF-8 are MalformedError."""
    if len(untrusted_signed) != SIGNED_BODY_SIZE:
        raise MalformedError(f"record body: {len(untrusted_signed)} bytes, expected {SIGNED_BODY_SIZE}")
    (
        kind, outcome, reason, flags, count, wall, monotonic, boot_id, door, reader, token, row_tag,
        generation, digest, previous, pending, detail_size, detail,
    ) = _BODY.unpack(untrusted_signed)  # fmt: skip
    if detail_size > DETAIL_SIZE or any(detail[detail_size:]):
        raise MalformedError("record body: detail is not padded with zeros")
    if flags & ~int(~Flag(0)):
        raise MalformedError(f"record body: unknown flags {flags:#04x}")
    try:
        bounded("a time or the generation", wall, monotonic, generation)
        return Body(
            kind=Kind(kind), outcome=Outcome(outcome), reason=Reason(reason), flags=Flag(flags), count=count,
            wall=WallTime(wall), monotonic=Monotonic(monotonic), boot_id=boot_id,
            door=_untrusted_name(door), reader=_untrusted_name(reader), token=Token(token), row_tag=RowTag(row_tag),
            roster_generation=generation, roster_digest=digest, previous=RecordHash(previous), pending=pending,
            detail=detail[:detail_size],
        )  # fmt: skip
    except ValueError as error:
        raise MalformedError(f"record body: {error}") from error


def _name(name: str) -> bytes:
    encoded = name.encode()
    if not is_plain(name.replace("\0", "")):
        raise ValueError(f"record body: name {name!r} has control characters")
    if len(encoded) > NAME_SIZE or b"\0" in encoded:
        raise ValueError(f"record body: name {name!r} does not fit {NAME_SIZE} bytes")
    return encoded


def _untrusted_name(padded: bytes) -> str:
    name, _, padding = padded.partition(b"\0")
    if any(padding):
        raise MalformedError("record body: a name is not padded with zeros")
    text = name.decode()
    if not is_plain(text):
        raise MalformedError("record body: a name has control characters")
    return text
