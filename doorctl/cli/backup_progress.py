"""How far a backup or a restore is: one bar or line for each thing that is done, as progress.py shows it."""

from contextlib import ExitStack
from typing import Self

from doorctl.cli.progress import Advance, progress


class Progress:
    """Is told `(what, done, of)`; a context manager, and silent with --json."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._shown = ExitStack()
        self._what = ""
        self._done = 0
        self._advance: Advance | None = None

    def __call__(self, what: str, done: int, of: int) -> None:
        """`done` of `of`, in whatever unit `what` names."""
        if self._advance is None or what != self._what:
            self._shown.close()
            self._advance = self._shown.enter_context(progress(what, of, quiet=self._quiet))
            self._what, self._done = what, 0
        self._advance(done - self._done)
        self._done = done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()
