"""Long output on a terminal goes through the pager that people know; everything else is left as it is."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

_LESS: Final = "FRX"
"""less ends by itself where all fits on the screen, and leaves what it showed."""


@contextmanager
def paged() -> Iterator[IO[str]]:
    """Where to write; who leaves the pager early leaves the rest unwritten. Nothing secret ever goes here."""
    command = shlex.split(os.environ.get("PAGER", "less"))
    if not sys.stdout.isatty() or not command or shutil.which(command[0]) is None:
        yield sys.stdout
        return
    environment = {"LESS": _LESS, **os.environ, "LESSSECURE": "1"}  # root's pager starts no shell and writes no file
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=environment) as process:
        if process.stdin is None:
            return
        with suppress(BrokenPipeError):
            try:
                yield process.stdin
            finally:
                process.stdin.close()
