"""Controllers and their health, as the page, the command line and scripts see them. Pure.

`health` is one word for whether it is heard; the other words say what is wrong with one that is.
"""

from collections.abc import Mapping
from typing import Any, Final

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.state import ControllerState
from doorctl.monitord.alarms.views import when
from doorctl.seal.keys import ControllerFile
from doorctl.wire.record import ControllerId

_ORDER: Final = ("silent", "never heard", "not trusted", "heard")


def controller_views(
    trusted: Mapping[ControllerId, ControllerFile],
    states: Mapping[ControllerId, ControllerState],
    lasting: Mapping[ControllerId, int],
) -> list[dict[str, Any]]:
    """Every controller that is trusted or was ever heard of, by site; `lasting` counts conditions that are not over."""
    views = [
        _view(controller, trusted.get(controller), states.get(controller), lasting.get(controller, 0))
        for controller in {**trusted, **states}
    ]
    return sorted(views, key=lambda view: (view["site"], view["controller"]))


def worst_first(views: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As the page shows them: what needs a look before what does not, else as they were."""
    return sorted(views, key=lambda view: (_is_well(view), _ORDER.index(view["health"])))


def is_calm(views: list[dict[str, Any]]) -> bool:
    """Whether none of them needs a look."""
    return all(_is_well(view) for view in views)


def _is_well(view: Mapping[str, Any]) -> bool:
    return view["health"] == "heard" and not view["troubles"]


def _view(
    controller: ControllerId, file: ControllerFile | None, state: ControllerState | None, lasting: int
) -> dict[str, Any]:
    supervised = state is not None and state.supervised > 0
    if file is None:
        health = "not trusted"
    elif not supervised:
        health = "never heard"
    else:
        health = "silent" if _is_on(state, AlarmKind.SILENT) else "heard"
    facts = {
        "path": {"heard": "up", "silent": "down"}.get(health, "unknown"),
        "clock": _word(state, AlarmKind.CLOCK, wrong="wrong", right="right"),
        "storage": _word(state, AlarmKind.STORAGE, wrong="fault", right="well"),
        "backlog": _word(state, AlarmKind.STALLED, wrong="stands still", right="flows"),
        "records": _word(state, AlarmKind.GAP, wrong="missing", right="whole"),
    }
    return {
        "controller": controller.hex(),
        "site": file.site if file else "",
        "timezone": file.timezone if file else "",
        "simulated": file.simulated if file else False,
        "health": health,
        "last_supervision": when(WallTime(state.supervised)) if state is not None and supervised else None,
        "pending": state.pending if state else None,
        "roster_generation": state.generation if state else None,
        **facts,
        "colocated": _is_on(state, AlarmKind.COLOCATED),
        "lasting": lasting,
        "troubles": [
            name for name, word in facts.items() if word in {"down", "wrong", "fault", "stands still", "missing"}
        ],
    }


def _word(state: ControllerState | None, kind: AlarmKind, *, wrong: str, right: str) -> str:
    """Before its first supervision nothing is known of it."""
    if state is None or not state.supervised:
        return "unknown"
    return wrong if _is_on(state, kind) else right


def _is_on(state: ControllerState | None, kind: AlarmKind) -> bool:
    condition = None if state is None else state.conditions.get(kind.value)
    return condition is not None and condition.on
