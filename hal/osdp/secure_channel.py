"""OSDP's secure channel for both ends: session keys, cryptograms, MACs and sealed data. Pure; makes no random number.

Theory of operation. CP and PD prove to each other that they know the reader's key (SCBK) with one nonce each; the
session's three keys come from the key and the CP's nonce, so a recorded session is worthless against fresh nonces.
From then on each frame carries four bytes of a MAC that chains over all frames before it: command and reply MACs are
each other's initial vector. A frame is looked at in two steps, `check` and `accept`, so that a frame that fails changes
nothing: the chain moves only with a frame whose MAC was right.

The facts are measured against a public implementation; vectors in tests/hal/osdp/vectors.json.
"""

import hmac
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from hal.osdp.aes import BLOCK, Key, xor
from hal.osdp.frame import MAC_SIZE, Frame, SecurityBlock

NONCE_SIZE: Final = 8
CRYPTOGRAM_SIZE: Final = 16
KEY_SIZE: Final = 16
DEFAULT_KEY: Final = bytes(range(0x30, 0x40))
"""SCBK-D, which everybody knows: for install mode, never for a door."""
_PAD: Final = b"\x80"


class Block(Enum):
    """Types of security block."""

    CHALLENGE = 0x11
    CRYPTOGRAM = 0x12
    SERVER_CRYPTOGRAM = 0x13
    INITIAL_MAC = 0x14
    COMMAND = 0x15
    REPLY = 0x16
    SEALED_COMMAND = 0x17
    SEALED_REPLY = 0x18


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKeys:
    """Of one session; made by `session_keys`."""

    encryption: Key = field(repr=False)
    mac_1: Key = field(repr=False)
    mac_2: Key = field(repr=False)


def session_keys(scbk: bytes, cp_nonce: bytes) -> SessionKeys:
    """`scbk`: the reader's 16 bytes; `cp_nonce`: RND.A, 8 bytes."""
    root = Key(scbk)
    encryption, mac_1, mac_2 = (
        Key(root.block(bytes((0x01, purpose)) + cp_nonce[:6] + bytes(8))) for purpose in (0x82, 0x01, 0x02)
    )
    return SessionKeys(encryption=encryption, mac_1=mac_1, mac_2=mac_2)


def pd_cryptogram(keys: SessionKeys, cp_nonce: bytes, pd_nonce: bytes) -> bytes:
    """What only a reader that has the key can answer to the CP's nonce."""
    return keys.encryption.block(cp_nonce + pd_nonce)


def cp_cryptogram(keys: SessionKeys, cp_nonce: bytes, pd_nonce: bytes) -> bytes:
    """The CP's own proof."""
    return keys.encryption.block(pd_nonce + cp_nonce)


def initial_mac(keys: SessionKeys, proof: bytes) -> bytes:
    """R-MAC(I), from the CP's cryptogram: the reader's word that it accepted it. To be verified, not just taken."""
    return keys.mac_2.block(keys.mac_1.block(proof))


def legacy_key(master: bytes, client_id: bytes) -> bytes:
    """The SCBK that older installations derive; `client_id`: the 8 bytes of cUID."""
    return Key(master).block(client_id + xor(client_id, b"\xff" * len(client_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One end's view of an open session; a value: a frame that is accepted gives the next one."""

    keys: SessionKeys = field(repr=False)
    command_mac: bytes = field(default=bytes(BLOCK), repr=False)
    reply_mac: bytes = field(repr=False)
    """The last reply's, whole; first R-MAC(I)."""

    def seal(self, frame: Frame) -> tuple[Frame, "Channel"]:
        """The frame as it is sent, data encrypted where there are any, and the channel after it."""
        chained = self.reply_mac if not frame.reply else self.command_mac
        data = self.keys.encryption.cbc(_padded(frame.data, always=True), _inverse(chained)) if frame.data else b""
        bare = Frame(
            address=frame.address, reply=frame.reply, sequence=frame.sequence, code=frame.code, data=data,
            security=_BLOCKS[frame.reply, bool(frame.data)], crc=frame.crc,
        )  # fmt: skip
        whole = self._mac(bare, chained)
        return replace(bare, mac=whole[:MAC_SIZE]), self._after(bare, whole)

    def open(self, untrusted: Frame) -> tuple[Frame, "Channel"] | None:
        """The frame with its data in clear, and the channel after it; None where it is not authentic.

        Nothing of a frame that is not may be used, and the channel that looked at it stays as it is.
        """
        if untrusted.security is None or untrusted.security.type not in _TYPES[untrusted.reply]:
            return None
        chained = self.reply_mac if not untrusted.reply else self.command_mac
        whole = self._mac(untrusted, chained)
        if not hmac.compare_digest(whole[:MAC_SIZE], untrusted.mac):
            return None
        sealed = untrusted.security.type == _SEALED[untrusted.reply].value
        if not sealed:
            return untrusted, self._after(untrusted, whole)
        data = self._opened(untrusted.data, chained)
        return None if data is None else (replace(untrusted, data=data), self._after(untrusted, whole))

    def _opened(self, sealed: bytes, chained: bytes) -> bytes | None:
        """None where an authentic frame is wrongly padded; a sealed block with no data at all is one of nothing."""
        if len(sealed) % BLOCK:
            return None
        if not sealed:
            return b""
        plain = self.keys.encryption.cbc_opened(sealed, _inverse(chained)).rstrip(b"\0")
        return plain[:-1] if plain.endswith(_PAD) else None

    def _mac(self, frame: Frame, chained: bytes) -> bytes:
        """All 16 bytes; four are sent, all are chained."""
        padded = _padded(frame.before_mac(), always=False)
        first = self.keys.mac_1.cbc(padded[:-BLOCK], chained)
        return self.keys.mac_2.cbc(padded[-BLOCK:], first[-BLOCK:] or chained)

    def _after(self, frame: Frame, whole: bytes) -> "Channel":
        if frame.reply:
            return Channel(keys=self.keys, command_mac=self.command_mac, reply_mac=whole)
        return Channel(keys=self.keys, command_mac=whole, reply_mac=self.reply_mac)


_SEALED: Final = {False: Block.SEALED_COMMAND, True: Block.SEALED_REPLY}
_TYPES: Final = {
    False: frozenset({Block.COMMAND.value, Block.SEALED_COMMAND.value}),
    True: frozenset({Block.REPLY.value, Block.SEALED_REPLY.value}),
}
"""By whether it is a reply: a command's block type on a reply would let one be reflected as the other."""
_BLOCKS: Final = {
    (False, False): SecurityBlock(type=Block.COMMAND.value),
    (False, True): SecurityBlock(type=Block.SEALED_COMMAND.value),
    (True, False): SecurityBlock(type=Block.REPLY.value),
    (True, True): SecurityBlock(type=Block.SEALED_REPLY.value),
}
"""By whether it is a reply, and whether it has data."""


def _padded(data: bytes, *, always: bool) -> bytes:
    if len(data) % BLOCK == 0 and not always:
        return data
    return data + _PAD + bytes(-(len(data) + 1) % BLOCK)


def _inverse(mac: bytes) -> bytes:
    return xor(mac, b"\xff" * len(mac))
