"""A hundred thousand people by one command: 200 of them with codes, 50 lines bad; and killed half-way, nobody."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from random import Random

import pytest

from doorctl.roster.lookup import RosterReader
from tests.cli.board import DOORCTL, Board, OnTerminal, wait_until
from tests.cli.memory import Peak
from tests.cli.people_file import many, people_file

pytestmark = pytest.mark.soak

PEOPLE = 100_000
MOST_MIB = 200
"""Issue 3, Done when 3."""


def hundred_thousand(board: Board) -> tuple[str, list[int]]:
    """The file, and the lines that are bad."""
    chance = Random(3)
    numbers = chance.sample(range(PEOPLE), 250)
    lines = many(PEOPLE, bad=numbers[:50], codes=numbers[50:])
    return people_file(board.home, *lines), sorted(number + 2 for number in numbers[:50])


def test_a_hundred_thousand_people(board: Board) -> None:
    file, bad = hundred_thousand(board)
    report = board.home / "refused.csv"
    begun = time.monotonic()
    command = OnTerminal(board, "holder", "import", file, "--skip-bad", "--json", "--report", str(report))
    with command, Peak(command._process.pid) as peak:
        for slip in range(1, 201):
            while f"slip {slip} of 200" not in command.seen:
                assert command._process.poll() is None, command.seen
                command._read(1)
            command.type("\n")
        ran = command.ended()
    said = json.loads(ran.out)
    seconds = said["seconds"] - said["seconds_drawing_codes"]
    sys.stdout.write(
        f"{seconds:.0f} s without drawing codes, {time.monotonic() - begun:.0f} s in all; "
        f"{peak.own_mib:.0f} MiB, {peak.together_mib:.0f} MiB with its sealers\n"
    )
    assert (ran.code, said["enrolled"], said["codes_drawn"], said["codes_not_shown"]) == (0, PEOPLE - 50, 200, [])
    assert [line["line"] for line in said["refused"]] == bad
    with report.open(newline="") as rows:
        assert [int(row["line"]) for row in csv.DictReader(rows)] == bad
    with RosterReader.open(board.paths.roster) as reader:
        assert (reader.facts().holders, reader.facts().rows) == (PEOPLE - 50, 7 * (PEOPLE - 50))
    assert max(peak.own_mib, peak.together_mib) <= MOST_MIB
    listed_within(board, 60)


def listed_within(board: Board, mib: int) -> None:
    """All of them in one list, however many: a page at a time."""
    command = [*DOORCTL, "--home", str(board.home), "holder", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listing, Peak(listing.pid) as peak:
        assert listing.stdout is not None
        assert sum(1 for _ in listing.stdout) == PEOPLE - 50
    assert 0 < peak.own_mib <= mib


@pytest.mark.parametrize("written_mib", [1, 60, 120])
def test_a_hundred_thousand_killed_half_way_are_nobody(board: Board, written_mib: int) -> None:
    lines = many(PEOPLE)
    before = board.paths.roster.read_bytes()
    wal = board.paths.roster.with_name("roster.db-wal")
    running = subprocess.Popen(
        [*DOORCTL, "--home", str(board.home), "holder", "import", people_file(board.home, *lines)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while running.poll() is None and not (wal.exists() and wal.stat().st_size > written_mib << 20):
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    with RosterReader.open(board.paths.roster) as reader:
        assert (reader.generation(), reader.facts().rows) == (0, 0)
    assert board.process("holder", "export").out.count("\n") == 1
    board.process("holder", "remove", "nobody", "--yes")  # whoever writes next takes away what the killed one left
    wait_until(lambda: board.paths.roster.read_bytes() == before, "the roster as it was")
    assert not wal.exists() or wal.stat().st_size == 0
