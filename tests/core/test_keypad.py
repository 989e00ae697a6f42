import pytest

from doorctl.core.effects import Code
from doorctl.core.events import Key
from doorctl.core.keypad import KEY_GAP, Keypad
from doorctl.core.types import SECOND, Duration, Monotonic


def typed(keypad: Keypad, keys: str, *, start: int = 0, step: int = SECOND) -> list[Code | None]:
    names = {"#": Key.ENTER, "*": Key.ESC}
    return [
        keypad.press(names.get(character) or Key(character), Monotonic(start + n * step))
        for n, character in enumerate(keys)
    ]


@pytest.mark.parametrize(
    ("keys", "finished"),
    [
        ("1234", [None, None, None, "1234"]),
        ("0000", [None, None, None, "0000"]),
        ("12#", [None, None, "12"]),
        ("1234#", [None, None, None, "1234", None]),
        ("#", [None]),
        ("*", [None]),
        ("12*#", [None, None, None, None]),
        ("12*3456", [None, None, None, None, None, None, "3456"]),
        ("12345678", [None, None, None, "1234", None, None, None, "5678"]),
    ],
)
def test_keys_become_codes(keys: str, finished: list[str | None]) -> None:
    assert typed(Keypad(length=4), keys) == finished


def test_a_code_of_one_digit_is_finished_at_once() -> None:
    assert Keypad(length=1).press(Key.DIGIT_7, Monotonic(0)) == "7"


def test_the_deadline_follows_the_last_digit() -> None:
    keypad = Keypad(length=4)
    assert keypad.next_deadline() is None
    typed(keypad, "12", start=10 * SECOND)
    assert keypad.next_deadline() == 11 * SECOND + KEY_GAP


def test_the_gap_gives_up_at_its_last_nanosecond_and_not_before() -> None:
    keypad = Keypad(length=4)
    typed(keypad, "12", step=0)
    assert (keypad.on_deadline(Monotonic(KEY_GAP - 1)), keypad.begun) == (False, True)
    assert (keypad.on_deadline(Monotonic(KEY_GAP)), keypad.begun) == (True, False)
    assert keypad.on_deadline(Monotonic(KEY_GAP)) is False


@pytest.mark.parametrize(("late", "finished"), [(KEY_GAP - 1, "1234"), (KEY_GAP, None)])
def test_a_late_key_begins_anew_even_if_nobody_asked_for_the_deadline(late: int, finished: str | None) -> None:
    keypad = Keypad(length=4)
    typed(keypad, "123", step=0)
    assert keypad.press(Key.DIGIT_4, Monotonic(late)) == finished


def test_enter_after_the_gap_submits_nothing() -> None:
    keypad = Keypad(length=4)
    typed(keypad, "123", step=0)
    assert keypad.press(Key.ENTER, Monotonic(KEY_GAP)) is None


@pytest.mark.parametrize(("length", "gap"), [(0, 1), (4, 0), (4, -1)])
def test_senseless_settings_are_refused(length: int, gap: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Keypad(length=length, gap=Duration(gap))
