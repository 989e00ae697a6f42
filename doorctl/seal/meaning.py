"""What a token means. The only file of the sealing side that knows; doord and ingest can never import it.

Enrolment composes a holder's rows here and seals them; the alarms part of the monitor reads tokens here.
Everyone is drawn the same number of codes and has the same number of rows, so that their number says nothing.
"""

import hashlib
import secrets
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum
from typing import Final, Self

from doorctl.core.types import HolderId
from doorctl.errors import InternalError, MalformedError, OperatorError
from doorctl.seal import domains
from doorctl.seal.codes import draw_code
from doorctl.seal.public import MonitorPublic
from doorctl.seal.sealing import row_tag, seal_token
from doorctl.wire.record import RowTag, Token, is_plain
from doorctl.wire.sizes import ROW_TAG_SIZE, TOKEN_PLAIN_SIZE

CODE_SLOTS: Final = 3
"""The most codes a holder can have, and the rows of each kind that everyone has."""
ROWS_PER_HOLDER: Final = 1 + CODE_SLOTS + CODE_SLOTS
"""One for the card, one a code, one a card with a code."""
LABEL_SIZE: Final = 40
HOLDER_NUMBER_SIZE: Final = 16
LOOKUP_SIZE: Final = 32

_VERSION: Final = 1
_PLAIN: Final = struct.Struct(f">BBBBI{HOLDER_NUMBER_SIZE}s{ROW_TAG_SIZE}s{LABEL_SIZE}s16s")
assert _PLAIN.size == TOKEN_PLAIN_SIZE
_DAY_ZERO: Final = date(1970, 1, 1)
_LAST_DAY: Final = (date.max - _DAY_ZERO).days


class Meaning(IntEnum):
    """What the use of a row says. In every sealed token: never renumber, only append."""

    NORMAL = 1
    DURESS = 2
    """The holder is being forced."""
    DECOY = 3
    """No factor reaches the row: its use means that somebody read the roster and made a look-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlain:
    """The 96 bytes inside a token."""

    holder: bytes
    """16 bytes: `holder_number` of the short name."""
    label: str
    """The holder's name for people, at most 40 bytes of UTF-8."""
    meaning: Meaning = field(repr=False)
    issued: date
    row_tag: RowTag

    def encode(self) -> bytes:
        """96 bytes; InternalError where a caller broke a size."""
        label = self.label.encode()
        if len(self.holder) != HOLDER_NUMBER_SIZE or len(self.row_tag) != ROW_TAG_SIZE:
            raise InternalError("token: the holder's number or the row tag is not of its size")
        if len(label) > LABEL_SIZE or not is_plain(self.label):
            raise InternalError("token: the label was not fitted")
        days = (self.issued - _DAY_ZERO).days
        if days < 0:
            raise InternalError(f"token: issued on {self.issued}, before 1970")
        return _PLAIN.pack(
            _VERSION, self.meaning, len(label), 0, days, self.holder, self.row_tag, label, bytes(16)
        )  # fmt: skip

    @classmethod
    def parse(cls, untrusted: bytes) -> Self:
        """Exact, or MalformedError: an opened token may come from whoever had the monitor's public key."""
        if len(untrusted) != TOKEN_PLAIN_SIZE:
            raise MalformedError(f"token: {len(untrusted)} bytes, expected {TOKEN_PLAIN_SIZE}")
        version, meaning, size, zero, days, holder, tag, label, padding = _PLAIN.unpack(untrusted)
        if version != _VERSION:
            raise MalformedError(f"token: version {version}, expected {_VERSION}")
        if zero or any(padding) or size > LABEL_SIZE or any(label[size:]):
            raise MalformedError("token: not padded with zeros")
        if days > _LAST_DAY:
            raise MalformedError("token: the day is none")
        try:
            name = label[:size].decode()
            if not is_plain(name):
                raise MalformedError("token: the label has control characters")
            return cls(
                holder=holder, label=name, meaning=Meaning(meaning),
                issued=_DAY_ZERO + timedelta(days=days), row_tag=RowTag(tag),
            )  # fmt: skip
        except ValueError as error:
            raise MalformedError(f"token: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A drawn code and what it means; shown once on a terminal, stored nowhere."""

    code: str = field(repr=False)
    meaning: Meaning = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLookups:
    """Under which look-ups a code is found: None where no door asks for it like that."""

    meaning: Meaning = field(repr=False)
    alone: bytes | None
    with_card: bytes | None


def holder_number(holder: HolderId) -> bytes:
    """16 bytes that stand for a holder's short name in tokens."""
    return hashlib.sha256(domains.HOLDER_NUMBER + holder.encode()).digest()[:HOLDER_NUMBER_SIZE]


def fit_label(label: str) -> str:
    """The label without control characters, cut between two characters so that it fits 40 bytes."""
    printable = "".join(character for character in label if character.isprintable())
    return printable.encode()[:LABEL_SIZE].decode(errors="ignore")


def draw_codes(length: int, per_holder: int, taken: Callable[[str], bool]) -> tuple[Code, ...]:
    """One holder's whole set by the site's policy: the first is the everyday code, every further one is for duress.

    `taken(code)` says whether a row of anybody's is reached by it; the set has no code twice either.
    """
    if not 1 <= per_holder <= CODE_SLOTS:
        raise OperatorError(
            f"codes.per_holder: expected 1 to {CODE_SLOTS}, found {per_holder}",
            hint="it is the same for everyone at a site",
        )
    drawn: list[str] = []
    for _ in range(per_holder):
        drawn.append(draw_code(length, taken=lambda code: code in drawn or taken(code)))
    meanings = (Meaning.NORMAL, *(Meaning.DURESS,) * (per_holder - 1))
    return tuple(Code(code=code, meaning=meaning) for code, meaning in zip(drawn, meanings, strict=True))


def seal_rows(
    *,
    holder: HolderId,
    label: str,
    issued: date,
    card: bytes | None,
    codes: Sequence[CodeLookups],
    monitor: MonitorPublic,
) -> list[tuple[bytes, Token]]:
    """All seven rows of a holder as (look-up, sealed token), in an order that says nothing.

    Slots without a factor become decoys: real tokens of the same size under a random look-up.
    """
    if len(codes) > CODE_SLOTS:
        raise InternalError(f"rows: {len(codes)} codes for {CODE_SLOTS} slots")
    slots = [(card, Meaning.NORMAL)]
    for code in codes:
        slots += [(code.alone, code.meaning), (code.with_card, code.meaning)]
    slots += [(None, Meaning.DECOY)] * (ROWS_PER_HOLDER - len(slots))
    rows = []
    for factor, meaning in slots:
        lookup = secrets.token_bytes(LOOKUP_SIZE) if factor is None else factor
        plain = TokenPlain(
            holder=holder_number(holder), label=fit_label(label),
            meaning=Meaning.DECOY if factor is None else meaning, issued=issued, row_tag=row_tag(lookup),
        )  # fmt: skip
        rows.append((lookup, seal_token(plain.encode(), monitor)))
    secrets.SystemRandom().shuffle(rows)
    return rows
