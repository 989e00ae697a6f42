"""On which line of a TOML file each key stands, so that a mistake can be pointed at.

tomli gives values without places. This scanner knows just enough of TOML's outline (table headers, keys at
the start of a line, multi-line strings) to say where; what it cannot place gets its parent's line. It never
decides whether a file is right: that is tomli's and reading.py's.
"""

import re
from typing import Final

Place = tuple[str, ...]
"""A key as tomli's nested tables have it: ("door", "front", "strike")."""

_HEADER: Final = re.compile(r"^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY: Final = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_TRIPLE: Final = re.compile(r"\"\"\"|'''")


def key_lines(text: str) -> dict[Place, int]:
    """Line numbers from 1; the first place wins where a key stands twice (tomli refuses that anyway)."""
    found: dict[Place, int] = {}
    table: Place = ()
    inside_string: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if inside_string is not None:
            if inside_string in line:
                inside_string = None
            continue
        if header := _HEADER.match(line):
            table = _parts(header.group(1))
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key.group(1))), number)
        quotes = _TRIPLE.findall(line)
        if len(quotes) % 2:
            inside_string = quotes[-1]
    return found


def line_of(found: dict[Place, int], place: Place) -> int:
    """The key's line, else that of the nearest table around it, else 1."""
    for size in range(len(place), 0, -1):
        if line := found.get(place[:size]):
            return line
    return 1


def _parts(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
