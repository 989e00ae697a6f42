"""One table of the file, read key by key: every mistake is noted with its place, and reading goes on.

A reading method returns the value, or a harmless stand-in after it noted a mistake; the caller never looks at
values before `Mistakes` is known to be empty. Nothing here knows what doors are.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, TypeVar

from doorctl.config.lines import Place, line_of
from doorctl.core.types import SECOND, Duration

_E = TypeVar("_E", bound=Enum)
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?")
NAME_RULE: Final = "1 to 20 lower-case letters, digits and hyphens"
_MISSING: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong with a file, in the words the operator sees."""

    file: str
    line: int
    key: str
    expected: str
    found: str
    hint: str | None

    def __str__(self) -> str:
        """`doorctl.toml:12: door.front.strike: expected …, found …` and a hint on a line of its own."""
        where = f"{self.file}:{self.line}: {self.key}" if self.key else f"{self.file}:{self.line}"
        text = f"{where}: expected {self.expected}, found {self.found}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


@dataclass(slots=True, kw_only=True)
class Mistakes:
    """All mistakes of one file, in the order of its lines."""

    file: str
    lines: dict[Place, int]
    found: list[Mistake] = field(default_factory=list)

    def note(self, place: Place, *, expected: str, found: str, hint: str | None = None) -> None:
        """Add one."""
        self.found.append(
            Mistake(
                file=self.file,
                line=line_of(self.lines, place),
                key=".".join(place),
                expected=expected,
                found=found,
                hint=hint,
            )
        )

    def sorted(self) -> list[Mistake]:
        """By line, then as found."""
        return sorted(self.found, key=lambda mistake: mistake.line)


def shown(value: object) -> str:
    """A value as the file would write it, shortened."""
    match value:
        case _ if value is _MISSING:
            text = "nothing"
        case bool():
            text = str(value).lower()
        case str():
            text = f'"{value}"'
        case dict():
            text = "a table"
        case list():
            text = "a list"
        case _:
            text = str(value)
    return text if len(text) <= 40 else text[:37] + "…"  # noqa: PLR2004  a line of a terminal


def nearest(word: str, right: Iterable[str]) -> str | None:
    """`did you mean "strike"?` where one of the right words is near."""
    close = difflib.get_close_matches(word, list(right), n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else None


class Section:
    """A TOML table being read; `close()` notes every key nobody asked for."""

    def __init__(self, place: Place, table: Mapping[str, Any], mistakes: Mistakes) -> None:
        self.place = place
        self.table = table
        self.mistakes = mistakes
        self._asked: list[str] = []

    def wrong(self, key: str, *, expected: str, hint: str | None = None) -> None:
        """Note that `key` is not what it should be."""
        found = shown(self.table.get(key, _MISSING))
        self.mistakes.note((*self.place, key), expected=expected, found=found, hint=hint)

    def has(self, key: str) -> bool:
        """Whether the file has the key; asking makes the key a known one."""
        self._asked.append(key)
        return key in self.table

    def value(self, key: str) -> Any:
        """The raw value, or a marker that is of no type where the key is missing."""
        self._asked.append(key)
        return self.table.get(key, _MISSING)

    def text(self, key: str, *, expected: str, default: str | None = None, hint: str | None = None) -> str:
        """A string that is not empty."""
        value = self.value(key)
        if value is _MISSING and default is not None:
            return default
        if isinstance(value, str) and value:
            return value
        self.wrong(key, expected=expected, hint=hint)
        return ""

    def truth(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.value(key)
        if value is _MISSING:
            return default
        if not isinstance(value, bool):
            self.wrong(key, expected="true or false")
            return default
        return value

    def whole(self, key: str, *, default: int, low: int, high: int, hint: str | None = None) -> int:
        """A whole number low..high."""
        value = self.value(key)
        if value is _MISSING:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(key, expected=f"a whole number from {low} to {high}", hint=hint)
            return default
        return value

    def seconds(self, key: str, *, default: float, low: float, high: float) -> Duration:
        """Seconds, whole or not, as nanoseconds."""
        value = self.value(key)
        if value is _MISSING:
            value = default
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            hint = "write the number alone: the name already says seconds" if isinstance(value, str) else None
            self.wrong(key, expected=f"seconds from {low:g} to {high:g}", hint=hint)
            value = default
        return Duration(round(value * SECOND))

    def choice(self, key: str, enum: type[_E], *, default: _E | None = None, hint: str | None = None) -> _E:
        """One of an Enum's values."""
        value = self.value(key)
        if value is _MISSING and default is not None:
            return default
        members = {str(member.value): member for member in enum}
        if isinstance(value, str) and value in members:
            return members[value]
        suggestion = nearest(value, members) if isinstance(value, str) else None
        self.wrong(key, expected=one_of(members), hint=suggestion or hint)
        return next(iter(enum))

    def names(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self.value(key)
        if value is _MISSING:
            return ()
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return tuple(value)
        self.wrong(key, expected="a list of names")
        return ()

    def dates(self, key: str) -> tuple[date, ...]:
        """A list of TOML dates."""
        value = self.value(key)
        if value is _MISSING:
            return ()
        if isinstance(value, list) and all(type(day) is date for day in value):
            return tuple(value)
        hint = "write dates without quotes and without a time: [2026-12-25, 2027-01-01]"
        times = isinstance(value, list) and any(isinstance(day, datetime | str) for day in value)
        self.wrong(key, expected="a list of dates", hint=hint if times else None)
        return ()

    def table_at(self, key: str, *, required: bool = False, hint: str | None = None) -> "Section":
        """A table inside this one; an empty one where it is missing or wrong."""
        value = self.value(key)
        if value is _MISSING and not required:
            value = {}
        if not isinstance(value, dict):
            self.wrong(key, expected="a table", hint=hint)
            value = {}
        return Section((*self.place, key), value, self.mistakes)

    def named_tables(self, key: str) -> list[tuple[str, "Section"]]:
        """[key.NAME] tables; names that are no names are noted and still read."""
        outer = self.table_at(key)
        sections = []
        for name in outer.table:
            check_name(self.mistakes, (*outer.place, name), name)
            sections.append((name, outer.table_at(name)))
        return sections

    def close(self) -> None:
        """Note the keys that mean nothing here."""
        for key in self.table:
            if key not in self._asked:
                self.mistakes.note(
                    (*self.place, key),
                    expected=f"one of {', '.join(sorted(set(self._asked)))}",
                    found=f'the unknown key "{key}"',
                    hint=nearest(key, self._asked),
                )


def check_name(mistakes: Mistakes, place: Place, name: str) -> None:
    """Names of doors, schedules and groups are short and safe in paths, logs and on the wire."""
    if not _NAME.fullmatch(name):
        mistakes.note(place, expected=f"a name of {NAME_RULE}", found=shown(name))


def one_of(words: Iterable[str]) -> str:
    """`"a", "b" or "c"`."""
    quoted = [f'"{word}"' for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
