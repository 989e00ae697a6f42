"""Who may look: whoever has the console's random token, from a file that only the monitor's user can read.

The token comes once in the printed address and becomes a cookie that no script can read; scripts send it as a bearer.
What a page changes needs a second value that only our own pages know.
"""

import hashlib
import hmac
from pathlib import Path
from typing import Final

from starlette.requests import Request

from doorctl.errors import OperatorError
from doorctl.seal import private_files

COOKIE: Final = "doorctl-monitor"
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

    def __init__(self, token: str) -> None:
        self._token = token
        self.session = _derive(token, b"session")
        self.proof = _derive(token, b"proof")
        """In every form of ours: another site can make a browser send the cookie, not this."""

    def is_token(self, untrusted: str) -> bool:
        """Whether somebody came with the printed address."""
        return _same(untrusted, self._token)

    def has_session(self, request: Request) -> bool:
        """A browser that came with the printed address before."""
        return _same(request.cookies.get(COOKIE, ""), self.session)

    def has_bearer(self, request: Request) -> bool:
        """A script that read the token's file; no browser sends this by itself."""
        scheme, _, untrusted = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and _same(untrusted, self._token)

    def may_look(self, request: Request) -> bool:
        """To read anything."""
        return self.has_session(request) or self.has_bearer(request)

    def may_change(self, request: Request, untrusted_proof: str) -> bool:
        """To acknowledge."""
        return self.has_bearer(request) or (self.has_session(request) and _same(untrusted_proof, self.proof))


def _derive(token: str, purpose: bytes) -> str:
    return hmac.new(token.encode(), b"doorctl console " + purpose, hashlib.sha256).hexdigest()


def _same(untrusted: str, expected: str) -> bool:
    return hmac.compare_digest(untrusted.encode(), expected.encode())
