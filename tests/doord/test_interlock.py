"""Doors of an interlock never open together, however close their grants are, and whoever asks for them."""

import asyncio

import pytest

from doorctl.config.types import Config
from doorctl.core.types import MS, Reason
from doorctl.errors import OperatorError
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import config as doors

AIRLOCK: Config = doors(side='interlock = ["back"]\n')
"""The back door has no contact and no `interlock` of its own: one that waits is enough to see the rule."""
BOTH: Config = doors(office='interlock = ["side"]\n', side='interlock = ["office"]\n')


def reasons(house: House) -> list[tuple[str, Reason]]:
    return [(row.door, row.reason) for row in house.log() if row.event == "access"]


@pytest.mark.parametrize("later_ms", [0, 1, 40, 50, 70, 79, 150])
def test_a_grant_that_is_only_decided_already_counts(play: Play, later_ms: int) -> None:
    async def story(house: House) -> None:
        ana, gus = house.site.people["ana"], house.site.people["gus"]
        house.card("back", ana.card)
        await house.wait(later_ms / 1000)
        house.card("side", gus.card)
        await house.wait(0.5)
        assert (len(house.releases("back")), len(house.releases("side"))) == (1, 0)
        assert reasons(house) == [("back", Reason.MATCHED), ("side", Reason.INTERLOCK)]
        await house.wait(3)
        await house.enter("side", gus.card, None)
        await house.wait(0.5)
        assert house.released("side"), "the mark went with the grant"

    play(story, config=AIRLOCK)


def test_it_counts_as_long_as_a_slow_disk_takes(play: Play) -> None:
    async def story(house: House) -> None:
        ana, gus = house.site.people["ana"], house.site.people["gus"]
        house.loop.stall("journal", 4_000 * MS)
        house.courier.keeps = False
        house.card("back", ana.card)
        await house.wait(0.12)
        house.card("side", gus.card)
        await house.wait(6)
        assert (len(house.releases("back")), len(house.releases("side"))) == (1, 0)

    play(story, config=AIRLOCK)


def test_a_denial_holds_no_door(play: Play) -> None:
    async def story(house: House) -> None:
        ben, gus = house.site.people["ben"], house.site.people["gus"]
        house.card("back", ben.card)
        await house.wait(0.05)
        house.card("side", gus.card)
        await house.wait(0.5)
        assert house.releases("back") == []
        assert house.released("side")

    play(story, config=AIRLOCK)


@pytest.mark.parametrize("seconds", [None, 5])
def test_an_operator_cannot_unlock_beside_an_open_door(play: Play, seconds: int | None) -> None:
    async def story(house: House) -> None:
        house.leaf("office", open_=True)
        await house.wait(0.5)
        with pytest.raises(OperatorError) as refused:
            await house.ask("unlock", door="side", seconds=seconds)
        assert str(refused.value).startswith("side: interlocked with office, which is ")
        assert refused.value.hint == "unlock side when office is closed and secured"
        assert not house.released("side")
        assert [row for row in house.log() if row.event == "operator"] == [], "nothing was done"
        house.leaf("office", open_=False)
        await house.wait(0.5)
        await house.ask("unlock", door="side", seconds=seconds)
        assert house.released("side")

    play(story, config=BOTH)


def test_of_two_operators_at_once_one_is_refused(play: Play) -> None:
    async def story(house: House) -> None:
        first = asyncio.ensure_future(house.ask("unlock", door="office"))
        await house.wait(0)
        with pytest.raises(OperatorError, match="side: interlocked with office, which is about to be released"):
            await house.ask("unlock", door="side")
        assert await first == {"door": "office", "seconds": 2.0}
        assert (house.released("office"), house.released("side")) == (True, False)

    play(story, config=BOTH)


def test_a_card_waits_for_an_unlock_that_is_under_way(play: Play) -> None:
    async def story(house: House) -> None:
        house.card("side", house.site.people["gus"].card)
        await house.wait(0.04)
        assert await house.ask("unlock", door="office") == {"door": "office", "seconds": 2.0}
        await house.wait(0.5)
        assert house.releases("side") == []
        assert reasons(house) == [("side", Reason.INTERLOCK)]

    play(story, config=BOTH)


def test_a_door_that_opened_while_the_unlock_was_recorded_stops_it(play: Play) -> None:
    """The way out of the other door is free, whatever an operator is about to do."""

    async def story(house: House) -> None:
        asked = asyncio.ensure_future(house.ask("unlock", door="side"))
        await house.wait(0.001)
        await house.rex("office", 0.3)
        assert asked.done()
        with pytest.raises(OperatorError, match="side: interlocked with office"):
            await asked
        assert (house.released("office"), house.released("side")) == (True, False)

    play(story, config=BOTH)
