"""Keypads on a Wiegand line: a frame becomes keys, or is refused; and back again for the mock.

| encoding   | a frame is | check |
|------------|-----------|-------|
| 4-bit      | one key: 0-9, `*` = 1010, `#` = 1011 | none: only silence and timing speak for it |
| 6-bit      | one key between parity bits: even over the first three bits, odd over the last three | parity |
| 8-bit      | one key, its complement first: 0 = F0 … 9 = 69, `*` = 5A, `#` = 4B | complement |
| 26-bit     | a whole entry in the shape of an H10301 card: facility, number; 65535 is the reader's error | parity |
| 26-bit-bcd | a whole entry: six decimal digits between the parity bits of H10301 | parity, digits |

A 26-bit entry is delivered as its digits and then ENTER. The binary form has lost the entry's leading
zeros before we see it, so codes behind such a keypad are at most five digits and begin with another.

Must never: put a key into an exception, a log or a repr.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, assert_never

from hal.errors import ConfigurationError
from hal.events import Key
from hal.wiegand.cards import FORMATS

ENTRY_BITS: Final = 26
READER_ERROR: Final = 0xFFFF
"""What HID's keypads send in place of a number that did not fit."""
HIGHEST_FACILITY: Final = 0xFF
ENTRY_DIGITS: Final = 6
"""The most that 26 bits can say."""
_ENTRY: Final = FORMATS["H10301"]
_STAR, _HASH = 0b1010, 0b1011
DIGITS: Final = tuple(Key(str(digit)) for digit in range(10))


class KeypadEncoding(Enum):
    """How a keypad sends its keys; the values are the configuration's."""

    BITS_4 = "4-bit"
    BITS_6 = "6-bit"
    BITS_8 = "8-bit"
    BINARY_26 = "26-bit"
    BCD_26 = "26-bit-bcd"


FRAME_BITS: Final = {
    KeypadEncoding.BITS_4: 4,
    KeypadEncoding.BITS_6: 6,
    KeypadEncoding.BITS_8: 8,
    KeypadEncoding.BINARY_26: ENTRY_BITS,
    KeypadEncoding.BCD_26: ENTRY_BITS,
}


