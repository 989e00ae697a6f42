"""Keys of OSDP readers on the board's disk: one file a reader, wrapped under a key that only this board can make.

systemd's credentials are read-only at run time, and a reader's key is made while doord runs: so it lies beside the
journal, encrypted with AES-256-GCM under a key that HKDF derives from the look-up key. A file is bound to its board and
to its reader's place on the line; whoever swaps or copies files has nothing that opens. A new key is stored before a
reader hears it and the old one kept until the new one has worked: a power cut at any moment loses no reader.
Never says a key in a message; never writes over a file but by a whole new one.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from doorctl.errors import OperatorError, StorageError
from doorctl.seal import private_files
from doorctl.seal.keys import ControllerKeys

KEY_SIZE: Final = 16
"""AES-128, as OSDP has it."""
_TITLE: Final = b"doorctl reader key 1\n"
_UNNAMEABLE: Final = re.compile(r"[^A-Za-z0-9]+")
_LONGEST_NAMED: Final = 60
"""Characters; a backup's member has room for a hundred."""
_INFO: Final = b"doorctl reader keys 1"
_NONCE_SIZE: Final = 12
_ABSENT: Final = bytes(1 + KEY_SIZE)
_PLAIN_SIZE: Final = 2 * (1 + KEY_SIZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderKeys:
    """What is known of one reader's key."""

    current: bytes | None = field(default=None, repr=False)
    """It has worked."""
    pending: bytes | None = field(default=None, repr=False)
    """Made, perhaps in the reader already, and has not worked yet."""


class ReaderKeyStore:
    """The folder of all readers' keys. Blocking: what writes is called on a thread."""

    def __init__(self, folder: Path, keys: ControllerKeys) -> None:
        self._folder = folder
        self._controller = bytes(keys.controller)
        wrapping = HKDF(algorithm=SHA256(), length=32, salt=self._controller, info=_INFO).derive(keys.lookup)
        self._aead = AESGCM(wrapping)

    def load(self, place: str) -> ReaderKeys:
        """The keys of the reader at this place; none where there is no file, OperatorError where it does not open."""
        path = self._folder / file_name(place)
        if not os.path.lexists(path):
            return ReaderKeys()
        title, _, encoded = private_files.read_file(path).partition(b"\n")
        try:
            wrapped = base64.b64decode(encoded.removesuffix(b"\n"), validate=True)
            plain = self._aead.decrypt(wrapped[:_NONCE_SIZE], wrapped[_NONCE_SIZE:], self._bound_to(place))
        except (binascii.Error, ValueError, InvalidTag):
            plain = b""
        if title + b"\n" != _TITLE or len(plain) != _PLAIN_SIZE:
            raise OperatorError(
                f"{path}: expected a reader's key that this board has wrapped, found something else",
                hint="restore it from a backup of this board, or move it away and install the reader again",
            )
        return ReaderKeys(current=_key(plain[: 1 + KEY_SIZE]), pending=_key(plain[1 + KEY_SIZE :]))

    def store(self, place: str, keys: ReaderKeys) -> None:
        """All of it or nothing, and on the disk when this returns; StorageError where it cannot be."""
        nonce = secrets.token_bytes(_NONCE_SIZE)
        wrapped = nonce + self._aead.encrypt(nonce, _plain(keys.current) + _plain(keys.pending), self._bound_to(place))
        private_files.create_folder(self._folder)
        path = self._folder / file_name(place)
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            private_files.create_file(unfinished, _TITLE + base64.b64encode(wrapped) + b"\n")
            try:
                unfinished.replace(path)
                private_files.sync_folder(self._folder)
            except OSError as error:
                raise StorageError(f"{path}: cannot be written: {error.strerror}") from error
        finally:
            with suppress(OSError):  # it is gone where all went well
                unfinished.unlink()

    def _bound_to(self, place: str) -> bytes:
        return _TITLE + self._controller + place.encode()


def file_name(place: str) -> str:
    """`ttyAMA0-address-1-0f7a61c2.key`: for people its end, and what no other place has."""
    named = _UNNAMEABLE.sub("-", place.rpartition("/")[2]).strip("-")[-_LONGEST_NAMED:]
    return f"{named}-{hashlib.sha256(place.encode()).hexdigest()[:8]}.key"


def new_key() -> bytes:
    """A random key for one reader."""
    return secrets.token_bytes(KEY_SIZE)


def _plain(key: bytes | None) -> bytes:
    return _ABSENT if key is None else b"\1" + key


def _key(plain: bytes) -> bytes | None:
    return plain[1:] if plain[0] else None
