"""Enrols in a copy of a roster and kills itself at the n-th statement, for every n; then says which state is left.

python -m tests.roster.killed_process ROSTER ACT: a line for each n: n, generation, holders, digest.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from doorctl.core.types import HolderId
from doorctl.roster.enrolment import NewHolder, Person, RosterWriter
from tests.roster.people import TODAY, Draw, edit

Act = Callable[[RosterWriter, Draw], object]


def import_ten(writer: RosterWriter, draw: Draw) -> None:
    with writer.enrolling() as enrolling:
        for number in range(10):
            enrolling.add(NewHolder(label=f"New {number}", rows=draw.rows(), card=draw.card()))


def leavers(writer: RosterWriter, draw: Draw) -> None:
    with writer.enrolling() as enrolling:
        enrolling.remove(HolderId("person-1"))
        enrolling.replace(HolderId("person-2"), draw.rows(), draw.card())
        enrolling.edit(HolderId("person-3"), Person(label="Person 3", suspended=True))
        enrolling.remove(HolderId("person-4"))


ACTS: dict[str, Act] = {
    "add": lambda writer, draw: writer.add_holder(NewHolder(label="New", rows=draw.rows(), card=draw.card())),
    "replace": lambda writer, draw: writer.replace_rows(HolderId("person-3"), draw.rows(), card=draw.card()),
    "remove": lambda writer, draw: writer.remove_holder(HolderId("person-3")),
    "suspend": lambda writer, draw: edit(writer, HolderId("person-3"), suspended=True),
    "import": import_ten,
    "leavers": leavers,
}


def act_until(path: Path, act: Act, last_statement: int) -> None:
    """Never returns from the statement it is to die at."""
    writer = RosterWriter.open(path, today=TODAY)
    seen = 0

    def count(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == last_statement:
            os.kill(os.getpid(), signal.SIGKILL)

    writer._connection.set_trace_callback(count)
    act(writer, Draw(77))
    writer.close()


def main() -> None:
    roster, act = Path(sys.argv[1]), ACTS[sys.argv[2]]
    killed = True
    statement = 0
    while killed:
        statement += 1
        copy = roster.with_name(f"killed-{statement}") / "roster.db"
        copy.parent.mkdir()
        shutil.copy(roster, copy)
        child = os.fork()  # one thread here, and nothing of SQLite open
        if child == 0:
            act_until(copy, act, statement)
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{copy}\n")


if __name__ == "__main__":
    main()
