"""A flaw in one line of TOML hides no other mistake, and one flaw is never told as many."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.config.mending import mended
from tests.config.making import VALID, mistakes

NOT_TOML = {
    "text without quotes": ('egress  = "mechanical"', "egress  = mechanical"),
    "a unit": ("release_s = 5 }", "release_s = 5s }"),
    "a quote that is not closed": ('contact = "GPIO27"', 'contact = "GPIO27'),
    "a capital": ('rex     = "GPIO22"', "rex     = True"),
    "no equals sign": ('rex     = "GPIO22"', 'rex "GPIO22"'),
    "no value": ('rex     = "GPIO22"', "rex ="),
    "a key twice": ('rex     = "GPIO22"', 'contact = "GPIO22"'),
    "a table twice": ("[group.staff]", "[schedule.office]"),
    "a header that is not closed": ("[door.back]", "[door.back"),
    "a list that is not closed": ('["GPIO4", "GPIO5"]', '["GPIO4", "GPIO5"'),
    "a table that is not closed": ("release_s = 5 }", "release_s = 5"),
    "words": ("[schedule.office]", "[schedule.office]\nopen in the day!"),
    "a backslash": ('"monitor.toml"', '"C:\\monitor.toml"'),
}


@pytest.mark.parametrize("name", NOT_TOML)
def test_one_flaw_is_one_mistake(name: str) -> None:
    before, after = NOT_TOML[name]
    assert VALID.count(before) == 1
    text = VALID.replace(before, after)
    found = mistakes(text)
    flaws = [mistake for mistake in found if mistake.expected == "TOML"]
    assert len(flaws) == 1
    assert flaws[0].hint
    assert text.split("\n")[flaws[0].line - 1] in after.split("\n") or after in text.split("\n")[flaws[0].line - 1]
    if name != "a table twice":  # its keys may have been the other one's
        assert found == flaws


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("release_s = 5 }", "release_s = 4,5 }"),
        ("release_s = 5 }", "release_s = 4,5}"),
        ("release_s = 5 }", 'release_s = 4,5, active = "low" }'),
        ('contact = "GPIO27"', "held_open_s = 4,5"),
        ('contact = "GPIO27"', "held_open_s = 4,5  # seconds"),
    ],
)
def test_a_fraction_with_a_comma_is_shown_with_a_point(before: str, after: str) -> None:
    (mistake,) = mistakes(VALID.replace(before, after))
    assert (mistake.expected, mistake.hint) == ("TOML", "write 4.5 with a point")


def test_a_flaw_elsewhere_in_the_line_is_no_fraction() -> None:
    (mistake,) = mistakes(VALID.replace('contact = "GPIO27"', "contact = oops  # = 4,5"))
    assert mistake.hint == 'text stands in quotes: "fail-secure"; true and false are lower case'


def test_flaws_and_mistakes_are_told_together() -> None:
    text = (
        VALID.replace('"Europe/Lisbon"', "Europe/Lisbon")
        .replace('"fail-safe"', '"failsafe"')
        .replace('rex     = "GPIO22"', 'rex     = "GPIO22')
        .replace('mode    = "card"', 'mode    = "crad"')
        .replace('mon-fri = "07:00-19:00"', "mon-fri = 07:00-19:00")
        .replace('back  = "always"', "back  = alwas")
    )
    assert [(mistake.line, mistake.key, mistake.found) for mistake in mistakes(text)] == [
        (3, "site.timezone", "invalid value (column 12)"),
        (13, "door.front.rex", "illegal character '\\n' (column 18)"),
        (18, "door.back.strike.type", '"failsafe"'),
        (22, "door.back.readers.in.mode", '"crad"'),
        (25, "schedule.office.mon-fri", "expected newline or end of document after a statement (column 16)"),
        (29, "group.staff.back", "invalid value (column 9)"),
    ]


def test_where_a_bracket_is_open_over_lines_nothing_below_is_guessed_at() -> None:
    before = '[door.back.readers.in]\nwiegand = ["GPIO4", "GPIO5"]\nformat  = "H10301"\nmode    = "card"\n'
    after = 'readers = {\n  in = { wiegand = ["GPIO4", "GPIO5"], format = "H10301", mode = "card" },\n'
    assert VALID.count(before) == 1
    (mistake,) = mistakes(VALID.replace(before, after))
    assert (mistake.line, mistake.found) == (19, "a bracket that nothing closes")


def test_a_flaw_inside_a_list_of_several_lines_takes_the_whole_list() -> None:
    text = VALID.replace("holidays = [2026-12-25]", "holidays = [\n  2026-12-25,\n  yesterday,\n]")
    (mistake,) = mistakes(text)
    assert (mistake.line, mistake.found) == (6, "invalid value (column 3)")


def test_many_flaws_end_somewhere() -> None:
    assert len(mistakes("x y\n" * 2000)) == 25


def test_lines_keep_their_numbers() -> None:
    text = "a = [\n 1,\n x,\n]\nb = 2\n"
    reading = mended(text)
    assert (reading.tree, sorted(reading.touched)) == ({"a": "\0", "b": 2}, [1, 2, 3, 4])
    assert reading.text.split("\n")[4] == "b = 2"


@given(st.text(alphabet="ab\"'=[]{},.#\n \\1", max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_has_a_flaw(text: str) -> None:
    reading = mended(text)
    assert (reading.tree is not None) or reading.flaws
    assert reading.text.count("\n") == text.count("\n")
    assert all(1 <= flaw.line <= text.count("\n") + 1 for flaw in reading.flaws)
    assert len({flaw.line for flaw in reading.flaws}) == len(reading.flaws)
