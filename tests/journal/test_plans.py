"""Every statement on the way of a card, a receipt or a status is answered from an index, with no sort."""

import re
import sqlite3
from collections.abc import Iterator

import pytest

from doorctl.journal import bounds, entries, reader, spool
from doorctl.journal.schema import MIGRATIONS


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    for migration in MIGRATIONS:
        connection.executescript(migration)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        spool.PENDING, spool.AGAIN, spool.HEAD, spool.OLDEST, spool.RECEIPTED, spool.LAST_LOG_WALL,
        spool.LAST_RECORD_WALL, spool.BY_NAME, entries.FIND_RECORD, entries.KNOWN_EPOCH, entries.LAST_LOG,
        entries.DELETE_LOST, bounds.CANDIDATES, bounds.OLD, bounds.SURPLUS, bounds.NEWEST_RECEIPTED, bounds.LOG_SPAN,
        bounds.LOG_OLDEST, bounds.LOG_FROM, reader.AFTER,
    ],
)  # fmt: skip
def test_answered_from_an_index(connection: sqlite3.Connection, statement: str) -> None:
    numbered = [int(number) for number in re.findall(r"\?(\d)", statement)]
    values = (1,) * (max(numbered) if numbered else statement.count("?"))
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert not [step for step in plan if "TEMP B-TREE" in step]
    # A scan is allowed only where a LIMIT ends it: in the order of an index or of the row numbers.
    scans = [step for step in plan if step.startswith("SCAN") and step != "SCAN CONSTANT ROW"]
    assert not scans or "LIMIT" in statement


def test_the_plan_test_can_fail(connection: sqlite3.Connection) -> None:
    with pytest.raises(AssertionError):
        test_answered_from_an_index(connection, "SELECT id FROM record WHERE hash = ?")
    with pytest.raises(AssertionError):
        test_answered_from_an_index(connection, "SELECT id FROM receipted ORDER BY at + ? LIMIT 5")
