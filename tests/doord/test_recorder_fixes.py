"""Memory while the disk fails: what gives way and that it is said, what the courier is given, what has no place."""

import shutil

import pytest

from doorctl.core.types import Outcome, Reason
from doorctl.doord import clock
from doorctl.doord import recorder as recorder_module
from doorctl.doord.drafts import Draft
from doorctl.doord.recorder import MOST_KEPT
from doorctl.journal.rows import LogRow
from doorctl.paths import Paths
from doorctl.wire.detail import LossDetail
from doorctl.wire.handoff import Type
from doorctl.wire.record import Flag, Header, Kind, Sequence, parse_header
from tests.doord.conftest import Play
from tests.doord.house import House, running
from tests.doord.site import MadeSite
from tests.doord.virtual import VirtualLoop

MOST = 50


def wrong_code(**other: object) -> Draft:
    log = LogRow(wall=clock.wall(), event="access")
    return Draft(kind=Kind.ACCESS, outcome=Outcome.DENIED, reason=Reason.NO_MATCH, log=log, **other)  # type: ignore[arg-type]  # a field's own type


def matched(number: int = 0) -> Draft:
    log = LogRow(wall=clock.wall(), event="access", detail=f"matched {number}")
    return Draft(
        kind=Kind.ACCESS, outcome=Outcome.GRANTED, reason=Reason.MATCHED, flags=Flag.MATCHED, door="front", log=log
    )  # fmt: skip


def disk(house: House, *, works: bool) -> None:
    house.loop.threads["journal"].disk_takes_nothing = not works


def in_journal(house: House) -> list[bytes]:
    return [one.record for one in house.doord.journal.pending(10_000)][::-1]


async def fill(house: House, *drafts: Draft) -> None:
    """More than memory has room for, on top of `drafts`; then the disk is back."""
    disk(house, works=False)
    for draft in drafts:
        house.recorder.record(draft)
    for _ in range(MOST + 20):
        house.recorder.record(wrong_code())
    await house.wait(3)
    assert house.recorder.waiting <= MOST


def test_a_matched_record_outlives_unmatched_ones(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MOST_UNSTORED", MOST)

    async def story(house: House) -> None:
        await fill(house, matched())
        gone = house.recorder.gave_way
        assert (await house.status())["faults"] == [f"storage: the disk does not answer; {gone} records gave way"]
        disk(house, works=True)
        await house.wait(5)
        assert [row.detail for row in house.log() if row.detail.startswith("matched")] == ["matched 0"]
        assert (await house.status())["faults"] == [f"storage: {gone} records gave way"]

    play(story, courier=False)


def test_what_gave_way_is_declared_number_by_number(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MOST_UNSTORED", MOST)

    async def story(house: House) -> None:
        await fill(house, *(matched(number) for number in range(5)))
        disk(house, works=True)
        await house.wait(5)
        opened = [house.monitor.open(record) for record in in_journal(house)]
        losses = [LossDetail.parse(body.detail) for _, body in opened if body.kind is Kind.LOSS]
        assert (sum(loss.unmatched for loss in losses), sum(loss.matched for loss in losses)) == (
            house.recorder.gave_way, 0
        )  # fmt: skip
        named = {number for loss in losses for lost in loss.ranges for number in range(lost.first, lost.last + 1)}
        there = {header.sequence for header, _ in opened}
        assert named == set(range(1, house.recorder.sequence + 1)) - there

    play(story, courier=False)


def test_a_lockout_outlives_its_record(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MOST_UNSTORED", MOST)

    async def story(house: House) -> None:
        await fill(house, wrong_code(lockouts={b"key": {"wrong": 3}}))
        assert house.recorder.gave_way
        disk(house, works=True)
        await house.wait(5)
        assert house.doord.journal.load_lockouts()[b"key"] == {"wrong": 3}

    play(story, courier=False)


def test_a_courier_is_given_what_it_has_room_for_and_once(play: Play) -> None:
    """More than a socket takes at once: newest and matched first, and the courier stays."""

    async def story(house: House) -> None:
        house.courier.receipts = False
        disk(house, works=False)
        house.recorder.record(matched())
        await house.wait(1)
        for _ in range(700):
            house.recorder.record(wrong_code())
        await house.wait(2)
        await house.courier.connect(house.paths.courier_socket)
        await house.wait(5)
        assert house.courier.connected
        assert house.doord.link.counters.not_read == 0
        held: list[Header] = [parse_header(record) for record in house.courier.records(Type.HOLD)]
        assert len(held) == len(set(held)) == MOST_KEPT
        weighty = [header.sequence for header in held if header.sequence < house.recorder.sequence - MOST_KEPT]
        assert len(weighty) == 2  # the matched one, and the beginning of the fault
        assert max(header.sequence for header in held) == house.recorder.sequence
        disk(house, works=True)
        await house.wait(5)

    play(story, courier=False)


def test_as_the_monitor_takes_them_the_courier_is_given_more(play: Play) -> None:
    async def story(house: House) -> None:
        disk(house, works=False)
        for _ in range(700):
            house.recorder.record(wrong_code())
        await house.wait(2)
        await house.courier.connect(house.paths.courier_socket)
        await house.wait(10)
        assert house.doord.link.counters.connections == 1
        assert len(set(house.courier.records(Type.HOLD))) == 701
        disk(house, works=True)
        await house.wait(5)

    play(story, courier=False)


def test_a_record_with_no_place_but_memory_is_told(play: Play) -> None:
    async def story(house: House) -> None:
        disk(house, works=False)
        ana = house.site.people["ana"]
        await house.enter("front", ana.card, ana.code)
        await house.wait(1)
        assert len(house.releases("front")) == 1
        assert house.recorder.nowhere == 1
        assert (await house.status())["faults"] == [
            "storage: the disk does not answer",
            "storage and courier: 1 record had no place but memory when a door answered",
        ]
        disk(house, works=True)
        await house.wait(5)
        assert (await house.status())["faults"] == []

    play(story, courier=False)


@pytest.mark.parametrize("in_the_way", ["", ".lock"])
def test_doord_starts_on_a_disk_that_fails(site: MadeSite, paths: Paths, loop: VirtualLoop, in_the_way: str) -> None:
    """People get in, the courier has every record, START first; and all of it is journaled once the disk works."""
    obstacle = paths.journal.with_name(paths.journal.name + in_the_way)
    obstacle.mkdir(parents=True)

    async def story() -> None:
        async with running(site, paths, loop) as house:
            assert (await house.status())["faults"] == ["storage: the disk does not answer"]
            ana = house.site.people["ana"]
            await house.enter("front", ana.card, ana.code)
            await house.wait(2)
            assert len(house.releases("front")) == 1
            held = [house.monitor.open(record) for record in house.courier.records(Type.HOLD)]
            kinds = {header.sequence: body.kind for header, body in held}
            assert (kinds[Sequence(1)], kinds[Sequence(2)]) == (Kind.START, Kind.FAULT)
            assert Kind.ACCESS in kinds.values()
            assert all(body.flags & Flag.STORAGE_FAULT for _, body in held)
            assert house.recorder.nowhere == 0
            shutil.rmtree(obstacle)
            await house.wait(5)
            assert (await house.status())["faults"] == []
            status = house.doord.journal.status()
            assert status.head is not None
            assert status.head.sequence == house.recorder.sequence
            assert [row.event for row in house.log()][:2] == ["start", "fault"]
            assert [row.detail for row in house.log() if row.event == "fault"][-1] == "storage works again"

    loop.run_until_complete(story())
