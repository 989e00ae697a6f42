"""Another configuration while the doors work: as a whole or not at all, and nothing moves but by a new schedule."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doorctl.config.digest import config_digest
from doorctl.config.reading import read_config
from doorctl.core.types import SECOND, Monotonic, Outcome, Reason
from doorctl.doord import reload
from doorctl.doord.answer import COMMIT_ALLOWANCE
from doorctl.doord.control import Caller, Right
from doorctl.paths import Paths
from doorctl.sdnotify import StatusTeller
from doorctl.seal.certificates import create_tls
from doorctl.seal.keys import MonitorFile, read_monitor_file, write_monitor_file
from doorctl.wire.detail import BY_SIGNAL, Act, OperatorDetail
from doorctl.wire.record import Kind
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import DOORS, STRIKES, MadeSite
from tests.doord.test_operations import bodies

FILE = DOORS.format(site="", front="", office="", side="")
MISTAKEN = Path(__file__).parents[1] / "config" / "mistaken.toml"
Written = Callable[..., None]


@pytest.fixture
def written(paths: Paths, site: MadeSite, folder: Path) -> Written:
    """written("release_s = 5", "release_s = 6", …): the file with something else instead, in pairs."""
    public = MonitorFile(
        addresses=("127.0.0.1:7443",), certificate_der=create_tls(folder / "key", folder / "pem", name="m"),
        keys=site.monitor.public, simulated=True,
    )  # fmt: skip
    write_monitor_file(paths.etc / "monitor.toml", public)

    def write(*pairs: str) -> None:
        text = FILE
        for old, new in zip(pairs[::2], pairs[1::2], strict=True):
            assert old in text
            text = text.replace(old, new, 1)
        paths.config.write_text(text, encoding="utf-8")

    write()
    return write


@pytest.fixture
def reloading(play: Play, written: Written, paths: Paths) -> Callable[[Callable[[House], Awaitable[None]]], None]:
    """As `play`, with the monitor's file of the disk."""
    assert paths.config.exists()

    def run(story: Callable[[House], Awaitable[None]]) -> None:
        async def whole(house: House) -> None:
            monitor = read_monitor_file(paths.etc / "monitor.toml")
            house.doord.site = replace(house.doord.site, monitor=monitor)
            await story(house)

        play(whole)

    return run


def strike_of(house: House, door: str, since: int) -> list[tuple[bool | None, int]]:
    return [(level, at - since) for _, level, at in house.outputs(STRIKES[door]) if at >= since]


def decided(house: House) -> list[tuple[str, Outcome, Reason]]:
    rows = [row for row in house.log() if row.event == "access"]
    return [(row.door, row.outcome, row.reason) for row in sorted(rows, key=lambda row: row.wall)]


