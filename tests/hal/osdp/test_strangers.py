"""Against libosdp's readers: somebody else's C code, a process of its own, behind two ptys. Both ends are asked."""

import asyncio
import random

import pytest

from hal.osdp import commands
from hal.osdp.bus import Bus
from hal.osdp.commands import Blink, CardData, Color, Command, Keys, Levels, LocalStatus, Reply
from hal.osdp.happenings import Gone, Heard, KeyInstalled, Misuse, Misused, Offline, Online, Refused
from hal.osdp.secure_channel import Block
from hal.osdp.session import ReaderSettings
from tests.hal.osdp.figures import figure
from tests.hal.osdp.stranger_line import StrangerLine, strangers, with_readers
from tests.hal.osdp.test_bus import of, until

KEY = bytes(range(16))
NEW = bytes(range(50, 66))
LED, BUZZER, TEXT, OUTPUT, KEYSET, STATUS = 2, 3, 4, 1, 5, 9
"""Commands as libosdp numbers them."""
INPUTS, OUTPUTS, LOCAL, REMOTE = range(4)
"""Kinds of status, in its numbers."""


def heard(line: StrangerLine, reader: int) -> list[object]:
    return [one.what for address, one in line.told if isinstance(one, Heard) and address == reader]


def test_eight_strangers_are_secured_on_one_line() -> None:
    """By libosdp's own word; and what is on the wire afterwards has a MAC, both ways."""

    async def story(line: StrangerLine, bus: Bus) -> None:
        assert line.secured == set(range(8)) == bus.online()
        begun = len(line.frames)
        await until(lambda: len(line.frames) > begun + 160)
        types = {(frame.reply, frame.security.type if frame.security else None) for frame in line.frames[begun:]}
        assert types == {(False, Block.COMMAND.value), (True, Block.REPLY.value)}

    line = with_readers(8, KEY, story)
    assert [one for _, one in of(line.told, Online) if isinstance(one, Online) and not one.secure] == []
    assert of(line.told, Misused) == []
    assert of(line.told, Offline) == [(number, Offline(why=Gone.CLOSED)) for number in range(8)]


def test_cards_of_each_length_from_26_to_64_bits_at_eight_readers() -> None:
    """Random bits and all ones and one at each end: whatever is shifted, dropped or padded shows."""
    drawn = random.Random(8)
    shown: dict[int, list[object]] = {number: [] for number in range(8)}

    async def story(line: StrangerLine, _: Bus) -> None:
        for length in range(26, 65):
            for number, raw in enumerate((drawn.getrandbits(length), (1 << length) - 1, 1 | 1 << (length - 1), 1)):
                reader = (length + number) % 8
                shown[reader].append(CardData(reader=0, length=length, raw=raw))
                line.happens(reader=reader, card=[length, raw])
            await until(lambda: sum(map(len, shown.values())) == len(of(line.told, Heard)))

    line = with_readers(8, KEY, story)
    assert {number: heard(line, number) for number in range(8)} == shown
    assert sum(map(len, shown.values())) == 4 * 39
    assert line.orders == []


def test_keys_of_a_stranger_in_the_order_they_were_pressed() -> None:
    async def story(line: StrangerLine, _: Bus) -> None:
        for pressed in ("0123456789", "*#", "\x7f", "\r"):
            line.happens(reader=1, keys=pressed)
        await until(lambda: len(heard(line, 1)) == 4)

    line = with_readers(2, KEY, story)
    assert heard(line, 1) == [
        Keys(reader=0, pressed=pressed) for pressed in (b"0123456789", b"*#", b"\x7f", b"\x0d")
    ]  # fmt: skip
    assert heard(line, 0) == []


