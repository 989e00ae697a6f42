"""What one reader shows and takes: lamp and sounder to the millisecond, one entry at a time."""

from typing import Any

import pytest

from doorctl.core.types import MS, DoorName, Reason
from hal.mock_commands import Fault
from hal.mock_drive import perform
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import LAMPS, SOUNDERS, a_card
from tests.doord.site import config as doors


def reader(house: House, door: str) -> Any:
    return house.doord.doors[DoorName(door)].readers[0]


class Shown:
    """What lamp and sounder do from now on, in milliseconds."""

    def __init__(self, house: House, door: str) -> None:
        self._house, self._door, self._begin = house, door, house.now

    def _of(self, pin: str) -> list[tuple[int, bool | None]]:
        changes = self._house.outputs(pin)
        return [(round((at - self._begin) / MS), level) for _, level, at in changes if at >= self._begin]

    @property
    def lamp(self) -> list[tuple[int, bool | None]]:
        return self._of(LAMPS[self._door])

    @property
    def sounder(self) -> list[tuple[int, bool | None]]:
        return self._of(SOUNDERS[self._door])

    def lamp_at(self, ms: int) -> bool | None:
        return [level for at, level in [(-1, False), *self.lamp] if at <= ms][-1]


THREE_BEEPS = [(0, True), (100, False), (200, True), (300, False), (400, True), (500, False)]
DENIED_MS = 1500


def relative(changes: list[tuple[int, bool | None]], begin: int) -> list[tuple[int, bool | None]]:
    return [(at - begin, level) for at, level in changes if at >= begin]


def test_a_denial_blinks_and_beeps_three_times(play: Play) -> None:
    async def story(house: House) -> None:
        await house.enter("side", a_card(999), None)
        shown = Shown(house, "side")
        await house.wait(3)
        answered = shown.sounder[0][0]
        assert relative(shown.sounder, answered) == THREE_BEEPS
        blinks = [(ms, level) for ms, level in relative(shown.lamp, answered)]
        assert blinks == [(ms, ms % 200 == 0) for ms in range(0, DENIED_MS + 100, 100)]

    play(story)


def test_a_grant_lights_while_released_and_beeps_once(play: Play) -> None:
    async def story(house: House) -> None:
        await house.enter("side", house.site.people["ana"].card, None)
        shown = Shown(house, "side")
        await house.wait(5)
        answered = shown.sounder[0][0]
        assert relative(shown.sounder, answered) == [(0, True), (100, False)]
        assert relative(shown.lamp, answered) == [(0, True), (3000, False)]

    play(story)


def test_a_begun_entry_blinks_slowly_until_it_is_over(play: Play) -> None:
    async def story(house: House) -> None:
        last = await house.enter("front", house.site.people["ana"].card, None)
        shown = Shown(house, "front")
        await house.wait(4)
        assert [level for _, level in shown.lamp] == [True, False] * 4
        assert {later - sooner for (sooner, _), (later, _) in zip(shown.lamp, shown.lamp[1:], strict=False)} == {500}
        house.keys("front", "123*")
        await house.wait(0.5)
        assert house.now > last
        await house.wait(9)
        assert shown.sounder[0][1] is True, "given up: answered as denied"
        assert shown.lamp[-1][1] is False

    play(story)


def test_esc_before_any_card_shows_the_doors_own_light_again(play: Play) -> None:
    async def story(house: House) -> None:
        house.keys("office", "12")
        await house.wait(0.4)
        shown = Shown(house, "office")
        house.keys("office", "*")
        await house.wait(2)
        assert [level for _, level in shown.lamp] in ([False], [])
        assert shown.sounder == []

    play(story)


def test_a_second_denial_is_shown_as_long_as_the_first(play: Play) -> None:
    async def story(house: House) -> None:
        await house.enter("side", a_card(999), None)
        await house.wait(1)
        await house.enter("side", a_card(998), None)
        shown = Shown(house, "side")
        await house.wait(4)
        answered = shown.sounder[0][0]
        assert relative(shown.lamp, answered)[-2:] == [(DENIED_MS - 100, True), (DENIED_MS, False)]

    play(story)


