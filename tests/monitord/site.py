"""A whole monitor for tests: real keys and files in a folder, the real supervisor, two real processes."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from doorctl.cli.main import main
from doorctl.errors import MalformedError
from doorctl.monitord import supervisor as supervising
from doorctl.monitord.alarms.access import load_token
from doorctl.monitord.controllers import controller_path
from doorctl.monitord.settings import read_settings
from doorctl.monitord.supervisor import Child, Supervisor, ports_path
from doorctl.paths import Paths
from doorctl.seal.keys import read_monitor_file, write_controller_file
from doorctl.seal.public import MonitorPublic
from doorctl.wire.sizes import RECORD_SIZE
from tests.monitord.board import Board
from tests.monitord.line import Identity, Line, controller_file, new_identity


@dataclass
class Site:
    """A running monitor and how to reach it."""

    paths: Paths
    supervisor: Supervisor
    public: MonitorPublic
    courier: Identity

    def ports(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(ports_path(self.paths).read_text(encoding="utf-8"))
        return found

    @property
    def ingest_port(self) -> int:
        return int(self.ports()["ingest"].rpartition(":")[2])

    async def trust(self, board: Board) -> None:
        """Put the board's file into the folder, and wait until the running ingest has noticed."""
        path = controller_path(self.paths.controllers, board.controller)
        write_controller_file(path, controller_file(board, self.courier))
        async with asyncio.timeout(30):  # a real process, on a busy machine
            while True:
                line = await self.line()
                with suppress(OSError, MalformedError):
                    await line.send(os.urandom(RECORD_SIZE))
                    return await line.close()
                await line.close()
                await asyncio.sleep(0.05)

    async def line(self) -> Line:
        """A connection; tried again while ingest restarts."""
        while True:
            with suppress(OSError):
                return await Line.open(self.ingest_port, self.courier)
            await asyncio.sleep(0.02)

    def kill(self, child: Child) -> None:
        """kill -9, if it lives."""
        if child.process is not None and child.process.returncode is None:
            os.kill(child.process.pid, signal.SIGKILL)

    async def alarms(self) -> list[dict[str, Any]]:
        """All alarms, asked until the console answers."""
        headers = {"authorization": f"Bearer {load_token(self.paths.monitor_keys)}"}
        async with httpx.AsyncClient(headers=headers, timeout=5) as client:
            while True:
                with suppress(httpx.TransportError):
                    answer = await client.get(f"http://{self.ports()['console']}/api/alarms?limit=1000")
                    found: list[dict[str, Any]] = answer.json()["alarms"]
                    return found
                await asyncio.sleep(0.02)


def make_monitor(home: Path) -> Paths:
    """Keys and files of a monitor on ports that the system chooses."""
    assert main(["--home", str(home), "monitor", "init", "--simulated", "--address", "127.0.0.1:7443",
                 "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"]) == 0  # fmt: skip
    return Paths.under(home)


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[Site]:
    """The monitor, up and ready; stopped at the end, and it must stop cleanly."""
    paths = make_monitor(home)
    supervisor = Supervisor(paths, str(home), read_settings(paths.monitor_config))
    ready = asyncio.Event()
    run = asyncio.ensure_future(supervisor.run(ready.set))
    waiting = asyncio.ensure_future(ready.wait())
    await asyncio.wait({run, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield Site(
            paths=paths, supervisor=supervisor, public=read_monitor_file(paths.monitor_export).keys,
            courier=new_identity(home, "courier"),
        )  # fmt: skip
    finally:
        supervisor.stop()
        await run


def hasten(monkeypatch: Any) -> None:
    """Restart a killed child at once: the pause is the supervisor's own test."""
    monkeypatch.setattr(supervising, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(supervising, "_LONGEST_PAUSE_S", 0.01)
