"""When the door answers: at one moment after the last key or edge, whatever the answer, and a grid's step later if slow.

Virtual time, so the moments are equal or they are not.
"""

import pytest

from doorctl.core.types import MS, Card, Reason
from doorctl.doord.answer import COMMIT_ALLOWANCE, GRID
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import LAMPS, SOUNDERS, a_card
from tests.doord.site import config as doors


async def lock_out(house: House, reader: str) -> None:
    """Three wrong codes, so that the fourth is too early."""
    card = house.site.people["ana"].card if reader == "front" else None
    for _ in range(3):
        await house.enter(reader, card, "12345670")
        await house.wait(1)


async def answered(house: House, reader: str, card: Card | None, code: str | None) -> tuple[int, Reason]:
    """How long after the last key or edge the sounder began, and why it did as the log has it."""
    last = await house.enter(reader, card, code)
    await house.wait(1)
    beeps = [at - last for _, level, at in house.outputs(SOUNDERS[reader]) if level and at > last]
    return beeps[0], house.log()[-1].reason


OUTCOMES: dict[str, tuple[str, str | None, Reason]] = {
    # whose card and code, or the keys typed; what the log says
    "granted": ("ana", None, Reason.MATCHED),
    "the other code": ("ana", "other", Reason.MATCHED),
    "nobody's code": ("ana", "12345670", Reason.NO_MATCH),
    "a wrong check digit": ("ana", "12345671", Reason.NO_MATCH),
    "a short code": ("ana", "1#", Reason.NO_MATCH),
    "suspended": ("ben", None, Reason.SUSPENDED),
    "expired": ("cy", None, Reason.EXPIRED),
    "not yet valid": ("dee", None, Reason.NOT_YET_VALID),
    "no access": ("eve", None, Reason.NO_ACCESS),
}


