"""Where in a TOML file each key and its value stand, so that a mistake can be pointed at.

tomli gives values without places. This scanner walks over the tokens of a text that tomli has already accepted and
notes where each key begins, inline tables included. It never decides whether a file is right: that is tomli's and
reading.py's; on anything else it must only not raise.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import tomli

Place = tuple[str, ...]
"""A key as tomli's nested tables have it: ("door", "front", "strike")."""

_TOKEN: Final = re.compile(
    r"""
    (?P<newline>\n)
  | (?P<skip>[ \t\r]+|\#[^\n]*)
  | (?P<text>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
  | (?P<mark>[\[\]{}=,])
  | (?P<word>[A-Za-z0-9_-]+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of one line: `begin` and `end` are columns from 1, `end` the one behind it."""

    line: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A key and its value, as far as it stands on the key's line; a table's header has no value."""

    key: Span
    value: Span | None = None


class _Scanner:
    """Where the walk stands: the table of the last header, the open brackets, the key being read."""

    def __init__(self) -> None:
        self.found: dict[Place, Spot] = {}
        self._table: Place = ()
        self._open: list[tuple[str, Place]] = []
        """`{` or `[` with the key whose value it begins."""
        self._key: list[str] = []
        self._key_span = Span(line=1, begin=1, end=1)
        self._expects = "key"
        """Or "header" between its brackets, or "value"."""
        self._value: Place = ()

    def newline(self) -> None:
        """A statement ends, unless a bracket is open."""
        if not self._open:
            self._expects, self._key = "key", []

    def part(self, text: str, span: Span) -> None:
        """A word or a quoted text: a part of a key, or of a value."""
        if self._expects == "value":
            self._extend(span)
            return
        self._key_span = replace(self._key_span, end=span.end) if self._key else span
        self._key.append(_unquoted(text))

    def other(self, span: Span) -> None:
        """What else is in a value: signs and dots of numbers, colons of times."""
        if self._expects == "value":
            self._extend(span)

    def mark(self, mark: str, span: Span) -> None:
        """A bracket, a comma or an equals sign."""
        match mark:
            case "[" if self._expects == "key" and not self._open and not self._key:
                self._expects, self._key_span = "header", span
            case "[" if self._expects == "header":
                pass  # the second of [[
            case "]" if self._expects == "header":
                self._table = tuple(self._key)
                self._note(self._table)
                self._expects = "value"
            case "=" if self._expects == "key":
                self._value = (*self._inside(), *self._key)
                self._note(self._value)
                self._expects = "value"
            case "{" | "[":
                self._extend(span)
                self._open.append((mark, self._value))
                self._expects, self._key = ("key" if mark == "{" else "value"), []
            case "," if self._open and self._open[-1][0] == "{":
                self._expects, self._key = "key", []
            case "}" | "]" if self._open:
                self._value = self._open.pop()[1]
                self._expects = "value"
                self._extend(span)

    def _inside(self) -> Place:
        return next((place for bracket, place in reversed(self._open) if bracket == "{"), self._table)

    def _note(self, place: Place) -> None:
        """Each table on the way as well; the first place wins where one stands twice."""
        for size in range(1, len(place) + 1):
            self.found.setdefault(place[:size], Spot(key=self._key_span))

    def _extend(self, span: Span) -> None:
        """A piece of the value of the key last seen; the line it begins on is what is pointed at."""
        spot = self.found.get(self._value)
        if spot is not None and span.line == spot.key.line and span.begin >= spot.key.end:
            begin = span.begin if spot.value is None else spot.value.begin
            self.found[self._value] = replace(spot, value=replace(span, begin=begin))


def key_spots(text: str) -> dict[Place, Spot]:
    """Where every key and table stands."""
    scanner, line, start = _Scanner(), 1, 0
    for token in _TOKEN.finditer(text):
        piece = token.group()
        begin = token.start() - start + 1
        span = Span(line=line, begin=begin, end=begin + len(piece.partition("\n")[0]))
        match token.lastgroup:
            case "newline":
                scanner.newline()
            case "text" | "word":
                scanner.part(piece, span)
            case "mark":
                scanner.mark(piece, span)
            case "other":
                scanner.other(span)
        if "\n" in piece:
            line, start = line + piece.count("\n"), token.start() + piece.rindex("\n") + 1
    return scanner.found


def spot_of(found: dict[Place, Spot], place: Place) -> Spot | None:
    """The key's spot, else that of the nearest table around it."""
    around = (found.get(place[:size]) for size in range(len(place), 0, -1))
    return next((spot for spot in around if spot is not None), None)


def line_of(found: dict[Place, Spot], place: Place) -> int:
    """The key's line, else that of the nearest table around it, else 1."""
    spot = spot_of(found, place)
    return 1 if spot is None else spot.key.line


def statements(text: str) -> Iterator[tuple[int, int | None]]:
    """First and last line of everything between two line ends outside brackets; the last of an unclosed one is None."""
    depth, line, begin = 0, 1, 1
    for token in _TOKEN.finditer(text):
        piece = token.group()
        if token.lastgroup == "newline" and depth == 0:
            yield begin, line
            begin = line + 1
        elif token.lastgroup == "mark":
            depth = max(0, depth + (piece in "[{") - (piece in "]}"))
        line += piece.count("\n")
    yield begin, None if depth else line


def _unquoted(part: str) -> str:
    """A key's part as tomli reads it."""
    if part[0] not in "\"'":
        return part
    try:
        return str(tomli.loads(f"key = {part}")["key"])
    except tomli.TOMLDecodeError:
        return part
