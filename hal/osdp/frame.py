"""OSDP's frame: bytes in, checked frames out, and back. Pure; knows no command, no key and no clock.

`[FF] 53 ADDR LENlo LENhi CTRL [SCB] CODE DATA [MAC4] CRC2|SUM1`, as measured (facts of IEC 60839-11-5 in docs/osdp.md).
Theory of operation. A line has noise, echoes and collisions, so the framer believes nothing: it looks for SOM, and a
frame whose length cannot be or whose check is wrong costs just its SOM; the search goes on right behind it, so that a
whole frame which follows or lies within garbage is never lost to it. Memory is bounded by the longest frame.
What a frame says is not authentic: that is secure_channel.py's business.
"""

from binascii import crc_hqx
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from hal.osdp.errors import FrameRefusedError

SOM: Final = 0x53
MARK: Final = b"\xff"
"""An idle byte before SOM, which lets a receiver's UART settle; sent, and neither counted nor demanded."""
REPLY: Final = 0x80
BROADCAST: Final = 0x7F
HIGHEST_ADDRESS: Final = 0x7E
LONGEST: Final = 1440
"""Bytes; the largest that public documentation names for a PD's buffer."""
_SEQUENCE: Final = 0x03
_CRC: Final = 0x04
_SECURITY: Final = 0x08
_UNUSED: Final = 0xF0
_HEADER: Final = 5
_SHORTEST: Final = _HEADER + 2
MAC_SIZE: Final = 4
_BYTE: Final = 0xFF
_MAC_FROM: Final = 0x15
"""Security blocks from this type on carry a MAC."""


class Problem(Enum):
    """Why bytes were no frame."""

    NOISE = "noise"
    """Bytes that no frame begins with."""
    LENGTH = "length"
    CHECK = "check"
    FORM = "form"
    """A right check over something that has no place for a code, or a security block that does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityBlock:
    """What CTRL bit 3 announces."""

    type: int
    data: bytes = b""

    @property
    def authenticated(self) -> bool:
        """Whether a MAC follows the data."""
        return self.type >= _MAC_FROM


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One command or reply."""

    address: int
    reply: bool
    sequence: int
    code: int
    data: bytes = field(default=b"", repr=False)
    security: SecurityBlock | None = None
    mac: bytes = b""
    crc: bool = True
    """Else the one-byte checksum."""

    def before_mac(self) -> bytes:
        """SOM to data with the final length: what a MAC is over. FrameRefusedError where it cannot be."""
        if not (0 <= self.address <= BROADCAST and 0 <= self.sequence <= _SEQUENCE and 0 <= self.code <= _BYTE):
            raise FrameRefusedError(f"address {self.address}, sequence {self.sequence}, code {self.code}")
        block = b"" if self.security is None else _encoded(self.security)
        with_mac = self.security is not None and self.security.authenticated
        length = _HEADER + len(block) + 1 + len(self.data) + MAC_SIZE * with_mac + (2 if self.crc else 1)
        if length > LONGEST:
            raise FrameRefusedError(f"a frame of {length} bytes, expected at most {LONGEST}")
        control = self.sequence | _CRC * self.crc | _SECURITY * (self.security is not None)
        address = self.address | REPLY * self.reply
        return bytes((SOM, address, length & 0xFF, length >> 8, control)) + block + bytes((self.code,)) + self.data

    def encode(self) -> bytes:
        """SOM to check, without the mark."""
        with_mac = self.security is not None and self.security.authenticated
        if len(self.mac) != MAC_SIZE * with_mac:
            raise FrameRefusedError(f"a MAC of {len(self.mac)} bytes, expected {MAC_SIZE * with_mac}")
        body = self.before_mac() + self.mac
        return body + (crc16(body).to_bytes(2, "little") if self.crc else bytes((checksum(body),)))


def crc16(untrusted: bytes) -> int:
    """Polynomial 1021, start 1D0F, not reflected, no final xor."""
    return crc_hqx(untrusted, 0x1D0F)


