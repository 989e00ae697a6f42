"""doord's end of the courier's socket, against a bare socket that speaks the bytes by hand."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from doorctl.core.types import MS, Monotonic
from doorctl.doord.handoff import (
    FREE_RECEIPTS,
    MOST_UNREAD,
    RECEIPTS_A_RECORD,
    RECEIPTS_A_TURN,
    SHUT_OUT_S,
    SUPERVISION_PACE_S,
    CourierLink,
)
from doorctl.errors import InternalError, OperatorError, StorageError
from doorctl.wire.handoff import FROM_DOOR, Message, Parser, PathState, Type
from doorctl.wire.record import record_hash
from doorctl.wire.sizes import RECEIPT_SIZE, RECORD_SIZE

PATIENCE_S = 10
OWN = frozenset({os.geteuid()})


def record(number: int) -> bytes:
    return number.to_bytes(2, "big") * (RECORD_SIZE // 2)


class Door:
    """What doord does behind the link; `disk` and `clock` hold its answers back until they are set."""

    def __init__(self, uids: frozenset[int] = OWN) -> None:
        self.receipts: asyncio.Queue[bytes] = asyncio.Queue()
        self.paths: asyncio.Queue[PathState] = asyncio.Queue()
        self.wanted: list[int] = []
        self.pending: Sequence[bytes] = ()
        self.supervisions = 0
        self.made = asyncio.Event()
        self.disk = asyncio.Event()
        self.disk.set()
        self.failure: Exception | None = None
        self.link = CourierLink(
            allowed_uids=uids,
            on_receipt=self.receipts.put_nowait,
            on_backlog_wanted=self._backlog,
            on_supervision_wanted=self._supervision,
            on_path=self.paths.put_nowait,
        )

    async def _backlog(self, count: int) -> Sequence[bytes]:
        self.wanted.append(count)
        await self.disk.wait()
        if self.failure is not None:
            raise self.failure
        return self.pending[:count]

    async def _supervision(self) -> bytes:
        await self.disk.wait()
        if self.failure is not None:
            raise self.failure
        self.supervisions += 1
        self.made.set()
        return record(900 + self.supervisions)


class Courier:
    """The other end, by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.parser = Parser(FROM_DOOR)
        self.heard: list[Message] = []

    def say(self, type_: Type, payload: bytes = b"") -> None:
        self.writer.write(Message(type=type_, payload=payload).encode())

    async def hear(self, count: int) -> list[tuple[Type, bytes]]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heard) < count:
                untrusted = await self.reader.read(65536)
                assert untrusted, "doord closed"
                self.heard += self.parser.feed(untrusted)
        messages, self.heard = self.heard[:count], self.heard[count:]
        return [(message.type, message.payload) for message in messages]

    async def ended(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionResetError):
                while await self.reader.read(65536):
                    pass


@contextlib.asynccontextmanager
async def listening(door: Door, place: Path) -> AsyncIterator[Path]:
    path = place / "courier.sock"
    await door.link.start(path)
    try:
        yield path
    finally:
        await door.link.close()


