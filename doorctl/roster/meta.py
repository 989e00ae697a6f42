"""The roster's single row about itself: what was decided at `doorctl init`, and how often it has changed since."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from doorctl.roster.factors import SITE_SALT_SIZE, StretchParameters
from doorctl.roster.schema import ColumnError


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
    if not isinstance(generation, int):
        raise ColumnError("the generation")
    return generation


def read_parameters(connection: sqlite3.Connection) -> RosterParameters:
    """What the roster was made with."""
    columns = "memory_kib, iterations, lanes, site_salt, code_length, codes_per_holder"
    memory_kib, iterations, lanes, salt, length, per_holder = _meta(connection, columns)
    try:
        stretch = StretchParameters(memory_kib=memory_kib, iterations=iterations, lanes=lanes)
    except (TypeError, ValueError) as error:
        raise ColumnError("argon2id's parameters") from error
    if not isinstance(salt, bytes) or len(salt) != SITE_SALT_SIZE:
        raise ColumnError("the site's salt")
    return RosterParameters(stretch=stretch, site_salt=salt, code_length=length, codes_per_holder=per_holder)


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
