"""Ingest over real sockets: who may speak, what is answered, when, and how large."""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from doorctl.monitord import clocks
from doorctl.monitord.controllers import ControllersFolder, controller_path
from doorctl.monitord.ingest.desk import Desk
from doorctl.monitord.ingest.server import Limits, Listener
from doorctl.monitord.ingest.tick import Pace, Queue
from doorctl.monitord.ledger import LedgerReader, LedgerWriter
from doorctl.seal.keys import IngestKeys, write_controller_file
from doorctl.wire.http import Route
from doorctl.wire.receipt import Receipt, Refusal, Status
from doorctl.wire.record import NO_EPOCH, NO_HASH, RecordHash, record_hash
from doorctl.wire.sizes import BATCH_RECORDS, RECEIPT_SIZE, RECORD_SIZE
from tests.monitord.board import Board, Made, new_row
from tests.monitord.line import Identity, Line, controller_file, new_identity, read_receipts
from tests.monitord.waiting import until
from tests.seal.sample import MONITOR, OTHER_MONITOR, PUBLIC, RECORD_KEYS


@dataclass
class Monitor:
    """Ingest in this process, with everything real but the clock's rate."""

    folder: Path
    port: int
    listener: Listener
    controllers: ControllersFolder
    courier: Identity
    pokes: list[float] = field(default_factory=list)

    def trust(self, board: Board, identity: Identity) -> None:
        write_controller_file(
            controller_path(self.folder / "controllers", board.controller), controller_file(board, identity)
        )
        assert self.controllers.refresh()
        self.listener.reload()

    def stored(self) -> list[tuple[RecordHash, bool]]:
        """(hash, fork) of every row."""
        reader = LedgerReader(self.folder / "ledger.db")
        with reader.snapshot() as snapshot:
            rows = [(record.hash, record.fork) for record in snapshot.between(1, snapshot.last_id())]
        reader.close()
        return rows


@asynccontextmanager
async def running(folder: Path, limits: Limits | None = None) -> AsyncIterator[Monitor]:
    (folder / "controllers").mkdir(exist_ok=True)
    server, courier = new_identity(folder, "monitor"), new_identity(folder, "courier")
    controllers = ControllersFolder(folder / "controllers")
    controllers.refresh()
    ledger = LedgerWriter(folder / "ledger.db")
    pokes: list[float] = []
    desk = Desk(
        ledger=ledger, keys=IngestKeys(record=RECORD_KEYS, receipt=MONITOR.receipt), controllers=controllers,
        clock=clocks.wall, poke=lambda: pokes.append(time.monotonic()),
    )  # fmt: skip
    listening = socket.create_server(("127.0.0.1", 0))
    queue = Queue()
    listener = Listener(
        listening=listening, certificate=server.certificate, key=server.key, controllers=controllers, queue=queue,
        limits=limits or Limits(),
    )  # fmt: skip
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as worker:
        pace = Pace(
            queue, lambda requests: loop.run_in_executor(worker, desk.answer, requests),
            clock=clocks.monotonic, sleep=asyncio.sleep,
        )  # fmt: skip
        tasks = [asyncio.ensure_future(pace.run()), asyncio.ensure_future(listener.serve())]
        try:
            yield Monitor(
                folder=folder, port=listening.getsockname()[1], listener=listener, controllers=controllers,
                courier=courier, pokes=pokes,
            )  # fmt: skip
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            listening.close()
    ledger.close()


@pytest.fixture
def board() -> Board:
    return Board(name="harbour-st", monitor=PUBLIC)


Scenario = Callable[[Monitor], Coroutine[Any, Any, None]]


def play(folder: Path, scenario: Scenario, limits: Limits | None = None) -> None:
    async def whole() -> None:
        async with asyncio.timeout(30), running(folder, limits) as monitor:
            await scenario(monitor)

    asyncio.run(whole())


def stored_receipt(made: Made, got: Receipt) -> Receipt:
    """What a stored record's receipt must be, but for the monitor's time."""
    return Receipt(
        status=Status.STORED, refusal=Refusal.NONE, key_id=PUBLIC.receipt_key_id, controller=made.header.controller,
        epoch=made.header.epoch, sequence=made.header.sequence, record=made.hash, monitor_time=got.monitor_time,
    )  # fmt: skip


