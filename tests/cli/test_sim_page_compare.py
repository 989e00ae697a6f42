"""Two visits laid under each other: nothing is said where nothing differs, and everything is said that does."""

from dataclasses import replace
from typing import Any

import pytest

from doorctl.cli.sim_page_compare import Comparison, Visit, compare, differences

NORMAL = Visit(
    kind="normal", holder="ana-lopez", person="Ana Lopez", door="front", time="13:29:01",
    window_ms=1000.0, answer_ms=273.9,
    lamp=((0.0, True), (120.0, False), (273.9, True)),
    beep=((0.0, False), (273.9, True), (375.6, False)),
    strike=((0.0, False), (273.8, True)),
    log=((201.0, "access ana-lopez granted matched"),),
    line=((203.0, "up", 2175), (250.0, "down", 294)),
)  # fmt: skip
DURESS = replace(NORMAL, kind="duress", time="13:29:06", strike=((0.0, False), (275.1, True)))


def test_what_is_the_same_is_not_said() -> None:
    assert differences(NORMAL, DURESS) == []
    assert compare("front", (DURESS, NORMAL)) == Comparison(door="front", visits=(NORMAL, DURESS), differences=())


@pytest.mark.parametrize("visits", [(), (NORMAL,), (DURESS,)])
def test_one_visit_alone_is_shown_and_judged_by_nothing(visits: tuple[Visit, ...]) -> None:
    assert compare("front", visits) == Comparison(door="front", visits=visits, differences=())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"strike": ((0.0, False), (345.0, True))},
            ["strike: the same, but up to 71 ms apart: released at 274 ms, and released at 345 ms"],
        ),
        ({"strike": ((0.0, False),)}, ["strike: released at 274 ms, and secured throughout"]),
        (
            {"strike": ((0.0, True),)},
            [
                "strike: released at 274 ms, and released from before",
                "the strike was still released when the duress code was typed: wait until it is secured",
            ],
        ),
        (
            {"beep": ((0.0, False), (273.9, True), (375.6, False), (470.0, True), (570.0, False))},
            ["beep: on at 274 ms, off at 376 ms, and on at 274 ms, off at 376 ms, on at 470 ms, off at 570 ms"],
        ),
        ({"lamp": ((0.0, False), (273.9, True), (600.0, False))}, ["lamp: lit from before, and lit from before, dark at 600 ms"]),
        ({"lamp": ((0.0, False),)}, ["lamp: lit from before, and dark throughout"]),
        (
            {"log": ((201.0, "access ana-lopez denied lockout"),)},
            ["log: access ana-lopez granted matched, and access ana-lopez denied lockout"],
        ),
        ({"log": ()}, ["log: access ana-lopez granted matched, and nothing"]),
        (
            {"line": ((203.0, "up", 2176), (250.0, "down", 294))},
            ["line: 2,175 bytes sent to the monitor, and 2,176"],
        ),
        (
            {"line": ((203.0, "up", 2175), (250.0, "down", 294), (400.0, "up", 2175))},
            ["line: 2,175 bytes sent to the monitor, and 2,175 + 2,175"],
        ),
        (
            {"line": ()},
            [
                "line: 2,175 bytes sent to the monitor, and nothing",
                "line: 294 bytes received from the monitor, and nothing",
                "no message was seen in time after the duress visit: if this computer is busy, play it again",
            ],
        ),
        ({"line": ((303.5, "up", 2175), (250.0, "down", 294))}, ["line: sent to the monitor up to 100 ms apart"]),
    ],
)  # fmt: skip
def test_every_difference_is_said(changed: dict[str, Any], said: list[str]) -> None:
    assert differences(NORMAL, replace(DURESS, **changed)) == said


def test_a_lamp_that_waits_blinks_at_the_pace_of_whoever_types() -> None:
    waits = ((0.0, False), (60.0, True), (210.0, False), (273.9, True))
    assert differences(NORMAL, replace(DURESS, lamp=waits)) == []


def test_two_people_are_told_apart_by_the_log_and_why_is_said() -> None:
    ben = replace(DURESS, holder="ben-okafor", person="Ben Okafor", log=((201.0, "access ben-okafor granted matched"),))
    assert differences(NORMAL, ben) == [
        "log: access ana-lopez granted matched, and access ben-okafor granted matched (two people were played)"
    ]


def test_only_as_long_as_both_were_looked_at() -> None:
    cut = replace(DURESS, window_ms=500.0, strike=((0.0, False), (273.9, True), (700.0, False)))
    assert differences(NORMAL, cut) == []


def test_what_was_broken_is_named_where_something_differs_and_was_not_broken_in_both() -> None:
    stalled = replace(DURESS, log=(), broken=("the disk was stalled",))
    assert differences(NORMAL, stalled) == [
        "log: access ana-lopez granted matched, and nothing",
        "the disk was stalled during the duress visit",
    ]
    assert differences(replace(NORMAL, broken=stalled.broken), stalled) == differences(NORMAL, stalled)[:1]
    assert differences(NORMAL, replace(DURESS, broken=stalled.broken)) == []


def test_a_busy_computer_is_named_where_something_differs_and_only_there() -> None:
    late = replace(DURESS, late=True)
    assert differences(NORMAL, late) == []
    slow = replace(late, strike=((0.0, False), (345.0, True)))
    assert differences(NORMAL, slow)[-1] == (
        "this computer was too busy to answer the duress visit in time: play it again"
    )
