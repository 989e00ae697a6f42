"""How far something is that takes more than a second: a bar, a counted line, a line now and then, or nothing.

    standard error is a terminal, rich is installed    a bar
    standard error is a terminal                       one line that counts
    it is none (cron, a file)                          a line every few seconds
    --json                                             nothing

Always on standard error; never a name, a code or a card: only what is being done, and how much of it.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

AFTER_S: Final = 1.0
"""What is done before says nothing at all."""
LINE_EVERY_S: Final = 5.0
_COUNT_EVERY_S: Final = 0.2
_CLEAR_LINE: Final = "\r\x1b[K"

Advance = Callable[[int], None]
"""So many more are done."""


@contextmanager
def progress(
    what: str, total: int, *, quiet: bool, to: TextIO | None = None, now: Callable[[], float] = time.monotonic
) -> Iterator[Advance]:
    """Counts from 0 to `total` of what is being done, as `checking lines`; quiet: --json was given."""
    stream = sys.stderr if to is None else to
    if quiet:
        yield _nothing
    elif not stream.isatty():
        yield _Counter(what, total, stream, now, every_s=LINE_EVERY_S, begin="", end="\n").advance
    else:
        with _on_terminal(what, total, stream, now) as advance:
            yield advance


def _nothing(_: int) -> None:
    """Nobody looks."""


@contextmanager
def _on_terminal(what: str, total: int, stream: TextIO, now: Callable[[], float]) -> Iterator[Advance]:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ModuleNotFoundError:
        counter = _Counter(what, total, stream, now, every_s=_COUNT_EVERY_S, begin=_CLEAR_LINE, end="")
        try:
            yield counter.advance
        finally:
            counter.clear()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


class _Counter:
    """`what: 1,200 of 100,000`, now and then."""

    def __init__(
        self,
        what: str,
        total: int,
        stream: TextIO,
        now: Callable[[], float],
        *,
        every_s: float,
        begin: str,
        end: str,
    ) -> None:
        self._what, self._total, self._stream, self._now = what, total, stream, now
        self._every_s, self._begin, self._end = every_s, begin, end
        self._done = 0
        self._next = now() + max(AFTER_S, every_s)
        self._said = False

    def advance(self, count: int) -> None:
        """So many more."""
        self._done += count
        if self._now() < self._next:
            return
        self._next = self._now() + self._every_s
        self._said = True
        self._stream.write(f"{self._begin}{self._what}: {self._done:,} of {self._total:,}{self._end}")
        self._stream.flush()

    def clear(self) -> None:
        """The line goes, so that what comes next stands alone."""
        if self._said:
            self._stream.write(_CLEAR_LINE)
            self._stream.flush()
