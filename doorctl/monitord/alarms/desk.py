"""What every route of the console asks and does: reads run in threads, a look is logged, an acknowledgement has a name.

Sends nothing and decides nothing about who may ask.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.access import Access
from doorctl.monitord.alarms.archive import Archive
from doorctl.monitord.alarms.boards import controller_views
from doorctl.monitord.alarms.counts import Count
from doorctl.monitord.alarms.history import History
from doorctl.monitord.alarms.state import ControllerState
from doorctl.monitord.alarms.store import LONGEST_NAME, Alarm, AlarmStore
from doorctl.monitord.alarms.timeline import record_views, timeline
from doorctl.monitord.alarms.views import alarm_view
from doorctl.monitord.alarms.zones import only_zone
from doorctl.monitord.controllers import ControllersFolder
from doorctl.wire.record import ControllerId

BEFORE: Final = 10
SINCE: Final = 50
MOST_AROUND: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the console shows; all of it may be called from any thread."""

    store: AlarmStore
    archive: Archive
    history: History
    controllers: ControllersFolder
    states: Callable[[], dict[ControllerId, ControllerState]]
    clock: Callable[[], WallTime]


class Desk:
    """Asks the sources."""

    def __init__(self, sources: Sources, access: Access) -> None:
        self.sources, self._access = sources, access

    async def looked(self, request: Request, what: str) -> None:
        """Every look at what a token meant is logged."""
        who = "bearer" if self._access.has_bearer(request) else "browser"
        await asyncio.to_thread(self.sources.store.looked, who=who, what=what, now=self.sources.clock())

    async def last_change(self) -> int:
        """Asked before the alarms are read: one raised in between is then told again, and never by neither."""
        return await asyncio.to_thread(self.sources.store.last_change)

    async def alarms(self, limit: int) -> list[dict[str, Any]]:
        """Those that need somebody first."""
        return self.views(await asyncio.to_thread(self.sources.store.alarms, limit))

    async def waiting(self) -> Count:
        """How many wait for somebody."""
        return (await asyncio.to_thread(self.sources.archive.open, 0)).count

    async def alarm(self, number: int) -> Alarm | None:
        """One of them; None where there is none of this number."""
        return await asyncio.to_thread(self.sources.store.alarm, number)

    async def detail(self, alarm: Alarm, *, before: int = BEFORE, since: int = SINCE) -> dict[str, Any]:
        """An alarm, its controller's records on both sides, and all of it as one timeline."""
        around = await asyncio.to_thread(self.sources.history.around, alarm, before=before, since=since)
        records = [told.record.id for told in (*around.before, *around.since)]
        raised_by = await asyncio.to_thread(self.sources.archive.raised_by, records)
        return self.view(alarm) | {
            "before": record_views(reversed(around.before)),
            "since": record_views(around.since),
            "timeline": timeline(alarm, around, raised_by),
            "earlier": len(around.before) >= before,
            "later": around.more,
        }

    async def acknowledge(self, number: int, untrusted_who: str) -> Alarm | None:
        """The first to do so stays; None where there is no such alarm."""
        name = "".join(character for character in untrusted_who if character.isprintable()).strip()[:LONGEST_NAME]
        return await asyncio.to_thread(
            self.sources.store.acknowledge, number, who=name or "somebody at the console", now=self.sources.clock()
        )

    async def controllers(self) -> list[dict[str, Any]]:
        """Every controller and its health."""
        lasting = await asyncio.to_thread(self.sources.archive.lasting_of)
        return controller_views(self.sources.controllers.trusted, self.sources.states(), lasting)

    def sites(self) -> dict[ControllerId, str]:
        """The site of each trusted controller."""
        return {controller: file.site for controller, file in self.sources.controllers.trusted.items()}

    def zone(self) -> str:
        """What a moment of no site is told in: the zone of all sites, empty where they have several."""
        return only_zone(file.timezone for file in self.sources.controllers.trusted.values())

    def view(self, alarm: Alarm) -> dict[str, Any]:
        """One as JSON has it."""
        return alarm_view(alarm, self.sources.controllers.trusted)

    def views(self, alarms: list[Alarm]) -> list[dict[str, Any]]:
        """Several."""
        trusted = self.sources.controllers.trusted
        return [alarm_view(alarm, trusted) for alarm in alarms]
