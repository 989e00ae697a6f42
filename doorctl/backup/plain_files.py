"""Opens files in folders that are a daemon's own: never through a link, and nothing but a plain file.

Root saves and restores what lies in folders of `doorctl`, `doorctl-courier` and `doorctl-monitor`. Whoever has become
one of these can plant a link there, and must not have root read through it what is not theirs.
"""

import errno
import os
import stat
from pathlib import Path

from doorctl.errors import OperatorError, StorageError


def open_plain(path: Path) -> int:
    """A descriptor to read from; OperatorError where it is a link, a pipe, a folder or a device."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OperatorError(
                f"{path}: a link, and followed by no backup",
                hint="put the file itself there, if you know who linked it",
            ) from error
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OperatorError(f"{path}: not a plain file", hint="move it away: nothing of doorctl's made it")
    return descriptor


def check_plain(path: Path) -> None:
    """The same for what another library opens by its name."""
    os.close(open_plain(path))
