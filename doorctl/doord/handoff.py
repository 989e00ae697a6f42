"""doord's end of the courier's socket: pushes fresh records, answers what the courier asks, never waits for it.

Theory of operation. courierd connects and leads (wire/handoff.py). One courier at a time, the newest wins. All reading
is done as bytes arrive, on the loop, without a task; what takes longer (backlog, supervision) runs in one task each, so
that a KEPT is heard while the disk stalls. What is written is bounded: a courier that does not read is let go, since
every record it did not get is in the journal and will be asked for again. What is read is bounded too: a turn of the
loop takes at most `TURN` bytes, since each receipt costs a signature check, and a courier that brings far more
receipts than it was handed records is let go and for a while not let in again.

The door stays as it is whatever happens here: no method but `hold()` waits, and that one never past its deadline.
A courier can neither verify nor forge a record; what it says is checked for form here, and for truth by the callbacks.
"""

import asyncio
import os
import socket
import stat
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from doorctl.core.types import SECOND, Monotonic
from doorctl.errors import MalformedError, OperatorError, StorageError
from doorctl.wire.handoff import FROM_COURIER, Message, Parser, PathState, Type
from doorctl.wire.record import RecordHash
from doorctl.wire.sizes import BATCH_RECORDS, RECEIPT_SIZE, RECORD_SIZE

MOST_UNREAD: Final = 512 * RECORD_SIZE
"""Bytes written that the courier has not read: its whole memory of 256 records, a batch, and as much again."""
RECEIPTS_A_TURN: Final = 8
TURN: Final = RECEIPTS_A_TURN * (1 + RECEIPT_SIZE)
"""Bytes read in one turn of the loop. A timer waits for two turns at worst: 16 signatures, 16 ms on a slow board."""
FREE_RECEIPTS: Final = 1024
"""Receipts of a connection for records handed over an earlier one: four times the courier's memory."""
RECEIPTS_A_RECORD: Final = 4
"""Receipts for one record handed: it may be sent, and receipted, more than once."""
SHUT_OUT_S: Final = 10.0
"""How long a courier that brought worthless receipts is not let in; the records wait in the journal."""
SUPERVISION_PACE_S: Final = 0.25
"""Between two words of supervision, each a signature and a seal: a courier asks every 10 s at most, unless it lies."""
_SOCKET_MODE: Final = 0o660
_LISTENING: Final = 4
_CARRYING: Final = frozenset({Type.FRESH, Type.HOLD, Type.BACKLOG, Type.SUPERVISION})
_UCRED: Final = struct.Struct("3i")
"""pid, uid, gid: unix(7), SO_PEERCRED."""


@dataclass(slots=True, kw_only=True)
class LinkCounters:
    """Numbers for `doorctl status`."""

    connections: int = 0
    strangers: int = 0
    """Connections of a uid that may not."""
    malformed: int = 0
    not_read: int = 0
    """Couriers let go because they did not read."""
    not_handed: int = 0
    """Fresh records that no courier got at once; the journal has them."""
    receipts: int = 0
    """Handed on, whatever they were worth."""
    flooded: int = 0
    """Couriers let go because of far more receipts than records."""
    shut_out: int = 0
    """Connections not taken for a while after that."""


