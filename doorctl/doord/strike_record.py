"""What doord leaves for the process that secures its strikes once it is dead: which lines, and which levels do it.

Theory of operation. One small file in /run, locked by doord as long as it lives and written before the first pin is
claimed, so that it is there whenever a strike can be released, and right whatever the configuration says by then. The
kernel ends the lock with the process, however that ended; who gets the lock knows that no doord lives. The file says

- nothing (there is none): no doord has claimed a strike since the machine started, or nobody can tell;
- some lines: a doord held them, and nobody has secured them since;
- no lines: they were secured, by a doord that ended or by the helper. There is nothing to do twice: a fail-safe lock
  would be powered for a moment at each of a broken doord's starts.

It is written in place, since the lock is on it: torn, it is malformed and says nothing. Imports little: the helper
must start fast.
"""

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from doorctl.errors import MalformedError, OperatorError, StorageError
from hal.lgpio_levels import LineLevel

_LARGEST: Final = 65_536
_HIGHEST_LINE: Final = 999
_MEMBERS: Final = {"door": str, "chip": str, "label": str, "line": int, "level": int}
_STOP: Final = "stop the other one first: systemctl stop doorctl, or let the wire-test end"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuredStrike:
    """A door's strike, and where its pin has to be for the door to be secured."""

    door: str
    at: LineLevel


class StrikeRecord:
    """The file, open and locked."""

    def __init__(self, descriptor: int) -> None:
        """Takes the descriptor over."""
        self._descriptor = descriptor

    @classmethod
    def locked(cls, path: Path) -> Self:
        """OperatorError where a doord, a wire-test or a helper has it; StorageError where there is none to be had."""
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_CREAT
        try:
            descriptor = os.open(path, flags, 0o600)
            if os.geteuid() == 0:  # by hand: doord must be able to open it afterwards
                folder = path.parent.stat()
                os.fchown(descriptor, folder.st_uid, folder.st_gid)
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise OperatorError(f"{path}: in use by another doord or a wire-test", hint=_STOP) from error
        return cls(descriptor)

    def write(self, strikes: Sequence[SecuredStrike]) -> None:
        """From now on it says this; StorageError where it cannot be written."""
        text = json.dumps([{"door": one.door, **asdict(one.at)} for one in strikes]) + "\n"
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)
            os.fsync(self._descriptor)
        except OSError as error:
            raise StorageError(f"strikes: {error.strerror}") from error

    def read(self) -> tuple[SecuredStrike, ...]:
        """MalformedError where it is torn."""
        return parse_strikes(os.pread(self._descriptor, _LARGEST + 1, 0))

    def close(self) -> None:
        """Ends the lock; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def parse_strikes(untrusted: bytes) -> tuple[SecuredStrike, ...]:
    """What `write` wrote; MalformedError for anything else."""
    try:
        found = json.loads(untrusted) if len(untrusted) <= _LARGEST else None
    except (ValueError, RecursionError) as error:
        raise MalformedError("strikes: not JSON") from error
    if not isinstance(found, list):
        raise MalformedError("strikes: not a list")
    return tuple(_strike(one) for one in found)


def _strike(untrusted: Any) -> SecuredStrike:
    if not isinstance(untrusted, dict) or untrusted.keys() != _MEMBERS.keys():
        raise MalformedError("strikes: other members than expected")
    if any(type(untrusted[name]) is not kind for name, kind in _MEMBERS.items()):
        raise MalformedError("strikes: a member of another type")
    number = untrusted["chip"].removeprefix("gpiochip")
    if not (number.isascii() and number.isdecimal() and untrusted["chip"] == f"gpiochip{number}"):
        raise MalformedError("strikes: not a chip")
    if not 0 <= untrusted["line"] <= _HIGHEST_LINE or untrusted["level"] not in (0, 1):
        raise MalformedError("strikes: no such line or level")
    return SecuredStrike(door=untrusted.pop("door"), at=LineLevel(**untrusted))
