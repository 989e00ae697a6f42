"""TOML that is not quite TOML, read as far as it goes: a flaw in one statement does not hide the others.

tomli stops at the first flaw. Here the flawed statement is replaced by one that nothing accepts, and the text is read
again, so that whoever wrote it sees every mistake at once. What was mended is never used: where there is a flaw there
is no Config. Lines keep their numbers.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import tomli

from doorctl.config.lines import statements

UNREADABLE: Final = "\0"
"""The value of a mended statement; no key accepts it, and what is said of it is left out."""
_MOST_FLAWS: Final = 25
"""Who made more begins with these; the text is read twice for each at most."""
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)")
_HEADER: Final = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)")
_COMMA: Final = re.compile(r"=\s*([0-9]+),([0-9]+)\s*")
"""`= 4,5`: half of Europe writes a fraction so. tomli ends at the comma, or inside an inline table after the 5."""
_HINTS: Final = (
    ("Invalid value", 'text stands in quotes: "fail-secure"; true and false are lower case'),
    ("Expected newline", "one key a line, text in quotes; a number stands alone, without its unit"),
    ("Cannot overwrite", "this key stands twice in the same table"),
    ("Duplicate inline", "this key stands twice in the same table"),
    ("Cannot declare", "this table stands twice: write it once, with all its keys"),
    ("Expected '='", "a key is followed by = and its value: release_s = 5"),
    (
        "Invalid initial character for a key",
        "a key is lower-case letters, digits, _ and -, followed by = and its value",
    ),
    ("Invalid statement", "a line is a key with its value, a table's name in brackets, or a # comment"),
    ("Unclosed", "a list ends with ], an inline table with }"),
    ("Illegal character", "a text begins and ends on one line with the same quote"),
    ("Unterminated", "a text begins and ends on one line with the same quote"),
    ("Unescaped", "in double quotes \\ begins an escape; write \\\\, or the text in single quotes"),
    ("Expected ']'", "a table's name stands in brackets: [door.front]"),
)
"""By the beginning of tomli's message: what people usually did."""
_RULES: Final = "https://toml.io has the rules of the language"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One place where a text is no TOML."""

    statement: int
    """The line that its statement begins on."""
    line: int
    column: int
    """0 where no place in the line is meant."""
    found: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What a text says; `tree` is None where nothing below the last flaw can be trusted."""

    tree: dict[str, Any] | None
    text: str
    flaws: tuple[Flaw, ...]
    touched: frozenset[int]
    """Lines whose statements were replaced; of these nothing more is to be said."""


def mended(text: str) -> Mended:
    """Read a text, mending what cannot be read; ValueError and RecursionError come from what has no end."""
    lines = text.split("\n")
    flaws: list[Flaw] = []
    touched: set[int] = set()
    unclosed = 0
    while len(flaws) < _MOST_FLAWS:
        try:
            tree: dict[str, Any] | None = tomli.loads("\n".join(lines))
        except tomli.TOMLDecodeError as error:
            begin, end = _statement(lines, error.lineno)
            dubious = begin == unclosed + 1 > 1
            if not dubious and begin not in touched:
                flaws.append(_flaw(error, begin, lines[error.lineno - 1], closed=end is not None))
            if dubious or not _replace(lines, begin, end or begin, again=begin in touched):
                break
            unclosed = unclosed if end else begin
            touched.update(range(begin, (end or begin) + 1))
        else:
            return Mended(tree=tree, text="\n".join(lines), flaws=tuple(flaws), touched=frozenset(touched))
    return Mended(tree=None, text=text, flaws=tuple(flaws), touched=frozenset(touched))


def _statement(lines: list[str], line: int) -> tuple[int, int | None]:
    """First and last line of the statement that breaks in a line; no last one where a bracket is never closed.

    What breaks in its first line is taken to end there: often a quote or bracket is missing just there.
    """
    for begin, end in statements("\n".join(lines)):
        if begin <= line and (end is None or line <= end):
            return begin, line if begin == line else end
    return line, line


def _flaw(error: tomli.TOMLDecodeError, begin: int, line: str, *, closed: bool) -> Flaw:
    if not closed:
        return Flaw(
            statement=begin, line=begin, column=0, found="a bracket that nothing closes", hint=_hint("Unclosed")
        )
    found = f"{error.msg[:1].lower()}{error.msg[1:]} (column {error.colno})"
    return Flaw(
        statement=begin,
        line=error.lineno,
        column=error.colno,
        found=found,
        hint=_fraction(line, error.colno) or _hint(error.msg),
    )


def _fraction(line: str, column: int) -> str | None:
    """The hint where what breaks at the column is a number with a comma."""
    commas = (found for found in _COMMA.finditer(line) if found.start() < column <= found.end() + 1)
    return next((f"write {found[1]}.{found[2]} with a point" for found in commas), None)


def _hint(message: str) -> str:
    return next((hint for start, hint in _HINTS if message.startswith(start)), _RULES)


def _replace(lines: list[str], begin: int, end: int, *, again: bool) -> bool:
    """Put a statement that can be read in place of one that cannot; False where that was tried before in both ways."""
    first = lines[begin - 1]
    for line in range(begin, end):
        lines[line] = ""
    if header := _HEADER.match(first):
        lines[begin - 1] = f'["\\u0001{begin}"]' if again else f"[{header[1]}]"
    elif (key := _KEY.match(first)) and not again:
        lines[begin - 1] = f'{key[1]} = "\\u0000"'
    else:
        lines[begin - 1] = ""
    return lines[begin - 1] != first
