import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.core.types import WallTime
from doorctl.errors import MalformedError
from doorctl.wire.detail import (
    ENTRIES_PER_RECORD,
    RANGES_PER_RECORD,
    Act,
    Action,
    CoalescedDetail,
    Detail,
    DoorDetail,
    DoorHappening,
    EnrolledDetail,
    FaultCode,
    FaultDetail,
    GuessingDetail,
    LossDetail,
    LostRange,
    OperatorDetail,
    StartDetail,
    SupervisionDetail,
    TestDetail,
    parse_detail,
)
from doorctl.wire.record import Epoch, Kind, RecordHash, Sequence
from doorctl.wire.sizes import DETAIL_SIZE
from tests.wire.strategies import U32, U63, exactly

EPOCHS = exactly(8).map(Epoch)
SEQUENCES = U63.map(Sequence)
HASHES = exactly(32).map(RecordHash)
RANGES = st.builds(
    lambda epoch, ends: LostRange(epoch=epoch, first=min(ends), last=max(ends)),
    EPOCHS,
    st.tuples(SEQUENCES, SEQUENCES),
)
DETAILS: dict[Kind, st.SearchStrategy[Detail]] = {
    Kind.START: st.builds(StartDetail, previous_epoch=EPOCHS, previous_head=SEQUENCES, previous_hash=HASHES),
    Kind.ACCESS: st.builds(CoalescedDetail, first=U63.map(WallTime)),
    Kind.DOOR: st.builds(DoorDetail, happening=st.sampled_from(DoorHappening)),
    Kind.ENROLLED: st.builds(
        lambda parts, **rest: EnrolledDetail(part=min(parts), parts=max(parts), **rest),
        st.tuples(st.integers(1, 2**16 - 1), st.integers(1, 2**16 - 1)),
        generation=U63,
        action=st.sampled_from(Action),
        day=U32,
        entries=st.lists(exactly(16), max_size=ENTRIES_PER_RECORD).map(tuple),
    ),
    Kind.SUPERVISION: st.builds(
        SupervisionDetail,
        head=SEQUENCES,
        oldest_epoch=EPOCHS,
        oldest_sequence=SEQUENCES,
        receipted_epoch=EPOCHS,
        receipted_sequence=SEQUENCES,
        receipted_hash=HASHES,
    ),
    Kind.TEST: st.builds(TestDetail, nonce=exactly(16)),
    Kind.FAULT: st.builds(FaultDetail, code=st.sampled_from(FaultCode), began=st.booleans()),
    Kind.OPERATOR: st.builds(OperatorDetail, act=st.sampled_from(Act), uid=U32),
    Kind.LOSS: st.builds(
        LossDetail, unmatched=U63, matched=U63, ranges=st.lists(RANGES, max_size=RANGES_PER_RECORD).map(tuple)
    ),
    Kind.GUESSING: st.builds(GuessingDetail, wrong_codes=U32, window_s=U32),
}
SAMPLES: dict[Kind, Detail] = {
    Kind.START: StartDetail(
        previous_epoch=Epoch(b"epoch..1"), previous_head=Sequence(7), previous_hash=RecordHash(b"h" * 32)
    ),
    Kind.ACCESS: CoalescedDetail(first=WallTime(5)),
    Kind.DOOR: DoorDetail(happening=DoorHappening.HELD_OPEN),
    Kind.ENROLLED: EnrolledDetail(generation=3, action=Action.ADD, day=20_000, part=1, parts=2, entries=(b"e" * 16,)),
    Kind.SUPERVISION: SupervisionDetail(
        head=Sequence(9),
        oldest_epoch=Epoch(b"epoch..1"),
        oldest_sequence=Sequence(4),
        receipted_epoch=Epoch(b"epoch..1"),
        receipted_sequence=Sequence(3),
        receipted_hash=RecordHash(b"r" * 32),
    ),
    Kind.TEST: TestDetail(nonce=b"n" * 16),
    Kind.FAULT: FaultDetail(code=FaultCode.STORAGE, began=True),
    Kind.OPERATOR: OperatorDetail(act=Act.UNLOCK, uid=1000),
    Kind.LOSS: LossDetail(
        unmatched=5, matched=1, ranges=(LostRange(epoch=Epoch(b"epoch..1"), first=Sequence(1), last=Sequence(6)),)
    ),
    Kind.GUESSING: GuessingDetail(wrong_codes=40, window_s=600),
}


def test_every_kind_has_a_sample_and_a_strategy() -> None:
    assert set(SAMPLES) == set(DETAILS) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
@given(data=st.data())
@settings(max_examples=40)
def test_every_detail_comes_back_and_fits_a_record(kind: Kind, data: st.DataObject) -> None:
    detail = data.draw(DETAILS[kind])
    encoded = detail.encode()
    assert len(encoded) <= DETAIL_SIZE
    assert parse_detail(kind, encoded) == detail


@pytest.mark.parametrize("kind", Kind)
@given(untrusted=st.binary(max_size=DETAIL_SIZE), place=st.integers(0, 80), data=st.data())
@settings(max_examples=60)
def test_reading_is_total_and_exact(kind: Kind, untrusted: bytes, place: int, data: st.DataObject) -> None:
    good = SAMPLES[kind].encode()
    for given_bytes in (untrusted, good[:place] + data.draw(st.binary(max_size=3)) + good[place + 1 :]):
        try:
            detail = parse_detail(kind, given_bytes)
        except MalformedError:
            continue
        assert (detail.encode() if detail else b"") == given_bytes