def test_stored_repeated_forked_supervised(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        line = await Line.open(monitor.port, monitor.courier)
        start = board.start()
        forked = board.fork(start)
        supervised = board.supervise()
        for made in (start, start, forked, supervised, supervised):
            (receipt,) = read_receipts(await line.send(made.sealed), PUBLIC)
            assert receipt == stored_receipt(made, receipt)
            assert abs(receipt.monitor_time - clocks.wall()) < 10**9
        assert monitor.stored() == [(start.hash, False), (forked.hash, True)]
        assert len(monitor.pokes) == 5
        await line.close()

    play(tmp_path, scenario)


def _refusals(board: Board) -> list[tuple[bytes, Refusal]]:
    made = board.start()
    stranger = Board(name="stranger", monitor=PUBLIC).start()
    forged = Board(name="harbour-st", monitor=PUBLIC)
    forged.identity = Board(name="thief").identity
    elsewhere = Board(name="harbour-st", monitor=OTHER_MONITOR.public)
    odd_supervision = forged_kind(board)
    flipped = bytearray(made.sealed)
    flipped[-1] ^= 1
    return [
        (os.urandom(RECORD_SIZE), Refusal.MALFORMED),
        (stranger.sealed, Refusal.UNKNOWN_CONTROLLER),
        (elsewhere.start().sealed, Refusal.UNKNOWN_KEY),
        (bytes(flipped), Refusal.NOT_OPENED),
        (forged.start().sealed, Refusal.BAD_SIGNATURE),
        (odd_supervision.sealed, Refusal.MALFORMED),
    ]


def forged_kind(board: Board) -> Made:
    """A supervision that says it is a door record."""
    made = board.supervise()
    return board._finish(made.header, replace(made.body, kind=board.start().body.kind))


def test_refusals_say_why_and_store_nothing(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        line = await Line.open(monitor.port, monitor.courier)
        for untrusted, refusal in _refusals(board):
            (receipt,) = read_receipts(await line.send(untrusted), PUBLIC)
            assert (receipt.status, receipt.refusal) == (Status.REFUSED, refusal)
            assert receipt.record == record_hash(untrusted)
        assert monitor.stored() == []
        assert monitor.pokes == []
        await line.close()

    play(tmp_path, scenario)


def test_all_answers_of_a_route_have_one_size(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        line = await Line.open(monitor.port, monitor.courier)
        refusals = [untrusted for untrusted, _ in _refusals(board)]
        start = board.start()
        for untrusted in (start.sealed, start.sealed, board.fork(start).sealed, *refusals):
            await line.send(untrusted)
        assert len({len(answer) for answer in line.answers}) == 1
        batches = ([start.sealed], [start.sealed] * 64, refusals, [os.urandom(RECORD_SIZE)] * 3)
        line.answers.clear()
        for batch in batches:
            receipts = await line.send(*batch, route=Route.RECORDS)
            assert [len(receipt) for receipt in receipts] == [RECEIPT_SIZE] * BATCH_RECORDS
        assert len({len(answer) for answer in line.answers}) == 1
        await line.close()

    play(tmp_path, scenario)


def test_a_batch_is_answered_place_by_place(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        line = await Line.open(monitor.port, monitor.courier)
        records = [board.start(), *(board.access(new_row("Ana", monitor=PUBLIC)) for _ in range(9))]
        sent = [made.sealed for made in reversed(records)]
        receipts = read_receipts(await line.send(*sent, route=Route.RECORDS), PUBLIC)
        assert [receipt.record for receipt in receipts[:10]] == [made.hash for made in reversed(records)]
        assert {receipt.status for receipt in receipts[:10]} == {Status.STORED}
        filler = {(r.status, r.refusal, r.epoch, r.sequence, r.want_epoch) for r in receipts[10:]}
        assert filler == {(Status.REFUSED, Refusal.MALFORMED, NO_EPOCH, 0, NO_EPOCH)}
        assert NO_HASH not in {receipt.record for receipt in receipts}
        assert monitor.stored() == [(made.hash, False) for made in reversed(records)]
        await line.close()

    play(tmp_path, scenario)


def test_a_monitor_from_a_backup_asks_in_the_receipt_of_supervision(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        line = await Line.open(monitor.port, monitor.courier)
        start, gone, newest = board.start(), board.access(None), board.access(None)
        await line.send(start.sealed)
        (receipt,) = read_receipts(await line.send(board.supervise(receipted=newest).sealed), PUBLIC)
        assert (receipt.want_epoch, receipt.want_sequence, receipt.want_count) == (board.epoch, gone.sequence, 2)
        (receipt,) = read_receipts(await line.send(newest.sealed), PUBLIC)
        assert receipt == stored_receipt(newest, receipt)
        await line.close()

    play(tmp_path, scenario)


def test_answers_leave_together_on_ticks_whatever_they_say(tmp_path: Path, board: Board) -> None:
    """A stored record, a repeat and a refusal that came between two ticks leave in the same one."""

    async def one(line: Line, untrusted: bytes) -> float:
        await line.send(untrusted)
        return time.monotonic()

    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        lines = [await Line.open(monitor.port, monitor.courier) for _ in range(3)]
        known = board.start()
        await lines[0].send(known.sealed)
        spreads = []
        for _ in range(5):
            await asyncio.sleep(0.05 - time.monotonic() % 0.05 + 0.01)  # well between two ticks
            sent = (board.access(None).sealed, known.sealed, os.urandom(RECORD_SIZE))
            times = await asyncio.gather(*(one(line, record) for line, record in zip(lines, sent, strict=True)))
            spreads.append(max(times) - min(times))
        assert sorted(spreads)[2] < 0.02
        for line in lines:
            await line.close()

    play(tmp_path, scenario)


async def _is_let_in(port: int, identity: Identity | None, untrusted: bytes) -> bool:
    with suppress(OSError, ssl.SSLError):
        line = await Line.open(port, identity)
        try:
            line.writer.write(line._http.request(Route.RECORD, untrusted))
            return await line.reader.read(1) != b""
        finally:
            await line.close()
    return False


def test_only_the_folders_certificates_are_let_in_and_changes_need_no_restart(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        stranger = new_identity(tmp_path, "stranger")
        record = board.start().sealed
        assert not await _is_let_in(monitor.port, monitor.courier, record)
        monitor.trust(board, monitor.courier)
        assert await _is_let_in(monitor.port, monitor.courier, record)
        assert not await _is_let_in(monitor.port, stranger, record)
        assert not await _is_let_in(monitor.port, None, record)
        staying = await Line.open(monitor.port, monitor.courier)
        await staying.send(record)
        controller_path(tmp_path / "controllers", board.controller).unlink()
        assert monitor.controllers.refresh()
        monitor.listener.reload()
        assert await staying.reader.read(1) == b""
        assert not await _is_let_in(monitor.port, monitor.courier, record)
        await staying.close()

    play(tmp_path, scenario)


def test_a_certificate_that_went_during_the_handshake_is_not_let_in(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        monitor.controllers.trusted = {}  # the listener's own context has not heard of it
        assert not await _is_let_in(monitor.port, monitor.courier, board.start().sealed)

    play(tmp_path, scenario)


def test_a_broken_controller_file_leaves_the_others_trusted(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        (tmp_path / "controllers" / "broken.toml").write_text("version = ", encoding="utf-8")
        monitor.trust(board, monitor.courier)
        assert list(monitor.controllers.trusted) == [board.controller]
        assert not monitor.controllers.refresh()

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\nhost: monitor\r\n\r\n",
        b"POST /v1/record HTTP/1.1\r\nhost: monitor\r\ncontent-length: 99999999\r\n\r\n",
        b"\x00" * 5000,
        b"POST /v1/record HTTP/1.1\r\nhost: monitor\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_nonsense_costs_its_sender_the_connection_and_nobody_else(
    tmp_path: Path, board: Board, nonsense: bytes
) -> None:
    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        honest, rude = [await Line.open(monitor.port, monitor.courier) for _ in range(2)]
        rude.writer.write(nonsense)
        answer = await rude.reader.read()
        assert answer.startswith(b"HTTP/1.1 4")
        (receipt,) = read_receipts(await honest.send(board.start().sealed), PUBLIC)
        assert receipt.status is Status.STORED
        for line in (honest, rude):
            await line.close()

    play(tmp_path, scenario)


def test_peers_that_never_finish_keep_nobody_out(tmp_path: Path, board: Board) -> None:
    limits = Limits(handshakes=4, handshake_s=20.0, request_s=0.3, per_certificate=3)

    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        idle = [await asyncio.open_connection("127.0.0.1", monitor.port) for _ in range(12)]
        await until(lambda: len(monitor.listener._peers) == limits.handshakes)
        slow = await Line.open(monitor.port, monitor.courier)
        slow.writer.write(b"POST /v1/record HTTP/1.1\r\n")
        honest = await Line.open(monitor.port, monitor.courier)
        (receipt,) = read_receipts(await honest.send(board.start().sealed), PUBLIC)
        assert receipt.status is Status.STORED
        assert await slow.reader.read(1) == b""
        for line in (honest, slow):
            await line.close()
        for _, writer in idle:
            writer.close()

    play(tmp_path, scenario, limits)


def test_a_certificates_oldest_connection_gives_way(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        lines = [await Line.open(monitor.port, monitor.courier) for _ in range(2)]
        for line in lines:
            await line.send(os.urandom(RECORD_SIZE))
        newest = await Line.open(monitor.port, monitor.courier)
        await newest.send(os.urandom(RECORD_SIZE))
        assert await lines[0].reader.read(1) == b""
        await lines[1].send(os.urandom(RECORD_SIZE))
        for line in (*lines, newest):
            await line.close()

    play(tmp_path, scenario, Limits(per_certificate=2))


def test_a_peer_that_leaves_in_the_middle_is_forgotten(tmp_path: Path, board: Board) -> None:
    async def scenario(monitor: Monitor) -> None:
        monitor.trust(board, monitor.courier)
        for size in (1, 100, 2000):
            line = await Line.open(monitor.port, monitor.courier)
            line.writer.write(line._http.request(Route.RECORD, os.urandom(RECORD_SIZE))[:size])
            await line.writer.drain()
            line.writer.transport.abort()
        line = await Line.open(monitor.port, monitor.courier)
        (receipt,) = read_receipts(await line.send(board.start().sealed), PUBLIC)
        assert receipt.status is Status.STORED
        async with asyncio.timeout(5):
            await until(lambda: len(monitor.listener._peers) == 1)
        await line.close()

    play(tmp_path, scenario)
