"""Drawn codes: one length, a check digit, none twice, none that is taken, at any number of people."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.errors import OperatorError
from doorctl.seal.codes import LONGEST, SHORTEST, chance_of_guess, code_space, draw_code
from doorctl.seal.damm import valid
from doorctl.seal.meaning import CODE_SLOTS, Meaning, draw_codes

LENGTHS = st.integers(SHORTEST, LONGEST)


@given(LENGTHS, st.integers(1, CODE_SLOTS), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_codes_of_many_people_stay_apart_by_two_keys(length: int, per_holder: int, holders: int) -> None:
    live: set[str] = set()
    for _ in range(holders):
        codes = draw_codes(length, per_holder, live.__contains__)
        assert [code.meaning is Meaning.NORMAL for code in codes] == [True] + [False] * (per_holder - 1)
        drawn = {code.code for code in codes}
        assert not drawn & live
        live |= drawn
    assert len(live) == holders * per_holder
    for code in live:
        assert len(code) == length
        assert valid(code)
        slips = {
            code[:place] + key + code[place + 1 :] for place in range(length) for key in "0123456789"
        } | {
            code[:place] + code[place + 1] + code[place] + code[place + 2 :] for place in range(length - 1)
        }  # fmt: skip
        assert slips & live == {code}


@given(LENGTHS)
def test_a_full_space_always_ends_in_a_message(length: int) -> None:
    with pytest.raises(OperatorError, match=r"codes\.length") as caught:
        draw_code(length, taken=lambda _: True)
    assert caught.value.hint is not None


@given(st.integers(0, 10**13), LENGTHS)
def test_the_chance_of_a_guess_is_a_chance(live: int, length: int) -> None:
    chance = chance_of_guess(live, length)
    assert 0.0 <= chance <= 1.0
    assert chance_of_guess(live + 1, length) >= chance
    if live <= code_space(length):
        assert chance == live / 10 ** (length - 1)