@pytest.mark.parametrize("kind", Kind)
def test_no_detail_may_be_cut_or_have_bytes_behind_it(kind: Kind) -> None:
    encoded = SAMPLES[kind].encode()
    for untrusted in (encoded[:-1], encoded + b"\0"):
        with pytest.raises(MalformedError, match="record detail"):
            parse_detail(kind, untrusted)
    if kind is not Kind.ACCESS:
        with pytest.raises(MalformedError, match="record detail"):
            parse_detail(kind, b"")


def test_an_access_record_of_one_event_has_none() -> None:
    assert parse_detail(Kind.ACCESS, b"") is None


@pytest.mark.parametrize(
    ("kind", "place", "untrusted", "expected"),
    [
        (Kind.DOOR, 0, b"\x00", "0 is not a valid DoorHappening"),
        (Kind.DOOR, 0, bytes([max(DoorHappening) + 1]), "not a valid DoorHappening"),
        (Kind.ENROLLED, 8, b"\x00", "0 is not a valid Action"),
        (Kind.ENROLLED, 13, b"\x00\x00", "do not add up"),
        (Kind.ENROLLED, 13, b"\x00\x03", "do not add up"),
        (Kind.ENROLLED, 15, b"\x00\x00", "do not add up"),
        (Kind.ENROLLED, 17, b"\x00", "do not add up"),
        (Kind.ENROLLED, 17, b"\x02", "do not add up"),
        (Kind.FAULT, 0, b"\x00", "0 is not a valid FaultCode"),
        (Kind.FAULT, 1, b"\x02", "2 is neither began nor ended"),
        (Kind.OPERATOR, 0, b"\x00", "0 is not a valid Act"),
        (Kind.LOSS, 16, b"\x00", "do not add up"),
        (Kind.LOSS, 16, b"\x02", "do not add up"),
        (Kind.LOSS, 32, b"\x07", "ends before it begins"),
    ],
)
def test_every_field_is_strict(kind: Kind, place: int, untrusted: bytes, expected: str) -> None:
    encoded = SAMPLES[kind].encode()
    with pytest.raises(MalformedError, match=expected):
        parse_detail(kind, encoded[:place] + untrusted + encoded[place + len(untrusted) :])


def test_as_many_entries_and_ranges_fit_as_are_promised() -> None:
    assert (ENTRIES_PER_RECORD, RANGES_PER_RECORD) == (27, 18)
    entries = tuple(bytes([n]) * 16 for n in range(ENTRIES_PER_RECORD + 1))
    whole = EnrolledDetail(generation=1, action=Action.REVOKE, day=1, part=1, parts=1, entries=entries[:-1])
    assert len(whole.encode()) <= DETAIL_SIZE < len(whole.encode()) + 16


@pytest.mark.parametrize(
    "detail",
    [
        StartDetail(previous_epoch=Epoch(b"short"), previous_head=Sequence(0), previous_hash=RecordHash(bytes(32))),
        StartDetail(previous_epoch=Epoch(bytes(8)), previous_head=Sequence(0), previous_hash=RecordHash(bytes(33))),
        EnrolledDetail(generation=1, action=Action.ADD, day=1, part=1, parts=1, entries=(bytes(15),)),
        TestDetail(nonce=bytes(15)),
        LossDetail(
            unmatched=0, matched=0, ranges=(LostRange(epoch=Epoch(bytes(9)), first=Sequence(1), last=Sequence(1)),)
        ),
        SupervisionDetail(
            head=Sequence(1),
            oldest_epoch=Epoch(bytes(8)),
            oldest_sequence=Sequence(0),
            receipted_epoch=Epoch(bytes(7)),
            receipted_sequence=Sequence(0),
            receipted_hash=RecordHash(bytes(32)),
        ),
    ],
)
def test_a_field_of_a_wrong_size_is_our_own_fault(detail: Detail) -> None:
    with pytest.raises(ValueError, match="bytes, expected"):
        detail.encode()


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (Kind.START, 8), (Kind.ACCESS, 0), (Kind.ENROLLED, 0), (Kind.SUPERVISION, 0), (Kind.SUPERVISION, 16),
        (Kind.SUPERVISION, 32), (Kind.LOSS, 0), (Kind.LOSS, 8), (Kind.LOSS, 33),
    ],
)  # fmt: skip
def test_numbers_of_8_bytes_fit_a_signed_column(kind: Kind, place: int) -> None:
    encoded = SAMPLES[kind].encode()
    largest = encoded[:place] + b"\x7f" + b"\xff" * 7 + encoded[place + 8 :]
    found = parse_detail(kind, largest)
    assert found is not None
    assert found.encode() == largest
    with pytest.raises(MalformedError, match="not below 2"):
        parse_detail(kind, encoded[:place] + b"\x80" + bytes(7) + encoded[place + 8 :])


def test_a_number_beyond_the_bound_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="not below 2"):
        CoalescedDetail(first=WallTime(2**63)).encode()
