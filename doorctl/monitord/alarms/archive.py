"""Reads alarms.db for people: what is open, what lasts, and all that ever was, a page at a time.

On a connection of its own that SQLite refuses every write, so that no search holds up the judge. A page is found by
the number it ends before, not by counting rows: the last of a hundred thousand costs what the first does.
"""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.counts import Count
from doorctl.monitord.alarms.kinds import CATALOGUE, AlarmKind, Severity
from doorctl.monitord.alarms.store import ALARMS, VERSION, Alarm, alarm_of_row
from doorctl.monitord.database import open_for_reading, storage_errors
from doorctl.wire.record import ControllerId

HIGHEST_ID: Final = (1 << 63) - 1
"""SQLite's."""
_MOST_WORDS: Final = 8
_GRAVE: Final = ALARMS.c.severity > Severity.NOTE
"""What is an alarm and no note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What somebody looks for among all alarms; what is left empty excludes nothing."""

    words: str = ""
    """Each of them in the text, the person, the door, the site or the kind's title."""
    kind: AlarmKind | None = None
    state: str = ""
    """`new`, `acknowledged` or `lasting`."""
    controller: str = ""
    """The beginning of its number, in hex."""
    since: WallTime | None = None
    until: WallTime | None = None
    """Raised from and before."""


STATES: Final = ("new", "acknowledged", "lasting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """What nobody has acknowledged."""

    shown: list[Alarm]
    """The gravest first, of these the newest; not all of them where there are many."""
    count: Count


class Archive:
    """May be used from any thread; one question at a time."""

    def __init__(self, path: Path) -> None:
        """AlarmStore has made the file."""
        self._path = path
        self._engine = open_for_reading(path, VERSION)
        self._connection = self._engine.connect()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        self._engine.dispose()

    def open(self, limit: int) -> Open:
        """What waits for somebody."""
        waits = ALARMS.c.acknowledged.is_(None)
        query = select(ALARMS).where(waits).order_by(ALARMS.c.severity.desc(), ALARMS.c.id.desc()).limit(limit)
        with self._asking() as connection:
            shown = [alarm_of_row(row) for row in connection.execute(query)]
            count = _count(connection, waits)
        return Open(shown=shown, count=count)

    def lasting(self, limit: int) -> list[Alarm]:
        """What somebody has seen and is not over, the gravest and newest first."""
        query = select(ALARMS).where(_lasts(), ALARMS.c.acknowledged.is_not(None))
        query = query.order_by(ALARMS.c.severity.desc(), ALARMS.c.id.desc()).limit(limit)
        with self._asking() as connection:
            return [alarm_of_row(row) for row in connection.execute(query)]

    def lasting_of(self) -> Mapping[ControllerId, int]:
        """How many conditions last at each controller that has any."""
        query = select(ALARMS.c.controller, func.count()).where(_lasts()).group_by(ALARMS.c.controller)
        with self._asking() as connection:
            return {ControllerId(row[0]): int(row[1]) for row in connection.execute(query)}

    def standing(self, condition: str) -> set[ControllerId]:
        """The controllers where this one lasts."""
        query = select(ALARMS.c.controller).where(ALARMS.c.condition == condition, ALARMS.c.ended.is_(None))
        with self._asking() as connection:
            return {ControllerId(found) for found in connection.execute(query).scalars()}

    def quiet_since(self) -> WallTime | None:
        """When the last alarm, and no note, was acknowledged; None where none ever was."""
        with self._asking() as connection:
            last = connection.execute(select(func.max(ALARMS.c.acknowledged)).where(_GRAVE)).scalar_one()
        return None if last is None else WallTime(last)

    def page(self, search: Search, sites: Mapping[ControllerId, str], *, before: int, limit: int) -> list[Alarm]:
        """Alarms with a lower number than `before`, newest first."""
        query = select(ALARMS).where(ALARMS.c.id < before, *_conditions(search, sites))
        with self._asking() as connection:
            return [alarm_of_row(row) for row in connection.execute(query.order_by(ALARMS.c.id.desc()).limit(limit))]

    def count(self, search: Search, sites: Mapping[ControllerId, str]) -> Count:
        """How many there are."""
        with self._asking() as connection:
            return _count(connection, *_conditions(search, sites))

    def raised_by(self, records: Collection[int]) -> Mapping[int, list[Alarm]]:
        """The alarms that some of the ledger's rows were the cause of."""
        found: dict[int, list[Alarm]] = {}
        if records:
            query = select(ALARMS).where(ALARMS.c.record.in_(records)).order_by(ALARMS.c.id)
            with self._asking() as connection:
                for row in connection.execute(query):
                    found.setdefault(row.record, []).append(alarm_of_row(row))
        return found

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        """A snapshot of its own each time: one that stays open would keep the write-ahead log from being emptied."""
        with self._lock, storage_errors(self._path), self._connection.begin():
            yield self._connection


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> Count:
    query = select(func.count(), func.count().filter(_GRAVE)).select_from(ALARMS).where(*conditions)
    entries, alarms = connection.execute(query).one()
    return Count(alarms=alarms, notes=entries - alarms)


def _lasts() -> ColumnElement[bool]:
    return and_(ALARMS.c.condition.is_not(None), ALARMS.c.ended.is_(None))


def _conditions(search: Search, sites: Mapping[ControllerId, str]) -> Iterable[ColumnElement[bool]]:
    for word in search.words.split()[:_MOST_WORDS]:
        yield _word(word, sites)
    if search.kind is not None:
        yield ALARMS.c.kind == search.kind.value
    if search.state == "lasting":
        yield _lasts()
    elif search.state:
        unseen = ALARMS.c.acknowledged.is_(None)
        yield unseen if search.state == "new" else ~unseen
    if search.controller:
        yield func.lower(func.hex(ALARMS.c.controller)).startswith(search.controller.lower(), autoescape=True)
    if search.since is not None:
        yield ALARMS.c.raised >= search.since
    if search.until is not None:
        yield ALARMS.c.raised < search.until


def _word(word: str, sites: Mapping[ControllerId, str]) -> ColumnElement[bool]:
    number = word.removeprefix("#")
    if word.startswith("#") and number.isascii() and number.isdecimal() and int(number) <= HIGHEST_ID:
        return ALARMS.c.id == int(number)
    folded = word.casefold()
    kinds = [kind.value for kind, about in CATALOGUE.items() if folded in f"{kind.value} {about.title}".casefold()]
    places = [controller for controller, site in sites.items() if folded in site.casefold()]
    columns = (ALARMS.c.text, ALARMS.c.person, ALARMS.c.door, ALARMS.c.acknowledged_by)
    return or_(
        *(column.icontains(word, autoescape=True) for column in columns),
        ALARMS.c.kind.in_(kinds),
        ALARMS.c.controller.in_(places),
    )
