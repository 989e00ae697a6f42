"""On which line of a TOML file each key stands, so that a mistake can be pointed at.

tomli gives values without places. This scanner walks over the tokens of a text that tomli has already accepted and
notes where each key begins, inline tables included. It never decides whether a file is right: that is tomli's and
reading.py's; on anything else it must only not raise.
"""

import re
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


class _Scanner:
    """Where the walk stands: the table of the last header, the open brackets, the key being read."""

    def __init__(self) -> None:
        self.found: dict[Place, int] = {}
        self._table: Place = ()
        self._open: list[tuple[str, Place]] = []
        """`{` or `[` with the key whose value it begins."""
        self._key: list[str] = []
        self._key_line = 1
        self._expects = "key"
        """Or "header" between its brackets, or "value"."""
        self._value: Place = ()

    def newline(self) -> None:
        """A statement ends, unless a bracket is open."""
        if not self._open:
            self._expects, self._key = "key", []

    def part(self, text: str, line: int) -> None:
        """A word or a quoted text: a part of a key, or of a value that says nothing here."""
        if self._expects != "value":
            if not self._key:
                self._key_line = line
            self._key.append(_unquoted(text))

    def mark(self, mark: str, line: int) -> None:
        """A bracket, a comma or an equals sign."""
        match mark:
            case "[" if self._expects == "key" and not self._open and not self._key:
                self._expects, self._key_line = "header", line
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
                self._open.append((mark, self._value))
                self._expects, self._key = ("key" if mark == "{" else "value"), []
            case "," if self._open and self._open[-1][0] == "{":
                self._expects, self._key = "key", []
            case "}" | "]" if self._open:
                self._value = self._open.pop()[1]
                self._expects = "value"

    def _inside(self) -> Place:
        return next((place for bracket, place in reversed(self._open) if bracket == "{"), self._table)

    def _note(self, place: Place) -> None:
        """Each table on the way as well; the first place wins where one stands twice."""
        for size in range(1, len(place) + 1):
            self.found.setdefault(place[:size], self._key_line)


def key_lines(text: str) -> dict[Place, int]:
    """Line numbers from 1, for every key and table."""
    scanner, line = _Scanner(), 1
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case "newline":
                scanner.newline()
            case "text" | "word":
                scanner.part(token.group(), line)
            case "mark":
                scanner.mark(token.group(), line)
        line += token.group().count("\n")
    return scanner.found


def line_of(found: dict[Place, int], place: Place) -> int:
    """The key's line, else that of the nearest table around it, else 1."""
    for size in range(len(place), 0, -1):
        if line := found.get(place[:size]):
            return line
    return 1


def _unquoted(part: str) -> str:
    """A key's part as tomli reads it."""
    if part[0] not in "\"'":
        return part
    try:
        return str(tomli.loads(f"key = {part}")["key"])
    except tomli.TOMLDecodeError:
        return part
