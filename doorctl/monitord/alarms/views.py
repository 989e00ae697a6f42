"""Alarms, controllers and records as the JSON that the page, the command line and scripts see. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from doorctl.core.types import SECOND, Outcome, WallTime
from doorctl.monitord.alarms.kinds import CATALOGUE, AlarmKind
from doorctl.monitord.alarms.state import ControllerState
from doorctl.monitord.alarms.store import Alarm
from doorctl.monitord.ledger import LedgerRecord
from doorctl.seal.keys import ControllerFile
from doorctl.wire.record import ControllerId

_YEAR_10000: Final = 253_402_300_800 * SECOND


def when(wall: WallTime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds; a board may say any 64-bit number, so what is no date is clamped."""
    if wall is None:
        return None
    seconds = min(max(wall, 0), _YEAR_10000 - SECOND) / SECOND
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def alarm_view(alarm: Alarm, sites: Mapping[ControllerId, str]) -> dict[str, Any]:
    """One alarm; `state` is new or acknowledged, `standing` says that its condition is not over."""
    about = CATALOGUE[alarm.kind]
    return {
        "id": alarm.id,
        "kind": alarm.kind.value,
        "severity": alarm.severity.name.lower(),
        "title": about.title,
        "means": about.means,
        "text": alarm.text,
        "controller": alarm.controller.hex(),
        "site": sites.get(alarm.controller, ""),
        "door": alarm.door,
        "reader": alarm.reader,
        "person": alarm.person,
        "event": when(alarm.event),
        "received": when(alarm.received),
        "raised": when(alarm.raised),
        "standing": alarm.standing,
        "ended": when(alarm.ended),
        "state": "new" if alarm.acknowledged is None else "acknowledged",
        "acknowledged": when(alarm.acknowledged),
        "acknowledged_by": alarm.acknowledged_by,
    }


def controller_views(
    trusted: Mapping[ControllerId, ControllerFile], states: Mapping[ControllerId, ControllerState]
) -> list[dict[str, Any]]:
    """Every controller that is trusted or was ever heard of, by site."""
    views = [
        _controller_view(controller, trusted.get(controller), states.get(controller))
        for controller in {**trusted, **states}
    ]
    return sorted(views, key=lambda view: (view["site"], view["controller"]))


def _controller_view(
    controller: ControllerId, file: ControllerFile | None, state: ControllerState | None
) -> dict[str, Any]:
    silent = state is not None and _is_on(state, AlarmKind.SILENT)
    if file is None:
        health = "not trusted"
    elif state is None or not state.supervised:
        health = "never heard"
    else:
        health = "silent" if silent else "heard"
    return {
        "controller": controller.hex(),
        "site": file.site if file else "",
        "simulated": file.simulated if file else False,
        "health": health,
        "last_supervision": when(WallTime(state.supervised)) if state and state.supervised else None,
        "pending": state.pending if state else None,
        "roster_generation": state.generation if state else None,
    }


def _is_on(state: ControllerState, kind: AlarmKind) -> bool:
    condition = state.conditions.get(kind.value)
    return condition is not None and condition.on


def record_views(records: Iterable[tuple[LedgerRecord, str]]) -> list[dict[str, Any]]:
    """What a controller did, as (record, person), for "what was before"."""
    return [
        {
            "event": when(record.body.wall),
            "kind": record.body.kind.name.lower(),
            "door": record.body.door,
            "reader": record.body.reader,
            "outcome": record.body.outcome.name.lower() if record.body.outcome is not Outcome.NONE else "",
            "reason": record.body.reason.name.lower().replace("_", " ") if record.body.reason else "",
            "count": record.body.count,
            "person": person,
        }
        for record, person in records
    ]
