"""A site for the page's tests: the real mock board and its socket, a journal, a console that says what it is told.

doord itself is not there: its status comes from a control socket with a canned answer.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from doorctl.cli.init_template import write_template
from doorctl.cli.sim_network import Passed
from doorctl.cli.sim_page_app import Page, Sides
from doorctl.cli.sim_page_door import DoorSide
from doorctl.cli.sim_page_feed import Feed
from doorctl.cli.sim_page_hands import Hands
from doorctl.cli.sim_page_monitor import MonitorSide
from doorctl.cli.sim_page_people import People
from doorctl.cli.sim_page_rig import Breakable, Rig
from doorctl.cli.sim_page_visits import Visits
from doorctl.cli.sim_site import Person
from doorctl.config.reading import read_config
from doorctl.core.types import Card, HolderId
from doorctl.doord.assembly import DoorPins, claim_pins
from doorctl.errors import OperatorError
from doorctl.journal.journal import Journal
from doorctl.paths import Paths
from doorctl.seal.keys import create_controller_keys
from hal.events import InputChanged, InputEvent, ReaderEvent
from hal.mock_socket import MockSocket
from hal.wiegand.cards import FORMATS
from tests.doord.rings import ring_of

TOKEN = "a-token-of-the-page"
PORT = 8765
CODE, DURESS_CODE = "48207800", "93051300"
CARD = Card(length=26, raw=FORMATS["H10301"].encode({"facility": 12, "card": 3456})[1])
ANA = Person(holder=HolderId("ana-lopez"), label="Ana Lopez", card=CARD, code=CODE, duress_code=DURESS_CODE)
BEN = Person(holder=HolderId("ben-okafor"), label="Ben Okafor", card=None, code="17850513", duress_code="65880399")


def status(*, pending: int = 0, state: str = "secured") -> dict[str, Any]:
    """What doord says, as far as the page reads it."""
    doors = [{"name": name, "state": state, "readers": [{"state": "reading"}]} for name in ("front", "office")]
    return {
        "ok": True, "doors": doors, "path": {"state": "connected"}, "spool": {"pending": pending}, "faults": [],
        "answer_ms": {"card": 115, "code": 270, "late": 0},
    }  # fmt: skip


@dataclass
class FakeConsole:
    """The monitor's console, by its JSON."""

    alarms: list[dict[str, Any]] = field(default_factory=list)
    posted: list[tuple[str, object]] = field(default_factory=list)
    gone: bool = False
    refused: int | None = None
    """How many posts it would not take; None where it takes all."""
    looks: int = 0
    """How often somebody asked for the alarms; the real one logs each."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def get(self, target: str) -> Any:
        if self.gone:
            raise OperatorError("no console there")
        if target.startswith("/api/alarms?"):
            self.looks += 1
            return {"alarms": list(self.alarms), "change": len(self.alarms)}
        assert target == "/api/controllers"
        return {"controllers": [{"health": "heard", "pending": 0}]}

    def post(self, target: str, value: object) -> Any:
        if not self.alarms:
            raise OperatorError("no such alarm")
        if self.refused is not None:
            self.refused += 1
            raise OperatorError("not now")
        self.posted.append((target, value))
        self.alarms[0] = self.alarms[0] | {"state": "acknowledged"}
        return self.alarms[0]

    async def changes(self) -> AsyncIterator[None]:
        while True:
            await self.changed.wait()
            self.changed.clear()
            yield


class FakeSite:
    """Everything that stands behind a page, and what was done to it."""

    def __init__(self, home: Path) -> None:
        self.paths = Paths.under(home)
        write_template(self.paths.config, mock=True)
        self.config = read_config(self.paths.config)
        self.board, self.pins = claim_pins(
            self.config, ring_of(self.paths, create_controller_keys(self.paths, simulated=True))
        )
        self.status: dict[str, Any] | None = status()
        self.done: list[str] = []
        self.records = 7
        self._answering: set[asyncio.Task[Any]] = set()
        self.start_says = ""
        """Why doord does not start, if it does not."""
        self.events: list[ReaderEvent] = []
        self.inputs: list[tuple[str, bool]] = []
        self.console = FakeConsole()
        self.feed = Feed()
        self.passed: list[Passed] = []
        self.people = People({ANA.holder: ANA, BEN.holder: BEN}, self._enrol, self._remove, self.feed)
        self.visits = Visits(
            list(map(str, (door.name for door in self.config.doors))),
            self.people.people,
            self._on_the_line,
            self.feed,
            zone=ZoneInfo("UTC"),
            finish_s=0.05,
        )
        self.door = DoorSide(self.paths, self.config, self.feed, self.visits)
        self.monitor = MonitorSide(
            self.console, self.console.changes, lambda: self.records, self.feed, self.visits.supervised
        )
        breakable = Breakable(
            cut_line=lambda: self.done.append("cut"),
            mend_line=lambda: self.done.append("mend"),
            stall_disk=lambda: self.done.append("stall"),
            mend_disk=lambda: self.done.append("write"),
            kill_doord=lambda: self.done.append("kill"),
            start_doord=self._start_doord,
            cut_power=lambda: self.done.append("power off"),
            start_board=self._start_doord,
        )
        self.rig = Rig(breakable, self.feed, self.visits.broken, dead_for_s=0.01)
        self.hands = Hands(self.paths, self.door, self.visits, self.feed, closer_s=0.2, walk_s=0.1)
        self.sides = Sides(
            feed=self.feed, door=self.door, hands=self.hands, monitor=self.monitor, rig=self.rig, people=self.people,
            visits=self.visits,
        )  # fmt: skip
        self.app = Page(self.sides).app(TOKEN, PORT)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Browser"]:
        """Board, control socket and both sides, for as long as the block runs."""
        self.paths.run.mkdir(parents=True, exist_ok=True)
        self.paths.journal.parent.mkdir(parents=True, exist_ok=True)
        self.journal = Journal.open(self.paths.journal)
        sockets = MockSocket(self.board, self.paths.mock_socket)
        await sockets.start()
        control = await asyncio.start_unix_server(self._answer, str(self.paths.control_socket))
        for door in self.pins:
            self._listen(door)
        following = [asyncio.create_task(side.run()) for side in (self.door, self.monitor)]
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=True)
        try:
            async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{PORT}") as client:
                await until(lambda: self.door.board.running and self.monitor.view.answering)
                yield Browser(client)
        finally:
            self.hands.close()
            self.visits.close()
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
            # a question for the status that is under way in a thread gets its answer while there is somebody to give it
            await asyncio.get_running_loop().shutdown_default_executor()
            control.close()
            await asyncio.gather(*self._answering)
            await sockets.close()
            self.board.close()
            self.journal.close()

    def _listen(self, door: DoorPins) -> None:
        for contact in (door.contact, door.rex, door.tamper):
            if contact is not None:
                contact.start(self._input)
        for _, reader, _ in door.readers:
            reader.start(self.events.append)

    def _input(self, changed: InputEvent) -> None:
        assert isinstance(changed, InputChanged)
        self.inputs.append((changed.name, changed.active))

    def _start_doord(self) -> None:
        self.done.append("start")
        if self.start_says:
            raise OperatorError(self.start_says)

    def _enrol(self, label: str, number: int) -> Person:
        if not label.isprintable():
            raise OperatorError("a name has letters that can be read", hint="leave out what cannot")
        card = Card(length=26, raw=FORMATS["H10301"].encode({"facility": 12, "card": number})[1])
        holder = HolderId(label.lower().replace(" ", "-"))
        person = Person(holder=holder, label=label, card=card, code="11112222", duress_code="33334444")
        self.people.people[holder] = person
        self.done.append(f"enrol {label} {number}")
        return person

    def _remove(self, holder: HolderId) -> None:
        del self.people.people[holder]
        self.done.append(f"remove {holder}")

    def _on_the_line(self, since: int, until: int) -> list[Passed]:
        return [piece for piece in self.passed if since <= piece.at <= until]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        await reader.readline()
        if self.status is not None:
            writer.write(json.dumps(self.status).encode() + b"\n")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self._answering.discard(task)


class Browser:
    """Asks as the page's script does."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, *, token: str = TOKEN, **headers: str) -> httpx.Response:
        return await self.client.get(f"/{token}/{path}", headers=headers)

    async def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        given = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(f"/{TOKEN}/api/{path}", content=content, headers=given)


async def until(happened: Any) -> None:
    """Let the loop go on until it happened; fails after 10 s."""
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.005)
