"""The judge: a record or supervision and what is known of its controller → alarms. Pure; takes `now`, opens nothing.

Theory of operation. Every record is looked at in the order it came, once. What the record says by itself is told at
once: a duress code, a forced door, a fault. What depends on records that may still be on their way (was this row ever
enrolled? is this digest right?) is held: it becomes an alarm when nothing older is missing and a short grace is over,
or after a long grace whatever is missing, or never, when the explanation comes. Lists of effects are exact: the same
history gives the same alarms, however it was cut into batches, and a repeat of a standing condition gives none.
"""

from collections.abc import Iterable
from typing import Final

from doorctl.core.types import SECOND, Duration, WallTime
from doorctl.errors import MalformedError
from doorctl.monitord.alarms import conditions, lineage, rollback, supervision, tokens
from doorctl.monitord.alarms.effects import Announce, Effect, alarm_of
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.registered import Registered
from doorctl.monitord.alarms.state import ControllerState, Held
from doorctl.monitord.ledger import LedgerRecord, LedgerSupervision
from doorctl.seal.meaning import TokenPlain
from doorctl.wire.detail import (
    Detail,
    DoorDetail,
    DoorHappening,
    EnrolledDetail,
    FaultCode,
    FaultDetail,
    GuessingDetail,
    LossDetail,
    StartDetail,
    TestDetail,
    parse_detail,
)
from doorctl.wire.record import ControllerId

GRACE: Final = Duration(10 * SECOND)
"""For what is on its way although nothing seems to be missing: an enrolment recorded just after its first use."""
LONG_GRACE: Final = Duration(600 * SECOND)
"""For what a backlog still has to bring; withholding it for longer is an alarm of its own."""
LONGEST_GRACE: Final = Duration(86_400 * SECOND)
"""While the board still says that its backlog drains."""
NEWS_WITHIN: Final = Duration(60 * SECOND)
"""Between two parts of a large enrolment: a board makes hundreds a second, and asks for the next within seconds."""
_MOST_HELD: Final = 4096

_FAULTS: Final = {
    FaultCode.READER: (AlarmKind.READER, "reader fault"),
    FaultCode.STORAGE: (AlarmKind.STORAGE, "storage fault"),
    FaultCode.TAMPER: (AlarmKind.TAMPER, "tamper contact open"),
    FaultCode.CLOCK: (AlarmKind.CLOCK, "the board does not trust its clock"),
    FaultCode.ROSTER: (AlarmKind.STORAGE, "the roster cannot be read"),
    FaultCode.COURIER: (AlarmKind.READER, "the board's network part is gone"),
    FaultCode.MISUSE: (AlarmKind.MISUSE, "a reader's line is misused"),
    FaultCode.STRIKE: (AlarmKind.STRIKE, "a strike or an indicator does not take orders"),
}
_DOORS: Final = {
    DoorHappening.FORCED_OPEN: (AlarmKind.FORCED_OPEN, "forced open"),
    DoorHappening.HELD_OPEN: (AlarmKind.HELD_OPEN, "held open too long"),
}


_OF_ONE_START: Final = tuple(
    f"{kind.value}:" for kind in (AlarmKind.FORCED_OPEN, AlarmKind.HELD_OPEN, AlarmKind.TAMPER, AlarmKind.READER,
                                  AlarmKind.MISUSE, AlarmKind.STRIKE)
)  # fmt: skip
"""Conditions that a board forgets when it starts, and tells again if they are still so."""


