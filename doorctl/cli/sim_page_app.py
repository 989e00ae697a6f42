"""The page's HTTP side: who may come in, what they may ask, what is answered. Knows no socket and no daemon.

All of it lies under /TOKEN/, a random word in the printed address:
    GET  /                    the page, with page.css, page.js, icon.svg
    GET  /api/people          who can be played, with their codes: this is a simulation
    GET  /api/door            the door side as JSON            GET  /api/door/events      as it changes (SSE)
    POST /api/door/NAME/card  {"card": "ana-lopez"|"unknown"}  POST /api/door/NAME/keys   {"keys": "0-9*#"}
    POST /api/door/NAME/leaf  {"move": "open"|"close"|"force"} POST /api/door/NAME/tamper {"torn": true|false}
    POST /api/door/NAME/rex   {}
    POST /api/line            {"cut": true|false}              POST /api/doord/kill       {}
    GET  /api/monitor         the monitor side as JSON         GET  /api/monitor/events   as it changes (SSE)
    POST /api/alarms/ID/ack   {"who": "…"}
Another token is 403, another Host 403 (a name that somebody's DNS rebinds here), another path 404.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ExceptionHandler

from doorctl.cli.sim_page_door import DoorSide
from doorctl.cli.sim_page_feed import Feed
from doorctl.cli.sim_page_guard import Guard, StrictHeaders
from doorctl.cli.sim_page_hands import Hands, Move
from doorctl.cli.sim_page_monitor import MonitorSide
from doorctl.cli.sim_page_rig import Rig
from doorctl.cli.sim_site import Person
from doorctl.core.types import Card
from doorctl.errors import DoorctlError, OperatorError
from hal.wiegand.cards import FORMATS

STATIC: Final = Path(__file__).parent / "sim_static"
UNKNOWN_CARD: Final = "unknown"
_LARGEST_BODY: Final = 1024
_FILES: Final = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js", "/icon.svg": "icon.svg"}
_B = TypeVar("_B", bound=msgspec.Struct)


class HoldCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose card."""

    card: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class PressKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which keys."""

    keys: Annotated[str, msgspec.Meta(pattern=r"^[0-9*#]{1,16}\Z")]


class MoveLeaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which way."""

    move: Move


class Tear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Off the wall or on it."""

    torn: bool


class CutLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cut or mend."""

    cut: bool


class Acknowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has seen the alarm."""

    who: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """{}: there is nothing to choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What the routes reach."""

    door: DoorSide
    door_feed: Feed
    hands: Hands
    monitor: MonitorSide
    monitor_feed: Feed
    rig: Rig
    people: Mapping[str, Person]


class Page:
    """The routes; holds no state of its own."""

    def __init__(self, sides: Sides) -> None:
        self._sides = sides

    def app(self, token: str, port: int) -> Starlette:
        """For uvicorn, reached at http://127.0.0.1:PORT/TOKEN/."""
        errors: dict[Any, ExceptionHandler] = {HTTPException: _http_error, DoorctlError: _doorctl_error}
        app = Starlette(
            routes=[
                *(Route(path, _file) for path in _FILES),
                Route("/api/people", self.people),
                Route("/api/door", self.door),
                Route("/api/door/events", self.door_events),
                Route("/api/door/{door}/card", self.card, methods=["POST"]),
                Route("/api/door/{door}/keys", self.keys, methods=["POST"]),
                Route("/api/door/{door}/leaf", self.leaf, methods=["POST"]),
                Route("/api/door/{door}/rex", self.rex, methods=["POST"]),
                Route("/api/door/{door}/tamper", self.tamper, methods=["POST"]),
                Route("/api/line", self.line, methods=["POST"]),
                Route("/api/doord/kill", self.kill, methods=["POST"]),
                Route("/api/monitor", self.monitor),
                Route("/api/monitor/events", self.monitor_events),
                Route("/api/alarms/{alarm:int}/ack", self.acknowledge, methods=["POST"]),
            ],
            middleware=[Middleware(StrictHeaders), Middleware(Guard, token=token, port=port)],
            exception_handlers=errors,
        )
        app.router.redirect_slashes = False
        return app

    # The door side

    async def people(self, _: Request) -> Response:
        """Who can be played."""
        people = [
            {
                "holder": person.holder,
                "label": person.label,
                "card": person.card is not None,
                "code": person.code,
                "duress_code": person.duress_code,
            }
            for person in self._sides.people.values()
        ]
        return JSONResponse({"people": people})

    async def door(self, _: Request) -> Response:
        """The door side, once."""
        side = self._sides.door
        doors = [asdict(door) for door in side.doors.values()]
        rig = asdict(self._sides.rig.view)
        return JSONResponse(
            {"site": side.site, "board": asdict(side.board), "doors": doors, "log": list(side.log), "rig": rig}
        )

    async def door_events(self, _: Request) -> Response:
        """The door side, as it changes."""
        side, rig = self._sides.door, self._sides.rig
        return _stream(self._sides.door_feed, lambda: [*side.everything(), ("rig", asdict(rig.view))])

    async def card(self, request: Request) -> Response:
        """Hold a card to a reader."""
        door, body = self._at(request), await _body(request, HoldCard)
        await self._sides.hands.hold_card(door, self._card(body.card))
        return _done()

    async def keys(self, request: Request) -> Response:
        """Press keys."""
        door, body = self._at(request), await _body(request, PressKeys)
        await self._sides.hands.press_keys(door, body.keys)
        return _done()

    async def leaf(self, request: Request) -> Response:
        """Open, close or force a door."""
        door, body = self._at(request), await _body(request, MoveLeaf)
        await self._sides.hands.move_leaf(door, body.move)
        return _done()

    async def rex(self, request: Request) -> Response:
        """Press the button inside."""
        door, _ = self._at(request), await _body(request, Nothing)
        await self._sides.hands.press_rex(door)
        return _done()

    async def tamper(self, request: Request) -> Response:
        """Tear a reader off, or put it back."""
        door, body = self._at(request), await _body(request, Tear)
        await self._sides.hands.tamper(door, torn=body.torn)
        return _done()

    # What can be broken

    async def line(self, request: Request) -> Response:
        """Cut or mend the line to the monitor."""
        body = await _body(request, CutLine)
        await self._sides.rig.set_line(cut=body.cut)
        return _done()

    async def kill(self, request: Request) -> Response:
        """kill -9 doord."""
        await _body(request, Nothing)
        await self._sides.rig.kill_doord()
        return _done()

    # The monitor side

    async def monitor(self, _: Request) -> Response:
        """The monitor side, once."""
        return JSONResponse(asdict(self._sides.monitor.view))

    async def monitor_events(self, _: Request) -> Response:
        """The monitor side, as it changes."""
        return _stream(self._sides.monitor_feed, self._sides.monitor.everything)

    async def acknowledge(self, request: Request) -> Response:
        """Acknowledge an alarm, at the monitor."""
        body = await _body(request, Acknowledge)
        return JSONResponse(await self._sides.monitor.acknowledge(request.path_params["alarm"], body.who))

    # What they share

    def _at(self, request: Request) -> str:
        door: str = request.path_params["door"]
        if door not in self._sides.door.config:
            raise HTTPException(404, "no such door")
        return door

    def _card(self, untrusted_whose: str) -> Card:
        if untrusted_whose == UNKNOWN_CARD:
            length, raw = FORMATS["H10301"].encode({"facility": 99, "card": 9999})
            return Card(length=length, raw=raw)
        person = self._sides.people.get(untrusted_whose)
        if person is None or person.card is None:
            raise HTTPException(404, "no such card")
        return person.card


async def _file(request: Request) -> Response:
    return FileResponse(STATIC / _FILES[request.scope["path"]])


async def _body(request: Request, kind: type[_B]) -> _B:
    """The checked body; anything but a small JSON object of exactly that shape is refused."""
    if request.headers.get("content-type") != "application/json":
        raise HTTPException(415, "expected content-type: application/json")
    untrusted = b""
    async for piece in request.stream():
        untrusted += piece
        if len(untrusted) > _LARGEST_BODY:
            raise HTTPException(413, f"expected at most {_LARGEST_BODY} bytes")
    try:
        return msgspec.json.decode(untrusted, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, str(error)) from error


def _stream(feed: Feed, everything: Any) -> Response:
    if feed.full:
        raise HTTPException(503, "too many pages are open")
    return StreamingResponse(feed.listen(everything), media_type="text/event-stream")


def _done() -> Response:
    return JSONResponse({"ok": True})


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


async def _doorctl_error(_: Request, error: Exception) -> Response:
    """What the door or the monitor would not do, or could not."""
    return JSONResponse({"error": str(error)}, status_code=409 if isinstance(error, OperatorError) else 502)
