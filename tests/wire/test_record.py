import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.core.types import Outcome, Reason
from doorctl.errors import MalformedError
from doorctl.wire.record import (
    MAGIC,
    SUPERVISION_BIT,
    Body,
    Flag,
    Header,
    Kind,
    RowTag,
    Sequence,
    Token,
    parse_body,
    parse_header,
    record_hash,
    split_body,
)
from doorctl.wire.sizes import DETAIL_SIZE
from tests.seal.sample import BODY, HEADER
from tests.wire.strategies import BODIES, HEADERS

SEALED = bytes(2000)
DETAIL_AT = 342


def with_bytes(encoded: bytes, place: int, new: bytes) -> bytes:
    return encoded[:place] + new + encoded[place + len(new) :]


@given(HEADERS)
def test_a_header_comes_back(header: Header) -> None:
    assert len(header.encode()) == 48
    assert parse_header(header.encode() + SEALED) == header


@given(BODIES)
def test_a_body_comes_back_and_has_one_encoding(body: Body) -> None:
    encoded = body.encode()
    assert len(encoded) == 800
    assert parse_body(encoded) == body
    assert parse_body(encoded).encode() == encoded


@given(st.binary(max_size=2100) | st.binary(min_size=2040, max_size=2044).map(lambda rest: MAGIC + rest))
def test_reading_a_header_is_total(untrusted: bytes) -> None:
    try:
        header = parse_header(untrusted)
    except MalformedError:
        return
    assert header.encode() == untrusted[:48]


@given(st.binary(max_size=810) | st.tuples(st.integers(0, 799), st.binary(min_size=1, max_size=8)).map(
    lambda change: with_bytes(BODY.encode(), *change)[:800]
))  # fmt: skip
@settings(max_examples=400)
def test_reading_a_body_is_total_and_exact(untrusted: bytes) -> None:
    try:
        body = parse_body(untrusted)
    except MalformedError:
        return
    assert body.encode() == untrusted


@pytest.mark.parametrize("size", [0, 48, 2047, 2049])
def test_a_record_has_2048_bytes(size: int) -> None:
    with pytest.raises(MalformedError, match=f"record: {size} bytes, expected 2048"):
        parse_header((HEADER.encode() + SEALED + b"x")[:size])


@pytest.mark.parametrize("place", range(4))
def test_the_magic_and_version_are_exact(place: int) -> None:
    encoded = bytearray(HEADER.encode() + SEALED)
    encoded[place] += 1
    with pytest.raises(MalformedError, match="not a version 1 record"):
        parse_header(bytes(encoded))


@pytest.mark.parametrize("place", range(4, 8))
def test_the_headers_reserved_bytes_are_zero(place: int) -> None:
    encoded = bytearray(HEADER.encode() + SEALED)
    encoded[place] = 1
    with pytest.raises(MalformedError, match="reserved bytes are not zero"):
        parse_header(bytes(encoded))


def test_supervision_is_known_by_its_counter() -> None:
    assert not HEADER.supervision
    assert replace(HEADER, sequence=Sequence(SUPERVISION_BIT | 1)).supervision


@pytest.mark.parametrize(("name", "size"), [("key_id", 8), ("controller", 16), ("epoch", 8)])
@pytest.mark.parametrize("off", [-1, 1])
def test_a_header_field_of_a_wrong_size_is_our_own_fault(name: str, size: int, off: int) -> None:
    with pytest.raises(ValueError, match=f"{name} has {size + off} bytes, expected {size}"):
        replace(HEADER, **{name: bytes(size + off)}).encode()  # type: ignore[arg-type]  # all three are bytes


@pytest.mark.parametrize(
    ("name", "size"), [("boot_id", 16), ("token", 144), ("row_tag", 16), ("roster_digest", 32), ("previous", 32)]
)
@pytest.mark.parametrize("off", [-1, 1])
def test_a_body_field_of_a_wrong_size_is_our_own_fault(name: str, size: int, off: int) -> None:
    with pytest.raises(ValueError, match=f"{name} has {size + off} bytes, expected {size}"):
        replace(BODY, **{name: bytes(size + off)}).encode()  # type: ignore[arg-type]  # all of them are bytes


@pytest.mark.parametrize("name", ["x" * 33, "é" * 17, "a\0b"])
def test_a_name_that_does_not_fit_is_our_own_fault(name: str) -> None:
    with pytest.raises(ValueError, match="does not fit 32 bytes"):
        replace(BODY, door=name).encode()
    with pytest.raises(ValueError, match="does not fit 32 bytes"):
        replace(BODY, reader=name).encode()


