"""Each kind of mistake names file, line, key, expected, found and hint, in a table."""

import pytest

from doorctl.config.section import Mistake
from tests.config.cases import CASES, READER, STRIKE, Case
from tests.config.making import VALID, cut, mistakes, read, spoilt


def test_the_configuration_without_mistakes_is_read() -> None:
    assert mistakes(VALID) == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_mistake_says_everything(case: Case) -> None:
    found = spoilt(case.before, case.after)
    assert found == Mistake(
        file="doorctl.toml", line=case.line, key=case.key, expected=case.expected, found=case.found, hint=case.hint,
        span=found.span,
    )  # fmt: skip
    assert found.span is not None
    assert (found.span.line, cut(VALID.replace(case.before, case.after), found.span)) == (case.line, case.points)


def test_a_schedule_may_not_be_called_always() -> None:
    text = VALID.replace("[schedule.office]", "[schedule.always]").replace('front = "office"', 'front = "always"')
    (mistake,) = mistakes(text)
    assert (mistake.line, mistake.key, mistake.found) == (24, "schedule.always", '"always"')
    assert mistake.hint == "groups say always for no schedule"


def test_the_rest_of_the_file_is_held_against_a_name_as_it_should_be() -> None:
    """Who follows every hint is done: a name refused above is suggested nowhere below."""
    spoilt = VALID.replace("[door.back", "[door.Back").replace("[schedule.office]", "[schedule.Office]")
    spoilt = spoilt.replace('contact = "GPIO27"', 'interlock = ["Back"]\nunlock = "Office"')
    assert [(mistake.line, mistake.found, mistake.hint) for mistake in mistakes(spoilt)] == [
        (12, '"Back"', 'did you mean "back"?'),
        (13, '"Office"', 'did you mean "office"?'),
        (17, '"Back"', 'try "back"'),
        (25, '"Office"', 'try "office"'),
    ]


def test_a_group_of_a_file_without_doors_is_shown_none() -> None:
    (_, unknown) = mistakes('[site]\nid = "a"\ntimezone = "UTC"\n[group.staff]\nfront = "always"\n')
    assert unknown.hint == "there is no [door.NAME] table in this file"


def test_a_code_keypad_of_six_digits_makes_codes_of_six() -> None:
    text = VALID.replace(
        'format = "H10301", keypad = "8-bit", mode = "card+code"', 'keypad = "26-bit-bcd", mode = "code"'
    )
    assert read(text).codes.length == 6
    (mistake,) = mistakes(text + "[codes]\nlength = 8\n")
    assert (mistake.key, mistake.expected) == ("codes.length", "6, which is what a 26-bit-bcd keypad sends, always")


def test_an_empty_file_lacks_a_site_and_a_door() -> None:
    assert [(mistake.key, mistake.expected) for mistake in mistakes("")] == [
        ("site", "a table"),
        ("door", "at least one [door.NAME] table"),
    ]


def test_a_missing_table_brings_no_mistakes_of_its_contents() -> None:
    text = VALID.replace(STRIKE + "\n", "").replace(READER + "\n", "")
    assert [mistake.key for mistake in mistakes(text)] == ["door.front.reader", "door.front.strike"]


def test_readers_may_not_be_empty() -> None:
    (mistake,) = mistakes(VALID.replace(READER, "readers = {}"))
    assert (mistake.line, mistake.key, mistake.expected) == (14, "door.front.readers", "at least one reader")


def test_what_a_terminal_would_obey_is_written_out() -> None:
    found = spoilt('"Europe/Lisbon"', '"\\u001b[2J\\u0007\\u202e"')
    assert found.found == '"\\u001b[2J\\u0007\\u202e"'


def test_long_values_are_cut() -> None:
    found = spoilt('"Europe/Lisbon"', f'"{"x" * 500}"')
    assert found.found == f'"{"x" * 39}…"'


def test_a_number_without_end_is_a_mistake_like_others() -> None:
    found = spoilt("release_s = 5", f"release_s = 0x{'f' * 5000}")
    assert (found.line, found.key, found.found) == (11, "door.front.strike.release_s", "a very long number")
