"""doorctl sim: makes the demo site, starts its daemons, serves the page until it is ended, leaves nothing behind.

From the first line on the signals that end mean the same: end now, with 0. A start that is under way is not torn apart,
since a daemon could be lost between its fork and our knowing of it: its daemons are ended under it until it gives up.
"""

import asyncio
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from zoneinfo import ZoneInfo

import uvicorn

from doorctl.cli.monitor_alarms import Client
from doorctl.cli.sim_disk import Disk
from doorctl.cli.sim_page_app import Page, Sides
from doorctl.cli.sim_page_door import DoorSide
from doorctl.cli.sim_page_feed import Feed
from doorctl.cli.sim_page_hands import Hands
from doorctl.cli.sim_page_monitor import MonitorSide, console_changes
from doorctl.cli.sim_page_people import People
from doorctl.cli.sim_page_rig import Breakable, Rig
from doorctl.cli.sim_page_visits import Visits
from doorctl.cli.sim_site import Daemon, SimSite, wait_for
from doorctl.config.reading import read_config
from doorctl.errors import OperatorError
from doorctl.monitord.alarms.access import load_token
from doorctl.monitord.ledger import LedgerReader

PEOPLE: Final = (("Ana Lopez", 3456), ("Ben Okafor", 7890))
HELD_OPEN_S: Final = 15
_TOKEN_BYTES: Final = 18
_END_WITHIN_S: Final = 3.0
"""For daemons that were asked to end; then they are killed."""
_POLL_S: Final = 0.05
ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a supervisor, a terminal that is closed."""


def serve(site: SimSite, port: int) -> int:
    """The exit code: 0 when it was ended, whenever that was. Raises what kept the site from starting."""
    with _listen(port) as listener:
        asyncio.run(_Simulation(site, listener).run())
    # The caller's clean-up takes a moment: a second Ctrl-C must not cut it short.
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    return 0


class _Simulation:
    """One run of the page."""

    def __init__(self, site: SimSite, listener: socket.socket) -> None:
        self._site, self._listener = site, listener
        self._port = int(listener.getsockname()[1])
        self._stopping = threading.Event()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """From nothing to nothing."""
        loop = asyncio.get_running_loop()
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                loop.add_signal_handler(number, self._asked_to_stop)
        making = asyncio.create_task(asyncio.to_thread(self._make))
        await _either(making, self._stop)
        try:
            if not self._stop.is_set():
                await making
                await self._serve()
        finally:
            self._stopping.set()
            await self._end(making)

    def _asked_to_stop(self) -> None:
        self._stopping.set()
        self._stop.set()

    def _make(self) -> None:
        """In a thread; stops between two steps."""
        site = self._site
        courier = "the courier to reach the monitor"
        steps = (
            ("making a site: a monitor and a door board, paired", self._make_site),
            ("enrolling Ana Lopez and Ben Okafor", lambda: [site.enrol(*person) for person in PEOPLE]),
            ("starting monitord, which raises the alarms", site.start_monitor),
            ("starting doord, which moves the doors", site.start_doord),
            ("starting courierd, which carries records", site.courier.start),
            ("waiting for courierd to reach monitord", lambda: wait_for(courier, self._is_connected, site.courier)),
        )
        for words, step in steps:
            if self._stopping.is_set():
                return
            _say(words)
            step()

    def _make_site(self) -> None:
        self._site.make()
        self._site.call_held_open_after(HELD_OPEN_S)

    def _is_connected(self) -> bool:
        return bool(self._site.status()["path"]["state"] == "connected")

    async def _serve(self) -> None:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with _sides(self._site) as sides:
            server = _server(Page(sides).app(token, self._port))
            async with asyncio.TaskGroup() as tasks:
                following = [tasks.create_task(side.run()) for side in (sides.door, sides.monitor)]
                serving = tasks.create_task(server.serve(sockets=[self._listener]))
                _say(f"\nopen this:  http://127.0.0.1:{self._port}/{token}/\nCtrl-C ends it and leaves nothing running")
                await _either(serving, self._stop)
                server.should_exit = True
                sides.feed.close()
                sides.hands.close()
                sides.visits.close()
                sides.rig.close()
                for task in following:
                    task.cancel()
            if sides.rig.rising is not None:
                await self._end(sides.rig.rising)

    async def _end(self, starting: asyncio.Task[Any]) -> None:
        """Ask all daemons to end, and again those that a start under way has begun meanwhile; kill what stays."""
        site = self._site
        daemons = (site.doord, site.courier, site.monitor)
        loop = asyncio.get_running_loop()
        asked: set[int] = set()
        kill_at = loop.time() + _END_WITHIN_S
        while not starting.done() or any(daemon.alive() for daemon in daemons):
            for daemon in daemons:
                _ask_to_end(daemon, asked, kill=loop.time() >= kill_at)
            await asyncio.sleep(_POLL_S)
        if not starting.cancelled():
            starting.exception()  # seen: where it matters it was raised already, else it was ended under its feet


def _ask_to_end(daemon: Daemon, asked: set[int], *, kill: bool) -> None:
    if not daemon.alive():
        return
    if kill:
        daemon.kill()
    elif daemon.pid not in asked:
        asked.add(daemon.pid)
        with suppress(ProcessLookupError):
            os.kill(daemon.pid, signal.SIGTERM)


@contextmanager
def _sides(site: SimSite) -> Iterator[Sides]:
    """Everything behind the page, over a site that runs."""
    config, feed = read_config(site.paths.config), Feed()
    people = People(site.people, site.enrol, site.remove, feed)
    visits = Visits(
        [str(door.name) for door in config.doors],
        people.people, site.network.passed, feed, zone=ZoneInfo(config.site.timezone),
    )  # fmt: skip
    door = DoorSide(site.paths, config, feed, visits)
    console_token = load_token(site.paths.monitor_keys)
    ledger, disk = LedgerReader(site.paths.ledger), Disk(site.paths.journal)

    def records() -> int:
        with ledger.snapshot() as snapshot:
            return snapshot.last_id()

    try:
        yield Sides(
            feed=feed,
            door=door,
            hands=Hands(site.paths, door, visits, feed),
            monitor=MonitorSide(
                Client(site.paths), lambda: console_changes(site.console_port, console_token), records, feed,
                visits.supervised,
            ),
            rig=Rig(_breakable(site, door, disk), feed, visits.broken),
            people=people,
            visits=visits,
        )  # fmt: skip
    finally:
        disk.mend()
        ledger.close()


def _breakable(site: SimSite, door: DoorSide, disk: Disk) -> Breakable:
    def start_doord() -> None:
        site.start_doord(door.active_inputs())

    def cut_power() -> None:
        site.doord.kill()
        site.courier.kill()

    def start_board() -> None:
        start_doord()
        site.courier.start()

    return Breakable(
        cut_line=site.network.cut, mend_line=site.network.mend, stall_disk=disk.stall, mend_disk=disk.mend,
        kill_doord=site.doord.kill, start_doord=start_doord, cut_power=cut_power, start_board=start_board,
    )  # fmt: skip


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: signals are the simulation's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None are."""
        yield


def _server(app: Any) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            http="h11",
            loop="none",
            timeout_graceful_shutdown=1,
            limit_concurrency=128,
            proxy_headers=False,
        )
    )


async def _either(task: asyncio.Task[Any], stop: asyncio.Event) -> None:
    """Until the task is done or somebody asks to stop."""
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()


def _listen(port: int) -> socket.socket:
    """Before anything is made: a taken port is said at once."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise OperatorError(f"--port {port}: cannot be had: {error}", hint="leave it out for a free one") from error
    return listener


def _say(line: str) -> None:
    print(line, flush=True)
