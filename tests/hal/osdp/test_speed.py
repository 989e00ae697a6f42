"""A line is scanned, and taken to another speed or left at its own."""

import asyncio
import os
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hal.events import Monotonic
from hal.osdp.bus import Bus, OpenPort, SerialPort
from hal.osdp.commands import parse_identity
from hal.osdp.emulator import IDENTITY, Emulator
from hal.osdp.mock_line import MockLine
from hal.osdp.scan import Ask, Broken, Found, Scan, Step
from hal.osdp.scan_line import scan_line
from hal.osdp.session import ReaderSettings
from hal.osdp.speed import Outcome, SpeedChange, change_speed
from tests.hal.osdp.line import MS
from tests.hal.osdp.test_bus import Pty, until

KEY = bytes(range(16))
WHO = parse_identity(IDENTITY)


def line_of(*addresses: int, baud: int = 38_400) -> MockLine:
    line = MockLine(baud)
    for address in addresses:
        line.readers[address] = Emulator(address, os.urandom, key=KEY)
    return line


def with_bus(line: MockLine, open_port: OpenPort | None = None) -> Callable[[Callable[[Bus], Any]], None]:
    async def whole(story: Callable[[Bus], Any]) -> None:
        settings = [ReaderSettings(address=address, key=KEY) for address in line.readers]
        bus = Bus("line", open_port or line.open, baud=38_400, readers=settings)
        bus.start(lambda _address, _happening, _at: None)
        await until(lambda: bus.online() == bus.addresses())
        await story(bus)
        bus.close()

    return lambda story: asyncio.run(whole(story))


def test_a_line_is_taken_to_another_speed() -> None:
    line = line_of(0, 3)

    async def story(bus: Bus) -> None:
        assert await change_speed(bus, 115_200) == SpeedChange(outcome=Outcome.CHANGED)
        assert bus.baud == 115_200
        assert bus.online() == {0, 3}
        line.unplug()
        line.gone = False
        await until(lambda: bus.opened == 2 and bus.online() == {0, 3})  # also when the device was away

    with_bus(line)(story)
    assert [reader.baud for reader in line.readers.values()] == [115_200, 115_200]


def test_a_reader_that_cannot_follow_keeps_all_at_the_old_speed() -> None:
    line = line_of(0, 1)
    stays = line.readers[1]

    class Stays(dict[int, Emulator]):
        """What is on the line, where one reader says it will change and does not."""

        def values(self) -> Any:
            stays.baud = 38_400 if stays.baud == 115_200 else stays.baud
            return super().values()

    line.readers = Stays(line.readers)

    async def story(bus: Bus) -> None:
        change = await change_speed(bus, 115_200)
        assert change == SpeedChange(outcome=Outcome.TAKEN_BACK, missing=frozenset({1}))
        assert bus.baud == 38_400
        assert bus.online() == {0, 1}

    with_bus(line)(story)


def test_nothing_is_sent_while_a_reader_is_away() -> None:
    line = line_of(0, 1)

    async def story(bus: Bus) -> None:
        line.readers[1].address = 9
        line.readers[1].power_cycle()
        await until(lambda: bus.online() == {0})
        change = await change_speed(bus, 115_200)
        assert change == SpeedChange(outcome=Outcome.NOT_BEGUN, missing=frozenset({1}))
        assert line.readers[0].baud is None

    with_bus(line)(story)


class Deaf(MockLine):
    """A port that does not know one speed, or none any more."""

    unknown: frozenset[int] = frozenset({115_200})

    def set_speed(self, baud: int) -> None:
        if baud in self.unknown:
            raise OSError(f"{baud} baud: the port runs at another speed")
        super().set_speed(baud)


def deaf() -> Deaf:
    line = Deaf(38_400)
    line.readers[0] = Emulator(0, os.urandom, key=KEY)
    return line


