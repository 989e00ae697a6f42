"""Things that are on or off at a board, told in any order: what is newer counts, and nothing is raised twice.

News that is older than what is known already changes nothing, except that a beginning whose end is known was
still an alarm: it is raised as over. Pure.
"""

from dataclasses import replace
from typing import Final

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.effects import Effect, End, Raise
from doorctl.monitord.alarms.state import Condition, ControllerState, Mark, is_after

_MOST: Final = 1024
"""A board that makes up doors gets no more room than this; what is off is forgotten first."""


def begin(state: ControllerState, name: str, mark: Mark, alarm: Raise) -> list[Effect]:
    """It is on since `mark`; `alarm` is what to raise unless it was on already."""
    known = state.conditions.get(name)
    if known is not None and is_after(mark, known.mark) is False:
        if known.on or mark == known.mark:
            return []
        return [replace(alarm, condition=name, ended=_wall(known.mark))]
    if known is not None and known.on:
        known.mark = mark
        return []
    _put(state, name, Condition(on=True, mark=mark))
    return [replace(alarm, condition=name)]


def end(state: ControllerState, name: str, mark: Mark, alarm: Raise) -> list[Effect]:
    """It is off since `mark`; `alarm` tells whose it is and when."""
    known = state.conditions.get(name)
    if known is not None and is_after(mark, known.mark) is False:
        return []
    _put(state, name, Condition(on=False, mark=mark))
    if known is None or not known.on:
        return []
    return [End(controller=alarm.controller, condition=name, at=alarm.event)]


def once(state: ControllerState, name: str, mark: Mark, alarm: Raise) -> list[Effect]:
    """Raised the first time only, and never over."""
    if name in state.conditions:
        return []
    _put(state, name, Condition(on=True, mark=mark))
    return [alarm]


def is_on(state: ControllerState, name: str) -> bool:
    """Whether it is on as far as is known."""
    known = state.conditions.get(name)
    return known is not None and known.on


def _put(state: ControllerState, name: str, condition: Condition) -> None:
    state.conditions.pop(name, None)
    state.conditions[name] = condition
    if len(state.conditions) > _MOST:
        victim = next((key for key, known in state.conditions.items() if not known.on), next(iter(state.conditions)))
        del state.conditions[victim]


def _wall(mark: Mark) -> WallTime:
    return WallTime(mark.wall)
