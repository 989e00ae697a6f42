"""A console over real files for tests, asked without a network."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.access import Access
from doorctl.monitord.alarms.archive import Archive
from doorctl.monitord.alarms.bell import Bell
from doorctl.monitord.alarms.console import Console
from doorctl.monitord.alarms.desk import Sources
from doorctl.monitord.alarms.effects import Raise
from doorctl.monitord.alarms.history import History
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.sessions import Sessions
from doorctl.monitord.alarms.state import ControllerState
from doorctl.monitord.alarms.store import AlarmStore
from doorctl.monitord.controllers import ControllersFolder, controller_path
from doorctl.monitord.ledger import LedgerWriter, Verified
from doorctl.seal.keys import write_controller_file
from doorctl.seal.meaning import Meaning
from tests.monitord.board import NOON, Board, Made, new_row
from tests.monitord.line import controller_file, new_identity
from tests.seal.sample import MONITOR, PUBLIC

TOKEN = "a-random-token-of-more-than-32-characters"
BEARER = {"authorization": f"Bearer {TOKEN}"}
BOARD = Board(name="harbour-st")
BOARD_START = BOARD.start()
BOARD_ACCESS = BOARD.access(new_row("Ana", Meaning.DURESS, monitor=PUBLIC))


class Desk:
    """A console over real files, asked without a network."""

    def __init__(self, sources: Sources, client: httpx.AsyncClient, bell: Bell, console: Console, cookie: str) -> None:
        self.sources, self.store = sources, sources.store
        self.client, self.bell, self.console, self.cookie = client, bell, console, cookie

    def raise_alarm(self, number: int = 1, text: str = "Ana gave a duress code at front; the door released") -> None:
        alarm = Raise(
            kind=AlarmKind.DURESS, subject=str(number), controller=BOARD.controller, event=NOON,
            received=WallTime(NOON + 5_000_000), text=text, door="front", reader="front", person="Ana", record=2,
        )  # fmt: skip
        self.store.commit([alarm], now=WallTime(NOON + 9_000_000))

    def raise_note(self, number: int) -> None:
        note = Raise(
            kind=AlarmKind.TEST, subject=str(number), controller=BOARD.controller, event=NOON, received=NOON,
            text="path test 00ff arrived",
        )  # fmt: skip
        self.store.commit([note], now=WallTime(NOON + 9_000_000))

    @property
    def browser(self) -> dict[str, str]:
        return {"cookie": self.cookie}

    async def shutdown(self) -> None:
        self.bell.stop()


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Desk]:
    (folder / "controllers").mkdir()
    identity = new_identity(folder, "courier")
    path = controller_path(folder / "controllers", BOARD.controller)
    write_controller_file(path, controller_file(BOARD, identity))
    controllers = ControllersFolder(folder / "controllers")
    controllers.refresh()
    bell = Bell()
    with receiving(folder) as ledger:
        ledger.store([received(BOARD_START), received(BOARD_ACCESS)])
    sources = Sources(
        store=AlarmStore(folder / "alarms.db", bell.ring), archive=Archive(folder / "alarms.db"),
        history=History(folder / "ledger.db", [MONITOR.token]), controllers=controllers,
        states=lambda: {BOARD.controller: ControllerState(supervised=NOON, pending=3, generation=2)},
        clock=lambda: WallTime(NOON + 1_000_000_000),
    )  # fmt: skip
    console = Console(sources, Access(TOKEN, Sessions(folder / "console.sessions", TOKEN, sources.clock)), bell)
    transport = httpx.ASGITransport(app=console.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        cookie = (await client.get(f"/?token={TOKEN}")).headers["set-cookie"].partition(";")[0]
        client.cookies.clear()
        yield Desk(sources, client, bell, console, cookie)
    sources.archive.close()
    sources.history.close()
    sources.store.close()


@contextmanager
def receiving(folder: Path) -> Iterator[LedgerWriter]:
    """As ingest would write to the same ledger."""
    ledger = LedgerWriter(folder / "ledger.db")
    yield ledger
    ledger.close()


def received(made: Made) -> Verified:
    return Verified(
        header=made.header, body=made.body, signature=bytes(64), hash=made.hash, received=WallTime(made.body.wall + 1)
    )


def play(folder: Path, scenario: Callable[[Desk], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20), running(folder) as desk:
            await scenario(desk)

    asyncio.run(whole())
