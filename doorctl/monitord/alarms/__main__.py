"""The alarms process: holds the token key, reads ledger.db, writes alarms.db, serves the console.

Started by `doorctl monitor run`. Whatever fails in judging ends the process; it is started again and goes on where
its cursor stands.
"""

import asyncio
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from doorctl.errors import DoorctlError
from doorctl.monitord import clocks
from doorctl.monitord.alarms.access import Access, load_token
from doorctl.monitord.alarms.archive import Archive
from doorctl.monitord.alarms.bell import Bell
from doorctl.monitord.alarms.console import Console
from doorctl.monitord.alarms.desk import Sources
from doorctl.monitord.alarms.front import Front
from doorctl.monitord.alarms.history import History
from doorctl.monitord.alarms.sessions import Sessions
from doorctl.monitord.alarms.store import AlarmStore
from doorctl.monitord.alarms.unheard import CONDITION, Unheard
from doorctl.monitord.alarms.worker import Worker
from doorctl.monitord.controllers import ControllersFolder
from doorctl.monitord.inherited import Inherited, asked_to_stop, flat, parse_arguments, say_ready
from doorctl.monitord.ledger import LedgerReader
from doorctl.seal.keys import load_token_keys

_POLL_S = 1.0
"""A net below the poke, and how often deadlines are looked at."""
_log = logging.getLogger("doorctl-monitor-alarms")


class _Judging:
    """The judging thread: steps until nothing is left, then waits for a poke."""

    def __init__(self, worker: Worker, controllers: ControllersFolder, store: AlarmStore, unheard: Unheard) -> None:
        self._worker, self._controllers, self._store, self._unheard = worker, controllers, store, unheard
        self._poked = threading.Event()
        self._stopping = False

    def poke(self) -> None:
        """There may be something new."""
        self._poked.set()

    def stop(self) -> None:
        """After the step it is in."""
        self._stopping = True
        self._poked.set()

    def run(self) -> None:
        """In a thread of its own; raises what a step raised."""
        while not self._stopping:
            self._poked.clear()
            while self._worker.step() and not self._stopping:
                continue
            self._worker.on_deadline()
            self._controllers.refresh()
            self._look_for_unheard()
            self._poked.wait(_POLL_S)

    def _look_for_unheard(self) -> None:
        now = clocks.wall()
        effects = self._unheard.look(self._controllers.trusted, self._worker.controllers(), now)
        if effects:
            self._store.commit(effects, now=now)


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: signals are this process's, not the console's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(inherited: Inherited) -> None:
    paths = inherited.paths
    bell = Bell()
    store = AlarmStore(paths.alarms, bell.ring)
    archive = Archive(paths.alarms)
    ledger = LedgerReader(paths.ledger)
    token_keys = load_token_keys(paths.monitor_keys)
    history = History(paths.ledger, token_keys)
    controllers = ControllersFolder(paths.controllers)
    controllers.refresh()
    worker = Worker(ledger=ledger, store=store, token_keys=token_keys, clock=clocks.wall)
    judging = _Judging(worker, controllers, store, Unheard(archive.standing(CONDITION)))
    sources = Sources(
        store=store, archive=archive, history=history, controllers=controllers, states=worker.controllers,
        clock=clocks.wall,
    )  # fmt: skip
    token = load_token(paths.monitor_keys)
    access = Access(token, Sessions(paths.alarms.with_name("console.sessions"), token, clocks.wall))
    front = Front(access.knows, H11Protocol)
    console = _Server(console_config(Console(sources, access, bell).app(), front))
    asyncio.get_running_loop().add_reader(inherited.poke, _on_poke, inherited.poke, judging)
    listener = socket.socket(fileno=os.dup(inherited.listener))
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.to_thread(judging.run), name="judging")
            serving = tasks.create_task(console.serve(sockets=[listener]), name="console")
            say_ready(inherited.ready)
            await _until_stopped_or_done(serving)
            judging.stop()
            bell.stop()
            front.close()
            console.should_exit = True
    finally:
        judging.stop()
        bell.stop()
        archive.close()
        history.close()
        store.close()
        ledger.close()


async def _until_stopped_or_done(serving: asyncio.Task[None]) -> None:
    stop = asyncio.ensure_future(asked_to_stop())
    await asyncio.wait({stop, serving}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    with suppress(asyncio.CancelledError):
        await stop


def console_config(app: Starlette, front: Front) -> uvicorn.Config:
    """How uvicorn serves behind our front."""
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        loop="none",
        # uvicorn calls what it is given here once a connection; its type says class, since it knows of no factory.
        http=cast("type[asyncio.Protocol]", front),
        timeout_graceful_shutdown=1,
        proxy_headers=False,
        log_level="warning",
    )


def _on_poke(descriptor: int, judging: _Judging) -> None:
    with suppress(BlockingIOError):
        if not os.read(descriptor, 4096):
            asyncio.get_running_loop().remove_reader(descriptor)
    judging.poke()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    inherited = parse_arguments("doorctl-monitor-alarms", arguments)
    code = 0
    try:
        asyncio.run(_serve(inherited))
    except* DoorctlError as group:
        code = 1
        for error in flat(group):
            _log.error("%s", error)
    return code


if __name__ == "__main__":
    sys.exit(main())
