"""The page's HTTP side: who may come in, what they may ask, what is answered. Knows no socket and no daemon.

All of it lies under /TOKEN/, a random word in the printed address:
    GET  /                    the page, with its style sheets, scripts and icon
    GET  /api/events          everything, then each change (SSE): the one stream of a browser
    GET  /api/people          who can be played, with the demo people's codes: this is a simulation
    POST /api/people          {"label": "…"}: enrol somebody; the answer has the codes, this once
    POST /api/people/HOLDER/remove {}
    GET  /api/door            the door side as JSON            GET  /api/monitor          the monitor side
    GET  /api/compare         the last visits with either code, laid under each other
    POST /api/door/NAME/card  {"card": "ana-lopez"|"unknown"}  POST /api/door/NAME/keys   {"keys": "0-9*#"}
    POST /api/door/NAME/visit {"person": "ana-lopez", "code": "normal"|"duress"}
    POST /api/door/NAME/leaf  {"move": "open"|"close"|"force"|"hold"}
    POST /api/door/NAME/rex   {}                               POST /api/door/NAME/tamper {"torn": true|false}
    POST /api/line            {"cut": true|false}              POST /api/power            {"cut": true|false}
    POST /api/disk            {"stalled": true|false}          POST /api/doord/kill       {}
    POST /api/alarms/ID/ack   {"who": "…"}
An error is {"error": "…", "hint": "…" or null}, with "while": "locked"|"gone" if it is true for as long as the strike
holds the leaf or the board does not run. Another token is 403, another Host 403 (a name that somebody's DNS rebinds
here), another path 404.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ExceptionHandler

from doorctl.cli.mock_line import BoardGoneError
from doorctl.cli.sim_page_bodies import (
    Acknowledge,
    Cut,
    Enrol,
    HoldCard,
    MoveLeaf,
    Nothing,
    PlayVisit,
    PressKeys,
    Stall,
    Tear,
    body,
)
from doorctl.cli.sim_page_door import DoorSide
from doorctl.cli.sim_page_feed import Event, Feed
from doorctl.cli.sim_page_guard import Guard, StrictHeaders
from doorctl.cli.sim_page_hands import Hands, LockedError
from doorctl.cli.sim_page_monitor import MonitorSide
from doorctl.cli.sim_page_people import People
from doorctl.cli.sim_page_rig import Rig
from doorctl.cli.sim_page_visits import Visits
from doorctl.cli.sim_site import Person
from doorctl.core.types import Card, HolderId
from doorctl.errors import DoorctlError, OperatorError
from hal.wiegand.cards import FORMATS

STATIC: Final = Path(__file__).parent / "sim_static"
UNKNOWN_CARD: Final = "unknown"
_NAMES: Final = (
    "page.css door.css compare.css icon.svg page.js ask.js compare.js door.js keypad.js leaf.js live.js log.js "
    "monitor.js people.js rig.js sound.js"
)
FILES: Final = {"/": "page.html", **{f"/{name}": name for name in _NAMES.split()}}
"""Path → file: what is not named is not served."""
_TRUE_WHILE: Final[dict[type[DoorctlError], str]] = {LockedError: "locked", BoardGoneError: "gone"}
"""Refusals that are not of their moment alone; ask.js sees when each is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What the routes reach."""

    feed: Feed
    door: DoorSide
    hands: Hands
    monitor: MonitorSide
    rig: Rig
    people: People
    visits: Visits

    def everything(self) -> Iterable[Event]:
        """For a browser that comes."""
        for side in (self.people, self.door, self.rig, self.monitor, self.visits):
            yield from side.everything()


class Page:
    """The routes; holds no state of its own."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides

    def app(self, token: str, port: int) -> Starlette:
        """For uvicorn, reached at http://127.0.0.1:PORT/TOKEN/."""
        errors: dict[Any, ExceptionHandler] = {HTTPException: _http_error, DoorctlError: _doorctl_error}
        app = Starlette(
            routes=[*(Route(path, _file) for path in FILES), *self._looks(), *self._deeds()],
            middleware=[Middleware(StrictHeaders), Middleware(Guard, token=token, port=port)],
            exception_handlers=errors,
        )
        app.router.redirect_slashes = False
        return app

    def _looks(self) -> list[Route]:
        return [
            Route("/api/events", self.events),
            Route("/api/people", self.people),
            Route("/api/door", self.door),
            Route("/api/monitor", self.monitor),
            Route("/api/compare", self.compare),
        ]

    def _deeds(self) -> list[Route]:
        deeds = {
            "/api/door/{door}/card": self.card,
            "/api/door/{door}/keys": self.keys,
            "/api/door/{door}/visit": self.visit,
            "/api/door/{door}/leaf": self.leaf,
            "/api/door/{door}/rex": self.rex,
            "/api/door/{door}/tamper": self.tamper,
            "/api/people": self.enrol,
            "/api/people/{holder}/remove": self.remove,
            "/api/line": self.line,
            "/api/power": self.power,
            "/api/disk": self.disk,
            "/api/doord/kill": self.kill,
            "/api/alarms/{alarm:int}/ack": self.acknowledge,
        }
        return [Route(path, deed, methods=["POST"]) for path, deed in deeds.items()]

    # Looks

    async def events(self, _: Request) -> Response:
        """Everything, then as it changes."""
        if self._sides.feed.full:
            raise HTTPException(503, "too many pages are open")
        stream = self._sides.feed.listen(self._sides.everything)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def people(self, _: Request) -> Response:
        """Who can be played."""
        return JSONResponse({"people": self._sides.people.view()})

    async def door(self, _: Request) -> Response:
        """The door side, once."""
        return JSONResponse(dict([*self._sides.door.everything(), *self._sides.rig.everything()]))

    async def monitor(self, _: Request) -> Response:
        """The monitor side, once."""
        return JSONResponse(asdict(self._sides.monitor.view))

    async def compare(self, _: Request) -> Response:
        """The last visits, of each door."""
        return JSONResponse({"compare": self._sides.visits.comparisons})

    # At a door

    async def card(self, request: Request) -> Response:
        """Hold a card to the reader."""
        door, asked = self._at(request), await body(request, HoldCard)
        await self._sides.hands.hold_card(door, self._card(asked.card))
        return _done()

    async def keys(self, request: Request) -> Response:
        """Press keys."""
        door, asked = self._at(request), await body(request, PressKeys)
        await self._sides.hands.press_keys(door, asked.keys)
        return _done()

    async def visit(self, request: Request) -> Response:
        """Card and code of somebody, one after the other."""
        door, asked = self._at(request), await body(request, PlayVisit)
        person = self._person(asked.person)
        code = person.code if asked.code == "normal" else person.duress_code
        await self._sides.hands.play(door, person, code)
        return _done()

    async def leaf(self, request: Request) -> Response:
        """Open, close, force or hold a door."""
        door, asked = self._at(request), await body(request, MoveLeaf)
        await self._sides.hands.move_leaf(door, asked.move)
        return _done()

    async def rex(self, request: Request) -> Response:
        """Press the button inside."""
        door, _ = self._at(request), await body(request, Nothing)
        await self._sides.hands.press_rex(door)
        return _done()

    async def tamper(self, request: Request) -> Response:
        """Tear a reader off, or put it back."""
        door, asked = self._at(request), await body(request, Tear)
        await self._sides.hands.tamper(door, torn=asked.torn)
        return _done()

    # People

    async def enrol(self, request: Request) -> Response:
        """One more person; the only answer that ever has their codes."""
        return JSONResponse(await self._sides.people.add((await body(request, Enrol)).label))

    async def remove(self, request: Request) -> Response:
        """One of the visitor's own people."""
        await body(request, Nothing)
        holder: str = request.path_params["holder"]
        await self._sides.people.remove(holder)
        self._sides.visits.forget(holder)
        return _done()

    # What can be broken

    async def line(self, request: Request) -> Response:
        """Cut or mend the line to the monitor."""
        await self._sides.rig.set_line(cut=(await body(request, Cut)).cut)
        return _done()

    async def power(self, request: Request) -> Response:
        """Cut the board's power, or give it back."""
        await self._sides.rig.set_power(cut=(await body(request, Cut)).cut)
        return _done()

    async def disk(self, request: Request) -> Response:
        """Stall the board's disk, or let it write again."""
        await self._sides.rig.set_disk(stalled=(await body(request, Stall)).stalled)
        return _done()

    async def kill(self, request: Request) -> Response:
        """kill -9 doord."""
        await body(request, Nothing)
        await self._sides.rig.kill_doord()
        return _done()

    # The monitor

    async def acknowledge(self, request: Request) -> Response:
        """Acknowledge an alarm, at the monitor."""
        asked = await body(request, Acknowledge)
        return JSONResponse(await self._sides.monitor.acknowledge(request.path_params["alarm"], asked.who))

    # What they share

    def _at(self, request: Request) -> str:
        door: str = request.path_params["door"]
        if door not in self._sides.door.config:
            raise HTTPException(404, "no such door")
        return door

    def _person(self, untrusted_whose: str) -> Person:
        person = self._sides.people.people.get(HolderId(untrusted_whose))
        if person is None:
            raise HTTPException(404, "no such person")
        return person

    def _card(self, untrusted_whose: str) -> Card:
        if untrusted_whose == UNKNOWN_CARD:
            length, raw = FORMATS["H10301"].encode({"facility": 99, "card": 9999})
            return Card(length=length, raw=raw)
        card = self._person(untrusted_whose).card
        if card is None:
            raise HTTPException(404, "no such card")
        return card


async def _file(request: Request) -> Response:
    return FileResponse(STATIC / FILES[request.scope["path"]])


def _done() -> Response:
    return JSONResponse({"ok": True})


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail, "hint": None}, status_code=error.status_code, headers=error.headers)


async def _doorctl_error(_: Request, error: Exception) -> Response:
    """What the door or the monitor would not do, or could not."""
    assert isinstance(error, DoorctlError)
    status = 409 if isinstance(error, OperatorError) else 502
    told = {"error": str(error).partition("\n")[0], "hint": error.hint}
    lasts = next((word for kind, word in _TRUE_WHILE.items() if isinstance(error, kind)), None)
    return JSONResponse(told if lasts is None else told | {"while": lasts}, status_code=status)
