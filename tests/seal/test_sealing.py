from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.errors import InternalError, MalformedError
from doorctl.seal import domains
from doorctl.seal.keys import RecordKey
from doorctl.seal.opening import (
    BadSignatureError,
    NotOpenedError,
    RecordRefusedError,
    UnknownKeyError,
    open_record,
    open_signed_record,
    open_token,
    refusal_of,
)
from doorctl.seal.public import RECORD_SUITE, TOKEN_SUITE, fingerprint
from doorctl.seal.roster_tree import roster_digest
from doorctl.seal.sealing import (
    filler_token,
    record_seal_info,
    record_signature_input,
    registration,
    row_tag,
    seal_record,
    seal_token,
)
from doorctl.wire.receipt import Refusal
from doorctl.wire.record import Body, Header, KeyId, Sequence, Token
from tests.seal.sample import (
    BODY,
    DENIED,
    HEADER,
    IDENTITY,
    MONITOR,
    OTHER_MONITOR,
    PUBLIC,
    RECORD_KEYS,
    STRANGER,
    stretch,
)

PLAIN = stretch("96 bytes", 96)


def seal(header: Header = HEADER, body: Body = BODY) -> bytes:
    return seal_record(header=header, body=body, identity=IDENTITY, monitor=PUBLIC)


def opened(record: bytes) -> tuple[Header, Body]:
    return open_record(record, record_keys=RECORD_KEYS, controller_identity=IDENTITY.public_key())


def refusal(record: bytes, **given_keys: object) -> Refusal:
    keys = {"record_keys": RECORD_KEYS, "controller_identity": IDENTITY.public_key(), **given_keys}
    with pytest.raises((MalformedError, RecordRefusedError)) as caught:
        open_record(record, **keys)  # type: ignore[arg-type]  # one wrong thing at a time
    return refusal_of(caught.value)


def test_a_record_opens_to_what_was_sealed() -> None:
    assert opened(seal()) == (HEADER, BODY)
    assert opened(seal(body=DENIED)) == (HEADER, DENIED)


def test_every_record_has_one_size_and_two_of_the_same_share_nothing_but_the_header() -> None:
    first, second = seal(), seal()
    assert len(first) == len(second) == len(seal(body=DENIED)) == 2048
    assert first[:48] == second[:48]
    assert sum(a == b for a, b in zip(first[48:], second[48:], strict=True)) < 50  # 8 expected by chance


def test_the_signature_that_comes_back_is_the_controllers() -> None:
    header, body, signature = open_signed_record(
        seal(), record_keys=RECORD_KEYS, controller_identity=IDENTITY.public_key()
    )
    IDENTITY.public_key().verify(
        signature, record_signature_input(header.encode(), PUBLIC.record_fingerprint, body.encode())
    )
    assert len(signature) == 64


def test_a_header_for_another_key_is_our_own_fault() -> None:
    with pytest.raises(InternalError):
        seal(header=replace(HEADER, key_id=KeyId(bytes(8))))


@pytest.mark.parametrize("place", [*range(0, 48, 3), 48, 1167, 1168, 1200, 2031, 2032, 2047])
def test_no_byte_of_a_record_can_be_changed(place: int) -> None:
    record = bytearray(seal())
    record[place] ^= 0x10
    expected = (
        Refusal.MALFORMED if place < 8 else Refusal.UNKNOWN_KEY if place < 16 else Refusal.NOT_OPENED
    )  # fmt: skip
    assert refusal(bytes(record)) is expected


@pytest.mark.parametrize("size", [0, 47, 48, 2047, 2049, 4096])
def test_a_record_of_another_size_is_malformed(size: int) -> None:
    assert refusal((seal() * 2)[:size]) is Refusal.MALFORMED


def test_a_key_we_do_not_have_is_said_so() -> None:
    assert refusal(seal(), record_keys={}) is Refusal.UNKNOWN_KEY


