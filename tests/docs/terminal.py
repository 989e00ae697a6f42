"""A shell on a terminal of its own: lines are typed, keys are pressed, what it shows is read."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 30.0
"""For a busy machine; what is waited for comes long before."""


class Terminal:
    """Runs until `close`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=dict(environment), cwd=folder, start_new_session=True
        )
        os.close(slave)
        self._asked = 0

    def type(self, keys: str) -> None:
        """As a person would, all at once."""
        os.write(self._master, keys.encode())

    def run(self, line: str) -> None:
        """One line, until the shell is ready for the next."""
        self._asked += 1
        self.type(f"{line}; echo read''y {self._asked}\n")
        self.wait_for(rf"ready {self._asked}\r?\n")

    def inserted(self, line: str, keys: str) -> set[str]:
        """What the keys put in place of the line's last word; the shell tells its line between < and >."""
        self.type(line + keys)
        told = self.wait_for(r"<(doorctl.*|\.\./.*)>\r?\n")
        self.type("\x15")  # kill-line
        before = line.rpartition(" ")[0]
        return {re.sub(r"\\(.)", r"\1", word) for word in told[len(before) :].split()} - {""}

    def wait_for(self, pattern: str) -> str:
        """What the pattern's group found, or all that it found."""
        seen, deadline = "", time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, seen)):
            assert time.monotonic() < deadline, f"{pattern!r} was not shown: {seen!r}"
            if select.select([self._master], [], [], 0.2)[0]:
                seen += os.read(self._master, 65536).decode(errors="replace")
        return found[found.re.groups]

    def close(self) -> None:
        """End the shell."""
        self._process.kill()
        self._process.wait(PATIENCE_S)
        os.close(self._master)
