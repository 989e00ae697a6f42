"""Somebody else's readers on a real port, at the pace of a real line, with its faults: our end must bring them back."""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count, product
from typing import Any

import pytest

from hal.osdp.bus import Bus
from hal.osdp.commands import CardData
from hal.osdp.happenings import Gone, Happening, Heard, Misused, Offline, Online
from hal.osdp.session import ReaderSettings
from tests.hal.osdp.figures import figure
from tests.hal.osdp.test_bus import bus_of, of, until

KEY = bytes(range(16))


class Line:
    """The process that is wire and readers, our end of it, and what it told."""

    def __init__(self, process: asyncio.subprocess.Process, bus: Bus) -> None:
        self._process = process
        self._bus = bus
        self.told: list[tuple[int, Happening]] = []
        self._cards = count(1)
        self.spoilt = 0

    async def listen(self) -> None:
        assert self._process.stdout is not None
        async for said in self._process.stdout:
            self.spoilt += "spoilt" in json.loads(said)

    async def spoil(self, direction: str, fault: str, place: int) -> None:
        """Of the next frame there; until it has been."""
        before = self.spoilt
        self.happens(spoil=[direction, fault, place])
        await until(lambda: self.spoilt > before)

    def begun_anew(self, number: int) -> int:
        """How often its session was given up."""
        return int(self._bus.counters(number)["restarts"])

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

    async def any_card_is_heard(self) -> float:
        """The same, of a person who holds it there again and again: what the reader loses is not the line's doing."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        before = len(self.cards())
        while len(self.cards()) == before:
            self.happens(card=next(self._cards), reader=0)
            with suppress(TimeoutError):
                await until(lambda: len(self.cards()) > before, within_s=0.25)
        return loop.time() - begun


@asynccontextmanager
async def line_of(baud: int, readers: int, dead: int = 0) -> AsyncIterator[Line]:
    """`dead`: so many more that we ask and nobody is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.hal.osdp.paced", str(baud), str(readers), "libosdp", KEY.hex(), stdin=-1, stdout=-1
    )
    assert process.stdout is not None
    assert process.stdin is not None
    device = json.loads(await process.stdout.readline())["device"]
    bus = bus_of(device, baud, [ReaderSettings(address=number, key=KEY) for number in range(readers + dead)])
    line = Line(process, bus)
    listening = asyncio.ensure_future(line.listen())
    try:
        bus.start(lambda address, happening, _at: line.told.append((address, happening)))
        await until(lambda: len(of(line.told, Online)) == readers)
        yield line
    finally:
        bus.close()
        process.stdin.close()
        await process.wait()
        await listening


@pytest.mark.parametrize("places", [(4,), pytest.param((0, 1, 2, 3, 4, 7, -6, -2, -1), marks=pytest.mark.soak)])
def test_one_broken_byte_costs_a_stranger_less_than_a_second(places: tuple[int, ...]) -> None:
    """In either direction, and a second apart: it loses the session to each, which may begin anew so often."""
    waits: list[float] = []

    async def story() -> None:
        async with line_of(9600, 1) as line:
            for direction, fault, place in product(("to PD", "to CP"), ("flip", "lose", "truncate"), places):
                await line.spoil(direction, fault, place)
                waits.append(await line.any_card_is_heard())
                await asyncio.sleep(max(0, 1.1 - waits[-1]))
            assert of(line.told, Offline) == []
            assert line.cards() == sorted(set(line.cards()))
            assert of(line.told, Misused) == []

    asyncio.run(story())
    figure(
        f"{len(waits)} times one flipped, lost or cut-off byte: a card of libosdp's reader after at most {max(waits):.3f} s"
    )
    assert max(waits) < 1


