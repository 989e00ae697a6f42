"""Who may look: whoever has the console's random token, from a file that only the monitor's user can read.

The token comes once in the printed address and begins a session, whose cookie no script can read; scripts send the
token as a bearer. What a page changes needs a second value that only our own pages of that session know.
"""

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from starlette.requests import Request, cookie_parser
from starlette.responses import Response

from doorctl.errors import OperatorError
from doorctl.monitord.alarms.sessions import Sessions
from doorctl.seal import private_files

FORM_FIELD: Final = "proof"
_TOKEN_BYTES: Final = 32
_TOKEN_FILE: Final = "console.token"  # noqa: S105  a file's name


def create_token(keys: Path, random_token: str) -> None:
    """A new token file, 0600."""
    private_files.create_file(keys / _TOKEN_FILE, f"{random_token}\n".encode())


def load_token(keys: Path) -> str:
    """The token; OperatorError where there is none that could be one."""
    token = private_files.read_file(keys / _TOKEN_FILE).decode("ascii", "replace").strip()
    if len(token) < _TOKEN_BYTES or not token.replace("-", "").replace("_", "").isalnum():
        raise OperatorError(f"{keys / _TOKEN_FILE}: expected at least {_TOKEN_BYTES} characters of URL-safe base64")
    return token


class Access:
    """Decides for each request."""

    def __init__(self, token: str, sessions: Sessions) -> None:
        self._token, self.sessions = token, sessions
        # Browsers keep cookies by host, not by port: two monitors on one machine must not sign each other out.
        self._cookie = f"doorctl-monitor-{self._derive(b'cookie')[:8]}"

    def is_token(self, untrusted: str) -> bool:
        """Whether somebody came with the printed address."""
        return _same(untrusted, self._token)

    def has_session(self, request: Request) -> bool:
        """A browser that came with the printed address before and has not signed out."""
        return self.sessions.knows(self.session(request))

    def has_bearer(self, request: Request) -> bool:
        """A script that read the token's file; no browser sends this by itself."""
        return self._is_bearer(request.headers.get("authorization", ""))

    def may_look(self, request: Request) -> bool:
        """To read anything."""
        return self.has_session(request) or self.has_bearer(request)

    def may_change(self, request: Request, untrusted_proof: str) -> bool:
        """To acknowledge, and to sign out."""
        return self.has_bearer(request) or (self.has_session(request) and _same(untrusted_proof, self.proof(request)))

    def proof(self, request: Request) -> str:
        """In every form of ours: another site can make a browser send the cookie, not this."""
        return self._derive(b"proof " + self.session(request).encode("utf-8", "replace"))

    def session(self, request: Request) -> str:
        """What the browser says its session is; empty where it says nothing."""
        return request.cookies.get(self._cookie, "")

    def sign_in(self, answer: Response) -> None:
        """A new session for whoever gets this answer."""
        session = self.sessions.begin()
        answer.set_cookie(self._cookie, session, httponly=True, samesite="strict", path="/")

    def sign_out(self, request: Request, answer: Response) -> None:
        """The session is over, here and in the browser."""
        self.sessions.end(self.session(request))
        answer.delete_cookie(self._cookie, httponly=True, samesite="strict", path="/")

    def knows(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request's head is of somebody who may look, before any of our routes has seen it."""
        for name, value in headers:
            text = value.decode("latin-1")
            if name.lower() == b"authorization" and self._is_bearer(text):
                return True
            if name.lower() == b"cookie" and self.sessions.knows(cookie_parser(text).get(self._cookie, "")):
                return True
        return False

    def _derive(self, purpose: bytes) -> str:
        return hmac.new(self._token.encode(), b"doorctl console " + purpose, hashlib.sha256).hexdigest()

    def _is_bearer(self, untrusted: str) -> bool:
        scheme, _, untrusted_token = untrusted.partition(" ")
        return scheme.lower() == "bearer" and _same(untrusted_token, self._token)


def _same(untrusted: str, expected: str) -> bool:
    return hmac.compare_digest(untrusted.encode("utf-8", "replace"), expected.encode())
