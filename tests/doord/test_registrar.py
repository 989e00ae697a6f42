"""The monitor is told every generation of the roster, in order, again after a crash at most in part."""

import asyncio
import secrets
from datetime import date
from typing import Any

import pytest

from doorctl.doord import registrar as registrar_module
from doorctl.doord.drafts import Draft, Recording
from doorctl.errors import StorageError
from doorctl.roster.change import NewHolder, NewRow
from doorctl.roster.enrolment import RosterWriter
from doorctl.roster.factors import Lookup
from doorctl.roster.lookup import RosterReader
from doorctl.seal.sealing import filler_token
from doorctl.wire.detail import ENTRIES_PER_RECORD, Action, EnrolledDetail
from doorctl.wire.handoff import Type
from doorctl.wire.record import Kind
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.roster.people import edit

GENERATIONS = 8
TODAY = date(2027, 3, 10)


def told(house: House) -> list[EnrolledDetail]:
    """What the journal has for the monitor, oldest first."""
    records = [house.monitor.open(one.record)[1] for one in house.doord.journal.pending(5000)][::-1]
    return [EnrolledDetail.parse(body.detail) for body in records if body.kind is Kind.ENROLLED]


def in_the_roster(house: House) -> list[EnrolledDetail]:
    with RosterReader.open(house.paths.roster) as reader:
        return reader.registrations_after(0, 10_000)


def import_people(house: House, people: int) -> None:
    """One generation of many parts: seven rows a person."""
    with RosterWriter.open(house.paths.roster, today=TODAY) as writer, writer.enrolling() as change:
        for number in range(people):
            rows = [NewRow(lookup=Lookup(secrets.token_bytes(32)), token=filler_token()) for _ in range(7)]
            change.add(NewHolder(label=f"p{number}", rows=rows))


def test_a_first_start_tells_everything_once(play: Play) -> None:
    async def story(house: House) -> None:
        assert told(house) == in_the_roster(house)
        assert [one.generation for one in told(house)] == list(range(1, GENERATIONS + 1))
        assert house.doord.journal.sent_generation() == GENERATIONS
        await house.restart()
        await house.wait(3)
        assert told(house) == in_the_roster(house)
        assert [row.detail for row in house.log() if row.event == "roster"] == [
            f"generation {number}" for number in range(1, GENERATIONS + 1)
        ]

    play(story, courier=False)


def test_a_change_is_told_within_two_seconds(play: Play) -> None:
    async def story(house: House) -> None:
        house.courier.receipts = False
        with RosterWriter.open(house.paths.roster, today=TODAY) as writer:
            writer.remove_holder(house.site.people["ana"].holder)
        await house.wait(2)
        last = told(house)[-1]
        assert (last.generation, last.action, len(last.entries)) == (GENERATIONS + 1, Action.REVOKE, 7)
        (body,) = (house.monitor.open(record)[1] for record in house.courier.records(Type.FRESH)[-1:])
        assert (body.kind, body.roster_generation) == (Kind.ENROLLED, GENERATIONS + 1)

    play(story)


def test_a_suspension_changes_no_row_and_is_told_as_such(play: Play) -> None:
    async def story(house: House) -> None:
        with RosterWriter.open(house.paths.roster, today=TODAY) as writer:
            edit(writer, house.site.people["ana"].holder, suspended=True)
        await house.wait(2)
        assert told(house)[-1].entries == ()

    play(story, courier=False)


def test_an_import_is_told_in_parts_and_leaves_room_for_cards(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrar_module, "STEP", 2)

    async def story(house: House) -> None:
        people = 2 * ENTRIES_PER_RECORD  # 14 parts
        import_people(house, people)
        await house.wait(0.9)
        ana = house.site.people["ana"]
        await house.enter("side", ana.card, None)
        await house.wait(0.5)
        assert house.released("side")
        await house.wait(5)
        parts = [one for one in told(house) if one.generation == GENERATIONS + 1]
        assert [one.part for one in parts] == list(range(1, 15))
        assert told(house) == in_the_roster(house)
        assert house.doord.journal.sent_generation() == GENERATIONS + 1

    play(story, courier=False)


def test_a_change_during_a_long_import_is_in_the_next_record(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrar_module, "STEP", 1)

    async def story(house: House) -> None:
        import_people(house, 6 * ENTRIES_PER_RECORD)  # 42 parts, more than eight seconds
        await house.wait(1.5)
        with RosterWriter.open(house.paths.roster, today=TODAY) as writer:
            writer.remove_holder(house.site.people["ana"].holder)
        await house.wait(3)
        await house.ask("test-alarm", wait_s=0.1)
        assert house.doord.journal.sent_generation() == GENERATIONS, "the import is still being told"
        with RosterReader.open(house.paths.roster) as reader:
            state = reader.state()
        (newest,) = house.doord.journal.pending(1)
        _, body = house.monitor.open(newest.record)
        assert (body.roster_generation, body.roster_digest) == (GENERATIONS + 2, state.digest)
        await house.wait(15)
        assert told(house) == in_the_roster(house)

    play(story, courier=False)


