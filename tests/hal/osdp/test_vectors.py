"""Every byte of a recorded session with a stranger's reader, in both directions."""

import json
from pathlib import Path
from typing import Any

import pytest

from hal.osdp.aes import Key
from hal.osdp.frame import MARK, Frame, Framer, SecurityBlock
from hal.osdp.secure_channel import (
    Channel,
    SessionKeys,
    cp_cryptogram,
    initial_mac,
    pd_cryptogram,
    session_keys,
)

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))


def raw(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name])


def frame_of(case: dict[str, Any]) -> Frame:
    security = case.get("security")
    return Frame(
        address=0, reply=case["reply"], sequence=case["sequence"], code=case["code"], data=bytes.fromhex(case["data"]),
        security=None if security is None else SecurityBlock(type=security[0], data=bytes.fromhex(security[1])),
        crc=case.get("crc", True),
    )  # fmt: skip


@pytest.mark.parametrize("case", VECTORS["clear"], ids=[case["name"] for case in VECTORS["clear"]])
def test_frames_in_clear(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["wire"])
    assert Framer().feed(wire) == [frame_of(case)]
    assert (b"" if case["reply"] else MARK) + frame_of(case).encode() == wire


def test_the_handshake() -> None:
    keys = session_keys(raw("scbk"), raw("cp_nonce"))
    probe = bytes(range(16))
    for name, key in (("encryption", keys.encryption), ("mac_1", keys.mac_1), ("mac_2", keys.mac_2)):
        assert key.block(probe) == Key(bytes.fromhex(VECTORS["keys"][name])).block(probe)
    challenge, answer, proof, mac = (bytes.fromhex(case["data"]) for case in VECTORS["clear"][-4:])
    assert challenge == raw("cp_nonce")
    theirs = pd_cryptogram(keys, raw("cp_nonce"), raw("pd_nonce"))
    assert answer == raw("client") + raw("pd_nonce") + theirs
    assert proof == cp_cryptogram(keys, raw("cp_nonce"), raw("pd_nonce"))
    assert mac == initial_mac(keys, proof)


def opened() -> tuple[SessionKeys, Channel]:
    keys = session_keys(raw("scbk"), raw("cp_nonce"))
    proof = cp_cryptogram(keys, raw("cp_nonce"), raw("pd_nonce"))
    return keys, Channel(keys=keys, reply_mac=initial_mac(keys, proof))


def test_the_session_is_opened_byte_for_byte() -> None:
    _, channel = opened()
    for case in VECTORS["secure"]:
        (untrusted,) = Framer().feed(bytes.fromhex(case["wire"]))
        assert isinstance(untrusted, Frame)
        found = channel.open(untrusted)
        assert found is not None, case["name"]
        frame, channel = found
        assert frame.data == bytes.fromhex(case["plain"])
        if "mac" in case:
            assert (channel.reply_mac if frame.reply else channel.command_mac) == bytes.fromhex(case["mac"])


def test_the_session_is_sealed_byte_for_byte() -> None:
    _, channel = opened()
    for case in VECTORS["secure"]:
        (wanted,) = Framer().feed(bytes.fromhex(case["wire"]))
        assert isinstance(wanted, Frame)
        plain = Frame(
            address=0, reply=wanted.reply, sequence=wanted.sequence, code=wanted.code, data=bytes.fromhex(case["plain"])
        )
        sent, channel = channel.seal(plain)
        assert (b"" if sent.reply else MARK) + sent.encode() == bytes.fromhex(case["wire"]), case["name"]
