"""Sealing on the public side: makes tokens, records and roster entries; can open none of them.

A token's 96 bytes are opaque here. Everything sealed is of one size, whatever it says.
"""

import hashlib
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorctl.errors import InternalError
from doorctl.seal import domains
from doorctl.seal.public import RECORD_SUITE, TOKEN_SUITE, MonitorPublic
from doorctl.wire.record import Body, Header, RowTag, Token
from doorctl.wire.sizes import (
    RECORD_SIZE,
    REGISTRATION_SIZE,
    ROW_TAG_SIZE,
    TOKEN_PLAIN_SIZE,
    TOKEN_SIZE,
)


def seal_token(plain: bytes, monitor: MonitorPublic) -> Token:
    """96 bytes sealed to the monitor's token key: 144 bytes, different each time."""
    if len(plain) != TOKEN_PLAIN_SIZE:
        raise InternalError(f"token: {len(plain)} bytes to seal, expected {TOKEN_PLAIN_SIZE}")
    return Token(TOKEN_SUITE.encrypt(plain, monitor.token, info=domains.TOKEN_SEAL + monitor.token_fingerprint))


def filler_token() -> Token:
    """What a record carries where no row was found: random, of a token's size, opened by no key."""
    return Token(secrets.token_bytes(TOKEN_SIZE))


def seal_record(*, header: Header, body: Body, identity: Ed25519PrivateKey, monitor: MonitorPublic) -> bytes:
    """Header and body as 2,048 bytes: signed with the controller's identity, then sealed to the record key.

    The signature names the key that the body is sealed to, so that nobody can open a record and seal it for another.
    """
    if header.key_id != monitor.record_key_id:
        raise InternalError("record: the header names another key than the one to seal to")
    clear = header.encode()
    signed = body.encode()
    signature = identity.sign(record_signature_input(clear, monitor.record_fingerprint, signed))
    info = record_seal_info(clear, monitor.record_fingerprint)
    record = clear + RECORD_SUITE.encrypt(signed + signature, monitor.record.hpke, info=info)
    if len(record) != RECORD_SIZE:
        raise InternalError(f"record: sealed to {len(record)} bytes, expected {RECORD_SIZE}")
    return record


def record_signature_input(header: bytes, record_fingerprint: bytes, signed_body: bytes) -> bytes:
    """What the controller signs: domain ‖ header 48 ‖ record key fingerprint 32 ‖ body 800."""
    return domains.RECORD_SIGNATURE + header + record_fingerprint + signed_body


def record_seal_info(header: bytes, record_fingerprint: bytes) -> bytes:
    """HPKE's info of a record: domain ‖ header 48 ‖ record key fingerprint 32."""
    return domains.RECORD_SEAL + header + record_fingerprint


def row_tag(lookup: bytes) -> RowTag:
    """Names a row to the monitor without its look-up: a token found under another row shows."""
    return RowTag(hashlib.sha256(domains.ROW_TAG + lookup).digest()[:ROW_TAG_SIZE])


def registration(tag: RowTag, token: Token) -> bytes:
    """16 bytes that bind a token to its row: what enrolment tells the monitor of every row."""
    if len(tag) != ROW_TAG_SIZE or len(token) != TOKEN_SIZE:
        raise InternalError(f"registration: a row tag of {len(tag)} and a token of {len(token)} bytes")
    return hashlib.sha256(domains.REGISTRATION + tag + token).digest()[:REGISTRATION_SIZE]
