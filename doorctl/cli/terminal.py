"""The controlling terminal: the one place where codes are shown, whatever standard output is tied to."""

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from doorctl.errors import OperatorError

TERMINAL: Final = "/dev/tty"


@contextmanager
def controlling_terminal() -> Iterator[TextIO]:
    """Open for writing; OperatorError where the command has none (cron, a pipe over ssh, a service)."""
    try:
        descriptor = os.open(TERMINAL, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise OperatorError(
            "codes are shown on the controlling terminal only, and there is none",
            hint="run it in a terminal; over ssh use `ssh -t`",
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as terminal:
        yield terminal


def confirmed(question: str, *, yes: bool) -> bool:
    """What a person answers; `yes` answers for them. Without a terminal the answer is no.

    Asks on standard error: standard output may be a script's, with --json. What was typed before the question answers
    another one.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        return False
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
