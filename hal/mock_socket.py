"""The unix socket that drives a mock board: JSON lines, one request, one reply; the language is hal/mock_commands.py.

Exists only with the mock backend, and only its owner may connect (mode 0600 from the first moment). Whatever arrives
is checked whole; a line that is no command gets an error reply and disturbs nothing. Nothing received is logged.

    {"do":"card","reader":"front","bits":"0101…"}   →  {"ok":true,"first":…,"last":…}
    nonsense                                        →  {"ok":false,"error":"…"}
    {"do":"watch"}                                  →  {"ok":true,"newest":7}, then {"output":[8,"GPIO17",1,…]} …
"""

import asyncio
import contextlib
import errno
import os
import socket
import stat
from pathlib import Path
from typing import Any

import msgspec

from hal.board import Board
from hal.errors import ConfigurationError, HalError, MockCommandError
from hal.events import SECOND
from hal.mock import MockChip
from hal.mock_commands import Watch, parse_command
from hal.mock_drive import as_list, perform

LINE_BYTES = 1_048_576
"""Longest request: 10,000 edges with long numbers are 400 kB."""
CONNECTIONS = 16
OWNER_ONLY = 0o600


class MockSocket:
    """The server; `start` inside a running loop, `close` ends its connections and removes the file."""

    def __init__(self, board: Board, path: Path) -> None:
        if board.mock is None:
            raise ConfigurationError(f"{path}: only a mock board has a mock socket")
        self._board = board
        self._chip: MockChip = board.mock
        self._path = path
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._due: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Listen; raises ConfigurationError if the path is taken by a live server or by something else."""
        self._chip.on_output = self._changed.set
        listener = _listen(self._path)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LINE_BYTES)

    async def close(self) -> None:
        """Stop listening, end the connections, remove the socket; idempotent."""
        server, self._server = self._server, None
        if server is None:
            return
        self._chip.on_output = None
        if self._due is not None:
            self._due.cancel()
        server.close()
        connections = dict(self._connections)
        for writer in connections.values():
            writer.transport.abort()  # not cancelled: Python 3.11's streams call a cancelled connection an error
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection until its end."""
        task = asyncio.current_task()
        if task is None or len(self._connections) >= CONNECTIONS:
            writer.write(_encode({"ok": False, "error": f"{CONNECTIONS} connections are open already"}))
            writer.close()
            return
        self._connections[task] = writer
        watching: asyncio.Task[None] | None = None
        try:
            while (line := await _line(reader)) is not None:
                reply, watch = self._answer(line)
                writer.write(reply)
                await writer.drain()
                if isinstance(line, MockCommandError):
                    break  # where the next request begins nobody knows
                if watch is not None and watching is None:
                    watching = asyncio.create_task(self._stream(writer, watch))
        except ConnectionError:
            pass  # the driver went away; the board goes on as it was
        finally:
            del self._connections[task]
            if watching is not None:
                watching.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await watching
            writer.close()

    def _answer(self, untrusted: bytes | MockCommandError) -> tuple[bytes, int | None]:
        """(reply, number to watch from or None)."""
        try:
            if isinstance(untrusted, MockCommandError):
                raise untrusted
            command = parse_command(untrusted)
            done = perform(self._board, command)
        except HalError as error:
            return _encode({"ok": False, "error": str(error)}), None
        self._plan()
        if not isinstance(command, Watch):
            return _encode({"ok": True, **done}), None
        return _encode({"ok": True, **done}), self._chip.recorded if command.since is None else command.since

    async def _stream(self, writer: asyncio.StreamWriter, number: int) -> None:
        """Send output changes after that number; the chip's bounded history is the queue."""
        while True:
            for change in self._chip.outputs_since(number):
                if change.number > number + 1:
                    writer.write(_encode({"forgotten": change.number - number - 1}))
                writer.write(_encode({"output": as_list(change)}))
                number = change.number
            await writer.drain()
            if self._chip.recorded == number:
                self._changed.clear()
                await self._changed.wait()

    def _plan(self) -> None:
        """Deliver what is due, and come back for the next edge."""
        self._chip.deliver_due(self._chip.clock())
        if self._due is not None:
            self._due.cancel()
            self._due = None
        due = self._chip.next_due()
        if due is not None:
            wait_s = max(0, due - self._chip.clock()) / SECOND
            self._due = asyncio.get_running_loop().call_later(wait_s, self._plan)


async def _line(reader: asyncio.StreamReader) -> bytes | MockCommandError | None:
    """The next whole line; None at the end."""
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        return MockCommandError(f"a request of more than {LINE_BYTES} bytes")


def _listen(path: Path) -> socket.socket:
    """A bound socket that nobody else could ever connect to."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        _remove_dead(path)
        # Linux gives the file the mode that the unbound socket has: no moment when the umask decides.
        os.fchmod(listener.fileno(), OWNER_ONLY)
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"mock socket {path}: {error.strerror or error}") from error
    return listener


def _remove_dead(path: Path) -> None:
    """A socket that a killed process left behind gives way; one that answers, or another file, does not."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) == errno.ECONNREFUSED:
            path.unlink(missing_ok=True)


def _encode(reply: dict[str, Any]) -> bytes:
    return msgspec.json.encode(reply) + b"\n"
