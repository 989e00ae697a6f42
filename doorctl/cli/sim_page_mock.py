"""The mock board's socket for the page: hands at the door, and eyes on its outputs. Speaks hal/mock_commands.py.

Knows nothing of doors; a board that is not there, or ends in the middle, is a BoardGoneError.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from doorctl.cli.mock_line import BoardGoneError
from doorctl.errors import PeerError

_ANSWER_WITHIN_S: Final = 5.0
_LONGEST_LINE: Final = 1 << 20


class MockLine:
    """One connection; an async context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._path), limit=_LONGEST_LINE)
        except OSError as error:
            raise _gone() from error
        self._streams = reader, writer
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._streams is not None:
            writer = self._streams[1]
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def do(self, what: str, **more: Any) -> dict[str, Any]:
        """One command, one answer; PeerError where the board refuses it."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                answer = await self._ask({"do": what, **more})
        except TimeoutError as error:
            raise PeerError(f"the mock board did not answer within {_ANSWER_WITHIN_S:g} s") from error
        if not answer.get("ok"):
            raise PeerError(f"the mock board refused {what}: {answer.get('error')}")
        return answer

    async def changes(self, since: int) -> AsyncIterator[tuple[str, bool | None, int]]:
        """(pin, level or None where it was given back, the board's nanoseconds) after change `since`, to its end."""
        await self.do("watch", since=since)
        while True:
            said = await self._hear()
            if "output" in said:
                _, pin, level, at = said["output"]
                yield pin, None if level is None else bool(level), int(at)

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._streams is None:
            raise _gone()
        _, writer = self._streams
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
        except OSError as error:
            raise _gone() from error
        return await self._hear()

    async def _hear(self) -> dict[str, Any]:
        if self._streams is None:
            raise _gone()
        reader, _ = self._streams
        try:
            line = await reader.readline()
        except (OSError, ValueError) as error:
            raise _gone() from error
        if not line.endswith(b"\n"):
            raise _gone()
        said: dict[str, Any] = json.loads(line)
        return said


async def command(path: Path, what: str, **more: Any) -> dict[str, Any]:
    """One command on a connection of its own."""
    async with MockLine(path) as line:
        return await line.do(what, **more)


def _gone() -> BoardGoneError:
    return BoardGoneError(
        "doord does not run",
        hint="nobody is at the reader's other end: give the board its power, or wait until doord is back",
    )
