"""A passphrase around a backup: Argon2id makes the key, AES-256-GCM seals it in chunks, each bound to its place.

Sealed file = title 24 ‖ salt 16 ‖ chunks. A chunk is 64 KiB of the archive (the last one shorter) and a tag of 16; its
nonce is its number (11 bytes) and 1 for the last one, else 0; title and salt are authenticated with each. So a chunk
can be neither changed, moved, left out nor cut off. The salt is new for each file, and with it the key: numbers serve
as nonces. Nothing of a chunk is given out before its tag was checked.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from doorctl.backup.archive import Sink, Source
from doorctl.errors import InternalError, MalformedError, UnverifiedError

TITLE: Final = b"doorctl sealed backup 1\n"
CHUNK: Final = 1 << 16
_TAG: Final = 16
_SALT: Final = 16
_KEY: Final = 32
_COUNTER: Final = 11
_PASSES: Final = 3
_LANES: Final = 4
_MEMORY_KIB: Final = 65_536
"""RFC 9106, section 4: the second recommended choice, for machines with little memory."""


class SealedWriter:
    """Seals what is written to it; a file without `finish` is one that was cut."""

    def __init__(self, sink: Sink, passphrase: bytes) -> None:
        salt = os.urandom(_SALT)
        self._sink = sink
        self._opening = TITLE + salt
        self._cipher = _cipher(passphrase, salt)
        self._waiting = bytearray()
        self._number = 0
        self._finished = False
        sink.write(self._opening)

    def write(self, content: bytes) -> int:
        """Of any length."""
        if self._finished:
            raise InternalError("a sealed backup was written to after its end")
        self._waiting += content
        # one chunk stays back: only `finish` knows which one is the last
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(content)

    def finish(self) -> None:
        """The last chunk."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()
        self._finished = True

    def _seal(self, content: bytes, *, last: bool) -> None:
        self._sink.write(self._cipher.encrypt(_nonce(self._number, last=last), content, self._opening))
        self._number += 1


class SealedReader:
    """Gives out what was sealed, as a Source; `source` stands behind the title."""

    def __init__(self, source: Source, passphrase: bytes) -> None:
        salt = source.read(_SALT)
        if len(salt) != _SALT:
            raise MalformedError("cut short")
        self._source = source
        self._opening = TITLE + salt
        self._cipher = _cipher(passphrase, salt)
        self._next = source.read(CHUNK + _TAG)
        self._ready = b""
        self._number = 0
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """As many bytes as asked for, fewer only at the end; UnverifiedError where a tag does not fit."""
        parts = []
        while size:
            if not self._ready and not self._open():
                break
            part, self._ready = self._ready[:size], self._ready[size:]
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _open(self) -> bool:
        """The next chunk; False behind the last."""
        if self._ended:
            return False
        sealed, self._next = self._next, self._source.read(CHUNK + _TAG)
        self._ended = not self._next
        try:
            self._ready = self._cipher.decrypt(_nonce(self._number, last=self._ended), sealed, self._opening)
        except (InvalidTag, ValueError) as error:
            if self._number == 0:
                raise UnverifiedError(
                    "the passphrase does not open it", hint="another passphrase, or the file is damaged"
                ) from error
            raise UnverifiedError("damaged or cut", hint="take another copy of the backup") from error
        self._number += 1
        return bool(self._ready)


def _cipher(passphrase: bytes, salt: bytes) -> AESGCM:
    kdf = Argon2id(salt=salt, length=_KEY, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return AESGCM(kdf.derive(passphrase))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_COUNTER, "big") + bytes([last])
