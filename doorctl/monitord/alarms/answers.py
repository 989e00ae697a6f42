"""What all answers of the console have in common: their headers, the refusal, and how much of a body is read."""

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LARGEST_BODY: Final = 4096
_BODY_S: Final = 10.0
_DIGITS: Final = 19
"""Of SQLite's highest number."""
REFUSED: Final = "this console needs the address that `doorctl monitor run` printed"
_SAFE: Final = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "connection": "close",
}
"""`connection`: one request a connection, so that none is idle in between; front.py counts on it."""


class SafeHeaders:
    """The same headers on every answer; plain ASGI, since a stream must not be buffered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add them."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                safe = [(name.encode(), value.encode()) for name, value in _SAFE.items()]
                message["headers"] = [*message.get("headers", []), *safe]
            await send(message)

        await self._app(scope, receive, send_safely)


async def body_of(request: Request) -> bytes:
    """At most what a form of ours has, within a while; empty for anything else."""
    body = b""
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST_BODY:
                    return b""
    except (TimeoutError, ClientDisconnect):
        return b""
    return body


def number_of(request: Request) -> int:
    """The alarm that an address names; 0, which no alarm has, where it is no number."""
    untrusted: str = request.path_params["alarm"]
    known = untrusted.isascii() and untrusted.isdecimal() and len(untrusted) < _DIGITS
    return int(untrusted) if known else 0


def refused() -> Response:
    """Nobody who may look; says nothing of what is here."""
    return Response(REFUSED, status_code=401, media_type="text/plain")
