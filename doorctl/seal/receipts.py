"""Believing the monitor: checks receipts. A record is forgotten only on what this file has let through."""

from cryptography.exceptions import InvalidSignature

from doorctl.errors import UnverifiedError
from doorctl.seal import domains
from doorctl.seal.public import MonitorPublic
from doorctl.wire.receipt import Receipt, parse_receipt, split_receipt


def verify_receipt(untrusted: bytes, monitor: MonitorPublic) -> Receipt:
    """A receipt that the monitor signed; MalformedError for its form, UnverifiedError for its signature.

    Whether it is of this controller and of a record that was sent is the caller's to compare.
    """
    untrusted_signed, signature = split_receipt(untrusted)
    try:
        monitor.receipt.verify(signature, receipt_signature_input(untrusted_signed))
    except InvalidSignature as error:
        raise UnverifiedError("receipt: not signed by the monitor's receipt key") from error
    receipt = parse_receipt(untrusted_signed)
    if receipt.key_id != monitor.receipt_key_id:
        raise UnverifiedError("receipt: names another receipt key than the one that signed it")
    return receipt


def receipt_signature_input(signed: bytes) -> bytes:
    """What the monitor signs: domain ‖ 128 bytes."""
    return domains.RECEIPT_SIGNATURE + signed
