"""The published vectors against doorctl's code and against the second monitor, which knows only the page."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorctl.core.types import HolderId
from doorctl.errors import MalformedError, PeerError, UnverifiedError
from doorctl.seal.damm import valid
from doorctl.seal.keys import MonitorKeys, RecordKey
from doorctl.seal.meaning import TokenPlain, holder_number
from doorctl.seal.opening import open_record, open_token, refusal_of
from doorctl.seal.public import controller_id, ed25519_from_raw, fingerprint
from doorctl.seal.receipts import verify_receipt
from doorctl.seal.roster_tree import roster_digest
from doorctl.seal.sealing import registration, row_tag
from doorctl.wire.detail import parse_detail
from doorctl.wire.record import Kind, RowTag, Token, record_hash
from tests.seal import second_monitor
from tests.seal.make_vectors import plain

FOLDER = Path(__file__).parent / "vectors"
Case = dict[str, Any]
Result = tuple[str, Any]
"""The word for what came of it, and the fields where it is "ok"."""


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def cases(name: str) -> pytest.MarkDecorator:
    found: list[Case] = load(name)
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


KEYS = load("keys")


def private(name: str, part: str = "private") -> bytes:
    return bytes.fromhex(KEYS[name][part])


MONITOR = MonitorKeys(
    token=X25519PrivateKey.from_private_bytes(private("token")),
    record=RecordKey(
        mlkem=MLKEM768PrivateKey.from_seed_bytes(private("record", "mlkem_seed")),
        x25519=X25519PrivateKey.from_private_bytes(private("record", "x25519_private")),
    ),
    receipt=Ed25519PrivateKey.from_private_bytes(private("receipt")),
)
IDENTITY = Ed25519PrivateKey.from_private_bytes(private("identity")).public_key()


def ours_of_record(record: bytes) -> Result:
    keys = {MONITOR.public.record_key_id: MONITOR.record}
    try:
        header, body = open_record(record, record_keys=keys, controller_identity=IDENTITY)
    except PeerError as error:
        return refusal_of(error).name, None
    detail = parse_detail(body.kind, body.detail)
    return "ok", (plain(header), plain(body), plain(detail))


def theirs_of_record(record: bytes) -> Result:
    key = (MONITOR.record.mlkem, MONITOR.record.x25519)
    try:
        header, body = second_monitor.open_record(
            record, keys={private("record", "fingerprint")[:8]: key}, identity=IDENTITY
        )  # fmt: skip
        kind, raw = body["kind"], body["detail"]
        assert isinstance(kind, int)
        assert isinstance(raw, str)
        detail = second_monitor.detail(kind, bytes.fromhex(raw))
    except second_monitor.RefusedError as error:
        return error.args[0], None
    del body["detail_size"]
    return "ok", (header, body, without_counts(detail))


def ours_of_receipt(receipt: bytes) -> Result:
    try:
        return "ok", plain(verify_receipt(receipt, MONITOR.public))
    except MalformedError:
        return "MALFORMED", None
    except UnverifiedError:
        return "UNVERIFIED", None


def theirs_of_receipt(receipt: bytes) -> Result:
    try:
        return "ok", second_monitor.check_receipt(receipt, MONITOR.public.receipt)
    except second_monitor.RefusedError as error:
        return error.args[0], None


def ours_of_token(token: bytes) -> Result:
    opened = open_token(Token(token), (MONITOR.token,))
    if opened is None:
        return "NOT_OPENED", None
    try:
        return "ok", plain(TokenPlain.parse(opened))
    except MalformedError:
        return "MALFORMED", None


def theirs_of_token(token: bytes) -> Result:
    try:
        fields = second_monitor.open_token(token, MONITOR.token)
    except second_monitor.RefusedError as error:
        return error.args[0], None
    del fields["label_size"]
    return "ok", fields


def ours_of_detail(kind: int, raw: bytes) -> Result:
    try:
        return "ok", plain(parse_detail(Kind(kind), raw))
    except MalformedError:
        return "MALFORMED", None


def theirs_of_detail(kind: int, raw: bytes) -> Result:
    try:
        return "ok", without_counts(second_monitor.detail(kind, raw))
    except second_monitor.RefusedError as error:
        return error.args[0], None


def without_counts(fields: second_monitor.Fields | None) -> second_monitor.Fields | None:
    """The page's `…_count` says how many follow; a value does not need it."""
    return fields and {name: value for name, value in fields.items() if not name.endswith("_count")}


