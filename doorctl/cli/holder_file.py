"""A file of people, CSV → lines that were read and lines that are refused. Pure: knows no roster and no configuration.

The format is in docs/operations.md, People. Strict: whatever is not understood is a refused line with its reason.
Reasons never repeat a card's number or anything that may be a code: they end up in reports, which are files.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final, TypeVar

from doorctl.cli.holder_card import card_of_file
from doorctl.config.section import nearest, quoted
from doorctl.core.types import Card, GroupName, HolderId
from doorctl.errors import OperatorError
from doorctl.roster.holders import ID_LENGTH, checked_label, is_formula

COLUMNS: Final = ("label", "holder", "groups", "card", "valid_from", "until", "suspended", "codes")
MOST_LINES: Final = 200_000
"""Seven rows each must fit into one generation, as docs/wire-format.md numbers its parts."""
LARGEST: Final = 64 * 1024 * 1024
"""Bytes; a hundred thousand people are about 6 MB."""

_SECRETS: Final = frozenset(
    {"code", "codenumber", "pin", "pins", "pincode", "password", "passcode", "secret", "duress", "duresscode",
     "duresspin", "keypadcode", "kod", "accesscode"}
)  # fmt: skip
"""Columns that other systems export and that must not come here."""
_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_OTHERWISE: Final = re.compile(
    r"\d{1,2}(?:\. ?|[-/])\d{1,2}(?:\. ?|[-/])\d{2,4}|\d{4}[-./]\d{1,2}[-./]\d{1,2}", re.ASCII
)
"""A date as people write them: only that is repeated. Never with blanks alone, as codes are written: 48 20 78."""
_WORDS: Final = {"": False, "yes": True, "no": False}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A person as the file has them; None where a field is empty."""

    columns: tuple[str, ...]
    """What the file has: a column that it has not is not an empty one."""
    number: int
    """Of the line in the file, the header being 1."""
    label: str
    holder: HolderId | None
    groups: tuple[GroupName, ...]
    card: Card | None = field(repr=False)
    format: str | None
    """The card's, as messages name it."""
    valid_from: date | None
    until: date | None
    suspended: bool
    codes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A line that nothing is done for, and why."""

    line: int
    who: str
    """Short name or label, as far as the line has one."""
    reason: str


class _FieldError(Exception):
    """One field is not what it should be; the text is the reason."""


def lines_in(untrusted: bytes, name: str) -> Iterator[Line | Refused]:
    """Every line but empty ones; OperatorError where the file as a whole cannot be read. `name` is for messages."""
    for number, header, fields in _rows(untrusted, name):
        yield _line(number, header, fields)


def short_names_in(untrusted: bytes, name: str) -> set[HolderId]:
    """Every short name that a line gives, be the rest of the line right or wrong."""
    found: set[HolderId] = set()
    for _, header, fields in _rows(untrusted, name):
        if "holder" not in header:
            break
        if len(fields) == len(header) and (given := fields[header.index("holder")].strip()):
            found.add(HolderId(given))
    return found


def _rows(untrusted: bytes, name: str) -> Iterator[tuple[int, tuple[str, ...], list[str]]]:
    """Number, header and fields of each line."""
    delimiter = _delimiter(untrusted, name)
    stream = io.TextIOWrapper(io.BytesIO(untrusted), encoding="utf-8-sig", newline="")
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    header: tuple[str, ...] | None = None
    begin = 0
    try:
        for fields in reader:
            number, begin = begin + 1, reader.line_num
            if not fields:
                continue
            if header is None:
                header = _checked_header(fields, name)
            elif number > MOST_LINES + 1:
                raise OperatorError(f"{name}: more than {MOST_LINES:,} lines", hint="import it in several files")
            else:
                yield number, header, fields
    except csv.Error as error:
        raise OperatorError(f"{name}: line {begin + 1}: {error}", hint="a quoted field has no end, perhaps") from error
    if header is None:
        raise OperatorError(
            f"{name}: there is no header", hint=f"the first line names the columns: {','.join(COLUMNS)}"
        )


def _delimiter(untrusted: bytes, name: str) -> str:
    """What the header has between its names; OperatorError where the bytes are no text."""
    try:
        untrusted.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = untrusted.count(b"\n", 0, error.start) + 1
        raise OperatorError(f"{name}: line {number}: not UTF-8", hint="save it as CSV UTF-8") from error
    if (zero := untrusted.find(b"\0")) >= 0:
        number = untrusted.count(b"\n", 0, zero) + 1
        raise OperatorError(f"{name}: line {number}: a zero byte", hint="save it as CSV UTF-8")
    header = untrusted.partition(b"\n")[0].strip()
    if b"\t" in header and b"," not in header and b";" not in header:
        raise OperatorError(
            f"{name}: fields are separated by tabs", hint="save it as CSV: commas or semicolons between fields"
        )
    return ";" if b";" in header else ","


def _checked_header(fields: Sequence[str], name: str) -> tuple[str, ...]:
    columns = tuple(field.strip() for field in fields)
    for column in columns:
        if re.sub(r"[^a-z]", "", column.casefold()) in _SECRETS:
            raise OperatorError(
                f"{name}: a column {quoted(column)}: codes are drawn here, never brought in",
                hint="destroy the file: whoever had it has the codes; without the column, codes=yes draws new ones",
            )
        if column not in COLUMNS:
            hint = nearest(column, COLUMNS) or f"columns: {', '.join(COLUMNS)}"
            raise OperatorError(f"{name}: there is no column {quoted(column)}", hint=hint)
        if columns.count(column) > 1:
            raise OperatorError(f'{name}: the column "{column}" is there twice')
    if "label" not in columns:
        raise OperatorError(f'{name}: the column "label" is missing', hint="it has the person's name")
    return columns


def _line(number: int, header: tuple[str, ...], fields: Sequence[str]) -> Line | Refused:
    if len(fields) != len(header):
        return Refused(line=number, who="", reason=f"{len(fields)} fields, expected {len(header)}")
    given = dict(zip(header, map(str.strip, fields), strict=True))
    who = (given.get("holder") or given["label"])[:ID_LENGTH]
    try:
        card = _field(given, "card", _card)
        return Line(
            columns=header,
            number=number,
            label=_label(given["label"]),
            holder=_field(given, "holder", _holder),
            groups=_groups(given.get("groups", "")),
            card=card,
            format=None if card is None else _format(given["card"], card),
            valid_from=_date(given, "valid_from"),
            until=_date(given, "until"),
            suspended=_word(given, "suspended", ""),
            codes=_word(given, "codes", " (codes are drawn, never brought in)"),
        )
    except _FieldError as wrong:
        return Refused(line=number, who=who if who.isprintable() else "", reason=str(wrong))


def _field(given: dict[str, str], column: str, read: Callable[[str], _T]) -> _T | None:
    text = given.get(column, "")
    return read(text) if text else None


def _label(text: str) -> str:
    try:
        label = checked_label(text)
    except OperatorError as error:
        raise _FieldError("label: expected a name of 1 to 80 printable characters") from error
    if is_formula(label):
        raise _FieldError("label: a spreadsheet would compute what begins with = + - or @")
    return label


def _holder(text: str) -> HolderId:
    if not _ID.fullmatch(text) or len(text) > ID_LENGTH:
        raise _FieldError(f"holder: expected 1 to {ID_LENGTH} lower-case letters, digits and hyphens, as ana-lopez")
    return HolderId(text)


@lru_cache(maxsize=1024)
def _groups(text: str) -> tuple[GroupName, ...]:
    return tuple(GroupName(name) for name in sorted(set(text.split())))


def _card(text: str) -> Card:
    try:
        return card_of_file(text)
    except OperatorError as error:
        raise _FieldError(f"card: {error}") from error


def _format(text: str, card: Card) -> str:
    name = text.partition(":")[0]
    return f"raw cards of {card.length} bits" if name == "raw" else name


def _date(given: dict[str, str], column: str) -> date | None:
    text = given.get(column, "")
    day = _day(text)
    if text and day is None:
        found = f", found {quoted(text)}" if _DAY_OTHERWISE.fullmatch(text) else ""
        raise _FieldError(f"{column}: expected a date such as 2026-12-31{found}")
    return day


@lru_cache(maxsize=1024)
def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _word(given: dict[str, str], column: str, more: str) -> bool:
    text = given.get(column, "")
    if text not in _WORDS:
        raise _FieldError(f"{column}: expected yes or no{more}")
    return _WORDS[text]
