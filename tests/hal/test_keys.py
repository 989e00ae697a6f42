"""Keypads: the standard's frames as literals, every other frame refused, and back again."""

import re
from collections.abc import Sequence

import pytest

from hal.errors import ConfigurationError
from hal.events import Key
from hal.wiegand.cards import FORMATS
from hal.wiegand.keys import Keypad, KeypadEncoding, KeyRefusal

DIGITS = [Key(str(digit)) for digit in range(10)]
H10301 = FORMATS["H10301"]


def keypad(encoding: KeypadEncoding, *, facility: int | None = None) -> Keypad:
    return Keypad(encoding=encoding, enter_key="#", facility=facility)


def digits(written: str) -> tuple[Key, ...]:
    return tuple(Key(digit) for digit in written)


FRAMES = {
    KeypadEncoding.BITS_4: (4, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0b1010, 0b1011]),
    KeypadEncoding.BITS_6: (
        6,
        [
            *(0b0_0000_1, 0b0_0001_0, 0b0_0010_0, 0b0_0011_1, 0b1_0100_1, 0b1_0101_0),
            *(0b1_0110_0, 0b1_0111_1, 0b1_1000_1, 0b1_1001_0, 0b1_1010_0, 0b1_1011_1),
        ],
    ),
    KeypadEncoding.BITS_8: (8, [0xF0, 0xE1, 0xD2, 0xC3, 0xB4, 0xA5, 0x96, 0x87, 0x78, 0x69, 0x5A, 0x4B]),
}
WRONG = {
    KeypadEncoding.BITS_4: {KeyRefusal.UNKNOWN_KEY: 4},
    KeypadEncoding.BITS_6: {KeyRefusal.UNKNOWN_KEY: 4, KeyRefusal.PARITY: 48},
    KeypadEncoding.BITS_8: {KeyRefusal.UNKNOWN_KEY: 4, KeyRefusal.COMPLEMENT: 240},
}


@pytest.mark.parametrize("encoding", FRAMES)
@pytest.mark.parametrize("enter_key", ["*", "#"])
def test_every_frame_of_a_short_encoding_is_a_key_or_refused(encoding: KeypadEncoding, enter_key: str) -> None:
    pad = Keypad(encoding=encoding, enter_key="*" if enter_key == "*" else "#")
    ends = [Key.ENTER, Key.ESC] if enter_key == "*" else [Key.ESC, Key.ENTER]
    length, frames = FRAMES[encoding]
    assert pad.frame_bits == length
    answers = {raw: pad.read(length, raw) for raw in range(1 << length)}
    assert {raw: answer for raw, answer in answers.items() if isinstance(answer, tuple)} == dict(
        zip(frames, [(key,) for key in (*DIGITS, *ends)], strict=True)
    )
    refusals = [answer for answer in answers.values() if isinstance(answer, KeyRefusal)]
    assert {refusal: refusals.count(refusal) for refusal in refusals} == WRONG[encoding]


@pytest.mark.parametrize("encoding", FRAMES)
def test_every_key_has_a_frame(encoding: KeypadEncoding) -> None:
    pad = keypad(encoding)
    assert [pad.read(*pad.frame((key,))) for key in Key] == [(key,) for key in Key]


@pytest.mark.parametrize("encoding", KeypadEncoding)
def test_another_length_is_refused(encoding: KeypadEncoding) -> None:
    pad = keypad(encoding)
    assert [pad.read(length, 0) for length in range(64) if length != pad.frame_bits] == [KeyRefusal.LENGTH] * 63
    assert pad.read(pad.frame_bits, 1 << pad.frame_bits) is KeyRefusal.LENGTH


def test_a_binary_entry_is_its_number_and_enter() -> None:
    pad = keypad(KeypadEncoding.BINARY_26)
    assert pad.read(*H10301.encode({"facility": 7, "card": 4070})) == (*digits("4070"), Key.ENTER)
    assert pad.read(*H10301.encode({"facility": 0, "card": 0})) == (*digits("0"), Key.ENTER)
    assert pad.read(*H10301.encode({"facility": 0, "card": 65534})) == (*digits("65534"), Key.ENTER)


def test_the_reader_s_error_is_no_entry() -> None:
    pad = keypad(KeypadEncoding.BINARY_26)
    assert pad.read(*H10301.encode({"facility": 0, "card": 65535})) is KeyRefusal.READER_ERROR


