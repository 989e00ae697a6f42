from dataclasses import replace
from datetime import date

import pytest

from doorctl.core.types import HolderId
from doorctl.errors import InternalError, MalformedError, OperatorError
from doorctl.seal.codes import MOST_DRAWS, chance_of_guess, draw_code
from doorctl.seal.damm import valid
from doorctl.seal.meaning import (
    ROWS_PER_HOLDER,
    Code,
    CodeLookups,
    Meaning,
    TokenPlain,
    draw_codes,
    fit_label,
    holder_number,
    seal_rows,
)
from doorctl.seal.opening import open_token
from doorctl.seal.sealing import row_tag
from doorctl.wire.record import RowTag
from tests.seal.sample import MONITOR, PUBLIC, stretch

ANA = HolderId("ana-lopez")
PLAIN = TokenPlain(
    holder=holder_number(ANA),
    label="Ana López",
    meaning=Meaning.DURESS,
    issued=date(2026, 7, 1),
    row_tag=RowTag(stretch("tag", 16)),
)


def rows_of(card: bytes | None, codes: list[CodeLookups]) -> dict[bytes, TokenPlain]:
    rows = seal_rows(holder=ANA, label="Ana López", issued=date(2026, 7, 1), card=card, codes=codes, monitor=PUBLIC)
    opened = {lookup: open_token(token, (MONITOR.token,)) for lookup, token in rows}
    assert len(rows) == len(opened) == ROWS_PER_HOLDER == 7
    return {lookup: TokenPlain.parse(plain) for lookup, plain in opened.items() if plain is not None}


def test_a_token_comes_back_from_96_bytes() -> None:
    encoded = PLAIN.encode()
    assert len(encoded) == 96
    assert TokenPlain.parse(encoded) == PLAIN


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, 0),
        (0, 2),
        (1, 0),
        (1, 4),
        (2, 41),
        (2, 5),
        (3, 1),
        (4, 0xFF),
        (40, 0),
        (41, 0xFF),
        (79, 1),
        (80, 1),
        (95, 1),
    ],
)
def test_every_byte_of_a_token_is_as_it_must_be(place: int, value: int) -> None:
    damaged = bytearray(PLAIN.encode())
    damaged[place] = value
    with pytest.raises(MalformedError, match="token"):
        TokenPlain.parse(bytes(damaged))


@pytest.mark.parametrize("size", [0, 95, 97])
def test_a_token_of_another_size_is_malformed(size: int) -> None:
    with pytest.raises(MalformedError):
        TokenPlain.parse(bytes(size))


@pytest.mark.parametrize(
    "wrong",
    [
        {"holder": b"short"},
        {"row_tag": RowTag(bytes(15))},
        {"label": "x" * 41},
        {"label": "a\0b"},
        {"label": "a\x1b[2J"},
        {"label": "a\u202eb"},
        {"issued": date(1969, 12, 31)},
    ],
)
def test_encoding_what_does_not_fit_is_our_own_fault(wrong: dict[str, object]) -> None:
    with pytest.raises(InternalError, match="token"):
        replace(PLAIN, **wrong).encode()  # type: ignore[arg-type]  # one wrong field at a time


@pytest.mark.parametrize("label", ["\x1b[2", "a\n b", "\u202eb", "a\0bc"])
def test_a_label_from_a_board_cannot_command_a_terminal(label: str) -> None:
    size = len(label.encode())
    encoded = bytearray(TokenPlain(
        holder=bytes(16), label="x" * size, meaning=Meaning.DURESS, issued=date(2026, 7, 1), row_tag=RowTag(bytes(16))
    ).encode())  # fmt: skip
    encoded[40 : 40 + size] = label.encode()
    with pytest.raises(MalformedError, match="control characters"):
        TokenPlain.parse(bytes(encoded))


def test_a_label_is_cut_between_characters() -> None:
    assert fit_label("Ana López") == "Ana López"
    assert fit_label("x" * 50) == "x" * 40
    assert fit_label("x" * 39 + "é") == "x" * 39
    assert fit_label("€" * 20) == "€" * 13
    assert fit_label("a\x1b[31m\nb\0") == "a[31mb"


def test_nothing_shows_a_code_or_a_meaning_by_accident() -> None:
    code = Code(code="482078", meaning=Meaning.DURESS)
    lookups = CodeLookups(meaning=Meaning.DURESS, alone=None, with_card=None)
    shown = f"{code!r} {lookups!r} {PLAIN!r}"
    assert "482078" not in shown
    assert "DURESS" not in shown
    assert "meaning" not in shown


@pytest.mark.parametrize("per_holder", [1, 2, 3])
def test_a_set_is_one_everyday_code_and_the_rest_for_duress(per_holder: int) -> None:
    codes = draw_codes(6, per_holder, lambda _: False)
    assert [code.meaning for code in codes] == [Meaning.NORMAL, Meaning.DURESS, Meaning.DURESS][:per_holder]
    assert len({code.code for code in codes}) == per_holder
    assert all(len(code.code) == 6 and valid(code.code) for code in codes)


@pytest.mark.parametrize("per_holder", [0, 4])
def test_a_policy_beyond_the_slots_is_refused(per_holder: int) -> None:
    with pytest.raises(OperatorError, match=f"codes.per_holder: expected 1 to 3, found {per_holder}"):
        draw_codes(6, per_holder, lambda _: False)


