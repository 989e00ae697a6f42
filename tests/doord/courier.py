"""The courier's end of doord's socket and the monitor behind it, by hand: they keep, answer, lie or stay away."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from doorctl.core.types import MS, SECOND, Monotonic, WallTime
from doorctl.doord import clock
from doorctl.seal.meaning import Meaning, TokenPlain
from doorctl.seal.opening import open_record, open_token, sign_receipt
from doorctl.wire.handoff import FROM_DOOR, Message, Parser, PathState, Type
from doorctl.wire.receipt import Receipt, Refusal, Status
from doorctl.wire.record import Body, Header, KeyId, Token, parse_header, record_hash
from tests.doord.site import MadeSite

TICK = 50 * MS
CARRYING = frozenset({Type.FRESH, Type.HOLD, Type.BACKLOG})


class Monitor:
    """Opens records, signs receipts."""

    def __init__(self, site: MadeSite) -> None:
        keys = site.monitor
        self._identity = site.keys.identity.public_key()
        self._receipt_key = keys.receipt
        self._token_key = keys.token
        self._record_keys = {keys.public.record_key_id: keys.record}
        self._key_id: KeyId = keys.public.receipt_key_id

    def open(self, record: bytes) -> tuple[Header, Body]:
        return open_record(record, record_keys=self._record_keys, controller_identity=self._identity)

    def meaning(self, token: Token) -> Meaning | None:
        """None: filler."""
        plain = open_token(token, [self._token_key])
        return None if plain is None else TokenPlain.parse(plain).meaning

    def says(self, record: bytes, /, **other: Any) -> Receipt:
        """What it would say of a record, but for what is other."""
        header = parse_header(record)
        receipt = Receipt(
            status=Status.STORED,
            refusal=Refusal.NONE,
            key_id=self._key_id,
            controller=header.controller,
            epoch=header.epoch,
            sequence=header.sequence,
            record=record_hash(record),
            monitor_time=clock.wall(),
        )
        return replace(receipt, **other)

    def receipt(self, record: bytes, /, **other: Any) -> bytes:
        return sign_receipt(self.says(record, **other), self._receipt_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message from doord."""

    at: Monotonic
    type: Type
    payload: bytes = field(repr=False)


class Courier(asyncio.Protocol):
    """Connects, and does what it is told to."""

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor
        self.heard: list[Heard] = []
        self.keeps = True
        """Says KEPT to HOLD."""
        self.receipts = True
        """A receipt for each record, on the monitor's tick."""
        self.monitor_offset = 0
        """By how much the monitor's clock is ahead."""
        self.on_record: Callable[[bytes], None] | None = None
        self._parser = Parser(FROM_DOOR)
        self._transport: asyncio.Transport | None = None

    @property
    def connected(self) -> bool:
        return self._transport is not None

    async def connect(self, path: Path, state: PathState | None = PathState.CONNECTED) -> None:
        await asyncio.get_running_loop().create_unix_connection(lambda: self, str(path))
        if state is not None:
            self.say(Type.PATH, bytes([state.value]))

    def leave(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def say(self, type_: Type, payload: bytes = b"") -> None:
        self.write(Message(type=type_, payload=payload).encode())

    def write(self, bytes_: bytes) -> None:
        assert self._transport is not None
        self._transport.write(bytes_)

    def records(self, *types: Type) -> list[bytes]:
        wanted = types or tuple(CARRYING)
        return [heard.payload for heard in self.heard if heard.type in wanted]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._parser = Parser(FROM_DOOR)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        for message in self._parser.feed(data):
            self.heard.append(Heard(at=clock.monotonic(), type=message.type, payload=message.payload))
            if message.type is Type.HOLD and self.keeps:
                self.say(Type.KEPT, record_hash(message.payload))
            if message.type in CARRYING:
                self._deliver(message.payload)

    def _deliver(self, record: bytes) -> None:
        if self.on_record is not None:
            self.on_record(record)
        if self.receipts:
            ticks = -(-clock.monotonic() // TICK) + 1
            asyncio.get_running_loop().call_at(ticks * TICK / SECOND, self._answer, record)

    def _answer(self, record: bytes) -> None:
        if self._transport is not None:
            monitor_time = WallTime(clock.wall() + self.monitor_offset)
            self.say(Type.RECEIPT, self.monitor.receipt(record, monitor_time=monitor_time))
