"""What counting, lock-out and lockdown must not tell, and must not lose."""

import sqlite3
from collections import Counter

import pytest

from doorctl.core.lockout import card_key
from doorctl.core.types import MS, Card, Reason
from doorctl.doord import access
from doorctl.doord.access import COUNTED_PREFIX, LOCKOUT_PREFIX, is_guess
from doorctl.wire.record import Flag, Kind
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import CODE_LENGTH, SOUNDERS, a_card

WRONG = "12345670"


async def shown(house: House, reader: str, card: Card | None, code: str | None) -> int:
    """One entry while the next write takes 120 ms; how long after the last edge the denial is heard."""
    house.loop.threads["journal"].next_takes = 120 * MS
    last = await house.enter(reader, card, code, gap_ms=30)
    await house.wait(0.7)
    return next(at - last for _, level, at in house.outputs(SOUNDERS[reader]) if level and at > last)


async def hammer(house: House, times: int) -> None:
    for _ in range(times):
        await house.enter("office", None, WRONG, gap_ms=30)
        await house.wait(0.4)


def weights(house: House) -> list[tuple[Reason, int]]:
    """Reason and weight of every access record, as they lie on the disk."""
    with sqlite3.connect(house.paths.journal) as connection:
        rows = connection.execute(
            "SELECT log.reason, pending.weight FROM log JOIN record ON log.wall = record.wall"
            " JOIN pending ON pending.id = record.id WHERE log.event = 'access' ORDER BY log.id"
        ).fetchall()
    connection.close()
    return [(Reason(reason), weight) for reason, weight in rows]


def reasons(house: House) -> Counter[Reason]:
    told: Counter[Reason] = Counter()
    for row in house.log():
        if row.event == "access":
            told[row.reason] += row.count
    return told


def singles(house: House) -> list[Reason]:
    return [row.reason for row in house.log() if row.event == "access"]


@pytest.mark.parametrize("lockdown", [False, True])
def test_where_no_row_counts_right_and_wrong_codes_leave_and_take_the_same(play: Play, lockdown: bool) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        house.courier.receipts = False
        if lockdown:
            await house.ask("lockdown", on=True)
        await hammer(house, 8)  # the guessing alarm is over
        before, seen = house.recorder.sequence, []
        for code in (WRONG, ana.codes[0], ana.codes[1], WRONG, "1" * CODE_LENGTH):
            head, rows = house.recorder.sequence, len(house.log())
            heard = await shown(house, "office", None, code)
            seen.append((heard, house.recorder.sequence - head, len(house.log()) - rows))
        assert len(set(seen)) == 1, seen
        assert house.recorder.sequence - before == 5
        reason = Reason.LOCKDOWN if lockdown else Reason.LOCKED_OUT
        assert weights(house)[-5:] == [(reason, 0)] * 5
        bodies = [house.monitor.open(record)[1] for record in house.courier.records()]
        flags = [bool(body.flags & Flag.MATCHED) for body in bodies if body.kind is Kind.ACCESS]
        assert flags[-5:] == [False, True, True, False, False], "the monitor is told"

    play(story)


@pytest.mark.parametrize("right", [False, True])
def test_the_guessing_alarm_does_not_tell_which_code_at_a_lock_out_was_right(play: Play, right: bool) -> None:
    async def story(house: House) -> None:
        await hammer(house, 7)
        assert [row for row in house.log() if row.event == "guessing"] == []
        await house.enter("office", None, house.site.people["ana"].code if right else WRONG)
        await house.wait(0.5)
        assert [row.reason for row in house.log()[-2:]] == [Reason.LOCKED_OUT, Reason.NONE]
        assert house.log()[-1].event == "guessing"

    play(story)


