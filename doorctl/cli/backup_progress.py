"""How far a backup is, on standard error where that is a terminal; nothing elsewhere."""

import sys
import time
from typing import Final, Self

_EVERY_S: Final = 0.1
_WHOLE: Final = 100


class Progress:
    """One line that is written over, and wiped at the end."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = 0.0
        self._width = 0

    def __call__(self, what: str, done: int, of: int) -> None:
        """`done` of `of`, in whatever unit."""
        now = time.monotonic()
        if not self._shown or now - self._last < _EVERY_S:
            return
        self._last = now
        line = f"{what} {_WHOLE * done // max(of, 1):3d} %"
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
