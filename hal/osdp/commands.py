"""What OSDP's commands and replies carry: values to payload bytes and back. Pure; knows no frame and no key.

A command is made here and never read (the emulator has its own eyes); a reply is parsed strictly: a payload of another
size than its kind has is none. Times on the wire are tenths of a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from hal.osdp.errors import FrameRefusedError


class Command(IntEnum):
    """Codes that a CP sends."""

    POLL = 0x60
    ID = 0x61
    CAPABILITIES = 0x62
    LOCAL_STATUS = 0x64
    INPUT_STATUS = 0x65
    OUTPUT_STATUS = 0x66
    READER_STATUS = 0x67
    OUTPUT = 0x68
    LED = 0x69
    BUZZER = 0x6A
    TEXT = 0x6B
    COMSET = 0x6E
    KEYSET = 0x75
    CHALLENGE = 0x76
    CRYPTOGRAM = 0x77


class Reply(IntEnum):
    """Codes that a PD answers."""

    ACK = 0x40
    NAK = 0x41
    IDENTITY = 0x45
    CAPABILITIES = 0x46
    LOCAL_STATUS = 0x48
    INPUT_STATUS = 0x49
    OUTPUT_STATUS = 0x4A
    READER_STATUS = 0x4B
    RAW = 0x50
    FORMATTED = 0x51
    KEYPAD = 0x53
    COM = 0x54
    CHALLENGE = 0x76
    INITIAL_MAC = 0x78
    BUSY = 0x79


class Refusal(IntEnum):
    """Why a PD answers NAK."""

    CHECK = 1
    LENGTH = 2
    UNKNOWN_COMMAND = 3
    SEQUENCE = 4
    SECURITY_UNSUPPORTED = 5
    SECURITY_CONDITION = 6
    BIO_TYPE = 7
    BIO_FORMAT = 8
    RECORD = 9


class Color(IntEnum):
    """Of an LED."""

    BLACK = 0
    RED = 1
    GREEN = 2
    AMBER = 3
    BLUE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Blink:
    """An LED that is one colour for `on_ds` tenths of a second, another for `off_ds`; steady with `off_ds` 0."""

    on: Color
    on_ds: int = 1
    off: Color = Color.BLACK
    off_ds: int = 0


def led(*, lasting: Blink | None = None, passing: Blink | None = None, for_ds: int = 0) -> bytes:
    """Set what the LED shows from now on, and what it shows before that for a while; either may stay as it is."""
    begin = _bytes(0 if passing is None else 2, passing) + for_ds.to_bytes(2, "little")
    return bytes(2) + begin + _bytes(0 if lasting is None else 1, lasting)


def buzzer(*, on_ds: int, off_ds: int, count: int) -> bytes:
    """The default tone `count` times; 0: until told otherwise. `on_ds` 0 is silence."""
    return bytes((0, 2 if on_ds else 1, *map(_small, (on_ds, off_ds, count))))


def output(number: int, *, on: bool, for_ds: int = 0) -> bytes:
    """An output of the reader, for good or for a while."""
    control = (5 if on else 6) if for_ds else (2 if on else 1)
    return bytes((_small(number), control)) + for_ds.to_bytes(2, "little")


def text(shown: str, *, for_s: int = 0, row: int = 1, column: int = 1) -> bytes:
    """On the reader's display, without wrapping; characters beyond ASCII become question marks."""
    characters = shown.encode("ascii", "replace")
    return bytes((0, 3 if for_s else 1, *map(_small, (for_s, row, column, len(characters))))) + characters


def comset(*, address: int, baud: int) -> bytes:
    """Where and how fast the reader is to be reached from its answer on."""
    return bytes((_small(address),)) + baud.to_bytes(4, "little")


