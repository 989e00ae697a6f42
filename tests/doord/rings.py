"""A ring of reader keys for tests: what is stored is stored at once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from doorctl.doord.key_ring import KeyRing
from doorctl.paths import Paths
from doorctl.seal.keys import ControllerKeys
from doorctl.seal.reader_keys import ReaderKeyStore


def ring_of(
    paths: Paths, keys: ControllerKeys, *, simulated: bool = True, faults: dict[str, str | None] | None = None
) -> KeyRing:
    """`faults`: what was set or cleared last, by name."""
    told = {} if faults is None else faults
    return KeyRing(
        ReaderKeyStore(paths.reader_keys, keys), simulated=simulated, on_disk=_at_once, spawn=_spawn,
        fault=told.__setitem__,
    )  # fmt: skip


async def _at_once(work: Callable[[], None]) -> None:
    work()


def _spawn(work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(work, name=name)
