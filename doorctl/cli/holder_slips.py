"""Codes of several people on the controlling terminal: one person's slip at a time, and nowhere else, ever.

A slip stays until Enter is pressed, then screen and scrollback are cleared. There is no way to write slips to a file:
whoever finds the file would have everybody's codes. Those whose slip nobody confirmed are told by name.
"""

import os
import signal
import termios
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Self, TextIO

from doorctl.cli.holder_codes import spaced, word_of
from doorctl.cli.holder_enrol import Enrolled
from doorctl.cli.terminal import TERMINAL, controlling_terminal
from doorctl.core.types import HolderId
from doorctl.errors import OperatorError

_CLEAR: Final = "\x1b[H\x1b[2J\x1b[3J"
"""Cursor home, screen, and what scrolled away (xterm's E3, which the Linux console has as well)."""
_LINE: Final = 4096


class SlipScreen:
    """The terminal, opened before anything is changed."""

    def __init__(self, terminal: TextIO, keys: int) -> None:
        self._terminal = terminal
        self._keys = keys
        self._shown = 0

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Self]:
        """OperatorError where the command has no terminal."""
        with controlling_terminal() as terminal:
            keys = os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                yield cls(terminal, keys)
            finally:
                os.close(keys)

    def show(self, enrolled: Enrolled, label: str, of: int) -> None:
        """One slip, until Enter; OSError or KeyboardInterrupt where that never comes."""
        self._shown += 1
        self._forget_keys()
        codes = "".join(f"  {word_of(code.meaning):<14}{spaced(code.code)}\n" for code in enrolled.codes)
        self._terminal.write(
            f"{_CLEAR}slip {self._shown} of {of}\n\n  {label} ({enrolled.holder})\n\n{codes}\n"
            "write it down, then Enter: the screen is cleared and the next one shown; Ctrl-C stops\n"
        )
        self._terminal.flush()
        try:
            self._wait_for_enter()
        finally:
            self._terminal.write(_CLEAR)
            self._terminal.flush()

    def _forget_keys(self) -> None:
        """What was typed before a slip is there confirms nothing: nobody has seen it."""
        try:
            termios.tcflush(self._keys, termios.TCIFLUSH)
        except termios.error as error:
            raise EOFError from error

    def _wait_for_enter(self) -> None:
        if not os.read(self._keys, _LINE):
            raise EOFError


def show_all(screen: SlipScreen, slips: Iterable[tuple[Enrolled, str]], of: int) -> list[HolderId]:
    """Shows each until Enter; returns whose slip was not confirmed because the show was interrupted."""
    waiting = list(slips)
    with _ending_as_ctrl_c():
        try:
            while waiting:
                screen.show(*waiting[0], of)
                waiting.pop(0)
        except (KeyboardInterrupt, EOFError, OSError):
            return [enrolled.holder for enrolled, _ in waiting]
    return []


def not_shown(holders: list[HolderId]) -> OperatorError:
    """The codes of these were drawn and nobody has them."""
    return OperatorError(
        f"the codes of {len(holders)} were drawn and not shown: {' '.join(holders)}",
        hint="`doorctl holder codes` with these names draws others and shows them",
    )


@contextmanager
def _ending_as_ctrl_c() -> Iterator[None]:
    """A terminal that is closed, or a service that is stopped, still lets us say whose codes nobody has seen."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
