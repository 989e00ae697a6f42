"""Who may come in: somebody with the token of the printed address, in a browser that means this address.

Plain ASGI, so that a stream is not held up. Looks at the request's line and headers only.
"""

import hmac
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STRICT: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Lets in what comes to /TOKEN/… of this very host, and hides the token from what is behind."""

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(Headers(scope=scope))
        untrusted_token, slash, rest = scope["path"].removeprefix("/").partition("/")
        if refusal is None and not hmac.compare_digest(untrusted_token.encode(), self._token):
            refusal = "this page needs the address that `doorctl sim` printed"
        if refusal is not None:
            await JSONResponse({"error": refusal}, status_code=403)(scope, receive, send)
        elif not slash:
            await RedirectResponse(f"{scope['path']}/", status_code=307)(scope, receive, send)
        else:
            path = f"/{rest}"
            await self._app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    def _refusal(self, headers: Headers) -> str | None:
        """Why a request cannot mean us: a rebound name, or another site's page."""
        if headers.get("host") not in self._hosts:
            return "this page is at 127.0.0.1 only"
        origin = headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self._hosts:
            return "another page may not ask this one"
        return None


class StrictHeaders:
    """The same headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add them."""

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                strict = [(name.encode(), value.encode()) for name, value in _STRICT.items()]
                message["headers"] = [*message.get("headers", []), *strict]
            await send(message)

        await self._app(scope, receive, send_strictly)
