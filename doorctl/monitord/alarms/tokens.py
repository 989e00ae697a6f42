"""What a used row says: its meaning at once, and whether it is a row that enrolment made. Pure; opens nothing."""

from typing import Final

from doorctl.core.types import Outcome, Reason, WallTime
from doorctl.monitord.alarms.effects import End, Raise, alarm_of
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.registered import Registered
from doorctl.monitord.alarms.state import Held
from doorctl.monitord.ledger import LedgerRecord
from doorctl.seal.meaning import Meaning, TokenPlain
from doorctl.seal.sealing import registration
from doorctl.wire.record import ControllerId, Flag, Kind


def meaning_alarms(record: LedgerRecord, opened: TokenPlain | None) -> list[Raise]:
    """What the token means, whatever else is wrong with it and whether the door opened or refused."""
    if opened is None:
        return []
    match opened.meaning:
        case Meaning.DURESS:
            text = f"{opened.label} gave a duress code at {record.body.door}; {_door_did(record)}"
            return [alarm_of(AlarmKind.DURESS, record, text, person=opened.label)]
        case Meaning.DECOY:
            text = f"a decoy row of {opened.label} was used at {record.body.door}; {_door_did(record)}"
            return [alarm_of(AlarmKind.DECOY, record, text, person=opened.label)]
        case Meaning.NORMAL:
            return []


def row_alarm(record: LedgerRecord, opened: TokenPlain | None, registered: Registered) -> Raise | bytes | None:
    """An alarm about the row itself; or its registration entry, where none was announced so far; or nothing.

    One cause, one alarm: a token that does not open, or lies under another row, was never registered like that either.
    """
    body = record.body
    if body.kind is not Kind.ACCESS or (opened is None and Flag.MATCHED not in body.flags):
        return None
    if opened is None:
        return alarm_of(AlarmKind.UNOPENABLE, record, f"a row was used at {body.door} that this monitor cannot open")
    if opened.row_tag != body.row_tag:
        text = f"a token of {opened.label} was used at {body.door} under a row that is not its own"
        return alarm_of(AlarmKind.ROW_TAG, record, text, person=opened.label)
    entry = registration(body.row_tag, body.token)
    if registered.revoked_by(entry, body.roster_generation):
        text = f"a row of {opened.label} was used at {body.door} after it had been revoked"
        return alarm_of(AlarmKind.REVOKED, record, text, person=opened.label)
    return None if registered.added(entry) else entry


def explained(held: Held, registered: Registered) -> bool:
    """Whether what was announced by now explains a finding; a digest is only computed where it is comparable."""
    if held.entry:
        return registered.added(held.entry)
    return registered.complete(held.generation) and registered.digest(held.generation) == held.digest


def unexplained(controller: ControllerId, held: Held) -> Raise:
    """The alarm about a row that nothing announced, or about a digest that no announced rows have."""
    name = _condition(held)
    if held.entry:
        kind = AlarmKind.UNREGISTERED
        text = f"a row of {held.person} was used at {held.door} that no enrolment announced"
    else:
        kind = AlarmKind.ROSTER
        text = f"the rows of generation {held.generation} on the board are not those that were announced"
    return Raise(
        kind=kind,
        subject=f"{kind.value}:{controller.hex()}:{name.partition(':')[2]}",
        condition=name,
        controller=controller,
        event=WallTime(held.event),
        received=WallTime(held.received),
        text=text,
        door=held.door if held.entry else "",
        reader=held.reader if held.entry else "",
        person=held.person,
        record=held.record,
    )


def over(controller: ControllerId, held: Held, now: WallTime) -> End:
    """The explanation came after the alarm."""
    return End(controller=controller, condition=_condition(held), at=now)


def _condition(held: Held) -> str:
    if held.entry:
        return f"{AlarmKind.UNREGISTERED.value}:{held.entry.hex()}"
    return f"{AlarmKind.ROSTER.value}:{held.generation}:{held.digest.hex()}"


_REFUSED: Final = {
    Reason.LOCKED_OUT: "locked out",
    Reason.OUTSIDE_SCHEDULE: "outside the schedule",
    Reason.LOCKDOWN: "lockdown",
    Reason.NO_ACCESS: "no access there",
    Reason.SUSPENDED: "suspended",
    Reason.EXPIRED: "expired",
    Reason.NOT_YET_VALID: "not yet valid",
    Reason.TIME_UNKNOWN: "time unknown",
    Reason.INTERLOCK: "interlock",
}


def _door_did(record: LedgerRecord) -> str:
    if record.body.outcome is Outcome.GRANTED:
        return "the door released"
    reason = record.body.reason
    return f"the door refused it ({_REFUSED.get(reason, reason.name.lower().replace('_', ' '))})"
