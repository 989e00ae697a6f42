"""The console's JSON and its events, for scripts, for `doorctl monitor alarms` and for the page's own script.

GET  /api/alarms           new ones first, how many alarms of them (`open`) and `notes`
                                                 POST /api/alarms/ID/ack    {"who": "…"}
GET  /api/alarms/ID        with what happened before and since
GET  /api/past             all, newest first: q, kind, state, controller, from, to, before
GET  /api/controllers      and their health      GET  /api/events           SSE, resumes with Last-Event-ID
GET  /events               SSE for the page, with beats  (both say `reload` to whoever knows a change that is not)
"""

import asyncio
import json
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from doorctl.errors import OperatorError
from doorctl.monitord.alarms.access import FORM_FIELD, Access
from doorctl.monitord.alarms.answers import body_of, number_of, refused
from doorctl.monitord.alarms.desk import Desk
from doorctl.monitord.alarms.screens import PAGE, asked
from doorctl.monitord.alarms.stream import Streams, resume_from

_SHOWN: Final = 200
_MOST_SHOWN: Final = 1000


class Interface:
    """The routes below /api, and the page's events."""

    def __init__(self, desk: Desk, access: Access, streams: Streams) -> None:
        self._desk, self._access, self._streams = desk, access, streams

    def routes(self) -> list[Route]:
        """For the console."""
        return [
            Route("/api/alarms", self.alarms),
            Route("/api/alarms/{alarm}", self.alarm),
            Route("/api/alarms/{alarm}/ack", self.acknowledge, methods=["POST"]),
            Route("/api/past", self.past),
            Route("/api/controllers", self.controllers),
            Route("/api/events", self.changes),
            Route("/events", self.events),
        ]

    async def alarms(self, request: Request) -> Response:
        """Those that need somebody first."""
        if not self._access.may_look(request):
            return refused()
        limit = request.query_params.get("limit", str(_SHOWN))
        if not limit.isdecimal() or len(limit) > len(str(_MOST_SHOWN)) or not 1 <= int(limit) <= _MOST_SHOWN:
            return JSONResponse({"error": f"limit: expected 1 to {_MOST_SHOWN}"}, status_code=400)
        await self._desk.looked(request, "alarms")
        change = await self._desk.last_change()
        waiting = await self._desk.waiting()
        return JSONResponse(
            {
                "alarms": await self._desk.alarms(int(limit)), "change": change,
                "open": waiting.alarms, "notes": waiting.notes,
            }
        )  # fmt: skip

    async def past(self, request: Request) -> Response:
        """One page of all that fit; `older` is what to give as `before` for the next."""
        if not self._access.may_look(request):
            return refused()
        try:
            search = asked(request.query_params)
        except OperatorError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        await self._desk.looked(request, "past")
        found = await asyncio.to_thread(
            self._desk.sources.archive.page, search.search, self._desk.sites(), before=search.before, limit=PAGE + 1
        )
        older = found[PAGE - 1].id if len(found) > PAGE else None
        return JSONResponse({"alarms": self._desk.views(found[:PAGE]), "older": older})

    async def alarm(self, request: Request) -> Response:
        """One alarm and what happened around it."""
        if not self._access.may_look(request):
            return refused()
        found = await self._desk.alarm(number_of(request))
        if found is None:
            return _no_such_alarm()
        await self._desk.looked(request, f"alarm {found.id}")
        return JSONResponse(await self._desk.detail(found))

    async def acknowledge(self, request: Request) -> Response:
        """For scripts (bearer) and for the page's own script (cookie and proof)."""
        if not self._access.may_look(request):
            return refused()
        try:
            given = json.loads(await body_of(request))
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict) or not isinstance(given.get("who"), str):
            return JSONResponse({"error": 'expected {"who": "…"}'}, status_code=400)
        if not self._access.may_change(request, str(given.get(FORM_FIELD, ""))):
            return refused()
        alarm = await self._desk.acknowledge(number_of(request), given["who"])
        return JSONResponse(self._desk.view(alarm)) if alarm else _no_such_alarm()

    async def controllers(self, request: Request) -> Response:
        """Every controller and its health."""
        if not self._access.may_look(request):
            return refused()
        return JSONResponse({"controllers": await self._desk.controllers()})

    async def changes(self, request: Request) -> Response:
        """Changes as they come; after Last-Event-ID (or ?after=) where given, else from now on."""
        return await self._stream(request, page=False)

    async def events(self, request: Request) -> Response:
        """The same for the page."""
        return await self._stream(request, page=True)

    async def _stream(self, request: Request, *, page: bool) -> Response:
        if not self._access.may_look(request):
            return refused()
        if self._streams.full:
            return JSONResponse({"error": "too many listeners"}, status_code=503)
        after = resume_from(request.headers.get("last-event-id", request.query_params.get("after", "")))
        number = await self._desk.last_change() if after is None else after
        await self._desk.looked(request, "events")
        tell = self._streams.page if page else self._streams.changes
        return StreamingResponse(tell(number, lambda: self._access.may_look(request)), media_type="text/event-stream")


def _no_such_alarm() -> Response:
    return JSONResponse({"error": "no such alarm"}, status_code=404)
