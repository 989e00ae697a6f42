"""Somebody who types what a page says at a machine's terminal, and answers what it asks."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Final, Self

from tests.board.rig import Container

PATIENCE_S: Final = 120
"""For an installation on a busy machine."""
BEGINNING: Final = 'sudo() { "$@"; }; sudoedit() { test -f "$1"; }; stty -echo; PS1=; PS2=; set +m\n'
"""Root is there already, and nobody edits. An interactive shell says each line again: not needed."""
Answer = Callable[[re.Match[str]], str]
"""What is typed when a question was shown; hands may do something first."""


class Typist:
    """A shell with a terminal of its own. A context manager."""

    def __init__(self, machine: Container) -> None:
        self._machine = machine

    def __enter__(self) -> Self:
        self._master, slave = pty.openpty()
        self._shell = subprocess.Popen(
            ["setsid", "--ctty", *self._machine.entered(), "bash", "--norc", "--noprofile", "--noediting", "-i"],
            stdin=slave, stdout=slave, stderr=slave,
        )  # fmt: skip
        os.close(slave)
        self._type(BEGINNING)
        self.run("cd", {})
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.kill()
        self._shell.wait()
        os.close(self._master)

    def run(self, command: str, answers: Mapping[str, Answer]) -> str:
        """What the terminal showed; AssertionError where the command failed or does not end."""
        self._type(f"{{ {command}\n}}; echo do''ne $?\n")  # one command: what is typed ahead, apt throws away
        seen, answered, deadline = "", 0, time.monotonic() + PATIENCE_S
        while not (done := re.search(r"done (\d+)\n", seen)):
            assert time.monotonic() < deadline, f"$ {command}: does not end: {seen}"
            if select.select([self._master], [], [], 0.2)[0]:
                seen += os.read(self._master, 65536).decode(errors="replace").replace("\r\n", "\n")
            for pattern, answer in answers.items():
                if asked := re.compile(pattern).search(seen, answered):
                    answered = asked.end()
                    self._type(answer(asked))
        assert done[1] == "0", f"$ {command}: ended with {done[1]}: {seen}"
        return seen[: done.start()]

    def _type(self, keys: str) -> None:
        os.write(self._master, keys.encode())
