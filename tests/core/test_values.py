"""What holds for the core's words as a whole: equal to hal's and wire's where they must be, silent about codes."""

import ast
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import hal.events
import hal.ports
from doorctl.core import decision, door, door_tables, effects, events, inputs, lockout, schedule, types
from doorctl.core.effects import Code, Happening, Light, Request, Submit
from doorctl.core.entry import Entry
from doorctl.core.events import CardRead, Key, KeyRead
from doorctl.core.keypad import Keypad
from doorctl.core.lockout import Counter, card_key
from doorctl.core.types import SECOND, Card, Duration, Mode, Monotonic
from doorctl.wire.detail import DoorHappening

CARD = Card(length=26, raw=40123457)
AT = Monotonic(7)


def test_lights_are_hals_lights() -> None:
    assert {light.name: light.value for light in Light} == {light.name: light.value for light in hal.ports.Light}


def test_keys_are_hals_keys() -> None:
    assert {key.name: key.value for key in Key} == {key.name: key.value for key in hal.events.Key}


def test_happenings_are_the_records_happenings() -> None:
    assert [happening.name for happening in Happening] == [happening.name for happening in DoorHappening]


@pytest.mark.parametrize(
    "value",
    [
        CARD,
        CardRead(card=CARD, at=AT),
        Request(card=CARD, code=Code("482078"), at=AT),
        Submit(request=Request(card=CARD, code=Code("482078"), at=AT)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_repr_has_a_card_number_or_a_code(value: object) -> None:
    assert "40123457" not in repr(value)
    assert "482078" not in repr(value)


def test_a_keys_repr_does_not_say_which() -> None:
    assert {repr(KeyRead(key=key, at=AT)) for key in Key} == {"KeyRead(at=7)"}


def test_a_counters_repr_does_not_say_whose() -> None:
    assert repr(Counter(key=card_key(b"id"), wrong=1, remaining=Duration(0))) == "Counter(wrong=1, remaining=0)"


def test_machines_do_not_show_what_was_typed() -> None:
    keypad = Keypad(length=6)
    entry = Entry(code_length=6, code_window=Duration(10 * SECOND))
    entry.receive(CardRead(card=CARD, at=AT), Mode.CARD_AND_CODE)
    for digit in "48207":
        keypad.press(Key(digit), AT)
        entry.receive(KeyRead(key=Key(digit), at=AT), Mode.CARD_AND_CODE)
    assert repr(keypad) == "<Keypad begun=True>"
    assert repr(entry) == "<Entry begun=True>"


CORE = Path(types.__file__).parent
ALLOWED = {"collections", "dataclasses", "datetime", "enum", "typing", "doorctl"}


@pytest.mark.parametrize("path", sorted(CORE.glob("*.py")), ids=lambda path: path.name)
def test_core_imports_nothing_that_could_have_a_clock_or_a_file(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or ".")
    assert {name.partition(".")[0] for name in imported} <= ALLOWED
    assert all(name.startswith("doorctl.core.") for name in imported if name.startswith("doorctl"))


@pytest.mark.parametrize(
    "module",
    [decision, door, door_tables, effects, events, inputs, lockout, schedule, types],
    ids=lambda module: module.__name__,
)
def test_values_are_frozen_slotted_and_keyword_only(module: object) -> None:
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    values = [value for value in public.values() if isinstance(value, type) and is_dataclass(value)]
    assert values
    for value in values:
        parameters = vars(value)["__dataclass_params__"]
        assert parameters.frozen, value
        assert "__slots__" in vars(value), value
        assert all(field.kw_only for field in fields(value)), value
