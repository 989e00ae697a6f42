"""Doctor's checks for what restores put aside and killed commands left: nobody uses it, and secrets are in it.

Opens none of it and deletes none: what an older state is still good for is people's to say.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from doorctl.cli.doctor_finding import Check, Finding, of_error, warning
from doorctl.cli.doctor_subject import Board, Monitor

if TYPE_CHECKING:
    from doorctl.backup.contents import Contents

_OF_BOARD: Final = "old keys, codes' rows and log"
_OF_MONITOR: Final = "old keys, alarms and records"


def put_aside(subject: Board | Monitor) -> Iterator[Finding]:
    """What `restore --replace` and a change of monitors leave beside the files of now."""
    from doorctl.backup.placing import aside_in, number_of

    found = []
    for folder in _contents(subject).folders():
        try:
            found += aside_in(folder)
        except PermissionError as error:
            yield of_error(error)
    if not found:
        return
    numbers = ", ".join(f"*.before-{number}" for number in sorted({number_of(path) for path in found}))
    files, verb, them = ("file", "is", "it") if len(found) == 1 else ("files", "are", "them")
    with_ = _OF_BOARD if isinstance(subject, Board) else _OF_MONITOR
    places = " ".join(f"{folder}/*.before-*" for folder in sorted({path.parent for path in found}))
    yield warning(
        f"{len(found)} {files} {numbers} {verb} beside those of now, with {with_} in {them}",
        f"when all works with what was restored: rm {places}",
    )


def killed_copies(subject: Board | Monitor) -> Iterator[Finding]:
    """What a backup, a new identity or a new journal was being made in."""
    from doorctl.backup.copies import left_behind

    for folder in left_behind(_contents(subject).home):
        yield warning(
            f"{folder}: left by a command that was killed, with copies of keys and databases in it",
            f"the next `doorctl backup` removes it; or: rm -r {folder}",
        )


def _contents(subject: Board | Monitor) -> "Contents":
    from doorctl.backup.contents import Contents
    from doorctl.backup.manifest import Role

    return Contents(subject.paths, Role.BOARD if isinstance(subject, Board) else Role.MONITOR)


LEFTOVERS: Final[tuple[Check[Board | Monitor], ...]] = (
    Check(name="put aside", looks_at="files *.before-N", look=put_aside, fine="nothing of an older state is kept"),
    Check(name="copies", looks_at="folders .backup-*", look=killed_copies, fine="no killed command left any"),
)
