"""One change of the roster, within the writer's transaction: rows are staged, then written in the order of look-ups.

Who enrols decides the order in which rows come; here it is lost. Nothing is committed here.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from doorctl.core.types import GroupName, HolderId
from doorctl.errors import InternalError, OperatorError
from doorctl.roster import holders
from doorctl.roster.factors import CardId, Lookup
from doorctl.roster.meta import read_generation
from doorctl.roster.registrations import MOST_ENTRIES, digest_of_rows, entry_of, record_generation
from doorctl.roster.schema import CARD_ID_SIZE, LOOKUP_SIZE, ROWS_PER_HOLDER
from doorctl.roster.staging import Staging
from doorctl.wire.record import Token
from doorctl.wire.sizes import TOKEN_SIZE

_DAY_ZERO: Final = date(1970, 1, 1)
_TAKEN_ONE: Final = "SELECT EXISTS (SELECT 1 FROM main.rows WHERE lookup = ?)"
_TAKEN_SET: Final = f"""
    SELECT EXISTS (
        SELECT 1 FROM main.rows WHERE lookup IN ({", ".join(f"?{n}" for n in range(1, ROWS_PER_HOLDER + 1))})
        AND holder IS NOT (SELECT number FROM main.holders WHERE id = ?{ROWS_PER_HOLDER + 1})
    )
"""  # noqa: S608  # only numbers of parameters are put in


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a holder has besides rows and card."""

    label: str
    groups: Sequence[GroupName] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    suspended: bool = False


class Enrolling(Protocol):
    """What an import may do within its one change; an OperatorError of any call leaves this change as it was.

    Whom this change has just enrolled can be neither replaced nor removed by it.
    """

    def add(self, new: NewHolder) -> HolderId:
        """Enrols a person."""

    def replace(self, holder: HolderId, rows: Sequence[NewRow], card: CardId | None) -> None:
        """All rows of a holder and the card."""

    def edit(self, holder: HolderId, person: Person) -> None:
        """Everything of a holder but rows and card."""

    def remove(self, holder: HolderId) -> None:
        """A holder with everything of theirs."""

    def code_taken(self, lookup: Lookup) -> bool:
        """Whether a row stands under this look-up, those of this change included."""

    def free_id(self, label: str) -> HolderId:
        """The short name that a person of this name would get now."""