def test_a_detail_that_does_not_fit_is_our_own_fault() -> None:
    assert len(replace(BODY, detail=bytes(458)).encode()) == 800
    with pytest.raises(ValueError, match="detail has 459 bytes"):
        replace(BODY, detail=bytes(459)).encode()


@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", "\x9b31m", "a\u202eb", "a\u2066b", "\u200f"])
def test_a_name_cannot_command_a_terminal(name: str) -> None:
    with pytest.raises(ValueError, match="has control characters"):
        replace(BODY, door=name).encode()
    encoded = with_bytes(BODY.encode(), 40, name.encode().ljust(32, b"\0"))
    with pytest.raises(MalformedError, match="has control characters"):
        parse_body(encoded)


@pytest.mark.parametrize(("name", "place"), [("wall", 8), ("monotonic", 16), ("roster_generation", 264)])
def test_numbers_of_8_bytes_fit_a_signed_column(name: str, place: int) -> None:
    largest = replace(BODY, **{name: 2**63 - 1})  # type: ignore[arg-type]  # all three are integers
    assert parse_body(largest.encode()) == largest
    with pytest.raises(ValueError, match="not below 2"):
        replace(BODY, **{name: 2**63}).encode()  # type: ignore[arg-type]  # likewise
    with pytest.raises(MalformedError, match="not below 2"):
        parse_body(with_bytes(BODY.encode(), place, b"\x80" + bytes(7)))


@pytest.mark.parametrize(
    ("place", "untrusted", "expected"),
    [
        (0, b"\x00", "0 is not a valid Kind"),
        (0, bytes([max(Kind) + 1]), "is not a valid Kind"),
        (1, bytes([max(Outcome) + 1]), "is not a valid Outcome"),
        (2, bytes([max(Reason) + 1]), "is not a valid Reason"),
        (3, b"\x20", "unknown flags 0x20"),
        (3, b"\x81", "unknown flags 0x81"),
        (40, b"\0front", "a name is not padded with zeros"),
        (46, b"x", "a name is not padded with zeros"),
        (72, b"\xff", "can't decode byte 0xff"),
        (72, b"\xed\xa0\x80", "can't decode"),
        (DETAIL_AT - 2, struct.pack(">H", DETAIL_SIZE + 1), "detail is not padded"),
        (DETAIL_AT - 2, b"\xff\xff", "detail is not padded"),
        (DETAIL_AT, b"\x01", "detail is not padded"),
        (799, b"\x01", "detail is not padded"),
    ],
)
def test_every_field_of_a_body_is_strict(place: int, untrusted: bytes, expected: str) -> None:
    with pytest.raises(MalformedError, match=expected):
        parse_body(with_bytes(BODY.encode(), place, untrusted))


@pytest.mark.parametrize("size", [0, 799, 801])
def test_a_body_has_800_signed_bytes(size: int) -> None:
    with pytest.raises(MalformedError, match="expected 800"):
        parse_body(bytes(size))


def test_a_body_is_split_before_its_signature() -> None:
    assert split_body(b"b" * 800 + b"s" * 64) == (b"b" * 800, b"s" * 64)
    for size in (0, 863, 865):
        with pytest.raises(MalformedError, match="expected 864"):
            split_body(bytes(size))


def test_the_fullest_names_and_flags_come_back() -> None:
    body = replace(
        BODY, door="é" * 16, reader="x" * 32, flags=~Flag(0), token=Token(b"\xff" * 144), row_tag=RowTag(bytes(16))
    )
    assert parse_body(body.encode()) == body
    assert int(body.flags) == 31


def test_the_hash_is_over_all_of_the_record() -> None:
    record = HEADER.encode() + SEALED
    assert len(record_hash(record)) == 32
    assert record_hash(record) != record_hash(record[:-1] + b"\1") != record_hash(b"\1" + record[1:])


def test_numbers_on_the_wire_stay() -> None:
    assert [(kind.name, kind.value) for kind in Kind] == [
        ("START", 1), ("ACCESS", 2), ("DOOR", 3), ("ENROLLED", 4), ("SUPERVISION", 5),
        ("TEST", 6), ("FAULT", 7), ("OPERATOR", 8), ("LOSS", 9), ("GUESSING", 10),
    ]  # fmt: skip
    assert [flag.value for flag in Flag] == [1, 2, 4, 8, 16]
