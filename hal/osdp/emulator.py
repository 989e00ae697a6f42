"""A strict OSDP reader: the PD's end of the protocol, for the mock HAL and for tests. Pure; bytes in, bytes out.

It checks everything that the CP must do right, and repeats its answer to a repeated request byte for byte, as the
standard has it and not every reader does. A frame that is broken, not authentic, or for somebody else gets no answer.
What it is told to show is kept in order, so that a test or the simulator can look at it.
"""

import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hal.osdp.commands import Command, Refusal, Reply
from hal.osdp.frame import BROADCAST, Frame, Framer, SecurityBlock
from hal.osdp.secure_channel import (
    DEFAULT_KEY,
    KEY_SIZE,
    NONCE_SIZE,
    Block,
    Channel,
    SessionKeys,
    cp_cryptogram,
    initial_mac,
    pd_cryptogram,
    session_keys,
)

IDENTITY = bytes.fromhex("d00c1e0101") + bytes.fromhex("01000000") + bytes((0, 1, 0))
"""Vendor, model, version, serial number 1, firmware 0.1.0."""
INPUTS = 8
CAPABILITIES = bytes((1, 1, INPUTS, 3, 1, 0, 4, 4, 1, 5, 2, 1, 6, 1, 1, 8, 1, 0, 9, 1, 1))
"""Inputs, cards as bits, an LED, a sounder, a text line, CRC, AES-128."""
MOST_SHOWN = 4096
_ANSWERS: dict[int, tuple[Reply, bytes]] = {
    Command.ID: (Reply.IDENTITY, IDENTITY),
    Command.CAPABILITIES: (Reply.CAPABILITIES, CAPABILITIES),
    Command.READER_STATUS: (Reply.READER_STATUS, b"\0"),
    Command.OUTPUT_STATUS: (Reply.OUTPUT_STATUS, b"\0"),
}
_SHOWN = frozenset({Command.LED, Command.BUZZER, Command.TEXT, Command.OUTPUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An order that the reader has carried out."""

    command: Command
    data: bytes


@dataclass(slots=True, kw_only=True)
class _Handshake:
    keys: SessionKeys = field(repr=False)
    flag: bytes
    proof: bytes = field(repr=False)
    """What the CP's cryptogram must be."""


class Emulator:
    """One reader on a line."""

    def __init__(self, address: int, nonce: Callable[[int], bytes], *, key: bytes | None = None) -> None:
        """`key` None: as from the factory, it knows only the default key and takes a new one over it."""
        self.address = address
        self.key = key
        self.shown: deque[Shown] = deque(maxlen=MOST_SHOWN)
        self.on_shown: Callable[[Shown], None] | None = None
        self.baud: int | None = None
        """Its speed since a COMSET; None: the line's, whichever that is."""
        self._nonce = nonce
        self._framer = Framer()
        self._waiting: deque[tuple[Reply, bytes]] = deque(maxlen=64)
        self._status = bytearray(2)
        self.inputs = bytearray(INPUTS)
        self.power_cycle()

    def power_cycle(self) -> None:
        """Sessions are gone; cards and keys that were not fetched are too."""
        self._framer.clear()
        self._waiting.clear()
        self._channel: Channel | None = None
        self._handshake: _Handshake | None = None
        self._last: tuple[bytes, bytes] | None = None
        self._sequence = 0

    # What happens at the reader

    def card(self, length: int, raw: int) -> None:
        """Somebody holds a card to it."""
        size = -(-length // 8)
        bits = (raw << (8 * size - length)).to_bytes(size, "big")
        self._waiting.append((Reply.RAW, bytes((0, 1)) + length.to_bytes(2, "little") + bits))

    def press(self, keys: bytes) -> None:
        """Somebody presses keys: ASCII digits, 7F for `*`, 0D for `#`."""
        self._waiting.append((Reply.KEYPAD, bytes((0, len(keys))) + keys))

    def tamper(self, *, torn: bool) -> None:
        """Its cover is taken off, or put on again."""
        self._status[0] = torn
        self._waiting.append((Reply.LOCAL_STATUS, bytes(self._status)))

    def input(self, number: int = 0, *, active: bool) -> None:
        """One of its inputs changes."""
        self.inputs[number] = active
        self._waiting.append((Reply.INPUT_STATUS, bytes(self.inputs)))

    # The line

    def silence(self) -> None:
        """The line was idle: what has come of a frame was not one."""
        self._framer.clear()

    def receive(self, untrusted: bytes) -> bytes:
        """What it answers, if anything."""
        answers = [
            answer
            for found in self._framer.feed(untrusted)
            if isinstance(found, Frame) and (answer := self._hear(found)) is not None
        ]
        return b"".join(answers)

    def _hear(self, frame: Frame) -> bytes | None:
        if frame.reply or frame.address not in {self.address, BROADCAST}:
            return None
        wire = frame.encode()
        if self._last is not None and self._last[0] == wire and frame.sequence:
            return self._last[1]
        if frame.sequence == 0:
            self._channel = self._handshake = None
        elif frame.sequence != self._sequence % 3 + 1:
            return self._clear(frame, Reply.NAK, bytes((Refusal.SEQUENCE,))).encode()
        answer = self._answer(frame)
        if answer is None:
            return None
        self._sequence = frame.sequence
        self._last = wire, answer.encode()
        return self._last[1]

    def _answer(self, frame: Frame) -> Frame | None:
        if frame.code == Command.CHALLENGE:
            return self._challenged(frame)
        if frame.code == Command.CRYPTOGRAM:
            return self._proven(frame)
        if self._channel is None:
            if frame.security is not None:
                return self._refuse(frame, Refusal.SECURITY_CONDITION)
            code, data = self._carry_out(frame)
            return self._clear(frame, code, data)
        opened = self._channel.open(frame)
        if opened is None:
            return None if frame.security is not None else self._refuse(frame, Refusal.SECURITY_CONDITION)
        plain, channel = opened
        code, data = self._carry_out(plain)
        reply = Frame(address=self.address, reply=True, sequence=frame.sequence, code=code, data=data)
        sealed, self._channel = channel.seal(reply)
        return sealed

    def _carry_out(self, frame: Frame) -> tuple[int, bytes]:
        if frame.code == Command.POLL:
            speaks = self._waiting and (self.key is None or self._channel is not None)  # never a card in clear
            return self._waiting.popleft() if speaks else (Reply.ACK, b"")
        if frame.code in _SHOWN:
            shown = Shown(command=Command(frame.code), data=frame.data)
            self.shown.append(shown)
            if self.on_shown is not None:
                self.on_shown(shown)
            return Reply.ACK, b""
        if frame.code == Command.KEYSET:
            return self._take_key(frame.data)
        if frame.code == Command.COMSET and self._channel is not None:
            self.address, self.baud = frame.data[0], int.from_bytes(frame.data[1:5], "little")
            return Reply.COM, frame.data
        now = {
            Command.LOCAL_STATUS: (Reply.LOCAL_STATUS, bytes(self._status)),
            Command.INPUT_STATUS: (Reply.INPUT_STATUS, bytes(self.inputs)),
        }
        return (_ANSWERS | now).get(frame.code, (Reply.NAK, bytes((Refusal.UNKNOWN_COMMAND,))))

    def _take_key(self, data: bytes) -> tuple[int, bytes]:
        if self._channel is None:
            return Reply.NAK, bytes((Refusal.SECURITY_CONDITION,))
        if data[:2] != bytes((1, KEY_SIZE)) or len(data) != 2 + KEY_SIZE:
            return Reply.NAK, bytes((Refusal.RECORD,))
        self.key = data[2:]
        return Reply.ACK, b""

    def _challenged(self, frame: Frame) -> Frame:
        default = SecurityBlock(type=Block.CHALLENGE.value, data=b"\0")
        known = SecurityBlock(type=Block.CHALLENGE.value, data=b"\1")
        scbk = DEFAULT_KEY if self.key is None and frame.security == default else self.key
        if scbk is None or frame.security != (default if scbk is DEFAULT_KEY else known):
            return self._refuse(frame, Refusal.SECURITY_CONDITION)
        if len(frame.data) != NONCE_SIZE:
            return self._refuse(frame, Refusal.LENGTH)
        self._channel = None
        keys, own = session_keys(scbk, frame.data), self._nonce(NONCE_SIZE)
        self._handshake = _Handshake(
            keys=keys, flag=frame.security.data, proof=cp_cryptogram(keys, frame.data, own)
        )  # fmt: skip
        data = IDENTITY[:8] + own + pd_cryptogram(keys, frame.data, own)
        return self._clear(
            frame, Reply.CHALLENGE, data, SecurityBlock(type=Block.CRYPTOGRAM.value, data=frame.security.data)
        )

    def _proven(self, frame: Frame) -> Frame:
        handshake, self._handshake = self._handshake, None
        if handshake is None or frame.security != SecurityBlock(
            type=Block.SERVER_CRYPTOGRAM.value, data=handshake.flag
        ):
            return self._refuse(frame, Refusal.SECURITY_CONDITION)
        if not hmac.compare_digest(frame.data, handshake.proof):
            return self._refuse(frame, Refusal.SECURITY_CONDITION)
        mac = initial_mac(handshake.keys, handshake.proof)
        self._channel = Channel(keys=handshake.keys, reply_mac=mac)
        return self._clear(frame, Reply.INITIAL_MAC, mac, SecurityBlock(type=Block.INITIAL_MAC.value, data=b"\1"))

    def _refuse(self, frame: Frame, why: Refusal) -> Frame:
        return self._clear(frame, Reply.NAK, bytes((why,)))

    def _clear(self, frame: Frame, code: int, data: bytes, block: SecurityBlock | None = None) -> Frame:
        return Frame(
            address=self.address,
            reply=True,
            sequence=frame.sequence,
            code=code,
            data=data,
            security=block,
            crc=frame.crc,
        )
