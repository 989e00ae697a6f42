"""A configuration that grows by answers: what is there so far, whether one more answer is right, and how it is written.

Whether an answer is right is not decided here: the text so far is read as doord reads it, and what is wrong now and
was not before is the answer's fault. Pure.
"""

import copy
import re
from collections.abc import Callable
from typing import Any, Final

from doorctl.config.effective import toml_value
from doorctl.config.reading import ConfigError, parse_config
from doorctl.config.section import Mistake

Tree = dict[str, Any]
Put = Callable[[Tree, str], None]
"""Puts an answer into a tree, right or wrong."""
ABSENT: Final = ("nothing", "none")
"""What a mistake has found where something is still to come."""
FILE: Final = "doorctl.toml"
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_PIN: Final = re.compile(r"(?:gpio)?\s*([0-9]+)", re.IGNORECASE)
_HEAD: Final = (
    "# doorctl.toml: one board, its doors, who may open them when. `doorctl check` finds every mistake in it,\n"
    "# `doorctl config explain KEY` says what a key means.\n"
)
_SPARE: Final = {
    "wiegand": ((14, 15), (4, 5), (12, 13), (20, 21), (6, 7), (8, 9), (10, 11)),
    "strike": ((17,), (18,), (19,), (26,), (16,)),
    "contact": ((27,), (24,), (25,), (2,), (3,)),
    "rex": ((22,), (23,), (0,), (1,)),
}
"""Lines of a 40-pin header that are offered, the usual ones first; the last ones have other uses on many boards."""


class Draft:
    """The answers so far."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def take(self, put: Put, answer: str) -> Mistake | None:
        """Take an answer in; or leave everything as it was and say what is wrong with it."""
        tried = copy.deepcopy(self.tree)
        put(tried, answer)
        before = {_same(mistake) for mistake in mistakes_of(self.tree)}
        for mistake in mistakes_of(tried):
            if mistake.found not in ABSENT and _same(mistake) not in before:
                return mistake
        self.tree = tried
        return None

    def spare(self, use: str) -> str | None:
        """Pins to offer for a use, of those that nothing has yet."""
        taken = set(re.findall(r'"(GPIO[0-9]+)"', text_of(self.tree)))
        for numbers in _SPARE[use]:
            pins = [f"GPIO{number}" for number in numbers]
            if not taken & set(pins):
                return " ".join(pins)
        return None


def _same(mistake: Mistake) -> tuple[str, str, str]:
    return mistake.key, mistake.expected, mistake.found


def mistakes_of(tree: Tree) -> list[Mistake]:
    """Everything that is wrong or still missing."""
    try:
        parse_config(text_of(tree), file=FILE)
    except ConfigError as error:
        return error.mistakes
    return []


def pin_of(answer: str) -> str:
    """`17`, `gpio17` and `GPIO17` are the same; anything else stays as it is, to be refused."""
    number = _PIN.fullmatch(answer.strip())
    return f"GPIO{int(number[1])}" if number else answer


def text_of(tree: Tree) -> str:
    """The file."""
    parts = [_HEAD]
    for name, table in tree.items():
        if name in ("door", "schedule", "group"):
            parts += [_table(f"{name}.{_key(one)}", keys) for one, keys in table.items()]
        else:
            parts.append(_table(name, table))
    return "\n".join(parts)


def _table(header: str, table: Tree) -> str:
    names = {key: _key(key) for key in table}
    widest = max(map(len, names.values()), default=0)
    lines = [f"{names[key]:<{widest}} = {toml_value(value)}" for key, value in table.items()]
    return "\n".join([f"[{header}]", *lines, ""])


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else toml_value(name)
