"""Hours on the line in virtual time: memory is at the end what it was at the beginning."""

import gc
import random
import sys

import pytest

from hal.events import Monotonic
from hal.osdp.commands import Blink, CardData, Color, Command, led
from hal.osdp.happenings import Heard
from tests.hal.osdp.line import SECOND, Line
from tests.hal.osdp.test_cp import line_of

MINUTE = 60 * SECOND
GROWTH = 3_000
"""Blocks of memory that differ from one moment to another; a leak of one an exchange would be 18,000 in ten minutes."""


def minutes(line: Line, drawn: random.Random, count: int) -> int:
    """A card, an order, a power cut and an outage now and then; how many cards were heard."""
    heard = 0
    for minute in range(count):
        for second in range(60):
            line.readers[drawn.randrange(8)].card(26, drawn.randrange(1 << 26))
            line.cp.order(drawn.randrange(8), Command.LED, led(lasting=Blink(on=Color.RED)), Monotonic(line.now))
            line.cut = minute % 7 == 3 and second < 12
            if second == 30 and not line.cut:
                line.readers[drawn.randrange(8)].power_cycle()
            line.run_for(SECOND)
        heard += sum(isinstance(one, Heard) and isinstance(one.what, CardData) for _, _, one in line.told)
        line.told.clear()
        line.bursts.clear()
        for reader in line.readers:
            reader.shown.clear()  # the made-up reader's own memory, which is bounded, and fills for nine hours
    return heard


def grown_over(count: int) -> int:
    def noisy(burst: bytes, _to: str, _now: int) -> bytes:
        return bytes(byte ^ 1 if drawn.random() < 1e-4 else byte for byte in burst)

    drawn = random.Random(2)
    line = line_of(8, wire=noisy)
    minutes(line, drawn, 4)  # every deque that has an end is full, every cache has what it holds
    gc.collect()
    before = sys.getallocatedblocks()
    assert minutes(line, drawn, count) > 50 * count
    gc.collect()
    return sys.getallocatedblocks() - before


def test_ten_minutes_leave_nothing_behind() -> None:
    assert grown_over(10) < GROWTH


@pytest.mark.soak
def test_eight_hours_leave_nothing_behind() -> None:
    assert grown_over(8 * 60) < GROWTH
