from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.errors import MalformedError
from doorctl.wire.receipt import Receipt, Refusal, Status, parse_receipt, split_receipt
from tests.seal.sample import RECEIPT
from tests.wire.strategies import RECEIPTS


@given(RECEIPTS)
def test_a_receipt_comes_back(receipt: Receipt) -> None:
    assert len(receipt.encode()) == 128
    assert parse_receipt(receipt.encode()) == receipt


@given(
    st.binary(max_size=140)
    | st.tuples(st.integers(0, 127), st.binary(min_size=1, max_size=4)).map(
        lambda change: (RECEIPT.encode()[: change[0]] + change[1] + RECEIPT.encode()[change[0] + len(change[1]) :])[
            :128
        ]
    )
)
@settings(max_examples=300)
def test_reading_is_total_and_exact(untrusted: bytes) -> None:
    try:
        receipt = parse_receipt(untrusted)
    except MalformedError:
        return
    assert receipt.encode() == untrusted


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (0, 0x45, "not a version 1 receipt"),
        (3, 2, "not a version 1 receipt"),
        (4, 0, "0 is not a valid Status"),
        (4, max(Status) + 1, "is not a valid Status"),
        (5, max(Refusal) + 1, "is not a valid Refusal"),
        (6, 1, "reserved bytes"),
        (7, 1, "reserved bytes"),
        (108, 1, "reserved bytes"),
        (127, 1, "reserved bytes"),
    ],
)
def test_every_field_is_strict(place: int, value: int, expected: str) -> None:
    encoded = bytearray(RECEIPT.encode())
    encoded[place] = value
    with pytest.raises(MalformedError, match=expected):
        parse_receipt(bytes(encoded))


@pytest.mark.parametrize("size", [0, 127, 129])
def test_the_signed_part_has_128_bytes(size: int) -> None:
    with pytest.raises(MalformedError, match="expected 128"):
        parse_receipt(bytes(size))


def test_a_receipt_is_split_before_its_signature() -> None:
    assert split_receipt(b"r" * 128 + b"s" * 64) == (b"r" * 128, b"s" * 64)
    for size in (0, 191, 193):
        with pytest.raises(MalformedError, match="expected 192"):
            split_receipt(bytes(size))


@pytest.mark.parametrize(
    ("name", "size"), [("key_id", 8), ("controller", 16), ("epoch", 8), ("record", 32), ("want_epoch", 8)]
)
@pytest.mark.parametrize("off", [-1, 1])
def test_a_field_of_a_wrong_size_is_our_own_fault(name: str, size: int, off: int) -> None:
    with pytest.raises(ValueError, match=f"{name} has {size + off} bytes, expected {size}"):
        replace(RECEIPT, **{name: bytes(size + off)}).encode()  # type: ignore[arg-type]  # all of them are bytes
