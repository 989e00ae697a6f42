"""doorctl, killed at a step of placing files, without clean-up or a last word.

A step is each file staged and each rename done: what comes between two of them is nothing by itself.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Final

from doorctl.backup import placing, restoring, subject
from doorctl.cli.main import build_parser, main

KILLED: Final = 137
LOADED: Final = (build_parser(), restoring, subject)
"""Before the first fork, so that no child has to."""


def killed_at(step: int, arguments: list[str]) -> int:
    """In a process of its own, which must have one thread only; its exit code."""
    pid = os.fork()
    if pid == 0:
        os.fsync = lambda fd: None  # a killed process's pages stay; only a power cut takes them
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        os._exit(_die_at(step, arguments))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _die_at(step: int, arguments: list[str]) -> int:
    left = step

    def tick() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(KILLED)

    def ticking(function: Callable[..., Any]) -> Callable[..., Any]:
        def ticked(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            tick()
            return result

        return ticked

    placing._rename = ticking(placing._rename)
    placing.Placement.stage = ticking(placing.Placement.stage)  # type: ignore[method-assign]  # the place to die in
    return main(arguments)
