"""The promise of the check digit, for every code of seven digits, not for a sample."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorctl.seal.damm import TABLE, check_digit, valid

DIGITS = range(10)
LENGTH = 7
SPACE = 10**LENGTH


def test_the_table_is_a_latin_square() -> None:
    for row in TABLE:
        assert sorted(row) == list(DIGITS)
    for column in zip(*TABLE, strict=True):
        assert sorted(column) == list(DIGITS)


def test_the_diagonal_is_zero_so_that_the_interim_digit_is_the_check_digit() -> None:
    assert [TABLE[digit][digit] for digit in DIGITS] == [0] * 10


def test_two_swapped_digits_never_lead_from_one_interim_digit_to_the_same() -> None:
    for x, y in combinations(DIGITS, 2):
        for interim in DIGITS:
            assert TABLE[TABLE[interim][x]][y] != TABLE[TABLE[interim][y]][x]


@pytest.fixture(scope="module")
def live() -> bytes:
    """One byte for each of the 10,000,000 key sequences of seven digits: 1 where it is a valid code.

    Built by walking TABLE from each interim digit to its ten next ones, all sequences at once.
    """
    rows = [bytes(row) for row in TABLE]
    interim = b"\0"
    for _ in range(LENGTH):
        interim = b"".join(map(rows.__getitem__, interim))
    return interim.translate(bytes([1]) + bytes(255))


def with_digit(codes: bytes, place: int, digit: int) -> bytes:
    """The part of `codes` whose digit at `place` (0 is the last) is `digit`, in order of the other digits."""
    step = 10**place
    if place == 0:
        return codes[digit::10]
    return b"".join(codes[start : start + step] for start in range(digit * step, len(codes), 10 * step))


def both(first: bytes, second: bytes) -> int:
    """Where both are valid, as a number: 0 where nowhere."""
    return int.from_bytes(first) & int.from_bytes(second)


def test_one_code_in_ten_is_valid(live: bytes) -> None:
    assert len(live) == SPACE
    assert live.count(1) == 10**6


def test_the_table_of_all_codes_agrees_with_valid(live: bytes) -> None:
    sample = [*range(20_000), *range(0, SPACE, 997)]
    assert [bool(live[number]) for number in sample] == [valid(f"{number:07}") for number in sample]


@pytest.mark.parametrize("place", range(LENGTH))
def test_no_wrong_key_makes_another_valid_code(live: bytes, place: int) -> None:
    parts = [with_digit(live, place, digit) for digit in DIGITS]
    assert sum(part.count(1) for part in parts) == 10**6
    for first, second in combinations(parts, 2):
        assert both(first, second) == 0


@pytest.mark.parametrize("place", range(LENGTH - 1))
def test_no_swap_of_neighbours_makes_another_valid_code(live: bytes, place: int) -> None:
    # taking out `place + 1` first leaves the digit to its right at `place`
    pairs = {
        (left, right): with_digit(part, place, right)
        for left in DIGITS
        for part in [with_digit(live, place + 1, left)]
        for right in DIGITS
    }
    assert sum(pair.count(1) for pair in pairs.values()) == 10**6
    for left, right in combinations(DIGITS, 2):
        assert both(pairs[left, right], pairs[right, left]) == 0


def test_the_exhaustive_check_can_fail() -> None:
    two_neighbours = bytearray(100)
    two_neighbours[12] = two_neighbours[21] = 1
    codes = bytes(two_neighbours)
    swapped = (with_digit(with_digit(codes, 1, 1), 0, 2), with_digit(with_digit(codes, 1, 2), 0, 1))
    assert both(*swapped) != 0
    codes = codes[:13] + b"\1" + codes[14:]
    assert both(with_digit(codes, 0, 2), with_digit(codes, 0, 3)) != 0


@pytest.mark.parametrize(
    ("digits", "expected"), [("572", "4"), ("", "0"), ("0", "0"), ("1", "3"), ("43881234567", "9")]
)
def test_known_check_digits(digits: str, expected: str) -> None:
    assert check_digit(digits) == expected
    assert valid(digits + expected)


@given(st.text(alphabet="0123456789", min_size=1, max_size=12), st.data())
def test_the_promise_at_any_length(digits: str, data: st.DataObject) -> None:
    code = digits + check_digit(digits)
    assert valid(code)
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != code[place]]))
    assert not valid(code[:place] + other + code[place + 1 :])
    place = data.draw(st.integers(0, len(code) - 2))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert valid(swapped) is (swapped == code)


@pytest.mark.parametrize("text", ["12a4", " 123", "١٢٣", "-12", "1²"])
def test_only_decimal_digits_have_a_check_digit(text: str) -> None:
    with pytest.raises(ValueError, match="not decimal digits"):
        check_digit(text)
    assert not valid(text)
