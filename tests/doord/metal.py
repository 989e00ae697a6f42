"""A board of metal for real processes: chips are files (stand_ins/lgpio.py), doord and its helper run as systemd would."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from doorctl.paths import Paths
from doorctl.roster.enrolment import RosterWriter
from tests.doord.site import CHEAP
from tests.doord.test_assembly import make_board

PATIENCE_S: Final = 60
"""For what comes as soon as it is there."""
ROOT: Final = Path(__file__).parents[2]
STAND_INS: Final = Path(__file__).with_name("stand_ins")
CONFIG: Final = """\
[site]
id = "harbour-st"
timezone = "UTC"

[monitor]
file = "monitor.toml"

[hal]
chip = "{chip}"

[door.front]
strike = {{ pin = "GPIO17", type = "fail-secure", release_s = 5 }}
egress = "mechanical"
reader = {{ wiegand = ["GPIO4", "GPIO5"], format = "H10301", mode = "card" }}

[door.side]
strike = {{ pin = "GPIO18", type = "fail-safe", active = "low", release_s = 5 }}
egress = "wired"
reader = {{ wiegand = ["GPIO8", "GPIO9"], format = "H10301", mode = "card" }}

[group.staff]
front = "always"
side = "always"
"""


class Metal:
    """Folders of one board."""

    def __init__(self, folder: Path, chips: Mapping[int, str]) -> None:
        self.folder, self.home, self.chips = folder, folder / "home", folder / "chips"
        self.paths = Paths.under(self.home)
        for number, label in chips.items():
            (self.chips / f"gpiochip{number}").mkdir(parents=True)
            (self.chips / f"gpiochip{number}" / "label").write_text(label)
        (folder / "cwd").mkdir()
        self.paths.run.mkdir(parents=True)
        self.paths.etc.mkdir(parents=True)

    def enrolled(self, chip: str) -> None:
        """All that a start reads."""
        make_board(self.home, simulated=False)
        self.paths.config.write_text(CONFIG.format(chip=chip))
        RosterWriter.create(
            self.paths.roster, today=date(2027, 1, 1), stretch=CHEAP, code_length=8, codes_per_holder=2
        ).close()

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": f"{STAND_INS}:{ROOT}", "LGPIO_CHIPS": str(self.chips), **more}

    def history(self, line: int, chip: int = 0) -> list[str]:
        """What a line was set to, ever; then nobody lets go of the last."""
        path = self.chips / f"gpiochip{chip}" / f"{line}"
        return [said.split()[1] for said in path.read_text().splitlines()] if path.exists() else []

    @contextlib.contextmanager
    def doord(self, *command: str, **environment: str) -> Iterator["tuple[subprocess.Popen[str], socket.socket]"]:
        """The daemon once it is ready, and the ear that hears what it tells systemd."""
        notify = self.folder / "notify"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(str(notify))
            ear.settimeout(1)
            with subprocess.Popen(
                [sys.executable, *(command or ("-m", "doorctl.doord")), "--home", str(self.home)],
                env=self.environment(NOTIFY_SOCKET=str(notify), **environment),
                cwd=self.folder / "cwd",
                stderr=subprocess.PIPE,
                text=True,
            ) as process:
                try:
                    heard_until(ear, "READY=1", process)
                    yield process, ear
                finally:
                    process.kill()

    def helper(self, result: str = "signal") -> "subprocess.CompletedProcess[str]":
        """As ExecStopPost= runs it."""
        return subprocess.run(
            [sys.executable, "-m", "doorctl.doord.secure", "--home", str(self.home)],
            env=self.environment(SERVICE_RESULT=result, EXIT_CODE="killed", EXIT_STATUS="KILL"),
            cwd=self.folder / "cwd",
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


def heard_until(ear: socket.socket, wanted: str, process: "subprocess.Popen[str]") -> list[str]:
    """Every datagram up to the wanted line of one, which a process is about to send."""
    said: list[str] = []
    deadline = time.monotonic() + PATIENCE_S
    while True:
        ended = process.poll() is not None
        try:
            said.append(ear.recv(4096).decode())
        except TimeoutError:
            assert not ended, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < deadline, f"{wanted} was not heard, but {said}"
            continue
        if wanted in said[-1].splitlines():
            return said
