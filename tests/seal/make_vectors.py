"""Writes tests/seal/vectors anew: `python -m tests.seal.make_vectors`. Sealing is randomised, so the files change.

Only a new version of the wire format is a reason to run it; other implementations hold the old files.
"""

import base64
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum, IntFlag
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorctl.core.types import HolderId, Outcome, Reason
from doorctl.seal import domains
from doorctl.seal.damm import check_digit
from doorctl.seal.meaning import Meaning, TokenPlain, holder_number
from doorctl.seal.opening import sign_receipt
from doorctl.seal.public import RECORD_SUITE, TOKEN_SUITE, MonitorPublic, controller_id, fingerprint
from doorctl.seal.roster_tree import roster_digest
from doorctl.seal.sealing import (
    record_seal_info,
    record_signature_input,
    registration,
    row_tag,
    seal_record,
    seal_token,
)
from doorctl.wire.detail import Detail
from doorctl.wire.receipt import Refusal, Status
from doorctl.wire.record import (
    SUPERVISION_BIT,
    Body,
    Epoch,
    Flag,
    Header,
    KeyId,
    Kind,
    RowTag,
    Sequence,
    record_hash,
)
from tests.seal.sample import (
    BODY,
    DENIED,
    HEADER,
    IDENTITY,
    MONITOR,
    OTHER_MONITOR,
    PUBLIC,
    RECEIPT,
    STRANGER,
    stretch,
)
from tests.wire.test_detail import SAMPLES

FOLDER = Path(__file__).parent / "vectors"
Case = dict[str, object]
TOKEN_PLAIN = TokenPlain(
    holder=holder_number(HolderId("ana-lopez")),
    label="Ana López",
    meaning=Meaning.NORMAL,
    issued=date(2026, 7, 1),
    row_tag=RowTag(stretch("a row tag", 16)),
)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def plain(value: object) -> object:
    """Dataclasses, enums and bytes as JSON has them: numbers, hex, lists."""
    match value:
        case IntEnum() | IntFlag() | bool():
            return int(value)
        case bytes():
            return value.hex()
        case tuple():
            return [plain(item) for item in value]
        case date():
            return (value - date(1970, 1, 1)).days
        case int() | str() | None:
            return value
        case _ if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            raise TypeError(f"{value!r} has no form in a vector")


@dataclass(frozen=True, kw_only=True)
class Forge:
    """Makes records that `seal_record` would not: each part can be replaced by a wrong one."""

    header: bytes = HEADER.encode()
    signed_header: bytes | None = None
    body: bytes = BODY.encode()
    signer: Ed25519PrivateKey = IDENTITY
    signature_domain: bytes = domains.RECORD_SIGNATURE
    seal_domain: bytes = domains.RECORD_SEAL
    signed_for: MonitorPublic = PUBLIC
    sealed_for: MonitorPublic = PUBLIC

    def record(self) -> bytes:
        signed_header = self.signed_header or self.header
        signature_input = record_signature_input(signed_header, self.signed_for.record_fingerprint, self.body)
        signature = self.signer.sign(signature_input.replace(domains.RECORD_SIGNATURE, self.signature_domain, 1))
        info = record_seal_info(self.header, self.sealed_for.record_fingerprint)
        info = info.replace(domains.RECORD_SEAL, self.seal_domain, 1)
        return self.header + RECORD_SUITE.encrypt(self.body + signature, self.sealed_for.record.hpke, info=info)


def altered(raw: bytes, place: int, new: bytes) -> bytes:
    return raw[:place] + new + raw[place + len(new) :]


def good_records() -> Iterator[tuple[str, Header, Body, Detail | None]]:
    yield "granted", HEADER, BODY, None
    yield "denied, no row", replace(HEADER, sequence=Sequence(42)), DENIED, None
    refused = replace(BODY, outcome=Outcome.DENIED, reason=Reason.LOCKED_OUT)
    yield "denied, with a row", replace(HEADER, sequence=Sequence(43)), refused, None
    everything = replace(BODY, flags=~Flag(0), door="é" * 16, reader="x" * 32, count=2**32 - 1, pending=2**32 - 1)
    yield "all flags and the longest names", HEADER, everything, None
    quiet = replace(DENIED, outcome=Outcome.NONE, reason=Reason.NONE, door="", reader="")
    for kind, detail in SAMPLES.items():
        number = SUPERVISION_BIT | 5 if kind is Kind.SUPERVISION else 50 + kind
        body = replace(quiet, kind=kind, detail=detail.encode())
        yield f"a {kind.name} detail", replace(HEADER, sequence=Sequence(number)), body, detail


