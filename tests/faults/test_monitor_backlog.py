"""A fresh duress code while a long backlog comes in: an alarm within a second, and the backlog behind it."""

import asyncio
import time
from functools import partial
from pathlib import Path

import pytest

from doorctl.monitord.ledger import LedgerReader
from doorctl.seal.meaning import Meaning
from doorctl.wire.http import Route
from tests.monitord.board import Board, Made, new_row
from tests.monitord.site import Site, running
from tests.monitord.waiting import until_told

IN_TIME_S = 1.0


async def _drain(site: Site, backlog: list[Made]) -> None:
    """Newest first, 64 at once, one request after the other, as the courier does."""
    line = await site.line()
    newest_first = [made.sealed for made in reversed(backlog)]
    for begin in range(0, len(newest_first), 64):
        await line.send(*newest_first[begin : begin + 64], route=Route.RECORDS)
    await line.close()


async def _has_alarms(site: Site, number: int) -> bool:
    return len(await site.alarms()) >= number


async def _scenario(home: Path, size: int) -> None:
    async with asyncio.timeout(60 + size / 50), running(home) as site:
        board = Board(name="harbour-st", monitor=site.public, simulated=True)
        await site.trust(board)
        normal, forced = new_row("Ana", monitor=site.public), new_row("Ana", Meaning.DURESS, monitor=site.public)
        backlog = [board.start(), *board.enrol(normal, forced), *(board.access(normal) for _ in range(size))]
        draining = asyncio.ensure_future(_drain(site, backlog))
        line = await site.line()
        delays = []
        for number in range(1, 6):
            began = time.monotonic()
            await line.send(board.access(forced).sealed)
            async with asyncio.timeout(10):
                await until_told(partial(_has_alarms, site, number))
            delays.append(time.monotonic() - began)
            await asyncio.sleep(0.1)
        assert max(delays) < IN_TIME_S, delays
        assert not draining.done()
        await draining
        await line.close()
        reader = LedgerReader(site.paths.ledger)
        with reader.snapshot() as snapshot:
            assert snapshot.last_id() == len(backlog) + 5
        reader.close()
        assert [alarm["kind"] for alarm in await site.alarms()] == ["duress"] * 5


@pytest.mark.system
def test_a_fresh_duress_code_overtakes_two_thousand_records(tmp_path: Path) -> None:
    asyncio.run(_scenario(tmp_path, 2_000))


@pytest.mark.soak
def test_a_fresh_duress_code_overtakes_a_hundred_thousand_records(tmp_path: Path) -> None:
    asyncio.run(_scenario(tmp_path, 100_000))
