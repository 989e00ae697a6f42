"""The line on a real pty, with a reader behind it that runs on the same loop."""

import asyncio
import os
import time
import tty
from collections.abc import Callable
from pathlib import Path

from hal.osdp.bus import Bus, serial_port
from hal.osdp.commands import CardData, Command, Keys, buzzer
from hal.osdp.emulator import Emulator, Shown
from hal.osdp.happenings import Gone, Happening, Heard, Offline, Online
from hal.osdp.session import ReaderSettings

KEY = bytes(range(16))


class Pty:
    """A device node that readers answer behind, until it is unplugged."""

    def __init__(self, link: Path, readers: list[Emulator]) -> None:
        self._link, self._readers = link, readers
        self.plug()

    def plug(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._link.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def _readable(self) -> None:
        burst = os.read(self._master, 4096)
        for reader in self._readers:
            if answer := reader.receive(burst):
                os.write(self._master, answer)

    def unplug(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        self._link.unlink()
        os.close(self._slave)
        os.close(self._master)


def bus_of(device: str, baud: int, readers: list[ReaderSettings]) -> Bus:
    return Bus(device, serial_port(device, baud=baud), baud=baud, readers=readers)


async def until(true: Callable[[], bool], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110  what is waited for happens in callbacks of the loop
            await asyncio.sleep(0.002)


def of(told: list[tuple[int, Happening]], kind: type[Happening]) -> list[tuple[int, Happening]]:
    return [one for one in told if isinstance(one[1], kind)]


def test_readers_of_a_real_port_are_heard_and_told(tmp_path: Path) -> None:
    async def story() -> None:
        readers = [Emulator(number, os.urandom, key=KEY) for number in range(3)]
        pty = Pty(tmp_path / "tty", readers)
        told: list[tuple[int, Happening]] = []
        settings = [ReaderSettings(address=number, key=KEY) for number in range(3)]
        bus = bus_of(str(tmp_path / "tty"), 115_200, settings)
        bus.start(lambda address, happening, _at: told.append((address, happening)))
        await until(lambda: len(of(told, Online)) == 3)
        readers[2].card(26, 99)
        readers[1].press(b"12")
        bus.order(0, Command.BUZZER, buzzer(on_ds=2, off_ds=1, count=1))
        await until(lambda: len(of(told, Heard)) == 2 and len(readers[0].shown) == 1)
        assert sorted(of(told, Heard), key=lambda one: one[0]) == [
            (1, Heard(what=Keys(reader=0, pressed=b"12"))),
            (2, Heard(what=CardData(reader=0, length=26, raw=99))),
        ]
        assert list(readers[0].shown) == [Shown(command=Command.BUZZER, data=buzzer(on_ds=2, off_ds=1, count=1))]
        bus.close()
        bus.close()
        assert of(told, Offline) == [(number, Offline(why=Gone.CLOSED)) for number in range(3)]
        pty.unplug()

    asyncio.run(story())


def test_a_device_that_vanishes_is_opened_again_when_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        reader = Emulator(0, os.urandom, key=KEY)
        pty = Pty(tmp_path / "tty", [reader])
        told: list[tuple[int, Happening]] = []
        bus = bus_of(str(tmp_path / "tty"), 9600, [ReaderSettings(address=0, key=KEY)])
        bus.start(lambda address, happening, _at: told.append((address, happening)))
        await until(lambda: len(of(told, Online)) == 1)
        pty.unplug()
        await until(lambda: of(told, Offline) == [(0, Offline(why=Gone.CLOSED))])
        assert not bus.is_open
        pty.plug()
        await until(lambda: len(of(told, Online)) == 2)
        assert bus.opened == 2
        bus.close()
        pty.unplug()

    asyncio.run(story())


def test_a_device_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    async def story() -> None:
        told: list[tuple[int, Happening]] = []
        bus = bus_of(str(tmp_path / "tty"), 9600, [ReaderSettings(address=0, key=KEY)])
        bus.start(lambda address, happening, _at: told.append((address, happening)))
        assert not bus.is_open
        pty = Pty(tmp_path / "tty", [Emulator(0, os.urandom, key=KEY)])
        await until(lambda: len(of(told, Online)) == 1)
        bus.close()
        pty.unplug()

    asyncio.run(story())


def test_a_line_whose_device_is_gone_spares_the_others(tmp_path: Path) -> None:
    """It is neither spun on nor waited for: the other line polls on, and the gone one is tried a few times."""

    async def story() -> None:
        reader, other = (Emulator(0, os.urandom, key=KEY) for _ in range(2))
        (tmp_path / "one").mkdir()
        (tmp_path / "other").mkdir()
        pty, mate = Pty(tmp_path / "one" / "tty", [reader]), Pty(tmp_path / "other" / "tty", [other])
        told: list[tuple[int, Happening]] = []
        mates: list[tuple[int, Happening]] = []
        buses = [
            bus_of(str(tmp_path / folder / "tty"), 115_200, [ReaderSettings(address=0, key=KEY)])
            for folder in ("one", "other")
        ]
        buses[0].start(lambda address, happening, _at: told.append((address, happening)))
        buses[1].start(lambda address, happening, _at: mates.append((address, happening)))
        await until(lambda: len(of(told, Online)) == len(of(mates, Online)) == 1)
        pty.unplug()
        await until(lambda: len(of(told, Offline)) == 1)
        polls, spent = buses[1].counters(0)["exchanges"], time.process_time()
        await asyncio.sleep(1)
        assert buses[1].counters(0)["exchanges"] - polls > 30
        assert time.process_time() - spent < 0.7
        other.card(26, 1)
        await until(lambda: len(of(mates, Heard)) == 1)
        assert of(mates, Offline) == []
        assert buses[0].attempts <= 5
        for bus in buses:
            bus.close()
        mate.unplug()

    asyncio.run(story())
