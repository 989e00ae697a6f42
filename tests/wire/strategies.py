"""Any header, body and receipt that the wire format can say."""

from hypothesis import strategies as st

from doorctl.core.types import Monotonic, Outcome, Reason, WallTime
from doorctl.wire.receipt import Receipt, Refusal, Status
from doorctl.wire.record import (
    Body,
    ControllerId,
    Epoch,
    Flag,
    Header,
    Kind,
    RecordHash,
    RowTag,
    Sequence,
    Token,
    is_plain,
)
from tests.seal.sample import PUBLIC

U32 = st.integers(0, 2**32 - 1)
U63 = st.integers(0, 2**63 - 1)
U64 = st.integers(0, 2**64 - 1)


def exactly(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


NAMES = st.text(st.characters(codec="utf-8"), max_size=32).filter(
    lambda name: len(name.encode()) <= 32 and is_plain(name)
)
HEADERS = st.builds(
    Header,
    key_id=st.just(PUBLIC.record_key_id),
    controller=exactly(16).map(ControllerId),
    epoch=exactly(8).map(Epoch),
    sequence=U64.map(Sequence),
)
BODIES = st.builds(
    Body,
    kind=st.sampled_from(Kind),
    outcome=st.sampled_from(Outcome),
    reason=st.sampled_from(Reason),
    flags=st.integers(0, 31).map(Flag),
    count=U32,
    wall=U63.map(WallTime),
    monotonic=U63.map(Monotonic),
    boot_id=exactly(16),
    door=NAMES,
    reader=NAMES,
    token=exactly(144).map(Token),
    row_tag=exactly(16).map(RowTag),
    roster_generation=U63,
    roster_digest=exactly(32),
    previous=exactly(32).map(RecordHash),
    pending=U32,
    detail=st.binary(max_size=458),
)
RECEIPTS = st.builds(
    Receipt,
    status=st.sampled_from(Status),
    refusal=st.sampled_from(Refusal),
    key_id=st.just(PUBLIC.receipt_key_id),
    controller=exactly(16).map(ControllerId),
    epoch=exactly(8).map(Epoch),
    sequence=U64.map(Sequence),
    record=exactly(32).map(RecordHash),
    monitor_time=U64.map(WallTime),
    want_epoch=exactly(8).map(Epoch),
    want_sequence=U64.map(Sequence),
    want_count=U32,
)
