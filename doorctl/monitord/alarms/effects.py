"""What the judge asks for: alarms to raise, conditions to end. Plain values; storing and telling is others' work."""

from dataclasses import dataclass

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.ledger import LedgerRecord, LedgerSupervision
from doorctl.wire.detail import EnrolledDetail
from doorctl.wire.record import ControllerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """A new alarm. `subject` is its identity: the same subject again changes nothing."""

    kind: AlarmKind
    subject: str
    controller: ControllerId
    event: WallTime
    """When it happened, by the board's clock; the monitor's where it is the monitor that noticed."""
    received: WallTime
    text: str
    condition: str | None = None
    """What `End` names; None for an event that has no end."""
    door: str = ""
    reader: str = ""
    person: str = ""
    record: int | None = None
    """The ledger's row, where one record is the cause."""
    ended: WallTime | None = None
    """Set where the end was known before the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The condition is over; its alarm stays, and stays to be acknowledged."""

    controller: ControllerId
    condition: str
    at: WallTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Registration entries to be kept for good."""

    controller: ControllerId
    detail: EnrolledDetail


Effect = Raise | End | Announce


def alarm_of(
    kind: AlarmKind, cause: LedgerRecord | LedgerSupervision, text: str, *, what: str = "", person: str = ""
) -> Raise:
    """An alarm that a record or supervision is the cause of; `what` names it where the record alone does not."""
    header = cause.header
    number = cause.hash.hex() if isinstance(cause, LedgerRecord) else "supervision"
    what = what or f"{header.epoch.hex()}:{header.sequence}:{number}"
    return Raise(
        kind=kind,
        subject=f"{kind.value}:{header.controller.hex()}:{what}",
        controller=header.controller,
        event=cause.body.wall,
        received=cause.received,
        text=text,
        door=cause.body.door,
        reader=cause.body.reader,
        person=person,
        record=cause.id if isinstance(cause, LedgerRecord) else None,
    )