class Judge:
    """One controller's judge: its state and the rows it has registered."""

    def __init__(
        self, controller: ControllerId, state: ControllerState, registered: Registered, listening_since: WallTime
    ) -> None:
        """`listening_since`: nothing that was not heard before then is silence."""
        self.controller = controller
        self.state = state
        self._registered = registered
        self._listening_since = listening_since

    def record(self, record: LedgerRecord, opened: TokenPlain | None) -> list[Effect]:
        """Judge one record; `opened` is its token where it is an ACCESS record's and opens."""
        effects: list[Effect] = [*tokens.meaning_alarms(record, opened)]
        try:
            detail = parse_detail(record.body.kind, record.body.detail)
        except MalformedError as error:
            return [*effects, alarm_of(AlarmKind.CHAIN, record, f"a record makes no sense: {error}")]
        effects += self._once(record, lineage.receive(self.state, record, _start(detail)))
        effects += self._by_kind(record, detail)
        effects += self._flags(record)
        effects += self._rollbacks(record, 2 * record.header.sequence)
        effects += self._row(record, opened)
        effects += self._digest(record, record.header.sequence)
        return effects

    def supervision(self, supervised: LedgerSupervision) -> list[Effect]:
        """Judge the last supervision of an epoch."""
        effects = supervision.judge(self.controller, self.state, supervised)
        if self.state.live == supervised.header.epoch:
            effects += self._rollbacks(supervised, 2 * self.state.head + 1)
            effects += self._digest(supervised, self.state.head)
        return effects

    def on_deadline(self, now: WallTime) -> list[Effect]:
        """What time alone makes an alarm: silence, and findings that nothing came to explain."""
        silence = supervision.silence(self.controller, self.state, now, self._listening_since)
        return [*silence, *self._settle(now)]

    @property
    def behind(self) -> bool:
        """Whether `catch_up` has work."""
        return self._registered.behind

    def catch_up(self, now: WallTime) -> list[Effect]:
        """A bounded share of the work on what was enrolled, and what it explains."""
        return self._settle(now) if self._registered.catch_up() else []

    def next_deadline(self) -> WallTime | None:
        """When `on_deadline` may have something to say; None: never, as things stand."""
        times = [held.due for held in self.state.held.values() if not held.alarmed]
        silent = supervision.silent_from(self.state, self._listening_since)
        if silent is not None:
            times.append(silent)
        return WallTime(min(times)) if times else None

    def _by_kind(self, record: LedgerRecord, detail: Detail | None) -> list[Effect]:
        match detail:
            case EnrolledDetail():
                return self._enrolled(record, detail)
            case DoorDetail(happening=happening):
                return self._door(record, happening)
            case FaultDetail(code=code, began=began):
                return self._fault(record, code, began=began)
            case StartDetail():
                return self._started(record)
            case LossDetail(ranges=ranges):
                for lost in ranges:
                    lineage.lose(self.state, lost.epoch, lost.first, lost.last)
        return _event(record, detail)

    def _started(self, record: LedgerRecord) -> list[Effect]:
        """What was standing at the door before a start is over, or will be told again."""
        mark, effects = lineage.mark_of(record.body), list[Effect]()
        for name in [name for name in self.state.conditions if name.startswith(_OF_ONE_START)]:
            effects += conditions.end(self.state, name, mark, alarm_of(AlarmKind.READER, record, ""))
        return effects

    def _enrolled(self, record: LedgerRecord, detail: EnrolledDetail) -> list[Effect]:
        if not self._registered.announce(detail):
            return []
        self.state.announced = record.received
        effects: list[Effect] = [Announce(controller=self.controller, detail=detail)]
        for entry in detail.entries:
            if (held := self.state.held.get(entry)) is not None:
                effects += self._settle_one(entry, held, record.received)
        return [*effects, *self.catch_up(record.received)]

    def _door(self, record: LedgerRecord, happening: DoorHappening) -> list[Effect]:
        mark, door = lineage.mark_of(record.body), record.body.door
        effects: list[Effect] = []
        for opened, (kind, text) in _DOORS.items():
            name, alarm = f"{kind.value}:{door}", alarm_of(kind, record, f"{door} {text}")
            if happening is opened:
                effects += conditions.begin(self.state, name, mark, alarm)
            elif happening is DoorHappening.CLOSED:
                effects += conditions.end(self.state, name, mark, alarm)
        return effects

    def _fault(self, record: LedgerRecord, code: FaultCode, *, began: bool) -> list[Effect]:
        """Clock and storage have one condition each, which supervision tells as well."""
        kind, text = _FAULTS[code]
        own = f"{kind.value}:{code.value}:{record.body.door}:{record.body.reader}"
        name = kind.value if code in {FaultCode.STORAGE, FaultCode.CLOCK} else own
        change = conditions.begin if began else conditions.end
        return change(self.state, name, lineage.mark_of(record.body), alarm_of(kind, record, text))

    def _flags(self, record: LedgerRecord) -> list[Effect]:
        """Only beginnings: a record of a backlog cannot tell that something is over."""
        effects: list[Effect] = []
        for kind, text, on in supervision.conditions_told(record.body.flags):
            if on:
                alarm = alarm_of(kind, record, text)
                effects += conditions.begin(self.state, kind.value, lineage.mark_of(record.body), alarm)
        return effects

    def _rollbacks(self, cause: LedgerRecord | LedgerSupervision, place: int) -> list[Effect]:
        found = rollback.receive(self.state, cause.header.epoch, place, cause.body.roster_generation)
        return self._once(
            cause,
            [
                lineage.Finding(
                    AlarmKind.ROLLBACK,
                    f"{back.epoch.hex()}:{back.later}",
                    f"the roster went from generation {back.earlier} back to {back.later}",
                )
                for back in found
            ],
        )

    def _once(self, cause: LedgerRecord | LedgerSupervision, findings: Iterable[lineage.Finding]) -> list[Effect]:
        effects: list[Effect] = []
        for finding in findings:
            alarm = alarm_of(finding.kind, cause, finding.text, what=finding.what)
            effects += conditions.once(self.state, alarm.subject, lineage.mark_of(cause.body), alarm)
        return effects

    def _row(self, record: LedgerRecord, opened: TokenPlain | None) -> list[Effect]:
        finding = tokens.row_alarm(record, opened, self._registered)
        if isinstance(finding, bytes):
            held = _held(record, record.header.sequence, entry=finding, person=opened.label if opened else "")
            return self._hold(finding, held, record.received)
        return [] if finding is None else [finding]

    def _digest(self, cause: LedgerRecord | LedgerSupervision, sequence: int) -> list[Effect]:
        """Each digest of a generation once: either it is the announced one, or it is held until that can be told."""
        generation, digest = cause.body.roster_generation, cause.body.roster_digest
        name = b"%d:%b" % (generation, digest)
        if name in self.state.held:
            return []
        if self._registered.complete(generation) and self._registered.digest(generation) == digest:
            return []
        return self._hold(name, _held(cause, sequence, entry=b"", person=""), cause.received)

    def _hold(self, name: bytes, new: Held, now: WallTime) -> list[Effect]:
        """Once a cause: the same row or digest again adds nothing."""
        if name in self.state.held:
            return []
        self.state.held[name] = new
        if len(self.state.held) > _MOST_HELD:
            del self.state.held[next(iter(self.state.held))]
        return self._settle_one(name, new, now)

    def _settle(self, now: WallTime) -> list[Effect]:
        """Look at everything that is held."""
        return [
            effect for name, held in list(self.state.held.items()) for effect in self._settle_one(name, held, now)
        ]  # fmt: skip

    def _settle_one(self, name: bytes, held: Held, now: WallTime) -> list[Effect]:
        """Drop what was explained, ending its alarm; raise what nothing can explain any more."""
        if tokens.explained(held, self._registered):
            del self.state.held[name]
            return [tokens.over(self.controller, held, now)] if held.alarmed else []
        if held.alarmed or not self._is_final(held, now):
            return []
        held.alarmed = True
        return [tokens.unexplained(self.controller, held)]

    def _is_final(self, held: Held, now: WallTime) -> bool:
        """A digest is final once every announcement up to its generation is here; a row once nothing else is missing.

        An import of 100,000 holders is minutes of announcements, and people use their cards meanwhile: as long as
        they come, a generation that is not complete is no finding. Where none comes, none is on its way.
        """
        if now >= held.limit and (not supervision.draining(self.state) or now >= held.limit + LONGEST_GRACE):
            return True
        complete = self._registered.complete(held.generation)
        if complete and not held.entry:
            return True
        if not complete and now < self.state.announced + NEWS_WITHIN:
            return False
        return now >= held.due and lineage.whole_below(self.state, held.epoch, held.sequence)


