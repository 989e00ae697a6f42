"""A reader's indicator that fails on the way, and entries given up by the event that begins or ends another."""

from datetime import UTC, datetime
from typing import Any

import pytest

from doorctl.core.types import SECOND, DoorName, Mode, Reason
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import LAMPS, SOUNDERS, a_card

BEFORE_SEVEN = round(datetime(2027, 3, 11, 6, 59, 57, tzinfo=UTC).timestamp()) * SECOND
"""Three seconds before the back door asks for the card only, instead of card and code."""
AFTER_SEVEN_S = 4


def reader(house: House, door: str) -> Any:
    return house.doord.doors[DoorName(door)].readers[0]


def reasons(house: House) -> list[Reason | None]:
    return [row.reason for row in house.log() if row.event == "access"]


def in_flight(house: House) -> list[str]:
    return sorted(task.get_name() for task in house.doord._tasks if task.get_name().startswith("answer"))


@pytest.mark.parametrize(("pins", "name"), [(LAMPS, "lamp"), (SOUNDERS, "sounder")])
def test_a_pattern_that_breaks_off_is_a_fault_at_once(play: Play, pins: dict[str, str], name: str) -> None:
    async def story(house: House) -> None:
        await house.enter("side", a_card(999), None)
        while not any(at for _, level, at in house.outputs(pins["side"]) if level):
            await house.wait(0.02)
        house.breaks(pins["side"], unwritable=True)
        await house.wait(0.25)
        (fault,) = (await house.status())["faults"]
        assert fault.startswith(f"{name} side: ")
        assert house.doord._failure is None
        house.breaks(pins["side"], unwritable=False)
        await house.wait(3)
        await house.enter("side", a_card(998), None)
        await house.wait(3)
        assert (await house.status())["faults"] == []

    play(story)


def test_a_card_that_ends_an_entry_of_another_mode_is_not_answered_as_well(play: Play) -> None:
    async def story(house: House) -> None:
        house.loop.set_wall(BEFORE_SEVEN)
        ana = house.site.people["ana"]
        await house.enter("back", ana.card, None)
        await house.wait(AFTER_SEVEN_S)
        await house.enter("back", ana.card, None)
        await house.wait(0.03)
        assert in_flight(house) == ["answer back"]
        await house.wait(2)
        assert (reasons(house), house.releases("back")) == ([Reason.INCOMPLETE], [])
        assert reader(house, "back").dropped == 1
        await house.enter("back", ana.card, None)
        await house.wait(0.5)
        assert (reasons(house), len(house.releases("back"))) == ([Reason.INCOMPLETE, Reason.MATCHED], 1)

    play(story)


def test_an_unreadable_card_that_ends_an_entry_is_one_answer(play: Play) -> None:
    async def story(house: House) -> None:
        house.loop.set_wall(BEFORE_SEVEN)
        await house.enter("back", house.site.people["ana"].card, None)
        await house.wait(AFTER_SEVEN_S)
        card = a_card(10_001)
        bits = f"{card.raw ^ 1:0{card.length}b}"
        house.edges(*((("GPIO2", "GPIO3")[int(bit)], place * 1_000_000) for place, bit in enumerate(bits)))
        await house.wait(0.1)
        assert in_flight(house) == ["answer back"]
        await house.wait(2)
        assert reasons(house) == [Reason.INCOMPLETE]
        assert reader(house, "back").dropped == 1

    play(story)


def test_what_would_begin_while_a_give_up_is_answered_is_not_begun(play: Play) -> None:
    """The next card must not wait, unseen, under the denial's light, nor its code be taken in half."""

    async def story(house: House) -> None:
        unit, ana = reader(house, "side"), house.site.people["ana"]
        house.keys("side", "12")
        await house.wait(0.5)
        unit._mode = lambda: Mode.CARD_AND_CODE
        await house.enter("side", ana.card, None)
        await house.wait(0.03)
        assert in_flight(house) == ["answer side"]
        assert unit.next_deadline() is None
        await house.wait(20)
        assert reasons(house) == [Reason.INCOMPLETE]
        await house.enter("side", ana.card, ana.code)
        await house.wait(1)
        assert (reasons(house), len(house.releases("side"))) == ([Reason.INCOMPLETE, Reason.MATCHED], 1)

    play(story)
