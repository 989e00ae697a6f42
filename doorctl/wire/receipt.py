"""The receipt: the monitor's signed word that its ledger has a record. Sans-IO, exact, total.

    receipt = 128 signed bytes ‖ Ed25519 signature 64 — 192 bytes, always, for a refusal as well
A receipt may also carry a wish: records from (want_epoch, want_sequence) on, `want_count` of them, be sent again.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from doorctl.core.types import WallTime
from doorctl.errors import MalformedError
from doorctl.wire.record import NO_EPOCH, ControllerId, Epoch, KeyId, RecordHash, Sequence, exact_size
from doorctl.wire.sizes import (
    CONTROLLER_ID_SIZE,
    EPOCH_SIZE,
    HASH_SIZE,
    KEY_ID_SIZE,
    RECEIPT_SIGNED_SIZE,
    RECEIPT_SIZE,
    SIGNATURE_SIZE,
)

MAGIC = b"DCA\x01"
_RECEIPT = struct.Struct(f">4sBBH{KEY_ID_SIZE}s{CONTROLLER_ID_SIZE}s{EPOCH_SIZE}sQ{HASH_SIZE}sQ{EPOCH_SIZE}sQI20s")
assert _RECEIPT.size == RECEIPT_SIGNED_SIZE


class Status(IntEnum):
    """Whether the ledger has the record. On the wire: never renumber, only append."""

    STORED = 1
    """Committed; a repeat of a stored record is STORED again, and so is a fork, which is kept beside it."""
    REFUSED = 2
    """Not kept, and it would not be kept if sent again as it is."""


class Refusal(IntEnum):
    """Why a record was refused."""

    NONE = 0
    MALFORMED = 1
    UNKNOWN_CONTROLLER = 2
    UNKNOWN_KEY = 3
    NOT_OPENED = 4
    BAD_SIGNATURE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the monitor says of one record."""

    status: Status
    refusal: Refusal
    key_id: KeyId
    controller: ControllerId
    epoch: Epoch
    sequence: Sequence
    record: RecordHash
    monitor_time: WallTime
    want_epoch: Epoch = NO_EPOCH
    want_sequence: Sequence = Sequence(0)  # noqa: RUF009  NewType of an int: immutable
    want_count: int = 0

    def encode(self) -> bytes:
        """128 bytes, ready to be signed; raises ValueError where a caller broke a size (our fault)."""
        exact_size("receipt: key_id", self.key_id, KEY_ID_SIZE)
        exact_size("receipt: controller", self.controller, CONTROLLER_ID_SIZE)
        exact_size("receipt: epoch", self.epoch, EPOCH_SIZE)
        exact_size("receipt: record", self.record, HASH_SIZE)
        exact_size("receipt: want_epoch", self.want_epoch, EPOCH_SIZE)
        return _RECEIPT.pack(
            MAGIC, self.status, self.refusal, 0, self.key_id, self.controller, self.epoch, self.sequence,
            self.record, self.monitor_time, self.want_epoch, self.want_sequence, self.want_count, bytes(20),
        )  # fmt: skip


def split_receipt(untrusted_receipt: bytes) -> tuple[bytes, bytes]:
    """(signed 128 bytes, signature 64)."""
    if len(untrusted_receipt) != RECEIPT_SIZE:
        raise MalformedError(f"receipt: {len(untrusted_receipt)} bytes, expected {RECEIPT_SIZE}")
    return untrusted_receipt[:-SIGNATURE_SIZE], untrusted_receipt[-SIGNATURE_SIZE:]


def parse_receipt(untrusted_signed: bytes) -> Receipt:
    """The receipt's fields, after its signature was verified; strict."""
    if len(untrusted_signed) != RECEIPT_SIGNED_SIZE:
        raise MalformedError(f"receipt: {len(untrusted_signed)} bytes, expected {RECEIPT_SIGNED_SIZE}")
    (
        magic, status, refusal, zero, key_id, controller, epoch, sequence, record, monitor_time,
        want_epoch, want_sequence, want_count, padding,
    ) = _RECEIPT.unpack(untrusted_signed)  # fmt: skip
    if magic != MAGIC:
        raise MalformedError("receipt: not a version 1 receipt")
    if zero or any(padding):
        raise MalformedError("receipt: reserved bytes are not zero")
    try:
        return Receipt(
            status=Status(status), refusal=Refusal(refusal), key_id=KeyId(key_id),
            controller=ControllerId(controller), epoch=Epoch(epoch), sequence=Sequence(sequence),
            record=RecordHash(record), monitor_time=WallTime(monitor_time), want_epoch=Epoch(want_epoch),
            want_sequence=Sequence(want_sequence), want_count=want_count,
        )  # fmt: skip
    except ValueError as error:
        raise MalformedError(f"receipt: {error}") from error
