"""The chain of records: numbered, signed, chained and sealed in one order, whatever the disk does meanwhile."""

import asyncio
from typing import Any

import pytest

from doorctl.core.types import MS, SECOND
from doorctl.doord import recorder as recorder_module
from doorctl.doord.drafts import Draft
from doorctl.journal.journal import Journal
from doorctl.journal.rows import LogRow
from doorctl.wire.detail import FaultCode, FaultDetail, LossDetail, StartDetail, SupervisionDetail
from doorctl.wire.handoff import Type
from doorctl.wire.record import (
    NO_EPOCH,
    NO_HASH,
    SUPERVISION_BIT,
    Body,
    Flag,
    Header,
    Kind,
    Sequence,
    parse_header,
    record_hash,
)
from doorctl.wire.sizes import RECORD_SIZE
from tests.doord.conftest import Play
from tests.doord.house import House

TOLD = 9
"""Records of a first start: START, and one for each generation of the roster."""


def stored(house: House) -> list[tuple[Header, Body, bytes]]:
    """Everything in the journal without a receipt, oldest first, as the monitor opens it."""
    records = [one.record for one in house.doord.journal.pending(5000)][::-1]
    return [(*house.monitor.open(record), record) for record in records]


def draft(number: int = 0, **other: Any) -> Draft:
    detail = FaultDetail(code=FaultCode.CLOCK, began=True).encode()
    return Draft(kind=Kind.FAULT, detail=detail, door=f"door{number}", **other)


