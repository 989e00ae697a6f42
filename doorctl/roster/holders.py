"""Cardholders as people see them: values, names, and the questions both the reader and the writer answer.

A holder says nothing of rows but the day they were drawn; of a card, only that there is one, as an HMAC.
"""

import json
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from doorctl.core.types import GroupName, HolderId, Match
from doorctl.errors import OperatorError
from doorctl.roster.factors import CardId
from doorctl.roster.schema import ColumnError

LABEL_LENGTH: Final = 80
"""Characters; tokens carry what fits of it."""
ID_LENGTH: Final = 40

_NOT_A_WORD: Final = re.compile(r"[^a-z0-9]+")
_COLUMNS: Final = "h.id, h.label, h.groups, h.valid_from, h.valid_until, h.suspended, h.drawn, c.card"
_FROM: Final = "FROM holders AS h LEFT JOIN holder_cards AS c ON c.holder = h.number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One cardholder."""

    id: HolderId
    label: str
    groups: tuple[GroupName, ...]
    valid_from: date | None
    valid_until: date | None
    """Last day on which the credential is good."""
    suspended: bool
    drawn: date
    """The day the codes and rows were made."""
    card: CardId | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Of the holders those that fit all of this; as it is: all."""

    search: str | None = None
    """In the short name or the name."""
    group: GroupName | None = None
    expired_on: date | None = None
    """The last day was before it."""
    suspended: bool = False


ALL: Final = Which()


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFacts:
    """What `status` says of a roster."""

    holders: int
    rows: int
    generation: int
    file_size: int
    """Bytes of the file itself."""


def checked_label(label: str) -> str:
    """The label without space around it; OperatorError where nobody could read it back."""
    label = label.strip()
    if not label or len(label) > LABEL_LENGTH or not label.isprintable():
        raise OperatorError(
            f"holder: expected a name of 1 to {LABEL_LENGTH} printable characters, found {label[:LABEL_LENGTH]!r}"
        )
    return label


def new_label(label: str) -> str:
    """The label of somebody who is enrolled or named anew; who was enrolled otherwise before can still be changed."""
    label = checked_label(label)
    if is_formula(label):
        raise OperatorError(
            f"holder: a name cannot begin with = + - or @, found {label[:LABEL_LENGTH]!r}",
            hint="a spreadsheet that opens an export would compute it; begin with a letter",
        )
    return label


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may compute it; the wide forms of those signs count in some of them."""
    return unicodedata.normalize("NFKC", text[:1]).startswith(("=", "+", "-", "@"))


def folded(text: str) -> str:
    """Without case and accents, for search and short names."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def short_name(label: str, taken: Callable[[str], bool], last: dict[str, int] | None = None) -> HolderId:
    """`ana-lopez` of "Ana López", `ana-lopez-2` where that is taken; `holder` where nothing of it is a Latin letter.

    `last`: who names many at once gives the same dictionary each time, and each goes on where the one before ended.
    """
    stem = _NOT_A_WORD.sub("-", folded(label)).strip("-")[:ID_LENGTH].rstrip("-") or "holder"
    number = 1 if last is None else last.get(stem, 0) + 1
    while taken(name := _numbered(stem, number)):
        number += 1
    if last is not None:
        last[stem] = number
    return HolderId(name)


def _numbered(stem: str, number: int) -> str:
    if number == 1:
        return stem
    return f"{stem[: ID_LENGTH - len(str(number)) - 1].rstrip('-')}-{number}"


def free_id(connection: sqlite3.Connection, label: str) -> HolderId:
    """The short name of a new holder of this name."""
    return short_name(new_label(label), lambda name: number_of(connection, HolderId(name)) is not None)


def number_of(connection: sqlite3.Connection, holder: HolderId) -> int | None:
    """The holder's number within this file."""
    row = connection.execute("SELECT number FROM holders WHERE id = ?", (holder,)).fetchone()
    return None if row is None else int(row[0])


def encode_validity(valid_from: date | None, valid_until: date | None) -> tuple[str | None, str | None]:
    """Both as ISO dates; OperatorError where the end is before the beginning."""
    if valid_from is not None and valid_until is not None and valid_until < valid_from:
        raise OperatorError(f"validity: {valid_until} is before {valid_from}")
    return (
        None if valid_from is None else valid_from.isoformat(),
        None if valid_until is None else valid_until.isoformat(),
    )


