"""alarms.db: alarms and what people did about them, and how far the ledger was judged. The alarms part alone writes it.

Alarms, the judge's state and the cursor are one transaction, so that kill -9 at any point neither loses an alarm nor
doubles one. Every change gets a number, so that a page that was away catches up. Nothing is ever deleted.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.effects import Announce, Effect, End, Raise
from doorctl.monitord.alarms.kinds import CATALOGUE, AlarmKind, Severity
from doorctl.monitord.alarms.registered import Registered
from doorctl.monitord.alarms.state import ControllerState, decode_state, encode_state
from doorctl.monitord.database import open_for_writing, storage_errors
from doorctl.wire.detail import EnrolledDetail
from doorctl.wire.record import ControllerId

VERSION: Final = 1
_SCHEMA: Final = MetaData()
LONGEST_NAME: Final = 100
"""Characters of who acknowledged."""

ALARMS: Final = Table(
    "alarms",
    _SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("subject", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("condition", String),
    Column("controller", LargeBinary(16), nullable=False),
    Column("door", String, nullable=False),
    Column("reader", String, nullable=False),
    Column("person", String, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("raised", BigInteger, nullable=False),
    Column("text", String, nullable=False),
    Column("record", Integer),
    Column("ended", BigInteger),
    Column("acknowledged", BigInteger),
    Column("acknowledged_by", String),
    sqlite_autoincrement=True,
)
_OPEN: Final = Index(
    "standing", ALARMS.c.controller, ALARMS.c.condition, sqlite_where=ALARMS.c.ended.is_(None)
)  # fmt: skip
_NEW: Final = Index("unacknowledged", ALARMS.c.id, sqlite_where=ALARMS.c.acknowledged.is_(None))

_CHANGES: Final = Table(
    "changes",
    _SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("alarm", Integer, nullable=False),
    sqlite_autoincrement=True,
)
_STATES: Final = Table(
    "states",
    _SCHEMA,
    Column("controller", LargeBinary(16), primary_key=True),
    Column("state", LargeBinary, nullable=False),
)
_ANNOUNCED: Final = Table(
    "announced",
    _SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("controller", LargeBinary(16), nullable=False),
    Column("detail", LargeBinary, nullable=False),
)
_CURSOR: Final = Table(
    "cursor",
    _SCHEMA,
    Column("one", Integer, primary_key=True),
    Column("record", Integer, nullable=False),
    Column("supervision", Integer, nullable=False),
)
_JUDGED: Final = Table(
    "judged",
    _SCHEMA,
    Column("one", Integer, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
)
"""Of the cursor's record. A table of its own, so that a file from before it goes on as it is."""
_LOOKS: Final = Table(
    "looks",
    _SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("what", String, nullable=False),
    sqlite_autoincrement=True,
)
"""Who looked at alarms, and when: facts/duress.md, "every look at duress data is logged"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One row, as people see it."""

    id: int
    kind: AlarmKind
    severity: Severity
    controller: ControllerId
    door: str
    reader: str
    person: str
    event: WallTime
    received: WallTime
    raised: WallTime
    text: str
    record: int | None
    standing: bool
    """A condition that is not over."""
    ended: WallTime | None
    acknowledged: WallTime | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far the ledger was judged."""

    record: int = 0
    supervision: int = 0
    hash: bytes = b""
    """Of the record it stands at, so that another ledger in the first one's place shows; empty where not known."""


