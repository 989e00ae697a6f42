"""Times and alarms as the JSON that the page, the command line and scripts see. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from doorctl.core.types import SECOND, WallTime
from doorctl.monitord.alarms.kinds import CATALOGUE
from doorctl.monitord.alarms.store import Alarm
from doorctl.seal.keys import ControllerFile
from doorctl.wire.record import ControllerId

_YEAR_10000: Final = 253_402_300_800 * SECOND


def when(wall: WallTime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds; a board may say any 64-bit number, so what is no date is clamped."""
    if wall is None:
        return None
    seconds = min(max(wall, 0), _YEAR_10000 - SECOND) / SECOND
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def alarm_view(alarm: Alarm, sites: Mapping[ControllerId, ControllerFile]) -> dict[str, Any]:
    """One alarm; `timezone` is its site's, empty where its board says none.

    `state` is new or acknowledged, `standing` says that its condition is not over.
    """
    about, file = CATALOGUE[alarm.kind], sites.get(alarm.controller)
    return {
        "id": alarm.id,
        "kind": alarm.kind.value,
        "severity": alarm.severity.name.lower(),
        "title": about.title,
        "means": about.means,
        "text": alarm.text,
        "controller": alarm.controller.hex(),
        "site": file.site if file else "",
        "timezone": file.timezone if file else "",
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