def bad_records() -> Iterator[tuple[str, str, bytes]]:
    good, header, body = Forge().record(), HEADER.encode(), BODY.encode()
    yield "one byte short", "MALFORMED", good[:-1]
    yield "one byte long", "MALFORMED", good + b"\0"
    yield "empty", "MALFORMED", b""
    yield "another magic", "MALFORMED", altered(good, 0, b"X")
    yield "version 2", "MALFORMED", altered(good, 3, b"\2")
    yield "reserved bytes set", "MALFORMED", altered(good, 7, b"\1")
    yield "an unknown record key", "UNKNOWN_KEY", altered(good, 8, bytes(8))
    yield "another epoch in the header", "NOT_OPENED", altered(good, 32, bytes(8))
    yield "another sequence in the header", "NOT_OPENED", altered(good, 40, bytes(8))
    yield "a bit of the ML-KEM ciphertext", "NOT_OPENED", altered(good, 100, bytes([good[100] ^ 1]))
    yield "an X25519 point of low order", "NOT_OPENED", altered(good, 48 + 1088, bytes(32))
    yield "a bit of the ciphertext", "NOT_OPENED", altered(good, 1500, bytes([good[1500] ^ 1]))
    yield "a bit of the tag", "NOT_OPENED", good[:-1] + bytes([good[-1] ^ 1])
    yield "sealed in the token's domain", "NOT_OPENED", Forge(seal_domain=domains.TOKEN_SEAL).record()
    wrong_key = Forge(sealed_for=OTHER_MONITOR.public, signed_for=OTHER_MONITOR.public)
    yield "sealed to another key than the header names", "NOT_OPENED", wrong_key.record()
    yield "signed by another board", "BAD_SIGNATURE", Forge(signer=STRANGER).record()
    moved = replace(HEADER, sequence=Sequence(99)).encode()
    yield "moved to another header", "BAD_SIGNATURE", Forge(header=moved, signed_header=header).record()
    yield "signed for another monitor", "BAD_SIGNATURE", Forge(signed_for=OTHER_MONITOR.public).record()
    yield "signed as a receipt", "BAD_SIGNATURE", Forge(signature_domain=domains.RECEIPT_SIGNATURE).record()
    for name, place, new in (
        ("kind 0", 0, b"\0"),
        ("an unknown kind", 0, b"\x63"),
        ("an unknown outcome", 1, b"\x63"),
        ("an unknown reason", 2, b"\x63"),
        ("an unknown flag", 3, b"\x21"),
        ("a name with a byte behind its end", 46, b"x"),
        ("a name that is no UTF-8", 72, b"\xff"),
        ("a detail longer than the field", 340, b"\x01\xcb"),
        ("a byte behind the detail", 799, b"\1"),
    ):
        yield f"signed with {name}", "MALFORMED", Forge(body=altered(body, place, new)).record()


def records() -> list[Case]:
    cases: list[Case] = []
    for name, header, body, detail in good_records():
        record = seal_record(header=header, body=body, identity=IDENTITY, monitor=PUBLIC)
        opened = {"header": plain(header), "body": plain(body), "detail": plain(detail)}
        hashed = record_hash(record).hex()
        cases.append({"name": name, "expect": "ok", **opened, "hash": hashed, "record": b64(record)})
    cases += [{"name": name, "expect": expect, "record": b64(record)} for name, expect, record in bad_records()]
    return cases


