"""The words that name the meaning stand only where the design allows them, and no flag of any command names one."""

import argparse
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType

import pytest

import doorctl
import hal
from doorctl.cli.main import build_parser
from doorctl.core import effects, events
from doorctl.core.effects import Code
from doorctl.core.types import Card, Monotonic
from doorctl.doord import access, drafts, lookup, recorder
from doorctl.roster.factors import CardId
from doorctl.wire.record import Kind, RowTag, Token
from tests.covert.needles import WORDS

ROOT = Path(str(doorctl.__file__)).parents[1]
ALLOWED = re.compile(r"doorctl/(seal/meaning\.py|cli/(holder|monitor|sim)[^/]*(\.py|/.*)|monitord/.*)")
"""design.md, The promise: the door cannot know."""
DOOR_SIDE = ("etc", "systemd")
"""What is installed on a board besides the packages."""


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def says(path: Path) -> bool:
    return bool(WORDS.search(path.read_bytes()) or WORDS.search(path.name.encode()))


def test_the_words_stand_only_where_they_are_allowed() -> None:
    assert Path(str(hal.__file__)).parents[1] == ROOT
    found = [str(path.relative_to(ROOT)) for path in sources("doorctl", "hal") if says(path)]
    assert [name for name in found if not ALLOWED.fullmatch(name)] == []
    assert "doorctl/seal/meaning.py" in found, "the search works"


def test_nothing_that_is_installed_on_a_board_says_them() -> None:
    installed = [path for path in sources(*DOOR_SIDE) if "monitor" not in path.name]
    assert installed
    assert [str(path.relative_to(ROOT)) for path in installed if says(path)] == []


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


MEANINGS = re.compile(WORDS.pattern.decode() + r"|decoy|normal|meaning|silent|threat|robber", re.IGNORECASE)


def test_no_flag_names_a_meaning() -> None:
    """They would stand in the shell's history, in sudo's log and in the process list."""
    arguments = []
    for parser in parsers(build_parser()):
        for action in parser._actions:
            choices = [] if isinstance(action, argparse._SubParsersAction) else action.choices or []
            arguments += [*action.option_strings, action.dest, str(action.metavar), *map(str, choices)]
    assert "--group" in arguments
    assert [argument for argument in arguments if MEANINGS.search(argument)] == []


CARD = Card(length=26, raw=1_617_308)
CODE = Code("48207891")
SECRET = b"\x5a" * 32
REQUEST = effects.Request(card=CARD, code=CODE, at=Monotonic(1))
VALUES = [
    REQUEST,
    effects.Submit(request=REQUEST),
    events.CardRead(card=CARD, at=Monotonic(1)),
    *(events.KeyRead(key=key, at=Monotonic(1)) for key in (events.Key.DIGIT_4, events.Key.DIGIT_8)),
    lookup.Found(row=None, card=CardId(SECRET), row_tag=RowTag(SECRET[:16]), readable=True),
    drafts.Draft(kind=Kind.ACCESS, token=Token(SECRET), row_tag=RowTag(SECRET[:16]), detail=SECRET),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_repr_on_the_door_side_shows_a_secret(value: object) -> None:
    shown = repr(value)
    for secret in (CODE, str(CARD.raw), f"{CARD.raw:x}", "DIGIT_4", "DIGIT_8", repr(SECRET[:16])[2:-1], SECRET.hex()):
        assert secret not in shown


def test_every_secret_field_is_out_of_its_repr() -> None:
    """By name, over the dataclasses of the door side: a new one cannot be forgotten."""
    secret = re.compile(r"^(raw|code|codes|key|token|row_tag|lookup|stretched|identity)$")
    shown = []
    for module in (effects, events, access, lookup, drafts, recorder):
        for class_ in dataclasses_of(module):
            shown += [
                f"{class_.__name__}.{field.name}" for field in fields(class_) if secret.match(field.name) and field.repr
            ]
    assert shown == []


def dataclasses_of(module: ModuleType) -> Iterator[type]:
    for value in vars(module).values():
        if isinstance(value, type) and is_dataclass(value) and value.__module__ == module.__name__:
            yield value