def test_a_restart_within_a_generation_tells_its_parts_again_and_all_of_them(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrar_module, "STEP", 2)

    async def story(house: House) -> None:
        import_people(house, ENTRIES_PER_RECORD)  # 7 parts
        step = house.doord.registrar.step

        async def two_steps_and_no_more() -> bool:
            if house.doord.registrar._parts >= 4:
                return False
            return await step()

        house.doord.registrar.step = two_steps_and_no_more  # type: ignore[method-assign]  # the crash comes there
        await house.wait(3)
        assert house.doord.registrar._parts == 4
        assert house.doord.journal.sent_generation() == GENERATIONS
        await house.restart()
        await house.wait(3)
        parts = [one.part for one in told(house) if one.generation == GENERATIONS + 1]
        assert parts == [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7]
        assert {one.part: one for one in told(house)[-7:]} == {one.part: one for one in in_the_roster(house)[-7:]}

    play(story, courier=False)


def test_a_roster_that_fails_is_asked_again(play: Play) -> None:
    async def story(house: House) -> None:
        with RosterWriter.open(house.paths.roster, today=TODAY) as writer:
            edit(writer, house.site.people["ana"].holder, suspended=True)
        asked = house.doord.roster.registrations_after
        failed: list[int] = []

        async def failing(*_: Any, **__: Any) -> Any:
            failed.append(1)
            raise StorageError("roster.db: damaged")

        house.doord.roster.registrations_after = failing  # type: ignore[method-assign]  # a roster that fails
        await house.wait(3)
        assert len(failed) >= 2
        assert len(told(house)) == GENERATIONS
        house.doord.roster.registrations_after = asked  # type: ignore[method-assign]  # and is well again
        await house.wait(2)
        assert len(told(house)) == GENERATIONS + 1

    play(story, courier=False)


def test_a_disk_that_fails_is_not_buried_in_registrations(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrar_module, "STEP", 2)

    async def story(house: House) -> None:
        house.loop.threads["journal"].disk_takes_nothing = True
        import_people(house, ENTRIES_PER_RECORD)
        await house.wait(5)
        assert house.recorder.waiting <= 5
        house.loop.threads["journal"].disk_takes_nothing = False
        await house.wait(9)
        assert told(house) == in_the_roster(house)

    play(story, courier=False)


def test_an_import_goes_as_backlog_so_that_nothing_fresh_waits_behind_it(play: Play) -> None:
    async def story(house: House) -> None:
        house.courier.receipts = False
        import_people(house, 2 * ENTRIES_PER_RECORD)  # 14 parts
        await house.wait(3)
        parts = [one for one in told(house) if one.generation == GENERATIONS + 1]
        assert [one.part for one in parts] == list(range(1, 15))
        fresh = [house.monitor.open(record)[1] for record in house.courier.records(Type.FRESH)]
        assert [body for body in fresh if body.roster_generation > GENERATIONS and body.kind is Kind.ENROLLED] == []
        waiting = [stored.record for stored in house.doord.journal.pending(5000)]
        assert await house.doord.receipts.backlog(5000) == waiting

    play(story)


def test_an_import_never_fills_the_spool(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrar_module, "STEP", 2)

    async def story(house: House) -> None:
        room = house.recorder.pending + 6
        monkeypatch.setattr(registrar_module, "ROOM", room)
        import_people(house, 2 * ENTRIES_PER_RECORD)  # 14 parts
        await house.wait(10)
        assert room <= house.recorder.pending <= room + 2
        assert house.doord.journal.sent_generation() == GENERATIONS
        monkeypatch.setattr(registrar_module, "ROOM", room + 100)  # receipts came
        await house.wait(10)
        assert told(house) == in_the_roster(house)

    play(story, courier=False)


def test_a_card_has_its_turn_between_two_records_of_an_import(play: Play) -> None:
    async def story(house: House) -> None:
        import_people(house, 2 * ENTRIES_PER_RECORD)
        happened: list[str] = []
        record = house.recorder.record

        def recorded(draft: Draft) -> Recording:
            happened.append("record")
            asyncio.get_running_loop().call_soon(happened.append, "a turn for others")
            return record(draft)

        house.recorder.record = recorded  # type: ignore[method-assign]  # and what runs after it
        await house.wait(2)
        assert happened[:28] == ["record", "a turn for others"] * 14

    play(story, courier=False)
