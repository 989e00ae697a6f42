"""The only writer of the roster: who is enrolled, with rows whose tokens it cannot read.

Every change is one transaction: rows, registration entries, generation + 1 and the digest, or nothing. What a caller
gives in some order is written in the order of its bytes, because the order of inserts shows in a page.
No code and no card number ever comes here: only look-ups, HMACs and sealed tokens.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from doorctl.core.types import HolderId
from doorctl.roster import holders
from doorctl.roster.change import Change, Enrolling, NewHolder, NewRow, Person
from doorctl.roster.creation import create_roster
from doorctl.roster.factors import CardId, Lookup, StretchParameters
from doorctl.roster.holders import ALL, Holder, RosterFacts, Which
from doorctl.roster.meta import RosterParameters, read_generation, read_parameters
from doorctl.roster.schema import connect_for_writing, drop_leftovers, empty_wal, must_be_there, translated

__all__ = ["Enrolling", "NewHolder", "NewRow", "Person", "RosterWriter"]

_BULK_CACHE_KIB: Final = 8_192
"""For the file and for the staged rows each, during an import; the rest of the time SQLite's 2 MB."""


class RosterWriter:
    """Enrols people; for one thread. Look-ups at the doors go on meanwhile, and see the whole change or none of it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, today: date) -> None:
        self._path = path
        self._connection = connection
        self._today = today
        self._tidies = True

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        today: date,
        stretch: StretchParameters,
        code_length: int,
        codes_per_holder: int,
        site_salt: bytes | None = None,
    ) -> Self:
        """A new roster with nobody in it; OperatorError where there is one. `site_salt` is drawn, but for tests."""
        create_roster(
            path, stretch=stretch, code_length=code_length, codes_per_holder=codes_per_holder, site_salt=site_salt
        )  # fmt: skip
        return cls.open(path, today=today)

    @classmethod
    def open(cls, path: Path, *, today: date) -> Self:
        """OperatorError where there is no roster, StorageError where it cannot be written. `today` dates changes."""
        must_be_there(path)
        with translated(path):
            writer = cls(path, connect_for_writing(path), today)
            try:
                writer._leave_nothing_behind()  # a writer that was killed may have left rows that are gone by now
            except BaseException:
                writer.close()
                raise
        return writer

    def add_holder(self, new: NewHolder) -> HolderId:
        """Enrols one person; OperatorError where the card, a row or the asked-for short name is somebody's already."""
        with self._change() as change:
            return change.add(new)

    @contextmanager
    def tidying_once(self) -> Iterator[None]:
        """Several changes, each whole by itself; what they leave in unused parts of pages goes at the end.

        A process that is killed before leaves that to the next writer, as after any change.
        """
        self._tidies = False
        try:
            yield
        finally:
            self._tidies = True
            self._tidy()

    @contextmanager
    def enrolling(self) -> Iterator[Enrolling]:
        """Many people in one change: `add` each, as they are read; all are enrolled at the end, or nobody.

        An OperatorError of one `add` may be caught within: that person is left out. Whatever leaves the block undoes
        everything. Memory does not grow with their number, but for SQLite's page caches.
        """
        self._use_caches_of(_BULK_CACHE_KIB)
        try:
            with self._change() as change:
                yield change
        finally:
            self._use_caches_of(2_000)  # SQLite's default

    def replace_rows(self, holder: HolderId, rows: Sequence[NewRow], *, card: CardId | None) -> None:
        """The holder's whole set anew, made of this card (None: without one). The old rows are gone and revoked."""
        with self._change() as change:
            change.replace(holder, rows, card)

    def remove_holder(self, holder: HolderId) -> None:
        """The person, the card and all rows are gone from the file, and revoked."""
        with self._change() as change:
            change.remove(holder)

    def edit_holder(self, holder: HolderId, edited: Callable[[Holder], Person]) -> None:
        """Name, groups, dates, suspension, made of what they are at that moment; no row of theirs changes."""
        with self._change() as change:
            change.edit(holder, edited(self.holder(holder)))

    def code_taken(self, lookup: Lookup) -> bool:
        """Whether a row stands under this look-up: a drawn code must not be anybody's."""
        with translated(self._path):
            sql = "SELECT EXISTS (SELECT 1 FROM rows WHERE lookup = ?)"
            return bool(self._connection.execute(sql, (lookup,)).fetchone()[0])

    def free_id(self, label: str) -> HolderId:
        """The short name that a person of this name would get now; tokens are sealed to it before `add_holder`."""
        with translated(self._path):
            return holders.free_id(self._connection, label)

    def holders(self, which: Which = ALL, *, after: HolderId | None = None, limit: int | None = None) -> list[Holder]:
        """Those holders in order of their short names; `after` and `limit` make pages."""
        with translated(self._path):
            return holders.find_holders(self._connection, which, after=after, limit=limit)

    def holder(self, holder: HolderId) -> Holder:
        """One holder; OperatorError where there is none."""
        with translated(self._path):
            return holders.find_holder(self._connection, holder)

    def find_holder(self, holder: HolderId) -> Holder | None:
        """One holder, or nobody."""
        with translated(self._path):
            return holders.holder_or_none(self._connection, holder)

    def holder_of_card(self, card: CardId) -> HolderId | None:
        """Whose card it is."""
        with translated(self._path):
            return holders.find_holder_of_card(self._connection, card)

    def generation(self) -> int:
        """Counts the changes."""
        with translated(self._path):
            return read_generation(self._connection)

    def parameters(self) -> RosterParameters:
        """Argon2id's cost, the site's salt, the codes' policy."""
        with translated(self._path):
            return read_parameters(self._connection)

    def facts(self) -> RosterFacts:
        """Counts and sizes."""
        with translated(self._path):
            return holders.facts(self._connection, self._path)

    def close(self) -> None:
        """Leaves nothing beside the file but what open readers hold."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _change(self) -> Iterator[Change]:
        with translated(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                change = Change(self._connection, self._today)
                yield change
                change.finish()
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first error is the one to tell; SQLite may have rolled back itself
                    self._connection.execute("ROLLBACK")
                raise
        if self._tidies:
            self._tidy()

    def _tidy(self) -> None:
        with suppress(sqlite3.Error):  # the change is durable; the next opening tries again, and says why it cannot
            self._leave_nothing_behind()

    def _leave_nothing_behind(self) -> None:
        drop_leftovers(self._connection)
        empty_wal(self._connection)

    def _use_caches_of(self, kib: int) -> None:
        self._connection.execute(f"PRAGMA main.cache_size = -{kib}")
        self._connection.execute(f"PRAGMA temp.cache_size = -{kib}")
