"""Waiting for what another process or task does, where nothing of ours can be told when it is done."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again; the caller bounds the time."""
    while not condition():  # noqa: ASYNC110  what is waited for is not of this loop
        await asyncio.sleep(0.01)


async def until_told(condition: Callable[[], Awaitable[bool]]) -> None:
    """The same for what has to be asked."""
    while not await condition():  # noqa: ASYNC110  what is waited for is another process
        await asyncio.sleep(0.01)
