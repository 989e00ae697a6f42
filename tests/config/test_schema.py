"""The schema for editors, judged by somebody else's validator: it takes every right file and refuses what it can know."""

import re
from pathlib import Path
from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from doorctl.cli.init_template import BOARD, MOCK
from doorctl.config import schedule_reading
from doorctl.config.effective import as_json, effective, toml_of
from doorctl.config.schema import DIALECT, schema
from tests.config.cases import CASES
from tests.config.making import VALID, mistakes, read
from tests.config.test_any_mutation import EXAMPLES, ODD, parses
from tests.config.test_reading import OF_THE_DESIGN

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.joinpath("docs").rglob("*.md"))]
BLOCKS = [
    block for page in PAGES for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
]
ANY_FILE = Draft202012Validator(schema())
THIS_FILE = Draft202012Validator(schema(doors=["front", "back"], schedules=["office"]))
NOT_KNOWN = {
    "holiday as text": "JSON has no dates: an editor sees a text in both",
    "not a number": "JSON has no nan",
    "pin twice": "a schema looks at one place at a time",
    "pin twice over two doors": "a schema looks at one place at a time",
    "one address twice": "a schema looks at one place at a time",
    "two speeds on a line": "a schema looks at one place at a time",
    "an input of no reader on a line": "a schema looks at one place at a time",
    "an input of a reader that has wires": "a schema looks at one place at a time",
    "an input of another door's reader": "a schema looks at one place at a time",
    "a side misspelt": "a schema looks at one place at a time",
    "which of two readers": "a schema looks at one place at a time",
    "one input twice": "a schema looks at one place at a time",
    "interlock with itself": "a schema does not know the name of the table that it is in",
    "longest pause before the first": "a schema compares no two numbers",
}
ONLY_WITH_NAMES = {
    "interlock with nobody", "unlock", "modes of no schedule", "group of a door that is not", "a door that there is not",
    "group with a schedule that is not",
}  # fmt: skip


def tree(text: str) -> Any:
    return as_json(tomli.loads(text))


def test_it_is_a_schema() -> None:
    drawn = schema()
    assert drawn["$schema"] == DIALECT == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(drawn)


def test_there_are_blocks_in_the_documents() -> None:
    assert BLOCKS


RIGHT = [VALID, OF_THE_DESIGN, BOARD, MOCK, *EXAMPLES, *BLOCKS]


@pytest.mark.parametrize("text", RIGHT, ids=range(len(RIGHT)))
def test_what_is_right_is_accepted_also_with_every_default_written_out(text: str) -> None:
    config = read(text)
    written_out = toml_of(effective(config), tomli.loads(text))
    assert read(written_out) == config
    names = Draft202012Validator(
        schema(doors=[d.name for d in config.doors], schedules=[s.name for s in config.schedules])
    )
    for validator in (ANY_FILE, names):
        assert [error.message for error in validator.iter_errors(tree(text))] == []
        assert [error.message for error in validator.iter_errors(tree(written_out))] == []


def test_the_schema_knows_all_mistakes_but_these() -> None:
    texts = {name: tree(VALID.replace(case.before, case.after)) for name, case in CASES.items()}
    accepted = {name for name, text in texts.items() if ANY_FILE.is_valid(text)}
    assert accepted == NOT_KNOWN.keys() | ONLY_WITH_NAMES
    assert {name for name, text in texts.items() if THIS_FILE.is_valid(text)} == set(NOT_KNOWN)


FIFTEEN = tree((ROOT / "tests" / "config" / "mistaken.toml").read_text())


def refused(validator: Draft202012Validator) -> set[str]:
    """Where a validator points, and the names that it does not want there."""
    found = set()
    for error in validator.iter_errors(FIFTEEN):
        place = [str(part) for part in error.absolute_path]
        if "propertyNames" in error.absolute_schema_path:
            found.add(".".join([*place, str(error.instance)]))
        elif error.validator == "additionalProperties":
            found |= {".".join([*place, name]) for name in re.findall(r"'([^']+)'", error.message)}
        else:
            found.add(".".join(part for part in place if not part.isdigit()))
    return found


