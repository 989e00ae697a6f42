"""One door's strike and inputs: the way out waits for nothing, and what settles counts from when it did."""

import pytest

from doorctl.core.inputs import REX_THRESHOLD
from doorctl.core.types import MS, SECOND, DoorName
from doorctl.wire.detail import DoorDetail, DoorHappening, FaultCode, FaultDetail
from doorctl.wire.record import Kind
from hal.mock_commands import Fault
from hal.mock_drive import perform
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import CONTACTS, RELEASED, REXES, STRIKES, TAMPER
from tests.doord.site import config as doors


def told(house: House) -> list[tuple[str, str]]:
    return [(row.event, row.detail) for row in house.log() if row.event in ("door", "tamper")]


def state(house: House, door: str) -> str:
    return house.doord.doors[DoorName(door)].machine.status.state


@pytest.mark.parametrize("hindrance", ["nothing", "disk", "roster", "courier", "lockdown", "an answer that is due"])
def test_a_rex_releases_at_once_whatever_else_is_wrong(play: Play, hindrance: str) -> None:
    async def story(house: House) -> None:
        match hindrance:
            case "disk":
                house.loop.stall("journal", 60 * SECOND)
            case "roster":
                house.paths.roster.unlink()
            case "courier":
                house.courier.leave()
            case "lockdown":
                await house.ask("lockdown", on=True)
            case "an answer that is due":
                ana = house.site.people["ana"]
                house.loop.threads["stretch"].next_takes = 5 * SECOND
                await house.enter("front", ana.card, "12345670")
        pressed = house.now
        await house.rex("front")
        (released,) = [at for at in house.releases("front") if at >= pressed]
        assert released - pressed == REX_THRESHOLD, "what tells a press from a bounce, and no more"

    play(story)


def test_a_bounce_is_no_press_and_a_held_button_is_one(play: Play) -> None:
    async def story(house: House) -> None:
        for _ in range(5):
            house.input(REXES["front"], False)
            await house.wait(0.02)
            house.input(REXES["front"], True)
            await house.wait(0.2)
        assert house.releases("front") == []
        house.input(REXES["front"], False)
        await house.wait(20)
        assert len(house.releases("front")) == 1
        house.input(REXES["front"], True)
        await house.wait(1)
        await house.rex("front")
        assert len(house.releases("front")) == 2

    play(story)


def test_a_door_that_is_forced_is_told_and_sounds(play: Play) -> None:
    async def story(house: House) -> None:
        house.leaf("front", open_=True)
        await house.wait(1)
        assert state(house, "front") == "forced open"
        house.leaf("front", open_=False)
        await house.wait(1)
        assert told(house) == [("door", "forced open"), ("door", "closed")]
        records = [house.monitor.open(record)[1] for record in house.courier.records()]
        happened = [(body.door, DoorDetail.parse(body.detail).happening) for body in records if body.kind is Kind.DOOR]
        assert happened == [("front", DoorHappening.FORCED_OPEN), ("front", DoorHappening.CLOSED)]

    play(story)


def test_a_door_held_open_warns_and_then_tells(play: Play) -> None:
    async def story(house: House) -> None:
        await house.rex("front")
        house.leaf("front", open_=True)
        opened = house.now
        await house.wait(9)
        house.leaf("front", open_=False)
        await house.wait(1)
        walls = {row.detail: row.wall - house.loop.wall_at_begin for row in house.log() if row.event == "door"}
        begin = opened - 1000 * SECOND + 100 * MS  # the contact's debounce
        assert walls["pre-alarm"] == begin + 5 * SECOND
        assert walls["held open"] == begin + 8 * SECOND
        assert list(walls) == ["pre-alarm", "held open", "closed"]

    play(story)


def test_the_strike_secures_when_the_door_opens_if_it_shall(play: Play) -> None:
    async def story(house: House) -> None:
        for door in ("front", "office"):  # the office does not re-lock on open
            await house.rex(door)
            house.leaf(door, open_=True)
            await house.wait(0.5)
        assert (house.released("front"), house.released("office")) == (False, True)

    play(story)


def test_a_door_found_open_was_not_forced(play: Play) -> None:
    async def story(house: House) -> None:
        house.leaf("front", open_=True)
        await house.wait(1)
        await house.restart()
        await house.wait(1)
        assert state(house, "front") == "open"
        assert told(house) == [("door", "forced open")], "before, and not again"

    play(story)


