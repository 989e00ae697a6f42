"""What only the board knows: opening, claims, closing. Its ports' behaviour: tests/conformance."""

from contextlib import closing

import pytest

from hal.board import Board, open_board
from hal.errors import ConfigurationError, DeviceGoneError
from hal.mock import LABEL
from hal.ports import StrikeType
from hal.wiegand.keys import Keypad, KeypadEncoding


def fail_secure(board: Board, pin: str) -> None:
    board.strike(pin=pin, strike_type=StrikeType.FAIL_SECURE)


def test_the_mock_opens_and_says_who_uses_what() -> None:
    board = open_board("mock")
    board.wiegand_reader(name="front", d0="GPIO14", d1="15", card_lengths=frozenset({26}), accept=lambda _, __: True)
    board.indicator(led="GPIO5", buzzer="GPIO6")
    fail_secure(board, "GPIO17")
    board.contact(name="front", pin="GPIO27")
    assert (board.label, board.users) == (
        LABEL,
        {
            "GPIO14": "reader front d0",
            "GPIO15": "reader front d1",
            "GPIO5": "indicator led",
            "GPIO6": "indicator buzzer",
            "GPIO17": "strike GPIO17",
            "GPIO27": "input front",
        },
    )
    board.close()
    assert board.users == {}


def test_a_pin_that_another_process_holds_is_a_configuration_error() -> None:
    with closing(open_board("mock")) as board:
        assert board.mock is not None
        board.mock.hold_by_another("GPIO17", held=True)
        with pytest.raises(ConfigurationError, match=r"^strike GPIO17: GPIO17 on mock chip: pin GPIO17 is already"):
            fail_secure(board, "GPIO17")
        assert board.users == {}
        board.mock.hold_by_another("GPIO17", held=False)
        fail_secure(board, "GPIO17")


def test_a_pull_against_a_soldered_resistor_is_a_configuration_error() -> None:
    with (
        closing(open_board("mock")) as board,
        pytest.raises(ConfigurationError, match=r"input front: GPIO2 on mock chip: .*fixed pull"),
    ):
        board.contact(name="front", pin="GPIO2", pull="down")


def test_an_indicator_that_gets_one_pin_only_gives_it_back() -> None:
    with closing(open_board("mock")) as board:
        assert board.mock is not None
        board.mock.hold_by_another("GPIO6", held=True)
        with pytest.raises(ConfigurationError, match=r"^buzzer: GPIO6 on mock chip"):
            board.indicator(led="GPIO5", buzzer="GPIO6")
        assert board.mock.line("GPIO5").function == "input"


def test_a_reader_that_cannot_be_is_refused_before_a_pin_is_touched() -> None:
    with closing(open_board("mock")) as board:
        assert board.mock is not None
        keypad = Keypad(encoding=KeypadEncoding.BINARY_26, enter_key="#")
        with pytest.raises(ConfigurationError, match=r"share frames of 26 bits"):
            board.wiegand_reader(
                name="front",
                d0="GPIO14",
                d1="GPIO15",
                card_lengths=frozenset({26}),
                accept=lambda _, __: True,
                keypad=keypad,
            )
        assert board.mock.pins == {}


def test_one_strike_that_fails_to_close_keeps_no_other_from_being_secured() -> None:
    board = open_board("mock")
    mock = board.mock
    assert mock is not None
    strikes = [board.strike(pin=pin, strike_type=StrikeType.FAIL_SECURE) for pin in ("GPIO17", "GPIO18")]
    for strike in strikes:
        strike.release()
    mock.line("GPIO17").faults.unwritable = True
    with pytest.raises(DeviceGoneError, match=r"^strike GPIO17 on mock chip: "):
        board.close()
    assert [change.level for change in mock.history if change.pin == "GPIO18"] == [False, True, False, None]
    assert [change.level for change in mock.history if change.pin == "GPIO17"] == [False, True, None]


def test_a_closed_board_opens_no_port() -> None:
    board = open_board("mock")
    board.close()
    with pytest.raises(ConfigurationError, match=r"^strike GPIO17: the board is closed$"):
        fail_secure(board, "GPIO17")


def test_the_environment_does_not_change_the_mock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_MOCK_REVISION", "0002")
    monkeypatch.setenv("GPIOZERO_MOCK_PIN_CLASS", "mockpwmpin")
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nonsense")
    board = open_board("mock")
    fail_secure(board, "GPIO27")  # not on the first Raspberry Pi's header
    board.close()
