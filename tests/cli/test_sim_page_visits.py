"""What is noted of a visit, from wires, log and line with their own times, and what is not taken for one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from doorctl.cli.sim_network import Passed
from doorctl.cli.sim_page_feed import Feed
from doorctl.cli.sim_page_visits import Visits
from doorctl.core.types import MS, SECOND, HolderId, Outcome, Reason, WallTime
from doorctl.journal.rows import Logged, LogRow
from tests.cli.fake_site import ANA, BEN, CODE, DURESS_CODE, until

Scenario = Callable[["Noted"], Awaitable[None]]


class Noted:
    """The notes of two doors, and hands to make some; times count from a last key a while ago."""

    def __init__(self) -> None:
        self.passed: list[Passed] = []
        self.visits = Visits(
            ["front", "office"], {ANA.holder: ANA, BEN.holder: BEN}, self._between, Feed(),
            zone=ZoneInfo("UTC"), finish_s=0.0,
        )  # fmt: skip
        self.last = time.monotonic_ns() - 5 * SECOND

    def _between(self, since: int, until_: int) -> list[Passed]:
        return [piece for piece in self.passed if since <= piece.at <= until_]

    def play(
        self, keys: str, *, door: str = "office", answer_ms: int = 274, opens: bool = True, beeps: bool = True
    ) -> None:
        """One visit: keys, and the answer that a door gives."""
        self.last += 20 * SECOND
        self.visits.pressed(door, keys, first=self.last - SECOND, last=self.last)
        at = self.last + answer_ms * MS
        self.log(door, at - 70 * MS)
        if opens:
            self.visits.output(door, "strike", active=True, at=at)
        if beeps:
            self.visits.output(door, "sounder", active=True, at=at)
        self.visits.output(door, "lamp", active=True, at=at)
        if beeps:
            self.visits.output(door, "sounder", active=False, at=at + 100 * MS)
        if opens:
            self.visits.output(door, "strike", active=False, at=at + 5 * SECOND)
        self.visits.output(door, "lamp", active=False, at=at + 5 * SECOND)

    def log(self, door: str, at: int) -> None:
        wall = WallTime(at + time.time_ns() - time.monotonic_ns())
        row = LogRow(
            wall=wall, event="access", door=door, reader=door, holder=HolderId("ana-lopez"),
            outcome=Outcome.GRANTED, reason=Reason.MATCHED,
        )  # fmt: skip
        self.visits.logged([Logged(id=1, row=row)])

    def sent(self, *pieces: tuple[str, int, int]) -> None:
        """(way, bytes, ms after the next visit's last key)."""
        for way, size, ms in pieces:
            assert way in ("up", "down")
            at = self.last + 20 * SECOND + ms * MS
            self.passed.append(Passed(way="up" if way == "up" else "down", size=size, at=at))

    def at(self, door: str = "office") -> dict[str, Any]:
        """The comparison of a door."""
        return next(one for one in self.visits.comparisons if one["door"] == door)

    async def kinds(self, *kinds: str, door: str = "office") -> dict[str, Any]:
        """The comparison, once it has visits of these kinds."""
        await until(lambda: [visit["kind"] for visit in self.at(door)["visits"]] == list(kinds))
        return self.at(door)


def note(scenario: Scenario) -> None:
    async def run() -> None:
        noted = Noted()
        await scenario(noted)
        noted.visits.close()

    asyncio.run(run())


def test_a_visit_is_what_wires_log_and_line_did_from_the_last_key_on() -> None:
    async def scenario(noted: Noted) -> None:
        noted.sent(("up", 2175, 210), ("down", 294, 260), ("up", 2175, 1500))
        noted.visits.broken(("the line was cut",))
        noted.play(CODE)
        noted.visits.broken(())
        (visit,) = (await noted.kinds("normal"))["visits"]
        log = visit.pop("log")
        assert [text for _, text in log] == ["access ana-lopez granted matched"]
        assert abs(log[0][0] - 204) < 5  # two clocks were read one after the other
        assert visit | {"time": ""} == {
            "kind": "normal", "holder": "ana-lopez", "person": "Ana Lopez", "door": "office", "time": "",
            "window_ms": 1000.0, "answer_ms": 274.0,
            "lamp": ((0.0, False), (274.0, True)),
            "beep": ((0.0, False), (274.0, True), (374.0, False)),
            "strike": ((0.0, False), (274.0, True)),
            "line": ((210.0, "up", 2175), (260.0, "down", 294)),
            "late": False, "broken": ("the line was cut",),
        }  # fmt: skip

    note(scenario)


def test_either_code_at_one_door_is_compared_and_doors_are_kept_apart() -> None:
    async def scenario(noted: Noted) -> None:
        noted.play(CODE)
        noted.play(DURESS_CODE, door="front")
        await noted.kinds("normal")
        await noted.kinds("duress", door="front")
        noted.play(DURESS_CODE)
        assert (await noted.kinds("normal", "duress"))["differences"] == ()
        assert len(noted.at("front")["visits"]) == 1

    note(scenario)


def test_an_answer_that_comes_later_is_said() -> None:
    async def scenario(noted: Noted) -> None:
        noted.play(CODE)
        await noted.kinds("normal")
        noted.play(DURESS_CODE, answer_ms=374)
        noted.visits.late(1)  # the board says it of the second
        strike, beep, busy = (await noted.kinds("normal", "duress"))["differences"]
        assert strike == "strike: the same, but up to 100 ms apart: released at 274 ms, and released at 374 ms"
        assert beep.startswith("beep: the same, but up to 100 ms apart: ")
        assert busy == "this computer was too busy to answer the duress visit in time: play it again"

    note(scenario)


@pytest.mark.parametrize("opens", [True, False])
def test_a_door_without_a_sounder_is_compared_too(opens: bool) -> None:
    async def scenario(noted: Noted) -> None:
        for code in (CODE, DURESS_CODE):
            noted.play(code, beeps=False, opens=opens)
        seen = await noted.kinds("normal", "duress")
        assert seen["differences"] == ()
        expected = 274.0 if opens else 204.0  # where nothing but the log answers, its row is the answer
        assert all(abs(visit["answer_ms"] - expected) < 5 for visit in seen["visits"])

    note(scenario)


def test_answers_that_both_come_late_are_seen_all_the_same() -> None:
    """Of a window that neither was in one would say that nothing differs."""

    async def scenario(noted: Noted) -> None:
        noted.play(CODE, answer_ms=1274)
        noted.play(DURESS_CODE, answer_ms=1404)
        seen = await noted.kinds("normal", "duress")
        assert [visit["strike"][1:] for visit in seen["visits"]] == [((1274.0, True),), ((1404.0, True),)]
        assert seen["differences"][0].startswith("strike: the same, but up to 130 ms apart")

    note(scenario)


def test_supervision_at_the_edge_of_a_visit_takes_no_message_of_it() -> None:
    async def scenario(noted: Noted) -> None:
        noted.sent(("up", 2175, -4), ("up", 2175, 210), ("down", 294, 260))
        heard = time.time_ns() - time.monotonic_ns() + noted.last + 20 * SECOND + 3 * MS
        noted.visits.supervised(datetime.fromtimestamp(heard / SECOND, tz=UTC).isoformat())
        noted.play(CODE)
        (visit,) = (await noted.kinds("normal"))["visits"]
        assert visit["line"][0] == (210.0, "up", 2175)

    note(scenario)


def test_the_same_person_is_compared_before_another() -> None:
    async def scenario(noted: Noted) -> None:
        noted.play(CODE)
        await noted.kinds("normal")
        noted.play(BEN.code)
        await until(lambda: noted.at()["visits"][0]["person"] == BEN.label)
        noted.play(DURESS_CODE)
        seen = await noted.kinds("normal", "duress")
        assert [visit["person"] for visit in seen["visits"]] == [ANA.label, ANA.label]
        noted.visits.forget(ANA.holder)
        assert [visit["person"] for visit in noted.at()["visits"]] == [BEN.label]
        noted.visits.forget(BEN.holder)
        assert noted.at()["visits"] == ()

    note(scenario)


def test_what_hands_did_ends_the_answer() -> None:
    async def scenario(noted: Noted) -> None:
        noted.play(CODE)
        noted.visits.touched("office", noted.last + 600 * MS)
        noted.visits.touched("front", noted.last + 400 * MS)
        (visit,) = (await noted.kinds("normal"))["visits"]
        assert visit["window_ms"] == 600.0

    note(scenario)


def test_supervision_that_falls_into_a_visit_is_not_of_it() -> None:
    async def scenario(noted: Noted) -> None:
        noted.sent(("up", 2175, 210), ("down", 294, 260), ("up", 2175, 700), ("down", 294, 740))
        heard = noted.last + 20 * SECOND + 710 * MS + time.time_ns() - time.monotonic_ns()
        said = datetime.fromtimestamp(heard / SECOND, tz=UTC).isoformat(timespec="milliseconds")
        noted.visits.supervised(said)
        noted.visits.supervised(said)  # the console says the last one again and again
        noted.visits.supervised(None)
        noted.play(CODE)
        (visit,) = (await noted.kinds("normal"))["visits"]
        assert visit["line"] == ((210.0, "up", 2175), (260.0, "down", 294))

    note(scenario)


def test_keys_that_nobody_went_on_with_are_forgotten_as_the_reader_does() -> None:
    async def scenario(noted: Noted) -> None:
        noted.visits.pressed("office", "12", first=noted.last, last=noted.last)
        noted.play(CODE)
        await noted.kinds("normal")

    note(scenario)


def test_what_is_no_visit_is_not_noted() -> None:
    async def scenario(noted: Noted) -> None:
        noted.play("00000000")  # nobody's code
        noted.play(CODE[:-1])
        noted.visits.pressed("office", f"{CODE}*", first=noted.last, last=noted.last)  # taken back
        noted.visits.output("office", "sounder", active=True, at=noted.last + 200 * MS)
        noted.visits.pressed("office", CODE, first=noted.last, last=noted.last)
        noted.visits.output("office", "sounder", active=True, at=noted.last + 9 * SECOND)  # a door held open, say
        noted.visits.output("office", "tamper", active=True, at=noted.last)
        noted.play(f"{CODE}#", door="front")
        await noted.kinds("normal", door="front")
        assert noted.at()["visits"] == ()

    note(scenario)
