"""Receipts: what the monitor did not say of a record that is here changes nothing; what it did say is never lost."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorctl.core.types import SECOND, WallTime
from doorctl.doord.receipts import MOST_TAKEN
from doorctl.seal.receipts import receipt_signature_input
from doorctl.wire.handoff import Type
from doorctl.wire.receipt import Refusal, Status
from doorctl.wire.record import ControllerId, RecordHash, Sequence, parse_header, record_hash
from tests.doord.conftest import Play
from tests.doord.house import House

MINUTE = 60
TOLD = 9
"""Records of a first start: START, and one for each generation of the roster."""


async def unreceipted(house: House) -> list[bytes]:
    """Everything of the start, delivered and not yet receipted."""
    house.courier.receipts = False
    await house.courier.connect(house.paths.courier_socket)
    await house.wait(0.1)
    records = [one.record for one in house.doord.journal.pending(100)]
    assert len(records) == house.recorder.pending == TOLD
    return records


async def receive(house: House, *receipts: bytes) -> None:
    for receipt in receipts:
        house.courier.say(Type.RECEIPT, receipt)
    await house.wait(0.1)


async def backlog(house: House, most: int = 64) -> list[bytes]:
    house.courier.heard.clear()
    house.courier.say(Type.BACKLOG_WANTED, most.to_bytes(2, "big"))
    await house.wait(0.1)
    assert house.courier.heard[-1].type is Type.BACKLOG_END
    return house.courier.records(Type.BACKLOG)


def test_a_receipt_is_what_makes_a_record_forgotten(play: Play) -> None:
    async def story(house: House) -> None:
        first, *others = await unreceipted(house)
        await receive(house, house.monitor.receipt(first))
        assert [one.record for one in house.doord.journal.pending(100)] == others
        assert house.recorder.pending == TOLD - 1
        await receive(house, *(house.monitor.receipt(record) for record in others))
        assert house.recorder.pending == 0
        assert await backlog(house) == []

    play(story, courier=False)


def strange(house: House, record: bytes, how: str) -> bytes:
    """A receipt that is none, in one of many ways."""
    good = house.monitor.receipt(record)
    match how:
        case "one bit of the signature":
            return good[:-1] + bytes([good[-1] ^ 1])
        case "one bit of what is signed":
            return good[:70] + bytes([good[70] ^ 1]) + good[71:]
        case "signed by somebody else":
            return good[:128] + Ed25519PrivateKey.generate().sign(receipt_signature_input(good[:128]))
        case "zeros":
            return bytes(192)
        case _:
            return house.monitor.receipt(record, controller=ControllerId(b"another's board!"))


@pytest.mark.parametrize(
    "how",
    ["one bit of the signature", "one bit of what is signed", "signed by somebody else", "zeros", "another board's"],
)
def test_forged_receipts_are_counted_and_forget_nothing(play: Play, how: str) -> None:
    async def story(house: House) -> None:
        records = await unreceipted(house)
        await receive(house, *(strange(house, record, how) for record in records))
        assert house.recorder.pending == TOLD
        assert (await house.status())["spool"]["forged_receipts"] == TOLD
        assert house.doord.clock.trusted
        assert house.courier.connected, "it is not the courier's fault"
        assert sorted(await backlog(house)) == sorted(records)

    play(story, courier=False)


@pytest.mark.parametrize(
    "other",
    [
        {"record": RecordHash(bytes(32))},
        {"sequence": Sequence(99)},
        {"sequence": Sequence((1 << 63) - 1)},
        {"epoch": b"epoch..."},
    ],
)
def test_a_receipt_for_another_record_forgets_none(play: Play, other: dict[str, Any]) -> None:
    async def story(house: House) -> None:
        records = await unreceipted(house)
        await receive(house, *(house.monitor.receipt(record, **other) for record in records))
        assert house.recorder.pending == TOLD
        assert (await house.status())["spool"]["receipts_for_nothing"] == TOLD
        assert sorted(await backlog(house)) == sorted(records)

    play(story, courier=False)


def test_supervision_is_receipted_and_has_nothing_to_be_forgotten(play: Play) -> None:
    async def story(house: House) -> None:
        house.courier.heard.clear()
        house.courier.say(Type.SUPERVISION_WANTED)
        await house.wait(0.1)
        (supervision,) = house.courier.records(Type.SUPERVISION)
        calls = house.loop.threads["journal"].calls
        ahead = WallTime(house.loop.wall + 3600 * SECOND)
        await receive(house, house.monitor.receipt(supervision, monitor_time=ahead))
        assert house.loop.threads["journal"].calls == calls
        assert (await house.status())["spool"]["receipts_for_nothing"] == 0
        assert not house.doord.clock.trusted, "it tells the time like all others"

    play(story)


def test_a_second_receipt_is_for_nothing(play: Play) -> None:
    async def story(house: House) -> None:
        first, *_ = await unreceipted(house)
        await receive(house, house.monitor.receipt(first), house.monitor.receipt(first))
        await receive(house, house.monitor.receipt(first))
        assert house.recorder.pending == TOLD - 1
        assert (await house.status())["spool"]["receipts_for_nothing"] == 2

    play(story, courier=False)


def test_what_the_monitor_refuses_stays_and_is_counted_by_reason(play: Play) -> None:
    async def story(house: House) -> None:
        first, second, *others = records = await unreceipted(house)
        refused = {"status": Status.REFUSED, "monitor_time": WallTime(0)}
        await receive(
            house,
            house.monitor.receipt(first, refusal=Refusal.BAD_SIGNATURE, **refused),
            house.monitor.receipt(first, refusal=Refusal.BAD_SIGNATURE, **refused),
            house.monitor.receipt(second, refusal=Refusal.UNKNOWN_CONTROLLER, **refused),
        )
        spool = (await house.status())["spool"]
        assert spool["refused_by_monitor"] == {"BAD_SIGNATURE": 2, "UNKNOWN_CONTROLLER": 1}
        assert spool["pending"] == TOLD
        assert house.doord.clock.trusted, "a refusal tells no time"
        assert sorted(await backlog(house)) == sorted(records)
        assert len(others) == TOLD - 2

    play(story, courier=False)


def test_a_refused_record_does_not_stand_in_the_others_way(play: Play) -> None:
    async def story(house: House) -> None:
        records = await unreceipted(house)
        offered = [await backlog(house, 4) for _ in range(4)]
        assert [len(some) for some in offered] == [4, 4, 1, 4]
        assert [*offered[0], *offered[1], *offered[2]] == records
        assert offered[3] == offered[0], "and then from the newest again"

    play(story, courier=False)


def test_what_the_monitor_lost_is_sent_again(play: Play) -> None:
    async def story(house: House) -> None:
        records = await unreceipted(house)
        await receive(house, *(house.monitor.receipt(record) for record in records))
        assert await backlog(house) == []
        header = parse_header(records[0])
        wish = {"want_epoch": header.epoch, "want_sequence": Sequence(3), "want_count": 3}
        await house.ask("test-alarm", wait_s=0.1)
        test = house.courier.records(Type.FRESH)[-1]
        await receive(house, house.monitor.receipt(test, **wish), house.monitor.receipt(test, **wish))
        numbers = [parse_header(record).sequence for record in await backlog(house)]
        assert numbers == [3, 4, 5], "once, though wished twice"
        assert await backlog(house) == []
        nothing = {"want_epoch": b"unknown.", "want_sequence": Sequence(1), "want_count": 1 << 31}
        await receive(house, house.monitor.receipt(test, **nothing))
        assert await backlog(house) == []

    play(story, courier=False)


def test_wishes_come_before_what_waits(play: Play) -> None:
    async def story(house: House) -> None:
        newest, *others = await unreceipted(house)
        await receive(house, *(house.monitor.receipt(record) for record in others))
        header = parse_header(newest)
        wish = {"want_epoch": header.epoch, "want_sequence": Sequence(1), "want_count": 2}
        await receive(house, house.monitor.receipt(others[0], **wish))
        numbers = [parse_header(record).sequence for record in await backlog(house)]
        assert numbers == [1, 2, header.sequence]

    play(story, courier=False)


def test_a_courier_that_asks_with_the_wish_gets_what_was_wished(play: Play) -> None:
    """As it does when the monitor is back: both go out in the same moment."""

    async def story(house: House) -> None:
        newest, *others = await unreceipted(house)
        await receive(house, *(house.monitor.receipt(record) for record in others))
        wish = {"want_epoch": parse_header(newest).epoch, "want_sequence": Sequence(1), "want_count": 2}
        house.courier.say(Type.RECEIPT, house.monitor.receipt(newest, **wish))
        assert [parse_header(record).sequence for record in await backlog(house)] == [1, 2]

    play(story, courier=False)


def test_every_receipt_of_a_batch_may_wish(play: Play) -> None:
    async def story(house: House) -> None:
        records = await unreceipted(house)
        await receive(house, *(house.monitor.receipt(record) for record in records))
        epoch = parse_header(records[0]).epoch
        wishes = [{"want_epoch": epoch, "want_sequence": Sequence(number), "want_count": 1} for number in (2, 4, 6, 7)]
        await receive(house, *(house.monitor.receipt(records[0], **wish) for wish in wishes))
        assert [parse_header(record).sequence for record in await backlog(house)] == [2, 4, 6, 7]

    play(story, courier=False)


def test_receipts_wait_for_a_disk_that_fails(play: Play) -> None:
    async def story(house: House) -> None:
        records = await unreceipted(house)
        house.loop.threads["journal"].disk_takes_nothing = True
        await receive(house, *(house.monitor.receipt(record) for record in records))
        await house.wait(3)
        assert house.recorder.pending == TOLD
        house.loop.threads["journal"].disk_takes_nothing = False
        await house.wait(3)
        assert house.recorder.pending == 0

    play(story, courier=False)


def test_receipts_that_wait_are_bounded(play: Play) -> None:
    """A courier may replay one receipt for ever while the disk stalls; doord's memory stays what it was."""

    async def story(house: House) -> None:
        first, *_ = await unreceipted(house)
        house.loop.threads["journal"].disk_takes_nothing = True
        receipt = house.monitor.receipt(first)
        for _ in range(MOST_TAKEN + 500):
            house.doord.receipts.take(receipt)
        assert len(house.doord.receipts._taken) == MOST_TAKEN
        house.loop.threads["journal"].disk_takes_nothing = False
        await house.wait(3)
        assert house.recorder.pending == TOLD - 1

    play(story, courier=False)


