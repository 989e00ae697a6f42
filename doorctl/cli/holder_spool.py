"""Rows of an import between making and writing: in a file without a name, so that nobody waits while they are made.

They are what the roster is about to have, and no more: look-ups, sealed tokens, no code and no card's number. The file
lies where the roster does, which has to have the room anyway, and is gone with its process, however that ends.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, Self

from doorctl.roster.enrolment import NewRow
from doorctl.roster.factors import Lookup
from doorctl.roster.schema import LOOKUP_SIZE, ROWS_PER_HOLDER
from doorctl.wire.record import Token
from doorctl.wire.sizes import TOKEN_SIZE

_ROW: Final = LOOKUP_SIZE + TOKEN_SIZE
_PERSON: Final = ROWS_PER_HOLDER * _ROW


class Spool:
    """A hundred thousand people are 123 MB on the disk and nothing in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    @classmethod
    @contextmanager
    def beside(cls, roster: Path) -> Iterator[Self]:
        """In the roster's folder, empty."""
        with TemporaryFile(dir=roster.parent) as file:
            yield cls(file)

    def add(self, rows: Sequence[NewRow]) -> None:
        """One person's, after those before."""
        self._file.write(b"".join(row.lookup + row.token for row in rows))

    def people(self) -> Iterator[list[NewRow]]:
        """Everybody's rows, in the order in which they came."""
        self._file.seek(0)
        while person := self._file.read(_PERSON):
            yield [_row(person[begin : begin + _ROW]) for begin in range(0, _PERSON, _ROW)]


def _row(stored: bytes) -> NewRow:
    return NewRow(lookup=Lookup(stored[:LOOKUP_SIZE]), token=Token(stored[LOOKUP_SIZE:]))
