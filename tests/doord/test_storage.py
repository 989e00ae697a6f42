"""A disk that stalls or is full: the door answers in time, says what is wrong, and nothing is lost.

Times are counted from the slot, where the decision is made (doorctl/doord/answer.py).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.core.types import MS, SECOND, Outcome, Reason
from doorctl.doord.answer import ANSWER_BOUND, COMMIT_ALLOWANCE, COMMIT_BOUND
from doorctl.journal.journal import Journal
from doorctl.wire.detail import FaultCode, FaultDetail
from doorctl.wire.handoff import Type
from doorctl.wire.record import Body, Flag, Kind, record_hash
from tests.doord.conftest import Play
from tests.doord.house import House, running
from tests.doord.site import MadeSite
from tests.doord.virtual import VirtualLoop
from tests.small_disk import mounted

STALL = 2 * SECOND
BOUND = 200 * MS
"""Done-when 4 of the issue: from decision to answer."""


def bodies(house: House, *types: Type) -> list[Body]:
    return [house.monitor.open(record)[1] for record in house.courier.records(*types)]


async def decided(house: House) -> tuple[int, int]:
    """Ana's card and code at the front door: (when it was decided, when the strike moved)."""
    ana = house.site.people["ana"]
    last_key = await house.enter("front", ana.card, ana.code)
    before = len(house.releases("front"))
    await house.wait(0.5)
    released = house.releases("front")
    assert len(released) == before + 1
    return last_key + house.doord.times.code_work, released[-1]


def break_disk(house: House, how: str) -> None:
    house.courier.heard.clear()
    match how:
        case "stalls":
            house.loop.stall("journal", STALL + 2 * SECOND)  # typing takes most of the 2 s
        case _:
            house.loop.threads["journal"].disk_takes_nothing = True


def mend_disk(house: House) -> None:
    house.loop.threads["journal"].disk_takes_nothing = False


async def until_stored(house: House) -> None:
    mend_disk(house)
    await house.wait(5)
    assert house.recorder.waiting == 0


def test_a_disk_that_works_is_waited_for(play: Play) -> None:
    async def story(house: House) -> None:
        slot, released = await decided(house)
        assert released == slot + COMMIT_ALLOWANCE
        fresh = [heard for heard in house.courier.heard if heard.at >= slot]
        assert [(heard.type, heard.at) for heard in fresh] == [(Type.FRESH, slot + 3 * MS)]  # the commit's end
        assert (await house.status())["faults"] == []

    play(story)


@pytest.mark.parametrize("how", ["stalls", "takes nothing"])
def test_the_courier_keeps_what_the_disk_does_not(play: Play, how: str) -> None:
    async def story(house: House) -> None:
        house.courier.receipts = False
        break_disk(house, how)
        slot, released = await decided(house)
        assert slot + COMMIT_BOUND <= released <= slot + BOUND
        held = next(heard for heard in house.courier.heard if heard.type is Type.HOLD and heard.at > slot)
        assert held.at <= released
        assert (await house.status())["faults"] == ["storage: the disk does not answer"]
        assert house.log()[-1].event == "roster", "the disk has nothing yet"
        await until_stored(house)
        await arrived_and_recorded(house)

    play(story)


async def arrived_and_recorded(house: House) -> None:
    """One grant, the fault's beginning and end: at the courier, and in the journal."""
    assert (await house.status())["faults"] == []
    access = [body for body in bodies(house) if body.kind is Kind.ACCESS]
    assert {(body.outcome, body.reason) for body in access} == {(Outcome.GRANTED, Reason.MATCHED)}
    rows = [(row.event, row.outcome, row.detail) for row in house.log() if row.event in ("access", "fault")]
    assert rows == [
        ("access", Outcome.GRANTED, ""),
        ("fault", Outcome.NONE, "storage fault"),
        ("fault", Outcome.NONE, "storage works again"),
    ]
    faults = {FaultDetail.parse(body.detail) for body in bodies(house) if body.kind is Kind.FAULT}
    assert faults == {
        FaultDetail(code=FaultCode.STORAGE, began=True),
        FaultDetail(code=FaultCode.STORAGE, began=False),
    }
    stored = [one.record for one in house.doord.journal.pending(100)]
    assert {record_hash(record) for record in house.courier.records()} <= {record_hash(record) for record in stored}


