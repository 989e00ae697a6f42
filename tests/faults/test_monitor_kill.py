"""kill -9 of ingest and of alarms under load: no receipted record is lost, none is counted twice, nor is an alarm."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from doorctl.errors import MalformedError
from doorctl.monitord.ledger import LedgerReader
from doorctl.seal.meaning import Meaning
from doorctl.wire.http import Route
from doorctl.wire.receipt import Status
from tests.monitord.board import Board, Made, Row, new_row
from tests.monitord.line import read_receipts
from tests.monitord.site import Site, hasten, running
from tests.monitord.waiting import until_told

BATCH = 20


async def _deliver(site: Site, records: list[Made], route: Route) -> None:
    """Send until each has its receipt, as a courier does."""
    waiting = {made.hash: made for made in records}
    while waiting:
        line = await site.line()
        with suppress(OSError, MalformedError):
            async with asyncio.timeout(5):
                for batch in _batches(list(waiting.values()), route):
                    receipts = read_receipts(await line.send(*batch, route=route), site.public)
                    for receipt in receipts:
                        if receipt.status is Status.STORED:
                            waiting.pop(receipt.record, None)
        await line.close()
        await asyncio.sleep(0.01)


def _batches(records: list[Made], route: Route) -> Iterator[list[bytes]]:
    size = 1 if route is Route.RECORD else BATCH
    for begin in range(0, len(records), size):
        yield [made.sealed for made in records[begin : begin + size]]


async def _load(site: Site, board: Board, rows: tuple[Row, Row]) -> tuple[list[Made], int]:
    """A backlog of ordinary codes and two fresh ones, one of them under duress."""
    normal, forced = rows
    backlog = [board.access(normal) for _ in range(BATCH)]
    fresh = [board.access(forced), board.access(normal)]
    await asyncio.gather(_deliver(site, backlog, Route.RECORDS), _deliver(site, fresh, Route.RECORD))
    return [*backlog, *fresh], 1


async def _has_alarms(site: Site, number: int) -> bool:
    return len(await site.alarms()) >= number


async def _killed_under_load(home: Path, victim: str, points: int) -> None:
    chance = random.Random(20)
    async with asyncio.timeout(60 + 10 * points), running(home) as site:
        board = Board(name="harbour-st", monitor=site.public, simulated=True)
        await site.trust(board)
        rows = new_row("Ana", monitor=site.public), new_row("Ana", Meaning.DURESS, monitor=site.public)
        sent = [board.start(), *board.enrol(*rows)]
        await _deliver(site, sent, Route.RECORD)
        forced = 0
        for _ in range(points):
            load = asyncio.ensure_future(_load(site, board, rows))
            await asyncio.sleep(chance.uniform(0, 0.15))
            site.kill(getattr(site.supervisor, victim))
            made, duress = await load
            sent += made
            forced += duress
        async with asyncio.timeout(20):
            await until_told(partial(_has_alarms, site, forced))
        alarms = await site.alarms()
        assert [alarm["kind"] for alarm in alarms] == ["duress"] * forced
        reader = LedgerReader(site.paths.ledger)
        with reader.snapshot() as snapshot:
            rows_here = snapshot.between(1, snapshot.last_id())
        reader.close()
        assert sorted(record.hash for record in rows_here) == sorted(made.hash for made in sent)
        assert not any(record.fork for record in rows_here)


@pytest.mark.system
@pytest.mark.parametrize("victim", ["ingest", "alarms"])
def test_ten_kills_lose_and_double_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, victim: str) -> None:
    hasten(monkeypatch)
    asyncio.run(_killed_under_load(tmp_path, victim, 10))


@pytest.mark.soak
@pytest.mark.parametrize("victim", ["ingest", "alarms"])
def test_two_hundred_kills_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    hasten(monkeypatch)
    asyncio.run(_killed_under_load(tmp_path, victim, 200))
