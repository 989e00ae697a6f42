"""What doctor's checks return, and how a table of checks is worked through. Knows nothing of doors or monitors.

A check looks at one thing and changes nothing. What it may not or cannot look at is said as such, never as well.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from doorctl.errors import DoorctlError

_S_contra = TypeVar("_S_contra", contravariant=True)
"""A check that can look at more than one kind of subject stands in the tables of each."""


class Verdict(Enum):
    """What a finding comes to."""

    OK = "ok"
    WARNING = "warning"
    """Works, and is worth a second look."""
    WRONG = "wrong"
    """Does not work, or not as it should; doctor ends with 1."""
    UNSEEN = "not seen"
    """Nobody looked: no right to, or what is to be asked does not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found, in the words a person reads."""

    verdict: Verdict
    words: str
    hint: str | None = None


class Unseen(Exception):  # noqa: N818  it is no error: a check that has nothing to look at says why
    """Raised within a check that cannot look; `hint` says what would let it."""

    def __init__(self, words: str, hint: str | None = None) -> None:
        super().__init__(words)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[_S_contra]):
    """A line of a table: what is looked at, and how. `look` may raise DoorctlError for what is wrong."""

    name: str
    looks_at: str
    look: Callable[[_S_contra], Iterable[Finding]]
    fine: str = "nothing is wrong"
    """What to say where nothing was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A finding with the check that found it."""

    check: str
    looks_at: str
    finding: Finding


def ok(words: str) -> Finding:
    """As it should be, and worth saying."""
    return Finding(verdict=Verdict.OK, words=words)


def warning(words: str, hint: str) -> Finding:
    """Works, and is worth a second look."""
    return Finding(verdict=Verdict.WARNING, words=words, hint=hint)


def wrong(words: str, hint: str) -> Finding:
    """Does not work, or not as it should."""
    return Finding(verdict=Verdict.WRONG, words=words, hint=hint)


def unseen(words: str, hint: str | None = None) -> Finding:
    """Nobody looked."""
    return Finding(verdict=Verdict.UNSEEN, words=words, hint=hint)


def examine(checks: Sequence[Check[_S_contra]], subject: _S_contra) -> Iterator[Examined]:
    """All checks in their order, each finding as soon as it is there; what is wrong is said once."""
    said: set[str] = set()
    for check in checks:
        found = False
        for finding in _looked(check, subject):
            found = True
            if finding.words not in said:
                if finding.verdict in (Verdict.WARNING, Verdict.WRONG):
                    said.add(finding.words)
                yield Examined(check=check.name, looks_at=check.looks_at, finding=finding)
        if not found:
            yield Examined(check=check.name, looks_at=check.looks_at, finding=ok(check.fine))


def _looked(check: Check[_S_contra], subject: _S_contra) -> Iterator[Finding]:
    try:
        yield from check.look(subject)
    except Unseen as error:
        yield unseen(str(error), error.hint)
    except DoorctlError as error:
        yield of_error(error)
    except OSError as error:
        yield of_error(error)


def of_error(error: DoorctlError | OSError) -> Finding:
    """What an error says: somebody without rights cannot tell whether anything is wrong."""
    if no_right(error):
        return unseen(_words(error), "run it with sudo")
    hint = error.hint if isinstance(error, DoorctlError) else None
    return wrong(_words(error), hint or "docs/operations.md, When something breaks")


def no_right(error: BaseException | None) -> bool:
    """Whether a missing right is behind an error."""
    while error is not None:
        if isinstance(error, PermissionError):
            return True
        error = error.__cause__
    return False


def _words(error: DoorctlError | OSError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or str(error)).lower()}"
    return str(error)
