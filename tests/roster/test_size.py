"""100,000 rows: one import that streams, and a look-up that stays what it is with a hundred."""

import tracemalloc
from pathlib import Path

import pytest

from doorctl.roster.enrolment import NewHolder, NewRow
from doorctl.roster.factors import Lookup
from doorctl.roster.holders import RosterFacts
from doorctl.roster.lookup import FIND, RosterReader
from tests.roster.people import Draw, new_roster

HOLDERS = 14_300
"""100,100 rows."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[NewRow]]:
    path = tmp_path_factory.mktemp("large") / "roster.db"
    draw, some = Draw(), []
    with new_roster(path) as writer, writer.enrolling() as enrolling:
        for number in range(HOLDERS):
            rows = draw.rows()
            if number % 1000 == 0:
                some += rows
            enrolling.add(NewHolder(label=f"Person {number}", rows=rows, card=draw.card()))
    return path, some


def steps(reader: RosterReader, lookup: Lookup) -> int:
    """SQLite's virtual machine instructions for one look-up."""
    reader.find(lookup)
    count = 0

    def one() -> int:
        nonlocal count
        count += 1
        return 0

    assert reader._connection is not None
    reader._connection.set_progress_handler(one, 1)
    reader.find(lookup)
    reader._connection.set_progress_handler(None, 1)
    return count


def test_a_look_up_among_a_hundred_thousand_rows_is_one_search_by_key(large: tuple[Path, list[NewRow]]) -> None:
    path, some = large
    with RosterReader.open(path) as reader:
        assert reader.facts() == RosterFacts(
            holders=HOLDERS, rows=7 * HOLDERS, generation=1, file_size=path.stat().st_size
        )  # fmt: skip
        assert [row for row in some if reader.find(row.lookup) is None] == []
        assert reader._connection is not None
        plan = [detail for *_, detail in reader._connection.execute(f"EXPLAIN QUERY PLAN {FIND}", (b"",))]

    assert [step.removesuffix(" LEFT-JOIN") for step in plan if step.startswith("SEARCH")] == [
        "SEARCH r USING PRIMARY KEY (lookup=?)",
        "SEARCH h USING INTEGER PRIMARY KEY (rowid=?)",
    ]
    assert {step for step in plan if step.startswith("SCAN")} <= {"SCAN CONSTANT ROW", "SCAN w"}


def test_the_work_is_the_same_for_every_row_and_every_size(
    large: tuple[Path, list[NewRow]], path: Path, draw: Draw
) -> None:
    rows = draw.rows()
    with new_roster(path) as writer:
        writer.add_holder(NewHolder(label="Ana", rows=rows))
    with RosterReader.open(path) as small, RosterReader.open(large[0]) as reader:
        hits = {steps(reader, row.lookup) for row in large[1]} | {steps(small, row.lookup) for row in rows}
        misses = {steps(reader, Draw(9).lookup()) for _ in range(20)} | {steps(small, Draw(9).lookup())}

    assert len(hits) == len(misses) == 1
    assert abs(hits.pop() - misses.pop()) < 25  # of about 50: reading a column, or setting it to nothing


def test_an_import_streams(path: Path) -> None:
    """What Python holds does not grow with the number of people while they are read."""
    draw = Draw()
    with new_roster(path) as writer, writer.enrolling() as enrolling:
        held = []
        tracemalloc.start()
        for number in range(1500):
            enrolling.add(NewHolder(label=f"Person {number}", rows=draw.rows()))
            if number in {499, 1499}:
                held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()

    assert held[1] - held[0] < 100_000  # 1,000 people are 1.3 MB of rows