def test_a_port_that_does_not_know_the_speed_is_asked_before_any_reader_is_told() -> None:
    line = deaf()

    async def story(bus: Bus) -> None:
        assert await change_speed(bus, 115_200) == SpeedChange(outcome=Outcome.UNKNOWN)
        await asyncio.sleep(0.2)
        assert (bus.baud, set(bus.online()), bus.opened) == (38_400, {0}, 1)
        assert line.readers[0].baud in {None, 38_400}

    with_bus(line)(story)


def test_a_port_that_does_not_take_its_own_speed_back_is_opened_anew() -> None:
    line = deaf()

    async def story(bus: Bus) -> None:
        line.unknown = frozenset({38_400})
        assert not bus.takes(115_200)
        assert not bus.is_open
        line.unknown = frozenset()
        line.set_speed(38_400)
        await until(lambda: bus.opened == 2 and bus.online() == {0})

    with_bus(line)(story)


def test_a_device_that_vanishes_as_the_line_follows_has_the_new_speed_when_it_is_back() -> None:
    line = deaf()

    async def story(bus: Bus) -> None:
        bus.set_speed(115_200)  # as speed.py does after the readers were told
        assert (bus.is_open, bus.baud) == (False, 115_200)
        await until(lambda: bus.attempts >= 2)
        assert not bus.is_open
        line.readers[0].baud = 115_200
        line.unknown = frozenset()
        await until(lambda: bus.online() == {0})

    with_bus(line)(story)


def test_a_driver_that_sets_another_speed_without_a_word_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = termios.tcgetattr

    def at_9600(descriptor: int) -> list[Any]:
        """As a driver says afterwards what it has really set."""
        attributes = honest(descriptor)
        attributes[4] = attributes[5] = termios.B9600
        return attributes

    async def story() -> None:
        pty = Pty(tmp_path / "tty", [])
        port = SerialPort(
            str(tmp_path / "tty"), baud=9600, rts_drives=False, heard=lambda _heard: None, lost=lambda: None
        )  # fmt: skip
        port.set_speed(115_200)
        monkeypatch.setattr(termios, "tcgetattr", at_9600)
        with pytest.raises(OSError, match="57600 baud: the port runs at another speed"):
            port.set_speed(57_600)
        port.close()
        pty.unplug()

    asyncio.run(story())


def test_a_scan_finds_who_is_there_at_which_speed() -> None:
    line = line_of(0, 5, 126)
    line.readers[5].baud = 9600
    told: list[Found | Broken] = []
    asked: list[tuple[int, int]] = []
    scan = Scan(Monotonic(0), bauds=(9600, 38_400), addresses=(0, 4, 5, 126), within=60 * MS)
    asyncio.run(
        scan_line(scan, line.open, told.append, progress=lambda number, total: asked.append((number, total)))
    )  # fmt: skip
    line.readers.clear()
    assert told == [
        Found(address=5, baud=9600, identity=WHO),
        Found(address=0, baud=38_400, identity=WHO),
        Found(address=126, baud=38_400, identity=WHO),
    ]
    assert asked == [(number, 8) for number in range(1, 9)]


def test_a_scan_says_that_a_device_is_gone() -> None:
    line = line_of(0)

    async def story() -> None:
        scanning = asyncio.ensure_future(scan_line(Scan(Monotonic(0)), line.open, lambda _found: None))
        await asyncio.sleep(0.01)
        line.unplug()
        with pytest.raises(OSError, match="the device has vanished"):
            await scanning

    asyncio.run(story())


def test_what_nobody_can_read_is_told_as_that() -> None:
    scan = Scan(Monotonic(0), bauds=(9600,), addresses=(1, 2))
    (first,) = scan.on_deadline(Monotonic(0))
    assert isinstance(first, Ask)
    assert scan.receive(b"\x12\x53\x81\xff\xff", Monotonic(20 * MS)) == []
    steps: list[Step] = []
    while not steps:
        steps = scan.on_deadline(scan.next_deadline())
    assert steps[0] == Broken(address=1, baud=9600)
    assert isinstance(steps[1], Ask)
    scan.on_deadline(scan.next_deadline())
    assert scan.done
