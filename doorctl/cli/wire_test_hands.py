"""The terminal of somebody who works at a door: questions, ENTER, and a board that goes on meanwhile.

Runs on the event loop, so that an input is shown while a question stands. Where standard input is no terminal nobody is
asked: the answer to a question is no, unless --yes answers it.
"""

import asyncio
import os
import sys
import termios
from collections.abc import Awaitable, Callable
from typing import Final, Self, TypeVar

T = TypeVar("T")
_LINE: Final = 4096


class Hands:
    """Lines typed on standard input; a context manager inside the running loop."""

    def __init__(self, *, yes: bool, terminal: bool) -> None:
        """`terminal`: somebody can be asked."""
        self._yes = yes
        self.present = terminal
        """Somebody can press ENTER."""
        self._typed: asyncio.Queue[str] = asyncio.Queue()

    def __enter__(self) -> Self:
        if self.present:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._readable)
        return self

    def __exit__(self, *_: object) -> None:
        if self.present:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())

    @property
    def asks(self) -> bool:
        """A question has an answer of a person's."""
        return self.present and not self._yes

    async def agreed(self, question: str) -> bool:
        """A typed y or yes; what was typed before the question answers another one."""
        if self._yes:
            return True
        if not self.present:
            return False
        self.tell(f"{question} [y/N] ")
        return (await self._typed.get()).strip().lower() in ("y", "yes")

    def tell(self, text: str) -> None:
        """What somebody is to do: on standard error, since standard output may be a script's or a file.

        What was typed before answers something else.
        """
        self.forget()
        sys.stderr.write(text)
        sys.stderr.flush()

    async def enter(self) -> None:
        """Return when ENTER is pressed; never where nobody is there to press it."""
        if not self.present:
            await asyncio.Event().wait()
        await self._typed.get()

    async def until(self, work: Callable[[], Awaitable[T]], within_s: float) -> T | None:
        """What the work returns; None where time is up or, if it is not waiting for that itself, ENTER is pressed."""
        waits = asyncio.ensure_future(work()), asyncio.ensure_future(self.enter())
        try:
            done, _ = await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        return waits[0].result() if waits[0] in done else None

    def forget(self) -> None:
        """What was typed until now."""
        if self.present:
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
        while not self._typed.empty():
            self._typed.get_nowait()

    def _readable(self) -> None:
        try:
            typed = os.read(sys.stdin.fileno(), _LINE).decode(errors="replace")
        except OSError:
            # the door stays as it is: what is on is on for a second at most, and nothing more is agreed to
            typed = ""
        if not typed:  # Ctrl-D, or the terminal went away: whoever sat there answers nothing any more
            self.__exit__()
            self.present = False
        for line in typed.splitlines() or [""]:
            self._typed.put_nowait(line)