@pytest.mark.parametrize(
    ("baud", "readers", "cut_s"),
    [
        (38_400, 2, 3),
        pytest.param(9600, 8, 12, marks=pytest.mark.soak),
        pytest.param(115_200, 8, 12, marks=pytest.mark.soak),
    ],
)
def test_strangers_are_back_within_two_seconds_of_an_outage(baud: int, readers: int, cut_s: int) -> None:
    """Offline after eight seconds of it, or not told so at all; a card each is read afterwards.

    Each session is given up at its fourth try, two seconds into the outage, and begins anew; one cut shorter may go on.
    """
    back: list[float] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with line_of(baud, readers) as line:
            before = [line.begun_anew(number) for number in range(readers)]
            line.happens(cut=True)
            await asyncio.sleep(cut_s)  # and longer where a busy machine has not given up every session by then
            await until(lambda: all(line.begun_anew(number) > before[number] for number in range(readers)))
            assert sorted(of(line.told, Offline), key=lambda one: one[0]) == [
                (number, Offline(why=Gone.SILENT)) for number in range(readers) if cut_s > 8
            ]  # fmt: skip
            line.happens(cut=False)
            begun = loop.time()
            await until(lambda: len(of(line.told, Online)) == 2 * readers)
            back.append(loop.time() - begun)
            await asyncio.gather(*(line.a_card_is_heard(number) for number in range(readers)))
            assert sorted(line.cards()) == list(range(1, readers + 1))
            assert of(line.told, Misused) == []

    asyncio.run(story())
    figure(f"{baud} baud, {readers} of libosdp's readers, {cut_s} s cut: all back after {back[0]:.3f} s")
    assert back[0] < 2


def waits_beside(dead: int, baud: int, cards: int) -> list[float]:
    """How long cards take at three readers, with so many dead neighbours; each is heard, or this never ends."""
    waits: list[float] = []
    drawn = random.Random(cards)

    async def story() -> None:
        async with line_of(baud, 3, dead) as line:
            await asyncio.sleep(1)
            for number in range(cards):
                await asyncio.sleep(drawn.uniform(0.02, 0.08))
                waits.append(await line.a_card_is_heard(number % 3))
            assert line.cards() == list(range(1, cards + 1))
            assert of(line.told, Misused) == []

    asyncio.run(story())
    return sorted(waits)


def test_a_dead_neighbour_loses_no_card_of_a_stranger() -> None:
    waits = waits_beside(1, 38_400, 20)
    figure(f"a dead neighbour: {len(waits)} of 20 cards of libosdp's readers, the slowest after {waits[-1]:.3f} s")
    assert len(waits) == 20


@pytest.mark.soak
@pytest.mark.parametrize("baud", [9600, 115_200])
def test_a_dead_neighbour_costs_strangers_little_time(baud: int) -> None:
    alone, beside = (waits_beside(dead, baud, 300)[285] for dead in (0, 1))
    figure(f"{baud} baud, p95 of libosdp's readers: {alone:.3f} s alone, {beside:.3f} s beside a dead one")
    assert beside <= 1.3 * alone


@pytest.mark.parametrize(("shown", "least"), [(8, 6), pytest.param(100, 95, marks=pytest.mark.soak)])
def test_noise_and_a_strangers_reader(shown: int, least: int) -> None:
    """It loses a card where its answer breaks, since it does not repeat it; no card is another one's."""
    heard: list[int] = []

    async def story() -> None:
        async with line_of(9600, 1) as line:
            line.happens(noise=0.001)
            for card in range(shown):
                line.happens(card=1000 + card, reader=0)
                await asyncio.sleep(0.6 if shown > 8 else 0.3)  # a hundred are a minute
            line.happens(noise=0)
            while not any(card < 1000 for card in line.cards()):  # shown after all others, and so heard after them
                await line.any_card_is_heard()
            heard.extend(card for card in line.cards() if card >= 1000)

    asyncio.run(story())
    figure(f"noise of 1e-3 a byte: {len(heard)} of {shown} cards of libosdp's reader")
    assert heard == sorted(set(heard))
    assert set(heard) <= set(range(1000, 1000 + shown))
    assert len(heard) >= least
