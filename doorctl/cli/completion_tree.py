"""The argparse tree as plain values, for what is drawn from it: the shells' completion and the manuals.

Reads argparse's actions and nothing else. A new command, verb or option appears in both by being added to a parser.
"""

import argparse
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path
from typing import Final

from doorctl.cli.parser import CommandParser


@unique
class Kind(Enum):
    """What a value is, as far as a shell can help with it."""

    NOTHING = "nothing"
    TEXT = "text"
    WORDS = "words"
    FILE = "file"
    FOLDER = "folder"
    DOOR = "doors"
    GROUP = "groups"
    READER = "readers"
    CARD = "card"


_BY_METAVAR: Final = {
    "DOOR": Kind.DOOR, "GROUP": Kind.GROUP, "READER": Kind.READER, "CARD": Kind.CARD,
    "DIR": Kind.FOLDER, "FILE": Kind.FILE,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What an option or a place takes."""

    kind: Kind
    name: str = ""
    """As usage lines show it."""
    words: tuple[str, ...] = ()
    """Every right one, where the kind is WORDS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """`-n N, --lines N`."""

    flags: tuple[str, ...]
    value: Value
    help: str
    required: bool
    repeats: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A word that no option precedes."""

    value: Value
    help: str
    optional: bool
    repeats: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """doorctl itself, a command or a verb."""

    path: tuple[str, ...]
    """Without `doorctl`."""
    help: str
    """A few words, as in the list of commands."""
    parser: CommandParser
    options: tuple[Option, ...]
    places: tuple[Place, ...]
    verbs: tuple["Command", ...]

    def all(self) -> tuple["Command", ...]:
        """Itself and everything below, each before its verbs."""
        return (self, *(below for verb in self.verbs for below in verb.all()))


def command_tree(parser: CommandParser, path: tuple[str, ...] = (), help_: str = "") -> Command:
    """The parser and everything below it, without what its help hides."""
    options, places, verbs = [], [], []
    for action in parser._actions:  # noqa: SLF001  argparse has no public way to ask a parser what it takes
        if action.help == argparse.SUPPRESS:
            continue
        match action:
            case argparse._SubParsersAction():  # noqa: SLF001  nor a public name for this
                verbs += _verbs(action, path)
            case argparse.Action(option_strings=[]):
                places.append(_place(action))
            case _:
                options.append(_option(action))
    return Command(
        path=path, help=help_, parser=parser, options=tuple(options), places=tuple(places), verbs=tuple(verbs)
    )


def _verbs(action: "argparse._SubParsersAction[CommandParser]", path: tuple[str, ...]) -> list[Command]:
    listed = {choice.dest: choice.help or "" for choice in action._get_subactions()}  # noqa: SLF001  as above
    return [command_tree(action.choices[name], (*path, name), help_) for name, help_ in listed.items()]


def _option(action: argparse.Action) -> Option:
    return Option(
        flags=tuple(action.option_strings),
        value=_value(action) if action.nargs != 0 else Value(kind=Kind.NOTHING),
        help=_help(action),
        required=action.required,
        repeats=isinstance(action, argparse._AppendAction),  # noqa: SLF001  as above
    )


def _place(action: argparse.Action) -> Place:
    return Place(
        value=_value(action),
        help=_help(action),
        optional=action.nargs in ("?", "*"),
        repeats=action.nargs in ("*", "+"),
    )


def _value(action: argparse.Action) -> Value:
    name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices is not None:
        return Value(kind=Kind.WORDS, name=name, words=tuple(map(str, action.choices)))
    by_type = Kind.FILE if action.type is Path else Kind.TEXT
    return Value(kind=_BY_METAVAR.get(name, by_type), name=name)


def _help(action: argparse.Action) -> str:
    """With `%(default)s` and the like filled in, as argparse would."""
    values = {"default": action.default, "prog": "doorctl"}
    return (action.help or "") % values if "%" in (action.help or "") else action.help or ""
