"""Records and entries for the journal's tests: the clear header is real, the sealed part random bytes."""

import hashlib

from doorctl.core.types import WallTime
from doorctl.journal.rows import Entry, Head, LogRow, ReceiptKey, Stored
from doorctl.wire.record import ControllerId, Epoch, Header, KeyId, RecordHash, Sequence, record_hash
from doorctl.wire.sizes import HEADER_SIZE, RECORD_SIZE

NOW = WallTime(1_750_000_000_000_000_000)
DAY = 24 * 3600 * 1_000_000_000


def epoch(number: int) -> Epoch:
    return Epoch(number.to_bytes(8, "big"))


def sealed(epoch_: Epoch, sequence: int, salt: int = 0) -> bytes:
    header = Header(
        key_id=KeyId(bytes(8)), controller=ControllerId(bytes(16)), epoch=epoch_, sequence=Sequence(sequence)
    )
    seed = b"%b %d %d" % (epoch_, sequence, salt)
    return header.encode() + hashlib.shake_256(seed).digest(RECORD_SIZE - HEADER_SIZE)


def log_row(sequence: int = 0, *, door: str = "front") -> LogRow:
    return LogRow(wall=WallTime(NOW + sequence), event="access", door=door)


def entry(epoch_: Epoch, sequence: int, *, matched: bool = False, structure: bool = False) -> Entry:
    return Entry(log=log_row(sequence), record=sealed(epoch_, sequence), matched=matched, structure=structure)


def head(epoch_: Epoch, sequence: int) -> Head:
    return Head(epoch_, Sequence(sequence), hash_of(epoch_, sequence))


def hash_of(epoch_: Epoch, sequence: int) -> RecordHash:
    return record_hash(sealed(epoch_, sequence))


def receipt(epoch_: Epoch, sequence: int, at: int = NOW) -> ReceiptKey:
    return (epoch_, Sequence(sequence), hash_of(epoch_, sequence), WallTime(at))


def names(stored: list[Stored]) -> list[tuple[Epoch, int]]:
    return [(one.epoch, one.sequence) for one in stored]
