"""A demo site in a folder: a monitor, a mock board paired with it, people with codes, and the daemons as processes.

Everything is made by the commands and functions a real site is made with. The codes of its people are known here,
because somebody has to press the keys.
"""

import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from contextlib import closing, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import IO, Any, Final, Self

from doorctl.cli.ask import ask
from doorctl.cli.holder_enrol import Enrolment
from doorctl.cli.init import make_board
from doorctl.cli.mock_line import Drive
from doorctl.cli.sim_network import Relay
from doorctl.cli.sim_wire import moved, wire_of
from doorctl.config.reading import read_config
from doorctl.core.types import Card, GroupName, HolderId
from doorctl.errors import DoorctlError, InternalError, OperatorError
from doorctl.paths import Paths
from doorctl.seal.keys import read_monitor_file, write_monitor_file
from doorctl.seal.meaning import Meaning
from doorctl.wire.record import Body, Epoch, Sequence, parse_body
from hal.wiegand.cards import FORMATS

START_WITHIN_S: Final = 20.0
STOP_WITHIN_S: Final = 10.0
_POLL_S: Final = 0.02
SUPERVISION_S: Final = 10
_FIRST_PORT: Final = 20_000
_PORTS: Final = 12_000
"""Below 32,768, where Linux begins to take ports for outgoing connections (ip(7), ip_local_port_range)."""
_PORT_TRIES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the demo site, with what they carry and know."""

    holder: HolderId
    label: str
    card: Card | None = field(repr=False)
    code: str = field(repr=False)
    duress_code: str = field(repr=False)


class SimError(DoorctlError):
    """The simulated site did not do what it must; says which part and what was seen."""


class Daemon:
    """One process of the site, its output in a file."""

    def __init__(self, name: str, arguments: list[str], paths: Paths, log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._paths = paths
        self._log_path = log
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise InternalError(f"{self.name} is not running")
        return self._process.pid

    def start(self) -> None:
        """Start it, in a session of its own so that Ctrl-C reaches only us, who stop it in order."""
        self._log = self._log_path.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9: no word, no clean end."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(STOP_WITHIN_S)
            self._close_log()

    def stop(self) -> None:
        """Ask it to end; kill it where it does not."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_WITHIN_S)
        with suppress(ProcessLookupError):  # what it started itself, should it have left anything
            os.killpg(self._process.pid, signal.SIGKILL)
        self._close_log()

    def output(self) -> str:
        """What it said so far."""
        return self._log_path.read_text(encoding="utf-8", errors="replace") if self._log_path.exists() else ""

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None