def receipts() -> list[Case]:
    wish = replace(RECEIPT, want_epoch=Epoch(stretch("old", 8)), want_sequence=Sequence(7), want_count=1024)
    refused = [replace(RECEIPT, status=Status.REFUSED, refusal=refusal) for refusal in Refusal]
    cases: list[Case] = [
        {"name": name, "expect": "ok", "fields": plain(receipt), "receipt": b64(sign_receipt(receipt, MONITOR.receipt))}
        for name, receipt in (("stored", RECEIPT), ("with a wish", wish), *((r.refusal.name, r) for r in refused))
    ]
    good, signed = sign_receipt(RECEIPT, MONITOR.receipt), RECEIPT.encode()

    def signed_as(changed: bytes, domain: bytes = domains.RECEIPT_SIGNATURE) -> bytes:
        return changed + MONITOR.receipt.sign(domain + changed)

    other = replace(RECEIPT, key_id=OTHER_MONITOR.public.receipt_key_id)
    for name, expect, receipt in (
        ("one byte short", "MALFORMED", good[:-1]),
        ("one byte long", "MALFORMED", good + b"\0"),
        ("another hash", "UNVERIFIED", altered(good, 48, bytes(32))),
        ("a bit of the signature", "UNVERIFIED", good[:-1] + bytes([good[-1] ^ 1])),
        ("signed by another monitor", "UNVERIFIED", sign_receipt(other, OTHER_MONITOR.receipt)),
        ("signed as a record", "UNVERIFIED", signed_as(signed, domains.RECORD_SIGNATURE)),
        ("signed without a domain", "UNVERIFIED", signed_as(signed, b"")),
        ("signed, names another key", "UNVERIFIED", signed_as(replace(RECEIPT, key_id=KeyId(bytes(8))).encode())),
        ("signed with another magic", "MALFORMED", signed_as(altered(signed, 0, b"X"))),
        ("signed with an unknown status", "MALFORMED", signed_as(altered(signed, 4, b"\0"))),
        ("signed with an unknown refusal", "MALFORMED", signed_as(altered(signed, 5, b"\x63"))),
        ("signed with reserved bytes set", "MALFORMED", signed_as(altered(signed, 6, b"\1"))),
        ("signed with padding set", "MALFORMED", signed_as(altered(signed, 127, b"\1"))),
    ):
        cases.append({"name": name, "expect": expect, "receipt": b64(receipt)})
    return cases


def tokens() -> list[Case]:
    cases: list[Case] = []
    for meaning in Meaning:
        given = replace(TOKEN_PLAIN, meaning=meaning)
        sealed = seal_token(given.encode(), PUBLIC)
        cases.append({"name": meaning.name, "expect": "ok", "fields": plain(given), "token": b64(sealed)})
    longest = replace(TOKEN_PLAIN, label="é" * 20, issued=date.max)
    sealed = seal_token(longest.encode(), PUBLIC)
    cases.append({"name": "longest and latest", "expect": "ok", "fields": plain(longest), "token": b64(sealed)})
    good, encoded = seal_token(TOKEN_PLAIN.encode(), PUBLIC), TOKEN_PLAIN.encode()
    wrong_domain = TOKEN_SUITE.encrypt(encoded, PUBLIC.token, info=domains.RECORD_SEAL + PUBLIC.token_fingerprint)
    for name, expect, token in (
        ("filler", "NOT_OPENED", stretch("filler", 144)),
        ("one byte short", "NOT_OPENED", good[:-1]),
        ("a bit of the ciphertext", "NOT_OPENED", altered(good, 80, bytes([good[80] ^ 1]))),
        ("sealed to another monitor", "NOT_OPENED", seal_token(encoded, OTHER_MONITOR.public)),
        ("sealed in the record's domain", "NOT_OPENED", wrong_domain),
        ("version 0", "MALFORMED", seal_token(altered(encoded, 0, b"\0"), PUBLIC)),
        ("an unknown meaning", "MALFORMED", seal_token(altered(encoded, 1, b"\x63"), PUBLIC)),
        ("meaning 0", "MALFORMED", seal_token(altered(encoded, 1, b"\0"), PUBLIC)),
        ("a label longer than its field", "MALFORMED", seal_token(altered(encoded, 2, b"\x29"), PUBLIC)),
        ("reserved byte set", "MALFORMED", seal_token(altered(encoded, 3, b"\1"), PUBLIC)),
        ("a day after the year 9999", "MALFORMED", seal_token(altered(encoded, 4, b"\xff"), PUBLIC)),
        ("a label that is no UTF-8", "MALFORMED", seal_token(altered(encoded, 40, b"\xff"), PUBLIC)),
        ("a label with a zero byte", "MALFORMED", seal_token(altered(encoded, 41, b"\0"), PUBLIC)),
        ("a byte behind the label", "MALFORMED", seal_token(altered(encoded, 79, b"\1"), PUBLIC)),
        ("padding set", "MALFORMED", seal_token(altered(encoded, 95, b"\1"), PUBLIC)),
    ):
        cases.append({"name": name, "expect": expect, "token": b64(token)})
    return cases


