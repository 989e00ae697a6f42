"""A backup as a tar archive (POSIX ustar): the manifest, the members in its order, the manifest's own SHA-256, the end.

A member of 8 GiB or more has its size as GNU tar writes it, in binary. Any tar reads what is written here. What is read
here must be exactly what would have been written: every header is made anew from the manifest and compared byte for
byte, so there is no link, no path, no extension and no sparse file to be careful with. Parsing is strict, bounded and
total: MalformedError, or all of it.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from doorctl.backup.manifest import DIGEST_NAME, LARGEST, NAME, Manifest, Member, parse_manifest
from doorctl.errors import MalformedError

BLOCK: Final = 512
_CHUNK: Final = 1 << 16
_END: Final = bytes(2 * BLOCK)
_SIZE_FIELD: Final = slice(124, 135)
_LARGEST_OCTAL: Final = 8**11 - 1
_CHECKSUM_FIELD: Final = slice(148, 156)


class Source(Protocol):
    """What is read from: as many bytes as asked for, fewer only at the end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        ...


class Sink(Protocol):
    """What is written to."""

    def write(self, content: bytes, /) -> object:
        """All of it, or an error."""
        ...


def write_archive(sink: Sink, manifest: Manifest, content_of: Callable[[Member], Iterator[bytes]]) -> None:
    """All of a backup; `content_of` gives exactly the bytes that the manifest has measured."""
    encoded = manifest.encode()
    _write(sink, NAME, encoded)
    for member in manifest.members:
        sink.write(header(member.name, member.size))
        for chunk in content_of(member):
            sink.write(chunk)
        sink.write(_padding(member.size))
    _write(sink, DIGEST_NAME, _digest_line(encoded))
    sink.write(_END)


def read_manifest(source: Source) -> tuple[Manifest, bytes]:
    """The manifest and its bytes as they stand there, which `read_end` wants."""
    first = _exactly(source, BLOCK)
    digits = first[_SIZE_FIELD]
    size = int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else -1
    if not 0 < size <= LARGEST or first != header(NAME, size):
        raise MalformedError(
            "not a backup", hint="`doorctl backup FILE` makes one; was it cut, or written by another program?"
        )
    encoded = _exactly(source, size)
    _expect(source, _padding(size), "the space behind the manifest is not empty")
    return parse_manifest(encoded), encoded


def read_member(source: Source, member: Member) -> Iterator[bytes]:
    """A member's bytes; MalformedError at the latest after the last one where they are not what the manifest says."""
    _expect(source, header(member.name, member.size), f"{member.name}: expected here, found something else")
    digest, left = hashlib.sha256(), member.size
    while left:
        chunk = _exactly(source, min(left, _CHUNK))
        digest.update(chunk)
        left -= len(chunk)
        yield chunk
    _expect(source, _padding(member.size), f"{member.name}: the space behind it is not empty")
    if digest.hexdigest() != member.sha256:
        raise MalformedError(f"{member.name}: its SHA-256 is not the one in the manifest")


def read_end(source: Source, encoded: bytes) -> None:
    """The manifest's digest, the end mark, and nothing behind it."""
    line = _digest_line(encoded)
    expected = header(DIGEST_NAME, len(line)) + line + _padding(len(line)) + _END
    _expect(source, expected, "its end is not that of its beginning")
    if source.read(1):
        raise MalformedError("something stands behind the end")


def header(name: str, size: int) -> bytes:
    """The one header that a member of this name and size has: a plain file, 0600, nobody's, without a time."""
    fields = (
        name.encode("ascii").ljust(100, b"\0"), b"0000600\0", b"0000000\0", b"0000000\0", _size_field(size),
        b"00000000000\0", b" " * 8, b"0", bytes(100), b"ustar\x0000", bytes(32), bytes(32),
        b"0000000\0", b"0000000\0", bytes(155), bytes(12),
    )  # fmt: skip
    plain = bytearray(b"".join(fields))
    plain[_CHECKSUM_FIELD] = b"%06o\0 " % sum(plain)
    return bytes(plain)


def _size_field(size: int) -> bytes:
    """Octal digits while they do, then a binary number behind a mark that no digit has."""
    return b"%011o\0" % size if size <= _LARGEST_OCTAL else b"\x80" + size.to_bytes(11, "big")


def _write(sink: Sink, name: str, content: bytes) -> None:
    sink.write(header(name, len(content)) + content + _padding(len(content)))


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _digest_line(encoded: bytes) -> bytes:
    """As sha256sum writes it."""
    return f"{hashlib.sha256(encoded).hexdigest()}  {NAME}\n".encode()


def _exactly(source: Source, size: int) -> bytes:
    content = source.read(size)
    if len(content) != size:
        raise MalformedError("cut short")
    return content


def _expect(source: Source, expected: bytes, otherwise: str) -> None:
    if expected and _exactly(source, len(expected)) != expected:
        raise MalformedError(otherwise)
