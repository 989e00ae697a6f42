"""One change of the roster, within the writer's transaction: rows are staged, then written in the order of look-ups.

Who enrols decides the order in which rows come; here it is lost. Nothing is committed here.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from doorctl.core.types import GroupName, HolderId
from doorctl.errors import InternalError, OperatorError
from doorctl.roster import holders
from doorctl.roster.factors import CardId, Lookup
from doorctl.roster.meta import read_generation
from doorctl.roster.registrations import digest_of_rows, entry_of, record_generation
from doorctl.roster.schema import CARD_ID_SIZE, LOOKUP_SIZE, ROWS_PER_HOLDER
from doorctl.wire.record import Token
from doorctl.wire.sizes import TOKEN_SIZE

_DAY_ZERO: Final = date(1970, 1, 1)
_STAGED: Final = """
    CREATE TEMP TABLE staged (
        lookup BLOB PRIMARY KEY, token BLOB NOT NULL, holder INTEGER NOT NULL, entry BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
"""
_TAKEN: Final = """
    SELECT EXISTS (SELECT 1 FROM main.rows WHERE lookup IN ({0}))
        OR EXISTS (SELECT 1 FROM temp.staged WHERE lookup IN ({0}))
"""
_TAKEN_ONE: Final = _TAKEN.format("?1")
_TAKEN_SET: Final = _TAKEN.format(", ".join(f"?{n}" for n in range(1, ROWS_PER_HOLDER + 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A row to be written; what the token says stays with who sealed it."""

    lookup: Lookup = field(repr=False)
    token: Token = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHolder:
    """A person to be enrolled."""

    label: str
    rows: Sequence[NewRow]
    """Exactly ROWS_PER_HOLDER, in any order."""
    card: CardId | None = field(default=None, repr=False)
    groups: Sequence[GroupName] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    suspended: bool = False
    id: HolderId | None = None
    """A short name from `free_id`; None: one is made of the label."""


class Enrolling(Protocol):
    """What an import may do within its one change."""

    def add(self, new: NewHolder) -> HolderId:
        """Enrols a person; an OperatorError leaves this change as it was."""

    def code_taken(self, lookup: Lookup) -> bool:
        """Whether a row stands under this look-up, those of this change included."""

    def free_id(self, label: str) -> HolderId:
        """The short name that a person of this name would get now."""


class Change:
    """Collects what is added and revoked; `finish` writes it with the generation's entries and the digest."""

    def __init__(self, connection: sqlite3.Connection, today: date) -> None:
        self._connection = connection
        self._today = today
        self._revoked: list[bytes] = []
        self._staged = 0
        connection.execute(_STAGED)

    def add(self, new: NewHolder) -> HolderId:
        """Enrols a person; an OperatorError leaves this change as it was."""
        rows = _checked_rows(new.rows)
        label = holders.checked_label(new.label)
        valid_from, valid_until = holders.encode_validity(new.valid_from, new.valid_until)
        id_ = new.id or holders.free_id(self._connection, label)
        if new.id is not None and holders.number_of(self._connection, id_) is not None:
            raise OperatorError(f"holder {id_}: there is one of that name already")
        self._refuse_taken(id_, rows, new.card)
        number = self._connection.execute(
            """
            INSERT INTO holders (id, label, folded, groups, valid_from, valid_until, suspended, drawn)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number
            """,
            (
                id_,
                label,
                holders.folded(f"{id_} {label}"),
                holders.encode_groups(new.groups),
                valid_from,
                valid_until,
                int(new.suspended),
                self._today.isoformat(),
            ),
        ).fetchall()[0][0]
        self._insert_card(number, new.card)
        self._stage(number, rows)
        return id_

    def replace(self, holder: HolderId, rows: Sequence[NewRow], card: CardId | None) -> None:
        """All rows of a holder and the card."""
        number = self._number(holder)
        self._revoke_rows(number)
        checked = _checked_rows(rows)
        self._refuse_taken(holder, checked, card)
        self._insert_card(number, card)
        self._stage(number, checked)
        self.update(holder, drawn=self._today.isoformat())

    def remove(self, holder: HolderId) -> None:
        """A holder with everything of theirs."""
        number = self._number(holder)
        self._revoke_rows(number)
        self._connection.execute("DELETE FROM holders WHERE number = ?", (number,))

    def update(self, holder: HolderId, **columns: str | int | None) -> None:
        """Sets columns of a holder; their names are our own."""
        number = self._number(holder)
        assignments = ", ".join(f"{name} = ?" for name in columns)
        sql = f"UPDATE holders SET {assignments} WHERE number = ?"  # noqa: S608  # names from this package's code
        self._connection.execute(sql, (*columns.values(), number))

    def code_taken(self, lookup: Lookup) -> bool:
        """Whether a row stands under this look-up, those of this change included."""
        return bool(self._connection.execute(_TAKEN_ONE, (lookup,)).fetchone()[0])

    def free_id(self, label: str) -> HolderId:
        """The short name that a person of this name would get now."""
        return holders.free_id(self._connection, label)

    def finish(self) -> None:
        """Everything but the commit."""
        connection = self._connection
        generation = read_generation(connection) + 1
        connection.execute("INSERT INTO main.rows SELECT lookup, token, holder FROM temp.staged ORDER BY lookup")
        record_generation(
            connection,
            generation,
            (self._today - _DAY_ZERO).days,
            added=self._staged_entries(),
            revoked=sorted(self._revoked),
        )
        connection.execute("UPDATE meta SET generation = ?", (generation,))
        if self._staged or self._revoked:
            connection.execute("UPDATE meta SET digest = ?", (digest_of_rows(connection),))
        if self._revoked:
            connection.execute("UPDATE meta SET leftovers = 1")
        connection.execute("DROP TABLE temp.staged")

    def _staged_entries(self) -> Iterator[bytes]:
        for (entry,) in self._connection.execute("SELECT entry FROM temp.staged ORDER BY entry"):
            yield entry

    def _number(self, holder: HolderId) -> int:
        number = holders.number_of(self._connection, holder)
        if number is None:
            raise holders.unknown_holder(self._connection, holder)
        return number

    def _refuse_taken(self, holder: HolderId, rows: Sequence[NewRow], card: CardId | None) -> None:
        owner = None if card is None else holders.find_holder_of_card(self._connection, card)
        if owner is not None:
            raise OperatorError(f"holder {holder}: the card is {owner}'s", hint="a card belongs to one holder")
        if self._connection.execute(_TAKEN_SET, [row.lookup for row in rows]).fetchone()[0]:
            raise OperatorError(
                f"holder {holder}: a code or the card is somebody's already", hint="draw the codes again"
            )

    def _insert_card(self, number: int, card: CardId | None) -> None:
        if card is not None:
            if len(card) != CARD_ID_SIZE:
                raise InternalError(f"a card id of {len(card)} bytes")
            self._connection.execute("INSERT INTO holder_cards VALUES (?, ?)", (card, number))

    def _stage(self, number: int, rows: Sequence[NewRow]) -> None:
        self._connection.executemany(
            "INSERT INTO temp.staged VALUES (?, ?, ?, ?)",
            [(row.lookup, row.token, number, entry_of(row.lookup, row.token)) for row in rows],
        )
        self._staged += len(rows)

    def _revoke_rows(self, number: int) -> None:
        """The rows are deleted in the order of their look-ups (the index's), and zeroed: `secure_delete`."""
        rows = self._connection.execute("SELECT lookup, token FROM rows WHERE holder = ?", (number,))
        self._revoked += [entry_of(lookup, token) for lookup, token in rows]
        self._connection.execute("DELETE FROM rows WHERE holder = ?", (number,))
        self._connection.execute("DELETE FROM holder_cards WHERE holder = ?", (number,))


def _checked_rows(rows: Sequence[NewRow]) -> Sequence[NewRow]:
    """The same number for everyone, of one size each; whoever composed them otherwise broke our own rule."""
    if len({row.lookup for row in rows}) != ROWS_PER_HOLDER or len(rows) != ROWS_PER_HOLDER:
        raise InternalError(f"{len(rows)} rows for a holder, expected {ROWS_PER_HOLDER} different ones")
    if any(len(row.lookup) != LOOKUP_SIZE or len(row.token) != TOKEN_SIZE for row in rows):
        raise InternalError("a row is not of a row's size")
    return rows
