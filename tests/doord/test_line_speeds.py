"""A line of a running door is taken to another speed, all of it or nothing; one that a file knows nothing of is found."""

import asyncio
from typing import Any, Final

import pytest

from doorctl.cli.reader_words import in_full
from doorctl.cli.status import lines
from doorctl.config.reading import parse_config
from doorctl.config.types import Config
from doorctl.errors import DoorctlError, MalformedError, OperatorError
from doorctl.paths import Paths
from doorctl.wire.detail import Act, OperatorDetail, parse_detail
from doorctl.wire.record import Kind
from hal.mock_commands import Osdp
from hal.mock_drive import perform
from hal.osdp.emulator import Emulator
from hal.osdp.mock_line import MockLine
from hal.osdp.reader import OsdpLine
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import DOORS, MadeSite
from tests.doord.virtual import VirtualLoop

DEVICE: Final = "/dev/ttyAMA0"
VAULT: Final = """\
[door.vault]
strike  = { pin = "GPIO21", type = "fail-secure", release_s = 3 }
egress  = "mechanical"
readers.in  = { osdp = "/dev/ttyAMA0", address = 1, mode = "card+code", baud = 9600 }
readers.out = { osdp = "/dev/ttyAMA0", address = 2, mode = "card", baud = 9600 }

[schedule.hours]
"""
READERS: Final = ["vault/in", "vault/out"]
CHANGED: Final = {"line": DEVICE, "was": 9600, "baud": 115_200, "readers": READERS}


def with_vault() -> Config:
    text = DOORS.format(site="", front="", office="", side="").replace("[schedule.hours]\n", VAULT)
    return parse_config(text.replace("[group.staff]\n", '[group.staff]\nvault  = "always"\n'), file="doorctl.toml")


def line_of(house: House) -> OsdpLine:
    return house.doord.board.lines[DEVICE]


def wall(house: House) -> MockLine:
    return house.doord.board.mock_lines[DEVICE]


async def change(house: House, baud: int = 115_200, *, find: bool = False) -> dict[str, Any]:
    return await house.ask("reader-speed", line=DEVICE, baud=baud, find=find)


async def standing(house: House) -> dict[str, tuple[str, int]]:
    """Each reader's state and speed."""
    readers = (await house.ask("readers"))["readers"]
    return {one["name"]: (one["state"], one["baud"]) for one in readers if one["kind"] == "osdp"}


async def told(house: House) -> None:
    """Until every reader has taken the order and the line has not followed yet."""
    while line_of(house).bus.left() != {1, 2}:
        await house.wait(0.001)


def acts(house: House) -> list[Any]:
    bodies = [house.monitor.open(record)[1] for record in house.courier.records()]
    return [parse_detail(body.kind, body.detail) for body in bodies if body.kind is Kind.OPERATOR]


def test_all_readers_of_a_line_follow_and_it_is_a_record(play: Play) -> None:
    async def story(house: House) -> None:
        begun = house.now
        assert await change(house) == CHANGED
        assert house.now - begun < 3_000_000_000
        assert await standing(house) == dict.fromkeys(READERS, ("reading", 115_200))
        assert [house.doord.board.made_up[name].baud for name in READERS] == [115_200, 115_200]
        assert acts(house) == [OperatorDetail(act=Act.CHANGE_SPEED, uid=0)]
        assert [row.detail for row in house.log() if row.event == "operator"] == [
            "speed of /dev/ttyAMA0 from 9600 to 115200 baud, by uid 0"
        ]
        status = await house.status()
        assert status["faults"] == []
        warned = (
            "SPEED: reader vault/in answers at 115200 baud and doord was started with 9600: doorctl.toml has to say "
            "baud = 115200 when it is started again"
        )
        assert warned in lines(status)
        assert await change(house) == {**CHANGED, "was": 115_200}  # nothing to do, and nothing is recorded
        assert len(acts(house)) == 1

    play(story, config=with_vault())


