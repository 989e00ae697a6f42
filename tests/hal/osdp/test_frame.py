"""The framer believes nothing: whatever the line does, whole frames are found, and nothing escapes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.osdp.errors import FrameRefusedError
from hal.osdp.frame import LONGEST, MARK, Frame, Framer, Problem, SecurityBlock, checksum, crc16, parse


def frames() -> st.SearchStrategy[Frame]:
    clear = st.one_of(st.none(), st.builds(SecurityBlock, type=st.integers(0, 0x14), data=st.binary(max_size=4)))
    sealed = st.builds(SecurityBlock, type=st.integers(0x15, 0xFF), data=st.binary(max_size=4))
    common = {
        "address": st.integers(0, 0x7F), "reply": st.booleans(), "sequence": st.integers(0, 3),
        "code": st.integers(0, 255), "data": st.binary(max_size=40), "crc": st.booleans(),
    }  # fmt: skip
    return st.one_of(
        st.builds(Frame, security=clear, **common),
        st.builds(Frame, security=sealed, mac=st.binary(min_size=4, max_size=4), **common),
    )


@given(frames())
def test_a_frame_comes_back_as_it_was(frame: Frame) -> None:
    assert parse(frame.encode()) == frame


@given(st.lists(frames(), max_size=5), st.data())
def test_frames_are_found_however_the_stream_is_cut(sent: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(MARK + frame.encode() for frame in sent)
    framer, found = Framer(), list[Frame | Problem]()
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += framer.feed(stream[:size])
        stream = stream[size:]
    assert found == sent
    assert not framer.partial


@given(st.binary(max_size=600), frames())
def test_any_bytes_are_told_and_memory_is_bounded(untrusted: bytes, frame: Frame) -> None:
    framer = Framer(longest=128)
    for one in framer.feed(untrusted):
        assert isinstance(one, Frame | Problem)
    assert len(framer._waiting) <= 128
    framer.clear()
    assert framer.feed(frame.encode()) == [frame]


@given(frames(), frames(), st.data())
def test_a_frame_behind_a_spoilt_one_is_found(spoilt: Frame, whole: Frame, data: st.DataObject) -> None:
    """One bit flipped anywhere but in the length, which may swallow what follows until the line falls silent."""
    wire = bytearray(spoilt.encode())
    at = data.draw(st.sampled_from([place for place in range(len(wire)) if place not in {2, 3}]))
    wire[at] ^= 1 << data.draw(st.integers(0, 7))
    found = Framer().feed(bytes(wire) + whole.encode())
    assert found[-1] == whole or parse(bytes(wire)) != Problem.CHECK


@given(frames())
@settings(max_examples=40)
def test_no_single_flipped_bit_of_a_crc_frame_passes(frame: Frame) -> None:
    wire = Frame(
        address=frame.address, reply=frame.reply, sequence=frame.sequence, code=frame.code, data=frame.data,
        security=frame.security, mac=frame.mac,
    ).encode()  # fmt: skip
    for bit in range(len(wire) * 8):
        flipped = bytearray(wire)
        flipped[bit // 8] ^= 1 << bit % 8
        if bit // 8 == 4 and bit % 8 == 2:
            continue  # the bit that says which check it is: a sum over the rest, right once in 256
        assert isinstance(parse(bytes(flipped)), Problem)


@pytest.mark.parametrize(
    ("untrusted", "problem"),
    [
        ("", Problem.NOISE),
        ("53", Problem.NOISE),
        ("52000700006046", Problem.NOISE),
        ("53000800006046", Problem.LENGTH),
        ("53000700006047", Problem.CHECK),
        ("530007001060", Problem.NOISE),
        ("5300070010" + "60", Problem.NOISE),
    ],
)
def test_what_is_wrong_is_named(untrusted: str, problem: Problem) -> None:
    assert parse(bytes.fromhex(untrusted)) is problem


@pytest.mark.parametrize(
    "inside",
    ["f060", "0800", "0801", "08ff1160", "080211", "08021560"],
    ids=["unused bits", "no size", "a size below its own", "a size beyond", "no code", "no room for the MAC"],
)
def test_a_right_check_over_nonsense_is_refused(inside: str) -> None:
    body = bytes((0x53, 0, 6 + len(inside) // 2 - 1 + 0, 0)) + bytes.fromhex(inside)
    body = body[:2] + (len(body) + 1).to_bytes(2, "little") + body[4:]
    body += bytes(max(0, 6 - len(body)))
    body = body[:2] + (len(body) + 1).to_bytes(2, "little") + body[4:]
    assert parse(body + bytes((checksum(body),))) is Problem.FORM


def test_a_length_that_cannot_be_costs_one_byte() -> None:
    frame = Frame(address=1, reply=False, sequence=1, code=0x60)
    for length in (6, LONGEST + 1, 0xFFFF):
        garbage = bytes((0x53, 0)) + length.to_bytes(2, "little") + b"\0"
        assert Framer().feed(garbage + frame.encode()) == [Problem.LENGTH, Problem.NOISE, frame]


@pytest.mark.parametrize(
    "frame",
    [
        Frame(address=0x80, reply=False, sequence=0, code=0x60),
        Frame(address=0, reply=False, sequence=4, code=0x60),
        Frame(address=0, reply=False, sequence=0, code=256),
        Frame(address=0, reply=False, sequence=0, code=0x60, data=bytes(LONGEST)),
        Frame(address=0, reply=False, sequence=0, code=0x60, mac=b"1234"),
        Frame(address=0, reply=False, sequence=0, code=0x60, security=SecurityBlock(type=0x15)),
        Frame(address=0, reply=False, sequence=0, code=0x60, security=SecurityBlock(type=0x11, data=bytes(254))),
    ],
)
def test_what_cannot_be_a_frame_is_not_sent(frame: Frame) -> None:
    with pytest.raises(FrameRefusedError):
        frame.encode()


def test_the_checks_are_those_of_the_field() -> None:
    assert crc16(bytes.fromhex("530008000560")) == 0x99DA
    assert checksum(bytes.fromhex("530007000060")) == 0x46
