"""All alarms that ever were: search, filter and pages, also of a hundred thousand."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

from doorctl.core.types import SECOND, WallTime
from doorctl.errors import OperatorError
from doorctl.monitord.alarms.archive import HIGHEST_ID, Archive, Search
from doorctl.monitord.alarms.counts import Count
from doorctl.monitord.alarms.effects import End, Raise
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.screens import asked
from doorctl.monitord.alarms.store import AlarmStore
from tests.monitord.board import NOON, Board

HERE, THERE = Board(name="harbour-st"), Board(name="mill-lane")
SITES = {HERE.controller: "harbour-st", THERE.controller: "mill-lane"}
DAY = 86_400 * SECOND
SPOKEN = Raise(
    kind=AlarmKind.DURESS, subject="1", controller=HERE.controller, event=NOON, received=NOON, door="front",
    person="Ana Lopez", text="Ana Lopez gave a duress code at front; the door released", record=7,
)  # fmt: skip
FORCED = Raise(
    kind=AlarmKind.FORCED_OPEN, subject="2", controller=THERE.controller, event=NOON, received=NOON, door="100% yard",
    text="100% yard forced open", condition="forced-open:100% yard", record=9,
)  # fmt: skip
SILENT = Raise(
    kind=AlarmKind.SILENT, subject="3", controller=HERE.controller, event=NOON, received=NOON,
    text="nothing heard for 185 s", condition="silent",
)  # fmt: skip
TEST = replace(SPOKEN, kind=AlarmKind.TEST, subject="4", person="", door="", text="path test 00ff arrived", record=None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AlarmStore]:
    store = AlarmStore(tmp_path / "alarms.db")
    yield store
    store.close()


@pytest.fixture
def archive(tmp_path: Path, store: AlarmStore) -> Iterator[Archive]:
    for day, alarm in enumerate((SPOKEN, FORCED, SILENT, TEST)):
        store.commit([alarm], now=WallTime(NOON + day * DAY))
    archive = Archive(tmp_path / "alarms.db")
    yield archive
    archive.close()


def _found(archive: Archive, search: Search) -> list[int]:
    found = [alarm.id for alarm in archive.page(search, SITES, before=HIGHEST_ID, limit=10)]
    assert archive.count(search, SITES).total == len(found)
    return found


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, [4, 3, 2, 1]),
        ({"q": "ana"}, [1]),
        ({"q": "FRONT lopez"}, [1]),
        ({"q": "front yard"}, []),
        ({"q": "100%"}, [2]),
        ({"q": "1_0"}, []),
        ({"q": "mill"}, [2]),
        ({"q": "duress"}, [1]),
        ({"q": "controller silent"}, [3]),
        ({"q": "#3"}, [3]),
        ({"q": "#" + "9" * 30}, []),
        ({"kind": "forced-open"}, [2]),
        ({"state": "new"}, [4, 3, 2, 1]),
        ({"state": "acknowledged"}, []),
        ({"state": "lasting"}, [3, 2]),
        ({"controller": THERE.controller.hex()[:9].upper()}, [2]),
        ({"from": "2026-09-22"}, [4, 3, 2]),
        ({"from": "2026-09-22", "to": "2026-09-23"}, [3, 2]),
        # 14:13 UTC is 03:13 of the next day thirteen hours east, and the same day ten hours west.
        ({"to": "2026-09-21", "tz": "-780"}, []),
        ({"to": "2026-09-21", "tz": "600"}, [1]),
        ({"before": "3"}, [4, 3, 2, 1]),
    ],
)
def test_what_somebody_looks_for(archive: Archive, query: dict[str, str], ids: list[int]) -> None:
    assert _found(archive, asked(query).search) == ids


def test_people_who_acknowledged_are_found_too(archive: Archive, store: AlarmStore) -> None:
    store.acknowledge(2, who="Cleo", now=NOON)
    assert _found(archive, Search(words="cleo")) == [2]
    assert _found(archive, Search(state="acknowledged")) == [2]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"kind": "nothing"}, "kind: expected one of duress, "),
        ({"state": "old"}, "state: expected one of new, acknowledged, lasting"),
        ({"controller": "xyz"}, "controller: expected the beginning of its number"),
        ({"from": "yesterday"}, "from: expected a day such as 2026-11-23"),
        ({"to": "0001-01-01", "tz": "-1440"}, "to: expected a day such as 2026-11-23"),
        ({"tz": "east"}, "tz: expected minutes behind UTC"),
        ({"before": "first"}, "before: expected the number of an alarm"),
        ({"before": "9" * 40}, "before: expected the number of an alarm"),
    ],
)
def test_what_cannot_be_meant_is_named(query: dict[str, str], message: str) -> None:
    with pytest.raises(OperatorError, match=message):
        asked(query)


def test_open_ones_come_gravest_first_and_quiet_has_a_beginning(archive: Archive, store: AlarmStore) -> None:
    assert archive.quiet_since() is None
    waiting = archive.open(3)
    assert ([alarm.id for alarm in waiting.shown], waiting.count) == ([1, 2, 3], Count(alarms=3, notes=1))
    for number in (1, 2, 4, 3):
        store.acknowledge(number, who="Cleo", now=WallTime(NOON + number))
    assert (archive.open(3).shown, archive.open(3).count) == ([], Count())
    assert archive.quiet_since() == NOON + 3  # the fourth was a note, and it was quiet before somebody saw it


def test_what_lasts_is_counted_until_it_is_over(archive: Archive, store: AlarmStore) -> None:
    assert archive.lasting_of() == {HERE.controller: 1, THERE.controller: 1}
    assert archive.standing("silent") == {HERE.controller}
    assert archive.lasting(10) == []
    store.acknowledge(2, who="Cleo", now=NOON)
    store.acknowledge(3, who="Cleo", now=NOON)
    assert [alarm.id for alarm in archive.lasting(10)] == [2, 3]
    store.commit([End(controller=HERE.controller, condition="silent", at=NOON)], now=NOON)
    assert [alarm.id for alarm in archive.lasting(10)] == [2]
    assert archive.lasting_of() == {THERE.controller: 1}
    assert archive.standing("silent") == set()


def test_alarms_are_found_by_the_record_that_was_their_cause(archive: Archive) -> None:
    found = archive.raised_by([7, 8, 9])
    assert {record: [alarm.id for alarm in alarms] for record, alarms in found.items()} == {7: [1], 9: [2]}
    assert archive.raised_by([]) == {}


def test_a_hundred_thousand_are_read_through_page_by_page(tmp_path: Path) -> None:
    """Every alarm once, and the last page no slower than a person notices."""
    store = AlarmStore(tmp_path / "alarms.db")
    _insert(store, 100_000)
    archive = Archive(tmp_path / "alarms.db")
    words, slowest = Search(words="lopez"), 0.0
    for before in (HIGHEST_ID, 99_901, 50_001, 101, 1):
        began = monotonic()
        page = archive.page(words, SITES, before=before, limit=100)
        slowest = max(slowest, monotonic() - began)
        newest = min(before - 1, 100_000)
        assert [alarm.id for alarm in page] == list(range(newest, max(newest - 100, 0), -1))
    began = monotonic()
    assert archive.count(words, SITES) == Count(alarms=100_000)
    assert archive.page(Search(words="lopez front nowhere"), SITES, before=HIGHEST_ID, limit=100) == []
    slowest = max(slowest, monotonic() - began)
    archive.close()
    store.close()
    assert slowest < 2, "a search of all of them takes a tenth of this"


def _insert(store: AlarmStore, count: int) -> None:
    """At once: one by one is the store's business and tried elsewhere."""
    with store._engine.begin() as connection:
        connection.exec_driver_sql(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) INSERT INTO alarms (subject,"
            " kind, severity, controller, door, reader, person, event, received, raised, text) SELECT n, 'duress', 4, ?,"
            " 'front', 'front', 'Ana Lopez', 1, 1, 1, 'Ana Lopez gave a duress code at front' FROM n",
            (count, HERE.controller),
        )
