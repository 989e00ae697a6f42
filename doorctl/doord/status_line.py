"""The doors' state in one line, for `systemctl status doorctl`, which every user of the board may read. Pure.

Says of a door what whoever stands before it sees: strike and leaf. Nobody's name, no reader's last answer, and of
faults what `doorctl status` says. Short whatever the configuration is: a hundred doors are counted, and those that are
not secured come first.
"""

from collections.abc import Sequence
from typing import Final

from doorctl.core.door import DoorStatus
from doorctl.core.door_tables import Leaf, Lock
from doorctl.core.types import DoorName

LONGEST: Final = 240
"""Characters: three lines of a terminal."""
_LONGEST_FAULT: Final = 100
_BETWEEN: Final = " · "
_UNLOCKED: Final = frozenset({Lock.UNLOCKED, Lock.UNLOCKED_EXITING})


def status_line(doors: Sequence[tuple[DoorName, DoorStatus]], faults: Sequence[str]) -> str:
    """`front: secured · vault: unlocked by schedule · 1 fault: …`."""
    fault = _faults(faults)
    room = LONGEST - len(fault)
    return _doors(doors, room) + fault


def door_words(status: DoorStatus) -> str:
    """What holds at one door: how the leaf is, where it is not closed, and the lock."""
    lock = status.lock.value
    if status.lock in _UNLOCKED:
        lock = f"{Lock.UNLOCKED.value} by {'schedule' if status.hold is None else 'an operator'}"
    return lock if status.leaf is Leaf.CLOSED else f"{status.leaf.value}, {lock}"


def _doors(doors: Sequence[tuple[DoorName, DoorStatus]], room: int) -> str:
    whole = _BETWEEN.join(f"{name}: {door_words(status)}" for name, status in doors)
    if len(whole) <= room:
        return whole
    told = [f"{name}: {door_words(status)}" for name, status in doors if not _secured(status)]
    secured = len(doors) - len(told)
    while len(line := _counted(told, secured, len(doors))) > room:
        told.pop()
    return line


def _counted(told: Sequence[str], secured: int, doors: int) -> str:
    others = doors - secured - len(told)
    more = "1 more is not" if others == 1 else f"{others} more are not"
    counts = [f"{secured} secured"] * (secured > 0) + [more] * (others > 0)
    return _BETWEEN.join([*told, *counts])


def _secured(status: DoorStatus) -> bool:
    return status.lock is Lock.SECURED and status.leaf is Leaf.CLOSED


def _faults(faults: Sequence[str]) -> str:
    if not faults:
        return ""
    first = faults[0] if len(faults[0]) <= _LONGEST_FAULT else f"{faults[0][: _LONGEST_FAULT - 1]}…"
    return f"{_BETWEEN}{'1 fault' if len(faults) == 1 else f'{len(faults)} faults'}: {first}"