class CourierLink:
    """The socket and whoever is at the other end of it. All methods are called on the event loop's thread."""

    def __init__(
        self,
        *,
        allowed_uids: frozenset[int],
        on_receipt: Callable[[bytes], None],
        on_backlog_wanted: Callable[[int], Awaitable[Sequence[bytes]]],
        on_supervision_wanted: Callable[[], Awaitable[bytes]],
        on_path: Callable[[PathState], None],
    ) -> None:
        """Callbacks run on the loop; the awaited ones may take their time, and may raise StorageError.

        `on_receipt` gets unverified bytes. `on_backlog_wanted` returns at most that many records, newest first.
        `on_path` is told each change; no courier at all is UNREACHABLE. Any other exception goes to the loop's handler.
        """
        self._allowed_uids = allowed_uids
        self._on_receipt = on_receipt
        self._on_backlog_wanted = on_backlog_wanted
        self._on_supervision_wanted = on_supervision_wanted
        self._on_path = on_path
        self._server: asyncio.Server | None = None
        self._socket_path: Path | None = None
        self._peer: _Peer | None = None
        self._kept: dict[RecordHash, asyncio.Future[bool]] = {}
        self._tasks: dict[Type, asyncio.Task[None]] = {}
        self._asking: dict[Type, tuple[_Peer, int]] = {}
        self._path = PathState.UNREACHABLE
        self._shut_until = 0.0
        self._supervised_from = 0.0
        """When the next word of supervision may be made."""
        self.counters = LinkCounters()

    @property
    def connected(self) -> bool:
        """Whether a courier is there."""
        return self._peer is not None

    @property
    def connection(self) -> int:
        """Number of the present courier's connection; 0 where there is none."""
        return 0 if self._peer is None else self.counters.connections

    @property
    def path(self) -> PathState:
        """How the courier last said it stands with the monitor; UNREACHABLE without a courier."""
        return self._path

    async def start(self, socket_path: Path) -> None:
        """Listen; a stale socket is replaced, OperatorError where another process answers on it."""
        listener = _listener(socket_path)
        self._socket_path = socket_path
        self._server = await asyncio.get_running_loop().create_unix_server(
            lambda: _Peer(self), sock=listener, backlog=_LISTENING
        )

    async def close(self) -> None:
        """Let the courier go, stop listening, remove the socket; idempotent."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._socket_path is not None:
            self._socket_path.unlink(missing_ok=True)
            self._socket_path = None
        if self._peer is not None:
            self._let_go(self._peer)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fresh(self, record: bytes) -> bool:
        """Push a committed record; whether a courier took it. If not, it is backlog and will be asked for."""
        handed = self._say(Message(type=Type.FRESH, payload=record))
        self.counters.not_handed += not handed
        return handed

    def keep(self, record: bytes) -> int:
        """Push a record that the disk has not, and wait for no word: the connection it went to, 0 where none."""
        return self.connection if self._say(Message(type=Type.HOLD, payload=record)) else 0

    async def hold(self, record: bytes, hash_: RecordHash, deadline: Monotonic) -> bool:
        """Put a record that the disk has not into the courier's memory; whether it said KEPT before the deadline."""
        loop = asyncio.get_running_loop()
        kept = self._kept.setdefault(hash_, loop.create_future())
        try:
            if not self._say(Message(type=Type.HOLD, payload=record)):
                return False
            # asyncio's clock on Linux is CLOCK_MONOTONIC, in seconds
            await asyncio.wait({kept}, timeout=max(0.0, deadline / SECOND - loop.time()))
            return kept.done() and kept.result()
        finally:
            self._kept.pop(hash_, None)

    def _say(self, *messages: Message) -> bool:
        peer = self._peer
        if peer is None:
            return False
        peer.transport.write(b"".join(message.encode() for message in messages))
        if peer.transport.get_write_buffer_size() > MOST_UNREAD:
            self.counters.not_read += 1
            self._let_go(peer)
            return False
        peer.receipts_left += RECEIPTS_A_RECORD * sum(message.type in _CARRYING for message in messages)
        return True

    def arrived(self, peer: "_Peer") -> None:
        """A process connected: check who it is; the newest courier wins."""
        if _uid(peer.transport) not in self._allowed_uids:
            self.counters.strangers += 1
            peer.transport.abort()
            return
        if asyncio.get_running_loop().time() < self._shut_until:
            self.counters.shut_out += 1
            peer.transport.abort()
            return
        if self._peer is not None:
            self._let_go(self._peer)
        self.counters.connections += 1
        self._peer = peer

    def heard(self, peer: "_Peer", untrusted: bytes) -> None:
        """Bytes from the courier; at the first that cannot be, it is let go."""
        if peer is not self._peer:
            return
        try:
            for message in peer.parser.feed(untrusted):
                self._take(peer, message)
                if peer is not self._peer:
                    return
        except MalformedError:
            # the door stays as it is: nothing of the message was used, and a restarted courier connects again
            self.counters.malformed += 1
            self._let_go(peer)

    def left(self, peer: "_Peer") -> None:
        """The connection of a courier ended, by either side."""
        if peer is self._peer:
            self._let_go(peer)

    def _take(self, peer: "_Peer", message: Message) -> None:
        match message.type:
            case Type.RECEIPT:
                self._take_receipt(peer, message.payload)
            case Type.KEPT:
                kept = self._kept.get(RecordHash(message.payload))
                if kept is not None and not kept.done():
                    kept.set_result(True)
            case Type.BACKLOG_WANTED:
                wanted = int.from_bytes(message.payload, "big")
                if not 1 <= wanted <= 1024:  # noqa: PLR2004  the bounds are wire/handoff.py's
                    raise MalformedError(f"handoff: {wanted} older records wanted")
                self._begin(peer, message.type, wanted)
            case Type.SUPERVISION_WANTED:
                self._begin(peer, message.type, 1)
            case Type.PATH:
                try:
                    self._set_path(PathState(message.payload[0]))
                except ValueError as error:
                    raise MalformedError(f"handoff: {error}") from error
            case Type.FRESH | Type.HOLD | Type.BACKLOG | Type.BACKLOG_END | Type.SUPERVISION:
                raise MalformedError(f"handoff: {message.type.name} from a courier")

    def _take_receipt(self, peer: "_Peer", untrusted: bytes) -> None:
        if peer.receipts_left == 0:
            # the door stays as it is: a courier that is honest has had all the receipts there can be
            self.counters.flooded += 1
            self._shut_until = asyncio.get_running_loop().time() + SHUT_OUT_S
            self._let_go(peer)
            return
        peer.receipts_left -= 1
        self.counters.receipts += 1
        self._on_receipt(untrusted)

    def _begin(self, peer: "_Peer", asked: Type, wanted: int) -> None:
        """One answer of a kind in the making at a time, for whoever asked last: a stalled disk piles up no tasks."""
        self._asking[asked] = (peer, wanted)
        running = self._tasks.get(asked)
        if running is None or running.done():
            answer = self._answer_backlog(wanted) if asked is Type.BACKLOG_WANTED else self._answer_supervision()
            task = asyncio.get_running_loop().create_task(answer, name=f"courier-{asked.name.lower()}")
            self._tasks[asked] = task
            task.add_done_callback(lambda done: self._ended(asked, done))

    def _ended(self, asked: Type, task: asyncio.Task[None]) -> None:
        if self._tasks.get(asked) is task:
            del self._tasks[asked]
        if not task.cancelled() and (error := task.exception()) is not None:
            # not ours to judge: doord's handler ends the process, and systemd starts it again
            context = {"message": "courier link", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)

    async def _answer_backlog(self, wanted: int) -> None:
        try:
            records = await self._on_backlog_wanted(min(wanted, BATCH_RECORDS))
        except StorageError:
            # the door stays as it is: the journal's own fault is reported by its thread; the courier asks again
            records = ()
        peer, wanted = self._asking.pop(Type.BACKLOG_WANTED)
        if peer is self._peer:
            backlog = [Message(type=Type.BACKLOG, payload=record) for record in records[:wanted]]
            self._say(*backlog, Message(type=Type.BACKLOG_END))

    async def _answer_supervision(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._supervised_from - loop.time()))
        self._supervised_from = loop.time() + SUPERVISION_PACE_S
        try:
            record = await self._on_supervision_wanted()
        except StorageError:
            # the door stays as it is: three missed are a path fault at the monitor, which is what this is
            return
        if self._asking.pop(Type.SUPERVISION_WANTED)[0] is self._peer:
            self._say(Message(type=Type.SUPERVISION, payload=record))

    def _let_go(self, peer: "_Peer") -> None:
        peer.transport.abort()
        self._peer = None
        for kept in self._kept.values():
            if not kept.done():
                kept.set_result(False)
        self._set_path(PathState.UNREACHABLE)

    def _set_path(self, path: PathState) -> None:
        if path is not self._path:
            self._path = path
            self._on_path(path)


