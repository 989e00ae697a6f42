"""Looking up who may open what: read-only, afresh each time, the same work for a miss as for a hit.

No row is remembered between look-ups, and a file that was put in the roster's place is opened anew. Whatever goes
wrong, the next call begins with a new connection: a damaged roster denies, and never stops the door's process.
A row's token passes through here unread.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self, TypeVar

from doorctl.core.types import HolderId, Match
from doorctl.errors import DoorctlError, StorageError
from doorctl.roster import holders, registrations
from doorctl.roster.factors import Lookup
from doorctl.roster.holders import ALL, Holder, RosterFacts, Which
from doorctl.roster.meta import RosterParameters, read_generation, read_parameters
from doorctl.roster.registrations import Registration
from doorctl.roster.schema import ColumnError, connect_read_only, must_be_there, translated
from doorctl.seal.sealing import row_tag
from doorctl.wire.record import RowTag, Token

FIND: Final = """
    SELECT r.lookup IS NOT NULL, coalesce(r.token, zeroblob(144)),
           coalesce(h.id, ''), coalesce(h.groups, '[]'), h.valid_from, h.valid_until, coalesce(h.suspended, 0)
    FROM (SELECT ?1 AS wanted) AS w
    LEFT JOIN rows AS r ON r.lookup = w.wanted
    LEFT JOIN holders AS h ON h.number = coalesce(r.holder, 0)
"""
"""One answer whether there is a row or not: a miss looks for holder 0, who is nobody."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a look-up found."""

    match: Match
    token: Token = field(repr=False)
    row_tag: RowTag
    entry: bytes
    """The row's registration as it is now; 16 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterState:
    """Generation and digest of one moment: what every record carries."""

    generation: int
    digest: bytes


class _Identity(NamedTuple):
    """Tells whether the file at the path is the one that is open, untouched."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class RosterReader:
    """Reads a roster; for one thread at a time (it may be made in one and used in another)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._identity: _Identity | None = None
        self._seen: tuple[int, RosterState] | None = None
        """SQLite's data version and the state it had then."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """OperatorError where there is no roster, StorageError where it cannot be read."""
        must_be_there(path)
        reader = cls(path)
        reader.parameters()
        return reader

    def find(self, lookup: Lookup) -> Row | None:
        """The row of a look-up; StorageError where the roster cannot be read: the door stays secured."""
        return self._read(lambda connection: _find(connection, lookup))

    def generation(self) -> int:
        """Counts the changes; higher is newer."""
        return self._read(read_generation)

    def digest(self) -> bytes:
        """32 bytes over the rows that are there; reads them all again whenever anybody wrote to the file."""
        return self.state().digest

    def state(self) -> RosterState:
        """Generation and digest of the same moment. Reads all rows after a change: not for the door's own thread."""
        return self._read(self._state)

    def registrations_after(self, generation: int, limit: int, *, skip: int = 0) -> list[Registration]:
        """At most `limit` parts of later generations, ready to be sent; see registrations.py for `skip`."""
        return self._read(lambda c: registrations.registrations_after(c, generation, limit, skip=skip))

    def parameters(self) -> RosterParameters:
        """Argon2id's cost, the site's salt, the codes' policy."""
        return self._read(read_parameters)

    def facts(self) -> RosterFacts:
        """Counts and sizes."""
        return self._read(lambda connection: holders.facts(connection, self._path))

    def holders(self, which: Which = ALL, *, after: HolderId | None = None, limit: int | None = None) -> list[Holder]:
        """Those holders in order of their short names; `after` and `limit` make pages."""
        return self._read(lambda connection: holders.find_holders(connection, which, after=after, limit=limit))

    def holder(self, holder: HolderId) -> Holder:
        """One holder; OperatorError where there is none."""
        return self._read(lambda connection: holders.find_holder(connection, holder))

    def close(self) -> None:
        """May be called twice; a later call opens again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._identity = self._seen = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, question: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            with translated(self._path):
                return question(self._fresh())
        except DoorctlError:
            self.close()  # the door stays as it is; the next question begins anew
            raise

    def _fresh(self) -> sqlite3.Connection:
        """The open connection, or a new one where the file at the path is another or was written past SQLite."""
        identity = self._identity_now()
        if self._connection is None or identity != self._identity:
            self.close()
            self._connection = connect_read_only(self._path)
            self._identity = identity
        return self._connection

    def _identity_now(self) -> _Identity:
        # stat only: opening and closing the file ourselves would drop SQLite's locks on it (POSIX advisory locks)
        try:
            status = self._path.stat()
        except OSError as error:
            raise StorageError(
                f"{self._path}: {error.strerror}", hint="the roster was moved away; put it back"
            ) from error
        return _Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def _state(self, connection: sqlite3.Connection) -> RosterState:
        connection.execute("BEGIN")
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if self._seen is None or self._seen[0] != version:
            state = RosterState(generation=read_generation(connection), digest=registrations.digest_of_rows(connection))
            self._seen = (version, state)
        connection.execute("COMMIT")
        return self._seen[1]


def _find(connection: sqlite3.Connection, lookup: Lookup) -> Row | None:
    """Everything is made for a miss as well, from the columns' stand-ins."""
    found, token, *holder = connection.execute(FIND, (lookup,)).fetchone()
    tag = row_tag(lookup)
    row = Row(
        match=holders.decode_match(*holder),
        token=Token(token),
        row_tag=tag,
        entry=registrations.entry_of(lookup, token),
    )
    if found and not row.match.holder:
        raise ColumnError("a row of nobody")
    return row if found else None
