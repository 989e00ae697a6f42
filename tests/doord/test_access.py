"""The path of a request: lock-outs, guessing, counted wrong codes, and a roster that cannot be read."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from doorctl.core.lockout import Counter, LockoutKey
from doorctl.core.types import SECOND, Card, Duration, GroupName, Outcome, Reason
from doorctl.doord.access import LOCKOUT_PREFIX, stored_counters
from doorctl.roster.enrolment import RosterWriter
from doorctl.wire.detail import CoalescedDetail, FaultCode, FaultDetail, GuessingDetail
from doorctl.wire.record import Body, Flag, Kind
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import a_card
from tests.roster.people import edit

WRONG = "12345670"
WEDNESDAY_DATE = date(2027, 3, 10)


def reasons(house: House) -> list[Reason]:
    return [row.reason for row in house.log() if row.event == "access"]


def bodies(house: House, kind: Kind) -> list[Body]:
    return [body for body in (house.monitor.open(record)[1] for record in house.courier.records()) if body.kind is kind]


async def wrong(house: House, reader: str, times: int, card: Card | None = None) -> None:
    for _ in range(times):
        await house.enter(reader, card, WRONG)
        await house.wait(3)


async def tries(house: House, reader: str, card: Card | None, code: str | None) -> Reason:
    await house.enter(reader, card, code)
    await house.wait(3)
    return reasons(house)[-1]


def test_a_card_is_locked_out_wherever_it_is_shown_and_others_are_not(play: Play) -> None:
    async def story(house: House) -> None:
        ana, gus = house.site.people["ana"], house.site.people["gus"]
        await wrong(house, "front", 3, ana.card)
        assert await tries(house, "front", ana.card, ana.code) is Reason.LOCKED_OUT
        assert await tries(house, "front", gus.card, gus.code) is Reason.MATCHED
        assert await tries(house, "office", None, ana.code) is Reason.MATCHED
        await house.wait(10)
        assert await tries(house, "front", ana.card, ana.code) is Reason.MATCHED
        await wrong(house, "front", 2, ana.card)
        assert await tries(house, "front", ana.card, ana.code) is Reason.MATCHED, "a right one began anew"

    play(story)


def test_a_reader_is_locked_out_where_there_is_no_card(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        await wrong(house, "office", 3)
        assert await tries(house, "office", None, ana.code) is Reason.LOCKED_OUT
        assert await tries(house, "side", None, ana.code) is Reason.MATCHED
        assert await tries(house, "front", ana.card, ana.code) is Reason.MATCHED

    play(story)


@pytest.mark.parametrize("reader", ["front", "office"])
def test_a_restart_ends_no_lock_out(play: Play, reader: str) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        card = ana.card if reader == "front" else None
        await wrong(house, reader, 3, card)
        await house.restart()
        await house.armed()
        assert await tries(house, reader, card, ana.code) is Reason.LOCKED_OUT
        await house.wait(10)
        assert await tries(house, reader, card, WRONG) is Reason.NO_MATCH, "one try"
        await house.restart()
        await house.armed()
        await house.wait(8)
        assert await tries(house, reader, card, ana.code) is Reason.LOCKED_OUT, "twice as long, and counted on"
        await house.wait(15)
        assert await tries(house, reader, card, ana.code) is Reason.MATCHED
        await house.restart()
        await house.armed()
        await wrong(house, reader, 2, card)
        assert await tries(house, reader, card, ana.code) is Reason.MATCHED, "forgotten on the disk as well"

    play(story)


def test_a_restart_does_not_help_who_guesses_faster_than_is_recorded(play: Play) -> None:
    """Wrong codes with five cards of one's own fill the burst; those with a sixth are only counted, and still count."""

    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        for number in range(5):
            await house.enter("front", a_card(20_000 + number), "1#", gap_ms=40)
            await house.wait(0.3)
        for _ in range(3):
            await house.enter("front", ana.card, "1#", gap_ms=40)
            await house.wait(0.3)
        await house.restart()
        await house.armed()
        assert await tries(house, "front", ana.card, ana.code) is Reason.LOCKED_OUT

    play(story)


