"""A controller that is trusted and was never heard: told after a while, over with its first supervision. Pure.

The judge knows only what has sent something; that a board was trusted and then nothing came is seen here alone.
"""

from collections.abc import Collection, Mapping
from typing import Final

from doorctl.core.types import SECOND, Duration, WallTime
from doorctl.monitord.alarms.effects import Effect, End, Raise
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.state import ControllerState
from doorctl.wire.record import ControllerId

GRACE: Final = Duration(600 * SECOND)
"""To carry the monitor's file to the board, start it there and wait for three supervisions of the slowest pace."""
CONDITION: Final = "unheard"


class Unheard:
    """Remembers since when each of them is waited for, and of which one it was told."""

    def __init__(self, standing: Collection[ControllerId]) -> None:
        """`standing`: where this alarm lasts from an earlier life of the process."""
        self._told = set(standing)
        self._since: dict[ControllerId, WallTime] = {}

    def look(
        self, trusted: Collection[ControllerId], states: Mapping[ControllerId, ControllerState], now: WallTime
    ) -> list[Effect]:
        """What is new since the last look."""
        waited_for = {one for one in trusted if one not in states or not states[one].supervised}
        self._since = {one: self._since.get(one, now) for one in waited_for}
        due = sorted(one for one, since in self._since.items() if now - since >= GRACE and one not in self._told)
        over = sorted(self._told - waited_for)
        self._told = (self._told | set(due)) - set(over)
        return [
            *(_alarm(one, now) for one in due),
            *(End(controller=one, condition=CONDITION, at=now) for one in over),
        ]


def _alarm(controller: ControllerId, now: WallTime) -> Raise:
    """Once a controller: who has acknowledged it knows, and trusting it again says nothing new."""
    return Raise(
        kind=AlarmKind.SILENT, subject=f"{AlarmKind.SILENT.value}:{controller.hex()}:{CONDITION}", condition=CONDITION,
        controller=controller, event=now, received=now, text="trusted, but nothing was ever heard of it",
    )  # fmt: skip
