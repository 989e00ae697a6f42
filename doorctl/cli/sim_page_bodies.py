"""What a browser may send to the page, shape by shape, and the one function that checks it.

Everything is small, of JSON, and of exactly that form; anything else is refused before anything of it is done.
"""

from typing import Annotated, Final, Literal, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from doorctl.cli.sim_page_hands import Move

_LARGEST: Final = 1024
_B = TypeVar("_B", bound=msgspec.Struct)
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class HoldCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose card."""

    card: Name


class PressKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which keys."""

    keys: Annotated[str, msgspec.Meta(pattern=r"^[0-9*#]{1,16}\Z")]


class PlayVisit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who comes, and which of their codes they give."""

    person: Name
    code: Literal["normal", "duress"]


class MoveLeaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which way."""

    move: Move


class Tear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Off the wall or on it."""

    torn: bool


class Cut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cut or mend."""

    cut: bool


class Stall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stall or let go."""

    stalled: bool


class Enrol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who."""

    label: Name


class Acknowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who has seen the alarm."""

    who: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """{}: there is nothing to choose."""


async def body(request: Request, kind: type[_B]) -> _B:
    """The checked body; HTTPException for anything but a small JSON object of exactly that shape."""
    if request.headers.get("content-type") != "application/json":
        raise HTTPException(415, "expected content-type: application/json")
    untrusted = b""
    async for piece in request.stream():
        untrusted += piece
        if len(untrusted) > _LARGEST:
            raise HTTPException(413, f"expected at most {_LARGEST} bytes")
    try:
        return msgspec.json.decode(untrusted, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, str(error)) from error
