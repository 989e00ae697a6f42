"""A whole door daemon in virtual time, with hands at its doors and a courier at its socket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from doorctl.config.types import Config
from doorctl.core.types import MS, SECOND, Card, Monotonic
from doorctl.doord.control import Caller, Right
from doorctl.doord.recorder import Recorder
from doorctl.doord.runtime import Doord
from doorctl.journal.reader import JournalReader
from doorctl.journal.rows import LogRow
from doorctl.paths import Paths
from hal.mock import OutputChange
from hal.mock_commands import Card as CardCommand
from hal.mock_commands import Edges, Input, Keys
from hal.mock_drive import perform
from tests.doord.courier import Courier, Monitor
from tests.doord.site import CONTACTS, LAMPS, RELEASED, REXES, STRIKES, TAMPER, MadeSite
from tests.doord.site import config as doors
from tests.doord.virtual import VirtualLoop

_BETWEEN_FRAMES = 10 * MS
"""Bits come every millisecond; between keys there are 25 ms at least."""
ROOT = Caller(uid=0, rights=frozenset(Right))


class House:
    """The daemon and the building around it."""

    def __init__(self, site: MadeSite, paths: Paths, config: Config, loop: VirtualLoop) -> None:
        self.site, self.paths, self.config, self.loop = site, paths, config, loop
        self.monitor = Monitor(site)
        self.courier = Courier(self.monitor)
        self.doord: Doord
        self.past: list[OutputChange] = []
        """What the outputs did before a restart."""
        self.whole_frames = False
        """Edges are handed over when their frame is over, each with its own time: fewer turns of the loop."""
        self._levels = dict.fromkeys([*CONTACTS.values(), TAMPER], False) | dict.fromkeys(REXES.values(), True)
        self._due: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """The daemon from its files; doors are as they were left."""
        self.doord = Doord(self.site.read(self.paths, self.config))
        for pin, level in self._levels.items():
            self._chip.line(pin).feed(self._chip.clock(), level=level)
        await self.doord.start()

    async def stop(self) -> None:
        """A clean end; whatever broke it is raised."""
        self.courier.leave()
        if self._due is not None:
            self._due.cancel()
        self.doord.stop()
        try:
            await self.doord.run_until_stopped()
        finally:
            await self.doord.close()
            self.past += self._chip.history
            self._chip.history.clear()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @property
    def recorder(self) -> Recorder:
        return self.doord.recorder

    @property
    def now(self) -> Monotonic:
        return self.loop.now

    async def armed(self) -> None:
        """Until every reader reads."""
        await self.wait(1.2)  # idle lines for a second arm a reader
        states = {reader.state for door in self.doord.doors.values() for reader in door.readers}
        assert states == {"reading"}

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    # Hands

    def card(self, reader: str, card: Card) -> Monotonic:
        """Show a card; when its last edge will be."""
        return self._do(CardCommand(reader=reader, bits=f"{card.raw:0{card.length}b}"))

    def keys(self, reader: str, keys: str, *, gap_ms: int = 100) -> Monotonic:
        """Type; when the last edge will be."""
        return self._do(Keys(reader=reader, keys=keys, gap_ns=gap_ms * MS))

    def edges(self, *edges: tuple[str, int]) -> Monotonic:
        return self._do(Edges(edges=list(edges)))

    async def enter(self, reader: str, card: Card | None, code: str | None, *, gap_ms: int = 100) -> Monotonic:
        """Card, code, or both; returns at the last edge, with its time."""
        last = self.now
        if card is not None:
            last = self.card(reader, card)
        if code is not None:
            if card is not None:
                await self.until(Monotonic(last + 100 * MS))
            last = self.keys(reader, code, gap_ms=gap_ms)
        await self.until(last)
        return last

    async def until(self, moment: int) -> None:
        await asyncio.sleep(max(0, moment - self.now) / SECOND)

    def input(self, pin: str, level: bool) -> None:
        self._levels[pin] = level
        perform(self.doord.board, Input(pin=pin, level=level))

    def leaf(self, door: str, *, open_: bool) -> None:
        self.input(CONTACTS[door], open_)

    async def rex(self, door: str, seconds: float = 0.5) -> None:
        self.input(REXES[door], False)
        await self.wait(seconds)
        self.input(REXES[door], True)

    def breaks(self, pin: str, *, unwritable: bool) -> None:
        """An output that takes no orders, or takes them again."""
        self._chip.line(pin).faults.unwritable = unwritable

    async def ask(self, operation: str, **request: Any) -> dict[str, Any]:
        """An operation of the control socket, by root."""
        return dict(await self.doord.operations.table()[operation][1](ROOT, request))

    async def status(self) -> dict[str, Any]:
        return await self.ask("status")

    # What can be seen

    def outputs(self, *pins: str) -> list[tuple[str, bool | None, int]]:
        """(pin, level, when) of every output change, of all pins or of these."""
        changes = [*self.past, *self._chip.history]
        return [(c.pin, c.level, int(c.at)) for c in changes if not pins or c.pin in pins]

    def releases(self, door: str) -> list[int]:
        """When the strike was released."""
        return [at for _, level, at in self.outputs(STRIKES[door]) if level is RELEASED[door]]

    def released(self, door: str) -> bool:
        return bool(self._chip.line(STRIKES[door]).wire) is RELEASED[door]

    def lit(self, reader: str) -> bool:
        return bool(self._chip.line(LAMPS[reader]).wire)

    def log(self) -> list[LogRow]:
        return [logged.row for logged in JournalReader(self.paths.journal).log(10_000)]

    @property
    def _chip(self) -> Any:
        assert self.doord.board.mock is not None
        return self.doord.board.mock

    def _do(self, command: CardCommand | Keys | Edges) -> Monotonic:
        last = perform(self.doord.board, command)["last"]
        self._plan()
        return Monotonic(last)

    def _plan(self) -> None:
        """Deliver edges when they are due, as the mock's socket does."""
        self._chip.deliver_due(self._chip.clock())
        if self._due is not None:
            self._due.cancel()
            self._due = None
        waiting = sorted(at for at, _, _ in self._chip._agenda)
        if waiting:
            last = 0
            while self.whole_frames and last + 1 < len(waiting) and waiting[last + 1] - waiting[last] < _BETWEEN_FRAMES:
                last += 1
            self._due = self.loop.call_at(waiting[last] / SECOND, self._plan)


@asynccontextmanager
async def running(
    site: MadeSite, paths: Paths, loop: VirtualLoop, *, config: Config | None = None, courier: bool = True
) -> AsyncIterator[House]:
    """A house whose readers read; stopped cleanly at the end."""
    house = House(site, paths, config or doors(), loop)
    await house.start()
    try:
        if courier:
            await house.courier.connect(paths.courier_socket)
        await house.armed()
        yield house
    finally:
        await house.stop()


@contextmanager
def short_folder() -> Iterator[Path]:
    """In memory where there is such a place, and of a path that a unix socket's address has room for."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="dd", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)
