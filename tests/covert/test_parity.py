"""The promise: whatever state the door is in, nobody there can tell which code of a holder was typed."""

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings

from doorctl.core.types import Reason
from doorctl.seal.meaning import Meaning
from doorctl.wire.handoff import Type
from doorctl.wire.record import Flag
from tests.covert.onlooker import Seen, Stage, assert_alike
from tests.covert.scenes import WORKING_HOURS, Happens, Leaf, Pause, Scene, Typed, Wrong, scenes

PARITY = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
REACHED = {
    *(reason for reason in Reason if reason not in (Reason.NONE, Reason.NO_MATCH, Reason.INCOMPLETE)),
    *(Type.FRESH, Type.HOLD, Type.BACKLOG, Type.SUPERVISION),
    *(Flag.MATCHED, Flag.TIME_UNKNOWN, Flag.STORAGE_FAULT),
    *("secured", "released", "unlocked", "locked down", "open", "pre-alarm", "held open", "forced open"),
    *("connected", "no courier", "a late slot", "counted wrong codes"),
    *("clock", "roster", "storage", "strike", "tamper"),
} - {Reason.BAD_FORMAT, Reason.FAULT}
"""What the scenes must have come by, or they promise little. (A reason: of the compared code.)"""


COUNTED = Scene(moment=WORKING_HOURS, steps=(Wrong("side", 9, ""), Typed("side"), Pause(11.0), Typed("side")))
"""Chance seldom comes by cards that are only counted: wrong codes lock the reader out before."""
DEAF = Scene(moment=WORKING_HOURS, steps=(Happens("strike breaks"), Typed("front"), Pause(1.0), Typed("front")))
"""Nor by a strike that is given an order while it takes none."""
BLIND = Scene(
    moment=WORKING_HOURS,
    steps=(
        Happens("roster is gone"),
        Typed("front"),
        Pause(2.0),
        Happens("roster is back"),
        Pause(2.0),
        Typed("front"),
    ),
)
"""Nor by a roster that is gone while somebody stands at the door."""
INTERLOCKED = Scene(
    moment=WORKING_HOURS,
    config=(("front", 'interlock = ["office"]\n'),),
    steps=(Leaf("office", True), Pause(1.0), Typed("front"), Leaf("office", False)),
)
ON_THE_LINE = Scene(
    moment=WORKING_HOURS,
    steps=(
        Happens("supervision wanted"), Happens("courier leaves"), Typed("front"), Happens("courier comes"),
        Happens("backlog wanted"), Happens("tamper"), Typed("office"),
    ),
)  # fmt: skip
"""Both are drawn, though not often."""


def test_two_codes_of_a_holder_are_one_at_the_door(stages: dict[int, Stage]) -> None:
    reached: Counter[object] = Counter()

    @settings(PARITY, max_examples=445)
    @given(scene=scenes)
    @example(scene=COUNTED)
    @example(scene=DEAF)
    @example(scene=BLIND)
    @example(scene=INTERLOCKED)
    @example(scene=ON_THE_LINE)
    @example(scene=Scene(person="cy", moment=WORKING_HOURS, steps=(Typed("front"),)))
    @example(scene=Scene(person="dee", moment=WORKING_HOURS, steps=(Typed("front"),)))
    def alike(scene: Scene) -> None:
        everyday, other = (stages[2].perform(scene, number) for number in range(2))
        assert_alike(everyday, other)
        reached.update(what_is_in(other))

    alike()
    assert set(reached) >= REACHED, REACHED - set(reached)


def test_three_codes_of_a_holder_are_one_at_the_door(stages: dict[int, Stage]) -> None:
    @settings(PARITY, max_examples=60)
    @given(scene=scenes)
    def alike(scene: Scene) -> None:
        everyday, *others = (stages[3].perform(scene, number) for number in range(3))
        for other in others:
            assert_alike(everyday, other)

    alike()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_only_the_monitor_can_tell(stages: dict[int, Stage], number: int) -> None:
    seen = stages[3].perform(Scene(moment=WORKING_HOURS, steps=(Typed("front"), Typed("office"))), number)
    expected = Meaning.NORMAL if number == 0 else Meaning.DURESS
    assert [meaning for meaning in seen.meanings if meaning is not None] == [expected, expected]


def test_the_same_code_twice_is_seen_alike(stages: dict[int, Stage]) -> None:
    scene = Scene(moment=WORKING_HOURS, steps=(Typed("front"), Typed("side")))
    assert_alike(stages[2].perform(scene, 0), stages[2].perform(scene, 0))


def what_is_in(seen: Seen) -> set[object]:
    """The states and events that a scene came by."""
    bodies = zip(seen.bodies, seen.meanings, strict=True)
    found: set[object] = {body.reason for body, meaning in bodies if meaning is Meaning.DURESS}
    found |= {Type[message[1]] for message in seen.messages}
    found |= {flag for body in seen.bodies for flag in body.flags}
    found |= {"counted wrong codes" for body in seen.bodies if body.count > 1}
    for look in seen.looks:
        status = json.loads(look.status)
        found |= {door["state"] for door in status["doors"]} | {status["path"]["state"]}
        found |= {fault.partition(":")[0].partition(" ")[0] for fault in status["faults"]}
        found |= {"a late slot"} if status["answer_ms"]["late"] else set()
    return found