def test_only_the_key_that_the_header_names_is_tried() -> None:
    wrong = {PUBLIC.record_key_id: OTHER_MONITOR.record, OTHER_MONITOR.public.record_key_id: MONITOR.record}
    assert refusal(seal(), record_keys=wrong) is Refusal.NOT_OPENED


@pytest.mark.parametrize("half", ["mlkem", "x25519"])
def test_one_half_of_the_hybrid_key_opens_nothing(half: str) -> None:
    mixed: RecordKey = replace(MONITOR.record, **{half: getattr(OTHER_MONITOR.record, half)})
    assert refusal(seal(), record_keys={PUBLIC.record_key_id: mixed}) is Refusal.NOT_OPENED


def test_an_old_record_key_still_opens() -> None:
    keys = {OTHER_MONITOR.public.record_key_id: OTHER_MONITOR.record, **RECORD_KEYS}
    assert open_record(seal(), record_keys=keys, controller_identity=IDENTITY.public_key()) == (HEADER, BODY)


def test_another_controllers_signature_is_refused() -> None:
    assert refusal(seal(), controller_identity=STRANGER.public_key()) is Refusal.BAD_SIGNATURE


def test_a_body_cannot_be_moved_to_another_header_even_by_someone_who_opened_it() -> None:
    clear = HEADER.encode()
    signature = IDENTITY.sign(record_signature_input(clear, PUBLIC.record_fingerprint, BODY.encode()))
    moved = replace(HEADER, sequence=Sequence(42)).encode()
    info = record_seal_info(moved, PUBLIC.record_fingerprint)
    record = moved + RECORD_SUITE.encrypt(BODY.encode() + signature, PUBLIC.record.hpke, info=info)
    assert refusal(record) is Refusal.BAD_SIGNATURE


def test_a_body_cannot_be_sealed_again_for_another_monitor() -> None:
    other = OTHER_MONITOR.public
    clear = replace(HEADER, key_id=other.record_key_id).encode()
    signature = IDENTITY.sign(record_signature_input(clear, PUBLIC.record_fingerprint, BODY.encode()))
    info = record_seal_info(clear, other.record_fingerprint)
    record = clear + RECORD_SUITE.encrypt(BODY.encode() + signature, other.record.hpke, info=info)
    assert refusal(record, record_keys={other.record_key_id: OTHER_MONITOR.record}) is Refusal.BAD_SIGNATURE


def test_a_signature_of_another_domain_is_none() -> None:
    clear = HEADER.encode()
    signature = IDENTITY.sign(
        domains.RECEIPT_SIGNATURE + clear + PUBLIC.record_fingerprint + BODY.encode()
    )  # fmt: skip
    info = record_seal_info(clear, PUBLIC.record_fingerprint)
    record = clear + RECORD_SUITE.encrypt(BODY.encode() + signature, PUBLIC.record.hpke, info=info)
    assert refusal(record) is Refusal.BAD_SIGNATURE


def test_a_seal_of_another_domain_does_not_open() -> None:
    clear = HEADER.encode()
    signature = IDENTITY.sign(record_signature_input(clear, PUBLIC.record_fingerprint, BODY.encode()))
    info = domains.TOKEN_SEAL + clear + PUBLIC.record_fingerprint
    record = clear + RECORD_SUITE.encrypt(BODY.encode() + signature, PUBLIC.record.hpke, info=info)
    assert refusal(record) is Refusal.NOT_OPENED


def test_a_signed_body_of_another_form_is_malformed() -> None:
    clear, signed = HEADER.encode(), b"\xff" + BODY.encode()[1:]
    signature = IDENTITY.sign(record_signature_input(clear, PUBLIC.record_fingerprint, signed))
    info = record_seal_info(clear, PUBLIC.record_fingerprint)
    record = clear + RECORD_SUITE.encrypt(signed + signature, PUBLIC.record.hpke, info=info)
    assert refusal(record) is Refusal.MALFORMED


def test_each_error_has_its_refusal() -> None:
    assert [
        refusal_of(error("")) for error in (MalformedError, UnknownKeyError, NotOpenedError, BadSignatureError)
    ] == [
        Refusal.MALFORMED,
        Refusal.UNKNOWN_KEY,
        Refusal.NOT_OPENED,
        Refusal.BAD_SIGNATURE,
    ]


