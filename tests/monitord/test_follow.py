"""The command line's client against a running monitor: reads, acknowledges, follows through a restart."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from doorctl.cli.main import main
from doorctl.cli.monitor_alarms import Client
from doorctl.seal.meaning import Meaning
from doorctl.wire.http import Route
from tests.monitord.board import Board, new_row
from tests.monitord.site import hasten, running
from tests.monitord.waiting import until


def _take(events: Iterator[dict[str, Any]], count: int) -> list[tuple[int, str]]:
    return [(alarm["id"], alarm["state"]) for alarm in islice(events, count)]


@pytest.mark.system
def test_following_misses_nothing_while_the_alarms_part_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hasten(monkeypatch)

    async def scenario() -> None:
        async with asyncio.timeout(60), running(tmp_path) as site:
            board = Board(name="harbour-st", monitor=site.public, simulated=True)
            await site.trust(board)
            row = new_row("Ana", Meaning.DURESS, monitor=site.public)
            line = await site.line()
            opening = [board.start(), *board.enrol(row), board.access(row)]
            await line.send(*(made.sealed for made in opening), route=Route.RECORDS)
            client = Client(site.paths)
            events = client.events(0)
            assert await asyncio.to_thread(_take, events, 1) == [(1, "new")]
            assert await asyncio.to_thread(client.post, "/api/alarms/1/ack", {"who": "Ben"})
            before = site.ports()["alarms_pid"]
            site.kill(site.supervisor.alarms)
            await line.send(board.access(row).sealed)
            await until(lambda: site.ports()["alarms_pid"] != before)
            assert await asyncio.to_thread(_take, events, 2) == [(1, "acknowledged"), (2, "new")]
            (one,) = (await asyncio.to_thread(client.get, "/api/controllers"))["controllers"]
            assert (one["site"], one["health"], one["simulated"]) == ("harbour-st", "never heard", True)
            capfd.readouterr()
            assert await asyncio.to_thread(main, ["--home", str(tmp_path), "monitor", "alarms"]) == 0
            await line.close()

    asyncio.run(scenario())
    told = capfd.readouterr().out.splitlines()
    assert told[0].startswith("#2 ")
    assert told[0].endswith("CRITICAL harbour-st/front: Duress code: Ana gave a duress code at front; "
                            "the door released [new]")  # fmt: skip
    assert told[1].endswith("[acknowledged by Ben]")
