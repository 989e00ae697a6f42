"""A door whose REX and contact are wired to its OSDP reader: they count as wired ones do, and only while it is heard."""

from typing import Final

import pytest

from doorctl.config.reading import parse_config
from doorctl.config.types import Config
from doorctl.core.door import Door, DoorPolicy
from doorctl.core.types import SECOND, DoorName, Duration, Outcome
from doorctl.doord.door_unit import LOOKS_UNHEARD, DoorUnit
from doorctl.errors import OperatorError
from doorctl.wire.detail import DoorDetail, DoorHappening, FaultCode, FaultDetail, parse_detail
from doorctl.wire.record import Kind
from hal.events import Monotonic
from hal.mock_commands import Osdp
from hal.mock_drive import perform
from hal.osdp.inputs import OsdpInput
from hal.ports import StrikeType
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import DOORS, MadeSite

VAULT: Final = """\
[door.vault]
strike  = { pin = "GPIO21", type = "fail-secure", release_s = 3 }
egress  = "mechanical"
rex     = { input = 0, reader = "in" }
contact = { input = 1, reader = "in" }
held_open_s = 60
[door.vault.readers]
in  = { osdp = "/dev/ttyAMA0", address = 1, mode = "card+code", baud = 38400 }
out = { osdp = "/dev/ttyAMA0", address = 2, mode = "card", baud = 38400 }

[schedule.hours]
"""
REX: Final = 0
CONTACT: Final = 1
AWAY: Final = (
    "input vault: vault rex: reader vault/in is offline; vault contact: reader vault/in is offline"
)  # fmt: skip
OFFLINE: Final = "reader vault/in: offline"


def config(side: str = "") -> Config:
    text = DOORS.format(site="", front="", office="", side=side).replace("[schedule.hours]\n", VAULT)
    return parse_config(text.replace("[group.staff]\n", '[group.staff]\nvault  = "always"\n'), file="doorctl.toml")


def put(house: House, number: int, *, active: bool) -> None:
    perform(house.doord.board, Osdp(reader="vault/in", number=number, input=active))


async def leaf(house: House, *, open_: bool) -> None:
    """Its switch is closed while the leaf is."""
    put(house, CONTACT, active=not open_)
    await house.wait(0.5)


async def press(house: House, seconds: float = 0.5) -> None:
    put(house, REX, active=True)
    await house.wait(seconds)
    put(house, REX, active=False)
    await house.wait(0.5)


async def line(house: House, how: str) -> None:
    """The whole line's device, or its wires."""
    perform(house.doord.board, Osdp(reader="vault/in", line=how))  # type: ignore[arg-type]  # the tests' own words
    await house.wait({"cut": 10.0, "unplug": 1.0}.get(how, 7.0))


def releases(house: House) -> int:
    return [level for _, level, _ in house.outputs("GPIO21")].count(True)


def recorded(house: House) -> list[DoorHappening]:
    """What the monitor was told of the door itself, in order."""
    bodies = [house.monitor.open(record)[1] for record in house.courier.records()]
    details = [parse_detail(body.kind, body.detail) for body in bodies if body.door == "vault"]
    return [detail.happening for detail in details if isinstance(detail, DoorDetail)]


async def state(house: House) -> str:
    (found,) = [door for door in (await house.status())["doors"] if door["name"] == "vault"]
    return str(found["state"])


def vault(house: House) -> DoorUnit:
    return house.doord.doors[DoorName("vault")]


async def faults(house: House) -> list[str]:
    return list((await house.status())["faults"])


@pytest.mark.parametrize("order", [None, "lockdown"])
def test_a_press_at_the_reader_releases_also_in_lockdown(play: Play, order: str | None) -> None:
    async def story(house: House) -> None:
        await leaf(house, open_=False)
        if order:
            await house.ask(order, on=True)
        for times in (1, 2):
            await press(house, 0.4)
            assert releases(house) == times
            await leaf(house, open_=True)
            await leaf(house, open_=False)
            await house.wait(3.0)
        assert recorded(house) == []

    play(story, config=config())


def test_who_asks_and_opens_within_one_report_forces_nothing(play: Play) -> None:
    async def story(house: House) -> None:
        await leaf(house, open_=False)
        house.doord.board.made_up["vault/in"].inputs[REX] = 1
        await leaf(house, open_=True)
        assert (releases(house), await state(house), recorded(house)) == (1, "open", [])

    play(story, config=config())


def test_a_leaf_found_open_at_the_start_is_not_forced_and_still_held_open(play: Play) -> None:
    async def story(house: House) -> None:
        assert await state(house) == "open"
        await house.wait(70)
        assert await state(house) == "held open"
        await leaf(house, open_=False)
        assert recorded(house) == [DoorHappening.PRE_ALARM, DoorHappening.HELD_OPEN, DoorHappening.CLOSED]
        await leaf(house, open_=True)
        assert recorded(house)[3:] == [DoorHappening.FORCED_OPEN]

    play(story, config=config())


def test_a_door_that_is_forced_is_an_alarm_and_one_that_was_opened_for_somebody_is_none(
    play: Play, site: MadeSite
) -> None:
    async def story(house: House) -> None:
        await leaf(house, open_=False)
        ana = site.people["ana"]
        await house.enter("vault/in", ana.card, ana.code)
        await house.wait(1.0)
        await leaf(house, open_=True)
        await leaf(house, open_=False)
        assert recorded(house) == []
        await house.wait(3.0)
        await leaf(house, open_=True)
        assert (recorded(house), await state(house)) == ([DoorHappening.FORCED_OPEN], "forced open")
        bodies = [house.monitor.open(record)[1] for record in house.courier.records()]
        assert [body.outcome for body in bodies if body.kind is Kind.ACCESS] == [Outcome.GRANTED]

    play(story, config=config())