# The time


async def tell_time(house: House, offset_s: int) -> None:
    """A receipt for a record that is just being made, from a monitor whose clock is so much ahead."""
    house.courier.receipts = True
    house.courier.monitor_offset = offset_s * SECOND
    await house.ask("test-alarm", wait_s=1)


@pytest.mark.parametrize("offset_s", [-61, 61, 86_400, -86_400])
def test_a_clock_that_the_monitor_contradicts_is_not_trusted(play: Play, offset_s: int) -> None:
    async def story(house: House) -> None:
        assert (await house.status())["time_trusted"]
        await tell_time(house, offset_s)
        assert not (await house.status())["time_trusted"]
        await house.wait(1)
        assert (await house.status())["faults"] == ["clock: the time is not trusted"]
        await tell_time(house, 0)
        assert (await house.status())["time_trusted"]
        await house.wait(1)
        assert (await house.status())["faults"] == []

    play(story)


@pytest.mark.parametrize("offset_s", [-59, 59])
def test_a_minute_is_no_contradiction(play: Play, offset_s: int) -> None:
    async def story(house: House) -> None:
        await tell_time(house, offset_s)
        assert (await house.status())["time_trusted"]

    play(story)


def test_an_old_record_tells_no_time(play: Play) -> None:
    """A courier that keeps a receipt back, or plays one again, moves no clock."""

    async def story(house: House) -> None:
        first, second, *_ = await unreceipted(house)
        held_back = house.monitor.receipt(first, monitor_time=house.loop.wall)
        await receive(house, house.monitor.receipt(second))
        replayed = house.monitor.receipt(second, monitor_time=WallTime(house.loop.wall + 3600 * SECOND))
        await receive(house, replayed)
        assert house.doord.clock.trusted
        await house.wait(MINUTE + 1)
        await receive(house, held_back)
        assert house.doord.clock.trusted
        assert house.recorder.pending == TOLD - 2

    play(story, courier=False)


