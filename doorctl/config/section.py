"""One table of the file, read key by key: every mistake is noted with its place, and reading goes on.

A reading method returns the value, or a harmless stand-in after it noted a mistake; the caller never looks at
values before `Mistakes` is known to be empty. Nothing here knows what doors are.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final, TypeVar

from doorctl.config.key import LONGEST_NAME, Choice, Key, Seconds, Whole, expected, is_name, one_of
from doorctl.config.keys import key_at
from doorctl.config.lines import Place, Span, Spot, line_of, spot_of
from doorctl.core.types import SECOND, Duration

_E = TypeVar("_E", bound=Enum)
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_MOST_SHOWN: Final = 40
"""Characters of a value that a message repeats: what fits a line of a terminal."""
_MOST_BITS: Final = 128
"""Of a number that is written out; Python refuses to write very long ones."""
_DATES_HINT: Final = "write dates without quotes and without a time: [2026-12-25, 2027-01-01]"
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
    span: Span | None = None
    """What is pointed at."""

    def __str__(self) -> str:
        """`doorctl.toml:12: door.front.strike: expected …, found …` and a hint on a line of its own."""
        where = f"{self.file}:{self.line}: {self.key}" if self.key else f"{self.file}:{self.line}"
        text = f"{where}: expected {self.expected}, found {self.found}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


@dataclass(slots=True, kw_only=True)
class Mistakes:
    """All mistakes of one file, in the order of its lines."""

    file: str
    spots: dict[Place, Spot]
    found: list[Mistake] = field(default_factory=list)

    def note(self, place: Place, *, expected: str, found: str, hint: str | None = None, named: bool = False) -> None:
        """Add one; `named`: the key is wrong and not its value."""
        spot = spot_of(self.spots, place)
        at_value = spot is not None and not named and place in self.spots
        self.found.append(
            Mistake(
                file=self.file,
                line=line_of(self.spots, place),
                key=dotted(place),
                expected=expected,
                found=found,
                hint=hint or _taught(place),
                span=None if spot is None else (spot.value if at_value and spot.value else spot.key),
            )
        )

    def muted(self) -> "Mistakes":
        """For what stands in for a thing whose absence was noted already."""
        return Mistakes(file=self.file, spots=self.spots)


def _taught(place: Place) -> str:
    """A hint where there is no better one: what may stand there, and where to read on."""
    for size in range(len(place), 0, -1):
        with suppress(KeyError):
            key = key_at(place[:size])
            told = f"`doorctl config explain {dotted(place[:size])}` says more"
            return f"for example {place[size - 1]} = {key.example}; {told}" if key.example else told
    return "`doorctl config explain` lists every key"


def dotted(place: Place) -> str:
    """A key as the file would write it: `door.front.strike`, with quotes around what needs them."""
    return ".".join(part if _BARE_KEY.fullmatch(part) else quoted(part) for part in place)


def quoted(text: str) -> str:
    """Text in quotes, shortened; what a terminal would obey is written as an escape."""
    escaped = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: _MOST_SHOWN + 1])
    return f'"{_shortened(escaped)}"'


def shown(value: object) -> str:
    """A value as the file would write it, shortened."""
    match value:
        case _ if value is _MISSING:
            text = "nothing"
        case bool():
            text = str(value).lower()
        case str():
            text = quoted(value)
        case dict():
            text = "a table"
        case list():
            text = "a list"
        case int() if value.bit_length() > _MOST_BITS:
            text = "a very long number"
        case _:
            text = _shortened(str(value))
    return text


def _is_of(kind: Whole, value: int) -> bool:
    return kind.low <= value <= kind.high and (not kind.only or value in kind.only)


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


def nearest(word: str, right: Iterable[str]) -> str | None:
    """`did you mean "strike"?` where one of the right words is near; case does not count."""
    folded = {candidate.casefold(): candidate for candidate in right}
    close = difflib.get_close_matches(word[:_MOST_SHOWN].casefold(), folded, n=1, cutoff=0.6)
    return f'did you mean "{folded[close[0]]}"?' if close else None


class Section:
    """A TOML table being read; `close()` notes every key nobody asked for."""

    def __init__(self, place: Place, table: Mapping[str, Any], mistakes: Mistakes) -> None:
        self.place = place
        self.table = table
        self.mistakes = mistakes
        self._asked: list[str] = []

    def wrong(self, key: str, *, expected: str, hint: str | None = None) -> None:
        """Note that `key` is not what it should be."""
        self.mistakes.note((*self.place, key), expected=expected, found=self.found(key), hint=hint)

    def has(self, key: str) -> bool:
        """Whether the file has the key; asking makes the key a known one."""
        self._asked.append(key)
        return key in self.table

    def found(self, key: str) -> str:
        """The value under `key` as a message shows it."""
        return shown(self.table.get(key, _MISSING))

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

    def truth(self, key: str) -> bool:
        """True or false."""
        value, default = self.value(key), self._key(key).default
        if not isinstance(value, bool):
            if value is not _MISSING:
                self.wrong(key, expected="true or false")
            return default is True
        return value

    def whole(self, key: str, *, default: int | None = None, hint: str | None = None) -> int:
        """A whole number within its limits; `default` where it depends on something."""
        kind, usual = self._key(key).kind, self._key(key).default if default is None else default
        assert isinstance(kind, Whole)
        assert isinstance(usual, int)
        value = self.value(key)
        if value is _MISSING:
            return usual
        if isinstance(value, bool) or not isinstance(value, int) or not _is_of(kind, value):
            self.wrong(key, expected=expected(kind), hint=hint)
            return usual
        return value

    def seconds(self, key: str, *, default: float | None = None) -> Duration:
        """Seconds within their limits, whole or not, as nanoseconds; `default` where it depends on something."""
        kind, usual = self._key(key).kind, self._key(key).default if default is None else default
        assert isinstance(kind, Seconds)
        assert isinstance(usual, int | float)
        value = self.value(key)
        if value is _MISSING:
            value = usual
        if isinstance(value, bool) or not isinstance(value, int | float) or not kind.low <= value <= kind.high:
            hint = "write the number alone: the name already says seconds" if isinstance(value, str) else None
            self.wrong(key, expected=expected(kind), hint=hint)
            value = usual
        return Duration(round(value * SECOND))

    def choice(
        self, key: str, enum: type[_E], *, hint: str | None = None, meant: Callable[[str], str | None] | None = None
    ) -> _E:
        """One of an Enum's values; `meant` knows what people write instead, where the nearest word would mislead."""
        value, default = self.value(key), self._key(key).default
        members = {str(member.value): member for member in enum}
        if value is _MISSING and isinstance(default, str):
            return members[default]
        if isinstance(value, str) and value in members:
            return members[value]
        suggestion = None
        if isinstance(value, str):
            word = None if meant is None else meant(value)
            suggestion = nearest(value, members) if word is None else f'did you mean "{word}"?'
        self.wrong(key, expected=one_of(members), hint=suggestion or hint)
        return next(iter(enum))

    def word(self, key: str, *, default: str | None = None) -> str:
        """One of some words, where no Enum speaks for them."""
        kind, usual = self._key(key).kind, self._key(key).default if default is None else default
        assert isinstance(kind, Choice)
        assert isinstance(usual, str)
        value = self.value(key)
        if value is _MISSING:
            return usual
        if isinstance(value, str) and value in kind.words:
            return value
        self.wrong(key, expected=expected(kind), hint=nearest(value, kind.words) if isinstance(value, str) else None)
        return usual

    def _key(self, key: str) -> Key:
        return key_at((*self.place, key))

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
        if not isinstance(value, list):
            self.wrong(key, expected="a list of dates", hint=_DATES_HINT)
            return ()
        for day in value:
            if type(day) is not date:  # a datetime is a date to Python, and an hour would be lost
                self.mistakes.note((*self.place, key), expected="dates", found=shown(day), hint=_DATES_HINT)
        return tuple(day for day in value if type(day) is date)

    def table_at(
        self, key: str, *, required: bool = False, expected: str = "a table", hint: str | None = None
    ) -> "Section":
        """A table inside this one; where it is missing or wrong, an empty one whose own mistakes are not noted."""
        value = self.value(key)
        if value is _MISSING and not required:
            value = {}
        if isinstance(value, dict):
            return Section((*self.place, key), value, self.mistakes)
        self.wrong(key, expected=expected, hint=hint)
        return Section((*self.place, key), {}, self.mistakes.muted())

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
                    expected=f"only {', '.join(sorted(set(self._asked)))}",
                    found=f"the unknown key {quoted(key)}",
                    hint=nearest(key, self._asked),
                    named=True,
                )


def check_name(mistakes: Mistakes, place: Place, name: str, *, longest: int = LONGEST_NAME) -> None:
    """Names of doors, readers, schedules and groups are short and safe in paths, logs and on the wire."""
    if not is_name(name, longest):
        rule = f"a name of 1 to {longest} lower-case letters, digits and hyphens"
        named = place[-1] == name  # else it is a value that names the site
        plain = _plain(name, longest)
        mistakes.note(place, expected=rule, found=quoted(name), hint=f'try "{plain}"' if plain else None, named=named)


def to_be_named(name: str) -> str:
    """What a thing is called once its name is mended; the rest of the file is held against that."""
    return name if is_name(name) else _plain(name, LONGEST_NAME) or name


def _plain(name: str, longest: int) -> str:
    """`Front Door` → `front-door`; empty where nothing is left of it."""
    decomposed = unicodedata.normalize("NFKD", name[:_MOST_SHOWN].casefold())
    plain = re.sub(r"[^a-z0-9]+", "-", "".join(c for c in decomposed if not unicodedata.combining(c)))
    return plain.strip("-")[:longest].rstrip("-")
