"""Somebody else's readers on a real port, at the pace of a real line, with its faults: our end must bring them back."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count, product
from typing import Any

import pytest

from hal.osdp.commands import CardData
from hal.osdp.happenings import Happening, Heard, Misused, Offline, Online
from hal.osdp.session import ReaderSettings
from tests.hal.osdp.test_bus import bus_of, of, until

KEY = bytes(range(16))


class Line:
    """The process that is wire and readers, our end of it, and what it told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.told: list[tuple[int, Happening]] = []
        self._cards = count(1)

    def happens(self, **what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    def cards(self) -> list[int]:
        return [
            one.what.raw for _, one in self.told if isinstance(one, Heard) and isinstance(one.what, CardData)
        ]  # fmt: skip

    async def a_card_is_heard(self, reader: int = 0) -> float:
        """How long it took, in seconds; a reader that reprocesses a repeated request may lose what it had said."""
        loop = asyncio.get_running_loop()
        begun, card = loop.time(), next(self._cards)
        self.happens(card=card, reader=reader)
        await until(lambda: card in self.cards())
        return loop.time() - begun


@asynccontextmanager
async def line_of(baud: int, readers: int) -> AsyncIterator[Line]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.hal.osdp.paced", str(baud), str(readers), "libosdp", KEY.hex(), stdin=-1, stdout=-1
    )
    assert process.stdout is not None
    assert process.stdin is not None
    line = Line(process)
    device = json.loads(await process.stdout.readline())["device"]
    bus = bus_of(device, baud, [ReaderSettings(address=number, key=KEY) for number in range(readers)])
    try:
        bus.start(lambda address, happening, _at: line.told.append((address, happening)))
        await until(lambda: len(of(line.told, Online)) == readers)
        yield line
    finally:
        bus.close()
        process.stdin.close()
        await process.communicate()


def test_one_broken_byte_costs_a_stranger_less_than_a_second() -> None:
    async def story() -> None:
        async with line_of(9600, 1) as line:
            for direction, fault, place in product(("to PD", "to CP"), ("flip", "lose", "truncate"), (4, -2)):
                line.happens(spoil=[direction, fault, place])
                await asyncio.sleep(0.04)  # the next exchange is the one that is spoilt
                assert await line.a_card_is_heard() < 1
            assert of(line.told, Offline) == []
            assert line.cards() == list(range(1, 13))

    asyncio.run(story())


@pytest.mark.soak
@pytest.mark.parametrize("baud", [9600, 115_200])
def test_strangers_are_back_within_two_seconds_of_an_outage(baud: int) -> None:
    async def story() -> None:
        async with line_of(baud, 8) as line:
            line.happens(cut=True)
            await until(lambda: len(of(line.told, Offline)) == 8, within_s=15)
            await asyncio.sleep(3)
            line.happens(cut=False)
            begun = asyncio.get_running_loop().time()
            await until(lambda: len(of(line.told, Online)) == 16)
            assert asyncio.get_running_loop().time() - begun < 2
            assert await line.a_card_is_heard(7) < 1
            assert of(line.told, Misused) == []

    asyncio.run(story())


@pytest.mark.soak
def test_a_minute_of_noise_and_a_strangers_reader() -> None:
    """It loses what it repeats wrongly; no card is another one's."""

    async def story() -> None:
        async with line_of(9600, 1) as line:
            line.happens(noise=0.001)
            for card in range(100):
                line.happens(card=1000 + card, reader=0)
                await asyncio.sleep(0.6)
            line.happens(noise=0)
            await asyncio.sleep(1)
            cards = line.cards()
            assert set(cards) <= set(range(1000, 1100))
            assert len(set(cards)) >= 95

    asyncio.run(story())