@pytest.mark.parametrize("slow_ms", [0, 70, 333])
@pytest.mark.parametrize("reader", ["front", "office", "side"])
def test_every_answer_to_a_code_comes_at_one_moment(play: Play, reader: str, slow_ms: int) -> None:
    async def story(house: House) -> None:
        work, late = house.doord.times.code_work, 0
        for who, keys, reason in OUTCOMES.values():
            person = house.site.people[who]
            code = person.code if keys is None else person.codes[1] if keys == "other" else keys
            house.loop.threads["stretch"].next_takes = slow_ms * MS
            found = await answered(house, reader, person.card if reader == "front" else None, code)
            # 25 ms of silence end a key; Argon2id and the row follow
            over = max(0, 25 * MS + slow_ms * MS + 1 * MS - work)
            assert found == (work + -(-over // GRID) * GRID + COMMIT_ALLOWANCE, reason)
            late += over > 0
            await house.wait(12)  # lock-outs end
        assert (await house.status())["answer_ms"]["late"] == late

    play(story)


@pytest.mark.parametrize("reader", ["front", "office"])
def test_locked_out_and_locked_down_are_answered_like_all_others(play: Play, reader: str) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        card = ana.card if reader == "front" else None
        expected = house.doord.times.code_work + COMMIT_ALLOWANCE
        await lock_out(house, reader)
        assert await answered(house, reader, card, ana.code) == (expected, Reason.LOCKED_OUT)
        assert await answered(house, reader, card, "12345670") == (expected, Reason.LOCKED_OUT)
        await house.wait(40)
        await house.ask("lockdown", on=True)
        assert await answered(house, reader, card, ana.code) == (expected, Reason.LOCKDOWN)
        assert await answered(house, reader, card, "12345670") == (expected, Reason.LOCKDOWN)

    play(story)


def test_time_and_interlock_change_no_answers_moment(play: Play) -> None:
    async def story(house: House) -> None:
        fay, ana = house.site.people["fay"], house.site.people["ana"]
        expected = house.doord.times.code_work + COMMIT_ALLOWANCE
        assert await answered(house, "office", None, fay.code) == (expected, Reason.MATCHED)
        house.loop.set_wall(house.loop.wall + 12 * 3600 * 1000 * MS)
        assert await answered(house, "office", None, fay.code) == (expected, Reason.OUTSIDE_SCHEDULE)
        await house.wait(3)
        house.leaf("front", open_=True)
        await house.wait(0.2)
        assert await answered(house, "office", None, ana.code) == (expected, Reason.INTERLOCK)
        house.courier.monitor_offset = 3_600_000 * MS
        house.leaf("front", open_=False)
        await house.wait(3)
        assert await answered(house, "office", None, fay.code) == (expected, Reason.TIME_UNKNOWN)

    play(story, config=doors(office='interlock = ["front"]\n'))


@pytest.mark.parametrize("slow_ms", [0, 45])
def test_every_answer_to_a_card_comes_at_one_moment(play: Play, slow_ms: int) -> None:
    async def story(house: House) -> None:
        work = house.doord.times.card_work
        cards = {name: person.card for name, person in house.site.people.items()} | {"nobody": a_card(999)}
        for card in cards.values():
            house.loop.threads["roster"].next_takes = slow_ms * MS
            delay, _ = await answered(house, "side", card, None)
            assert delay == work + COMMIT_ALLOWANCE + (GRID if slow_ms else 0)
            await house.wait(4)
        assert {row.reason for row in house.log() if row.event == "access"} == {
            *(Reason.MATCHED, Reason.NO_MATCH, Reason.NO_ACCESS),
            *(Reason.SUSPENDED, Reason.EXPIRED, Reason.NOT_YET_VALID),
        }

    play(story)


def test_cards_that_are_only_counted_are_answered_alike(play: Play) -> None:
    async def story(house: House) -> None:
        expected = house.doord.times.card_work + COMMIT_ALLOWANCE
        delays = []
        for number in range(12):
            last = await house.enter("side", a_card(900 + number), None)
            await house.wait(0.75)
            beeps = [at - last for _, level, at in house.outputs(SOUNDERS["side"]) if level and at > last]
            delays.append(beeps[0])
        assert set(delays) == {expected}
        single = [row for row in house.log() if row.event == "access"]
        assert len(single) == 5
        await house.wait(12)
        assert house.log()[-1].count == 7

    play(story)


def test_a_card_of_wrong_parity_is_denied_like_a_stranger(play: Play) -> None:
    async def story(house: House) -> None:
        work, shown = house.doord.times.card_work, []
        for card, reason in (
            (a_card(999), Reason.NO_MATCH),
            (Card(length=26, raw=a_card(999).raw ^ 1), Reason.BAD_FORMAT),
        ):
            assert await answered(house, "side", card, None) == (work + COMMIT_ALLOWANCE, reason)
            await house.wait(2)
            pins = (LAMPS["side"], SOUNDERS["side"])
            begin = house.now - 4_000 * MS
            changes = [(pin, level, at) for pin, level, at in house.outputs(*pins) if at > begin]
            shown.append(sorted((at - changes[0][2], pin, level) for pin, level, at in changes))
        assert shown[0] == shown[1] != []

    play(story)


def test_a_card_without_its_code_is_denied_when_its_time_is_over(play: Play) -> None:
    async def story(house: House) -> None:
        last = await house.enter("front", house.site.people["ana"].card, None)
        await house.wait(12)
        beeps = [at for _, level, at in house.outputs(SOUNDERS["front"]) if level and at > last]
        assert beeps[0] == last + 10_000 * MS + house.doord.times.card_work + COMMIT_ALLOWANCE
        assert [row.reason for row in house.log() if row.event == "access"] == [Reason.INCOMPLETE]

    play(story)


def test_nothing_is_taken_while_an_answer_is_due(play: Play) -> None:
    """Neither a card nor keys in the meantime change what is answered, or when."""

    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        last = await house.enter("side", None, ana.code)
        await house.wait(0.03)
        house.keys("side", "1")
        await house.wait(1)
        assert house.releases("side") == [last + house.doord.times.code_work + COMMIT_ALLOWANCE]
        assert [row.reason for row in house.log() if row.event == "access"] == [Reason.MATCHED]
        assert (await house.status())["doors"][2]["readers"][0]["dropped"] == 1

    play(story)
