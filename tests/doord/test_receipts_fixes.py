"""Receipts that come late or early, and what is offered first after a courier's restart."""

import asyncio

from doorctl.core.types import SECOND
from doorctl.doord import clock
from doorctl.doord.drafts import Draft
from doorctl.wire.handoff import Type
from doorctl.wire.record import Kind
from tests.doord.conftest import Play
from tests.doord.house import House


async def batch(house: House, most: int = 64) -> list[bytes]:
    house.courier.heard.clear()
    house.courier.say(Type.BACKLOG_WANTED, most.to_bytes(2, "big"))
    await house.wait(0.1)
    return house.courier.records(Type.BACKLOG)


async def many(house: House, count: int) -> None:
    for _ in range(count):
        house.recorder.record(Draft(kind=Kind.TEST, detail=bytes(16)))
    await house.wait(2)


def test_what_was_made_while_the_courier_was_away_comes_before_the_rest_of_the_pass(play: Play) -> None:
    async def story(house: House) -> None:
        await many(house, 300)
        house.courier.receipts = False
        await house.courier.connect(house.paths.courier_socket)
        offered = await batch(house)
        house.courier.leave()
        await house.wait(0.2)
        made = house.recorder.record(Draft(kind=Kind.TEST, detail=bytes(16)))
        await house.wait(0.2)
        await house.courier.connect(house.paths.courier_socket)
        first = await batch(house)
        assert first[0] == made.record
        offered += first
        while len(offered) < house.recorder.pending:
            offered += await batch(house)
        assert len(offered) == len(set(offered)) == house.recorder.pending

    play(story, courier=False)


def test_a_late_receipt_contradicts_no_clock(play: Play) -> None:
    async def story(house: House) -> None:
        house.courier.receipts = False

        def late(record: bytes) -> None:
            receipt = house.monitor.receipt(record, monitor_time=clock.wall() - SECOND)
            asyncio.get_running_loop().call_later(59.5, house.courier.say, Type.RECEIPT, receipt)

        house.courier.on_record = late
        house.recorder.record(Draft(kind=Kind.TEST, detail=bytes(16)))
        await house.wait(65)
        assert (await house.status())["time_trusted"]
        assert house.recorder.status.receipted is not None

    play(story)


def test_a_receipt_before_the_disk_counts_when_the_record_is_there(play: Play) -> None:
    async def story(house: House) -> None:
        house.loop.threads["journal"].disk_takes_nothing = True
        house.recorder.record(Draft(kind=Kind.TEST, detail=bytes(16)))
        await house.wait(2)
        assert house.recorder.waiting == 2
        house.loop.threads["journal"].disk_takes_nothing = False
        await house.wait(5)
        left = [one.sequence for one in house.doord.journal.pending(100)]
        assert left == [1], "START alone, made before the courier came"
        assert house.doord.receipts.for_nothing == 0

    play(story)