class Change:
    """Collects what is added and revoked; `finish` writes it with the generation's entries and the digest."""

    def __init__(self, connection: sqlite3.Connection, today: date) -> None:
        self._connection = connection
        self._today = today
        self._staging = Staging(connection)
        self._first_new: int | None = None
        """The number of the first holder enrolled here; all later ones are above it."""

    def add(self, new: NewHolder) -> HolderId:
        """Enrols a person; an OperatorError leaves this change as it was."""
        rows = _checked_rows(new.rows)
        label = holders.new_label(new.label)
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
        self._first_new = number if self._first_new is None else self._first_new
        self._insert_card(number, new.card)
        self._stage(number, rows)
        return id_

    def replace(self, holder: HolderId, rows: Sequence[NewRow], card: CardId | None) -> None:
        """All rows of a holder and the card; an OperatorError leaves this change as it was."""
        number = self._old_number(holder)
        checked = _checked_rows(rows)
        self._refuse_taken(holder, checked, card)
        self._revoke_rows(number)
        self._insert_card(number, card)
        self._stage(number, checked)
        self.update(holder, drawn=self._today.isoformat())

    def edit(self, holder: HolderId, person: Person) -> None:
        """Everything of a holder but rows and card."""
        label = holders.checked_label(person.label)
        valid_from, valid_until = holders.encode_validity(person.valid_from, person.valid_until)
        self.update(
            holder,
            label=label,
            folded=holders.folded(f"{holder} {label}"),
            groups=holders.encode_groups(person.groups),
            valid_from=valid_from,
            valid_until=valid_until,
            suspended=int(person.suspended),
        )

    def remove(self, holder: HolderId) -> None:
        """A holder with everything of theirs."""
        number = self._old_number(holder)
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
        return self._staging.has([lookup]) or bool(self._connection.execute(_TAKEN_ONE, (lookup,)).fetchone()[0])

    def free_id(self, label: str) -> HolderId:
        """The short name that a person of this name would get now."""
        return holders.free_id(self._connection, label)

    def finish(self) -> None:
        """Everything but the commit; OperatorError where one generation could not tell the monitor so much."""
        connection, staging = self._connection, self._staging
        if staging.added + staging.revoked > MOST_ENTRIES:
            raise OperatorError(
                f"{staging.added + staging.revoked} rows change at once, at most {MOST_ENTRIES} can",
                hint="do it in several parts",
            )
        generation = read_generation(connection) + 1
        staging.write_rows()
        record_generation(
            connection,
            generation,
            (self._today - _DAY_ZERO).days,
            added=staging.added_entries(),
            revoked=staging.revoked_entries(),
        )
        connection.execute("UPDATE meta SET generation = ?", (generation,))
        if staging.added or staging.revoked:
            connection.execute("UPDATE meta SET digest = ?", (digest_of_rows(connection),))
        if staging.revoked:
            connection.execute("UPDATE meta SET leftovers = 1")
        staging.close()

    def _number(self, holder: HolderId) -> int:
        number = holders.number_of(self._connection, holder)
        if number is None:
            raise holders.unknown_holder(self._connection, holder)
        return number

    def _old_number(self, holder: HolderId) -> int:
        number = self._number(holder)
        if self._first_new is not None and number >= self._first_new:
            raise InternalError(f"holder {holder}: enrolled and taken away in one change")
        return number

    def _refuse_taken(self, holder: HolderId, rows: Sequence[NewRow], card: CardId | None) -> None:
        """A card's row stays under its look-up when its holder's codes are drawn anew; nobody else may have it."""
        owner = None if card is None else holders.find_holder_of_card(self._connection, card)
        if owner not in (None, holder):
            raise OperatorError(f"holder {holder}: the card is {owner}'s", hint="a card belongs to one holder")
        lookups = [row.lookup for row in rows]
        taken = self._connection.execute(_TAKEN_SET, [*lookups, holder]).fetchone()[0]
        if taken or self._staging.has(lookups):
            raise OperatorError(
                f"holder {holder}: a code or the card is somebody's already", hint="draw the codes again"
            )

    def _insert_card(self, number: int, card: CardId | None) -> None:
        if card is not None:
            if len(card) != CARD_ID_SIZE:
                raise InternalError(f"a card id of {len(card)} bytes")
            self._connection.execute("INSERT INTO holder_cards VALUES (?, ?)", (card, number))

    def _stage(self, number: int, rows: Sequence[NewRow]) -> None:
        self._staging.add([(row.lookup, row.token, number, entry_of(row.lookup, row.token)) for row in rows])

    def _revoke_rows(self, number: int) -> None:
        """The rows are deleted in the order of their look-ups (the index's), and zeroed: `secure_delete`."""
        rows = self._connection.execute("SELECT lookup, token FROM rows WHERE holder = ?", (number,))
        self._staging.revoke([entry_of(lookup, token) for lookup, token in rows])
        self._connection.execute("DELETE FROM rows WHERE holder = ?", (number,))
        self._connection.execute("DELETE FROM holder_cards WHERE holder = ?", (number,))


def _checked_rows(rows: Sequence[NewRow]) -> Sequence[NewRow]:
    """The same number for everyone, of one size each; whoever composed them otherwise broke our own rule."""
    if len({row.lookup for row in rows}) != ROWS_PER_HOLDER or len(rows) != ROWS_PER_HOLDER:
        raise InternalError(f"{len(rows)} rows for a holder, expected {ROWS_PER_HOLDER} different ones")
    if any(len(row.lookup) != LOOKUP_SIZE or len(row.token) != TOKEN_SIZE for row in rows):
        raise InternalError("a row is not of a row's size")
    return rows
