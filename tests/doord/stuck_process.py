"""doord in which something gets stuck at SIGUSR1; what, is the first argument. Its time runs faster than on a board."""

import asyncio
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

from doorctl.core.types import MS, Duration
from doorctl.doord import __main__ as program
from doorctl.doord import pulse, upkeep
from doorctl.doord.runtime import Doord
from doorctl.sdnotify import notify
from hal.lgpio_levels import load_lgpio

_LINE: Final = 27
"""Nobody's."""


class Stuck(Doord):
    """Like every other, until the signal."""

    async def start(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, BREAKS[sys.argv[1]], self)
        await super().start()


def for_ever() -> None:
    threading.Event().wait()


def until_the_disk_answers() -> None:
    """A thread waits for a child's exec as it waits for a disk, out of every signal's reach; the child for a writer."""
    libc, actions, pid = ctypes.CDLL(None), ctypes.create_string_buffer(1024), ctypes.c_int()
    libc.posix_spawn_file_actions_init(actions)
    libc.posix_spawn_file_actions_addopen(actions, 99, os.environ["THE_DISK"].encode(), os.O_RDONLY, 0)
    assert (
        libc.posix_spawn(ctypes.byref(pid), b"/bin/true", actions, None, (ctypes.c_char_p * 2)(b"true", None), None)
        == 0
    )
    os.waitpid(pid.value, 0)


def loop(_: Doord) -> None:
    notify("STUCK=1")
    for_ever()


def in_the_journals_thread(call: Callable[[], None]) -> Callable[[Doord], None]:
    return lambda doord: void(doord.spawn(doord.journal_thread.call(call), name="stuck"))


def edges(doord: Doord) -> None:
    doord.board.chip.factory.notifier.listen(_LINE, lambda *_: for_ever())  # type: ignore[attr-defined]  # the metal's has one
    load_lgpio().report(_LINE)


def pipe(_: Doord) -> None:
    load_lgpio().end_pipes()


def void(_: object) -> None:
    return


BREAKS: Final[dict[str, Callable[[Doord], None]]] = {
    "loop": loop,
    "journal": in_the_journals_thread(for_ever),
    "disk": in_the_journals_thread(until_the_disk_answers),
    "edges": edges,
    "pipe": pipe,
}

if __name__ == "__main__":
    upkeep.TICK_S = 0.1  # type: ignore[misc]  # a test's time
    pulse.STILL = upkeep.STILL = Duration(400 * MS)  # type: ignore[misc, attr-defined]  # as above
    program.Doord = Stuck  # type: ignore[attr-defined]  # the one hook
    sys.exit(program.main(sys.argv[2:]))
