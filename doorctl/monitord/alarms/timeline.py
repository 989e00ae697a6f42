"""What happened around an alarm, as lines that people read: records, and what became of the alarm itself. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from doorctl.core.types import Outcome, Reason, WallTime
from doorctl.errors import MalformedError
from doorctl.monitord.alarms.history import Around, Told
from doorctl.monitord.alarms.kinds import CATALOGUE
from doorctl.monitord.alarms.store import Alarm
from doorctl.monitord.alarms.views import when
from doorctl.wire.detail import (
    BY_SIGNAL,
    Act,
    DoorDetail,
    DoorHappening,
    EnrolledDetail,
    FaultCode,
    FaultDetail,
    GuessingDetail,
    LossDetail,
    OperatorDetail,
    StartDetail,
    TestDetail,
    parse_detail,
)
from doorctl.wire.record import NO_EPOCH, Kind

_DOORS: Final = {
    DoorHappening.FORCED_OPEN: "forced open",
    DoorHappening.PRE_ALARM: "open for long",
    DoorHappening.HELD_OPEN: "held open",
    DoorHappening.CLOSED: "closed again",
    DoorHappening.UNLOCKED: "unlocked by its schedule",
    DoorHappening.LOCKED: "locked by its schedule",
}
_ACTS: Final = {
    Act.UNLOCK: "unlock", Act.LOCKDOWN: "lockdown", Act.RESTORE: "lockdown lifted",
    Act.INSTALL_READER: "a reader may be installed", Act.REKEY_READER: "a reader gets a new key",
    Act.CHANGE_SPEED: "readers of a line get another speed", Act.RELOAD: "another configuration",
}  # fmt: skip
_ALARMING: Final = frozenset({DoorHappening.FORCED_OPEN, DoorHappening.HELD_OPEN})


def record_views(records: Iterable[Told]) -> list[dict[str, Any]]:
    """Records in the order they are given."""
    return [_record_view(told) for told in records]


def timeline(alarm: Alarm, around: Around, raised_by: Mapping[int, list[Alarm]]) -> list[dict[str, Any]]:
    """Records before and since and the alarm's own life, in the order the monitor learned of them.

    `side` is `before`, `here` (the alarm) or `since`; `alarms` are others that a record was the cause of.
    """
    before = [
        _record_view(told) | {"side": "before", "alarms": _others(alarm, told, raised_by)} for told in around.before
    ]
    since = [
        (told.record.received, _record_view(told) | {"side": "since", "alarms": _others(alarm, told, raised_by)})
        for told in around.since
    ]
    since += [(moment, view | {"side": "since"}) for moment, view in _life(alarm)]
    here = _line(alarm.event, alarm.received, alarm.text, tone="alarm") | {"side": "here", "door": alarm.door}
    # Sorted by when it came here: boards' clocks differ, and a backlog comes late. The sort is stable.
    return [*before, here, *(view for _, view in sorted(since, key=lambda pair: pair[0]))]


def _life(alarm: Alarm) -> Iterable[tuple[WallTime, dict[str, Any]]]:
    if alarm.ended is not None:
        yield alarm.ended, _line(alarm.ended, alarm.ended, "over", tone="note")
    if alarm.acknowledged is not None:
        text = f"acknowledged by {alarm.acknowledged_by}"
        yield alarm.acknowledged, _line(alarm.acknowledged, alarm.acknowledged, text, tone="note")


def _others(alarm: Alarm, told: Told, raised_by: Mapping[int, list[Alarm]]) -> list[dict[str, Any]]:
    return [
        {"id": other.id, "title": CATALOGUE[other.kind].title, "severity": other.severity.name.lower()}
        for other in raised_by.get(told.record.id, [])
        if other.id != alarm.id
    ]


def _line(event: WallTime, received: WallTime, text: str, *, tone: str) -> dict[str, Any]:
    return {
        "event": when(event), "received": when(received), "text": text, "tone": tone, "record": None, "kind": "",
        "door": "", "reader": "", "outcome": "", "reason": "", "count": 1, "person": "", "alarms": [],
    }  # fmt: skip


def _record_view(told: Told) -> dict[str, Any]:
    body = told.record.body
    text, tone = _text(told)
    return _line(body.wall, told.record.received, text, tone=tone) | {
        "record": told.record.id,
        "kind": body.kind.name.lower(),
        "door": body.door,
        "reader": body.reader,
        "outcome": body.outcome.name.lower() if body.outcome is not Outcome.NONE else "",
        "reason": _words(body.reason.name) if body.reason else "",
        "count": body.count,
        "person": told.person,
    }


def _text(told: Told) -> tuple[str, str]:  # noqa: PLR0911  a table of kinds, a line each
    """What happened, and whether it is plain, granted, refused, or trouble."""
    body = told.record.body
    try:
        detail = parse_detail(body.kind, body.detail)
    except MalformedError:
        return f"{_words(body.kind.name)}: makes no sense", "trouble"
    match detail:
        case StartDetail(previous_epoch=previous):
            return "the controller started" + ("" if previous != NO_EPOCH else " for the first time"), "plain"
        case DoorDetail(happening=happening):
            return _DOORS[happening], "trouble" if happening in _ALARMING else "plain"
        case FaultDetail(code=code, began=began):
            return f"{_fault(code)} {'began' if began else 'is over'}", "trouble" if began else "plain"
        case OperatorDetail(act=act, uid=uid):
            who = "a signal to doord" if uid == BY_SIGNAL else f"user {uid} of the board"
            return f"{_ACTS[act]} by {who}", "plain"
        case EnrolledDetail(generation=generation):
            return f"enrolment, generation {generation} of the roster", "plain"
        case TestDetail():
            return "path test", "plain"
        case LossDetail(matched=matched, unmatched=unmatched):
            return f"{matched + unmatched} records gave way", "trouble"
        case GuessingDetail(wrong_codes=wrong, window_s=window):
            return f"{wrong} wrong codes within {window} s", "trouble"
        case _:
            return _access(told)


def _access(told: Told) -> tuple[str, str]:
    body = told.record.body
    if body.kind is not Kind.ACCESS:
        return _words(body.kind.name), "plain"
    if body.outcome is Outcome.GRANTED:
        return "let in", "granted"
    times = f", {body.count} times" if body.count > 1 else ""
    reason = "" if body.reason is Reason.NONE else f": {_words(body.reason.name)}"
    return f"refused{reason}{times}", "refused"


def _fault(code: FaultCode) -> str:
    return "tamper" if code is FaultCode.TAMPER else f"{_words(code.name)} fault"


def _words(name: str) -> str:
    return name.lower().replace("_", " ")
