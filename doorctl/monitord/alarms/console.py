"""The console: a page of alarms and a small JSON interface, on loopback, for whoever has the token.

    GET  /                     the page           GET  /list                 its changing part
    GET  /alarms/ID            one alarm          POST /alarms/ID/ack        acknowledge (form)
    GET  /api/alarms           JSON               POST /api/alarms/ID/ack    {"who": "…"}
    GET  /api/alarms/ID        with what was before
    GET  /api/controllers      JSON               GET  /api/events           SSE, resumes with Last-Event-ID
Everything is the monitor's own: no outside script, style, font or picture. Looking is logged.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.access import COOKIE, FORM_FIELD, Access
from doorctl.monitord.alarms.bell import Bell
from doorctl.monitord.alarms.state import ControllerState
from doorctl.monitord.alarms.store import LONGEST_NAME, Alarm, AlarmStore
from doorctl.monitord.alarms.views import alarm_view, controller_views, record_views
from doorctl.monitord.controllers import ControllersFolder
from doorctl.monitord.ledger import LedgerRecord
from doorctl.wire.record import ControllerId

PAGES: Final = Path(__file__).parent / "pages"
_SHOWN: Final = 200
_MOST_SHOWN: Final = 1000
_LARGEST_BODY: Final = 4096
_HEARTBEAT_S: Final = 15.0
_MOST_LISTENERS: Final = 64
_CHANGES_AT_ONCE: Final = 256
_HIGHEST_ID: Final = (1 << 63) - 1
"""SQLite's."""
_SAFE: Final = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "connection": "close",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the console shows; all of it may be called from any thread."""

    store: AlarmStore
    controllers: ControllersFolder
    states: Callable[[], dict[ControllerId, ControllerState]]
    before: Callable[[Alarm], list[tuple[LedgerRecord, str]]]
    """What a controller did before an alarm, newest first, with the person where a row names one."""
    clock: Callable[[], WallTime]


class Console:
    """The routes; holds no alarm itself."""

    def __init__(self, sources: Sources, access: Access, bell: Bell) -> None:
        self._sources, self._access, self._bell = sources, access, bell
        self._listeners = 0
        self._pages = Environment(
            loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip

    def app(self) -> Starlette:
        """For uvicorn."""
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/list", self.part),
                Route("/page.css", self.asset),
                Route("/page.js", self.asset),
                Route("/alarms/{alarm:int}", self.alarm),
                Route("/alarms/{alarm:int}/ack", self.acknowledge, methods=["POST"]),
                Route("/api/alarms", self.api_alarms),
                Route("/api/alarms/{alarm:int}", self.api_alarm),
                Route("/api/alarms/{alarm:int}/ack", self.api_acknowledge, methods=["POST"]),
                Route("/api/controllers", self.api_controllers),
                Route("/api/events", self.api_events),
            ],
            middleware=[Middleware(_SafeHeaders)],
        )

    # Pages

    async def page(self, request: Request) -> Response:
        """The whole page; the printed address becomes a cookie and leaves the address bar."""
        token = request.query_params.get("token")
        if token is not None:
            if not self._access.is_token(token):
                return _refused()
            answer = RedirectResponse("/", status_code=303)
            answer.set_cookie(COOKIE, self._access.sessions.begin(), httponly=True, samesite="strict", path="/")
            return answer
        if not self._access.may_look(request):
            return _refused()
        await self._looked(request, "page")
        return await self._page_of(request, "page.html")

    async def part(self, request: Request) -> Response:
        """What changes on the page; the look at it was logged with the page and its events."""
        if not self._access.may_look(request):
            return _refused()
        return await self._page_of(request, "list.html")

    async def alarm(self, request: Request) -> Response:
        """One alarm and what was before."""
        if not self._access.may_look(request):
            return _refused()
        found = await self._detail(request)
        if found is None:
            return HTMLResponse("no such alarm", status_code=404)
        page = self._pages.get_template("alarm.html")
        return HTMLResponse(page.render(alarm=found, proof=self._access.proof(request), field=FORM_FIELD))

    async def acknowledge(self, request: Request) -> Response:
        """From the page's form."""
        if not self._access.may_look(request):
            return _refused()
        try:
            form = parse_qs((await _body(request)).decode("utf-8", "replace"), max_num_fields=8)
        except ValueError:  # more fields than any form of ours has
            form = {}
        untrusted_proof, who = (form.get(name, [""])[0] for name in (FORM_FIELD, "who"))
        if not self._access.may_change(request, untrusted_proof):
            return _refused()
        alarm = await self._acknowledged(request, who)
        return RedirectResponse("/", status_code=303) if alarm else HTMLResponse("no such alarm", status_code=404)

    async def asset(self, request: Request) -> Response:
        """Style and script: nothing in them is secret."""
        name = request.url.path.removeprefix("/")
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        return Response((PAGES / name).read_bytes(), media_type=kind)

    # JSON

    async def api_alarms(self, request: Request) -> Response:
        """Those that need somebody first."""
        if not self._access.may_look(request):
            return _refused()
        limit = request.query_params.get("limit", str(_SHOWN))
        if not limit.isdecimal() or not 1 <= int(limit) <= _MOST_SHOWN:
            return JSONResponse({"error": f"limit: expected 1 to {_MOST_SHOWN}"}, status_code=400)
        await self._looked(request, "alarms")
        change = await self._last_change()
        return JSONResponse({"alarms": await self._alarms(int(limit)), "change": change})

    async def api_alarm(self, request: Request) -> Response:
        """One alarm and what was before."""
        if not self._access.may_look(request):
            return _refused()
        found = await self._detail(request)
        return JSONResponse(found) if found else _no_such_alarm()

    async def api_acknowledge(self, request: Request) -> Response:
        """For scripts (bearer) and for the page's own script (cookie and proof)."""
        if not self._access.may_look(request):
            return _refused()
        try:
            given = json.loads(await _body(request))
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict) or not isinstance(given.get("who"), str):
            return JSONResponse({"error": 'expected {"who": "…"}'}, status_code=400)
        if not self._access.may_change(request, str(given.get(FORM_FIELD, ""))):
            return _refused()
        alarm = await self._acknowledged(request, given["who"])
        return JSONResponse(alarm_view(alarm, self._sites())) if alarm else _no_such_alarm()

    async def api_controllers(self, request: Request) -> Response:
        """Every controller and its health."""
        return JSONResponse({"controllers": self._controllers()}) if self._access.may_look(request) else _refused()

    async def api_events(self, request: Request) -> Response:
        """Changes as they come; after Last-Event-ID (or ?after=) where given, else from now on."""
        if not self._access.may_look(request):
            return _refused()
        if self._listeners >= _MOST_LISTENERS:
            return JSONResponse({"error": "too many listeners"}, status_code=503)
        after = request.headers.get("last-event-id", request.query_params.get("after", ""))
        known = after.isascii() and after.isdecimal() and len(after) < len(str(_HIGHEST_ID))
        number = int(after) if known else await self._last_change()
        await self._looked(request, "events")
        return StreamingResponse(self._events(number), media_type="text/event-stream")

    async def _events(self, number: int) -> AsyncIterator[str]:
        self._listeners += 1
        try:
            yield f"retry: 1000\nid: {number}\n\n"
            while not self._bell.stopping:
                rung = self._bell.listen()
                changes = await asyncio.to_thread(self._sources.store.changes_after, number, _CHANGES_AT_ONCE)
                for change, alarm in changes:
                    number = change
                    yield f"id: {change}\nevent: alarm\ndata: {json.dumps(alarm_view(alarm, self._sites()))}\n\n"
                if not changes:
                    await self._bell.wait(rung, _HEARTBEAT_S)
                    yield ": still here\n\n"
        finally:
            self._listeners -= 1

    # What they share

    async def _page_of(self, request: Request, name: str) -> Response:
        change = await self._last_change()
        alarms = await self._alarms(_SHOWN)
        text = self._pages.get_template(name).render(
            alarms=[alarm for alarm in alarms if alarm["state"] == "new"],
            past=[alarm for alarm in alarms if alarm["state"] != "new"],
            controllers=self._controllers(), proof=self._access.proof(request), field=FORM_FIELD,
            change=change,
        )  # fmt: skip
        return HTMLResponse(text)

    async def _detail(self, request: Request) -> dict[str, Any] | None:
        if request.path_params["alarm"] > _HIGHEST_ID:
            return None
        alarm = await asyncio.to_thread(self._sources.store.alarm, request.path_params["alarm"])
        if alarm is None:
            return None
        await self._looked(request, f"alarm {alarm.id}")
        before = await asyncio.to_thread(self._sources.before, alarm)
        return alarm_view(alarm, self._sites()) | {"before": record_views(before)}

    async def _acknowledged(self, request: Request, who: str) -> Alarm | None:
        if request.path_params["alarm"] > _HIGHEST_ID:
            return None
        name = "".join(character for character in who if character.isprintable()).strip()[:LONGEST_NAME]
        return await asyncio.to_thread(
            self._sources.store.acknowledge, request.path_params["alarm"], who=name or "somebody at the console",
            now=self._sources.clock(),
        )  # fmt: skip

    async def _looked(self, request: Request, what: str) -> None:
        who = "bearer" if self._access.has_bearer(request) else "browser"
        await asyncio.to_thread(self._sources.store.looked, who=who, what=what, now=self._sources.clock())

    async def _alarms(self, limit: int) -> list[dict[str, Any]]:
        alarms = await asyncio.to_thread(self._sources.store.alarms, limit)
        return [alarm_view(alarm, self._sites()) for alarm in alarms]

    async def _last_change(self) -> int:
        """Asked before the alarms are read: one raised in between is then told again, and never by neither."""
        return await asyncio.to_thread(self._sources.store.last_change)

    def _sites(self) -> dict[ControllerId, str]:
        return {controller: file.site for controller, file in self._sources.controllers.trusted.items()}

    def _controllers(self) -> list[dict[str, Any]]:
        return controller_views(self._sources.controllers.trusted, self._sources.states())


class _SafeHeaders:
    """The same headers on every answer; plain ASGI, since a stream must not be buffered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                safe = [(name.encode(), value.encode()) for name, value in _SAFE.items()]
                message["headers"] = [*message.get("headers", []), *safe]
            await send(message)

        await self._app(scope, receive, send_safely)


async def _body(request: Request) -> bytes:
    """At most what a form of ours has; the rest is not read."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            return b""
    return body


def _refused() -> Response:
    text = "this console needs the address that `doorctl monitor run` printed"
    return Response(text, status_code=401, media_type="text/plain")


def _no_such_alarm() -> Response:
    return JSONResponse({"error": "no such alarm"}, status_code=404)