def test_a_set_never_has_one_code_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter([123, 123, 123, 456, 456, 123, 789])
    monkeypatch.setattr("doorctl.seal.codes.secrets.randbelow", lambda _: next(numbers))
    assert [code.code[:-1] for code in draw_codes(4, 3, lambda _: False)] == ["123", "456", "789"]


def test_a_taken_code_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter([1, 2, 3])
    monkeypatch.setattr("doorctl.seal.codes.secrets.randbelow", lambda _: next(numbers))
    asked: list[str] = []

    def taken(code: str) -> bool:
        asked.append(code)
        return len(asked) < 3

    assert draw_code(6, taken=taken)[:-1] == "00003"
    assert [code[:-1] for code in asked] == ["00001", "00002", "00003"]


def test_a_full_space_is_said_so_after_a_bounded_number_of_draws() -> None:
    asked: list[str] = []

    def taken(code: str) -> bool:
        asked.append(code)
        return True

    with pytest.raises(OperatorError, match=r"codes\.length") as caught:
        draw_codes(6, 2, taken)
    assert len(asked) == MOST_DRAWS
    assert caught.value.hint is not None
    assert not any(code in f"{caught.value} {caught.value.hint}" for code in asked)


@pytest.mark.parametrize("length", [3, 13])
def test_a_length_nobody_can_use_is_refused(length: int) -> None:
    with pytest.raises(OperatorError, match=f"codes.length: expected 4 to 12 digits, found {length}"):
        draw_code(length, taken=lambda _: False)


def test_draws_cover_the_whole_space() -> None:
    drawn = {draw_code(4, taken=lambda _: False) for _ in range(12_000)}
    # each of 1,000 codes is missed with (1 - 1/1000)^12000 = 6e-6
    assert len(drawn) > 990


def test_the_chance_of_a_guess_takes_the_check_digit_for_known() -> None:
    assert chance_of_guess(0, 8) == 0.0
    assert chance_of_guess(200, 8) == 200 / 10**7
    assert chance_of_guess(100, 6) == 100 / 10**5
    assert chance_of_guess(5_000, 4) == 1.0


def test_rows_say_what_they_mean_only_to_the_monitor() -> None:
    codes = [
        CodeLookups(meaning=Meaning.NORMAL, alone=b"1" * 32, with_card=b"2" * 32),
        CodeLookups(meaning=Meaning.DURESS, alone=b"3" * 32, with_card=b"4" * 32),
    ]
    rows = rows_of(b"0" * 32, codes)
    assert {lookup[:1]: plain.meaning for lookup, plain in rows.items() if len(set(lookup)) == 1} == {
        b"0": Meaning.NORMAL,
        b"1": Meaning.NORMAL,
        b"2": Meaning.NORMAL,
        b"3": Meaning.DURESS,
        b"4": Meaning.DURESS,
    }
    assert sum(plain.meaning is Meaning.DECOY for plain in rows.values()) == 2
    for lookup, plain in rows.items():
        assert plain == replace(PLAIN, meaning=plain.meaning, row_tag=row_tag(lookup))


def test_everyone_has_seven_rows_whatever_they_carry() -> None:
    nothing = rows_of(None, [])
    assert [plain.meaning for plain in nothing.values()] == [Meaning.DECOY] * 7
    one = rows_of(None, [CodeLookups(meaning=Meaning.NORMAL, alone=b"1" * 32, with_card=None)])
    assert sorted(plain.meaning for plain in one.values()) == [Meaning.NORMAL] + [Meaning.DECOY] * 6


def test_a_code_that_is_for_nothing_here_becomes_a_decoy() -> None:
    rows = rows_of(None, [CodeLookups(meaning=Meaning.DURESS, alone=None, with_card=None)])
    assert {plain.meaning for plain in rows.values()} == {Meaning.DECOY}


def test_more_codes_than_slots_is_our_own_fault() -> None:
    with pytest.raises(InternalError):
        rows_of(None, [CodeLookups(meaning=Meaning.NORMAL, alone=None, with_card=None)] * 4)


def test_the_order_of_rows_says_nothing() -> None:
    codes = [CodeLookups(meaning=Meaning.NORMAL, alone=b"1" * 32, with_card=None)]
    places = set()
    for _ in range(80):
        rows = seal_rows(holder=ANA, label="", issued=date(2026, 7, 1), card=None, codes=codes, monitor=PUBLIC)
        places.add([lookup for lookup, _ in rows].index(b"1" * 32))
    assert places == set(range(7))  # one place is missed in 80 tries with 7 · (6/7)^80 = 3e-5


def test_every_token_has_one_size_whatever_it_says() -> None:
    for label in ("", "x" * 100, "€" * 100):
        rows = seal_rows(holder=ANA, label=label, issued=date(2026, 7, 1), card=b"0" * 32, codes=[], monitor=PUBLIC)
        assert {(len(lookup), len(token)) for lookup, token in rows} == {(32, 144)}


def test_holders_have_different_numbers() -> None:
    assert holder_number(ANA) != holder_number(HolderId("ana-lopes"))
    assert len(holder_number(ANA)) == 16
