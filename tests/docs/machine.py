"""Machines to try the documents on: a mount, process and network namespace each, thrown away afterwards.

Everything that a document changes goes to memory: /etc, /var, /opt, /usr/local, homes and the source tree are overlays.
Commands are typed into one bash with a terminal of its own; questions on that terminal are answered as a person would.
"""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Self

from tests.docs.blocks import ROOT
from tests.docs.needed import do_without

PATIENCE_S: Final = 90.0
"""For the slowest command, an installation, on a busy machine."""
CTRL_C: Final = "\x03"
Answer = Callable[["Machine", re.Match[str]], None]
"""What is done when a machine's terminal shows a pattern."""
_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL")
"""A test that is killed leaves no machine behind."""
_LOOPBACK: Final = """\
import fcntl, socket, struct, time
with socket.socket() as any_socket:  # SIOCSIFFLAGS: IFF_UP
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1))
print("up", flush=True)
time.sleep(86400)
"""


class World:
    """The network that the machines share, and the stick that is carried between them; a context manager."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, dict(environment)
        self.machines: dict[str, Machine] = {}
        (folder / "stick").mkdir()
        unshare = [*_WITH_US, "unshare", "--net", "--mount"]
        if os.geteuid() != 0:
            unshare += ["--user", "--map-root-user", "--map-auto"]
        self._network = subprocess.Popen(
            [*unshare, sys.executable, "-c", _LOOPBACK], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        assert self._network.stdout is not None
        assert self._network.stderr is not None
        if self._network.stdout.readline() != "up\n":
            why = self._network.stderr.read().strip()
            self._end()
            do_without(f"no namespaces here, so no document is tried: {why}")
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.machines.values():
            machine.close()
        self._end()

    def _end(self) -> None:
        self._network.kill()
        self._network.wait()
        for stream in (self._network.stdout, self._network.stderr):
            if stream is not None:
                stream.close()

    def machine(self, name: str) -> "Machine":
        """That of this name; made when it is first named."""
        if name not in self.machines:
            self.machines[name] = Machine(self, name, self._network.pid)
        return self.machines[name]


class Machine:
    """One of them."""

    def __init__(self, world: World, name: str, network: int) -> None:
        self.name, self._folder = name, Path(mkdtemp(prefix=name, dir=world.folder))
        self._hands = world.folder / f"{name}.hands"
        os.mkfifo(self._hands)
        self._hands.chmod(0o666)
        commands, self._commands = os.pipe()
        self._statuses, statuses = os.pipe()
        self._master, slave = pty.openpty()
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self._process = subprocess.Popen(
            [
                *_WITH_US, "setsid", "--ctty", "nsenter", "--target", str(network), "--net", *user,
                "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                "bash", str(ROOT / "tests/docs/stand_ins/machine.sh"), str(self._folder), str(ROOT),
                os.path.realpath(sys.executable),
            ],
            stdin=slave, stdout=slave, stderr=slave, pass_fds=(commands, statuses), cwd="/",
            env=world.environment | {
                "COMMANDS_FD": str(commands), "STATUS_FD": str(statuses), "STICK": str(world.folder / "stick"), "NAME": name, "HANDS": str(self._hands), "PIP_OF": sys.executable, "ROOTLESS": "" if os.geteuid() == 0 else "yes",
                "PATH": os.environ["PATH"],
            },
        )  # fmt: skip
        for one in (commands, statuses, slave):
            os.close(one)
        self.cards = 0
        """How many were shown to its readers."""
        self.code = ""
        """The newest that its terminal showed: somebody remembers it."""
        self.run(":", {})  # until it stands; what its making said is no command's

    def do_at_its_wires(self, line: str) -> None:
        """What hands do at its pins, in the words of stand_ins/python/lgpio.py."""
        hands = os.open(self._hands, os.O_WRONLY | os.O_NONBLOCK)  # ENXIO where nobody has pins
        try:
            os.write(hands, f"{line}\n".encode())
        finally:
            os.close(hands)

    def run(
        self, command: str, answers: Mapping[str, Answer], until: str | None = None, within_s: float = PATIENCE_S
    ) -> tuple[int, str]:
        """Exit code and what the terminal showed; where `until` is shown, Ctrl-C is pressed."""
        file = Path(mkdtemp(dir=self._folder.parent)) / "command"
        file.write_text(f"{command}\n", encoding="utf-8")
        os.write(self._commands, f"{file}\n".encode())
        seen, answered, status = "", 0, ""
        deadline, again = time.monotonic() + within_s, 0.0
        while not status.endswith("\n"):
            assert time.monotonic() < deadline, f"{self.name}$ {command}: does not end: {seen[-2000:]}"
            assert self._process.poll() is None, f"{self.name} ended: {seen}"
            readable, _, _ = select.select([self._master, self._statuses], [], [], 0.2)
            if self._master in readable:
                seen += self._shown()
            elif self._statuses in readable:
                status += os.read(self._statuses, 64).decode()
            answered = self._answer(seen, answered, answers)
            if until is not None and time.monotonic() >= again and re.search(until, seen):
                self.type(CTRL_C)  # and again: one that comes while the shell is between two programs ends neither
                again = time.monotonic() + 3
        return int(status), seen

    def type(self, keys: str) -> None:
        """On its terminal."""
        os.write(self._master, keys.encode())

    def close(self) -> None:
        """Everything that runs on it ends with it."""
        self._process.kill()
        self._process.wait()
        for one in (self._master, self._commands, self._statuses):
            os.close(one)

    def _shown(self) -> str:
        try:
            return os.read(self._master, 65536).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # EIO: nobody has the other end any more
            self._process.wait()
            return ""

    def _answer(self, seen: str, answered: int, answers: Mapping[str, Answer]) -> int:
        for pattern, answer in answers.items():
            if question := re.search(pattern, seen[answered:]):
                answer(self, question)
                return answered + question.end()
        return answered
