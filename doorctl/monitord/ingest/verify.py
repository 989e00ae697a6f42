"""One untrusted record becomes a verified one or a refusal with its reason. Pure but for the crypto; stores nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from doorctl.core.types import WallTime
from doorctl.errors import MalformedError, PeerError
from doorctl.monitord.ledger import Verified
from doorctl.seal.keys import ControllerFile, RecordKey
from doorctl.seal.opening import open_signed_record, refusal_of
from doorctl.wire.receipt import Receipt, Refusal, Status
from doorctl.wire.record import (
    NO_EPOCH,
    ControllerId,
    Epoch,
    Header,
    KeyId,
    Kind,
    RecordHash,
    Sequence,
    parse_header,
    record_hash,
)
from doorctl.wire.sizes import CONTROLLER_ID_SIZE, KEY_ID_SIZE

_NOBODY = Header(
    key_id=KeyId(bytes(KEY_ID_SIZE)),
    controller=ControllerId(bytes(CONTROLLER_ID_SIZE)),
    epoch=NO_EPOCH,
    sequence=Sequence(0),
)
"""What a receipt names where the record had no header that can be read: filler in a batch, mostly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A record that is not kept."""

    header: Header
    hash: RecordHash
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Records the board believes to be here and that are not."""

    epoch: Epoch
    sequence: Sequence
    count: int


def verify(
    untrusted: bytes,
    *,
    now: WallTime,
    record_keys: Mapping[KeyId, RecordKey],
    controllers: Mapping[ControllerId, ControllerFile],
) -> Verified | Refused:
    """Total: whatever the bytes are, one of the two comes out."""
    hash_ = record_hash(untrusted)
    try:
        header = parse_header(untrusted)
    except MalformedError:
        return Refused(header=_NOBODY, hash=hash_, refusal=Refusal.MALFORMED)
    controller = controllers.get(header.controller)
    if controller is None:
        return Refused(header=header, hash=hash_, refusal=Refusal.UNKNOWN_CONTROLLER)
    try:
        header, body, signature = open_signed_record(
            untrusted, record_keys=record_keys, controller_identity=controller.identity
        )
    except PeerError as error:
        return Refused(header=header, hash=hash_, refusal=refusal_of(error))
    if header.supervision is not (body.kind is Kind.SUPERVISION):
        return Refused(header=header, hash=hash_, refusal=Refusal.MALFORMED)
    return Verified(header=header, body=body, signature=signature, hash=hash_, received=now)


def receipt_for(verdict: Verified | Refused, *, key_id: KeyId, now: WallTime, want: Want | None) -> Receipt:
    """What the monitor says of one record, not yet signed."""
    header = verdict.header
    refusal = verdict.refusal if isinstance(verdict, Refused) else Refusal.NONE
    return Receipt(
        status=Status.REFUSED if isinstance(verdict, Refused) else Status.STORED,
        refusal=refusal,
        key_id=key_id,
        controller=header.controller,
        epoch=header.epoch,
        sequence=header.sequence,
        record=verdict.hash,
        monitor_time=now,
        want_epoch=want.epoch if want else NO_EPOCH,
        want_sequence=want.sequence if want else Sequence(0),
        want_count=want.count if want else 0,
    )
