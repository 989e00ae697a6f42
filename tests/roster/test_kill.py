"""kill -9 during enrolment: the old roster or the new one, for every statement, and never half of it."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from doorctl.core.types import HolderId
from doorctl.roster.enrolment import NewHolder, RosterWriter
from doorctl.roster.lookup import RosterReader, RosterState
from doorctl.seal.roster_tree import roster_digest
from doorctl.wire.detail import Action
from tests.roster.killed_process import ACTS
from tests.roster.people import TODAY, Draw, all_bytes, new_roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a roster says of itself, after everything in it was found to agree."""

    state: RosterState
    holders: tuple[str, ...]


def checked(path: Path) -> Whole:
    """The roster as a reader sees it; fails where a part of it does not agree with another."""
    with RosterReader.open(path) as reader:
        state = reader.state()
        whole = Whole(state=state, holders=tuple(repr(holder) for holder in reader.holders()))
        live: set[bytes] = set()
        for part in reader.registrations_after(0, 10_000):
            live = live | set(part.entries) if part.action is Action.ADD else live - set(part.entries)
        generations = [part.generation for part in reader.registrations_after(0, 10_000)]
        facts = reader.facts()
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    (stored,) = connection.execute("SELECT digest FROM meta").fetchone()
    counts = connection.execute("SELECT count(*) FROM rows GROUP BY holder").fetchall()
    connection.close()
    assert stored == state.digest == roster_digest(live)
    assert counts == [(7,)] * facts.holders
    assert sorted(set(generations)) == list(range(1, state.generation + 1))
    return whole


@pytest.fixture
def people(path: Path) -> Path:
    draw = Draw()
    with new_roster(path) as writer:
        for number in range(6):
            writer.add_holder(NewHolder(label=f"Person {number}", rows=draw.rows(), card=draw.card()))
    return path


@pytest.mark.parametrize("act", ACTS)
def test_killed_at_any_statement_it_is_the_old_or_the_new_one(people: Path, tmp_path: Path, act: str) -> None:
    after = tmp_path / "after" / "roster.db"
    after.parent.mkdir()
    shutil.copy(people, after)
    with RosterWriter.open(after, today=TODAY) as writer:
        ACTS[act](writer, Draw(77))
    old, new = checked(people), checked(after)
    command = [sys.executable, "-m", "tests.roster.killed_process", str(people), act]

    copies = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    left = [checked(Path(copy)) for copy in copies]

    assert len(left) > 10
    changed_at = left.index(new)
    assert left == [old] * changed_at + [new] * (len(left) - changed_at)
    assert 5 < changed_at < len(left) - 1
    for copy in copies:
        with RosterWriter.open(Path(copy), today=TODAY) as writer:  # and enrolment goes on, with nothing left over
            assert writer.free_id("New Person") == "new-person"
        assert [each.name for each in Path(copy).parent.iterdir()] == ["roster.db"]


def test_a_killed_removal_leaves_no_row_once_somebody_enrols_again(people: Path) -> None:
    rows = Draw(8).rows()
    with RosterWriter.open(people, today=TODAY) as writer:
        writer.replace_rows(HolderId("person-3"), rows, card=Draw(9).card())
    command = [sys.executable, "-m", "tests.roster.killed_process", str(people), "remove"]
    copies = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    for copy in map(Path, copies):
        with RosterWriter.open(copy, today=TODAY) as writer:
            gone = not writer.code_taken(rows[0].lookup)
        content = all_bytes(copy)
        assert {part in content for row in rows for part in (bytes(row.lookup), bytes(row.token))} == {not gone}


@pytest.mark.parametrize("after_lines", [1, 3, 8, 20])
def test_killed_from_outside_while_it_works(people: Path, after_lines: int) -> None:
    endless = f"""
from pathlib import Path
from doorctl.core.types import HolderId
from tests.roster.people import TODAY, Draw
from doorctl.roster.enrolment import NewHolder, RosterWriter
draw = Draw({1000 + after_lines})
with RosterWriter.open(Path({str(people)!r}), today=TODAY) as writer:
    while True:
        id_ = writer.add_holder(NewHolder(label="Somebody", rows=draw.rows(), card=draw.card()))
        writer.replace_rows(id_, draw.rows(), card=draw.card())
        writer.remove_holder(HolderId("somebody")) if draw.random.random() < 0.4 else None
        print(writer.generation(), flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", endless], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(after_lines)]
        process.send_signal(signal.SIGKILL)
        said += [int(line) for line in process.stdout]

    whole = checked(people)
    assert said[-1] <= whole.state.generation <= said[-1] + 3
    with RosterWriter.open(people, today=TODAY) as writer:
        assert writer.generation() == whole.state.generation
    assert checked(people) == whole
