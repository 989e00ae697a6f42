"""The table of keys is the only source: reading asks for nothing else, and the manual is drawn from it."""

import importlib.util
import re
from enum import Enum
from pathlib import Path

import pytest
import tomli

from doorctl.config.key import Choice, Key, Seconds, Table, Tables, Whole, expected
from doorctl.config.keys import KEYS, key_at, keys_called, keys_in, nearest_keys
from doorctl.config.lines import Place
from doorctl.config.types import Backend, Egress, KeypadEncoding, StrikeKind, TimeUnknown
from doorctl.core.types import Mode
from tests.config.making import VALID, mistakes
from tests.config.test_manuals import TABLES, keys_of

DOCS = Path(__file__).parents[2] / "docs"
LEAVES = [key for key in KEYS if not isinstance(key.kind, Table | Tables)]


def test_every_place_stands_once() -> None:
    assert len({key.place for key in KEYS}) == len(KEYS)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.dotted)
def test_every_key_says_everything(key: Key) -> None:
    assert re.fullmatch(r"[a-z0-9].*[^.]", key.meaning)
    assert key.danger is None or re.fullmatch(r"[a-z0-9].*[^.]", key.danger)
    assert expected(key.kind)
    assert re.fullmatch(r"\d+\.\d+", key.since)
    assert not (key.required and (key.default is not None or key.otherwise))
    if key in LEAVES:
        assert key.line
        assert tomli.loads(key.line)


@pytest.mark.parametrize("key", [key for key in LEAVES if not key.place[-1].isupper()], ids=lambda key: key.dotted)
def test_every_leaf_is_required_or_has_a_default(key: Key) -> None:
    assert key.required or key.default is not None or key.otherwise


@pytest.mark.parametrize(
    "key", [key for key in KEYS if isinstance(key.kind, Seconds | Whole)], ids=lambda key: key.dotted
)
def test_examples_and_defaults_are_within_their_limits(key: Key) -> None:
    assert isinstance(key.kind, Seconds | Whole)
    numbers = [float(key.example), *([key.default] if isinstance(key.default, int | float) else [])]
    assert all(key.kind.low <= number <= key.kind.high for number in numbers)


@pytest.mark.parametrize(
    ("dotted", "enum"),
    [
        ("hal.backend", Backend), ("door.NAME.egress", Egress), ("door.NAME.strike.type", StrikeKind),
        ("door.NAME.time_unknown", TimeUnknown), ("door.NAME.reader.mode", Mode),
        ("door.NAME.reader.modes.SCHEDULE", Mode), ("door.NAME.reader.keypad", KeypadEncoding),
    ],
)  # fmt: skip
def test_words_are_those_of_the_types(dotted: str, enum: type[Enum]) -> None:
    kind = key_at(tuple(dotted.split("."))).kind
    assert isinstance(kind, Choice)
    assert list(kind.words) == [member.value for member in enum]


@pytest.mark.parametrize("header", TABLES.values(), ids=lambda header: header or "top")
def test_reading_knows_the_keys_of_the_table_and_no_other(header: str) -> None:
    place = tuple(header.strip("[]").split(".")) if header else ()
    known = [key.place[0] for key in KEYS if len(key.place) == 1] if not place else names_in(place)
    assert keys_of(header) == sorted(known)


@pytest.mark.parametrize(
    ("inside", "place"),
    [
        ('strike  = { pin = "GPIO17"', ("door", "front", "strike")),
        ('reader  = { wiegand = ["GPIO14", "GPIO15"]', ("door", "front", "reader")),
        ('contact = "GPIO27"', ("door", "front", "contact")),
    ],
)
def test_inner_tables_too(inside: str, place: Place) -> None:
    after = 'contact = { pin = "GPIO27", zzz = 1 }' if "contact" in inside else f"{inside}, zzz = 1"
    (mistake,) = mistakes(VALID.replace(inside, after))
    assert mistake.expected.removeprefix("only ").split(", ") == sorted(names_in(place))


def names_in(place: Place) -> list[str]:
    return [key.place[-1] for key in keys_in(key_at(place))]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("door.front.strike", ["door.NAME.strike"]),
        ("door.*.strike.release_s", ["door.NAME.strike.release_s"]),
        ("door.strike", ["door.NAME.strike"]),
        ("door.rex.pull", ["door.NAME.INPUT.pull"]),
        ("door.front.tamper.pull", ["door.NAME.INPUT.pull"]),
        ("door.front.bell.pull", []),
        ("door.back.readers.in.mode", ["door.NAME.reader.mode"]),
        ("reader", ["door.NAME.reader", "door.NAME.INPUT.reader"]),
        ("release_s", ["door.NAME.strike.release_s"]),
        ("strike.pin", ["door.NAME.strike.pin"]),
        ("pin", ["door.NAME.strike.pin", "door.NAME.INPUT.pin"]),
        ("door", ["door"]),
        ("door.front", ["door.NAME"]),
        ("schedule.night.daily", ["schedule.NAME.DAYS"]),
        ("group.staff.front", ["group.NAME.DOOR"]),
        ("site.id", ["site.id"]),
        ("nothing", []),
        ("", []),
    ],
)
def test_keys_are_found_by_what_people_write(asked: str, meant: list[str]) -> None:
    assert [key.dotted for key in keys_called(tuple(asked.split(".")))] == meant


def test_near_names_are_those_of_the_table_that_the_beginning_names() -> None:
    assert nearest_keys(("door", "front", "strke")) == [f"door.front.{name}" for name in names_in(("door", "front"))]
    assert nearest_keys(("lockout", "x")) == [f"lockout.{name}" for name in names_in(("lockout",))]
    assert "release_s" in nearest_keys(("relese_s",))


def test_a_place_outside_the_table_is_no_key() -> None:
    with pytest.raises(KeyError):
        key_at(("door", "front", "nothing"))


def test_the_manual_is_current() -> None:
    spec = importlib.util.spec_from_file_location("draw_config_manual", DOCS / "draw_config_manual.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert DOCS.joinpath("man", "doorctl.toml.5").read_text(encoding="utf-8") == module.drawn(), "run: make drawn"