def test_a_clock_before_the_journals_end_is_not_trusted_until_the_monitor_says_so(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        await house.enter("office", None, ana.code)
        await house.wait(3)
        house.loop.set_wall(house.loop.wall - 3600 * SECOND)
        await house.restart()
        assert not house.doord.clock.trusted
        await house.wait(3)
        assert (await house.status())["faults"] == ["clock: the time is not trusted"]
        await house.courier.connect(house.paths.courier_socket)
        await tell_time(house, 0)
        assert house.doord.clock.trusted

    play(story)


def test_a_record_of_the_last_start_tells_no_time(play: Play) -> None:
    async def story(house: House) -> None:
        first, *_ = await unreceipted(house)
        await house.restart()
        await house.courier.connect(house.paths.courier_socket)
        await receive(house, house.monitor.receipt(first, monitor_time=WallTime(house.loop.wall + 3600 * SECOND)))
        assert house.doord.clock.trusted
        assert record_hash(first) not in {one.hash for one in house.doord.journal.pending(100)}

    play(story, courier=False)


def test_a_restart_confirms_no_clock(play: Play) -> None:
    """Contradicted, or before the journal's end: cutting the power, once or twice, makes it no better."""

    async def story(house: House) -> None:
        await tell_time(house, 86_400)
        found = [house.doord.clock.trusted]
        for _ in range(2):
            await house.wait(3)
            await house.restart()
            found.append(house.doord.clock.trusted)
        await house.courier.connect(house.paths.courier_socket)
        await tell_time(house, 0)
        found.append(house.doord.clock.trusted)
        await house.wait(3)
        await house.restart()
        assert [*found, house.doord.clock.trusted] == [False, False, False, True, True]

    play(story)


def test_a_clock_set_back_is_no_better_after_a_second_start(play: Play) -> None:
    async def story(house: House) -> None:
        house.loop.set_wall(house.loop.wall - 30 * 86_400 * SECOND)
        await house.restart()
        await house.wait(60)
        await house.restart()  # now the journal's last row is of the wrong time too
        await house.wait(60)
        assert not house.doord.clock.trusted
        assert (await house.status())["faults"][0] == "clock: the time is not trusted"

    play(story, courier=False)


def test_a_disk_that_does_not_take_the_doubt_gets_it_later(play: Play) -> None:
    async def story(house: House) -> None:
        house.loop.stall("journal", 5 * SECOND)
        house.courier.monitor_offset = 86_400 * SECOND
        house.courier.say(Type.SUPERVISION_WANTED)
        await house.wait(0.1)
        supervision = house.courier.records(Type.SUPERVISION)[-1]
        ahead = WallTime(house.loop.wall + 86_400 * SECOND)
        await receive(house, house.monitor.receipt(supervision, monitor_time=ahead))
        found = [(house.doord.clock.trusted, house.doord.time_doubt.is_set())]
        await house.wait(7)
        found.append((house.doord.clock.trusted, house.doord.time_doubt.is_set()))
        assert found == [(False, False), (False, True)]

    play(story)