class AlarmStore:
    """Used by the judging thread and by the console's threads; a lock makes them one writer."""

    def __init__(self, path: Path, on_change: Callable[[], None] = lambda: None) -> None:
        """`on_change` is called, in whatever thread it was, after a commit that changed an alarm."""
        self._path = path
        self._engine = open_for_writing(path, _SCHEMA, VERSION)
        self._lock = threading.Lock()
        self._on_change = on_change

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def load(self) -> tuple[Cursor, dict[ControllerId, ControllerState], dict[ControllerId, Registered]]:
        """Where the judge left off."""
        with self._lock, storage_errors(self._path), self._engine.begin() as connection:
            row = connection.execute(select(_CURSOR)).one_or_none()
            judged = connection.execute(select(_JUDGED.c.hash)).scalar_one_or_none() or b""
            cursor = Cursor() if row is None else Cursor(record=row.record, supervision=row.supervision, hash=judged)
            states = {
                ControllerId(row.controller): decode_state(row.state) for row in connection.execute(select(_STATES))
            }
            registered: dict[ControllerId, Registered] = {}
            for row in connection.execute(select(_ANNOUNCED).order_by(_ANNOUNCED.c.id)):
                known = registered.setdefault(ControllerId(row.controller), Registered())
                known.announce(EnrolledDetail.parse(row.detail))
        return cursor, states, registered

    def commit(
        self,
        effects: Iterable[Effect],
        *,
        now: WallTime,
        cursor: Cursor | None = None,
        states: Mapping[ControllerId, ControllerState] | None = None,
    ) -> int:
        """Effects, states and cursor at once; the number of new alarms. `None` leaves a part as it was."""
        raised = 0
        effects = list(effects)
        with self._lock, storage_errors(self._path), self._engine.begin() as connection:
            for effect in effects:
                raised += _apply(connection, effect, now)
            for controller, state in (states or {}).items():
                _replace(connection, _STATES, "controller", {"controller": controller, "state": encode_state(state)})
            if cursor is not None:
                row = {"one": 1, "record": cursor.record, "supervision": cursor.supervision}
                _replace(connection, _CURSOR, "one", row)
                _replace(connection, _JUDGED, "one", {"one": 1, "hash": cursor.hash})
        if effects:
            self._on_change()
        return raised

    def acknowledge(self, alarm: int, *, who: str, now: WallTime) -> Alarm | None:
        """The first to acknowledge stays; None where there is no such alarm."""
        with self._lock, storage_errors(self._path), self._engine.begin() as connection:
            done = connection.execute(
                update(ALARMS)
                .where(ALARMS.c.id == alarm, ALARMS.c.acknowledged.is_(None))
                .values(acknowledged=now, acknowledged_by=who[:LONGEST_NAME])
            )
            if done.rowcount:
                _changed(connection, alarm)
            row = connection.execute(select(ALARMS).where(ALARMS.c.id == alarm)).one_or_none()
        if done.rowcount:
            self._on_change()
        return None if row is None else alarm_of_row(row)

    def looked(self, *, who: str, what: str, now: WallTime) -> None:
        """Remember that somebody looked."""
        with self._lock, storage_errors(self._path), self._engine.begin() as connection:
            connection.execute(insert(_LOOKS).values(at=now, who=who[:LONGEST_NAME], what=what[:LONGEST_NAME]))

    def alarms(self, limit: int) -> list[Alarm]:
        """Those that need somebody first (not acknowledged, gravest, newest), then the rest, newest first."""
        rank = ALARMS.c.acknowledged.is_not(None)
        severity = func.iif(ALARMS.c.acknowledged.is_(None), -ALARMS.c.severity, 0)
        query = select(ALARMS).order_by(rank, severity, ALARMS.c.id.desc()).limit(limit)
        with self._lock, storage_errors(self._path), self._engine.begin() as connection:
            return [alarm_of_row(row) for row in connection.execute(query)]

    def alarm(self, alarm: int) -> Alarm | None:
        """One of them."""
        with self._lock, storage_errors(self._path), self._engine.begin() as connection:
            row = connection.execute(select(ALARMS).where(ALARMS.c.id == alarm)).one_or_none()
        return None if row is None else alarm_of_row(row)

    def changes_after(self, number: int, limit: int) -> list[tuple[int, Alarm]]:
        """(number of the change, the alarm as it is now), oldest first."""
        query = (
            select(_CHANGES.c.id.label("change"), ALARMS)
            .join(ALARMS, ALARMS.c.id == _CHANGES.c.alarm)
            .where(_CHANGES.c.id > number)
            .order_by(_CHANGES.c.id)
            .limit(limit)
        )
        with self._lock, storage_errors(self._path), self._engine.begin() as connection:
            return [(row.change, alarm_of_row(row)) for row in connection.execute(query)]

    def last_change(self) -> int:
        """The number of the newest change; 0 before the first."""
        query = select(func.coalesce(func.max(_CHANGES.c.id), 0))
        with self._lock, storage_errors(self._path), self._engine.begin() as connection:
            return int(connection.execute(query).scalar_one())


def _replace(connection: Connection, table: Table, key: str, row: Mapping[str, object]) -> None:
    statement = insert(table).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=row))


def _apply(connection: Connection, effect: Effect, now: WallTime) -> int:
    match effect:
        case Raise():
            return _raise(connection, effect, now)
        case End(controller=controller, condition=condition, at=at):
            standing = (ALARMS.c.controller == controller, ALARMS.c.condition == condition, ALARMS.c.ended.is_(None))
            ended: Sequence[int] = connection.execute(select(ALARMS.c.id).where(*standing)).scalars().all()
            for alarm in ended:
                connection.execute(update(ALARMS).where(ALARMS.c.id == alarm).values(ended=at))
                _changed(connection, alarm)
        case Announce(controller=controller, detail=detail):
            connection.execute(insert(_ANNOUNCED).values(controller=controller, detail=detail.encode()))
    return 0


def _raise(connection: Connection, alarm: Raise, now: WallTime) -> int:
    # A glance may have raised it before its turn came. Looked for, not tried: a conflict would use up a number, and
    # an operator who sees #1 and #3 asks where #2 is.
    if connection.execute(select(ALARMS.c.id).where(ALARMS.c.subject == alarm.subject)).first() is not None:
        return 0
    row = {
        "subject": alarm.subject,
        "kind": alarm.kind.value,
        "severity": CATALOGUE[alarm.kind].severity,
        "condition": alarm.condition,
        "controller": alarm.controller,
        "door": alarm.door,
        "reader": alarm.reader,
        "person": alarm.person,
        "event": alarm.event,
        "received": alarm.received,
        "raised": now,
        "text": alarm.text,
        "record": alarm.record,
        "ended": alarm.ended,
    }
    statement = insert(ALARMS).values(row).returning(ALARMS.c.id)
    new = connection.execute(statement).scalar_one()
    _changed(connection, new)
    return 1


def _changed(connection: Connection, alarm: int) -> None:
    connection.execute(insert(_CHANGES).values(alarm=alarm))


def alarm_of_row(row: Any) -> Alarm:
    """One row of ALARMS, whatever else the row has."""
    return Alarm(
        id=row.id, kind=AlarmKind(row.kind), severity=Severity(row.severity),
        controller=ControllerId(row.controller), door=row.door, reader=row.reader, person=row.person,
        event=WallTime(row.event), received=WallTime(row.received), raised=WallTime(row.raised), text=row.text,
        record=row.record, standing=row.condition is not None and row.ended is None,
        ended=None if row.ended is None else WallTime(row.ended),
        acknowledged=None if row.acknowledged is None else WallTime(row.acknowledged),
        acknowledged_by=row.acknowledged_by,
    )  # fmt: skip
