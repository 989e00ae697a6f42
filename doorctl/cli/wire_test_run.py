"""The loop under `wire-test` and `check --live`: pins taken, work done, pins given back, whatever signal comes.

On a mock board the mock's socket stands as under doord, so that `doorctl mock` has hands at this door too.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from doorctl.cli.wire_test_claim import claimed
from doorctl.cli.wire_test_door import DoorTest
from doorctl.cli.wire_test_hands import Hands
from doorctl.cli.wire_test_reader import Say
from doorctl.cli.wire_test_verdict import Verdict
from doorctl.config.types import BusPlace, Config
from doorctl.core.types import DoorName
from doorctl.doord.assembly import DoorPins
from doorctl.paths import Paths
from hal.board import Board
from hal.mock_socket import MockSocket

T = TypeVar("T")
ENDED: Final = 143
"""128 + SIGTERM, as shells say it."""
_END: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Neither a terminal that goes away nor Ctrl-\\ is a reason to leave a strike released."""


def wire_test(
    paths: Paths, config: Config, door: DoorName, *, yes: bool, within_s: float, say: Say, quiet: bool
) -> tuple[Verdict, dict[str, Any]]:
    """What it comes to, and the report; SystemExit where a signal ended it."""
    only = replace(config, doors=tuple(one for one in config.doors if one.name == door))

    async def work(board: Board, pins: tuple[DoorPins, ...]) -> tuple[Verdict, dict[str, Any]]:
        with Hands(yes=yes, terminal=sys.stdin.isatty()) as hands:
            test = DoorTest(
                board, pins[0], places(config), hands=hands, say=say, within_s=within_s, quiet=quiet
            )  # fmt: skip
            return await test.run(), test.report

    return with_pins(paths, only, work)


def places(config: Config) -> tuple[BusPlace, ...]:
    """Of all readers on lines."""
    readers = (reader for door in config.doors for reader in door.readers)
    return tuple(reader.wiring for reader in readers if isinstance(reader.wiring, BusPlace))


def with_pins(paths: Paths, config: Config, work: Callable[[Board, tuple[DoorPins, ...]], Awaitable[T]]) -> T:
    """Do the work with the pins of these doors claimed; they are given back, strikes secured first."""

    async def main() -> T:
        with claimed(paths, config) as (board, pins):
            async with _driven(board, paths):
                return await work(board, pins)

    async def until_signal() -> T:
        task = asyncio.current_task()
        for number in _END:
            asyncio.get_running_loop().add_signal_handler(number, lambda: task and task.cancel())
        return await main()

    try:
        return asyncio.run(until_signal())
    except asyncio.CancelledError:
        sys.exit(ENDED)


@asynccontextmanager
async def _driven(board: Board, paths: Paths) -> AsyncIterator[None]:
    if board.mock is None:
        yield
        return
    paths.run.mkdir(parents=True, exist_ok=True)
    mock_socket = MockSocket(board, paths.mock_socket)
    await mock_socket.start()
    try:
        yield
    finally:
        await mock_socket.close()