@contextlib.asynccontextmanager
async def courier(path: Path) -> AsyncIterator[Courier]:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield Courier(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def connected(door: Door, path: Path) -> AsyncIterator[Courier]:
    """A courier that doord has heard."""
    async with courier(path) as one:
        one.say(Type.PATH, bytes([PathState.CONNECTED.value]))
        assert await within(door.paths.get()) is PathState.CONNECTED
        yield one


async def within(awaitable: Coroutine[Any, Any, Any]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return await awaitable


def later(ms: int) -> Monotonic:
    return Monotonic(int(asyncio.get_running_loop().time() * 1_000_000_000) + ms * MS)


Story = Callable[[Door, Path], Coroutine[Any, Any, None]]


def play(story: Story, place: Path, *, uids: frozenset[int] = OWN) -> Door:
    async def run() -> Door:
        door = Door(uids)
        async with listening(door, place) as path:
            await story(door, path)
        return door

    return asyncio.run(run())


def test_fresh_records_and_receipts_pass_each_other(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        assert (door.link.connected, door.link.fresh(record(0))) == (False, False)
        async with connected(door, path) as one:
            assert [door.link.fresh(record(number)) for number in (1, 2)] == [True, True]
            assert await one.hear(2) == [(Type.FRESH, record(1)), (Type.FRESH, record(2))]
            one.say(Type.RECEIPT, b"r" * RECEIPT_SIZE)
            assert await within(door.receipts.get()) == b"r" * RECEIPT_SIZE

    assert play(story, tmp_path).link.counters.not_handed == 1


def test_path_is_told_when_it_changes_and_no_courier_is_unreachable(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            one.say(Type.PATH, bytes([PathState.CONNECTED.value]))
            one.say(Type.PATH, bytes([PathState.WRONG_CERTIFICATE.value]))
            assert await within(door.paths.get()) is PathState.WRONG_CERTIFICATE
        assert await within(door.paths.get()) is PathState.UNREACHABLE
        assert (door.link.connected, door.link.path) == (False, PathState.UNREACHABLE)

    play(story, tmp_path)


def test_hold_is_kept_when_the_courier_says_so(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            held = asyncio.create_task(door.link.hold(record(1), record_hash(record(1)), later(PATIENCE_S * 1000)))
            assert await one.hear(1) == [(Type.HOLD, record(1))]
            one.say(Type.KEPT, record_hash(record(2)))
            one.say(Type.KEPT, record_hash(record(1)))
            assert await held

    play(story, tmp_path)


@pytest.mark.parametrize("leaves", [True, False])
def test_hold_is_not_kept_without_a_courier_or_when_it_leaves(tmp_path: Path, leaves: bool) -> None:
    async def story(door: Door, path: Path) -> None:
        deadline = later(PATIENCE_S * 1000)
        if leaves:
            async with connected(door, path) as one:
                held = asyncio.create_task(door.link.hold(record(1), record_hash(record(1)), deadline))
                await one.hear(1)
            assert await held is False
        else:
            assert await door.link.hold(record(1), record_hash(record(1)), deadline) is False
        assert later(0) < deadline

    play(story, tmp_path)


def test_hold_ends_at_its_deadline(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            for deadline in (later(20), later(-1_000)):
                assert await door.link.hold(record(1), record_hash(record(1)), deadline) is False
                assert later(0) >= deadline
            one.say(Type.KEPT, record_hash(record(1)))
            one.say(Type.PATH, bytes([PathState.REFUSED.value]))
            assert await within(door.paths.get()) is PathState.REFUSED

    play(story, tmp_path)


def test_kept_is_heard_while_the_disk_stalls_over_a_backlog(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            door.disk.clear()
            one.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
            held = asyncio.create_task(door.link.hold(record(1), record_hash(record(1)), later(PATIENCE_S * 1000)))
            assert await one.hear(1) == [(Type.HOLD, record(1))]
            one.say(Type.KEPT, record_hash(record(1)))
            assert await held
            door.disk.set()
            assert await one.hear(1) == [(Type.BACKLOG_END, b"")]

    play(story, tmp_path)


def test_backlog_comes_in_order_with_its_end_and_never_more_than_a_batch(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            door.pending = [record(number) for number in range(200)]
            for wanted, given in ((3, 3), (64, 64), (1024, 64)):
                one.say(Type.BACKLOG_WANTED, wanted.to_bytes(2, "big"))
                expected = [(Type.BACKLOG, record(number)) for number in range(given)]
                assert await one.hear(given + 1) == [*expected, (Type.BACKLOG_END, b"")]

    assert play(story, tmp_path).wanted == [3, 64, 64]


def test_supervision_is_made_when_asked_and_asking_twice_is_once(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            door.disk.clear()
            for _ in range(5):
                one.say(Type.SUPERVISION_WANTED)
            one.say(Type.PATH, bytes([PathState.REFUSED.value]))
            assert await within(door.paths.get()) is PathState.REFUSED
            door.disk.set()
            assert await one.hear(1) == [(Type.SUPERVISION, record(901))]
            one.say(Type.SUPERVISION_WANTED)
            assert await one.hear(1) == [(Type.SUPERVISION, record(902))]

    assert play(story, tmp_path).supervisions == 2


def test_a_courier_that_asks_without_end_is_answered_at_a_pace(tmp_path: Path) -> None:
    """Each answer is a signature and a seal, of the processor that opens the doors."""
    times: list[float] = []

    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            for number in range(3):
                one.say(Type.SUPERVISION_WANTED)
                assert await one.hear(1) == [(Type.SUPERVISION, record(901 + number))]
                times.append(asyncio.get_running_loop().time())

    play(story, tmp_path)
    assert all(later - earlier >= 0.9 * SUPERVISION_PACE_S for earlier, later in pairwise(times))


def test_a_journal_that_fails_is_no_backlog_and_no_supervision(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            door.failure = StorageError("journal.db: disk full")
            one.say(Type.SUPERVISION_WANTED)
            one.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
            assert await one.hear(1) == [(Type.BACKLOG_END, b"")]
            door.failure = None
            one.say(Type.SUPERVISION_WANTED)
            assert await one.hear(1) == [(Type.SUPERVISION, record(901))]

    play(story, tmp_path)


def test_a_broken_rule_of_ours_reaches_the_loops_handler(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        broken: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: broken.put_nowait(context))
        async with connected(door, path) as one:
            door.failure = InternalError("chain")
            one.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
            assert (await within(broken.get()))["exception"] is door.failure

    play(story, tmp_path)


@pytest.mark.parametrize(
    "untrusted",
    [
        pytest.param(b"?", id="unknown-type"),
        pytest.param(b"F" + record(1), id="doords-own-words"),
        pytest.param(b"T\x00", id="no-path-state"),
        pytest.param(b"T\x06", id="unknown-path-state"),
        pytest.param(b"W\x00\x00", id="none-wanted"),
        pytest.param(b"W\x04\x01", id="too-many-wanted"),
    ],
)
def test_a_malformed_message_ends_that_courier_and_nothing_else(tmp_path: Path, untrusted: bytes) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            one.writer.write(untrusted)
            await one.ended()
        assert await within(door.paths.get()) is PathState.UNREACHABLE
        async with connected(door, path):
            assert door.link.connected

    counters = play(story, tmp_path).link.counters
    assert (counters.malformed, counters.connections) == (1, 2)


def test_a_courier_that_does_not_read_is_let_go_and_the_door_never_waits(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            handed = 0
            while door.link.fresh(record(1)):
                handed += 1
                assert handed * RECORD_SIZE < MOST_UNREAD + 8 * 1024 * 1024
            assert handed * RECORD_SIZE >= MOST_UNREAD
            assert (door.link.connected, door.link.counters.not_read) == (False, 1)
            assert await within(door.paths.get()) is PathState.UNREACHABLE
            await one.ended()
        async with connected(door, path) as one:
            assert door.link.fresh(record(2))
            assert await one.hear(1) == [(Type.FRESH, record(2))]

    play(story, tmp_path)


def test_the_newest_courier_wins(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as first, courier(path) as second:
            door.disk.clear()
            first.say(Type.BACKLOG_WANTED, (1).to_bytes(2, "big"))
            second.say(Type.BACKLOG_WANTED, (2).to_bytes(2, "big"))
            await first.ended()
            door.pending = [record(1), record(2), record(3)]
            second.say(Type.PATH, bytes([PathState.REFUSED.value]))
            while await within(door.paths.get()) is not PathState.REFUSED:
                pass
            door.disk.set()
            answer = await second.hear(3)
            assert answer == [(Type.BACKLOG, record(1)), (Type.BACKLOG, record(2)), (Type.BACKLOG_END, b"")]
            assert door.link.fresh(record(4))
            assert await second.hear(1) == [(Type.FRESH, record(4))]

    assert play(story, tmp_path).link.counters.connections == 2


def test_an_answer_is_only_for_the_courier_that_asked(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        door.pending = [record(1)]
        async with connected(door, path) as first:
            door.disk.clear()
            first.say(Type.BACKLOG_WANTED, (1).to_bytes(2, "big"))
            first.say(Type.SUPERVISION_WANTED)
            first.say(Type.PATH, bytes([PathState.REFUSED.value]))
            assert await within(door.paths.get()) is PathState.REFUSED
            async with courier(path) as second:
                await first.ended()
                assert await within(door.paths.get()) is PathState.UNREACHABLE
                second.say(Type.PATH, bytes([PathState.CONNECTED.value]))
                assert await within(door.paths.get()) is PathState.CONNECTED
                door.disk.set()
                await within(door.made.wait())
                second.say(Type.SUPERVISION_WANTED)
                assert await second.hear(1) == [(Type.SUPERVISION, record(902))]

    play(story, tmp_path)


def test_a_stranger_is_not_heard(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with courier(path) as stranger:
            await stranger.ended()
        assert (door.link.connected, door.paths.empty()) == (False, True)

    assert play(story, tmp_path, uids=frozenset({os.geteuid() + 1})).link.counters.strangers == 1


def test_the_socket_is_0660_whatever_the_umask_and_is_removed(tmp_path: Path) -> None:
    modes = []

    async def story(_door: Door, path: Path) -> None:
        modes.append(stat.S_IMODE(os.stat(path).st_mode))  # noqa: PTH116  the loop has nothing else to do

    for umask in (0o000, 0o022, 0o077):
        before = os.umask(umask)
        try:
            play(story, tmp_path)
        finally:
            os.umask(before)
    assert (modes, list(tmp_path.iterdir())) == ([0o660] * 3, [])


def test_the_socket_was_never_wider_than_0660(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_door: Door, _path: Path) -> None:
        pass

    modes = []
    widen = Path.chmod

    def chmod(path: Path, mode: int) -> None:
        modes.append(stat.S_IMODE(path.stat().st_mode))
        widen(path, mode)

    monkeypatch.setattr(Path, "chmod", chmod)
    before = os.umask(0)
    try:
        play(nothing, tmp_path)
    finally:
        os.umask(before)
    assert modes == [0o660]


def test_a_stale_socket_is_replaced_a_live_one_and_a_file_are_not(tmp_path: Path) -> None:
    async def nothing(_door: Door, _path: Path) -> None:
        pass

    path = tmp_path / "courier.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(str(path))
        stale.listen()
        with pytest.raises(OperatorError, match="another doord listens here"):
            play(nothing, tmp_path)
    play(nothing, tmp_path)
    path.write_text("mine")
    with pytest.raises(OperatorError, match="is not a socket"):
        play(nothing, tmp_path)
    assert path.read_text() == "mine"
    with pytest.raises(OperatorError, match="no such file"):
        play(nothing, tmp_path / "missing")


FLOOD = Message(type=Type.RECEIPT, payload=b"f" * RECEIPT_SIZE).encode() * FREE_RECEIPTS
VERIFY_S = 0.001
"""What one signature costs on a slow board."""
TIMER_S = 0.005
MOST_LATE_S = 0.020


def test_a_flood_of_receipts_makes_no_timer_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's clock is virtual: only receipts take time."""
    beats: list[float] = []
    late: list[float] = []
    """Those beats that were measured before the real clock came back."""

    async def story(door: Door, path: Path) -> None:
        loop = asyncio.get_running_loop()
        with monkeypatch.context() as patch:
            patch.setattr(loop, "time", lambda: VERIFY_S * door.receipts.qsize())

            def beat(due: float) -> None:
                beats.append(loop.time() - due)
                loop.call_later(TIMER_S, beat, loop.time() + TIMER_S)

            async with connected(door, path) as one:
                beat(loop.time())
                one.writer.write(FLOOD)
                one.say(Type.PATH, bytes([PathState.REFUSED.value]))
                assert await within(door.paths.get()) is PathState.REFUSED
                late.extend(beats)

    play(story, tmp_path)
    assert len(late) > FREE_RECEIPTS * VERIFY_S / (TIMER_S + MOST_LATE_S)
    assert max(late) <= MOST_LATE_S


def test_no_turn_of_the_loop_takes_more_receipts_than_its_share(tmp_path: Path) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            one.writer.write(FLOOD)
            before = 0
            while before < FREE_RECEIPTS:
                await asyncio.sleep(0)
                assert door.receipts.qsize() - before <= RECEIPTS_A_TURN
                before = door.receipts.qsize()

    assert play(story, tmp_path).link.counters.receipts == FREE_RECEIPTS


def test_a_courier_of_worthless_receipts_is_let_go_and_shut_out_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            one.writer.write(FLOOD * 2)
            await one.ended()
        assert await within(door.paths.get()) is PathState.UNREACHABLE
        async with courier(path) as again:
            await again.ended()
        assert (door.link.connected, door.link.counters.shut_out) == (False, 1)
        loop = asyncio.get_running_loop()
        now = loop.time
        with monkeypatch.context() as patch:
            patch.setattr(loop, "time", lambda: now() + SHUT_OUT_S)
            async with connected(door, path):
                assert door.link.connected

    counters = play(story, tmp_path).link.counters
    assert (counters.receipts, counters.flooded, counters.connections) == (FREE_RECEIPTS, 1, 2)


def test_every_record_handed_is_worth_more_receipts(tmp_path: Path) -> None:
    handed = 10

    async def story(door: Door, path: Path) -> None:
        async with connected(door, path) as one:
            for number in range(handed):
                assert door.link.fresh(record(number))
            await one.hear(handed)
            one.writer.write(FLOOD)
            for _ in range(handed * RECEIPTS_A_RECORD):
                one.say(Type.RECEIPT, b"h" * RECEIPT_SIZE)
            one.say(Type.PATH, bytes([PathState.REFUSED.value]))
            assert await within(door.paths.get()) is PathState.REFUSED
            one.say(Type.RECEIPT, b"h" * RECEIPT_SIZE)
            await one.ended()

    counters = play(story, tmp_path).link.counters
    assert (counters.receipts, counters.flooded) == (FREE_RECEIPTS + handed * RECEIPTS_A_RECORD, 1)
