"""docs/wire-format.md says what the code does: sizes, numbers, domains, the very bytes of a request."""

import hashlib
from enum import IntEnum, IntFlag

import pytest

from doorctl.core.types import Outcome, Reason
from doorctl.seal import domains
from doorctl.seal.keys import ControllerFile, MonitorFile
from doorctl.seal.meaning import Meaning
from doorctl.seal.public import controller_id
from doorctl.seal.roster_tree import roster_digest
from doorctl.wire import sizes
from doorctl.wire.detail import Act, Action, DoorHappening, FaultCode
from doorctl.wire.http import Client, Route, Server
from doorctl.wire.receipt import Refusal, Status
from doorctl.wire.record import Flag, Kind
from tests.seal.sample import IDENTITY, PUBLIC
from tests.seal.second_monitor import DOMAINS, LAYOUTS, NUMBERS, PAGE

ENUMS: dict[str, type[IntEnum | IntFlag]] = {
    "kind": Kind,
    "outcome": Outcome,
    "reason": Reason,
    "flags": Flag,
    "happening": DoorHappening,
    "action": Action,
    "fault": FaultCode,
    "act": Act,
    "status": Status,
    "refusal": Refusal,
    "meaning": Meaning,
}


def test_every_number_is_on_the_page() -> None:
    assert {name: {member.value: member.name for member in enum} for name, enum in ENUMS.items()} == NUMBERS


def test_every_domain_is_on_the_page() -> None:
    assert sorted(DOMAINS.values()) == sorted(domains.ALL)
    for name, domain in DOMAINS.items():
        assert domain == f"doorctl v1 {name}\0".encode()


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_without_gap_and_overlap(name: str) -> None:
    layout = LAYOUTS[name]
    at = 0
    for offset, size, _, _ in layout.rows:
        assert offset == at
        at += 0 if size.endswith("each") else int(size)
    assert at == layout.size


def test_the_sizes_are_the_codes() -> None:
    details = {kind.name for kind in Kind}
    assert set(LAYOUTS) == {"header", "body", "receipt", "token"} | details
    assert {name: layout.size for name, layout in LAYOUTS.items() if name not in details} == {
        "header": sizes.HEADER_SIZE,
        "body": sizes.SIGNED_BODY_SIZE,
        "receipt": sizes.RECEIPT_SIGNED_SIZE,
        "token": sizes.TOKEN_PLAIN_SIZE,
    }


@pytest.mark.parametrize("route", Route)
def test_requests_and_answers_are_the_pages_to_the_byte(route: Route) -> None:
    body = bytes(route.request_size)
    request = Client().request(route, body)
    server = Server()
    assert server.receive(request)
    answer = server.respond([bytes(sizes.RECEIPT_SIZE)] * route.places)
    for head in (request[: -len(body)], answer[: -route.answer_size]):
        assert "```http\n" + head.decode().replace("\r\n", "\n") + "```" in PAGE


def test_a_fingerprint_by_hand_is_the_files() -> None:
    der = b"any certificate"
    monitor = MonitorFile(addresses=("a:1",), certificate_der=der, keys=PUBLIC, simulated=True)
    keys = (PUBLIC.token.public_bytes_raw(), PUBLIC.record.raw, PUBLIC.receipt.public_bytes_raw(), der)
    hashed = DOMAINS["monitor fingerprint"] + b"".join(hashlib.sha256(key).digest() for key in keys) + b"\1"
    assert monitor.fingerprint.replace(" ", "") == hashlib.sha256(hashed).hexdigest()[:32]

    identity = IDENTITY.public_key()
    raw = identity.public_bytes_raw()
    id_ = hashlib.sha256(DOMAINS["controller id"] + b"\0" + raw).digest()[:16]
    assert controller_id(identity, simulated=False) == id_
    file = ControllerFile(
        controller=controller_id(identity, simulated=False), identity=identity, certificate_der=der, site="x", simulated=False
    )  # fmt: skip
    hashed = DOMAINS["controller fingerprint"] + id_ + raw + hashlib.sha256(der).digest() + b"\0"
    assert file.fingerprint.replace(" ", "") == hashlib.sha256(hashed).hexdigest()[:32]


def test_a_roster_digest_by_hand_is_the_codes() -> None:
    entries = [bytes([first, second]) + bytes([rest] * 14) for first, second, rest in (
        (7, 9, 3), (7, 9, 1), (7, 200, 0), (255, 0, 5)
    )]  # fmt: skip

    def hashed(domain: str, parts: list[bytes]) -> bytes:
        return hashlib.sha256(DOMAINS[domain] + b"".join(parts)).digest()

    none = bytes(32)
    leaves_7 = [none] * 256
    leaves_7[9] = hashed("roster leaf", [entries[1], entries[0]])
    leaves_7[200] = hashed("roster leaf", [entries[2]])
    leaves_255 = [hashed("roster leaf", [entries[3]]), *[none] * 255]
    nodes = [none] * 256
    nodes[7], nodes[255] = hashed("roster node", leaves_7), hashed("roster node", leaves_255)
    assert roster_digest(entries) == hashed("roster digest", nodes)
    assert roster_digest([]) == hashed("roster digest", [none] * 256)