def test_a_reader_that_cannot_follow_keeps_all_at_the_old_speed(play: Play) -> None:
    async def story(house: House) -> None:
        stays = house.doord.board.made_up["vault/out"]

        class Stays(dict[int, Emulator]):
            """What is on the line, where one reader says it will change and does not."""

            def values(self) -> Any:
                stays.baud = 9600 if stays.baud == 115_200 else stays.baud
                return super().values()

        wall(house).readers = Stays(wall(house).readers)
        with pytest.raises(OperatorError, match="vault/out not heard at 115200 baud; the line is at 9600 again, with"):
            await change(house)
        assert await standing(house) == dict.fromkeys(READERS, ("reading", 9600))
        assert (await house.status())["faults"] == []

    play(story, config=with_vault())


def test_a_reader_unplugged_half_way_takes_the_others_back_and_is_named(play: Play) -> None:
    async def story(house: House) -> None:
        changing = asyncio.ensure_future(change(house))
        await told(house)
        gone = house.doord.board.made_up["vault/out"]
        gone.address = 99
        with pytest.raises(OperatorError, match="vault/out does not answer there either") as raised:
            await changing
        assert raised.value.hint is not None
        assert "`doorctl reader speed /dev/ttyAMA0 9600 --find`" in raised.value.hint
        assert await standing(house) == {"vault/in": ("reading", 9600), "vault/out": ("offline", 9600)}
        gone.address = 2  # plugged in again, it is where it was told to be: nobody looks while another answers
        await house.wait(60.0)
        assert await standing(house) == {"vault/in": ("reading", 9600), "vault/out": ("offline", 9600)}
        hint = (
            "not heard at 9600 baud: power and cable; `doorctl reader scan /dev/ttyAMA0` finds it at another speed or "
            "address, while doord is stopped"
        )
        assert f"reader vault/out: {hint}" in lines(await house.status())
        (out,) = [one for one in (await house.ask("readers"))["readers"] if one["name"] == "vault/out"]
        assert f"  next: {hint}" in list(in_full(out))
        assert await change(house, 9600, find=True) == {**CHANGED, "baud": 9600}
        assert await standing(house) == dict.fromkeys(READERS, ("reading", 9600))

    play(story, config=with_vault())


def test_a_line_unplugged_half_way_is_found_at_whichever_speed_it_has(play: Play) -> None:
    async def story(house: House) -> None:
        changing = asyncio.ensure_future(change(house))
        await told(house)
        perform(house.doord.board, Osdp(reader="vault/in", line="unplug"))
        with pytest.raises(OperatorError, match="the line is at 9600 again, and nobody answers"):
            await changing
        await house.wait(30.0)
        perform(house.doord.board, Osdp(reader="vault/in", line="plug"))
        await house.wait(25.0)
        assert await standing(house) == dict.fromkeys(READERS, ("reading", 115_200))
        assert (await house.status())["faults"] == []

    play(story, config=with_vault())


def test_a_line_that_comes_back_at_once_has_changed(play: Play) -> None:
    async def story(house: House) -> None:
        changing = asyncio.ensure_future(change(house))
        await told(house)
        perform(house.doord.board, Osdp(reader="vault/in", line="unplug"))
        await house.wait(1.0)
        perform(house.doord.board, Osdp(reader="vault/in", line="plug"))
        assert await changing == CHANGED
        assert await standing(house) == dict.fromkeys(READERS, ("reading", 115_200))

    play(story, config=with_vault())


