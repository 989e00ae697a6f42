"""`doorctl sim` as a process, as a visitor starts it, the addresses of its two pages, and hands beside the browser's."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from doorctl.cli.ask import ask
from doorctl.cli.mock_line import Drive
from doorctl.cli.sim_wire import moved
from doorctl.config.reading import read_config
from doorctl.config.types import BusPlace
from doorctl.monitord.alarms.access import load_token
from doorctl.paths import Paths

_END_WITHIN_S = 30
_POLL_S = 0.02
T = TypeVar("T")


class Simulation:
    """A site that runs."""

    def __init__(self, home: Path, address: str, pid: int) -> None:
        self.paths, self.pid = Paths.under(home), pid
        self.address = address
        """Of the simulator's page, as printed."""
        log = home / "logs" / "monitord"
        console = wait_for(
            lambda: next((word for word in log.read_text(encoding="utf-8").split() if word.startswith("http://")), None)
        )
        self.console = f"{console}?token={load_token(self.paths.monitor_keys)}"
        """Of the alarms page, as `doorctl monitor run` prints it on a terminal."""

    def ask(self, path: str, body: object = None) -> Any:
        """What the page itself would ask for, or do."""
        where = urlsplit(self.address)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        try:
            given = None if body is None else json.dumps(body)
            method = "GET" if body is None else "POST"
            connection.request(method, f"{where.path}api/{path}", given, {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == 200, (path, answer.status, text)
            return json.loads(text)
        finally:
            connection.close()

    def everything(self) -> str:
        """The first event of the page's stream, as it goes over the line."""
        where = urlsplit(self.address)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        try:
            connection.request("GET", f"{where.path}api/events")
            stream = connection.getresponse()
            said = ""
            while "\ndata:" not in said or not said.endswith("\n\n"):
                said += stream.readline().decode()
            return said
        finally:
            connection.close()

    def acknowledge_all(self) -> None:
        """So that the pages are calm."""
        for alarm in self.ask("monitor")["alarms"]:
            self.ask(f"alarms/{alarm['id']}/ack", {"who": "Kim at the desk"})

    def state(self, door: str) -> str:
        """As doord says it; reaches past the page's server."""
        found = next(one for one in ask(self.paths, "status")["doors"] if one["name"] == door)
        return str(found["state"])

    def is_polled(self, door: str) -> bool:
        """Whether its reader is on a bus."""
        readers = next(one.readers for one in read_config(self.paths.config).doors if one.name == door)
        return isinstance(readers[0].wiring, BusPlace)

    def force(self, door: str) -> None:
        """Force the leaf and close it again, with hands at the wires."""
        self._leaf(door, "forced open", is_open=True)
        self._leaf(door, "secured", is_open=False)

    def enter(self, door: str, code: str) -> None:
        """Type a code and go through, with hands at the wires."""
        with Drive(self.paths.mock_socket) as drive:
            drive.do("keys", reader=door, keys=code)
        wait_for(lambda: self.state(door) == "released")
        self._leaf(door, "open", is_open=True)
        self._leaf(door, "secured", is_open=False)

    def _leaf(self, door: str, state: str, *, is_open: bool) -> None:
        contact = next(one.contact for one in read_config(self.paths.config).doors if one.name == door)
        assert contact is not None
        with Drive(self.paths.mock_socket) as drive:
            what, more = moved(contact, active=is_open)
            drive.do(what, **more)
        wait_for(lambda: self.state(door) == state)


@contextmanager
def simulation(folder: Path) -> Iterator[Simulation]:
    """Started until it prints its page's address; ended as Ctrl-C does."""
    home = folder / "site"
    process = subprocess.Popen(
        [sys.executable, "-m", "doorctl.cli.main", "sim", "--keep", str(home)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("open this:"):
                break
        else:
            raise AssertionError(f"the simulator ended: {''.join(said)}")
        yield Simulation(home, line.split()[-1], process.pid)
    finally:
        process.terminate()
        process.wait(_END_WITHIN_S)
        process.stdout.close()


def wait_for(happened: Callable[[], T | None], within_s: float = 10.0) -> T:
    """What it is at last, as soon as it is anything."""
    end = time.monotonic() + within_s
    while (found := happened()) is None or found is False:
        assert time.monotonic() < end, "it never happened"
        time.sleep(_POLL_S)
    return found