def test_what_can_be_applied_is_applied_at_once_and_recorded(
    reloading: Any, written: Written, paths: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        old = config_digest(house.config)
        assert (await house.status())["configuration"] == old
        written("release_s = 5", "release_s = 7", 'office = "always"', 'office = "hours"')
        new = config_digest(read_config(paths.config))
        await house.wait(5)
        answer = await house.doord.reload.asked(Caller(uid=1234, rights=frozenset(Right)), {})
        changed = ["door.front.strike.release_s", "group.staff.office"]
        assert answer == {"applied": True, "configuration": new, "changed": changed, "notes": []}
        status = await house.status()
        assert (status["configuration"], status["configuration_refused"]) == (new, None)
        assert status["configuration_since"] == house.loop.wall // SECOND
        (body,) = bodies(house, Kind.OPERATOR)
        assert OperatorDetail.parse(body.detail) == OperatorDetail(act=Act.RELOAD, uid=1234)
        row = next(row for row in house.log() if row.event == "operator")
        assert row.detail == f"configuration {new}, by uid 1234"
        begun = await house.enter("front", ana.card, ana.code)
        await house.wait(8)
        (opened, at), (closed, until) = strike_of(house, "front", begun)
        assert (opened, closed, until - at) == (True, False, 7 * SECOND)
        house.loop.set_wall(house.loop.wall + 10 * 3600 * SECOND)  # eight in the evening
        await house.enter("office", None, ana.code)
        await house.wait(1)
        assert decided(house)[-1] == ("office", Outcome.DENIED, Reason.OUTSIDE_SCHEDULE)

    reloading(story)
    assert "changed: door.front.strike.release_s, group.staff.office" in caplog.text


def test_the_same_again_changes_nothing_and_is_no_record(reloading: Any) -> None:
    async def story(house: House) -> None:
        answer = await house.ask("reload")
        assert (answer["applied"], answer["changed"]) == (True, [])
        assert bodies(house, Kind.OPERATOR) == []

    reloading(story)


def test_a_file_with_mistakes_changes_nothing_and_says_every_one(
    reloading: Any, written: Written, paths: Paths, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(StatusTeller, "tell", lambda _, line: lines.append(line))

    async def story(house: House) -> None:
        before = await house.status()
        paths.config.write_text(MISTAKEN.read_text(encoding="utf-8"), encoding="utf-8")
        answer = await house.ask("reload")
        count = len(answer["mistakes"])
        assert count >= 10
        assert answer["applied"] is False
        assert answer["why"] == f"doorctl.toml: {count} mistakes"
        assert len(answer["reasons"]) == count
        assert all(reason.startswith("doorctl.toml:") for reason in answer["reasons"])
        assert (answer["mistakes"][0]["line"], answer["mistakes"][0]["key"]) == (3, "site.id")
        logged = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert logged[0] == f"configuration not in force: {answer['why']}; the one of before stays"
        assert logged[1:] == [f"configuration: {reason}" for reason in answer["reasons"]]
        status = await house.status()
        refused = status["configuration_refused"]
        assert refused["at"] == house.loop.wall // SECOND
        assert (refused["reasons"], refused["more"]) == (answer["reasons"][:3], count - 3)
        assert status["configuration"] == before["configuration"]
        (fault,) = status["faults"]
        assert fault.startswith("configuration: the file is not in force: doorctl.toml:3: site.id: expected")
        assert f"1 fault: {fault[:99]}" in lines[-1], "told at once, not with the next second"
        ana = house.site.people["ana"]
        await house.enter("front", ana.card, ana.code)
        await house.wait(0.5)
        assert house.released("front")
        written()
        assert (await house.ask("reload"))["applied"] is True
        status = await house.status()
        assert (status["configuration_refused"], status["faults"]) == (None, [])
        assert bodies(house, Kind.FAULT) == [], "it is nobody's business at the monitor"

    reloading(story)


@pytest.mark.parametrize(
    ("pairs", "needs"),
    [
        (("GPIO17", "GPIO21"), ["door.front.strike.pin"]),
        (("harbour-st", "pier", "release_s = 5", "release_s = 6"), ["site.id"]),
        (("[door.back]", "[door.shed]", 'back   = "always"', "", 'back   = "hours"', ""), ["door.back", "door.shed"]),
        (("GPIO27", "GPIO21", "H10301", "H10304"), ["door.front.contact.pin", "door.front.reader.format"]),
    ],
)
def test_what_means_other_pins_keeps_everything_and_names_each_key(
    reloading: Any, written: Written, pairs: tuple[str, ...], needs: list[str]
) -> None:
    async def story(house: House) -> None:
        written(*pairs)
        moved = house.outputs(*STRIKES.values())
        answer = await house.ask("reload")
        assert (answer["applied"], answer["restart"]) == (False, needs)
        assert answer["reasons"] == [f"{name}: counts when doord is started again" for name in needs]
        assert "systemctl restart doorctl" in answer["hint"]
        assert answer["configuration"] == config_digest(house.config) == (await house.status())["configuration"]
        assert house.doord.site.config == house.config
        assert house.outputs(*STRIKES.values()) == moved

    reloading(story)


def test_without_a_file_and_with_another_monitor_the_doors_go_on(reloading: Any, paths: Paths, folder: Path) -> None:
    async def story(house: House) -> None:
        public = house.doord.site.monitor
        other = create_tls(folder / "key2", folder / "pem2", name="other")
        write_monitor_file(paths.etc / "monitor.toml", replace(public, certificate_der=other))
        answer = await house.ask("reload")
        assert (answer["applied"], answer["restart"]) == (False, ["monitor.file"])
        paths.config.unlink()
        answer = await house.ask("reload")
        assert answer["applied"] is False
        assert answer["why"].endswith("there is no configuration")
        assert (await house.status())["faults"] == [f"configuration: the file is not in force: {answer['why']}"]

    reloading(story)


def test_a_reader_of_files_that_breaks_is_a_refusal_and_no_end(reloading: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> None:
        raise ValueError("a bug")

    async def story(house: House) -> None:
        monkeypatch.setattr(reload, "read_config", broken)
        answer = await house.ask("reload")
        assert (answer["applied"], answer["why"]) == (False, "doorctl.toml: ValueError while it was read")
        ana = house.site.people["ana"]
        await house.enter("front", ana.card, ana.code)
        await house.wait(0.5)
        assert house.released("front")

    reloading(story)


def test_a_release_and_an_opening_keep_the_times_they_began_with(reloading: Any, written: Written) -> None:
    async def story(house: House) -> None:
        await house.ask("unlock", door="office")
        await house.ask("unlock", door="front")
        begun = house.releases("office")[-1]
        house.leaf("front", open_=True)
        await house.wait(0.5)
        times = "held_open_s = 8\npre_alarm_s = 3"
        written("release_s = 2", "release_s = 20", times, "held_open_s = 60\npre_alarm_s = 0")
        assert (await house.ask("reload"))["applied"]
        await house.wait(9)
        assert strike_of(house, "office", begun) == [(True, 0), (False, 2 * SECOND)]
        told = [(row.detail, row.wall) for row in house.log() if row.event == "door" and row.door == "front"]
        (warned, at), (held, later) = told
        assert (warned, held, later - at) == ("pre-alarm", "held open", 3 * SECOND)
        house.leaf("front", open_=False)
        await house.wait(1)
        await house.ask("unlock", door="front")
        house.leaf("front", open_=True)
        await house.wait(59)
        assert [row.detail for row in house.log()].count("held open") == 1
        await house.wait(2)
        assert [row.detail for row in house.log() if row.event == "door"][-2:] == ["closed", "held open"]

    reloading(story)


def test_no_strike_moves_but_by_the_new_unlock_schedule(reloading: Any, written: Written) -> None:
    async def story(house: House) -> None:
        before = house.now
        written('egress  = "wired"\ncontact = "GPIO24"', 'egress  = "wired"\nunlock = "hours"\ncontact = "GPIO24"')
        assert (await house.ask("reload"))["changed"] == ["door.office.unlock"]
        assert house.released("office")
        await house.wait(2)
        moves = [pin for pin, _, at in house.outputs(*STRIKES.values()) if at >= before]
        assert moves == [STRIKES["office"]]
        assert [row.detail for row in house.log() if row.event == "door"] == ["unlocked"]
        written()
        assert (await house.ask("reload"))["applied"]
        assert not house.released("office")
        await house.wait(1)
        assert [row.detail for row in house.log() if row.event == "door"] == ["unlocked", "locked"]

    reloading(story)


def test_a_request_is_decided_by_the_rules_of_the_moment_it_was_made(reloading: Any, written: Written) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        last = await house.enter("front", ana.card, ana.code)
        written('front  = "always"\n', "")
        answer = asyncio.get_running_loop().create_task(house.ask("reload"))
        await house.wait(1)
        assert (await answer)["applied"]
        assert decided(house)[-1] == ("front", Outcome.GRANTED, Reason.MATCHED), "made before it"
        assert house.releases("front")[-1] - last < SECOND
        assert "group.staff.front" in (await answer)["changed"]
        await house.enter("front", ana.card, ana.code)
        await house.wait(1)
        assert decided(house)[-1] == ("front", Outcome.DENIED, Reason.NO_ACCESS)

    reloading(story)


def test_counters_and_lock_outs_stay(reloading: Any, written: Written) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        wrong = "12345670"
        for _ in range(2):
            await house.enter("front", ana.card, wrong)
            await house.wait(2)
        written("tries = 3", "tries = 2", "first_s = 10", "first_s = 20")
        assert (await house.ask("reload"))["changed"] == ["lockout.tries", "lockout.first_s"]
        await house.enter("front", ana.card, wrong)  # the third: by the new policy the second lock-out's length
        await house.wait(30)
        await house.enter("front", ana.card, ana.code)
        await house.wait(1)
        assert decided(house)[-1] == ("front", Outcome.DENIED, Reason.LOCKED_OUT)
        written()
        assert (await house.ask("reload"))["applied"]
        await house.enter("front", ana.card, ana.code)
        await house.wait(1)
        assert decided(house)[-1] == ("front", Outcome.DENIED, Reason.LOCKED_OUT), "nobody is let out of it sooner"
        await house.wait(10)
        await house.enter("front", ana.card, ana.code)
        await house.wait(1)
        assert decided(house)[-1] == ("front", Outcome.GRANTED, Reason.MATCHED)

    reloading(story)


def test_reader_modes_and_windows_count_from_the_next_card(reloading: Any, written: Written) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        written('keypad = "8-bit", mode = "card+code"', 'keypad = "8-bit", mode = "card"')
        assert (await house.ask("reload"))["changed"] == ["door.front.reader.mode"]
        await house.enter("front", ana.card, None)
        await house.wait(0.5)
        assert house.released("front")
        await house.wait(6)
        written('keypad = "8-bit", mode = "card+code"', 'keypad = "8-bit", mode = "card+code", code_window_s = 3')
        assert (await house.ask("reload"))["applied"]
        count = len(house.releases("front"))
        await house.enter("front", ana.card, None)
        await house.wait(4)
        house.keys("front", ana.code)
        await house.wait(2)
        assert len(house.releases("front")) == count
        assert decided(house)[-1] == ("front", Outcome.DENIED, Reason.INCOMPLETE)

    reloading(story)


def test_a_signal_asks_and_systemd_hears_both_ends(
    reloading: Any, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(reload, "notify", told.append)

    async def story(house: House) -> None:
        written("release_s = 5", "release_s = 7")
        begun: Monotonic = house.now
        house.doord.hang_up()
        await house.wait(1)
        assert told == [f"RELOADING=1\nMONOTONIC_USEC={begun // 1000}", "READY=1"]
        (body,) = bodies(house, Kind.OPERATOR)
        assert OperatorDetail.parse(body.detail) == OperatorDetail(act=Act.RELOAD, uid=BY_SIGNAL)
        assert "by a signal" in next(row.detail for row in house.log() if row.event == "operator")
        written("GPIO17", "GPIO21")
        house.doord.hang_up()
        await house.wait(1)
        assert told[2:] == [told[2], "READY=1"]
        assert (await house.status())["configuration_refused"]["why"].startswith("doorctl.toml: door.front.strike.pin")

    reloading(story)


def test_a_storm_of_signals_is_two_readings(reloading: Any) -> None:
    async def story(house: House) -> None:
        calls = house.loop.threads["configuration"].calls
        for _ in range(100):
            house.doord.hang_up()
        await house.wait(5)
        assert house.loop.threads["configuration"].calls - calls == 2
        house.doord.hang_up()
        await house.wait(1)
        assert house.loop.threads["configuration"].calls - calls == 3

    reloading(story)


def test_it_takes_as_long_as_every_act_and_one_at_a_time(reloading: Any, written: Written) -> None:
    async def story(house: House) -> None:
        written("release_s = 5", "release_s = 7")
        begun = house.now
        first, second = await asyncio.gather(house.ask("reload"), house.ask("reload"))
        assert (first["changed"], second["changed"]) == (["door.front.strike.release_s"], [])
        reading = house.loop.threads["configuration"].cost
        assert house.now - begun == 2 * reading + COMMIT_ALLOWANCE

    reloading(story)
