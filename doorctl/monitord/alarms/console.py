"""The console: pages of alarms on loopback, for whoever has the token. Its JSON and events are in interface.py.

    GET  /                what waits now, and the controllers   GET /now           its changing part
    GET  /alarms/ID       one alarm and what was around it      GET /alarms/ID/part
    GET  /past            all alarms: search, filter, pages     GET /past/part
    POST /alarms/ID/ack   acknowledge (form)                    POST /out          sign out (form)
Everything is the monitor's own: no outside script, style, font or picture. Looking is logged.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from doorctl.errors import OperatorError
from doorctl.monitord.alarms.access import FORM_FIELD, Access
from doorctl.monitord.alarms.answers import REFUSED, SafeHeaders, body_of, number_of, refused
from doorctl.monitord.alarms.bell import Bell
from doorctl.monitord.alarms.desk import BEFORE, MOST_AROUND, SINCE, Desk, Sources
from doorctl.monitord.alarms.interface import Interface
from doorctl.monitord.alarms.screens import NOTHING_ASKED, PAGES, Screens, asked
from doorctl.monitord.alarms.stream import Streams

_KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_ASSETS: Final = sorted(file.name for file in PAGES.iterdir() if file.suffix in _KINDS)


class Console:
    """The routes of the pages; holds no alarm itself."""

    def __init__(self, sources: Sources, access: Access, bell: Bell) -> None:
        self._access = access
        self._desk = Desk(sources, access)
        self._screens = Screens(self._desk)
        self.streams = Streams(self._desk, bell)
        self._interface = Interface(self._desk, access, self.streams)

    def app(self) -> Starlette:
        """For uvicorn."""
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/now", self.part),
                Route("/past", self.past),
                Route("/past/part", self.past_part),
                Route("/alarms/{alarm}", self.alarm),
                Route("/alarms/{alarm}/part", self.alarm_part),
                Route("/alarms/{alarm}/ack", self.acknowledge, methods=["POST"]),
                Route("/out", self.out, methods=["POST"]),
                *(Route(f"/{name}", self.asset) for name in _ASSETS),
                *self._interface.routes(),
            ],
            middleware=[Middleware(SafeHeaders)],
        )

    async def page(self, request: Request) -> Response:
        """What waits now; the printed address becomes a session and leaves the address bar."""
        token = request.query_params.get("token")
        if token is not None:
            return self._sign_in(token)
        if not self._access.may_look(request):
            return self._refused_page()
        await self._desk.looked(request, "page")
        return HTMLResponse(await self._screens.now("now.html", self._access.proof(request)))

    async def part(self, request: Request) -> Response:
        """What changes on the page; the look at it was logged with the page and its events."""
        if not self._access.may_look(request):
            return refused()
        return HTMLResponse(await self._screens.now("now_part.html", self._access.proof(request)))

    async def alarm(self, request: Request) -> Response:
        """One alarm and what was around it."""
        if not self._access.may_look(request):
            return self._refused_page()
        return await self._one(request, "alarm.html", logged=True)

    async def alarm_part(self, request: Request) -> Response:
        """What changes there; logged with the page."""
        if not self._access.may_look(request):
            return refused()
        return await self._one(request, "alarm_part.html", logged=False)

    async def past(self, request: Request) -> Response:
        """All alarms: a search and one page of what it finds."""
        if not self._access.may_look(request):
            return self._refused_page()
        await self._desk.looked(request, "past")
        return await self._past(request, "past.html")

    async def past_part(self, request: Request) -> Response:
        """The next page of the same, for the script that scrolls."""
        if not self._access.may_look(request):
            return refused()
        return await self._past(request, "past_part.html")

    async def acknowledge(self, request: Request) -> Response:
        """From the page's form."""
        if not self._access.may_look(request):
            return refused()
        form = await _form(request)
        if not self._access.may_change(request, form.get(FORM_FIELD, "")):
            return refused()
        alarm = await self._desk.acknowledge(number_of(request), form.get("who", ""))
        return RedirectResponse("/", status_code=303) if alarm else _no_such_alarm()

    async def out(self, request: Request) -> Response:
        """The session is over, here and in the browser."""
        if not self._access.may_look(request):
            return self._refused_page()
        form = await _form(request)
        if not self._access.may_change(request, form.get(FORM_FIELD, "")):
            return refused()
        answer = HTMLResponse(self._screens.out("signed out"))
        self._access.sign_out(request, answer)
        return answer

    async def asset(self, request: Request) -> Response:
        """Style, scripts and icons: nothing in them is secret. Only names that were there at the start are routed."""
        file = PAGES / request.url.path.removeprefix("/")
        return Response(file.read_bytes(), media_type=_KINDS[file.suffix])

    def _sign_in(self, untrusted_token: str) -> Response:
        if not self._access.is_token(untrusted_token):
            return self._refused_page()
        answer = RedirectResponse("/", status_code=303)
        self._access.sign_in(answer)
        return answer

    async def _one(self, request: Request, name: str, *, logged: bool) -> Response:
        alarm = await self._desk.alarm(number_of(request))
        if alarm is None:
            return _no_such_alarm()
        if logged:
            await self._desk.looked(request, f"alarm {alarm.id}")
        around = {side: _bounded(request.query_params.get(side, ""), least) for side, least in _AROUND.items()}
        return HTMLResponse(await self._screens.alarm(name, alarm, self._access.proof(request), **around))

    async def _past(self, request: Request, name: str) -> Response:
        proof = self._access.proof(request)
        try:
            search = asked(request.query_params)
        except OperatorError as error:
            return HTMLResponse(await self._screens.past(name, NOTHING_ASKED, proof, str(error)), status_code=400)
        return HTMLResponse(await self._screens.past(name, search, proof))

    def _refused_page(self) -> Response:
        return HTMLResponse(self._screens.out(REFUSED), status_code=401)


_AROUND: Final = {"before": BEFORE, "since": SINCE}


def _bounded(untrusted: str, least: int) -> int:
    """How many lines of a timeline somebody wants; what is no number is as many as ever."""
    known = untrusted.isascii() and untrusted.isdecimal() and len(untrusted) <= len(str(MOST_AROUND))
    return min(max(int(untrusted), least), MOST_AROUND) if known else least


async def _form(request: Request) -> Mapping[str, str]:
    """The first of each field."""
    try:
        fields = parse_qs((await body_of(request)).decode("utf-8", "replace"), max_num_fields=8)
    except ValueError:  # more fields than any form of ours has
        return {}
    return {name: values[0] for name, values in fields.items()}


def _no_such_alarm() -> Response:
    return HTMLResponse("no such alarm", status_code=404)