@cases("records")
@pytest.mark.parametrize("reader", [ours_of_record, theirs_of_record])
def test_records(case: Case, reader: Callable[[bytes], Result]) -> None:
    record = base64.b64decode(case["record"])
    expected = (case["header"], case["body"], case["detail"]) if case["expect"] == "ok" else None
    assert reader(record) == (case["expect"], expected)
    if expected:
        assert record_hash(record).hex() == case["hash"]


@cases("receipts")
@pytest.mark.parametrize("reader", [ours_of_receipt, theirs_of_receipt])
def test_receipts(case: Case, reader: Callable[[bytes], Result]) -> None:
    assert reader(base64.b64decode(case["receipt"])) == (case["expect"], case.get("fields"))


@cases("tokens")
@pytest.mark.parametrize("reader", [ours_of_token, theirs_of_token])
def test_tokens(case: Case, reader: Callable[[bytes], Result]) -> None:
    assert reader(base64.b64decode(case["token"])) == (case["expect"], case.get("fields"))


@cases("details")
@pytest.mark.parametrize("reader", [ours_of_detail, theirs_of_detail])
def test_details(case: Case, reader: Callable[[int, bytes], Result]) -> None:
    assert reader(case["kind"], bytes.fromhex(case["detail"])) == (case["expect"], case.get("fields"))


@cases("codes")
def test_codes(case: Case) -> None:
    assert valid(case["code"]) is (case["expect"] == "ok")


def test_every_failure_of_the_page_has_a_vector() -> None:
    def words(name: str) -> set[str]:
        return {case["expect"] for case in load(name)}

    assert words("records") == {"ok", "MALFORMED", "UNKNOWN_KEY", "NOT_OPENED", "BAD_SIGNATURE"}
    assert words("receipts") == {"ok", "MALFORMED", "UNVERIFIED"}
    assert words("tokens") == {"ok", "MALFORMED", "NOT_OPENED"}
    assert words("details") == {"ok", "MALFORMED"}
    assert {case["kind"] for case in load("details")} == set(Kind)


def test_keys() -> None:
    public = MONITOR.public
    assert {name: (key["public"], key["fingerprint"]) for name, key in KEYS.items()} == {
        "identity": (IDENTITY.public_bytes_raw().hex(), fingerprint(IDENTITY.public_bytes_raw()).hex()),
        "token": (public.token.public_bytes_raw().hex(), public.token_fingerprint.hex()),
        "record": (public.record.raw.hex(), public.record_fingerprint.hex()),
        "receipt": (public.receipt.public_bytes_raw().hex(), public.receipt_fingerprint.hex()),
    }


def test_hashes() -> None:
    hashes = load("hashes")
    tag = hashes["row_tag"]
    assert row_tag(bytes.fromhex(tag["lookup"])).hex() == tag["row_tag"]
    entry = hashes["registration"]
    row, token = RowTag(bytes.fromhex(entry["row_tag"])), Token(bytes.fromhex(entry["token"]))
    assert registration(row, token).hex() == entry["registration"]
    for case in hashes["roster_digest"]:
        assert roster_digest(map(bytes.fromhex, case["registrations"])).hex() == case["digest"]
    for case in hashes["controller_id"]:
        identity = ed25519_from_raw(bytes.fromhex(case["identity"]))
        assert controller_id(identity, simulated=case["simulated"]).hex() == case["controller"]
    assert holder_number(HolderId(hashes["holder"]["short_name"])).hex() == hashes["holder"]["holder"]