def test_a_card_alone_is_never_locked_out(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        for _ in range(4):
            await house.enter("side", a_card(999), None)
            await house.wait(3)
        assert await tries(house, "side", ana.card, None) is Reason.MATCHED

    play(story)


def test_guessing_anywhere_is_an_alarm_once(play: Play) -> None:
    async def story(house: House) -> None:
        for _ in range(3):
            await wrong(house, "office", 1)
            await wrong(house, "side", 1)
            await wrong(house, "front", 1, a_card(999))
        alarms = bodies(house, Kind.GUESSING)
        assert [GuessingDetail.parse(body.detail) for body in alarms] == [GuessingDetail(wrong_codes=8, window_s=600)]
        assert [row.count for row in house.log() if row.event == "guessing"] == [8]

    play(story)


def test_a_machine_at_the_reader_fills_nothing(play: Play) -> None:
    async def story(house: House) -> None:
        begun = house.loop.wall
        for number in range(30):
            await house.enter("side", a_card(900 + number), None)
            await house.wait(0.6)
        await house.wait(12)
        rows = [row for row in house.log() if row.event == "access"]
        assert sum(row.count for row in rows) == 30
        assert len(rows) < 15
        counted = [body for body in bodies(house, Kind.ACCESS) if body.count > 1]
        assert [body.count for body in counted] == [row.count for row in rows if row.count > 1]
        first = CoalescedDetail.parse(counted[0].detail).first
        assert begun < first < counted[0].wall
        assert {(body.door, body.reader, body.outcome, body.reason) for body in counted} == {
            ("side", "side", Outcome.DENIED, Reason.NO_MATCH)
        }

    play(story)


def test_a_match_is_never_counted_away(play: Play) -> None:
    async def story(house: House) -> None:
        ben = house.site.people["ben"]
        for _ in range(6):
            await house.enter("office", None, "1#", gap_ms=40)
            await house.wait(0.3)
        await house.enter("office", None, ben.code, gap_ms=40)
        await house.wait(0.5)
        last = bodies(house, Kind.ACCESS)[-1]
        assert (last.count, last.reason, bool(last.flags & Flag.MATCHED)) == (1, Reason.LOCKED_OUT, True)
        row = house.log()[-1]
        assert (row.reason, row.holder) == (Reason.LOCKED_OUT, None)

    play(story)


def damage(path: Path) -> None:
    path.write_bytes(b"this is no database at all, and long enough to be looked at" * 100)


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_a_roster_that_cannot_be_read_lets_nobody_in_and_says_so(play: Play, how: str) -> None:
    async def story(house: House) -> None:
        ana, roster = house.site.people["ana"], house.paths.roster
        kept = roster.with_name("kept")
        kept.write_bytes(roster.read_bytes())
        roster.unlink()
        if how == "damaged":
            damage(roster)
        assert await tries(house, "office", None, ana.code) is Reason.FAULT
        assert await tries(house, "side", ana.card, None) is Reason.FAULT
        assert house.releases("office") == house.releases("side") == []
        (fault,) = (await house.status())["faults"]
        assert fault.startswith("roster: ")
        began = FaultDetail(code=FaultCode.ROSTER, began=True)
        assert FaultDetail.parse(bodies(house, Kind.FAULT)[0].detail) == began
        await house.rex("front")
        assert house.released("front"), "the way out is free"
        kept.replace(roster)
        await house.wait(2)
        assert (await house.status())["faults"] == []
        assert await tries(house, "office", None, ana.code) is Reason.MATCHED, "and nobody was locked out"

    play(story)


def test_a_roster_that_cannot_be_read_is_no_guessing(play: Play) -> None:
    async def story(house: House) -> None:
        house.paths.roster.rename(house.paths.roster.with_name("away"))
        for _ in range(10):
            await house.enter("office", None, house.site.people["ana"].code)
            await house.wait(3)
        assert bodies(house, Kind.GUESSING) == []

    play(story)


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_a_board_whose_roster_is_damaged_still_starts(play: Play, how: str) -> None:
    async def story(house: House) -> None:
        roster = house.paths.roster
        kept = roster.read_bytes()
        await house.stop()
        damage(roster)
        await house.start()
        await house.armed()
        ana = house.site.people["ana"]
        assert await tries(house, "office", None, ana.code) is Reason.FAULT
        await house.rex("front")
        assert house.released("front")
        if how == "gone":
            roster.unlink()
            await house.wait(2)
            assert await tries(house, "office", None, ana.code) is Reason.FAULT
        roster.write_bytes(kept)
        await house.wait(2)
        assert await tries(house, "office", None, ana.code) is Reason.MATCHED

    play(story)


def test_enrolment_counts_from_the_next_entry_on(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        assert await tries(house, "office", None, ana.code) is Reason.MATCHED
        with RosterWriter.open(house.paths.roster, today=WEDNESDAY_DATE) as writer:
            edit(writer, ana.holder, suspended=True)
            assert await tries(house, "office", None, ana.code) is Reason.SUSPENDED
            edit(writer, ana.holder, suspended=False)
            edit(writer, ana.holder, groups=[GroupName("nobody wrote this one")])
            assert await tries(house, "office", None, ana.code) is Reason.NO_ACCESS
            writer.remove_holder(ana.holder)
            assert await tries(house, "office", None, ana.code) is Reason.NO_MATCH

    play(story)


def test_stored_counters_that_are_none_are_left_out() -> None:
    stored: dict[bytes, Any] = {
        LOCKOUT_PREFIX + b"rfront": [3, 5 * SECOND],
        LOCKOUT_PREFIX + b"rback": [3],
        LOCKOUT_PREFIX + b"rside": ["3", 0],
        LOCKOUT_PREFIX + b"roffice": None,
        b"something else": [1, 2],
    }
    assert stored_counters(stored) == [Counter(key=LockoutKey(b"rfront"), wrong=3, remaining=Duration(5 * SECOND))]
