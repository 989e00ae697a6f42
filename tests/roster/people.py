"""Rosters and people for tests, drawn from a seed so that two rosters can be compared byte by byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from doorctl.core.types import HolderId
from doorctl.roster.enrolment import NewRow, Person, RosterWriter
from doorctl.roster.factors import CardId, Lookup, StretchParameters
from doorctl.seal.sealing import registration, row_tag
from doorctl.wire.record import Token

TODAY = date(2026, 3, 1)
DAY = 20_513
"""TODAY in days since 1970."""
CHEAP = StretchParameters(memory_kib=8, iterations=1, lanes=1)
SALT = bytes(range(16))


@dataclass(slots=True)
class Draw:
    """Rows and cards as enrolment would compose them, but from a seed."""

    seed: int = 1
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def lookup(self) -> Lookup:
        return Lookup(self.random.randbytes(32))

    def token(self) -> Token:
        return Token(self.random.randbytes(144))

    def card(self) -> CardId:
        return CardId(self.random.randbytes(32))

    def rows(self) -> list[NewRow]:
        return [NewRow(lookup=self.lookup(), token=self.token()) for _ in range(7)]


def entries(rows: list[NewRow]) -> list[bytes]:
    """The registrations of rows, in the order of their bytes."""
    return sorted(registration(row_tag(row.lookup), row.token) for row in rows)


@contextmanager
def new_roster(path: Path, today: date = TODAY) -> Iterator[RosterWriter]:
    with RosterWriter.create(
        path, today=today, stretch=CHEAP, code_length=8, codes_per_holder=2, site_salt=SALT
    ) as writer:
        yield writer


def all_bytes(path: Path) -> bytes:
    """The roster's file and everything of SQLite's beside it."""
    return b"".join(each.read_bytes() for each in sorted(path.parent.iterdir()))


def edit(writer: RosterWriter, holder: HolderId, **what: Any) -> None:
    """Change this of somebody, and leave the rest of them."""
    kept = ("label", "groups", "valid_from", "valid_until", "suspended")
    writer.edit_holder(holder, lambda present: Person(**({name: getattr(present, name) for name in kept} | what)))