def test_what_a_stranger_is_told_to_show_and_to_switch() -> None:
    """Lamp for good and for a while, sounder, text, output: libosdp says what it was given, field by field."""
    blink = Blink(on=Color.RED, on_ds=2, off=Color.GREEN, off_ds=3)
    orders: list[tuple[Command, bytes, dict[str, object]]] = [
        (Command.LED, commands.led(lasting=Blink(on=Color.GREEN)),
         {"command": LED, "temporary": False, "led_number": 0, "control_code": 1, "on_color": 2, "off_color": 0,
          "on_count": 1, "off_count": 0}),
        (Command.LED, commands.led(passing=blink, for_ds=300),
         {"command": LED, "temporary": True, "led_number": 0, "control_code": 2, "on_color": 1, "off_color": 2,
          "on_count": 2, "off_count": 3, "timer_count": 300}),
        (Command.BUZZER, commands.buzzer(on_ds=2, off_ds=1, count=3),
         {"command": BUZZER, "control_code": 2, "on_count": 2, "off_count": 1, "rep_count": 3}),
        (Command.BUZZER, commands.buzzer(on_ds=0, off_ds=0, count=0),
         {"command": BUZZER, "control_code": 1, "on_count": 0, "off_count": 0, "rep_count": 0}),
        (Command.TEXT, commands.text("hello"),
         {"command": TEXT, "control_code": 1, "temp_time": 0, "offset_col": 1, "offset_row": 1, "data": "hello"}),
        (Command.TEXT, commands.text("enter: Ä", for_s=9, row=2, column=3),
         {"command": TEXT, "control_code": 3, "temp_time": 9, "offset_col": 3, "offset_row": 2, "data": "enter: ?"}),
        (Command.OUTPUT, commands.output(0, on=True),
         {"command": OUTPUT, "control_code": 2, "output_no": 0, "timer_count": 0}),
        (Command.OUTPUT, commands.output(1, on=True, for_ds=700),
         {"command": OUTPUT, "control_code": 5, "output_no": 1, "timer_count": 700}),
        (Command.OUTPUT, commands.output(0, on=False),
         {"command": OUTPUT, "control_code": 1, "output_no": 0, "timer_count": 0}),
    ]  # fmt: skip

    async def story(line: StrangerLine, bus: Bus) -> None:
        for place, (command, data, _) in enumerate(orders):
            bus.order(place % 3, command, data)
            await given(line, place + 1)

    line = with_readers(3, KEY, story)
    assert line.orders == [{"reader": place % 3} | wanted for place, (_, _, wanted) in enumerate(orders)]
    assert of(line.told, Refused) == []


def test_a_strangers_status_when_it_changes_and_when_it_is_asked() -> None:
    """Tamper and power, its inputs, its outputs, the reader behind it."""
    tampered, restored = (LocalStatus(tamper=one, power_failure=other) for one, other in ((True, False), (False, True)))
    levels = Levels(active=(False, True, False, True))

    async def story(line: StrangerLine, bus: Bus) -> None:
        line.happens(reader=0, local=[1, 0])
        line.happens(reader=0, inputs=[0, 1, 0, 1])
        await until(lambda: heard(line, 0) == [tampered, levels])
        bus.order(0, Command.LOCAL_STATUS, b"")
        await until(lambda: heard(line, 0) == [tampered, levels, tampered])
        bus.order(0, Command.INPUT_STATUS, b"")
        await until(lambda: heard(line, 0) == [tampered, levels, tampered, levels])
        line.happens(reader=0, local=[0, 1])
        await until(lambda: heard(line, 0)[4:] == [restored])
        bus.order(0, Command.OUTPUT_STATUS, b"")
        bus.order(0, Command.READER_STATUS, b"")
        await until(lambda: {Reply.OUTPUT_STATUS, Reply.READER_STATUS} <= set(line.codes(reply=True)))

    line = with_readers(1, KEY, story)
    assert line.orders == [{"reader": 0, "command": STATUS, "type": kind} for kind in (LOCAL, INPUTS, OUTPUTS, REMOTE)]
    assert of(line.told, Refused) == of(line.told, Misused) == []