def test_a_card_after_a_denial_goes_on_waiting_for_its_code(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        await house.enter("front", ana.card, "12345670")
        await house.wait(0.8)
        await house.enter("front", ana.card, None)
        shown = Shown(house, "front")
        await house.wait(4)
        assert [level for ms, level in shown.lamp if ms > 1000], "the old denial's end does not darken it"
        house.keys("front", ana.code)
        await house.wait(1.5)
        assert house.released("front")

    play(story)


def test_the_door_securing_does_not_darken_somebodys_entry(play: Play) -> None:
    """The person before has just gone through, and the next one is typing."""

    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        await house.enter("office", None, ana.code)
        await house.wait(1.5)
        house.keys("office", ana.code[:3])
        await house.wait(0.5)
        shown = Shown(house, "office")
        await house.wait(3)
        assert not house.released("office")
        assert [level for ms, level in shown.lamp if ms > 1500] != []

    play(story)


def test_what_the_door_shows_covers_a_denial(play: Play) -> None:
    async def story(house: House) -> None:
        await house.enter("side", a_card(999), None)
        await house.wait(0.3)
        shown = Shown(house, "side")
        await house.ask("unlock", door="side", seconds=10)
        await house.wait(5)
        assert shown.lamp[-1][1] is True
        assert len(shown.lamp) <= 4, "steady, not blinking"

    play(story)


def test_a_reader_in_trouble_forgets_the_entry_and_its_light(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        await house.enter("front", ana.card, None)
        await house.wait(0.2)
        perform(house.doord.board, Fault(fault="stuck-low", pin="GPIO4"))
        await house.wait(0.5)
        shown = Shown(house, "front")
        await house.wait(2)
        assert shown.lamp == [], "dark, and no longer waiting"
        assert not house.lit("front")
        perform(house.doord.board, Fault(fault="clear", pin="GPIO4"))
        await house.wait(3)
        await house.enter("front", None, ana.code)
        await house.wait(1)
        assert house.releases("front") == []

    play(story)


def test_one_entry_is_in_flight_and_other_readers_go_on(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        house.loop.threads["stretch"].next_takes = 700 * MS
        await house.enter("office", None, ana.code)
        await house.wait(0.05)
        house.keys("office", "1")
        await house.enter("side", ana.card, None)
        await house.wait(0.3)
        assert house.released("side")
        assert house.releases("office") == []
        await house.wait(1)
        assert len(house.releases("office")) == 1
        assert reader(house, "office").dropped == 1
        assert [row.reason for row in house.log() if row.event == "access"] == [Reason.MATCHED] * 2

    play(story)


def test_a_stranger_frame_is_only_counted(play: Play) -> None:
    """37 bits at a 26-bit reader: noise, not a card."""

    async def story(house: House) -> None:
        shown = Shown(house, "side")
        begin = house.now
        house.edges(*((("GPIO12", "GPIO13")[place % 2], place * MS) for place in range(37)))
        await house.wait(1)
        assert house.now > begin
        assert (shown.lamp, shown.sounder) == ([], [])
        assert [row for row in house.log() if row.event == "access"] == []
        assert sum(int(n) for name, n in reader(house, "side").reader.counters().items() if "refused" in name) == 1

    play(story)


@pytest.mark.parametrize("pin", ["lamp", "sounder"])
def test_an_indicator_that_fails_in_the_middle_of_its_pattern_ends_nothing(play: Play, pin: str) -> None:
    async def story(house: House) -> None:
        broken = (LAMPS if pin == "lamp" else SOUNDERS)["side"]
        await house.enter("side", a_card(999), None)
        await house.wait(0.25)
        house.breaks(broken, unwritable=True)
        await house.wait(3)
        house.breaks(broken, unwritable=False)
        await house.enter("side", house.site.people["ana"].card, None)
        await house.wait(4)
        assert len(house.releases("side")) == 1
        assert (await house.status())["faults"] == []

    play(story)


@pytest.mark.parametrize("pin", ["lamp", "sounder"])
def test_an_indicator_that_fails_lets_nobody_in_or_out(play: Play, pin: str) -> None:
    async def story(house: House) -> None:
        broken = (LAMPS if pin == "lamp" else SOUNDERS)["side"]
        house.breaks(broken, unwritable=True)
        await house.enter("side", a_card(999), None)
        await house.wait(2)
        (fault,) = (await house.status())["faults"]
        assert fault.startswith(f"{pin} side: ")
        ana = house.site.people["ana"]
        await house.enter("side", ana.card, None)
        await house.wait(0.5)
        assert house.released("side")
        house.breaks(broken, unwritable=False)
        await house.wait(4)
        await house.enter("side", ana.card, None)
        await house.wait(0.5)
        assert (await house.status())["faults"] == [], "it takes orders again"

    play(story)


def test_the_mode_follows_the_schedule(play: Play) -> None:
    """By day a card opens the back door; at night it takes a code as well, and a begun entry is not carried over."""

    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        await house.enter("back", ana.card, None)
        await house.wait(0.5)
        assert len(house.releases("back")) == 1
        house.loop.set_wall(house.loop.wall + 12 * 3600 * 1000 * MS)
        await house.wait(3)
        await house.enter("back", ana.card, None)
        await house.wait(0.5)
        assert len(house.releases("back")) == 1
        await house.enter("back", None, ana.code)
        await house.wait(0.5)
        assert len(house.releases("back")) == 2

    play(story, config=doors())
