"""What the tour notes of a visit: the same whatever the waiting lamp did just then, and never blind to the answer."""

from typing import Any

import pytest

from doorctl.cli.sim_visit import MS, Seen, differences, past_its_bound, shown

LAST_KEY = 7_000 * MS
ANSWER: tuple[tuple[float, str, int], ...] = (
    (456, "GPIO17", 1), (456, "GPIO6", 1), (457, "GPIO7", 1), (558, "GPIO7", 0), (577, "GPIO17", 0), (577, "GPIO6", 0),
)  # fmt: skip
DARK: tuple[tuple[float, str, int], ...] = (
    (-1129, "GPIO6", 1),
    (-628, "GPIO6", 0),
    (-129, "GPIO6", 1),
    (372, "GPIO6", 0),
)
LIT = DARK[:3]


def seen(*happened: tuple[float, str, int]) -> Seen:
    """Of milliseconds since the last key, pins and levels; a pin that has its level already shows no edge."""
    levels = dict.fromkeys(("GPIO17", "GPIO6", "GPIO7", "GPIO10"), 0)
    outputs: list[Any] = []
    for number, (ms, pin, level) in enumerate(happened):
        if levels[pin] != level:
            outputs.append([number, pin, level, LAST_KEY + round(ms * MS)])
            levels[pin] = level
    opened, edges, times = shown("front", outputs, LAST_KEY)
    return Seen(door="front", opened_after_ms=opened, outputs=edges, times_ms=times, log="", status=())


NORMAL = seen(*DARK, *ANSWER)


def test_a_visit_as_an_onlooker_notes_it() -> None:
    assert (NORMAL.opened_after_ms, NORMAL.outputs, NORMAL.times_ms) == (
        456, (("strike", 1), ("sounder", 1), ("sounder", 0), ("lamp", 1)), (456, 457, 558),
    )  # fmt: skip


@pytest.mark.parametrize(
    "waiting", [LIT, LIT[:2], (*DARK, (440, "GPIO6", 1)), (*LIT, (450, "GPIO6", 0))],
    ids=["lit when the answer comes", "dark", "just lit", "just dark"],
)  # fmt: skip
def test_the_pace_of_whoever_types_tells_nothing(waiting: tuple[tuple[float, str, int], ...]) -> None:
    assert differences(NORMAL, seen(*waiting, *ANSWER)) == []


def test_a_lamp_a_moment_after_the_beep_is_the_same_answer() -> None:
    later = (ANSWER[0], *ANSWER[2:3], (490, "GPIO6", 1), *ANSWER[3:])
    assert differences(NORMAL, seen(*DARK, *later)) == []


@pytest.mark.parametrize("waiting", [DARK, LIT])
@pytest.mark.parametrize(
    "answer",
    [
        (ANSWER[0], (456, "GPIO6", 0), *ANSWER[2:]),
        (*ANSWER[:3], (520, "GPIO6", 0), *ANSWER[3:]),
        (*ANSWER[:3], (520, "GPIO6", 0), (540, "GPIO6", 1), *ANSWER[3:]),
        (*ANSWER[:4], (580, "GPIO7", 1), (590, "GPIO7", 0), *ANSWER[4:]),
        ANSWER[1:],
        tuple((ms + 41, pin, level) for ms, pin, level in ANSWER),
    ],
    ids=["dark", "out early", "a flicker", "another beep", "no strike", "late"],
)  # fmt: skip
def test_what_differs_in_the_answer_is_found(
    waiting: tuple[tuple[float, str, int], ...], answer: tuple[tuple[float, str, int], ...]
) -> None:
    assert len(differences(NORMAL, seen(*waiting, *answer))) == 1


def test_a_lamp_that_the_answer_does_not_light_is_found() -> None:
    assert len(differences(NORMAL, seen(*DARK, ANSWER[0], *ANSWER[2:]))) == 1


@pytest.mark.parametrize(
    ("opened_after_ms", "busy"), [(456.0, False), (606.0, False), (606.1, True), (848.3, True), (None, False)]
)
def test_only_what_no_board_with_time_does_is_the_machines_fault(opened_after_ms: float | None, busy: bool) -> None:
    """What is later and within the board's own bound may be a tell, and is compared."""
    assert past_its_bound(opened_after_ms, 456) is busy