def test_the_fifteen_mistakes() -> None:
    """Names of doors and schedules too, once it was told which there are."""
    known = {
        "site.id", "site.timezone", "monitor.supervision_s", "door.front.egres", "door.front.egress",
        "door.front.strike.type", "door.front.strike.release_s", "door.front.contact", "door.front.readers.in.mode", "door.front.readers.in.format",
        "schedule.office.mon-fri", "grup",
    }  # fmt: skip
    names = {"door.front.interlock", "group.staff.frnt", "group.staff.front"}
    with_names = Draft202012Validator(schema(doors=["front"], schedules=["office"]))
    assert known <= refused(ANY_FILE)
    assert not (names & refused(ANY_FILE))
    assert known | names <= refused(with_names)
    assert len(known | names) == 15


@pytest.mark.parametrize(
    ("before", "after", "accepted"),
    [
        ('mode = "card+code"', 'mode = "card", modes = { office = "card" }', True),
        ('keypad = "8-bit", mode = "card+code"', 'mode = "card", modes = { office = "card" }', True),
        ('keypad = "8-bit", mode = "card+code"', 'mode = "card", modes = { office = "code" }', False),
        ('format = "H10301", ', "", False),
        ('format = "H10301", keypad = "8-bit", mode = "card+code"', 'keypad = "8-bit", mode = "code"', True),
        ('rex     = "GPIO22"', "pre_alarm_s = 29.5", True),
        ('rex     = "GPIO22"', "pre_alarm_s = 30", False),
        ('rex     = "GPIO22"', "pre_alarm_s = 30\nheld_open_s = 31", True),
        ('["GPIO4", "GPIO5"]', '["GPIO4", "GPIO4"]', False),
        ('mon-fri = "07:00-19:00"', 'sat-mon = ["7:00 - 9:00", "9:09-09:10"]', True),
        ('mon-fri = "07:00-19:00"', "daily = []", True),
        ('mon-fri = "07:00-19:00"', 'daily = ["08:59-08:58"]', False),
    ],
)
def test_conditions_are_those_of_check(before: str, after: str, accepted: bool) -> None:
    assert VALID.count(before) == 1
    text = VALID.replace(before, after)
    assert (mistakes(text) == []) is accepted
    assert ANY_FILE.is_valid(tree(text)) is accepted


@pytest.mark.parametrize(
    ("codes", "accepted"), [("", True), ("[codes]\nlength = 6\n", True), ("[codes]\nlength = 8\n", False)]
)
@pytest.mark.parametrize("side", ["reader", "readers.in"])
def test_a_keypad_of_six_digits_anywhere(side: str, codes: str, accepted: bool) -> None:
    reader = '[door.front.reader]\nwiegand = ["GPIO14", "GPIO15"]\nkeypad = "26-bit-bcd"\nmode = "code"\n'
    text = re.sub(r"reader  = .*\n", reader.replace("reader]", f"{side}]"), VALID) + codes
    assert (mistakes(text) == []) is accepted
    assert ANY_FILE.is_valid(tree(text)) is accepted


HOURS = re.compile(schema()["$defs"]["hours"]["pattern"])


@given(st.integers(0, 25), st.integers(0, 61), st.integers(0, 25), st.integers(0, 61), st.booleans())
@settings(max_examples=500, deadline=None)
def test_hours_are_those_of_check(h1: int, m1: int, h2: int, m2: int, short: bool) -> None:
    text = f"{h1 if short else f'{h1:02}'}:{m1:02}-{h2:02}:{m2:02}"
    assert (HOURS.search(text) is None) is (schedule_reading._window(text) is None)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_what_check_accepts_the_schema_accepts(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(EXAMPLES)).split("\n")
    numbers = [number for number, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    for number in data.draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=3)):
        key = lines[number].partition("=")[0]
        edits = [f"{key}= {value}" for value in ODD[:24] if parses(f"{key}= {value}")]
        lines[number] = data.draw(st.sampled_from([*edits, ""]))
    text = "\n".join(lines)
    assert mistakes(text) or ANY_FILE.is_valid(tree(text))
