from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.errors import InternalError, MalformedError, PeerError, UnverifiedError
from doorctl.seal import domains
from doorctl.seal.opening import sign_receipt
from doorctl.seal.receipts import verify_receipt
from doorctl.wire.receipt import Refusal, Status
from doorctl.wire.record import Epoch, KeyId, Sequence
from tests.seal.sample import MONITOR, OTHER_MONITOR, PUBLIC, RECEIPT


def test_a_signed_receipt_is_believed() -> None:
    untrusted = sign_receipt(RECEIPT, MONITOR.receipt)
    assert len(untrusted) == 192
    assert verify_receipt(untrusted, PUBLIC) == RECEIPT


def test_a_refusal_and_a_wish_come_through() -> None:
    receipt = replace(
        RECEIPT,
        status=Status.REFUSED,
        refusal=Refusal.UNKNOWN_KEY,
        want_epoch=Epoch(b"12345678"),
        want_sequence=Sequence(9),
        want_count=1000,
    )
    assert verify_receipt(sign_receipt(receipt, MONITOR.receipt), PUBLIC) == receipt


def test_another_monitors_receipt_is_not_believed() -> None:
    forged = replace(RECEIPT, key_id=OTHER_MONITOR.public.receipt_key_id)
    with pytest.raises(UnverifiedError):
        verify_receipt(sign_receipt(forged, OTHER_MONITOR.receipt), PUBLIC)


@pytest.mark.parametrize("place", range(0, 192, 5))
def test_no_byte_of_a_receipt_can_be_changed(place: int) -> None:
    untrusted = bytearray(sign_receipt(RECEIPT, MONITOR.receipt))
    untrusted[place] ^= 1
    with pytest.raises(UnverifiedError):
        verify_receipt(bytes(untrusted), PUBLIC)


def test_a_signature_of_another_domain_is_none() -> None:
    signed = RECEIPT.encode()
    with pytest.raises(UnverifiedError):
        verify_receipt(signed + MONITOR.receipt.sign(domains.RECORD_SIGNATURE + signed), PUBLIC)
    with pytest.raises(UnverifiedError):
        verify_receipt(signed + MONITOR.receipt.sign(signed), PUBLIC)


def test_a_receipt_that_names_another_key_is_not_believed() -> None:
    signed = replace(RECEIPT, key_id=KeyId(bytes(8))).encode()
    with pytest.raises(UnverifiedError):
        verify_receipt(signed + MONITOR.receipt.sign(domains.RECEIPT_SIGNATURE + signed), PUBLIC)


def test_signing_for_another_key_is_our_own_fault() -> None:
    with pytest.raises(InternalError):
        sign_receipt(RECEIPT, OTHER_MONITOR.receipt)


@pytest.mark.parametrize("size", [0, 128, 191, 193])
def test_a_receipt_of_another_size_is_malformed(size: int) -> None:
    with pytest.raises(MalformedError):
        verify_receipt(bytes(size), PUBLIC)


@given(st.binary(min_size=180, max_size=200))
@settings(max_examples=150, deadline=None)
def test_verifying_is_total(untrusted: bytes) -> None:
    with pytest.raises(PeerError):
        verify_receipt(untrusted, PUBLIC)