def test_a_right_code_in_lockdown_resets_no_counter_and_a_wrong_one_counts_none(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        for code in (None, WRONG, ana.code):
            await house.ask("lockdown", on=False)
            await hammer(house, 2)
            stored = house.doord.journal.load_lockouts()
            await house.ask("lockdown", on=True)
            if code is not None:
                await house.enter("office", None, code)
                await house.wait(1)
            assert house.doord.journal.load_lockouts() == stored
            await house.ask("lockdown", on=False)
            await house.enter("office", None, ana.code)  # begin anew
            await house.wait(4)

    play(story)


def test_a_card_that_is_only_counted_waits_for_a_slow_disk_like_the_known(play: Play) -> None:
    async def story(house: House) -> None:
        for number in range(5):
            await house.enter("side", a_card(900 + number), None)
            await house.wait(0.7)
        rows = len(house.log())
        stranger = await shown(house, "side", a_card(999), None)
        unreadable = await shown(house, "side", Card(length=26, raw=a_card(999).raw ^ 1), None)
        assert len(house.log()) == rows, "only counted"
        known = await shown(house, "side", house.site.people["ben"].card, None)
        assert stranger == unreadable == known
        assert stranger >= house.doord.times.card_work + 120 * MS

    play(story)


def test_a_lock_out_of_codes_that_were_only_counted_survives_a_restart(play: Play) -> None:
    async def story(house: House) -> None:
        ana, gus = house.site.people["ana"], house.site.people["gus"]
        for person in (ana, ana, ana, gus, gus, gus):
            await house.enter("front", person.card, WRONG, gap_ms=30)
            await house.wait(0.35)
        assert len(singles(house)) == 5
        await house.restart()
        await house.armed()
        await house.enter("front", gus.card, gus.code)
        await house.wait(0.6)
        assert singles(house)[-1] is Reason.LOCKED_OUT

    play(story)


def test_a_card_that_gave_way_goes_from_the_disk_too(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(house: House) -> None:
        monkeypatch.setattr(access, "CARD_KEYS", 2)
        house.doord.access._lockouts._limit = 2
        for number in range(4):
            await house.enter("front", a_card(900 + number), WRONG, gap_ms=30)
            await house.wait(3)
        counters = house.doord.access._lockouts.counters(house.now)
        stored = [key for key in house.doord.journal.load_lockouts() if key.startswith(LOCKOUT_PREFIX + card_key(b""))]
        assert len(counters) == 2
        assert set(stored) == {LOCKOUT_PREFIX + counter.key for counter in counters}

    play(story)


def test_unreadable_cards_and_half_entries_are_counted_by_reason(play: Play) -> None:
    async def story(house: House) -> None:
        before = house.recorder.sequence
        bad = Card(length=26, raw=a_card(1).raw ^ 1)
        for _ in range(100):
            house.card("side", bad)
            await house.wait(0.6)
        house.card("side", a_card(999))
        await house.wait(12)
        assert reasons(house) == {Reason.BAD_FORMAT: 100, Reason.NO_MATCH: 1}
        assert house.recorder.sequence - before < 45
        assert not [key for key in house.doord.journal.load_lockouts() if key.startswith(COUNTED_PREFIX)]

    play(story)


def test_with_an_unreadable_roster_counts_say_fault_and_nobody_guesses(play: Play) -> None:
    async def story(house: House) -> None:
        house.paths.roster.rename(house.paths.roster.with_name("away"))
        for _ in range(12):
            await house.enter("office", None, house.site.people["ana"].code, gap_ms=30)
            await house.wait(0.4)
        await house.wait(12)
        assert reasons(house) == {Reason.FAULT: 12}
        assert len(singles(house)) < 12
        assert [row for row in house.log() if row.event == "guessing"] == []

    play(story)


def test_at_a_clean_stop_what_was_counted_is_told(play: Play) -> None:
    async def story(house: House) -> None:
        for number in range(8):
            await house.enter("side", a_card(900 + number), None)
            await house.wait(0.6)
        assert len(singles(house)) == 5
        house.doord.access.flush_all()
        house.doord.access.flush_all()
        await house.wait(0.5)
        assert reasons(house) == {Reason.NO_MATCH: 8}
        assert len(singles(house)) == 6
        await house.wait(12)
        assert len(singles(house)) == 6, "told once"

    play(story)


def test_a_clean_stop_of_the_process_loses_no_count(play: Play) -> None:
    async def story(house: House) -> None:
        for number in range(8):
            await house.enter("side", a_card(900 + number), None)
            await house.wait(0.6)
        await house.restart()
        await house.armed()
        assert reasons(house) == {Reason.NO_MATCH: 8}

    play(story)


def test_what_counts_as_a_guess() -> None:
    assert {reason for reason in Reason if is_guess(reason)} == {Reason.NO_MATCH, Reason.LOCKED_OUT}