def _event(record: LedgerRecord, detail: Detail | None) -> list[Effect]:
    """Kinds of record that are an alarm by themselves, each its own."""
    match detail:
        case LossDetail(unmatched=unmatched, matched=matched):
            text = f"{matched} records of holders and {unmatched} others gave way: the board's memory was full"
            return [alarm_of(AlarmKind.LOSS, record, text)]
        case GuessingDetail(wrong_codes=wrong, window_s=window):
            return [alarm_of(AlarmKind.GUESSING, record, f"{wrong} wrong codes within {window} s")]
        case TestDetail(nonce=nonce):
            return [alarm_of(AlarmKind.TEST, record, f"path test {nonce.hex()} arrived")]
        case _:
            return []


def _start(detail: Detail | None) -> StartDetail | None:
    return detail if isinstance(detail, StartDetail) else None


def _held(cause: LedgerRecord | LedgerSupervision, sequence: int, *, entry: bytes, person: str) -> Held:
    body = cause.body
    return Held(
        entry=entry,
        generation=body.roster_generation,
        digest=body.roster_digest,
        epoch=cause.header.epoch,
        sequence=sequence,
        due=cause.received + GRACE,
        limit=cause.received + LONG_GRACE,
        event=body.wall,
        received=cause.received,
        record=cause.id if isinstance(cause, LedgerRecord) else None,
        door=body.door,
        reader=body.reader,
        person=person,
    )