class _Peer(asyncio.BufferedProtocol):
    """One connection; everything it hears goes to the link, never more than TURN bytes in a turn of the loop."""

    transport: asyncio.Transport

    def __init__(self, link: CourierLink) -> None:
        self._link = link
        self._buffer = bytearray(TURN)
        self.parser = Parser(FROM_COURIER)
        self.receipts_left = FREE_RECEIPTS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._link.arrived(self)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002  asyncio's signature
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._link.heard(self, bytes(self._buffer[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._link.left(self)


def _uid(transport: asyncio.Transport) -> int:
    connection = transport.get_extra_info("socket")
    uid: int = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))[1]
    return uid


def _listener(path: Path) -> socket.socket:
    """A bound socket of mode 0660 that was at no moment wider."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        _remove_stale(path)
        os.fchmod(listener.fileno(), _SOCKET_MODE)  # the umask may narrow it further, at bind
        listener.bind(str(path))
        path.chmod(_SOCKET_MODE)
    except OSError as error:
        listener.close()
        raise OperatorError(
            f"{path}: {(error.strerror or str(error)).lower()}", hint="does the folder exist, and is it doord's"
        ) from error
    except OperatorError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody listens on; never a file that is no socket."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OperatorError(f"{path}: is not a socket", hint="move it away")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as caller:
        if caller.connect_ex(str(path)) == 0:
            raise OperatorError(f"{path}: another doord listens here", hint="stop it first")
    path.unlink()