def details() -> list[Case]:
    cases: list[Case] = []
    for kind, detail in SAMPLES.items():
        encoded = detail.encode()
        case = {"kind": kind.value, "fields": plain(detail)}
        cases.append({"name": f"{kind.name}", "expect": "ok", **case, "detail": encoded.hex()})
        for name, raw in (("a byte short", encoded[:-1]), ("a byte long", encoded + b"\0")):
            cases.append(
                {"name": f"{kind.name}, {name}", "expect": "MALFORMED", "kind": kind.value, "detail": raw.hex()}
            )
    cases.append(
        {"name": "ACCESS of one event", "expect": "ok", "kind": Kind.ACCESS.value, "fields": None, "detail": ""}
    )
    for kind, name, place, new in (
        (Kind.DOOR, "an unknown happening", 0, b"\x63"),
        (Kind.ENROLLED, "an unknown action", 8, b"\x63"),
        (Kind.ENROLLED, "part 0", 13, b"\0\0"),
        (Kind.ENROLLED, "part 3 of 2", 13, b"\0\3"),
        (Kind.ENROLLED, "fewer entries than counted", 17, b"\2"),
        (Kind.FAULT, "an unknown fault", 0, b"\x63"),
        (Kind.FAULT, "neither began nor ended", 1, b"\2"),
        (Kind.OPERATOR, "an unknown act", 0, b"\x63"),
        (Kind.LOSS, "more ranges than counted", 16, b"\0"),
        (Kind.LOSS, "a range that ends before it begins", 32, b"\x63"),
    ):
        raw = altered(SAMPLES[kind].encode(), place, new)
        cases.append({"name": f"{kind.name}, {name}", "expect": "MALFORMED", "kind": kind.value, "detail": raw.hex()})
    return cases


def hashes() -> dict[str, object]:
    tag, token = row_tag(stretch("look-up", 32)), seal_token(TOKEN_PLAIN.encode(), PUBLIC)
    entries = [stretch(f"entry {number}", 16) for number in range(3)]
    identity = IDENTITY.public_key()
    return {
        "row_tag": {"lookup": stretch("look-up", 32).hex(), "row_tag": tag.hex()},
        "registration": {"row_tag": tag.hex(), "token": token.hex(), "registration": registration(tag, token).hex()},
        "roster_digest": [
            {"registrations": [entry.hex() for entry in some], "digest": roster_digest(some).hex()}
            for some in ([], entries[:1], entries, entries[::-1])
        ],
        "controller_id": [
            {
                "identity": identity.public_bytes_raw().hex(),
                "simulated": simulated,
                "controller": controller_id(identity, simulated=simulated).hex(),
            }
            for simulated in (False, True)
        ],
        "holder": {"short_name": "ana-lopez", "holder": holder_number(HolderId("ana-lopez")).hex()},
    }


def keys() -> dict[str, object]:
    def of(private: dict[str, bytes], public: bytes) -> dict[str, str]:
        named = {name: raw.hex() for name, raw in private.items()}
        return {**named, "public": public.hex(), "fingerprint": fingerprint(public).hex()}

    record = MONITOR.record
    halves = {"mlkem_seed": record.mlkem.private_bytes_raw(), "x25519_private": record.x25519.private_bytes_raw()}
    return {
        "identity": of({"private": IDENTITY.private_bytes_raw()}, IDENTITY.public_key().public_bytes_raw()),
        "token": of({"private": MONITOR.token.private_bytes_raw()}, PUBLIC.token.public_bytes_raw()),
        "record": of(halves, PUBLIC.record.raw),
        "receipt": of({"private": MONITOR.receipt.private_bytes_raw()}, PUBLIC.receipt.public_bytes_raw()),
    }


def codes() -> list[Case]:
    digits = ("", "0", "1", "9", "572", "00000", "48207", "9305139", "43881234567")
    good: list[Case] = [{"name": f"of {d or 'nothing'}", "expect": "ok", "code": d + check_digit(d)} for d in digits]
    return [
        *good,
        {"name": "one wrong key", "expect": "INVALID", "code": "5734"},
        {"name": "two swapped neighbours", "expect": "INVALID", "code": "7524"},
        {"name": "no digits", "expect": "INVALID", "code": ""},
        {"name": "a letter", "expect": "INVALID", "code": "57a4"},
    ]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for make in (keys, records, receipts, tokens, details, hashes, codes):
        text = json.dumps(make(), indent=1, ensure_ascii=False) + "\n"
        (FOLDER / f"{make.__name__}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