@pytest.mark.parametrize(("away", "back"), [("unplug", "plug"), ("cut", "mend")])
def test_a_reader_that_is_away_while_the_door_is_open_leaves_it_open(play: Play, away: str, back: str) -> None:
    async def story(house: House) -> None:
        await leaf(house, open_=False)
        await press(house)
        await leaf(house, open_=True)
        await line(house, away)
        assert {AWAY, OFFLINE} <= set(await faults(house))
        assert (await state(house), vault(house).at_rest) == ("open", False)
        await house.wait(70)
        assert recorded(house) == [DoorHappening.PRE_ALARM, DoorHappening.HELD_OPEN]
        await leaf(house, open_=False)
        assert await state(house) == "held open"
        await line(house, back)
        assert (await faults(house), await state(house)) == ([], "secured")
        assert recorded(house)[2:] == [DoorHappening.CLOSED]
        assert releases(house) == 1
        bodies = [house.monitor.open(record)[1] for record in house.courier.records()]
        told = [parse_detail(body.kind, body.detail) for body in bodies if body.door == "vault/in"]
        assert told == [FaultDetail(code=FaultCode.READER, began=began) for began in (True, False)]

    play(story, config=config())


@pytest.mark.parametrize("asked", [False, True], ids=["told at a poll", "asked for"])
def test_a_door_that_was_opened_while_its_reader_was_away_is_found_forced(play: Play, asked: bool) -> None:
    async def story(house: House) -> None:
        await leaf(house, open_=False)
        await line(house, "unplug")
        await leaf(house, open_=True)
        if asked:
            perform(house.doord.board, Osdp(reader="vault/in", power="cycle"))
        assert (await state(house), AWAY in await faults(house), recorded(house)) == ("secured", True, [])
        await line(house, "plug")
        assert (await state(house), recorded(house)) == ("forced open", [DoorHappening.FORCED_OPEN])

    play(story, config=config())


def test_nothing_that_a_line_does_releases_and_a_button_that_hangs_releases_once(play: Play) -> None:
    async def story(house: House) -> None:
        await leaf(house, open_=False)
        put(house, REX, active=True)
        await house.wait(5.0)
        for away, back in (("unplug", "plug"), ("cut", "mend"), ("unplug", "plug")):
            await line(house, away)
            await line(house, back)
        perform(house.doord.board, Osdp(reader="vault/in", power="cycle"))
        await house.wait(5.0)
        assert (releases(house), await faults(house)) == (1, [])
        put(house, REX, active=False)
        await house.wait(0.5)
        await press(house)
        assert releases(house) == 2

    play(story, config=config())


def test_an_interlock_believes_no_door_that_nobody_sees(play: Play) -> None:
    async def story(house: House) -> None:
        await leaf(house, open_=False)
        await line(house, "unplug")
        assert await state(house) == "secured"
        with pytest.raises(OperatorError, match="side: interlocked with vault, which is not known to be closed"):
            await house.ask("unlock", door="side", seconds=5)
        house.card("side", house.site.people["gus"].card)
        await house.wait(1.0)
        assert not house.released("side")
        await line(house, "plug")
        house.card("side", house.site.people["gus"].card)
        await house.wait(1.0)
        assert house.released("side")

    play(story, config=config('interlock = ["vault"]\n'))


def test_a_reader_with_fewer_inputs_is_a_fault_that_is_logged_once(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(house: House) -> None:
        assert await faults(house) == []
        house.doord.board.made_up["vault/in"].inputs = bytearray(1)
        await line(house, "unplug")
        await line(house, "plug")
        assert await faults(house) == ["input vault: vault contact: reader vault/in has no input 1, only 1"]
        logged = len(caplog.records)
        await house.wait(30)
        assert len(caplog.records) == logged

    play(story, config=config())


def test_a_reader_that_is_there_and_never_tells_is_a_fault_after_a_while(play: Play) -> None:
    async def story(house: House) -> None:
        told: list[tuple[str, str | None]] = []
        second, held = Duration(SECOND), Duration(9 * SECOND)
        policy = DoorPolicy(release=second, relock_on_open=True, contact=True, held_open=held, pre_alarm=second)
        unit = DoorUnit(
            name=DoorName("cellar"), machine=Door(policy), recorder=house.recorder,
            strike=house.doord.board.strike(pin="GPIO26", strike_type=StrikeType.FAIL_SECURE),
            fault=lambda name, text: told.append((name, text)),
        )  # fmt: skip
        silent = OsdpInput("cellar contact")
        unit.add_contact(silent, open_at_start=None)
        unit.start()
        for _ in range(LOOKS_UNHEARD - 1):
            unit.look_again()
        assert (unit.at_rest, told) == (False, [("strike cellar", None)])
        unit.look_again()
        assert told[1:] == [("input cellar", "cellar contact: its reader has not told it yet")]
        silent.reported(Monotonic(house.now), level=False)
        assert told[2:] == [("input cellar", None)]
        assert unit.at_rest
        unit.close()

    play(story)