@given(st.binary(max_size=2100) | st.binary(min_size=2000, max_size=2000).map(lambda b: HEADER.encode() + b))
@settings(max_examples=150, deadline=None)
def test_opening_is_total(untrusted: bytes) -> None:
    assert refusal(untrusted) in Refusal


def test_a_token_opens_under_present_and_old_keys() -> None:
    token = seal_token(PLAIN, PUBLIC)
    assert len(token) == 144
    assert open_token(token, (MONITOR.token,)) == PLAIN
    assert open_token(token, (OTHER_MONITOR.token, MONITOR.token)) == PLAIN


def test_a_token_opens_under_no_other_key_and_filler_under_none() -> None:
    assert open_token(seal_token(PLAIN, PUBLIC), (OTHER_MONITOR.token,)) is None
    assert open_token(seal_token(PLAIN, PUBLIC), ()) is None
    assert open_token(filler_token(), (MONITOR.token, OTHER_MONITOR.token)) is None


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_opening_a_token_is_total(untrusted: bytes) -> None:
    assert open_token(Token(untrusted), (MONITOR.token,)) is None


def test_a_token_of_another_domain_or_size_is_not_opened() -> None:
    info = domains.RECORD_SEAL + PUBLIC.token_fingerprint
    assert open_token(Token(TOKEN_SUITE.encrypt(PLAIN, PUBLIC.token, info=info)), (MONITOR.token,)) is None
    info = domains.TOKEN_SEAL + PUBLIC.token_fingerprint
    assert open_token(Token(TOKEN_SUITE.encrypt(PLAIN + b"x", PUBLIC.token, info=info)), (MONITOR.token,)) is None


def test_the_same_plain_text_never_gives_the_same_token() -> None:
    assert seal_token(PLAIN, PUBLIC) != seal_token(PLAIN, PUBLIC)
    assert filler_token() != filler_token()
    assert len(filler_token()) == 144


@pytest.mark.parametrize("size", [0, 95, 97])
def test_a_token_of_another_plain_size_is_our_own_fault(size: int) -> None:
    with pytest.raises(InternalError):
        seal_token(bytes(size), PUBLIC)


def test_a_registration_binds_the_token_to_its_row() -> None:
    token, other = seal_token(PLAIN, PUBLIC), seal_token(PLAIN, PUBLIC)
    tag, other_tag = row_tag(b"a" * 32), row_tag(b"b" * 32)
    entries = {registration(t, k) for t in (tag, other_tag) for k in (token, other)}
    assert len(entries) == 4
    assert {len(entry) for entry in entries} == {16}
    assert len(tag) == 16


def test_a_registration_of_wrong_sizes_is_our_own_fault() -> None:
    with pytest.raises(InternalError):
        registration(row_tag(b"a"), Token(bytes(143)))


def test_the_roster_digest_knows_every_entry_and_no_order() -> None:
    entries = [stretch(f"entry {n}", 16) for n in range(5)]
    assert roster_digest(entries) == roster_digest(reversed(entries))
    assert roster_digest(entries) != roster_digest(entries[1:])
    assert roster_digest([]) != bytes(32)
    with pytest.raises(InternalError):
        roster_digest([b"short"])


def test_no_domain_is_the_beginning_of_another() -> None:
    assert len(set(domains.ALL)) == len(domains.ALL) == 13
    for domain in domains.ALL:
        assert domain.endswith(b"\0")
        assert domain.count(b"\0") == 1


def test_a_fingerprint_is_of_the_raw_bytes() -> None:
    assert PUBLIC.token_fingerprint == fingerprint(MONITOR.token.public_key().public_bytes_raw())
    assert PUBLIC.record_key_id == PUBLIC.record_fingerprint[:8]
    assert PUBLIC.receipt_key_id == PUBLIC.receipt_fingerprint[:8]
    assert len(PUBLIC.record.raw) == 1216
