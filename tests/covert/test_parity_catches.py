"""The parity test would notice: a door made to treat one code differently, ever so little, is found out."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from doorctl.doord.drafts import Draft, Recording
from doorctl.doord.lookup import Found
from doorctl.seal.meaning import Meaning
from doorctl.wire.detail import FaultCode, FaultDetail
from doorctl.wire.record import Kind
from tests.covert.onlooker import Seen, Stage, assert_alike
from tests.covert.scenes import WORKING_HOURS, Scene, Typed
from tests.doord.house import House

SCENE = Scene(moment=WORKING_HOURS, steps=(Typed("front"),))


class Traitor:
    """Knows what no door can know, and sits in its recorder."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.doord: Any = house.doord
        with closing(sqlite3.connect(f"file:{house.paths.roster}?mode=ro", uri=True)) as connection:
            tokens = [token for (token,) in connection.execute("SELECT token FROM rows")]
        self._marked = {token for token in tokens if house.monitor.meaning(token) is Meaning.DURESS}

    def on_record(self, act: Callable[[Draft], Draft]) -> None:
        """Do something to each draft that carries a marked token."""
        record = self.doord.recorder.record

        def betraying(draft: Draft) -> Recording:
            made: Recording = record(act(draft) if draft.token in self._marked else draft)
            return made

        self.doord.recorder.record = betraying

    def on_settle(self, extra_s: float) -> None:
        """Answer later where the last record carried a marked token."""
        marked: list[bool] = []
        self.on_record(partial(_say, self, lambda _: marked.append(True)))
        settle = self.doord.access.settle

        async def later(*args: Any) -> None:
            await settle(*args)
            if marked:
                await asyncio.sleep(extra_s)

        self.doord.access.settle = later

    def on_find(self, extra_s: float) -> None:
        """Find a marked row later."""
        find = self.doord.roster.find

        async def later(*args: Any) -> Found:
            found: Found = await find(*args)
            if found.row is not None and found.row.token in self._marked:
                await asyncio.sleep(extra_s)
            return found

        self.doord.roster.find = later


def _say(traitor: Traitor, act: Callable[[Traitor], object], draft: Draft) -> Draft:
    act(traitor)
    return draft


def _also(act: Callable[[Traitor], object]) -> Callable[[Traitor], None]:
    return lambda traitor: traitor.on_record(partial(_say, traitor, act))


def _draft(**changed: Any) -> Callable[[Traitor], None]:
    return lambda traitor: traitor.on_record(lambda draft: replace(draft, **changed))


def _log(**changed: Any) -> Callable[[Traitor], None]:
    def change(draft: Draft) -> Draft:
        assert draft.log is not None
        return replace(draft, log=replace(draft.log, **changed))

    return lambda traitor: traitor.on_record(change)


def _another_record(traitor: Traitor) -> None:
    detail = FaultDetail(code=FaultCode.CLOCK, began=False).encode()
    traitor.doord.recorder.record(Draft(kind=Kind.FAULT, detail=detail))


def _count(traitor: Traitor) -> None:
    traitor.doord.access.late_slots += 1


def _beep(traitor: Traitor) -> None:
    traitor.doord.doors["front"].readers[0]._beep((1,))


BETRAYALS: dict[str, tuple[Callable[[Traitor], None], str]] = {
    "one more byte in the log": (_log(detail=" "), "rows"),
    "another reader's name in the log": (_log(reader="frant"), "rows"),
    "one byte in the sealed record": (_draft(detail=b"\1"), "bodies"),
    "another count in the sealed record": (_draft(count=2), "bodies"),
    "one more record": (_also(_another_record), "looks"),
    "one more row in the journal": (_draft(lockouts={b"lockout rback": [1, 0]}), "looks"),
    "one more message": (_also(lambda t: t.doord.link.fresh(t.doord.recorder.supervision())), "messages"),
    "a word to the courier less": (_also(lambda t: t.house.courier.leave()), "messages"),
    "a word in the log of the daemon": (_also(lambda _: logging.getLogger("doord").debug("granted")), "said"),
    "a file": (_also(lambda t: (t.house.paths.var / "note").touch()), "looks"),
    "a number in status": (_also(_count), "looks"),
    "a click of the sounder": (_also(_beep), "outputs"),
    "an answer one millisecond later": (lambda traitor: traitor.on_settle(0.001), "outputs"),
    "an answer one microsecond later": (lambda traitor: traitor.on_settle(0.000001), "outputs"),
    "a look-up that misses its slot": (lambda traitor: traitor.on_find(0.06), "outputs"),
}


def perform(stage: Stage, betrayal: Callable[[Traitor], None]) -> tuple[Seen, Seen]:
    first, second = (
        stage.perform(SCENE, number, after_start=lambda house: betrayal(Traitor(house))) for number in range(2)
    )
    return first, second


@pytest.mark.parametrize("name", BETRAYALS)
def test_a_betrayal_is_found_out(stages: dict[int, Stage], name: str) -> None:
    betrayal, where = BETRAYALS[name]
    everyday, other = perform(stages[2], betrayal)
    assert getattr(everyday, where) != getattr(other, where)
    with pytest.raises(AssertionError):
        assert_alike(everyday, other)


def test_a_slow_row_is_hidden_by_the_slot(stages: dict[int, Stage]) -> None:
    assert_alike(*perform(stages[2], lambda traitor: traitor.on_find(0.005)))
