"""What doord and courierd say to each other over their socket: one type byte, then a payload of that type's size.

Sans-IO: bytes in, messages out. doord listens, courierd connects and leads: it asks for supervision and for
backlog, and doord pushes fresh records. Neither side can make the other allocate more than one message.
"""

from dataclasses import dataclass
from enum import Enum

from doorctl.errors import MalformedError
from doorctl.wire.sizes import HASH_SIZE, RECEIPT_SIZE, RECORD_SIZE


class Type(Enum):
    """The type byte and the payload it announces."""

    FRESH = b"F"
    """doord → courierd: a record just committed; send it before anything else, one a request."""
    HOLD = b"H"
    """doord → courierd: a record the disk has not answered for; keep it, say KEPT, send it as FRESH."""
    BACKLOG = b"B"
    """doord → courierd: one older record, newest first, as many as were wanted."""
    BACKLOG_END = b"E"
    """doord → courierd: no more for the last BACKLOG_WANTED (also when there was none)."""
    SUPERVISION = b"S"
    """doord → courierd: the supervision record that was asked for."""
    RECEIPT = b"R"
    """courierd → doord: a receipt as it came; doord verifies it."""
    KEPT = b"K"
    """courierd → doord: the record with this hash is in memory."""
    BACKLOG_WANTED = b"W"
    """courierd → doord: up to this many (u16, 1..1024) older records, please."""
    SUPERVISION_WANTED = b"P"
    """courierd → doord: the pace says it is time."""
    PATH = b"T"
    """courierd → doord: a PathState byte, whenever it changes."""


PAYLOAD_SIZE = {
    Type.FRESH: RECORD_SIZE,
    Type.HOLD: RECORD_SIZE,
    Type.BACKLOG: RECORD_SIZE,
    Type.BACKLOG_END: 0,
    Type.SUPERVISION: RECORD_SIZE,
    Type.RECEIPT: RECEIPT_SIZE,
    Type.KEPT: HASH_SIZE,
    Type.BACKLOG_WANTED: 2,
    Type.SUPERVISION_WANTED: 0,
    Type.PATH: 1,
}
FROM_DOOR = frozenset({Type.FRESH, Type.HOLD, Type.BACKLOG, Type.BACKLOG_END, Type.SUPERVISION})
FROM_COURIER = frozenset({Type.RECEIPT, Type.KEPT, Type.BACKLOG_WANTED, Type.SUPERVISION_WANTED, Type.PATH})


class PathState(Enum):
    """How the courier stands with the monitor."""

    CONNECTING = 1
    CONNECTED = 2
    UNREACHABLE = 3
    WRONG_CERTIFICATE = 4
    REFUSED = 5
    """The monitor answered something that is not its protocol, or refused our client certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; `payload` has exactly its type's size."""

    type: Type
    payload: bytes = b""

    def encode(self) -> bytes:
        """Type byte and payload; ValueError where the size is not the type's (our fault)."""
        if len(self.payload) != PAYLOAD_SIZE[self.type]:
            raise ValueError(f"handoff: {self.type.name} has {len(self.payload)} bytes")
        return self.type.value + self.payload


class Parser:
    """Turns a byte stream from one side into messages; what that side may not say is MalformedError, for good."""

    def __init__(self, allowed: frozenset[Type]) -> None:
        self._allowed = {type_.value: type_ for type_ in allowed}
        self._buffer = bytearray()

    def feed(self, untrusted: bytes) -> list[Message]:
        """All messages completed by these bytes; raises MalformedError at the first byte that cannot be."""
        self._buffer += untrusted
        messages = []
        while self._buffer:
            type_ = self._allowed.get(bytes(self._buffer[:1]))
            if type_ is None:
                raise MalformedError(f"handoff: unknown type byte {self._buffer[0]:#04x}")
            end = 1 + PAYLOAD_SIZE[type_]
            if len(self._buffer) < end:
                break
            messages.append(Message(type=type_, payload=bytes(self._buffer[1:end])))
            del self._buffer[:end]
        return messages
