"""The judging thread's work: new rows of the ledger become alarms, fresh ones first.

Two passes over the same rows. A *glance* opens tokens, newest rows first, and raises what a meaning alone says: that
is how a duress code is an alarm at once while a hundred thousand older records still wait. The *turn* judges every row
in the order it came, exactly once, in one transaction with the cursor; what a glance has raised it finds there.

Ingest commits to the same disk. How often this file commits must therefore not depend on what a token means: a glance
whose rows have their turn in the same step is left to it, and every other one commits, whatever it has found.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.effects import Effect, Raise, alarm_of
from doorctl.monitord.alarms.judge import Judge
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.opening import open_row
from doorctl.monitord.alarms.registered import Registered
from doorctl.monitord.alarms.state import ControllerState, judged_anew
from doorctl.monitord.alarms.store import AlarmStore, Cursor
from doorctl.monitord.alarms.tokens import meaning_alarms
from doorctl.monitord.ledger import LedgerReader, LedgerRecord, LedgerSupervision, Snapshot
from doorctl.seal.meaning import TokenPlain
from doorctl.wire.record import ControllerId

_log: Final = logging.getLogger(__name__)
GLANCE: Final = 256
TURN: Final = 64
"""Rows in one step; together they bound how long a fresh row waits (measured: under 100 ms)."""
_OPENED_KEPT: Final = 8192
_Cause = TypeVar("_Cause", LedgerRecord, LedgerSupervision)


class Worker:
    """Used from one thread; `step` is called until it says that nothing is left."""

    def __init__(
        self,
        *,
        ledger: LedgerReader,
        store: AlarmStore,
        token_keys: Sequence[X25519PrivateKey],
        clock: Callable[[], WallTime],
    ) -> None:
        self._ledger, self._store, self._token_keys, self._clock = ledger, store, tuple(token_keys), clock
        self._cursor, states, registered = store.load()
        self._since = clock()
        self._judges = {
            controller: self._judge(controller, state, registered.get(controller, Registered()))
            for controller, state in states.items()
        }
        self._seen = self._cursor.record
        self._unglanced: list[tuple[int, int]] = []
        self._opened: dict[int, TokenPlain | None] = {}

    def step(self) -> bool:
        """One glance and one turn; whether anything is left to do."""
        with self._ledger.snapshot() as snapshot:
            last = snapshot.last_id()
            if not self._is_judged_ledger(snapshot, last):
                self._judge_anew()
            self._notice(last)
            glanced = self._take_newest()
            first = self._cursor.record + 1
            until = min(first + TURN - 1, last)
            glance = snapshot.between(*glanced) if glanced and glanced[1] > until else []
            turn = snapshot.between(first, until) if first <= last else []
            supervised = snapshot.supervision_after(self._cursor.supervision)
        if glance:
            self._glance(glance)
        self._turn(turn, supervised)
        self._catch_up()
        behind = any(judge.behind for judge in self._judges.values())
        return self._cursor.record < last or bool(self._unglanced) or behind

    def on_deadline(self) -> None:
        """What time alone makes an alarm; only sensible when nothing is left to do."""
        now = self._clock()
        effects: list[Effect] = []
        touched: dict[ControllerId, ControllerState] = {}
        for controller, judge in self._judges.items():
            due = judge.next_deadline()
            if due is not None and due <= now and (found := judge.on_deadline(now)):
                effects += found
                touched[controller] = judge.state
        if effects:
            self._store.commit(effects, now=now, states=touched)

    def controllers(self) -> dict[ControllerId, ControllerState]:
        """What is known of each controller, for the console: values that this thread goes on changing."""
        return {controller: judge.state for controller, judge in list(self._judges.items())}

    def _is_judged_ledger(self, snapshot: Snapshot, last: int) -> bool:
        """Whether the cursor stands in this ledger; not after a backup of it was put back, whose ids start lower."""
        cursor = self._cursor
        if cursor.record > last or cursor.supervision > snapshot.last_arrival():
            return False
        return not cursor.hash or snapshot.hash_of(cursor.record) == cursor.hash

    def _judge_anew(self) -> None:
        """From the ledger's first row; alarms that were raised already have their subjects and stay single."""
        now = self._clock()
        text = "the monitor's ledger was exchanged, as by a restored backup; all of it is judged again"
        place = f"ledger:{self._cursor.record}:{self._cursor.hash.hex()}:{now}"
        effects = [
            Raise(
                kind=AlarmKind.CHAIN, subject=f"{AlarmKind.CHAIN.value}:{controller.hex()}:{place}",
                controller=controller, event=now, received=now, text=text,
            )
            for controller in self._judges
        ]  # fmt: skip
        states = {controller: judged_anew(judge.state) for controller, judge in self._judges.items()}
        self._store.commit(effects, now=now, cursor=Cursor(), states=states)
        for controller, state in states.items():
            self._judges[controller].state = state
        self._cursor, self._seen = Cursor(), 0
        self._unglanced.clear()
        self._opened.clear()

    def _open(self, record: LedgerRecord) -> TokenPlain | None:
        """Once for both passes."""
        if record.id in self._opened:
            return self._opened[record.id]
        opened = open_row(record, self._token_keys)
        self._opened[record.id] = opened
        if len(self._opened) > _OPENED_KEPT:
            del self._opened[next(iter(self._opened))]
        return opened

    def _notice(self, last: int) -> None:
        if last > self._seen:
            self._unglanced.append((self._seen + 1, last))
            self._seen = last

    def _take_newest(self) -> tuple[int, int] | None:
        """The newest rows that were not glanced at and whose turn has not come."""
        while self._unglanced:
            first, last = self._unglanced.pop()
            first = max(first, self._cursor.record + 1)
            begin = max(first, last - GLANCE + 1)
            if begin > first:
                self._unglanced.append((first, begin - 1))
            if begin <= last:
                return begin, last
        return None

    def _glance(self, records: Iterable[LedgerRecord]) -> None:
        effects = [effect for record in records for effect in self._guarded(record, self._meaning)]
        self._store.commit(effects, now=self._clock(), cursor=self._cursor)

    def _turn(self, records: Sequence[LedgerRecord], supervised: Sequence[LedgerSupervision]) -> None:
        """Supervision is judged between the records it came between."""
        effects: list[Effect] = []
        touched: dict[ControllerId, ControllerState] = {}
        cursor = self._cursor
        until = records[-1].id if records else cursor.record
        waiting = [one for one in supervised if one.after_record <= until]
        for record in records:
            while waiting and waiting[0].after_record < record.id:
                effects += self._supervision(waiting.pop(0), touched)
            judge = self._judge_of(record.header.controller, touched)
            effects += self._guarded(record, partial(self._judged, judge))
            self._opened.pop(record.id, None)
        for one in waiting:
            effects += self._supervision(one, touched)
        judged = [one.arrival for one in supervised if one.after_record <= until]
        moved = Cursor(
            record=until,
            supervision=max(judged, default=cursor.supervision),
            hash=records[-1].hash if records else cursor.hash,
        )
        if moved != cursor:
            self._store.commit(effects, now=self._clock(), cursor=moved, states=touched)
            self._cursor = moved

    def _catch_up(self) -> None:
        """A bounded share for one controller; commits only where something was found, which no token has part in."""
        judge = next((judge for judge in self._judges.values() if judge.behind), None)
        if judge is not None and (effects := judge.catch_up(now := self._clock())):
            self._store.commit(effects, now=now, states={judge.controller: judge.state})

    def _meaning(self, record: LedgerRecord) -> list[Effect]:
        return [*meaning_alarms(record, self._open(record))]

    def _judged(self, judge: Judge, record: LedgerRecord) -> list[Effect]:
        opened = self._open(record)
        # What the token means is told even if judging the rest fails; told twice it has one subject, and is one alarm.
        return [*meaning_alarms(record, opened), *self._guarded(record, partial(judge.record, opened=opened))]

    def _supervision(self, one: LedgerSupervision, touched: dict[ControllerId, ControllerState]) -> list[Effect]:
        return self._guarded(one, self._judge_of(one.header.controller, touched).supervision)

    def _guarded(self, cause: _Cause, judge: Callable[[_Cause], list[Effect]]) -> list[Effect]:
        """One record must not silence every alarm after it, nor one board all others."""
        try:
            return judge(cause)
        except Exception:  # noqa: BLE001  a fault of ours, whatever it is
            header = cause.header
            place = f"{header.sequence} of {header.controller.hex()}"
            _log.exception("record %s could not be judged", place)
            record = isinstance(cause, LedgerRecord)
            text = f"a {'record' if record else 'supervision'} cannot be judged; the monitor's own log says why"
            return [alarm_of(AlarmKind.CHAIN, cause, text, what="" if record else f"{header.epoch.hex()}:unjudged")]

    def _judge_of(self, controller: ControllerId, touched: dict[ControllerId, ControllerState]) -> Judge:
        judge = self._judges.get(controller)
        if judge is None:
            judge = self._judges[controller] = self._judge(controller, ControllerState(), Registered())
        touched[controller] = judge.state
        return judge

    def _judge(self, controller: ControllerId, state: ControllerState, registered: Registered) -> Judge:
        return Judge(controller, state, registered, self._since)
