"""Opening on the monitor's side: records, tokens, and the signing of receipts. Never on a board.

Knows no token's meaning: what `open_token` returns is opaque here, so that ingest can share this file.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorctl.errors import InternalError, PeerError, UnverifiedError
from doorctl.seal import domains
from doorctl.seal.keys import RecordKey
from doorctl.seal.public import RECORD_SUITE, TOKEN_SUITE, fingerprint, key_id
from doorctl.seal.receipts import receipt_signature_input
from doorctl.seal.sealing import record_seal_info, record_signature_input
from doorctl.wire.receipt import Receipt, Refusal
from doorctl.wire.record import Body, Header, KeyId, Token, parse_body, parse_header, split_body
from doorctl.wire.sizes import HEADER_SIZE, TOKEN_PLAIN_SIZE


class RecordRefusedError(UnverifiedError):
    """A record of the right form that is not believed; `refusal` is what the receipt says."""

    refusal: ClassVar[Refusal]


class UnknownKeyError(RecordRefusedError):
    """The header names a record key that this monitor does not have."""

    refusal = Refusal.UNKNOWN_KEY


class NotOpenedError(RecordRefusedError):
    """The body does not open under the key and header it came with."""

    refusal = Refusal.NOT_OPENED


class BadSignatureError(RecordRefusedError):
    """The opened body was not signed by this controller for this header and key."""

    refusal = Refusal.BAD_SIGNATURE


def refusal_of(error: PeerError) -> Refusal:
    """The receipt's word for what `open_record` raised; a malformed record has no finer one."""
    return error.refusal if isinstance(error, RecordRefusedError) else Refusal.MALFORMED


def open_record(
    untrusted: bytes, *, record_keys: Mapping[KeyId, RecordKey], controller_identity: Ed25519PublicKey
) -> tuple[Header, Body]:
    """Header and body of a record that this controller made; raises as `open_signed_record`."""
    header, body, _ = open_signed_record(untrusted, record_keys=record_keys, controller_identity=controller_identity)
    return header, body


def open_signed_record(
    untrusted: bytes, *, record_keys: Mapping[KeyId, RecordKey], controller_identity: Ed25519PublicKey
) -> tuple[Header, Body, bytes]:
    """Header, body and the controller's signature, which a ledger keeps as evidence.

    Nothing is returned before all of it is verified. Raises MalformedError (size, header, or a signed body of
    another form), UnknownKeyError, NotOpenedError or BadSignatureError, in the order of the checks. Exactly the
    key that the header names is tried.
    """
    header = parse_header(untrusted)
    key = record_keys.get(header.key_id)
    if key is None:
        raise UnknownKeyError(f"record: sealed to record key {header.key_id.hex()}, which this monitor does not have")
    key_fingerprint = fingerprint(key.public.raw)
    clear, sealed = untrusted[:HEADER_SIZE], untrusted[HEADER_SIZE:]
    try:
        opened = RECORD_SUITE.decrypt(sealed, key.hpke, info=record_seal_info(clear, key_fingerprint))
    except InvalidTag as error:
        raise NotOpenedError("record: the body does not open") from error
    untrusted_signed, signature = split_body(opened)
    try:
        controller_identity.verify(signature, record_signature_input(clear, key_fingerprint, untrusted_signed))
    except InvalidSignature as error:
        raise BadSignatureError("record: not signed by its controller") from error
    return header, parse_body(untrusted_signed), signature


def open_token(token: Token, token_keys: Iterable[X25519PrivateKey]) -> bytes | None:
    """The 96 bytes of a token; None where no key opens it (filler, or not ours): that is a finding, not an error.

    Tokens carry no key id, so that a row says nothing about when it was sealed; old keys are tried in turn.
    """
    for key in token_keys:
        info = domains.TOKEN_SEAL + fingerprint(key.public_key().public_bytes_raw())
        try:
            plain = TOKEN_SUITE.decrypt(token, key, info=info)
        except InvalidTag:
            continue
        return plain if len(plain) == TOKEN_PLAIN_SIZE else None
    return None


def sign_receipt(receipt: Receipt, key: Ed25519PrivateKey) -> bytes:
    """192 bytes; call it only after the ledger's commit."""
    if receipt.key_id != key_id(key.public_key().public_bytes_raw()):
        raise InternalError("receipt: names another key than the one that signs it")
    signed = receipt.encode()
    return signed + key.sign(receipt_signature_input(signed))