def encode_groups(groups: Iterable[GroupName]) -> str:
    """Sorted, each once: the same groups are the same bytes."""
    return json.dumps(sorted(set(groups)), ensure_ascii=False)


def decode_groups(stored: str) -> tuple[GroupName, ...]:
    """ColumnError where it is no list of names."""
    try:
        groups = json.loads(stored)
    except (ValueError, RecursionError) as error:
        raise ColumnError("a holder's groups") from error
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise ColumnError("a holder's groups")
    return tuple(GroupName(group) for group in groups)


def decode_day(stored: str) -> date:
    """ColumnError where it is no ISO date."""
    try:
        return date.fromisoformat(stored)
    except ValueError as error:
        raise ColumnError("a holder's date") from error


def decode_match(id_: str, groups: str, valid_from: str | None, valid_until: str | None, suspended: int) -> Match:
    """What the decision needs of a holder."""
    return Match(
        holder=HolderId(id_),
        groups=decode_groups(groups),
        valid_from=None if valid_from is None else decode_day(valid_from),
        valid_until=None if valid_until is None else decode_day(valid_until),
        suspended=bool(suspended),
    )


def find_holders(
    connection: sqlite3.Connection, which: Which, *, after: HolderId | None = None, limit: int | None = None
) -> list[Holder]:
    """Those holders in order of their short names, a page at a time."""
    sql = f"""
        SELECT {_COLUMNS} {_FROM}
        WHERE h.id > ?1 AND (?2 IS NULL OR instr(h.folded, ?2) > 0)
          AND (?3 IS NULL OR EXISTS (SELECT 1 FROM json_each(h.groups) WHERE value = ?3))
          AND (?5 IS NULL OR h.valid_until < ?5)
          AND (NOT ?6 OR h.suspended)
        ORDER BY h.id LIMIT ?4
    """  # noqa: S608  # only this file's constants are put in
    wanted = None if which.search is None else folded(which.search)
    day = None if which.expired_on is None else which.expired_on.isoformat()
    asked = (after or "", wanted, which.group, -1 if limit is None else limit, day, which.suspended)
    rows = connection.execute(sql, asked)
    return [_holder(row) for row in rows]


def find_holder(connection: sqlite3.Connection, holder: HolderId) -> Holder:
    """One holder; OperatorError with the nearest names where there is none of that name."""
    found = holder_or_none(connection, holder)
    if found is None:
        raise unknown_holder(connection, holder)
    return found


def holder_or_none(connection: sqlite3.Connection, holder: HolderId) -> Holder | None:
    """One holder, or nobody."""
    row = connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE h.id = ?", (holder,)).fetchone()
    return None if row is None else _holder(row)


def find_holder_of_card(connection: sqlite3.Connection, card: CardId) -> HolderId | None:
    """Whose card it is."""
    sql = "SELECT h.id FROM holder_cards AS c JOIN holders AS h ON h.number = c.holder WHERE c.card = ?"
    row = connection.execute(sql, (card,)).fetchone()
    return None if row is None else HolderId(row[0])


def unknown_holder(connection: sqlite3.Connection, holder: HolderId) -> OperatorError:
    """Nobody of that short name, with those it may have been."""
    near = find_holders(connection, Which(search=holder), limit=3)
    hint = f"did you mean {', '.join(h.id for h in near)}" if near else "doorctl holder list shows all"
    return OperatorError(f"holder {holder}: there is none of that name", hint=hint)


def facts(connection: sqlite3.Connection, path: Path) -> RosterFacts:
    """Counts and sizes; the file's size is read apart from the counts."""
    sql = """
        SELECT (SELECT count(*) FROM holders), (SELECT count(*) FROM rows), (SELECT generation FROM meta)
    """
    holders, rows, generation = connection.execute(sql).fetchone()
    return RosterFacts(holders=holders, rows=rows, generation=generation, file_size=path.stat().st_size)


def _holder(row: tuple[Any, ...]) -> Holder:
    id_, label, groups, valid_from, valid_until, suspended, drawn, card = row
    return Holder(
        id=HolderId(id_),
        label=label,
        groups=decode_groups(groups),
        valid_from=None if valid_from is None else decode_day(valid_from),
        valid_until=None if valid_until is None else decode_day(valid_until),
        suspended=bool(suspended),
        drawn=decode_day(drawn),
        card=None if card is None else CardId(card),
    )
