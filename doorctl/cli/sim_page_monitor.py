"""The page's monitor side: what an operator at the monitor sees. Never asks the board; the monitor's key stays in here.

Its sources are the monitor's: the console's JSON, its stream of changes as a wake-up, and the number of the ledger's
newest record. Without an answer it says so at once, and shows what it last knew.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Protocol

from doorctl.cli.sim_page_feed import Event, Feed
from doorctl.errors import DoorctlError, PeerError

_LOOK_EVERY_S: Final = 1.0
_TRY_AGAIN_S: Final = 0.3
_ALARMS: Final = 50
_SILENCE_S: Final = 40.0
"""The console says something every 15 s."""
EXPECTED: Final = "colocated"
"""The alarm of a monitor beside its door, which is true of every simulation and news to nobody."""
BY_THE_SIMULATOR: Final = "the simulator"


class Console(Protocol):
    """Asks the monitor's console; blocks. cli/monitor_alarms.py has the real one."""

    def get(self, target: str) -> Any:
        """The answer as JSON; DoorctlError where there is none."""

    def post(self, target: str, value: object) -> Any:
        """The same with a body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorView:
    """The monitor as it is now."""

    answering: bool = False
    records: int = 0
    """How many it ever received."""
    alarms: tuple[dict[str, Any], ...] = ()
    controllers: tuple[dict[str, Any], ...] = ()


class MonitorSide:
    """Follows the monitor for as long as `run` runs; publishes into its feed."""

    def __init__(
        self,
        console: Console,
        changes: Callable[[], AsyncIterator[None]],
        records: Callable[[], int],
        feed: Feed,
        supervised: Callable[[str | None], None],
    ) -> None:
        """`supervised` is told the time of each board's last supervision, as the console says it."""
        self._console, self._changes, self._records, self._feed = console, changes, records, feed
        self._supervised = supervised
        self._look = asyncio.Event()
        self.view = MonitorView()

    def everything(self) -> Iterable[Event]:
        """For a browser that comes."""
        yield "monitor", asdict(self.view)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._wake(), name="the console's changes")
            tasks.create_task(self._follow(), name="the console's state")

    async def acknowledge(self, alarm: int, who: str) -> dict[str, Any]:
        """Somebody has seen it; DoorctlError where the console says no."""
        acknowledged: dict[str, Any] = await asyncio.to_thread(
            self._console.post, f"/api/alarms/{alarm}/ack", {"who": who}
        )
        self._look.set()
        return acknowledged

    async def _wake(self) -> None:
        while True:
            with suppress(DoorctlError):
                async for _ in self._changes():
                    self._look.set()
            await asyncio.sleep(_TRY_AGAIN_S)

    async def _follow(self) -> None:
        while True:
            changed = self._look.is_set() or not self.view.answering
            self._look.clear()
            seen = await asyncio.to_thread(self._read, self.view, changed=changed)
            for controller in seen.controllers:
                self._supervised(controller.get("last_supervision"))
            if seen != self.view:
                self.view = seen
                self._feed.publish("monitor", asdict(seen))
                await self._expect(seen.alarms)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._look.wait()

    async def _expect(self, alarms: Iterable[dict[str, Any]]) -> None:
        """What has to be so here stays on show, and waits for nobody: both pages begin calm."""
        for alarm in alarms:
            if alarm["kind"] == EXPECTED and alarm["state"] == "new":
                with suppress(DoorctlError):  # tried again with the next change
                    await self.acknowledge(alarm["id"], BY_THE_SIMULATOR)

    def _read(self, known: MonitorView, *, changed: bool) -> MonitorView:
        """In a thread. Alarms only when there is something new: the console keeps a log of every look at them."""
        try:
            alarms = self._console.get(f"/api/alarms?limit={_ALARMS}")["alarms"] if changed else known.alarms
            controllers = self._console.get("/api/controllers")["controllers"]
            return MonitorView(
                answering=True, records=self._records(), alarms=tuple(alarms), controllers=tuple(controllers)
            )
        except DoorctlError:
            return replace(known, answering=False)


async def console_changes(port: int, token: str) -> AsyncIterator[None]:
    """Once when the console's stream begins and then at each change, until it ends; PeerError where it will not begin.

    What changed is not looked at, so the lines need no parser: `event: alarm` is one, however the body is cut up.
    """
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        raise PeerError("the console does not answer") from error
    try:
        request = (
            f"GET /api/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {token}\r\n"
            "accept: text/event-stream\r\nconnection: close\r\n\r\n"
        )
        writer.write(request.encode())
        line = await _line(reader)
        if not line.startswith(b"HTTP/1.1 200 "):
            raise PeerError("the console does not let us listen")
        yield
        while line:
            line = await _line(reader)
            if line.startswith(b"event: alarm"):
                yield
    finally:
        writer.transport.abort()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Empty at the end, which a long silence also is."""
    with suppress(TimeoutError, OSError, ValueError):
        async with asyncio.timeout(_SILENCE_S):
            return await reader.readline()
    return b""
