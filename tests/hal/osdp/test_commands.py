"""Payloads byte for byte, and parsers that are strict and total."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.osdp import commands
from hal.osdp.commands import Blink, Capability, CardData, Color, Com, Identity, Keys, Levels, LocalStatus, Nak
from hal.osdp.errors import FrameRefusedError


@pytest.mark.parametrize(
    ("made", "wire"),
    [
        (
            commands.led(passing=Blink(on=Color.GREEN, on_ds=1, off=Color.BLACK, off_ds=1), for_ds=50),
            "0000020101020032000000000000",
        ),
        (commands.led(lasting=Blink(on=Color.RED)), "0000000000000000000101000100"),
        (commands.buzzer(on_ds=2, off_ds=1, count=2), "0002020102"),
        (commands.buzzer(on_ds=0, off_ds=0, count=0), "0001000000"),
        (commands.output(1, on=True), "01020000"),
        (commands.output(1, on=False), "01010000"),
        (commands.output(0, on=True, for_ds=300), "00052c01"),
        (commands.text("Grüße", for_s=5), "000305010105" + b"Gr??e".hex()),
        (commands.comset(address=3, baud=115_200), "0300c20100"),
        (commands.keyset(bytes(range(16))), "0110" + bytes(range(16)).hex()),
    ],
)
def test_what_is_sent(made: bytes, wire: str) -> None:
    assert made.hex() == wire


@pytest.mark.parametrize(
    ("parse", "wire", "value"),
    [
        (commands.parse_identity, "bebafe0101afbeaddeaddead",
         Identity(vendor=b"\xbe\xba\xfe", model=1, version=1, serial=0xDEADBEAF, firmware=(0xAD, 0xDE, 0xAD))),
        (commands.parse_identity, "bebafe0101afbeaddeadde", None),
        (commands.parse_capabilities, "010203040506",
         (Capability(function=1, compliance=2, number=3), Capability(function=4, compliance=5, number=6))),
        (commands.parse_capabilities, "0102", None),
        (commands.parse_card, "00011a0000000080", CardData(reader=0, length=26, raw=2)),
        (commands.parse_card, "00011a00000000c1", None),
        (commands.parse_card, "00011a00000000", None),
        (commands.parse_card, "00010000", None),
        (commands.parse_card, "0001", None),
        (commands.parse_keys, "0005313233340d", Keys(reader=0, pressed=b"1234\r")),
        (commands.parse_keys, "000531323334", None),
        (commands.parse_keys, "00", None),
        (commands.parse_local_status, "0001", LocalStatus(tamper=False, power_failure=True)),
        (commands.parse_local_status, "00", None),
        (commands.parse_levels, "000102", Levels(active=(False, True, True))),
        (commands.parse_com, "0300c20100", Com(address=3, baud=115_200)),
        (commands.parse_com, "0300c201", None),
        (commands.parse_nak, "06", Nak(code=6)),
        (commands.parse_nak, "", None),
    ],
)  # fmt: skip
def test_what_is_answered(parse: Callable[[bytes], object], wire: str, value: object) -> None:
    assert parse(bytes.fromhex(wire)) == value


@given(st.binary(max_size=300))
def test_parsers_are_total(untrusted: bytes) -> None:
    for parse in (
        commands.parse_identity, commands.parse_capabilities, commands.parse_card, commands.parse_keys,
        commands.parse_local_status, commands.parse_levels, commands.parse_com, commands.parse_nak,
    ):  # fmt: skip
        parse(untrusted)


@given(st.integers(1, 200), st.data())
def test_a_card_of_any_length_is_read_as_sent(length: int, data: st.DataObject) -> None:
    raw = data.draw(st.integers(0, (1 << length) - 1))
    size = -(-length // 8)
    wire = bytes((0, 1)) + length.to_bytes(2, "little") + (raw << (8 * size - length)).to_bytes(size, "big")
    assert commands.parse_card(wire) == CardData(reader=0, length=length, raw=raw)


def test_secrets_are_in_no_repr() -> None:
    assert "1234" not in repr(Keys(reader=0, pressed=b"1234"))
    assert "4711" not in repr(CardData(reader=0, length=26, raw=4711))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(FrameRefusedError):
        commands.buzzer(on_ds=256, off_ds=0, count=0)