def test_a_stranger_from_the_factory_takes_our_key_and_keeps_it() -> None:
    """The default key opens a session for nothing but KEYSET; then the new key counts, here and there, also after -9."""

    async def story() -> None:
        async with strangers(1, None) as line:
            bus = line.bus([ReaderSettings(address=0, new_key=NEW, install=True)])
            await until(lambda: len(of(line.told, Online)) == 1 and line.secured == {0})
            assert of(line.told, KeyInstalled) == [(0, KeyInstalled(key=NEW))]
            assert line.orders == [{"reader": 0, "command": KEYSET, "type": 1, "data": NEW.hex()}]
            assert line.challenges()[-2:] == [b"\0", b"\1"]
            factory = [at for at, one in enumerate(line.frames) if one.security and one.security.data == b"\0"][-1]
            sealed = [one.code for one in line.frames[factory:] if not one.reply and one.security and one.mac]
            assert sealed[0] == Command.KEYSET
            bus.close()
            await line.kill()
            told, challenged = len(line.told), len(line.challenges())
            await line.power_on(1, bytes.fromhex(line.orders[0]["data"]))
            again = line.bus([ReaderSettings(address=0, key=NEW)])
            line.happens(reader=0, card=[26, 4711])
            await until(lambda: len(heard(line, 0)) == 1)
            assert heard(line, 0) == [CardData(reader=0, length=26, raw=4711)]
            assert of(line.told[told:], KeyInstalled) == []
            assert set(line.challenges()[challenged:]) == {b"\1"}
            assert line.codes(reply=False).count(Command.KEYSET) == 1
            again.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("count", "cycles"), [(1, 2), (8, 1), pytest.param(8, 20, marks=pytest.mark.soak)], ids=["one", "eight", "long"]
)
def test_strangers_whose_power_fails_are_back_within_two_seconds(count: int, cycles: int) -> None:
    """Killed with -9 and started again: back from when they listen; each card once, and nobody is given a key."""
    drawn, backs = random.Random(count), []
    shown: dict[int, list[object]] = {number: [] for number in range(count)}

    async def story(line: StrangerLine, bus: Bus) -> None:
        loop = asyncio.get_running_loop()

        async def cards() -> None:
            for reader in range(count):
                shown[reader].append(CardData(reader=0, length=34, raw=len(shown[reader]) * 8 + reader))
                line.happens(reader=reader, card=[34, len(shown[reader]) * 8 - 8 + reader])
            await until(lambda: all(len(heard(line, reader)) >= len(shown[reader]) for reader in range(count)))

        for _ in range(cycles):
            await cards()
            await asyncio.sleep(drawn.random() * 0.1)
            await line.kill()
            await asyncio.sleep(drawn.random() * 0.5)
            wanted = len(of(line.told, Online)) + count
            await line.power_on(count, KEY)
            begun = loop.time()
            await secured(line, wanted, count)
            backs.append(loop.time() - begun)
            await cards()
        assert bus.online() == set(range(count))

    line = with_readers(count, KEY, story)
    figure(f"{count} of libosdp's readers, {cycles} power cycles: back after at most {max(backs):.3f} s")
    assert max(backs) < 2
    assert {number: heard(line, number) for number in range(count)} == shown
    assert set(line.challenges()) == {b"\1"}
    assert Command.KEYSET not in line.codes(reply=False)
    assert line.orders == []
    assert of(line.told, KeyInstalled) == []
    assert {one for _, one in of(line.told, Misused)} <= {Misused(how=Misuse.UNASKED)}  # started up, it may answer late
    assert of(line.told, Offline) == [(number, Offline(why=Gone.CLOSED)) for number in range(count)]


async def given(line: StrangerLine, orders: int) -> None:
    await until(lambda: len(line.orders) == orders)


async def secured(line: StrangerLine, sessions: int, readers: int) -> None:
    """So many were opened since the beginning, and libosdp says that all of its readers are in one."""
    await until(lambda: len(of(line.told, Online)) == sessions and len(line.secured) == readers)