class KeyRefusal(Enum):
    """Why a frame is no key of this keypad."""

    LENGTH = "length"
    PARITY = "parity"
    COMPLEMENT = "complement"
    """The first half of an 8-bit key is not the second one's complement."""
    UNKNOWN_KEY = "unknown key"
    READER_ERROR = "reader error"
    NOT_DECIMAL = "not decimal"
    FACILITY = "facility"
    """A good 26-bit frame of another facility: a card, not this keypad."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keypad:
    """One reader's keypad as it was configured."""

    encoding: KeypadEncoding
    enter_key: Literal["*", "#"]
    """Which of the two ends an entry; the other one clears it. Makers differ."""
    facility: int | None = None
    """BINARY_26: the facility that marks an entry, where cards of 26 bits are read too; None takes any."""

    def __post_init__(self) -> None:
        if self.enter_key not in {"*", "#"}:
            raise ConfigurationError(f"enter key: expected * or #, got {self.enter_key!r}")
        if self.facility is None:
            return
        if self.encoding is not KeypadEncoding.BINARY_26:
            raise ConfigurationError(f"a {self.encoding.value} keypad sends no facility")
        if not 0 <= self.facility <= HIGHEST_FACILITY:
            raise ConfigurationError(f"keypad facility: expected 0 to {HIGHEST_FACILITY}, got {self.facility}")

    @property
    def frame_bits(self) -> int:
        """The length of its frames."""
        return FRAME_BITS[self.encoding]

    def shares_frames_with(self, card_bits: int) -> bool:
        """Whether an entry and a card of that length cannot be told apart: no such pair may be configured."""
        return card_bits == self.frame_bits and self.facility is None

    def read(self, length: int, raw: int) -> tuple[Key, ...] | KeyRefusal:
        """The keys of one frame, or why it is not believed."""
        if length != self.frame_bits or not 0 <= raw < 1 << length:
            return KeyRefusal.LENGTH
        match self.encoding:
            case KeypadEncoding.BITS_4:
                return self._key(raw)
            case KeypadEncoding.BITS_6:
                return self._key(raw >> 1 & 0xF) if _six(raw >> 1 & 0xF) == raw else KeyRefusal.PARITY
            case KeypadEncoding.BITS_8:
                return self._key(raw & 0xF) if _eight(raw & 0xF) == raw else KeyRefusal.COMPLEMENT
            case KeypadEncoding.BINARY_26:
                return self._binary_entry(raw)
            case KeypadEncoding.BCD_26:
                return _bcd_entry(raw)
            case _:
                assert_never(self.encoding)

    def frame(self, keys: Sequence[Key]) -> tuple[int, int]:
        """(length, raw) that says these keys: one key, or for the 26-bit encodings digits and ENTER.

        Raises ConfigurationError where this keypad has no such frame.
        """
        raw: int | None
        match self.encoding:
            case KeypadEncoding.BITS_4:
                raw = self._code(keys)
            case KeypadEncoding.BITS_6:
                raw = _six(self._code(keys))
            case KeypadEncoding.BITS_8:
                raw = _eight(self._code(keys))
            case KeypadEncoding.BINARY_26:
                raw = self._binary_frame(keys)
            case KeypadEncoding.BCD_26:
                raw = _bcd_frame(keys)
            case _:
                assert_never(self.encoding)
        if tuple(keys) != self.read(self.frame_bits, raw):
            raise ConfigurationError(f"a {self.encoding.value} keypad cannot send these keys in one frame")
        return self.frame_bits, raw

    def _key(self, code: int) -> tuple[Key, ...] | KeyRefusal:
        """One key by the four bits that all short encodings share."""
        if code in {_STAR, _HASH}:
            return (Key.ENTER,) if (code == _STAR) == (self.enter_key == "*") else (Key.ESC,)
        return (DIGITS[code],) if code < len(DIGITS) else KeyRefusal.UNKNOWN_KEY

    def _code(self, keys: Sequence[Key]) -> int:
        """The four bits of one key; more than one key gives those of the first, which `frame` then refuses."""
        match keys[:1]:
            case [Key.ENTER]:
                return _STAR if self.enter_key == "*" else _HASH
            case [Key.ESC]:
                return _HASH if self.enter_key == "*" else _STAR
            case [digit]:
                return DIGITS.index(digit)
            case _:
                return 0

    def _binary_entry(self, raw: int) -> tuple[Key, ...] | KeyRefusal:
        """Facility and number."""
        if not _ENTRY.parity_holds(raw):
            return KeyRefusal.PARITY
        facility, number = raw >> 17 & HIGHEST_FACILITY, raw >> 1 & 0xFFFF
        if self.facility not in {None, facility}:
            return KeyRefusal.FACILITY
        if number == READER_ERROR:
            return KeyRefusal.READER_ERROR
        return (*(Key(digit) for digit in str(number)), Key.ENTER)

    def _binary_frame(self, keys: Sequence[Key]) -> int:
        """The number that the digits write; out of range gives the reader's error, which `frame` then refuses."""
        number = min(int(_digits(keys)[:ENTRY_DIGITS] or "0"), READER_ERROR)
        return _ENTRY.encode({"facility": self.facility or 0, "card": number})[1]


def _six(code: int) -> int:
    """Four bits between their parity bits."""
    return (code >> 2).bit_count() % 2 << 5 | code << 1 | 1 - (code & 0b11).bit_count() % 2


def _eight(code: int) -> int:
    """Four bits after their complement."""
    return (code ^ 0xF) << 4 | code


def _bcd_entry(raw: int) -> tuple[Key, ...] | KeyRefusal:
    """Six digits."""
    if not _ENTRY.parity_holds(raw):
        return KeyRefusal.PARITY
    written = f"{raw >> 1 & 0xFFFFFF:06x}"
    return (*(Key(digit) for digit in written), Key.ENTER) if written.isdecimal() else KeyRefusal.NOT_DECIMAL


def _bcd_frame(keys: Sequence[Key]) -> int:
    """The digits as nibbles; other than six give a frame of other digits, which `frame` then refuses."""
    nibbles = int(_digits(keys)[:ENTRY_DIGITS] or "0", 16)
    return _ENTRY.encode({"facility": nibbles >> 16, "card": nibbles & 0xFFFF})[1]


def _digits(keys: Sequence[Key]) -> str:
    """What the digits among the keys write."""
    return "".join(key.value for key in keys if key in DIGITS)