def keyset(key: bytes) -> bytes:
    """A new SCBK, 16 bytes; only ever within a secure session."""
    return bytes((1, len(key))) + key


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a reader says it is."""

    vendor: bytes
    model: int
    version: int
    serial: int
    firmware: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One thing a reader can do."""

    function: int
    compliance: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardData:
    """A card as it was read: the first bit sent is the most significant of `raw`."""

    reader: int
    length: int
    raw: int = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys in the order they were pressed: ASCII digits, 7F for `*`, 0D for `#`."""

    reader: int
    pressed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStatus:
    """Of the reader itself."""

    tamper: bool
    power_failure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Inputs, outputs or attached readers, in order."""

    active: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Com:
    """The address and speed that a reader has taken."""

    address: int
    baud: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Nak:
    """A refusal; `code` may be one that nobody has defined."""

    code: int


def parse_identity(untrusted: bytes) -> Identity | None:
    """12 bytes; None where they are not."""
    if len(untrusted) != _IDENTITY:
        return None
    major, minor, build = untrusted[9:]
    return Identity(
        vendor=untrusted[:3], model=untrusted[3], version=untrusted[4],
        serial=int.from_bytes(untrusted[5:9], "little"), firmware=(major, minor, build),
    )  # fmt: skip


def parse_capabilities(untrusted: bytes) -> tuple[Capability, ...] | None:
    """Three bytes each."""
    if len(untrusted) % 3:
        return None
    return tuple(
        Capability(function=function, compliance=compliance, number=number)
        for function, compliance, number in zip(untrusted[::3], untrusted[1::3], untrusted[2::3], strict=True)
    )


def can_be_secured(capabilities: Sequence[Capability]) -> bool:
    """Whether a reader that can do so much knows AES-128."""
    return any(one.function == _SECURITY and one.compliance & 1 for one in capabilities)


def parse_card(untrusted: bytes) -> CardData | None:
    """Reader, format, bit count and the bits, left-justified; what stands behind the last bit must be zero."""
    length = int.from_bytes(untrusted[2:4], "little")
    bits = untrusted[4:]
    if len(untrusted) < _CARD_HEAD or not length or len(bits) != -(-length // 8):
        return None
    shifted, rest = divmod(int.from_bytes(bits, "big"), 1 << (8 * len(bits) - length))
    return None if rest else CardData(reader=untrusted[0], length=length, raw=shifted)


def parse_keys(untrusted: bytes) -> Keys | None:
    """Reader, count and the keys."""
    if len(untrusted) < 2 or untrusted[1] != len(untrusted) - 2:  # noqa: PLR2004  reader and count
        return None
    return Keys(reader=untrusted[0], pressed=untrusted[2:])


def parse_local_status(untrusted: bytes) -> LocalStatus | None:
    """Tamper and power; anything but 0 is trouble."""
    if len(untrusted) != 2:  # noqa: PLR2004  one byte each
        return None
    return LocalStatus(tamper=untrusted[0] != 0, power_failure=untrusted[1] != 0)


def parse_levels(untrusted: bytes) -> Levels | None:
    """A byte each."""
    return Levels(active=tuple(level != 0 for level in untrusted))


def parse_com(untrusted: bytes) -> Com | None:
    """Address and baud."""
    if len(untrusted) != 5:  # noqa: PLR2004  one byte and four
        return None
    return Com(address=untrusted[0], baud=int.from_bytes(untrusted[1:], "little"))


def parse_nak(untrusted: bytes) -> Nak | None:
    """The code, and perhaps details that differ from maker to maker."""
    return Nak(code=untrusted[0]) if untrusted else None


_IDENTITY: Final = 12
_SECURITY: Final = 9
"""The function "communication security"; bit 0 of its compliance is AES-128."""
_CARD_HEAD: Final = 4


def _bytes(control: int, blink: Blink | None) -> bytes:
    if blink is None:
        return bytes(5)
    return bytes((control, _small(blink.on_ds), _small(blink.off_ds), blink.on, blink.off))


def _small(number: int) -> int:
    if not 0 <= number <= 0xFF:  # noqa: PLR2004  one byte
        raise FrameRefusedError(f"{number} does not fit into a byte")
    return number
