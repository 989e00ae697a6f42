"""Key values and key files: the board's two secrets, the monitor's three keys. Everything others import is here.

A private file begins with a title line, so that no key is ever taken for another; then PKCS8 PEM, or base64
where the library knows no form. Files are made once and never overwritten or deleted; a set of keys comes from
systemd's credentials or from 0600 files, never half from each.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.seal import private_files
from doorctl.seal.certificates import create_tls
from doorctl.seal.pairing import (
    ControllerFile,
    MonitorFile,
    read_controller_file,
    read_monitor_file,
    write_controller_file,
    write_monitor_file,
)
from doorctl.seal.public import (
    MonitorPublic,
    RecordPublic,
    controller_id,
    fingerprint,
    grouped,
    key_id,
)
from doorctl.wire.record import ControllerId, KeyId

__all__ = [
    "ControllerFile", "ControllerKeys", "IngestKeys", "MonitorFile", "MonitorKeys", "MonitorPublic", "RecordKey",
    "RecordPublic", "create_controller_keys", "create_monitor_keys", "create_tls", "fingerprint", "grouped",
    "key_id", "load_controller_keys", "load_monitor_keys", "load_record_and_receipt_keys", "load_token_keys",
    "read_controller_file", "read_monitor_file", "token_key_from", "write_controller_file", "write_monitor_file",
]  # fmt: skip

LOOKUP_KEY_SIZE: Final = 32

_IDENTITY: Final = "identity.key"
_LOOKUP: Final = "lookup.key"
_TOKEN: Final = "token.key"  # noqa: S105  a file's name
_RECORD: Final = "record.key"
_RECEIPT: Final = "receipt.key"

_REAL_TITLE: Final = "doorctl controller identity"
_SIMULATED_TITLE: Final = "doorctl controller identity, simulated"
_LOOKUP_TITLE: Final = "doorctl lookup key"
_TOKEN_TITLE: Final = "doorctl monitor token key"  # noqa: S105  a title
_RECORD_TITLE: Final = "doorctl monitor record key"
_RECEIPT_TITLE: Final = "doorctl monitor receipt key"
_PEM_END: Final = b"-----END PRIVATE KEY-----\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerKeys:
    """A board's own secrets."""

    controller: ControllerId
    """Follows from the identity key and `simulated`: see public.controller_id."""
    identity: Ed25519PrivateKey = field(repr=False)
    lookup: bytes = field(repr=False)
    """32 bytes; with the roster they are all codes."""
    simulated: bool
    kept_in: str
    """For `doorctl status`: "systemd credential" or the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKey:
    """The monitor's hybrid private key for records."""

    mlkem: MLKEM768PrivateKey = field(repr=False)
    x25519: X25519PrivateKey = field(repr=False)

    @property
    def public(self) -> RecordPublic:
        """The half for boards."""
        return RecordPublic(mlkem=self.mlkem.public_key(), x25519=self.x25519.public_key())

    @property
    def hpke(self) -> MLKEM768X25519PrivateKey:
        """As the HPKE suite takes it."""
        return MLKEM768X25519PrivateKey(self.mlkem, self.x25519)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestKeys:
    """What ingest may have: it opens records and signs receipts, and cannot open a token."""

    record: Mapping[KeyId, RecordKey]
    """The present one and every old one."""
    receipt: Ed25519PrivateKey = field(repr=False)

    @property
    def receipt_key_id(self) -> KeyId:
        """What every receipt names."""
        return key_id(self.receipt.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorKeys:
    """The monitor's present three, together only where they are made and shown."""

    token: X25519PrivateKey = field(repr=False)
    record: RecordKey
    receipt: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> MonitorPublic:
        """The halves for boards."""
        return MonitorPublic(
            token=self.token.public_key(), record=self.record.public, receipt=self.receipt.public_key()
        )  # fmt: skip


def create_controller_keys(paths: Paths, *, simulated: bool) -> ControllerKeys:
    """New board keys in `paths.keys`; OperatorError where there are some, StorageError where the disk fails."""
    private_files.create_folder(paths.keys)
    _refuse_existing(paths.keys, _IDENTITY, _LOOKUP)
    identity, lookup = Ed25519PrivateKey.generate(), secrets.token_bytes(LOOKUP_KEY_SIZE)
    title = _SIMULATED_TITLE if simulated else _REAL_TITLE
    private_files.create_file(paths.keys / _LOOKUP, _titled(_LOOKUP_TITLE, base64.b64encode(lookup) + b"\n"))
    private_files.create_file(paths.keys / _IDENTITY, _titled(title, _pem(identity)))
    return ControllerKeys(
        controller=controller_id(identity.public_key(), simulated=simulated),
        identity=identity, lookup=lookup, simulated=simulated, kept_in=str(paths.keys),
    )  # fmt: skip


def load_controller_keys(paths: Paths) -> ControllerKeys:
    """The board's keys from systemd's credentials or `paths.keys`; OperatorError for anything but exactly that."""
    folder, read = _place(_IDENTITY, paths.keys)
    title, pem = _split_title(folder / _IDENTITY, read, (_REAL_TITLE, _SIMULATED_TITLE))
    identity = _ed25519(folder / _IDENTITY, pem)
    simulated = title == _SIMULATED_TITLE
    return ControllerKeys(
        controller=controller_id(identity.public_key(), simulated=simulated),
        identity=identity, lookup=_load_lookup(folder / _LOOKUP, read), simulated=simulated,
        kept_in=str(paths.keys) if folder == paths.keys else private_files.CREDENTIAL,
    )  # fmt: skip


def create_monitor_keys(directory: Path, *, token: X25519PrivateKey | None = None) -> MonitorKeys:
    """New monitor keys in `directory`; OperatorError where there are some.

    `token`: of a monitor that was lost, so that rows sealed to it still open.
    """
    private_files.create_folder(directory)
    _refuse_existing(directory, _TOKEN, _RECORD, _RECEIPT)
    keys = MonitorKeys(
        token=X25519PrivateKey.generate() if token is None else token,
        record=RecordKey(mlkem=MLKEM768PrivateKey.generate(), x25519=X25519PrivateKey.generate()),
        receipt=Ed25519PrivateKey.generate(),
    )
    record = _pem(keys.record.mlkem) + _pem(keys.record.x25519)
    private_files.create_file(directory / _TOKEN, _titled(_TOKEN_TITLE, _pem(keys.token)))
    private_files.create_file(directory / _RECORD, _titled(_RECORD_TITLE, record))
    private_files.create_file(directory / _RECEIPT, _titled(_RECEIPT_TITLE, _pem(keys.receipt)))
    return keys


def load_monitor_keys(directory: Path) -> MonitorKeys:
    """The present three, for commands that show or export the public halves."""
    folder, read = _place(_RECORD, directory)
    return MonitorKeys(
        token=load_token_keys(directory)[0],
        record=_load_record_key(folder / _RECORD, read),
        receipt=load_record_and_receipt_keys(directory).receipt,
    )


def load_record_and_receipt_keys(directory: Path) -> IngestKeys:
    """All that ingest has: record.key, every record-*.key beside it, and receipt.key."""
    folder, read = _place(_RECORD, directory)
    keys = [_load_record_key(path, read) for path in _present_and_old(folder, _RECORD)]
    _, pem = _split_title(folder / _RECEIPT, read, (_RECEIPT_TITLE,))
    return IngestKeys(
        record={key_id(key.public.raw): key for key in keys},
        receipt=_ed25519(folder / _RECEIPT, pem),
    )


def load_token_keys(directory: Path) -> tuple[X25519PrivateKey, ...]:
    """token.key first, then every token-*.key beside it: rows sealed long ago must still open."""
    folder, read = _place(_TOKEN, directory)
    return tuple(
        _x25519(path, _split_title(path, read, (_TOKEN_TITLE,))[1]) for path in _present_and_old(folder, _TOKEN)
    )


def token_key_from(path: Path, content: bytes) -> X25519PrivateKey:
    """A token key's offline copy, read from wherever it is kept; `path` names it in the message."""
    return _x25519(path, _split_title(path, lambda _: content, (_TOKEN_TITLE,))[1])


_Read = Callable[[Path], bytes]


def _place(name: str, folder: Path) -> tuple[Path, _Read]:
    """Where a whole set of keys is read, by its first file."""
    credentials = private_files.credentials_folder(name)
    return (folder, private_files.read_file) if credentials is None else (credentials, private_files.read_credential)


def _present_and_old(folder: Path, name: str) -> list[Path]:
    stem, _, suffix = name.partition(".")
    return [folder / name, *sorted(folder.glob(f"{stem}-*.{suffix}"))]


def _refuse_existing(folder: Path, *names: str) -> None:
    for name in names:
        if (folder / name).exists():
            raise OperatorError(
                f"{folder / name}: is there already and is never overwritten",
                hint="to begin anew, move the old keys away by hand and keep them",
            )


def _titled(title: str, content: bytes) -> bytes:
    return title.encode() + b"\n" + content


def _split_title(path: Path, read: _Read, titles: tuple[str, ...]) -> tuple[str, bytes]:
    title, _, content = read(path).partition(b"\n")
    for expected in titles:
        if title == expected.encode():
            return expected, content
    raise OperatorError(f'{path}: expected a file that begins with "{titles[0]}", found another', hint="wrong file")


def _pem(key: Ed25519PrivateKey | X25519PrivateKey | MLKEM768PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _private(path: Path, pem: bytes) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # the library's message is dropped: it may quote the file
        raise OperatorError(f"{path}: expected a private key as PKCS8 PEM, found none") from None


def _ed25519(path: Path, pem: bytes) -> Ed25519PrivateKey:
    key = _private(path, pem)
    if not isinstance(key, Ed25519PrivateKey):
        raise OperatorError(f"{path}: expected an Ed25519 key, found one of another kind")
    return key


def _x25519(path: Path, pem: bytes) -> X25519PrivateKey:
    key = _private(path, pem)
    if not isinstance(key, X25519PrivateKey):
        raise OperatorError(f"{path}: expected an X25519 key, found one of another kind")
    return key


def _mlkem(path: Path, pem: bytes) -> MLKEM768PrivateKey:
    key = _private(path, pem)
    if not isinstance(key, MLKEM768PrivateKey):
        raise OperatorError(f"{path}: expected an ML-KEM-768 key, found one of another kind")
    return key


def _load_record_key(path: Path, read: _Read) -> RecordKey:
    _, content = _split_title(path, read, (_RECORD_TITLE,))
    mlkem, end, x25519 = content.partition(_PEM_END)
    return RecordKey(mlkem=_mlkem(path, mlkem + end), x25519=_x25519(path, x25519))


def _load_lookup(path: Path, read: _Read) -> bytes:
    _, content = _split_title(path, read, (_LOOKUP_TITLE,))
    try:
        lookup = base64.b64decode(content.removesuffix(b"\n"), validate=True)
    except binascii.Error:
        lookup = b""
    if len(lookup) != LOOKUP_KEY_SIZE:
        raise OperatorError(f"{path}: expected {LOOKUP_KEY_SIZE} bytes in base64 after the title, found another text")
    return lookup
