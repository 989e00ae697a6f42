"""A door with a spool, a courier at work and a monitor, in one event loop and over real sockets."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from doorctl.core.types import SECOND, Duration
from doorctl.courierd.config import Monitor
from doorctl.courierd.delivery import Delivery
from doorctl.courierd.runtime import Courier
from doorctl.courierd.tls import client_context
from doorctl.doord.handoff import CourierLink
from doorctl.wire.handoff import PathState
from tests.courierd.lying_monitor import PATIENCE_S, Certificates, receipt_for, record

SUPERVISION_NUMBER = 1_000_000


class Door:
    """Journals, hands over, believes only true receipts: as much of doord as a courier ever meets."""

    def __init__(self) -> None:
        self.pending: dict[bytes, bytes] = {}
        """Receipt that would be true → record, oldest first."""
        self.receipted: list[bytes] = []
        self.false_receipts = 0
        self.paths: list[PathState] = []
        self.supervisions = 0
        self.asked = 0
        """How often the courier asked for backlog."""
        self._changed = asyncio.Event()
        self.link = CourierLink(
            allowed_uids=frozenset({os.geteuid()}),
            on_receipt=self._receipt,
            on_backlog_wanted=self._backlog,
            on_supervision_wanted=self._supervision,
            on_path=self._path,
        )

    def commit(self, number: int) -> None:
        """A decision was made and journaled."""
        self.journal(number)
        self.link.fresh(record(number))

    def journal(self, *numbers: int) -> None:
        """Journaled while nobody listened."""
        for number in numbers:
            self.pending[receipt_for(record(number))] = record(number)

    async def until(self, condition: "Condition") -> None:
        """Wait until this holds of the door."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    def _receipt(self, untrusted: bytes) -> None:
        found = self.pending.pop(untrusted, None)
        if found is not None:
            self.receipted.append(found)
        else:
            self.false_receipts += 1
        self._changed.set()

    async def _backlog(self, most: int) -> Sequence[bytes]:
        self.asked += 1
        self._changed.set()
        return list(reversed(self.pending.values()))[:most]

    async def _supervision(self) -> bytes:
        self.supervisions += 1
        return record(SUPERVISION_NUMBER + self.supervisions)

    def _path(self, path: PathState) -> None:
        self.paths.append(path)
        self._changed.set()


Condition = Callable[[Door], bool]


def path_is(path: PathState) -> Condition:
    return lambda door: door.link.connected and door.link.path is path


def receipted(count: int) -> Condition:
    return lambda door: len(door.receipted) >= count


def all_receipted(door: Door) -> bool:
    return not door.pending


@contextlib.asynccontextmanager
async def open_door(place: Path) -> AsyncIterator[Door]:
    door = Door()
    await door.link.start(place / "courier.sock")
    try:
        yield door
    finally:
        await door.link.close()


@contextlib.asynccontextmanager
async def carrying(place: Path, certificates: Certificates, monitor: Monitor) -> AsyncIterator[Courier]:
    """A courier at work; what it raises is raised here."""
    stop = asyncio.Event()
    courier = Courier(
        delivery=Delivery(addresses=monitor.addresses, supervision=Duration(30 * SECOND), jitter=lambda: 0.0),
        door_socket=place / "courier.sock",
        monitor=monitor,
        context=client_context(certificates.folder / "tls.crt", certificates.folder / "tls.key"),
    )
    story = asyncio.current_task()
    assert story is not None
    task = asyncio.create_task(courier.run(stop))
    task.add_done_callback(lambda ended: None if stop.is_set() else story.cancel(str(ended.exception())))
    try:
        yield courier
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE_S):
            await task