def test_each_record_names_the_one_before(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        for _ in range(3):
            await house.enter("office", None, ana.code)
            await house.wait(1)
        await house.rex("front")
        found = stored(house)
        assert [header.sequence for header, _, _ in found] == list(range(1, len(found) + 1))
        assert {header.epoch for header, _, _ in found} == {house.recorder.epoch}
        hashes = [NO_HASH, *(record_hash(record) for _, _, record in found)]
        assert [body.previous for _, body, _ in found] == hashes[:-1]
        assert {len(record) for _, _, record in found} == {RECORD_SIZE}
        assert found[0][1].kind is Kind.START
        assert all(body.flags & Flag.SIMULATED for _, body, _ in found)

    play(story, courier=False)


def test_a_start_names_where_the_last_epoch_ended(play: Play) -> None:
    async def story(house: House) -> None:
        first = StartDetail(previous_epoch=NO_EPOCH, previous_head=Sequence(0), previous_hash=NO_HASH)
        assert StartDetail.parse(stored(house)[0][1].detail) == first
        epoch, (header, _, record) = house.recorder.epoch, stored(house)[-1]
        await house.restart()
        assert house.recorder.epoch != epoch
        start = next(body for header, body, _ in stored(house) if header.epoch == house.recorder.epoch)
        assert StartDetail.parse(start.detail) == StartDetail(
            previous_epoch=epoch, previous_head=header.sequence, previous_hash=record_hash(record)
        )

    play(story, courier=False)


def test_records_say_how_many_wait_and_what_the_roster_is(play: Play) -> None:
    async def story(house: House) -> None:
        await house.ask("test-alarm", wait_s=0.1)
        (_, body, _) = stored(house)[-1]
        facts = house.doord.roster.facts
        assert (body.pending, body.roster_generation, body.roster_digest) == (TOLD, facts.generation, facts.digest)
        assert (body.wall, body.monotonic) == (house.loop.wall - 100 * MS, house.now - 100 * MS)

    play(story, courier=False)


def test_a_record_without_a_row_looks_like_one_with(play: Play) -> None:
    async def story(house: House) -> None:
        for code in ("12345670", house.site.people["ana"].code):
            await house.enter("office", None, code)
            await house.wait(1)
        wrong, right = stored(house)[-2:]
        assert (wrong[1].flags & Flag.MATCHED, right[1].flags & Flag.MATCHED) == (0, Flag.MATCHED)
        assert house.monitor.meaning(wrong[1].token) is None
        assert len(wrong[1].token) == len(right[1].token)
        assert any(wrong[1].token)
        assert any(wrong[1].row_tag)

    play(story, courier=False)


def test_what_comes_together_is_committed_together(play: Play) -> None:
    async def story(house: House) -> None:
        calls = house.loop.threads["journal"].calls
        recordings = [house.recorder.record(draft(number)) for number in range(100)]
        assert house.recorder.waiting == 100
        await asyncio.gather(*(recording.committed for recording in recordings))
        # 64 and 36, and after each a look whether there is room
        assert house.loop.threads["journal"].calls - calls == 4
        assert house.recorder.waiting == 0
        assert [body.door for _, body, _ in stored(house)[-100:]] == [f"door{number}" for number in range(100)]
        assert [parse_header(record).sequence for record in house.courier.records(Type.FRESH)][-100:] == [
            header.sequence for header, _, _ in stored(house)[-100:]
        ]

    play(story)


def test_supervision_says_where_the_epoch_stands_and_is_never_stored(play: Play) -> None:
    async def story(house: House) -> None:
        before = stored(house)
        first, second = house.recorder.supervision(), house.recorder.supervision()
        assert [house.monitor.open(one)[0].sequence for one in (first, second)] == [
            SUPERVISION_BIT | 1,
            SUPERVISION_BIT | 2,
        ]
        header, body = house.monitor.open(second)
        assert header.supervision
        assert (body.previous, body.pending) == (record_hash(before[-1][2]), TOLD)
        expected = SupervisionDetail(
            head=before[-1][0].sequence,
            oldest_epoch=house.recorder.epoch,
            oldest_sequence=before[0][0].sequence,
            receipted_epoch=NO_EPOCH,
            receipted_sequence=Sequence(0),
            receipted_hash=NO_HASH,
        )
        assert SupervisionDetail.parse(body.detail) == expected
        await house.wait(1)
        assert stored(house) == before
        await house.courier.connect(house.paths.courier_socket)
        house.courier.say(Type.RECEIPT, house.monitor.receipt(before[0][2]))
        await house.wait(0.2)
        detail = SupervisionDetail.parse(house.monitor.open(house.recorder.supervision())[1].detail)
        assert (detail.oldest_sequence, detail.receipted_sequence) == (2, 1)
        assert detail.receipted_hash == record_hash(before[0][2])

    play(story, courier=False)


def test_memory_is_bounded_while_the_disk_fails(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MOST_UNSTORED", 20)

    async def story(house: House) -> None:
        house.courier.receipts = False
        house.loop.threads["journal"].disk_takes_nothing = True
        first = [house.recorder.record(draft(number)) for number in range(5)]
        await house.wait(0.2)
        house.recorder.receipted(first[3].hash)
        for number in range(5, 30):
            house.recorder.record(draft(number))
        await house.wait(0.2)
        assert house.recorder.waiting == 20
        assert house.recorder.gave_way > 0
        assert (await house.status())["spool"]["gave_way"] == house.recorder.gave_way
        house.loop.threads["journal"].disk_takes_nothing = False
        await house.wait(3)
        doors = [body.door for _, body, _ in stored(house) if body.kind is Kind.FAULT and body.door]
        assert doors == [f"door{number}" for number in range(30 - len(doors), 30)]
        assert {record_hash(record) for record in house.courier.records()} >= {one.hash for one in first}

    play(story)


def test_a_receipted_one_gives_way_first(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MOST_UNSTORED", 10)

    async def story(house: House) -> None:
        house.loop.stall("journal", 2 * SECOND)
        recordings = [house.recorder.record(draft(number)) for number in range(10)]
        house.recorder.receipted(recordings[6].hash)
        house.recorder.record(draft(10))
        await house.wait(5)
        doors = [body.door for _, body, _ in stored(house) if body.door]
        assert doors == [f"door{number}" for number in range(11) if number != 6]

    play(story, courier=False)


def test_at_the_spools_bound_the_oldest_become_one_loss(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(house: House) -> None:
        house.doord.journal._limit = 100
        for number in range(95):
            house.recorder.record(draft(number, log=LogRow(wall=house.loop.wall, event="door")))
        await house.wait(3)
        found = stored(house)
        assert len(found) <= 100
        losses = [LossDetail.parse(body.detail) for _, body, _ in found if body.kind is Kind.LOSS]
        assert sum(loss.matched + loss.unmatched for loss in losses) == house.recorder.sequence - len(found)
        missing = set(range(1, house.recorder.sequence + 1)) - {header.sequence for header, _, _ in found}
        named = {number for loss in losses for lost in loss.ranges for number in range(lost.first, lost.last + 1)}
        assert missing == named
        assert [row.count for row in house.log() if row.event == "loss"] == [loss.matched for loss in losses]
        assert found[0][1].kind is Kind.START, "structure stays"

    play(story, courier=False)


def test_closing_gives_the_disk_a_moment(play: Play) -> None:
    async def story(house: House) -> None:
        house.recorder.record(draft(7))
        await house.stop()
        with Journal.open(house.paths.journal) as journal:
            newest = house.monitor.open(journal.pending(1)[0].record)[1]
        assert newest.door == "door7"
        await house.start()

    play(story, courier=False)


def test_closing_does_not_wait_for_a_dead_disk(play: Play) -> None:
    async def story(house: House) -> None:
        house.loop.threads["journal"].disk_takes_nothing = True
        house.recorder.record(draft(7))
        await house.wait(0.1)
        begun = house.now
        await house.stop()
        assert house.now - begun < 2 * SECOND
        house.loop.threads["journal"].disk_takes_nothing = False
        await house.start()

    play(story, courier=False)
