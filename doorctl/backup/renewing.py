"""A board that goes on with another monitor: its access log stays, its records are put aside with the old journal.

They are sealed to the old monitor's record key: the new one could read none of them, and would miss them for ever.
"""

from collections.abc import Iterator
from pathlib import Path

from doorctl.backup.contents import JOURNAL, Contents
from doorctl.backup.copies import copies
from doorctl.backup.manifest import Role
from doorctl.backup.placing import Placement, finish_interrupted
from doorctl.backup.quiet import nobody_running
from doorctl.backup.snapshot import copy_database
from doorctl.journal.renewal import renew
from doorctl.paths import Paths

_CHUNK = 1 << 16


def renew_journal(paths: Paths) -> int | None:
    """The number in the old one's name, `journal.db.before-N`; None where there is none. OperatorError: doord runs."""
    contents = Contents(paths, Role.BOARD)
    journal = contents.place_of(JOURNAL)
    with nobody_running(contents):
        finish_interrupted(contents)
        if not journal.path.exists():
            return None
        with copies(contents.home) as folder, Placement(contents) as placement:
            copy = folder / "journal.db"
            copy_database(journal.path, copy, lambda _done, _of: None)
            renew(placement.stage(journal, _chunks(copy)))
            others = [part for part in contents.parts() if part is not journal]
            return placement.decide("", kept=others, new_identity=False)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