def test_what_cannot_be_done_changes_nothing(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(house: House, told: str, **request: Any) -> None:
        with pytest.raises(DoorctlError, match=told):
            await house.ask("reader-speed", **{"line": DEVICE, "baud": 115_200, **request})

    async def story(house: House) -> None:
        await refused(house, "there is no line '/dev/ttyUSB7' in doorctl.toml", line="/dev/ttyUSB7")
        for baud in (14_400, True, "9600", None):
            with pytest.raises(MalformedError, match="expected baud to be one of 9600, 19200, 38400"):
                await house.ask("reader-speed", line=DEVICE, baud=baud)
        with pytest.raises(MalformedError, match="expected find to be true or false"):
            await house.ask("reader-speed", line=DEVICE, baud=9600, find=1)
        monkeypatch.setattr(wall(house), "set_speed", unknown)
        await refused(house, "the port does not run at 115200 baud; nothing was changed")
        monkeypatch.undo()
        changing = asyncio.ensure_future(change(house, 38_400))
        await told(house)
        await refused(house, "/dev/ttyAMA0: is being taken to another speed")
        with pytest.raises(OperatorError, match="is being taken to another speed"):
            await house.ask("reader-rekey", door="vault/in")
        await changing
        house.doord.board.made_up["vault/out"].address = 99
        await house.wait(10.0)
        await refused(house, "not online, and would stay behind: vault/out; the speed was not changed")
        assert line_of(house).bus.baud == 38_400

    def unknown(baud: int) -> None:
        if baud == 115_200:
            raise OSError("115200 baud: the port runs at another speed")

    play(story, config=with_vault())


@pytest.mark.parametrize("baud", [9600, 57_600])
def test_strays_at_other_speeds_are_found_and_taken_along(play: Play, baud: int) -> None:
    async def story(house: House) -> None:
        await change(house, 38_400)
        for name, other in (("vault/in", 9600), ("vault/out", 230_400)):
            house.doord.board.made_up[name].baud = other
        await house.wait(10.0)
        assert await standing(house) == dict.fromkeys(READERS, ("offline", 38_400))
        assert await change(house, baud, find=True) == {**CHANGED, "was": 38_400, "baud": baud}
        assert await standing(house) == dict.fromkeys(READERS, ("reading", baud))

    play(story, config=with_vault())


def test_a_reader_that_is_nowhere_keeps_the_line_at_its_speed(play: Play) -> None:
    async def story(house: House) -> None:
        house.doord.board.made_up["vault/out"].address = 99
        await house.wait(10.0)
        begun = house.now
        with pytest.raises(OperatorError, match="would stay behind: vault/out; the speed was not changed") as raised:
            await change(house, find=True)
        assert raised.value.hint == "power and cable; a reader that is gone for good goes out of doorctl.toml first"
        assert house.now - begun < 20_000_000_000
        assert await standing(house) == {"vault/in": ("reading", 9600), "vault/out": ("offline", 9600)}

    play(story, config=with_vault())


async def started(site: MadeSite, paths: Paths, loop: VirtualLoop, baud: int | None) -> House:
    """Its readers are at another speed than the file says."""
    house = House(site, paths, with_vault(), loop)
    await house.start()
    for name in READERS:
        house.doord.board.made_up[name].baud = baud
    return house


@pytest.mark.parametrize("baud", [38_400, 115_200, 230_400])
def test_readers_at_another_speed_than_the_file_says_are_found_at_start(
    site: MadeSite, paths: Paths, loop: VirtualLoop, baud: int
) -> None:
    async def story() -> None:
        house = await started(site, paths, loop, baud)
        try:
            await house.wait(9.0)
            assert line_of(house).bus.baud == 9600
            await house.wait(15.0)
            assert await standing(house) == dict.fromkeys(READERS, ("reading", baud))
            assert [line for line in lines(await house.status()) if line.startswith("SPEED: ")] != []
        finally:
            await house.stop()

    loop.run_until_complete(story())


def test_a_search_in_vain_ends_at_the_lines_own_speed(site: MadeSite, paths: Paths, loop: VirtualLoop) -> None:
    async def story() -> None:
        house = await started(site, paths, loop, None)
        wall(house).cut = True
        try:
            await house.wait(120.0)
            assert line_of(house).bus.baud == 9600
            wall(house).cut = False
            await house.wait(2.0)
            assert await standing(house) == dict.fromkeys(READERS, ("reading", 9600))
        finally:
            await house.stop()

    loop.run_until_complete(story())


def test_whoever_installs_a_reader_is_not_disturbed_by_the_search(
    site: MadeSite, paths: Paths, loop: VirtualLoop
) -> None:
    async def story() -> None:
        house = await started(site, paths, loop, None)
        wall(house).cut = True
        try:
            await house.wait(12.0)
            assert line_of(house).bus.baud != 9600
            with pytest.raises(OperatorError, match="nobody answers"):
                await house.ask("reader-who", door="vault/in")
            assert line_of(house).bus.baud == 9600
            await house.wait(60.0)
            assert line_of(house).bus.baud == 9600
        finally:
            await house.stop()

    loop.run_until_complete(story())
