"""doorctl reader scan over a pty with a reader behind it."""

import json
import os
import pty
import select
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from doorctl.cli import reader, reader_scan
from hal.osdp import scan
from hal.osdp.emulator import Emulator
from tests.cli.board import Board

WHO: Final = "vendor d00c1e, model 1 version 1, serial 1, firmware 0.1.0"


class Wall:
    """A pty whose far end has a reader."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.device = os.ttyname(slave)
        self._slave, self._ends, self._end = slave, *os.pipe()
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def close(self) -> None:
        os.write(self._end, b"x")
        self._thread.join()
        for descriptor in (self._master, self._slave, self._ends, self._end):
            os.close(descriptor)

    def _answer(self) -> None:
        on_the_wall = Emulator(5, os.urandom)
        while self._ends not in (ready := select.select([self._master, self._ends], [], [])[0]):
            if ready and (answer := on_the_wall.receive(os.read(self._master, 4096))):
                os.write(self._master, answer)


@pytest.fixture
def wall() -> Iterator[Wall]:
    made = Wall()
    yield made
    made.close()


def test_speeds_are_those_of_the_scan() -> None:
    assert reader.SPEEDS == scan.SPEEDS


def test_a_reader_is_found(
    wall: Wall, board: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_scan, "ADDRESSES", range(8))
    ran = board.run(capsys, "reader", "scan", wall.device, "--baud", "38400")
    assert (ran.code, ran.out) == (0, f"address 5 at 38400 baud: {WHO}\n")
    as_json = board.run(capsys, "reader", "--json", "scan", wall.device, "--baud", "38400")
    assert json.loads(as_json.out) == [{"address": 5, "baud": 38400, "answered": True, "serial": 1, "words": WHO}]


def test_a_port_that_is_not_there(board: Board, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ran = board.run(capsys, "reader", "scan", str(tmp_path / "ttyNone"))
    assert ran.code == 1
    assert "ttyNone: cannot be scanned: No such file or directory" in ran.err
    assert "systemctl stop doorctl" in ran.err