@pytest.mark.parametrize("how", ["stalls", "takes nothing"])
@pytest.mark.parametrize("courier", ["away", "mute"])
def test_without_disk_and_courier_the_door_answers_and_says_so(play: Play, how: str, courier: str) -> None:
    async def story(house: House) -> None:
        if courier == "mute":
            house.courier.keeps = house.courier.receipts = False
            await house.courier.connect(house.paths.courier_socket)
        break_disk(house, how)
        slot, released = await decided(house)
        expected = ANSWER_BOUND if courier == "mute" else COMMIT_BOUND
        assert released == slot + expected < slot + BOUND
        status = await house.status()
        assert status["faults"] == [
            "storage: the disk does not answer",
            "storage and courier: 1 record had no place but memory when a door answered",
        ]
        assert status["path"]["state"] == ("no courier" if courier == "away" else "connected")
        assert status["spool"]["waiting_for_disk"] == 2  # the grant and the fault
        await until_stored(house)
        assert (await house.status())["spool"]["waiting_for_disk"] == 0
        if courier == "away":
            await house.courier.connect(house.paths.courier_socket)
        house.courier.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
        await house.wait(0.1)
        offered = [body for body in bodies(house, Type.BACKLOG) if body.kind is Kind.ACCESS]
        assert [(body.outcome, body.flags & Flag.MATCHED) for body in offered] == [(Outcome.GRANTED, Flag.MATCHED)]

    play(story, courier=False)


@pytest.mark.parametrize("how", ["stalls", "takes nothing"])
def test_the_strike_waits_for_commit_or_kept_or_the_bound(play: Play, how: str) -> None:
    """At the moment of release, the record is on the disk, or kept, or the bound is over: looked at, each time."""

    async def story(house: House) -> None:
        for hindered in (False, True, False):
            (break_disk if hindered else lambda h, _: mend_disk(h))(house, how)
            slot, released = await decided(house)
            committed = not hindered
            kept = any(heard.type is Type.HOLD and slot < heard.at <= released for heard in house.courier.heard)
            assert committed or kept or released >= slot + COMMIT_BOUND
            await until_stored(house)

    play(story)


def test_denials_wait_alike(play: Play) -> None:
    async def story(house: House) -> None:
        ana, ben = house.site.people["ana"], house.site.people["ben"]
        answers = []
        for card, code in ((ana.card, ana.code), (ben.card, ben.code), (ana.card, "12345670")):
            break_disk(house, "stalls")
            last_key = await house.enter("front", card, code)
            await house.wait(0.5)
            beeps = [at for _, level, at in house.outputs("GPIO7") if level and at > last_key]
            answers.append(beeps[0] - last_key)
            await until_stored(house)
        assert len(set(answers)) == 1

    play(story)


def test_a_new_courier_is_offered_what_the_old_one_kept(play: Play) -> None:
    async def story(house: House) -> None:
        house.courier.receipts = False
        break_disk(house, "takes nothing")
        await decided(house)
        house.courier.leave()
        await house.wait(0.1)
        house.courier.heard.clear()
        await house.courier.connect(house.paths.courier_socket)
        await house.wait(1.5)
        offered = [body for body in bodies(house) if body.kind is Kind.ACCESS]
        assert [body.outcome for body in offered] == [Outcome.GRANTED]

    play(story)


def test_what_the_disk_has_not_is_never_called_journaled(play: Play) -> None:
    """FRESH means that the journal has it: a courier that loses doord forgets it then. So none is, before it is."""

    async def story(house: House) -> None:
        house.courier.receipts = False
        break_disk(house, "takes nothing")
        await decided(house)
        house.leaf("front", open_=True)
        await house.wait(1)
        await house.rex("office")
        stored = {one.hash for one in house.doord.journal.pending(100)}
        assert {record_hash(record) for record in house.courier.records(Type.FRESH)} <= stored
        assert house.courier.records(Type.HOLD)

    play(story)


def test_a_receipt_may_come_before_the_disk(play: Play) -> None:
    async def story(house: House) -> None:
        break_disk(house, "takes nothing")
        await decided(house)
        assert house.recorder.pending > 0
        await until_stored(house)
        # marked only once it is there: until then it waits like all others, and a repeat brings a second receipt
        house.courier.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
        await house.wait(1)
        assert house.recorder.pending == 0

    play(story)


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    with mounted(folder / "small") as place:
        yield place


def test_a_disk_without_room(site: MadeSite, small_disk: Path, loop: VirtualLoop) -> None:
    paths = site.copy(small_disk / "h")

    async def story() -> None:
        async with running(site, paths, loop) as house:
            ballast = small_disk / "ballast"
            free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            ballast.write_bytes(bytes(free))
            slot, released = await decided(house)
            assert slot + COMMIT_BOUND <= released <= slot + BOUND
            assert (await house.status())["faults"] == ["storage: the disk does not answer"]
            ballast.unlink()
            await house.wait(5)
            assert (await house.status())["faults"] == []
            assert [row.outcome for row in house.log() if row.event == "access"] == [Outcome.GRANTED]

    loop.run_until_complete(story())
    with Journal.open(paths.journal) as journal:
        assert journal.recovered is None
