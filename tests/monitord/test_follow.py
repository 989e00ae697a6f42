"""The command line's client against a running monitor: reads, acknowledges, follows through a restart."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pytest

from doorctl.cli import monitor_alarms
from doorctl.cli.main import main
from doorctl.cli.monitor_alarms import Client
from doorctl.monitord.alarms.access import create_token
from doorctl.monitord.supervisor import ports_path
from doorctl.paths import Paths
from doorctl.seal.meaning import Meaning
from doorctl.wire.http import Route
from tests.monitord.board import Board, new_row
from tests.monitord.site import hasten, running
from tests.monitord.waiting import until


def _take(events: Iterator[dict[str, Any]], count: int) -> list[tuple[int, str]]:
    return [(alarm["id"], alarm["state"]) for alarm in islice(events, count)]


class Restored(BaseHTTPRequestHandler):
    """A console whose numbers went back, as far as its client asks; fails once, and cuts each stream."""

    asked: ClassVar[list[tuple[str, str | None]]] = []
    answers: ClassVar[Mapping[tuple[str, str | None], bytes]] = {
        ("/api/events", "99"): b'id: 2\nevent: reload\ndata: {}\n\nid: 3\nevent: alarm\ndata: {"id": 9}\n\n',
        ("/api/events", "3"): b'id: 3\n\nid: 4\nevent: alarm\ndata: {"id": 10}\n\n',
        ("/api/alarms", None): b'{"alarms": [{"id": 8}, {"id": 7}], "change": 2}',
    }

    def do_GET(self) -> None:
        asked = (self.path, self.headers.get("last-event-id"))
        self.asked.append(asked)
        self.send_response(503 if self.asked.count(asked) == 1 and asked[0] == "/api/alarms" else 200)
        self.end_headers()
        self.wfile.write(self.answers[asked])

    def log_message(self, *_: object) -> None:
        pass


def test_a_restored_monitor_is_asked_for_everything_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(monitor_alarms, "_PAUSE_S", 0.0)
    paths = Paths.chosen(str(tmp_path))
    paths.monitor_keys.mkdir(parents=True, mode=0o700)
    create_token(paths.monitor_keys, "a-random-token-of-more-than-32-characters")
    with ThreadingHTTPServer(("127.0.0.1", 0), Restored) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        ports_path(paths).parent.mkdir(parents=True, exist_ok=True)
        ports_path(paths).write_text(json.dumps({"console": f"127.0.0.1:{server.server_port}"}), encoding="utf-8")
        told = [alarm["id"] for alarm in islice(Client(paths).events(99), 4)]
        server.shutdown()
    assert told == [7, 8, 9, 10]
    anew: list[tuple[str, str | None]] = [("/api/events", "99"), ("/api/alarms", None)]
    assert Restored.asked == [*anew, *anew, ("/api/events", "3")]
    assert "its numbers went back, as after a restore" in capfd.readouterr().err


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
