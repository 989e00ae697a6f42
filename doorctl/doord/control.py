"""The control socket: one JSON line asks, one JSON line answers; the kernel says who is asking.

Rights are three separate groups, so that a helpdesk can read status without opening doors:
`doorctl-read`, `doorctl-operate` (unlock, lockdown, path test, reload), `doorctl-enrol` (the next card at a door).
Root and the daemon's own user have all three, and find room whoever else is here. Who has no right is let go at once.
What is malformed is answered and counted; nothing else is disturbed.
"""

import asyncio
import contextlib
import grp
import json
import os
import pwd
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final

from doorctl.errors import DoorctlError, MalformedError, OperatorError

LARGEST_REQUEST: Final = 4096
MOST_CLIENTS: Final = 8
"""At a time, of one user: more than a person's terminals."""
MOST_OF_OTHERS: Final = 32
"""At a time, of all users but root and the daemon's own."""
IDLE_S: Final = 60
_UCRED: Final = struct.Struct("3i")


class Right(Enum):
    """What a person may do here; the value is the group that grants it."""

    READ = "doorctl-read"
    OPERATE = "doorctl-operate"
    ENROL = "doorctl-enrol"


_WHO_MAY: Final = f"members of groups {', '.join(right.value for right in Right)} and root may"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is at the other end, as the kernel says."""

    uid: int
    rights: frozenset[Right]
    gone: Callable[[], bool] = lambda: False
    """Whether the other end has hung up, for an operation that waits for something to happen."""


Answer = Mapping[str, Any]
Operation = Callable[[Caller, Mapping[str, Any]], Awaitable[Answer]]


class ControlServer:
    """Serves `operations` (name → needed right and what to do) on a unix socket."""

    def __init__(self, path: Path, operations: Mapping[str, tuple[Right, Operation]]) -> None:
        self._path = path
        self._operations = operations
        self._server: asyncio.Server | None = None
        self._clients: Counter[int] = Counter()
        """Connections by uid."""
        self.refused = 0
        """Requests that were malformed, unknown or not allowed."""

    async def start(self) -> None:
        """Listen; everyone may connect, since rights are checked by peer credentials."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self._path))
        self._path.chmod(0o666)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LARGEST_REQUEST)

    async def close(self) -> None:
        """Stop listening and remove the socket; idempotent."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            caller = replace(peer(writer.get_extra_info("socket")), gone=reader.at_eof)
            if not caller.rights:
                self.refused += 1
                writer.write(_line({"ok": False, "error": "control: not allowed", "hint": _WHO_MAY}))
            elif not self._has_room(caller.uid):
                self.refused += 1
            else:
                await self._converse(caller, reader, writer)
        except (TimeoutError, OSError, ValueError):
            # the door stays as it is: a client that is slow, gone or talks without end is only let go
            self.refused += 1
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, caller: Caller, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients[caller.uid] += 1
        try:
            while line := await asyncio.wait_for(reader.readline(), IDLE_S):
                writer.write(_line(await self._answer(caller, line)))
                await writer.drain()
        finally:
            self._clients -= Counter([caller.uid])

    def _has_room(self, uid: int) -> bool:
        others = sum(count for user, count in self._clients.items() if not _has_every_right(user))
        return self._clients[uid] < MOST_CLIENTS and (_has_every_right(uid) or others < MOST_OF_OTHERS)

    async def _answer(self, caller: Caller, untrusted_line: bytes) -> Answer:
        try:
            name, request = parse_request(untrusted_line)
            if name not in self._operations:
                raise MalformedError(f"control: unknown operation {name[:40]!r}")
            right, operation = self._operations[name]
            if right not in caller.rights:
                raise OperatorError(f"{name}: not allowed", hint=f"members of group {right.value} and root may")
            return {"ok": True, **await operation(caller, request)}
        except DoorctlError as error:
            # the door stays as it is: nothing of the request was carried out
            self.refused += 1
            return {"ok": False, "error": str(error), "hint": error.hint}


def _line(answer: Answer) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def parse_request(untrusted_line: bytes) -> tuple[str, Mapping[str, Any]]:
    """(operation, its other members) of one line; MalformedError where it is no flat JSON object with `op`."""
    try:
        request = json.loads(untrusted_line)
    except (ValueError, RecursionError) as error:
        # the door stays as it is: nobody knows what was asked
        raise MalformedError("control: not a line of JSON") from error
    if not isinstance(request, dict) or not isinstance(request.get("op"), str):
        raise MalformedError('control: expected an object with "op"')
    if any(isinstance(value, dict | list) for value in request.values()):
        raise MalformedError("control: members must be flat")
    return request.pop("op"), request


def peer(connection: socket.socket) -> Caller:
    """The credentials of the process that connected."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _, uid, gid = _UCRED.unpack(raw)
    return Caller(uid=uid, rights=rights_of(uid, gid))


def rights_of(uid: int, gid: int) -> frozenset[Right]:
    """All for root and the daemon's own user, else what the user's groups grant."""
    if _has_every_right(uid):
        return frozenset(Right)
    try:
        member_of = set(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
    except KeyError:
        # the door stays as it is: a user without a name has the right of its group, or none
        member_of = {gid}
    return frozenset(right for right in Right if _group_id(right.value) in member_of)


def _has_every_right(uid: int) -> bool:
    return uid in (0, os.geteuid())


def _group_id(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        # the door stays as it is: a group that does not exist grants nothing
        return None