def test_a_facility_tells_entries_from_cards() -> None:
    pad = keypad(KeypadEncoding.BINARY_26, facility=200)
    assert pad.read(*H10301.encode({"facility": 200, "card": 15})) == (*digits("15"), Key.ENTER)
    assert pad.read(*H10301.encode({"facility": 201, "card": 15})) is KeyRefusal.FACILITY
    assert not pad.shares_frames_with(26)


def test_without_a_facility_entries_and_cards_of_26_bits_cannot_be_told_apart() -> None:
    assert {encoding: keypad(encoding).shares_frames_with(26) for encoding in KeypadEncoding} == {
        KeypadEncoding.BITS_4: False,
        KeypadEncoding.BITS_6: False,
        KeypadEncoding.BITS_8: False,
        KeypadEncoding.BINARY_26: True,
        KeypadEncoding.BCD_26: True,
    }
    assert not keypad(KeypadEncoding.BCD_26).shares_frames_with(34)


def test_a_bcd_entry_is_six_digits_and_enter() -> None:
    pad = keypad(KeypadEncoding.BCD_26)
    assert pad.read(*H10301.encode({"facility": 0x01, "card": 0x2345})) == (*digits("012345"), Key.ENTER)
    assert pad.read(*H10301.encode({"facility": 0xFF, "card": 0x1234})) is KeyRefusal.NOT_DECIMAL
    assert pad.read(*H10301.encode({"facility": 0x12, "card": 0x345A})) is KeyRefusal.NOT_DECIMAL


@pytest.mark.parametrize("encoding", [KeypadEncoding.BINARY_26, KeypadEncoding.BCD_26])
def test_every_flipped_bit_of_an_entry_is_refused(encoding: KeypadEncoding) -> None:
    pad = keypad(encoding)
    length, raw = pad.frame((*digits("412345"[-5:] if encoding is KeypadEncoding.BINARY_26 else "412345"), Key.ENTER))
    assert {pad.read(length, raw ^ 1 << place) for place in range(length)} == {KeyRefusal.PARITY}


@pytest.mark.parametrize(
    ("encoding", "keys"),
    [
        (KeypadEncoding.BINARY_26, (*digits("40823"), Key.ENTER)),
        (KeypadEncoding.BINARY_26, (*digits("0"), Key.ENTER)),
        (KeypadEncoding.BCD_26, (*digits("000907"), Key.ENTER)),
    ],
)
def test_an_entry_has_a_frame(encoding: KeypadEncoding, keys: tuple[Key, ...]) -> None:
    pad = keypad(encoding)
    assert pad.read(*pad.frame(keys)) == keys


@pytest.mark.parametrize(
    ("encoding", "keys"),
    [
        (KeypadEncoding.BITS_4, ()),
        (KeypadEncoding.BITS_8, digits("12")),
        (KeypadEncoding.BINARY_26, (*digits("042"), Key.ENTER)),
        (KeypadEncoding.BINARY_26, (*digits("65535"), Key.ENTER)),
        (KeypadEncoding.BINARY_26, (*digits("9" * 5000), Key.ENTER)),
        (KeypadEncoding.BINARY_26, digits("42")),
        (KeypadEncoding.BCD_26, (*digits("12345"), Key.ENTER)),
        (KeypadEncoding.BCD_26, (*digits("1234567"), Key.ENTER)),
        (KeypadEncoding.BCD_26, (*digits("123456"), Key.ESC)),
    ],
)
def test_what_a_keypad_cannot_send_is_refused_without_naming_it(encoding: KeypadEncoding, keys: Sequence[Key]) -> None:
    message = f"a {encoding.value} keypad cannot send these keys in one frame"
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        keypad(encoding).frame(keys)


def test_impossible_keypads_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="a 4-bit keypad sends no facility"):
        keypad(KeypadEncoding.BITS_4, facility=5)
    with pytest.raises(ConfigurationError, match="keypad facility: expected 0 to 255, got 256"):
        keypad(KeypadEncoding.BINARY_26, facility=256)
    with pytest.raises(ConfigurationError, match=re.escape("enter key: expected * or #, got '+'")):
        Keypad(encoding=KeypadEncoding.BITS_4, enter_key="+")  # type: ignore[arg-type]  # what a file may say
