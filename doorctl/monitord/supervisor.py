"""Runs the monitor's two processes: binds both listeners, starts ingest, then alarms, and restarts.

Both sockets and the pipe between the two belong to this process, so that a restarted child keeps its address and a
poke is never lost. It holds no key and reads no record.
"""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from doorctl.errors import OperatorError
from doorctl.monitord.inherited import READY
from doorctl.monitord.settings import Address, Settings
from doorctl.paths import Paths

INGEST: Final = "doorctl.monitord.ingest"
ALARMS: Final = "doorctl.monitord.alarms"
_BACKLOG: Final = 256
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 1.0
"""No longer: while alarms is down nobody hears a call for help. A child that cannot start costs a core a third."""
_STEADY_S: Final = 10.0
"""Alive for so long, a child has earned a quick restart again."""
_START_S: Final = 60.0
_STOP_S: Final = 10.0
_log: Final = logging.getLogger("doorctl-monitor")


@dataclass(slots=True, kw_only=True)
class Child:
    """One of the two, across its restarts."""

    module: str
    listener: socket.socket
    poke: int
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None
    pause_s: float = _FIRST_PAUSE_S


class Supervisor:
    """Opens both listeners when it is made; `run` closes them at its end."""

    def __init__(self, paths: Paths, home: str | None, settings: Settings) -> None:
        self._paths, self._home = paths, home
        with ExitStack() as opened:
            ingest = opened.enter_context(_listen(settings.listen, "ingest.listen"))
            console = opened.enter_context(_listen(settings.console, "console.listen"))
            opened.pop_all()
        self._pokes = os.pipe()
        self.ingest = Child(module=INGEST, listener=ingest, poke=self._pokes[1])
        self.alarms = Child(module=ALARMS, listener=console, poke=self._pokes[0])
        self._stopping = asyncio.Event()

    @property
    def console(self) -> Address:
        """Where the console really is."""
        return _address(self.alarms.listener)

    def stop(self) -> None:
        """Both children end, and so does `run`."""
        self._stopping.set()

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Until `stop`; OperatorError where a child cannot even start once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        try:
            async with asyncio.TaskGroup() as tasks:
                for child in (self.ingest, self.alarms):
                    tasks.create_task(self._keep(child), name=child.module)
                    await self._first_ready(child)
                    if self._stopping.is_set():
                        return
                on_ready()
                await self._stopping.wait()
        finally:
            self._close()

    async def _first_ready(self, child: Child) -> None:
        """Refuse loudly at the start: what cannot start once will not start by trying."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_S):
                await _first(child.ready.wait(), self._stopping.wait())
        if not child.ready.is_set() and not self._stopping.is_set():
            self.stop()
            raise OperatorError(f"{child.module} did not start", hint="its own message is above")

    async def _keep(self, child: Child) -> None:
        """Start it, and again whenever it ends, until the end."""
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            code = await self._once(child)
            if self._stopping.is_set():
                return
            if not child.ready.is_set():
                raise OperatorError(f"{child.module} did not start", hint="its own message is above")
            steady = loop.time() - began > _STEADY_S
            child.pause_s = _FIRST_PAUSE_S if steady else min(child.pause_s * 2, _LONGEST_PAUSE_S)
            _log.error("%s ended with %d, starts again in %.1f s", child.module, code, child.pause_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(child.pause_s):
                    await self._stopping.wait()

    async def _once(self, child: Child) -> int:
        """One life of a child; its exit code."""
        hear, say = os.pipe()
        home = ["--home", self._home] if self._home else []
        numbers = {"listener": child.listener.fileno(), "poke": child.poke, "ready": say}
        descriptors = [argument for name, fd in numbers.items() for argument in (f"--{name}", str(fd))]
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", child.module, *home, *descriptors,
                stdin=asyncio.subprocess.PIPE, pass_fds=tuple(numbers.values()),
            )  # fmt: skip
        finally:
            os.close(say)
        child.process = process
        self._write_ports()
        hearing = asyncio.ensure_future(_heard(hear, child.ready))
        ended, stop = asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        await _end(process)
        await hearing
        return await ended

    def _write_ports(self) -> None:
        """Real addresses and process ids, for the command line and for tests; whole or not at all."""
        self._paths.monitor_run.mkdir(parents=True, exist_ok=True)
        running = {
            "ingest": str(_address(self.ingest.listener)),
            "console": str(self.console),
            "ingest_pid": self.ingest.process.pid if self.ingest.process else None,
            "alarms_pid": self.alarms.process.pid if self.alarms.process else None,
        }
        path = ports_path(self._paths)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(running), encoding="utf-8")
        draft.replace(path)

    def _close(self) -> None:
        self.ingest.listener.close()
        self.alarms.listener.close()
        ports_path(self._paths).unlink(missing_ok=True)
        for descriptor in self._pokes:
            os.close(descriptor)


def ports_path(paths: Paths) -> Path:
    """Where a running monitor says its addresses."""
    return paths.monitor_run / "ports.json"


def _listen(address: Address, key: str) -> socket.socket:
    try:
        family, _, _, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise OperatorError(f"monitord.toml: {key}: {address}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise OperatorError(
            f"monitord.toml: {key}: cannot listen on {address}: {error.strerror}",
            hint="is another monitor running, or is the address not this machine's",
        ) from error
    return listener


def _address(listener: socket.socket) -> Address:
    host, port = listener.getsockname()[:2]
    return Address(host=host, port=port)


async def _heard(descriptor: int, ready: asyncio.Event) -> None:
    """The child's one byte, or its end."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    await readable.wait()
    loop.remove_reader(descriptor)
    if os.read(descriptor, 1) == READY:
        ready.set()
    os.close(descriptor)


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, a while, SIGKILL; nothing for one that has ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.stdin is not None:
        process.stdin.close()


async def _first(*waits: Awaitable[object]) -> None:
    """Returns with the first of them; the others are dropped."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
