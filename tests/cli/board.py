"""A mock board for the commands' tests, and the ways to run a command: here, as a process, on a terminal of its own."""

import fcntl
import json
import os
import pty
import select
import shutil
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from doorctl.cli import init
from doorctl.cli.main import main
from doorctl.paths import Paths
from doorctl.seal.keys import MonitorFile, create_monitor_keys, create_tls, write_monitor_file

DOORCTL = [sys.executable, "-m", "doorctl.cli.main"]
NOBODY = 65534
CTRL_C = "\x03"
PATIENCE_S = 20.0
"""For a process on a busy machine; what is waited for comes long before."""
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)
"""For who begins a session: the descriptor becomes its terminal, and then the command."""


class Ran(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A folder with everything of one board."""

    home: Path

    @property
    def paths(self) -> Paths:
        return Paths.under(self.home)

    def run(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
        """A command in this process."""
        capsys.readouterr()
        code = main(["--home", str(self.home), *arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def process(self, *arguments: str) -> Ran:
        """A command as a process without a controlling terminal."""
        done = subprocess.run(
            [*DOORCTL, "--home", str(self.home), *arguments], check=False, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, start_new_session=True, timeout=PATIENCE_S,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def copied_to(self, home: Path) -> "Board":
        shutil.copytree(self.home, home)
        return Board(home=home)


class OnTerminal:
    """A command on a terminal of its own, its standard output and error apart from it; a context manager."""

    def __init__(self, board: Board, *arguments: str, errors_too: bool = False) -> None:
        """`errors_too`: standard error is the terminal as well."""
        self._master, slave = pty.openpty()
        # a row never wraps, so that what is read is what was written
        fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x18\x00\xf0\x00\x00\x00\x00\x00")
        self._process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, str(slave), *DOORCTL, "--home", str(board.home), *arguments],
            stdin=slave, stdout=subprocess.PIPE, stderr=slave if errors_too else subprocess.PIPE, text=True,
            start_new_session=True, pass_fds=(slave,),
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(PATIENCE_S)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        os.close(self._master)

    def wait_for(self, words: str) -> None:
        """Read the terminal until it shows the words."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self._read(0.2)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def ended(self, typing: str = "") -> Ran:
        """Its exit code and what was not on the terminal.

        `typing` is typed again where nothing came of it: a signal just before a read does not end the read.
        """
        deadline = time.monotonic() + PATIENCE_S
        again = time.monotonic()
        while self._read(0.2) or self._process.poll() is None:
            assert time.monotonic() < deadline, self.seen
            if typing and self._process.poll() is None and time.monotonic() >= again:
                self.type(typing)
                again = time.monotonic() + 2
        out, err = self._process.communicate()
        return Ran(self._process.returncode, out, err or "")

    def _read(self, within_s: float) -> bool:
        readable, _, _ = select.select([self._master], [], [], within_s)
        try:
            piece = os.read(self._master, 65536) if readable else b""
        except OSError:  # EIO: nobody has the other end open any more
            return False
        self.seen += piece.decode().replace("\r\n", "\n")
        return bool(piece)


def make_board(root: Path) -> Board:
    """A mock board paired with a monitor that is elsewhere."""
    monitor = make_monitor(root / "monitor", simulated=True)
    board = Board(home=root / "board")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(init, "_STRETCH_NS", 1_000_000)  # a code's 100 ms are the roster's tests' business
        arguments = ["init", "--mock", "--yes", "--json", "--monitor", str(monitor)]
        assert main(["--home", str(board.home), *arguments]) == 0
    return board


def make_monitor(folder: Path, *, simulated: bool) -> Path:
    """The public half of a monitor."""
    keys = create_monitor_keys(folder / "keys")
    der = create_tls(folder / "tls" / "tls.key", folder / "tls" / "tls.crt", name="monitor")
    file = MonitorFile(addresses=("127.0.0.1:9",), certificate_der=der, keys=keys.public, simulated=simulated)
    write_monitor_file(folder / "monitor.toml", file)
    return folder / "monitor.toml"


def only_one_format(board: Board) -> None:
    """The reader at the front alone takes cards, H10301; the line at the vault, which took any, asks for codes."""
    text = board.paths.config.read_text()
    changed = text.replace('baud    = 38400\nmode    = "card+code"', 'baud    = 38400\nmode    = "code"')
    assert changed != text
    board.paths.config.write_text(changed)


def codes_shown(terminal: str) -> list[str]:
    """The codes on a terminal, without their spaces, in the order shown."""
    line = next(line for line in terminal.splitlines() if "shown once" in line)
    words = line.partition(":")[2].partition("(")[0].split(",")
    return ["".join(character for character in word if character.isdecimal()) for word in words]


class Hands:
    """The mock board's socket: what hands at the door do."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rw", encoding="utf-8")

    def do(self, what: str, **more: Any) -> dict[str, Any]:
        self._lines.write(json.dumps({"do": what, **more}) + "\n")
        self._lines.flush()
        answer: dict[str, Any] = json.loads(self._lines.readline())
        assert answer["ok"], answer
        return answer

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


def wait_until(true: Callable[[], object], what: str) -> None:
    """Poll a process that this test cannot step."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


def strings_under(folder: Path, words: Sequence[str]) -> list[str]:
    """Which of the words are in any file of a folder."""
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return [word for word in words if any(word.encode() in content for content in contents)]


@contextmanager
def as_nobody() -> Iterator[None]:
    """This process as a user without rights; what the kernel says of who connects is taken at connect()."""
    if os.geteuid() != 0:
        pytest.skip("only root can come as somebody else")
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
