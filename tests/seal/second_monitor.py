"""A second monitor, written from docs/wire-format.md alone: it reads the page's tables and none of doorctl's code.

It uses only primitives (ML-KEM, X25519, HKDF, AES-GCM, Ed25519, hashes) and does HPKE by hand, so that the page and
the library have to mean the same. Failures are `RefusedError` with the page's own word.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

PAGE = (Path(__file__).parents[2] / "docs" / "wire-format.md").read_text()

Value = int | str | list[object]
Fields = dict[str, Value]


class RefusedError(Exception):
    """Its only argument is the page's word for the failure."""


@dataclass(frozen=True)
class Layout:
    """One table of the page: its rows (offset, size, type, field) and the size of the fixed part."""

    size: int
    rows: list[tuple[int, str, str, str]]


def rows_below(marker: str) -> list[tuple[str, list[str]]]:
    """The tables that follow `<!-- marker: NAME … -->`, each as (NAME …, cells of each row)."""
    found = []
    for name, table in re.findall(rf"<!-- {marker}:? ?(.*?) ?-->\n((?:\|.*\n)+)", PAGE):
        cells = [[cell.strip(" `") for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
        found.append((name, cells[2:]))
    return [(name, row) for name, table in found for row in table]


def layouts() -> dict[str, Layout]:
    result: dict[str, Layout] = {}
    for title, row in rows_below("layout"):
        name, size = title.split()
        layout = result.setdefault(name, Layout(size=int(size), rows=[]))
        layout.rows.append((int(row[0]), row[1], row[2], row[3]))
    return result


def numbers() -> dict[str, dict[int, str]]:
    result: dict[str, dict[int, str]] = {}
    for name, row in rows_below("numbers"):
        result.setdefault(name, {})[int(row[0])] = row[1]
    return result


LAYOUTS = layouts()
NUMBERS = numbers()
DOMAINS = {row[0]: row[1].encode() + b"\0" for _, row in rows_below("domains")}


def uint(raw: bytes) -> int:
    return int.from_bytes(raw)


def text(raw: bytes) -> str:
    name, _, padding = raw.partition(b"\0")
    return plain(_utf8(name)) if not any(padding) else _malformed()


def plain(shown: str) -> str:
    steering = [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
    return shown if not any(ord(character) in steering for character in shown) else _malformed()


def cut(layout_name: str, raw: bytes) -> Fields:
    """The fields of one layout, strictly."""
    layout = LAYOUTS[layout_name]
    if len(raw) < layout.size:
        _malformed()
    fields: Fields = {}
    end = layout.size
    for offset, size, kind, field in layout.rows:
        if size.endswith("each"):
            width, count = int(size.split()[0]), fields[f"{field}_count"]
            assert isinstance(count, int)
            end = offset + width * count
            items = [raw[at : at + width] for at in range(offset, end, width)]
            fields[field] = [_range(item) if kind == "range" else item.hex() for item in items]
            continue
        part = raw[offset : offset + int(size)]
        value = _field(kind, part, fields)
        if value is not None:
            fields[field] = value
    if len(raw) != end:
        _malformed()
    return fields


def _field(kind: str, part: bytes, before: Fields) -> Value | None:  # noqa: C901, PLR0911  one a type
    """One value by the type column; None for what carries none."""
    match kind:
        case "uint":
            return uint(part)
        case "uint63":
            return uint(part) if uint(part) < 1 << 63 else _malformed()
        case "bytes":
            return part.hex()
        case "text":
            return text(part)
        case "zero":
            return None if not any(part) else _malformed()
        case "boolean":
            return uint(part) if uint(part) < 2 else _malformed()
        case "detail":
            return _padded(part, before["detail_size"]).hex()
        case "label":
            return plain(_utf8(_padded(part, before["label_size"])))
        case "flags":
            return uint(part) if uint(part) <= sum(NUMBERS["flags"]) else _malformed()
        case kind if kind in NUMBERS:
            return uint(part) if uint(part) in NUMBERS[kind] else _malformed()
        case _:
            return None if part.hex() == kind else _malformed()


def detail(kind: int, raw: bytes) -> Fields | None:
    """A record's detail by its kind."""
    name = NUMBERS["kind"][kind]
    if name == "ACCESS" and not raw:
        return None
    fields = cut(name, raw)
    if name == "ENROLLED" and not 1 <= _int(fields["part"]) <= _int(fields["parts"]):
        _malformed()
    return fields


def open_record(
    record: bytes, *, keys: dict[bytes, tuple[MLKEM768PrivateKey, X25519PrivateKey]], identity: Ed25519PublicKey
) -> tuple[Fields, Fields]:
    """Header and body, or RefusedError with the receipt's word."""
    if len(record) != 2048:
        _malformed()
    header, sealed = record[:48], record[48:]
    fields = cut("header", header)
    key = keys.get(header[8:16])
    if key is None:
        raise RefusedError("UNKNOWN_KEY")
    mlkem, x25519 = key
    x_public = x25519.public_key().public_bytes_raw()
    fingerprint = hashlib.sha256(mlkem.public_key().public_bytes_raw() + x_public).digest()

    def shared_secret(enc: bytes) -> bytes:
        pair = mlkem.decapsulate(enc[:1088]), x25519.exchange(X25519PublicKey.from_public_bytes(enc[1088:]))
        return hashlib.sha3_256(b"".join(pair) + enc[1088:] + x_public + bytes.fromhex("5c2e2f2f5e5c")).digest()

    info = DOMAINS["record seal"] + header + fingerprint
    opened = hpke_open(sealed, kem=0x647A, enc_size=1120, shared_secret=shared_secret, info=info)
    signed, signature = opened[:800], opened[800:]
    verify(identity, signature, DOMAINS["record signature"] + header + fingerprint + signed, "BAD_SIGNATURE")
    return fields, cut("body", signed)


def open_token(token: bytes, key: X25519PrivateKey) -> Fields:
    """A token's fields, or RefusedError."""
    public = key.public_key().public_bytes_raw()

    def shared_secret(enc: bytes) -> bytes:
        suite = b"KEM" + (0x0020).to_bytes(2)
        exchanged = key.exchange(X25519PublicKey.from_public_bytes(enc))
        prk = _extract(suite, b"", b"eae_prk", exchanged)
        return _expand(suite, prk, b"shared_secret", enc + public, 32)

    info = DOMAINS["token seal"] + hashlib.sha256(public).digest()
    if len(token) != 144:
        raise RefusedError("NOT_OPENED")
    fields = cut("token", hpke_open(token, kem=0x0020, enc_size=32, shared_secret=shared_secret, info=info))
    return fields if _int(fields["issued"]) <= 2_932_896 else _malformed()


def check_receipt(receipt: bytes, key: Ed25519PublicKey) -> Fields:
    """A receipt's fields as a board believes them, or RefusedError."""
    if len(receipt) != 192:
        _malformed()
    verify(key, receipt[128:], DOMAINS["receipt signature"] + receipt[:128], "UNVERIFIED")
    fields = cut("receipt", receipt[:128])
    if fields["key_id"] != hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]:
        raise RefusedError("UNVERIFIED")
    return fields


def verify(key: Ed25519PublicKey, signature: bytes, signed: bytes, word: str) -> None:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        raise RefusedError(word) from None


def hpke_open(sealed: bytes, *, kem: int, enc_size: int, shared_secret: Callable[[bytes], bytes], info: bytes) -> bytes:
    """RFC 9180, 5.1 and 5.2: base mode, HKDF-SHA256, AES-256-GCM, the first message."""
    suite = b"HPKE" + kem.to_bytes(2) + (1).to_bytes(2) + (2).to_bytes(2)
    context = b"\0" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    enc, ciphertext = sealed[:enc_size], sealed[enc_size:]
    try:
        secret = _extract(suite, shared_secret(enc), b"secret", b"")
        key, nonce = _expand(suite, secret, b"key", context, 32), _expand(suite, secret, b"base_nonce", context, 12)
        return AESGCM(key).decrypt(nonce, ciphertext, b"")
    except (InvalidTag, ValueError):
        raise RefusedError("NOT_OPENED") from None


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2) + b"HPKE-v1" + suite + label + info
    return HKDFExpand(SHA256(), length, labelled).derive(prk)


def _range(raw: bytes) -> dict[str, Value]:
    first, last = uint(raw[8:16]), uint(raw[16:])
    return {"epoch": raw[:8].hex(), "first": first, "last": last} if first <= last else _malformed()


def _padded(raw: bytes, size: Value) -> bytes:
    size = _int(size)
    return raw[:size] if size <= len(raw) and not any(raw[size:]) else _malformed()


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _malformed()


def _int(value: Value) -> int:
    assert isinstance(value, int)
    return value


def _malformed() -> NoReturn:
    raise RefusedError("MALFORMED")