class SimSite:
    """The whole site. A context manager: leaves nothing running."""

    def __init__(self, home: Path) -> None:
        self.paths = Paths.under(home)
        self.people: dict[HolderId, Person] = {}
        self.groups = [GroupName("staff")]
        """Everybody's."""
        self._home = home
        home.mkdir(parents=True, exist_ok=True)
        logs = home / "logs"
        logs.mkdir(exist_ok=True)
        place = ["--home", str(home)]
        self.monitor = Daemon("monitord", ["doorctl.cli.main", *place, "monitor", "run"], self.paths, logs / "monitord")
        self.doord = Daemon("doord", ["doorctl.doord", *place, "--debug"], self.paths, logs / "doord")
        pace = ["--supervision-s", str(SUPERVISION_S)]
        self.courier = Daemon("courierd", ["doorctl.courierd", *place, *pace], self.paths, logs / "courierd")
        self._monitor_port = free_port()
        self.console_port = free_port()
        self.network = Relay(self._monitor_port)

    def __enter__(self) -> Self:
        self.network.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in (self.doord, self.courier, self.monitor):
            daemon.stop()
        self.network.__exit__()

    def configure(self, config: str, groups: list[GroupName]) -> None:
        """Before `make`: other doors than the demo's."""
        self.paths.etc.mkdir(parents=True, exist_ok=True)
        self.paths.config.write_text(config, encoding="utf-8")
        self.groups = groups

    def make(self) -> None:
        """Monitor, board, pairing: one file each way."""
        command(self._home, "monitor", "init", "--simulated", "--address", f"127.0.0.1:{self._monitor_port}",
                "--console", f"127.0.0.1:{self.console_port}")  # fmt: skip
        public = read_monitor_file(self.paths.monitor_export)
        self.paths.etc.mkdir(parents=True, exist_ok=True)
        self.paths.var.mkdir(parents=True, exist_ok=True)
        write_monitor_file(self.paths.monitor_public, type(public)(
            addresses=(f"127.0.0.1:{self.network.port}",), certificate_der=public.certificate_der,
            keys=public.keys, simulated=public.simulated,
        ))  # fmt: skip
        make_board(self.paths, mock=True)
        command(self._home, "monitor", "trust", str(self.paths.controller_public), "--yes")

    def call_held_open_after(self, seconds: int) -> None:
        """At every door of the demo, before doord starts: a visitor does not wait as long as a real door does."""
        text = self.paths.config.read_text(encoding="utf-8")
        if "held_open_s" in text:  # somebody's own doors say it themselves
            return
        told = re.sub(r"(?m)^egress .*$", lambda line: f"{line[0]}\nheld_open_s = {seconds}", text)
        self.paths.config.write_text(told, encoding="utf-8")

    def enrol(self, label: str, card_number: int | None) -> Person:
        """One more person, with a card where a number is given."""
        card = None
        if card_number is not None:
            length, raw = FORMATS["H10301"].encode({"facility": 12, "card": card_number})
            card = Card(length=length, raw=raw)
        enrolment = Enrolment.open(self.paths)
        try:
            enrolled = enrolment.add(
                label,
                groups=self.groups,
                card=None if card is None else enrolment.card(card),
            )
        finally:
            enrolment.close()
        codes = {code.meaning: code.code for code in enrolled.codes}
        person = Person(
            holder=enrolled.holder,
            label=label,
            card=card,
            code=codes[Meaning.NORMAL],
            duress_code=codes[Meaning.DURESS],
        )
        self.people[person.holder] = person
        return person

    def remove(self, holder: HolderId) -> None:
        """Take a person out again: card and codes open nothing from this moment."""
        enrolment = Enrolment.open(self.paths)
        try:
            enrolment.writer.remove_holder(holder)
        finally:
            enrolment.close()
        del self.people[holder]

    def start(self) -> None:
        """All daemons, each waited for."""
        self.start_monitor()
        self.start_doord()
        self.courier.start()
        wait_for(
            "the courier to reach the monitor", lambda: self.status()["path"]["state"] == "connected", self.courier
        )

    def start_monitor(self) -> None:
        """The monitor, until its console answers."""
        self.monitor.start()
        wait_for("the monitor's ingest", lambda: listens(self._monitor_port), self.monitor)
        wait_for("the monitor's console", lambda: listens(self.console_port), self.monitor)

    def start_doord(self, active: Collection[str] = ()) -> None:
        """The door daemon, until every reader is armed; doors are closed but for those whose contact's pin is named."""
        self.doord.start()
        wait_for("doord", lambda: self.status() is not None, self.doord)
        self._put_inputs(active)
        wait_for("the readers to arm", self._armed, self.doord)

    def status(self) -> Any:
        """What `doorctl status --json` would print."""
        return ask(self.paths, "status")

    def secured(self, door: str) -> bool:
        """Whether every reader of the door has proved its key."""
        (found,) = (one for one in self.status()["doors"] if one["name"] == door)
        return all(reader["secure"] for reader in found["readers"])

    def records(self) -> list[tuple[Epoch, Sequence, Body]]:
        """Everything in the monitor's ledger, in order of arrival."""
        if not self.paths.ledger.exists():
            return []
        with closing(sqlite3.connect(f"{self.paths.ledger.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT epoch, sequence, body FROM records ORDER BY id").fetchall()
        return [(Epoch(epoch), Sequence(sequence), parse_body(body)) for epoch, sequence, body in rows]

    def drive(self) -> Drive:
        """A connection to the mock board."""
        return Drive(self.paths.mock_socket)

    def _put_inputs(self, active: Collection[str]) -> None:
        """Leaves and tamper switches as they stand: a made-up wire floats high, which is an open leaf."""
        doors = read_config(self.paths.config).doors
        inputs = [source for door in doors for source in (door.contact, door.tamper) if source is not None]
        drive = self.drive()
        for source in inputs:
            what, more = moved(source, active=wire_of(source) in active)
            drive.do(what, **more)
        drive.close()

    def _armed(self) -> bool:
        doors = self.status()["doors"]
        return all(reader["state"] == "reading" for door in doors for reader in door["readers"])


def command(home: Path, *arguments: str) -> str:
    """A doorctl command in this process; what it printed. OperatorError where it failed."""
    from doorctl.cli.main import build_parser

    output = StringIO()
    with redirect_stdout(output):
        args = build_parser().parse_args(["--home", str(home), *arguments])
        code = args.run(args)
    if code != 0:
        raise OperatorError(f"doorctl {' '.join(arguments)}: ended with {code}")
    return output.getvalue()


def wait_for(
    what: str, condition: Callable[[], Any], daemon: Daemon | None = None, *, within_s: float = START_WITHIN_S
) -> Any:
    """Poll until the condition holds; SimError with the daemon's last words where it does not."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if daemon is not None and not daemon.alive():
            break
        with suppress(OperatorError, OSError):
            if found := condition():
                return found
        time.sleep(_POLL_S)
    words = "" if daemon is None else "\n" + "\n".join(daemon.output().splitlines()[-15:])
    raise SimError(f"waited {within_s:g} s for {what} in vain{words}")


def listens(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody has now, and that the kernel gives to nobody's outgoing connection before a daemon has it."""
    for _ in range(_PORT_TRIES):
        port = _FIRST_PORT + secrets.randbelow(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise SimError("no free port was found on this machine", hint="look with `ss -ltn` at what takes them")
