"""doorctl wire-test as an installer runs it: a process on a terminal, a mock board, hands at its wires."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from doorctl.cli.mock_line import Drive
from hal.wiegand.cards import FORMATS
from tests.cli.board import Board, OnTerminal

pytestmark = pytest.mark.system

CONFIG = """\
[site]
id = "demo-site"
timezone = "Europe/Lisbon"

[hal]
backend = "mock"

[door.front]
egress  = "mechanical"
strike  = { pin = "GPIO17", type = "fail-secure", release_s = 5 }
contact = "GPIO27"
reader  = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", mode = "card" }
"""
LENGTH, RAW = FORMATS["H10301"].encode({"facility": 12, "card": 3456})
BITS = f"{RAW:0{LENGTH}b}"
SWAPPED = BITS.translate(str.maketrans("01", "10"))
HOLD = "hold a card to the reader at front …"


@pytest.fixture
def door(board: Board) -> Board:
    board.paths.config.write_text(CONFIG)
    return board


@contextmanager
def hands(board: Board) -> Iterator[Drive]:
    drive = Drive(board.paths.mock_socket)
    try:
        yield drive
    finally:
        drive.close()


def outputs(drive: Drive) -> list[Any]:
    return [level for _, pin, level, _ in drive.do("history")["outputs"] if pin == "GPIO17"]


def test_a_card_with_swapped_lines_is_named(door: Board) -> None:
    with OnTerminal(door, "wire-test", "front", errors_too=True) as test:
        test.wait_for("ENTER goes on")
        with hands(door) as drive:
            drive.do("input", pin="GPIO27", level=False)
            drive.do("input", pin="GPIO27", level=True)
            test.type("\n")
            test.wait_for("release the strike at front for 1 s? [y/N] ")
            assert outputs(drive) == [0]
            test.type("y\n")
            test.wait_for(HOLD)
            assert outputs(drive) == [0, 1, 0]
            drive.do("card", reader="front", bits=SWAPPED)
            test.wait_for("once more at front? [y/N] ")
            test.type("y\n")
            test.seen = ""
            test.wait_for(HOLD)
            drive.do("card", reader="front", bits=SWAPPED)
            test.wait_for("once more at front? [y/N] ")
            test.type("n\n")
        ran = test.ended()
    assert ran.code == 1
    assert "D0 and D1 are likely swapped" in ran.out
    assert "strike at front: released and secured again" in ran.out
    assert "contact: closed" in ran.out
    assert "the card says" not in test.seen
