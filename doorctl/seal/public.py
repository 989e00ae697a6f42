"""Public keys as values: raw bytes, fingerprints, key ids. Holds nothing secret and reads no file."""

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from doorctl.errors import MalformedError
from doorctl.seal import domains
from doorctl.wire.record import ControllerId, KeyId
from doorctl.wire.sizes import CONTROLLER_ID_SIZE, KEY_ID_SIZE

RECORD_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
"""HPKE ids 0x647a, 0x0001, 0x0002: a line recorded today stays sealed when X25519 has fallen."""
TOKEN_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
"""HPKE ids 0x0020, 0x0001, 0x0002: small, and it only ever travels inside a record."""

MLKEM_PUBLIC_SIZE: Final = 1184
"""FIPS 203, table 3."""
X25519_PUBLIC_SIZE: Final = 32
RECORD_PUBLIC_SIZE: Final = MLKEM_PUBLIC_SIZE + X25519_PUBLIC_SIZE
SHOWN_FINGERPRINT_SIZE: Final = 16
"""Bytes of a pairing fingerprint that people compare: 128 bits against a second file with the same words."""


def fingerprint(raw: bytes) -> bytes:
    """SHA-256 over a public key's raw bytes."""
    return hashlib.sha256(raw).digest()


def key_id(raw: bytes) -> KeyId:
    """The first 8 bytes of the fingerprint: finds a key, proves nothing."""
    return KeyId(fingerprint(raw)[:KEY_ID_SIZE])


def grouped(digest: bytes) -> str:
    """A fingerprint as people compare it: `7f3a 91c0 …`, eight groups of four."""
    return digest[:SHOWN_FINGERPRINT_SIZE].hex(" ", 2)


def controller_id(identity: Ed25519PublicKey, *, simulated: bool) -> ControllerId:
    """The controller's id, bound to its key: no other key can claim it, and a simulated board cannot pass for real."""
    hashed = hashlib.sha256(domains.CONTROLLER_ID + bytes([simulated]) + identity.public_bytes_raw())
    return ControllerId(hashed.digest()[:CONTROLLER_ID_SIZE])


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPublic:
    """The hybrid public key that records are sealed to; safe while either half is."""

    mlkem: MLKEM768PublicKey
    x25519: X25519PublicKey

    @classmethod
    def from_raw(cls, untrusted: bytes) -> Self:
        """1,216 bytes, or MalformedError."""
        if len(untrusted) != RECORD_PUBLIC_SIZE:
            raise MalformedError(f"record key: {len(untrusted)} bytes, expected {RECORD_PUBLIC_SIZE}")
        try:
            mlkem = MLKEM768PublicKey.from_public_bytes(untrusted[:MLKEM_PUBLIC_SIZE])
        except ValueError as error:
            raise MalformedError("record key: not an ML-KEM-768 public key") from error
        return cls(mlkem=mlkem, x25519=x25519_from_raw(untrusted[MLKEM_PUBLIC_SIZE:]))

    @property
    def raw(self) -> bytes:
        """ML-KEM-768 1,184 ‖ X25519 32."""
        return self.mlkem.public_bytes_raw() + self.x25519.public_bytes_raw()

    @property
    def hpke(self) -> MLKEM768X25519PublicKey:
        """As the HPKE suite takes it."""
        return MLKEM768X25519PublicKey(self.mlkem, self.x25519)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorPublic:
    """All that a board has of its monitor: it can seal for it and believe it, and open nothing."""

    token: X25519PublicKey
    record: RecordPublic
    receipt: Ed25519PublicKey

    @property
    def token_fingerprint(self) -> bytes:
        """32 bytes; in every token's HPKE info."""
        return fingerprint(self.token.public_bytes_raw())

    @property
    def record_fingerprint(self) -> bytes:
        """32 bytes; in every record's HPKE info and signature."""
        return fingerprint(self.record.raw)

    @property
    def receipt_fingerprint(self) -> bytes:
        """32 bytes."""
        return fingerprint(self.receipt.public_bytes_raw())

    @property
    def record_key_id(self) -> KeyId:
        """In every record's header."""
        return key_id(self.record.raw)

    @property
    def receipt_key_id(self) -> KeyId:
        """In every receipt."""
        return key_id(self.receipt.public_bytes_raw())


def x25519_from_raw(untrusted: bytes) -> X25519PublicKey:
    """32 bytes of a key that can be sealed to, or MalformedError (points of low order can not)."""
    if len(untrusted) != X25519_PUBLIC_SIZE:
        raise MalformedError(f"X25519 key: {len(untrusted)} bytes, expected {X25519_PUBLIC_SIZE}")
    public = X25519PublicKey.from_public_bytes(untrusted)
    try:
        X25519PrivateKey.generate().exchange(public)
    except ValueError as error:
        raise MalformedError("X25519 key: a point of low order") from error
    return public


def ed25519_from_raw(untrusted: bytes) -> Ed25519PublicKey:
    """32 bytes of a verifying key, or MalformedError."""
    try:
        return Ed25519PublicKey.from_public_bytes(untrusted)
    except ValueError as error:
        raise MalformedError(f"Ed25519 key: {len(untrusted)} bytes, expected 32") from error
