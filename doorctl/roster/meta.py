"""The roster's single row about itself: what was decided at `doorctl init`, and how often it has changed since."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any, Final

from doorctl.roster.factors import MOST_MEMORY_KIB, MOST_PASSES, SITE_SALT_SIZE, StretchParameters
from doorctl.roster.schema import ColumnError

HIGHEST_GENERATION: Final = (1 << 63) - 1
_LEAST_KIB: Final = 8
"""RFC 9106, section 3.1."""
_CODE_LENGTHS: Final = (4, 10)
_CODES_PER_HOLDER: Final = (1, 3)
"""Both as [codes] of the configuration has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterParameters:
    """What everything in the roster depends on; changing any of it would mean new codes for everyone."""

    stretch: StretchParameters
    site_salt: bytes = field(repr=False)
    code_length: int
    """Digits, check digit included."""
    codes_per_holder: int


def read_generation(connection: sqlite3.Connection) -> int:
    """Counts the changes; higher is newer."""
    (generation,) = _meta(connection, "generation")
    return whole_number(generation, 0, HIGHEST_GENERATION, "the generation")


def read_parameters(connection: sqlite3.Connection) -> RosterParameters:
    """What the roster was made with."""
    columns = "memory_kib, iterations, lanes, site_salt, code_length, codes_per_holder"
    memory_kib, iterations, lanes, salt, length, per_holder = _meta(connection, columns)
    what = "argon2id's parameters"
    stretch = StretchParameters(
        memory_kib=whole_number(memory_kib, _LEAST_KIB, MOST_MEMORY_KIB, what),
        iterations=whole_number(iterations, 1, MOST_PASSES, what),
        lanes=whole_number(lanes, 1, 1, what),
    )
    if not isinstance(salt, bytes) or len(salt) != SITE_SALT_SIZE:
        raise ColumnError("the site's salt")
    return RosterParameters(
        stretch=stretch,
        site_salt=salt,
        code_length=whole_number(length, *_CODE_LENGTHS, "the codes' length"),
        codes_per_holder=whole_number(per_holder, *_CODES_PER_HOLDER, "the number of codes"),
    )


def whole_number(value: object, least: int, most: int, what: str) -> int:
    """A column's number within its range; ColumnError else: it would stop the door's process or stall its entries."""
    if not isinstance(value, int) or not least <= value <= most:
        raise ColumnError(what)
    return value


def insert_meta(connection: sqlite3.Connection, parameters: RosterParameters, digest: bytes) -> None:
    """The row of a new roster: generation 0, nobody enrolled."""
    stretch = parameters.stretch
    connection.execute(
        "INSERT INTO meta VALUES (1, 0, ?, ?, ?, ?, ?, ?, ?, 0)",
        (
            digest,
            parameters.site_salt,
            stretch.memory_kib,
            stretch.iterations,
            stretch.lanes,
            parameters.code_length,
            parameters.codes_per_holder,
        ),
    )


def _meta(connection: sqlite3.Connection, columns: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(f"SELECT {columns} FROM meta").fetchone()  # noqa: S608  # ours
    if row is None:
        raise ColumnError("no meta row")
    return row