def checksum(untrusted: bytes) -> int:
    """Two's complement of the sum."""
    return -sum(untrusted) & 0xFF


def parse(untrusted: bytes) -> Frame | Problem:
    """Exactly one frame from SOM to check; total: any bytes give one or the other."""
    if len(untrusted) < _SHORTEST or untrusted[0] != SOM:
        return Problem.NOISE
    if int.from_bytes(untrusted[2:4], "little") != len(untrusted):
        return Problem.LENGTH
    control = untrusted[4]
    crc = bool(control & _CRC)
    body, check = (untrusted[:-2], untrusted[-2:]) if crc else (untrusted[:-1], untrusted[-1:])
    if check != (crc16(body).to_bytes(2, "little") if crc else bytes((checksum(body),))):
        return Problem.CHECK
    if control & _UNUSED:
        return Problem.FORM
    return _parse_inside(body[_HEADER:], control, body[1], crc=crc)


class Framer:
    """Finds frames in a stream; keeps at most one frame's bytes."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._waiting = bytearray()

    @property
    def partial(self) -> bool:
        """Whether the beginning of something is kept."""
        return bool(self._waiting)

    @property
    def missing(self) -> int:
        """Bytes without which nothing more can be found."""
        have = len(self._waiting)
        return max(1, (int.from_bytes(self._waiting[2:4], "little") if have >= _HEADER else _SHORTEST) - have)

    def clear(self) -> None:
        """What has come was not the beginning of a frame: the line was silent too long for that."""
        self._waiting.clear()

    def feed(self, untrusted: bytes) -> list[Frame | Problem]:
        """Frames and problems in the order of the stream; a run of noise is one problem."""
        self._waiting += untrusted
        found: list[Frame | Problem] = []
        while True:
            if self._skip() and Problem.NOISE not in found[-1:]:
                found.append(Problem.NOISE)
            one = self._take()
            if one is None:
                return found
            found.append(one)

    def _skip(self) -> bool:
        """Drop what stands before SOM; whether it was more than idle marks."""
        begin = self._waiting.find(SOM)
        skipped = bytes(self._waiting if begin < 0 else self._waiting[:begin])
        del self._waiting[: len(skipped)]
        return bool(skipped.strip(MARK))

    def _take(self) -> Frame | Problem | None:
        """What begins with the SOM in front; None where more bytes must come."""
        if len(self._waiting) < _HEADER:
            return None
        length = int.from_bytes(self._waiting[2:4], "little")
        if not _SHORTEST <= length <= self._longest:
            del self._waiting[0]
            return Problem.LENGTH
        if len(self._waiting) < length:
            return None
        frame = parse(bytes(self._waiting[:length]))
        del self._waiting[: length if isinstance(frame, Frame) else 1]
        return frame


def _encoded(block: SecurityBlock) -> bytes:
    size = 2 + len(block.data)
    if size > _BYTE or not 0 <= block.type <= _BYTE:
        raise FrameRefusedError(f"a security block of type {block.type} and {size} bytes")
    return bytes((size, block.type)) + block.data


def _parse_inside(untrusted: bytes, control: int, address: int, *, crc: bool) -> Frame | Problem:
    """Security block, code, data and MAC."""
    block, rest = None, untrusted
    if control & _SECURITY:
        size = rest[0] if rest else 0
        if not 2 <= size <= len(rest):  # noqa: PLR2004  its own length and its type
            return Problem.FORM
        block, rest = SecurityBlock(type=rest[1], data=rest[2:size]), rest[size:]
    with_mac = MAC_SIZE if block is not None and block.authenticated else 0
    if len(rest) < 1 + with_mac:
        return Problem.FORM
    end = len(rest) - with_mac
    return Frame(
        address=address & ~REPLY, reply=bool(address & REPLY), sequence=control & _SEQUENCE, code=rest[0],
        data=rest[1:end], security=block, mac=rest[end:], crc=crc,
    )  # fmt: skip
