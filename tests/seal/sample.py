"""Fixed keys and plain values for tests of seal and wire. Nothing here is random, nothing is secret."""

import hashlib
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorctl.core.types import Monotonic, Outcome, Reason, WallTime
from doorctl.seal.keys import MonitorKeys, RecordKey
from doorctl.seal.public import controller_id
from doorctl.wire.receipt import Receipt, Refusal, Status
from doorctl.wire.record import (
    Body,
    Epoch,
    Flag,
    Header,
    Kind,
    RecordHash,
    RowTag,
    Sequence,
    Token,
)


def stretch(name: str, size: int) -> bytes:
    """Bytes that a name stands for, the same for ever."""
    return hashlib.shake_256(b"doorctl test vector: " + name.encode()).digest(size)


IDENTITY = Ed25519PrivateKey.from_private_bytes(stretch("identity", 32))
STRANGER = Ed25519PrivateKey.from_private_bytes(stretch("another identity", 32))
MONITOR = MonitorKeys(
    token=X25519PrivateKey.from_private_bytes(stretch("token", 32)),
    record=RecordKey(
        mlkem=MLKEM768PrivateKey.from_seed_bytes(stretch("record ML-KEM", 64)),
        x25519=X25519PrivateKey.from_private_bytes(stretch("record X25519", 32)),
    ),
    receipt=Ed25519PrivateKey.from_private_bytes(stretch("receipt", 32)),
)
PUBLIC = MONITOR.public
OTHER_MONITOR = MonitorKeys(
    token=X25519PrivateKey.from_private_bytes(stretch("other token", 32)),
    record=RecordKey(
        mlkem=MLKEM768PrivateKey.from_seed_bytes(stretch("other record ML-KEM", 64)),
        x25519=X25519PrivateKey.from_private_bytes(stretch("other record X25519", 32)),
    ),
    receipt=Ed25519PrivateKey.from_private_bytes(stretch("other receipt", 32)),
)
RECORD_KEYS = {PUBLIC.record_key_id: MONITOR.record}

HEADER = Header(
    key_id=PUBLIC.record_key_id,
    controller=controller_id(IDENTITY.public_key(), simulated=False),
    epoch=Epoch(stretch("epoch", 8)),
    sequence=Sequence(41),
)
BODY = Body(
    kind=Kind.ACCESS,
    outcome=Outcome.GRANTED,
    reason=Reason.MATCHED,
    flags=Flag.MATCHED,
    count=1,
    wall=WallTime(1_760_000_000_123_456_789),
    monotonic=Monotonic(86_400_000_000_001),
    boot_id=stretch("boot", 16),
    door="front",
    reader="front",
    token=Token(stretch("a token", 144)),
    row_tag=RowTag(stretch("a row tag", 16)),
    roster_generation=7,
    roster_digest=stretch("roster", 32),
    previous=RecordHash(stretch("previous", 32)),
    pending=0,
    detail=b"",
)
DENIED = replace(BODY, outcome=Outcome.DENIED, reason=Reason.NO_MATCH, flags=Flag(0))
RECEIPT = Receipt(
    status=Status.STORED,
    refusal=Refusal.NONE,
    key_id=PUBLIC.receipt_key_id,
    controller=HEADER.controller,
    epoch=HEADER.epoch,
    sequence=HEADER.sequence,
    record=RecordHash(stretch("a record's hash", 32)),
    monitor_time=WallTime(1_760_000_000_500_000_000),
)
