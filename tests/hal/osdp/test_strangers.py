"""Against libosdp's readers: somebody else's C code, a process of its own, behind two ptys."""

import asyncio
import json
import os
import sys
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hal.osdp import commands
from hal.osdp.commands import Blink, CardData, Color, Command, Keys
from hal.osdp.happenings import Happening, Heard, KeyInstalled, Misused, Offline, Online
from hal.osdp.session import ReaderSettings
from tests.hal.osdp.test_bus import bus_of, of, until

KEY = bytes(range(16))
NEW = bytes(range(50, 66))
STRANGER = Path(__file__).with_name("stranger.py")


class Readers:
    """The process, and what its readers were told to do."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.orders: list[dict[str, Any]] = []

    def happens(self, **what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    async def listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.orders.append(json.loads(line))


def join(one: int, other: int) -> None:
    """What one pty says the other hears."""
    loop = asyncio.get_running_loop()
    loop.add_reader(one, lambda: os.write(other, os.read(one, 4096)))
    loop.add_reader(other, lambda: os.write(one, os.read(other, 4096)))


@asynccontextmanager
async def strangers(count: int, key: str) -> AsyncIterator[tuple[str, Readers]]:
    """The device of our end, and the readers behind it."""
    ours, theirs = os.openpty(), os.openpty()
    for pair in (ours, theirs):
        tty.setraw(pair[1])
    join(ours[0], theirs[0])
    process = await asyncio.create_subprocess_exec(
        sys.executable, STRANGER, os.ttyname(theirs[1]), str(count), key, stdin=-1, stdout=-1
    )
    readers = Readers(process)
    listening = asyncio.ensure_future(readers.listen())
    try:
        await until(lambda: readers.orders == [{"ready": True}])
        readers.orders.clear()
        yield os.ttyname(ours[1]), readers
    finally:
        process.kill()
        await process.wait()
        await listening
        for one in (ours[0], theirs[0]):
            asyncio.get_running_loop().remove_reader(one)
        for descriptor in (*ours, *theirs):
            os.close(descriptor)


def test_eight_strangers_on_a_line() -> None:
    async def story() -> None:
        told: list[tuple[int, Happening]] = []
        async with strangers(8, KEY.hex()) as (device, readers):
            settings = [ReaderSettings(address=number, key=KEY) for number in range(8)]
            bus = bus_of(device, 115_200, settings)
            bus.start(lambda address, happening, _at: told.append((address, happening)))
            await until(lambda: len(of(told, Online)) == 8)
            assert all(isinstance(online, Online) and online.secure for _, online in of(told, Online))
            for number, length in enumerate((26, 32, 34, 37, 40, 48, 56, 64)):
                readers.happens(reader=number, card=[length, (1 << length) - 1 - number])
            readers.happens(reader=3, keys="12#")
            await until(lambda: len(of(told, Heard)) >= 9)
            assert sorted(of(told, Heard), key=lambda one: (one[0], repr(one[1]))) == sorted(
                [
                    *((number, Heard(what=CardData(reader=0, length=length, raw=(1 << length) - 1 - number)))
                      for number, length in enumerate((26, 32, 34, 37, 40, 48, 56, 64))),
                    (3, Heard(what=Keys(reader=0, pressed=b"12#"))),
                ],
                key=lambda one: (one[0], repr(one[1])),
            )  # fmt: skip
            bus.order(0, Command.LED, commands.led(lasting=Blink(on=Color.GREEN)))
            bus.order(1, Command.BUZZER, commands.buzzer(on_ds=2, off_ds=1, count=3))
            bus.order(2, Command.TEXT, commands.text("hello"))
            bus.order(3, Command.OUTPUT, commands.output(0, on=True))
            await until(lambda: len(readers.orders) == 4)
            assert sorted(readers.orders, key=lambda one: int(one["reader"])) == [
                {"reader": 0, "command": 2, "temporary": False, "led_number": 0, "control_code": 1, "on_color": 2,
                 "off_color": 0, "on_count": 1, "off_count": 0},
                {"reader": 1, "command": 3, "control_code": 2, "on_count": 2, "off_count": 1, "rep_count": 3},
                {"reader": 2, "command": 4, "control_code": 1, "temp_time": 0, "offset_col": 1, "offset_row": 1,
                 "data": "hello"},
                {"reader": 3, "command": 1, "control_code": 2, "output_no": 0, "timer_count": 0},
            ]  # fmt: skip
            bus.close()
        assert of(told, Misused) == []

    asyncio.run(story())


def test_a_stranger_from_the_factory_takes_our_key_and_keeps_it() -> None:
    async def story() -> None:
        told: list[tuple[int, Happening]] = []
        async with strangers(1, "none") as (device, readers):
            bus = bus_of(device, 115_200, [ReaderSettings(address=0, new_key=NEW, install=True)])
            bus.start(lambda address, happening, _at: told.append((address, happening)))
            await until(lambda: len(of(told, Online)) == 1)
            assert of(told, KeyInstalled) == [(0, KeyInstalled(key=NEW))]
            assert [order["command"] for order in readers.orders] == [5]
            bus.close()
            await until(lambda: len(of(told, Offline)) == 1)
            again = bus_of(device, 115_200, [ReaderSettings(address=0, key=NEW)])
            again.start(lambda address, happening, _at: told.append((address, happening)))
            await until(lambda: len(of(told, Online)) == 2)
            readers.happens(reader=0, card=[26, 4711])
            await until(lambda: len(of(told, Heard)) == 1)
            again.close()

    asyncio.run(story())