def test_a_tamper_that_is_there_at_the_start_is_told(play: Play) -> None:
    """Who opens the housing while the power is off is seen when it is on again."""

    async def story(house: House) -> None:
        await house.stop()
        house._levels[TAMPER] = True
        await house.start()
        await house.wait(1)
        assert told(house) == [("tamper", "began")]
        assert "tamper front: active" in (await house.status())["faults"]
        house.input(TAMPER, False)
        await house.wait(1)
        assert told(house) == [("tamper", "began"), ("tamper", "ended")]
        records = [house.monitor.open(one.record)[1] for one in house.doord.journal.pending(2)][::-1]
        assert [(body.door, FaultDetail.parse(body.detail)) for body in records] == [
            ("front", FaultDetail(code=FaultCode.TAMPER, began=True)),
            ("front", FaultDetail(code=FaultCode.TAMPER, began=False)),
        ]

    play(story, courier=False)


def test_an_input_that_cannot_be_read_at_the_start_is_a_fault(play: Play) -> None:
    async def story(house: House) -> None:
        unit = house.doord.doors[DoorName("front")]
        perform(house.doord.board, Fault(fault="gone"))
        for number in (0, 1):
            unit._look(unit._inputs[number])  # as start() does
        assert [fault.partition(":")[0] for fault in (await house.status())["faults"]] == ["input front"]
        house.leaf("front", open_=True)
        perform(house.doord.board, Fault(fault="clear"))
        await house.wait(2)
        assert (await house.status())["faults"] == [], "it can be read again"
        assert (await house.status())["doors"][0]["leaf"] == "forced open", "and it was read"

    play(story)


@pytest.mark.parametrize("door", STRIKES)
def test_a_strike_is_secured_from_its_first_moment_to_its_last(play: Play, door: str) -> None:
    async def story(house: House) -> None:
        await house.ask("unlock", door=door, seconds=60)
        await house.stop()
        moves = [level for _, level, _ in house.outputs(STRIKES[door])]
        assert moves == [not RELEASED[door], RELEASED[door], not RELEASED[door], None]
        await house.start()

    play(story)


def test_an_unlock_schedule_rules_until_an_order_does(play: Play) -> None:
    async def story(house: House) -> None:
        assert house.released("office"), "it is ten in the morning"
        await house.ask("lockdown", on=True)
        assert not house.released("office")
        await house.ask("lockdown", on=False)
        assert house.released("office")
        house.loop.set_wall(house.loop.wall + 9 * 3600 * SECOND)
        await house.wait(1.5)
        assert not house.released("office")
        assert told(house) == [("door", "unlocked"), ("door", "locked")] * 2

    play(story, config=doors(office='unlock = "hours"\n'))


def test_a_door_whose_time_is_unknown_is_not_unlocked_by_its_schedule(play: Play) -> None:
    async def story(house: House) -> None:
        assert house.released("office")
        house.courier.monitor_offset = 7200 * SECOND
        await house.ask("test-alarm", wait_s=1)
        await house.wait(1.5)
        assert not house.doord.clock.trusted
        assert not house.released("office")

    play(story, config=doors(office='unlock = "hours"\n'))


def test_a_chip_that_is_gone_is_a_fault_of_every_strike_that_moves(play: Play) -> None:
    async def story(house: House) -> None:
        house.breaks(STRIKES["side"], unwritable=True)
        await house.enter("side", house.site.people["ana"].card, None)
        await house.wait(0.5)
        assert [fault.partition(":")[0] for fault in (await house.status())["faults"]] == ["strike side"]
        row = house.log()[-1]
        assert (row.event, row.door) == ("fault", "side")
        house.breaks(STRIKES["side"], unwritable=False)
        await house.wait(1.5)
        assert house.released("side"), "told again while it is to be released"

    play(story)


def test_a_storm_on_an_input_takes_nothing_from_the_others(play: Play) -> None:
    async def story(house: House) -> None:
        perform(house.doord.board, Fault(fault="noise", pin=CONTACTS["front"], count=2000, edges_per_s=20_000))
        house._plan()
        await house.wait(0.5)
        await house.rex("office")
        assert house.released("office")
        await house.wait(3)
        ana = house.site.people["ana"]
        await house.enter("front", ana.card, ana.code)
        await house.wait(0.5)
        assert house.released("front")

    play(story)
