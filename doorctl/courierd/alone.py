"""Keeps a second courier away from a board: while one runs, it holds a lock on the folder of its TLS key.

Two couriers would take doord's socket from each other at every dial, since the newest wins there, and the monitor would
hear from one board over two lines. doord cannot refuse the second: after a cut line the newest is the one that lives.

Why that folder, and flock(2) on it:

- the courier must read it anyway, so under systemd nothing has to be writable, and the unit stays as narrow as it was
- only its own user and root may open it (0700), so nobody else can hold the lock and keep the courier out; the name of
  an abstract socket could be taken by anybody, and is another one in each network namespace
- the unit's runtime directory is gone while the unit is stopped, and a courier started by hand would not meet it there
- it is the board's identity at the monitor, which is exactly what there must be one of
- the kernel lets go of it when the process ends, however it ends: nothing is left over that somebody must delete
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from doorctl.errors import OperatorError

_STOP: Final = "stop the other one first: systemctl stop doorctl-courier; on a laptop: the one with the same --home"


@contextmanager
def only_courier(key_folder: Path) -> Iterator[None]:
    """Be the only courier inside; OperatorError where another one is, which notices nothing of it."""
    descriptor = None
    try:
        descriptor = os.open(key_folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if descriptor is not None:
            os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise OperatorError(f"{key_folder}: in use by another courierd", hint=_STOP) from error
        raise OperatorError(f"{key_folder}: cannot be locked: {(error.strerror or str(error)).lower()}") from error
    try:
        yield
    finally:
        os.close(descriptor)
