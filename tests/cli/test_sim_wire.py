"""The simulator's hands find a switch wherever it is wired, and what they say the mock board understands."""

import json
from typing import Any

import pytest

from doorctl.cli.sim_wire import moved, wire_of
from doorctl.config.types import Input, ReaderInput
from doorctl.core.types import ReaderName
from hal.board import Board, open_board
from hal.mock_commands import parse_command
from hal.mock_drive import perform
from hal.osdp.session import ReaderSettings

PIN = Input(pin="GPIO22", active_high=False, pull="up")
AT_READER = ReaderInput(reader=ReaderName("vault/out"), number=3, active_high=False)


@pytest.fixture
def board() -> Any:
    opened = open_board("mock")
    opened.osdp_reader(
        name="vault/out", device="/dev/ttyAMA0", baud=9600, settings=ReaderSettings(address=0),
        accept=lambda _length, _raw: True, on_key=lambda _key: None,
    )  # fmt: skip
    opened.contact(name="vault rex", pin="GPIO22")
    yield opened
    opened.close()


@pytest.mark.parametrize("active", [True, False])
def test_what_is_said_moves_the_switch(board: Board, active: bool) -> None:
    assert board.mock is not None
    for source in (PIN, AT_READER):
        what, more = moved(source, active=active)
        perform(board, parse_command(json.dumps({"do": what, **more}).encode()))
    assert bool(board.mock.line("GPIO22").wire) is not active
    assert list(board.made_up["vault/out"].inputs) == [0, 0, 0, int(not active), 0, 0, 0, 0]


def test_no_input_is_called_like_a_pin() -> None:
    assert (wire_of(PIN), wire_of(AT_READER)) == ("GPIO22", "vault/out input 3")
