"""Reader and writer in two processes, the reader without the right to write."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doorctl.core.types import HolderId
from doorctl.roster.enrolment import NewHolder, RosterWriter
from doorctl.roster.factors import Lookup
from doorctl.roster.lookup import RosterState
from doorctl.seal.roster_tree import roster_digest
from tests.roster.people import TODAY, Draw, entries, new_roster

DOORD_UID, DOORCTL_GID = 65_533, 65_532
"""Nobody's."""


class OtherProcess:
    """Asks the reading process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert self._line() == "ready"

    def ask(self, question: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        return self._line()

    def find(self, lookup: Lookup) -> str:
        return self.ask(f"find {lookup.hex()}")

    def state(self) -> RosterState:
        generation, digest = self.ask("state").split()
        return RosterState(generation=int(generation), digest=bytes.fromhex(digest))

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def reading(path: Path, *rights: int) -> Iterator[OtherProcess]:
    command = [sys.executable, "-m", "tests.roster.reading_process", str(path), *map(str, rights)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield OtherProcess(process)


def test_a_reader_sees_whole_changes_of_another_process_at_once(path: Path, writer: RosterWriter, draw: Draw) -> None:
    first, second, third = draw.rows(), draw.rows(), draw.rows()
    with reading(path) as doord:
        assert doord.state() == RosterState(generation=0, digest=roster_digest(()))
        writer.add_holder(NewHolder(label="Ana", rows=first))
        assert [doord.find(row.lookup) for row in first] == ["ana"] * 7
        assert doord.state() == RosterState(generation=1, digest=roster_digest(entries(first)))

        with writer.enrolling() as enrolling:
            enrolling.add(NewHolder(label="Bo", rows=second))
            assert doord.find(second[0].lookup) == "nobody"
            assert doord.find(first[0].lookup) == "ana"
        assert doord.find(second[0].lookup) == "bo"

        writer.replace_rows(HolderId("ana"), third, card=None)
        assert [doord.find(row.lookup) for row in (*first, *third)] == ["nobody"] * 7 + ["ana"] * 7
        writer.close()
        assert doord.find(third[0].lookup) == "ana"
        with RosterWriter.open(path, today=TODAY) as again:
            again.remove_holder(HolderId("bo"))
            assert doord.state() == RosterState(generation=4, digest=roster_digest(entries(third)))
            assert path.with_name("roster.db-wal").stat().st_size == 0


@pytest.fixture
def shared() -> Iterator[Path]:
    """A roster in a folder as systemd-tmpfiles makes it: 2770, of the group."""
    if os.geteuid() != 0:
        pytest.skip("only root can give rights to another user")
    with tempfile.TemporaryDirectory(prefix="doorctl-roster-") as place:
        Path(place).chmod(0o755)
        folder = Path(place) / "roster"
        folder.mkdir()
        os.chown(folder, 0, DOORCTL_GID)
        folder.chmod(0o2770)
        yield folder / "roster.db"


def test_a_user_of_the_group_reads_and_cannot_write(shared: Path, draw: Draw) -> None:
    first, second, third = draw.rows(), draw.rows(), draw.rows()
    with new_roster(shared) as writer:
        writer.add_holder(NewHolder(label="Ana", rows=first))
    status = shared.stat()
    assert (status.st_uid, status.st_gid, oct(status.st_mode)) == (0, DOORCTL_GID, "0o100640")

    with reading(shared, DOORD_UID, DOORCTL_GID) as doord:
        assert doord.find(first[0].lookup) == "ana"
        assert doord.ask("write") == "attempt to write a readonly database"
        with RosterWriter.open(shared, today=TODAY) as writer:
            writer.add_holder(NewHolder(label="Bo", rows=second))
            assert doord.find(second[0].lookup) == "bo"
    # what the first doord left beside the file serves or does not disturb the next one, with and without a writer
    with reading(shared, DOORD_UID, DOORCTL_GID) as doord, RosterWriter.open(shared, today=TODAY) as writer:
        writer.replace_rows(HolderId("ana"), third, card=None)
        assert [doord.find(rows[3].lookup) for rows in (first, second, third)] == ["nobody", "bo", "ana"]
        assert doord.state() == RosterState(generation=3, digest=roster_digest(entries(second + third)))
        writer.close()
        assert doord.ask("close") == "closed"
        assert doord.find(third[3].lookup) == "ana"


def test_a_user_of_the_group_reads_what_a_killed_writer_committed(shared: Path, draw: Draw) -> None:
    """Root's WAL and its index are left behind, and the reader has no right to write either."""
    first, second = draw.rows(), draw.rows()
    with new_roster(shared) as writer:
        writer.add_holder(NewHolder(label="Ana", rows=first))
    killed = f"""
import os, signal, pickle, sys
from pathlib import Path
from doorctl.roster import enrolment
from tests.roster.people import TODAY, Draw
draw = Draw({draw.seed}); draw.rows()
enrolment.empty_wal = lambda _: os.kill(os.getpid(), signal.SIGKILL)
enrolment.drop_leftovers = lambda _: None
from doorctl.roster.schema import connect_for_writing
writer = enrolment.RosterWriter(Path({str(shared)!r}), connect_for_writing(Path({str(shared)!r})), TODAY)
writer.add_holder(enrolment.NewHolder(label="Bo", rows=draw.rows()))
"""
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == -9
    assert shared.with_name("roster.db-wal").stat().st_size > 0

    with reading(shared, DOORD_UID, DOORCTL_GID) as doord:
        assert [doord.find(rows[0].lookup) for rows in (first, second)] == ["ana", "bo"]
        assert doord.state() == RosterState(generation=2, digest=roster_digest(entries(first + second)))
        with RosterWriter.open(shared, today=TODAY) as writer:
            assert [holder.id for holder in writer.holders()] == ["ana", "bo"]
            assert shared.with_name("roster.db-wal").stat().st_size == 0
        assert doord.find(second[1].lookup) == "bo"


def test_a_user_outside_the_group_is_told_what_is_missing(shared: Path) -> None:
    with new_roster(shared):
        pass
    command = [sys.executable, "-m", "tests.roster.reading_process", str(shared), str(DOORD_UID), "65531"]

    ended = subprocess.run(command, check=False, capture_output=True, text=True)

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == f"doorctl.errors.StorageError: {shared}: Permission denied"
