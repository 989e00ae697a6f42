"""The contract of hal.ports over every backend that can run here."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from hal.errors import ConfigurationError, DeviceGoneError
from hal.events import (
    CardBits,
    FaultKind,
    InputChanged,
    InputEvent,
    Monotonic,
    ReaderArmed,
    ReaderEvent,
    ReaderFault,
)
from hal.gpio import STORM_EDGES
from hal.ports import Contact, Indicator, Light, Reader, Rex, Strike, StrikeType
from tests.conformance.rigs import RIGS, Rig, opened
from tests.hal.virtual import BEGIN, MS, SECOND

SECURE, SAFE = StrikeType.FAIL_SECURE, StrikeType.FAIL_SAFE


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with opened(request.param, tmp_path, monkeypatch) as opened_rig:
        yield opened_rig


def play(rig: Rig, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.set_event_loop(None)
    rig.loop.run_until_complete(story())


# ---- strike

LEVELS = {(SECURE, True): (0, 1), (SECURE, False): (1, 0), (SAFE, True): (1, 0), (SAFE, False): (0, 1)}


@pytest.mark.parametrize(("strike_type", "active_high"), LEVELS)
def test_a_strike_is_secured_from_its_first_moment_to_its_last(
    rig: Rig, strike_type: StrikeType, active_high: bool
) -> None:
    secured, released = LEVELS[strike_type, active_high]
    strike: Strike = rig.board.strike(pin="GPIO17", strike_type=strike_type, active_high=active_high)
    assert (strike.released, rig.output(17)) == (False, secured)
    strike.release()
    strike.release()
    assert (strike.released, rig.output(17)) == (True, released)
    strike.secure()
    assert (strike.released, rig.output(17)) == (False, secured)
    strike.release()
    strike.close()
    strike.close()
    assert (strike.released, rig.output(17)) == (False, None)
    assert rig.levels(17) == [secured, released, secured, released, secured, None]


def test_a_closed_strike_refuses_orders(rig: Rig) -> None:
    strike = rig.board.strike(pin="GPIO17", strike_type=SECURE)
    strike.close()
    for order in (strike.release, strike.secure):
        with pytest.raises(DeviceGoneError, match=r"^strike GPIO17 on .*: closed$"):
            order()
    assert rig.output(17) is None


def test_a_strike_that_could_not_be_moved_says_so(rig: Rig) -> None:
    strike = rig.board.strike(pin="GPIO17", strike_type=SECURE)
    rig.vanish(gone=True)
    with pytest.raises(DeviceGoneError, match=r"^strike GPIO17 on .*: .*[Nn]o such device"):
        strike.release()
    assert not strike.released
    rig.vanish(gone=False)
    strike.release()
    assert strike.released


def test_closing_the_board_secures_every_strike(rig: Rig) -> None:
    for pin in ("GPIO17", "GPIO18"):
        rig.board.strike(pin=pin, strike_type=SECURE).release()
    rig.board.close()
    rig.board.close()
    assert [rig.levels(gpio)[-2:] for gpio in (17, 18)] == [[0, None], [0, None]]


# ---- contact, REX, tamper


@pytest.mark.parametrize("active_high", [True, False])
def test_a_contact_reports_each_change_with_the_kernels_time(rig: Rig, active_high: bool) -> None:
    seen: list[InputEvent] = []

    async def story() -> None:
        contact: Contact = rig.board.contact(name="front", pin="GPIO27", active_high=active_high, pull="up")
        assert contact.active is active_high
        contact.start(seen.append)
        rig.drive(27, 0, BEGIN + 5 * MS)
        rig.drive(27, 1, BEGIN + 6 * MS)
        rig.drive(27, 0, BEGIN + 7 * MS)
        await asyncio.sleep(1)
        assert contact.active is not active_high

    play(rig, story)
    assert seen == [
        InputChanged(name="front", active=level is active_high, at=Monotonic(BEGIN + at * MS))
        for level, at in ((False, 5), (True, 6), (False, 7))
    ]


@pytest.mark.parametrize(("pull", "level"), [("up", True), ("down", False)])
def test_an_input_rests_where_its_pull_puts_it(rig: Rig, pull: str, level: bool) -> None:
    assert pull in {"up", "down"}
    rex: Rex = rig.board.contact(name="rex", pin="GPIO22", pull="up" if pull == "up" else "down")
    assert rex.active is level


def test_a_contact_says_nothing_before_start_and_after_close(rig: Rig) -> None:
    seen: list[InputChanged] = []

    async def story() -> None:
        contact = rig.board.contact(name="front", pin="GPIO27")
        rig.drive(27, 0, BEGIN)
        contact.start(seen.append)
        await asyncio.sleep(0.1)
        rig.drive(27, 1, BEGIN + MS)
        contact.close()
        contact.close()
        await asyncio.sleep(0.1)
        with pytest.raises(DeviceGoneError, match="closed"):
            _ = contact.active

    play(rig, story)
    assert seen == []


def test_an_edge_that_was_lost_leaves_no_wrong_level(rig: Rig) -> None:
    seen: list[InputChanged] = []

    async def story() -> None:
        contact = rig.board.contact(name="front", pin="GPIO27")
        contact.start(seen.append)
        rig.drive(27, 0, BEGIN)
        rig.drive_unseen(27, 1)
        await asyncio.sleep(1)

    play(rig, story)
    assert [(event.active, event.at - BEGIN <= 25 * MS) for event in seen] == [(False, True), (True, True)]


def test_a_storming_input_is_sampled_and_then_heard_again(rig: Rig) -> None:
    seen: list[InputChanged] = []

    async def story() -> None:
        contact = rig.board.contact(name="rex", pin="GPIO27")
        contact.start(seen.append)
        for edge in range(4 * STORM_EDGES):
            rig.drive(27, edge % 2, BEGIN + edge * 20_000)
        await asyncio.sleep(0.5)
        assert len(seen) <= STORM_EDGES
        seen.clear()
        now = rig.loop.clock()
        rig.drive(27, 0, now)  # pressed during the storm, longer than 400 ms
        await asyncio.sleep(0.4)
        rig.drive(27, 1, now + 400 * MS)
        await asyncio.sleep(1)
        assert [event.active for event in seen] == [False, True]
        seen.clear()
        rig.drive(27, 0, rig.loop.clock())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [event.active for event in seen] == [False]

    play(rig, story)
    assert len(seen) == 1


def test_callbacks_may_come_from_any_thread(rig: Rig) -> None:
    seen: list[tuple[bool, int]] = []

    async def story() -> None:
        for index in range(4):
            contact = rig.board.contact(name=f"c{index}", pin=f"GPIO{22 + index}")
            contact.start(lambda event: seen.append((event.active, threading.get_ident())))
        threads = [threading.Thread(target=rig.drive, args=(22 + index, 0, BEGIN)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        await asyncio.sleep(0.1)

    play(rig, story)
    assert seen == [(False, threading.get_ident())] * 4


# ---- indicator


def test_an_indicator_shows_and_sounds_without_blocking(rig: Rig) -> None:
    async def story() -> None:
        indicator: Indicator = rig.board.indicator(led="GPIO5", buzzer="GPIO6")
        shown: dict[Light, list[int | None]] = {}
        for light in Light:
            indicator.light(light)
            shown[light] = []
            for _ in range(5):
                shown[light].append(rig.output(5))
                await asyncio.sleep(0.1001)
        assert shown == {
            Light.OFF: [0, 0, 0, 0, 0],
            Light.IDLE: [0, 0, 0, 0, 0],
            Light.GRANTED: [1, 1, 1, 1, 1],
            Light.DENIED: [1, 0, 1, 0, 1],
            Light.WAITING: [1, 1, 1, 1, 1],
        }
        indicator.beep((50, 100, 200))
        sound = []
        for _ in range(9):
            sound.append(rig.output(6))
            await asyncio.sleep(0.0501)
        assert sound == [1, 0, 0, 1, 1, 1, 1, 0, 0]
        indicator.beep((1000,))
        indicator.beep((50,))
        await asyncio.sleep(0.06)
        assert rig.output(6) == 0
        indicator.light(Light.GRANTED)
        indicator.beep((1000,))
        indicator.close()
        indicator.close()

    play(rig, story)
    assert [rig.levels(gpio)[-3:] for gpio in (5, 6)] == [[1, 0, None], [1, 0, None]]


def test_an_indicator_may_lack_either_and_be_active_low(rig: Rig) -> None:
    async def story() -> None:
        indicator = rig.board.indicator(led=None, buzzer="GPIO6", active_high=False)
        assert rig.output(6) == 1
        indicator.light(Light.GRANTED)
        indicator.beep((1000,))
        assert rig.output(6) == 0
        indicator.beep(())
        assert rig.output(6) == 1
        rig.vanish(gone=True)
        with pytest.raises(DeviceGoneError):
            indicator.beep((10,))
        rig.vanish(gone=False)

    play(rig, story)


# ---- reader


def read_story(rig: Rig, seen: list[ReaderEvent]) -> Callable[[], Coroutine[Any, Any, None]]:
    async def story() -> None:
        reader: Reader = rig.board.wiegand_reader(
            name="front", d0="GPIO14", d1="GPIO15", card_lengths=frozenset({26}), accept=lambda _, __: True
        )
        reader.start(seen.append)
        assert reader.counters()["armed"] == 0
        await asyncio.sleep(1.5)
        assert reader.counters()["armed"] == 1
        for place in range(26):
            at = rig.loop.clock()
            rig.drive(14 + place % 2, 0, at)
            rig.drive(14 + place % 2, 1, at + 50_000)
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)
        rig.drive(14, 0, rig.loop.clock())
        await asyncio.sleep(0.1)
        reader.close()
        reader.close()

    return story


def test_a_reader_arms_reads_and_tells_a_dead_line(rig: Rig) -> None:
    seen: list[ReaderEvent] = []
    play(rig, read_story(rig, seen))
    armed, card, fault = seen
    assert armed == ReaderArmed(reader="front", at=Monotonic(BEGIN + SECOND))
    assert card == CardBits(reader="front", length=26, raw=int("01" * 13, 2), at=card.at)
    assert BEGIN + 1525 * MS <= card.at <= BEGIN + 1526 * MS
    assert fault == ReaderFault(reader="front", kind=FaultKind.LINE_LOW, at=fault.at)
    assert {"GPIO14", "GPIO15"}.isdisjoint(rig.board.users)


# ---- pins


def test_a_pin_claimed_twice_names_both_users(rig: Rig) -> None:
    rig.board.strike(pin="GPIO17", strike_type=SECURE)
    with pytest.raises(ConfigurationError, match=r"^pin J8:11 is claimed twice: by strike GPIO17 and by input front$"):
        rig.board.contact(name="front", pin="J8:11")
    with pytest.raises(ConfigurationError, match=r"by reader front d0 and by reader front d1$"):
        rig.board.wiegand_reader(
            name="front", d0="GPIO14", d1="BCM14", card_lengths=frozenset({26}), accept=lambda _, __: True
        )
    assert rig.board.users == {"GPIO17": "strike GPIO17"}


def test_a_pin_given_back_may_be_claimed_again(rig: Rig) -> None:
    rig.board.strike(pin="GPIO17", strike_type=SECURE).close()
    assert rig.board.contact(name="front", pin="GPIO17").active


@pytest.mark.parametrize("name", ["GPIO99", "", "J8:1", "7F"])
def test_a_name_that_is_no_pin_is_refused(rig: Rig, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a gpio pin"):
        rig.board.strike(pin=name, strike_type=SECURE)
