"""What a wire-test comes to: fine only where everything was tried, seen and fine."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorctl.cli.wire_test_verdict import (
    SECOND,
    DoorSeen,
    InputSeen,
    OutputSeen,
    ReaderSeen,
    RestSeen,
    Standing,
    at_rest,
    flickers,
    verdict,
)
from hal.wiring import Finding

MS = SECOND // 1000
FOUND = Finding(fault="noise", words="the pulses are disturbed", do="join the grounds")
CONTACT = InputSeen(kind="contact", words=("closed", "open"), seen=frozenset({False, True}), level=False)
STRIKE = OutputSeen(output="strike", at="front", pulsed=True, moved=True)
LED = replace(STRIKE, output="LED and buzzer")
READER = ReaderSeen(reader="front", wants_card=True, wants_key=True, card=True, key=True)
DOOR = DoorSeen(inputs=(CONTACT, replace(CONTACT, kind="rex")), outputs=(STRIKE, LED), readers=(READER,))
FINE, MISSED, WRONG = Standing


def standings(door: DoorSeen) -> dict[str, Standing]:
    return {part.part: part.standing for part in verdict(door).parts}


def test_all_of_a_good_door_is_fine() -> None:
    assert standings(DOOR) == dict.fromkeys(
        ["contact", "rex", "strike", "LED and buzzer at front", "card at front", "key at front"], FINE
    )
    assert verdict(DOOR).fine


INPUTS = {
    "never moved": (replace(CONTACT, seen=frozenset({False})), MISSED, "never moved, and is closed"),
    "never moved, open": (replace(CONTACT, seen=frozenset({True}), level=True), MISSED, "never moved, and is open"),
    "only the other level was heard": (replace(CONTACT, seen=frozenset()), MISSED, "never moved, and is closed"),
    "not heard": (replace(CONTACT, seen=frozenset(), level=None), MISSED, "nobody knows its level"),
    "lost after it moved": (replace(CONTACT, level=None), MISSED, "nobody knows its level"),
    "an error": (replace(CONTACT, level=None, failed=True), WRONG, "cannot be read"),
    "left open": (replace(CONTACT, level=True), WRONG, "moved, and was left open"),
    "flickers": (replace(CONTACT, flickers=True), WRONG, "flickers by itself: likely its wire hangs in the air, without a pull-up"),
    "good": (CONTACT, FINE, "seen closed and open, left closed"),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "standing", "why"), INPUTS.values(), ids=INPUTS)
def test_an_input_is_fine_at_both_levels_and_left_idle(seen: InputSeen, standing: Standing, why: str) -> None:
    (part,) = verdict(DoorSeen(inputs=(seen,), outputs=(), readers=())).parts
    assert (part.part, part.standing, part.why) == ("contact", standing, why)
    assert (part.do is None) is (standing is FINE)


@pytest.mark.parametrize(
    ("pulsed", "moved", "standing"), [(False, False, MISSED), (True, False, WRONG), (True, True, FINE)]
)
@pytest.mark.parametrize("output", ["strike", "LED and buzzer"])
def test_an_output_is_fine_where_somebody_saw_it_move(
    output: str, pulsed: bool, moved: bool, standing: Standing
) -> None:
    seen = OutputSeen(output=output, at="front", pulsed=pulsed, moved=moved)
    assert [*standings(DoorSeen(inputs=(), outputs=(seen,), readers=())).values()] == [standing]


READERS = {
    "no card": (replace(READER, card=None), {"card at front": MISSED, "key at front": FINE}),
    "a card of another format": (replace(READER, card=False), {"card at front": WRONG, "key at front": FINE}),
    "no key": (replace(READER, key=None), {"card at front": FINE, "key at front": MISSED}),
    "no keypad": (replace(READER, key=None, wants_key=False), {"card at front": FINE}),
    "keys only": (replace(READER, card=None, wants_card=False), {"key at front": FINE}),
    "a bad card is told once": (
        replace(READER, card=False, findings=(FOUND,)), {"key at front": FINE, "reader front": WRONG},
    ),
    "not tried at bad wires": (
        replace(READER, card=None, key=None, findings=(FOUND,)),
        {"card at front": MISSED, "key at front": MISSED, "reader front": WRONG},
    ),
    "a good card at bad wires": (
        replace(READER, findings=(FOUND,)), {"card at front": FINE, "key at front": FINE, "reader front": WRONG},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "expected"), READERS.values(), ids=READERS)
def test_a_reader_is_fine_with_all_that_it_has(seen: ReaderSeen, expected: dict[str, Standing]) -> None:
    assert standings(DoorSeen(inputs=(), outputs=(), readers=(seen,))) == expected


AT_REST = {
    "closed": (CONTACT, (), FINE),
    "open": (replace(CONTACT, level=True), (), MISSED),
    "not heard yet": (replace(CONTACT, level=None), (), MISSED),
    "an error": (replace(CONTACT, level=None, failed=True), (), WRONG),
    "flickers": (replace(CONTACT, level=True, flickers=True), (), WRONG),
    "a bad line": (CONTACT, (FOUND,), WRONG),
}


@pytest.mark.parametrize(("seen", "found", "worst"), AT_REST.values(), ids=AT_REST)
def test_with_nobody_there_only_what_wires_do_is_wrong(
    seen: InputSeen, found: tuple[Finding, ...], worst: Standing
) -> None:
    """And what a leaf or a hand may do is to be looked at."""
    told = at_rest([RestSeen(door="front", inputs=(replace(seen, seen=frozenset()),), readers=(("front", found),))])
    assert [part.part for part in told.parts] == ["front: contact", "front: reader front"]
    assert max((part.standing for part in told.parts), key=[FINE, MISSED, WRONG].index) is worst
    assert all(part.do for part in told.parts if part.standing is not FINE)


SEEN = st.frozensets(st.booleans())
LEVELS = st.sampled_from([None, False, True])
INPUT = st.builds(
    InputSeen, kind=st.sampled_from(["contact", "rex", "tamper"]), words=st.just(("idle", "active")), seen=SEEN,
    level=LEVELS, flickers=st.booleans(), failed=st.just(False),
)  # fmt: skip
OUTPUT = st.builds(
    OutputSeen, output=st.sampled_from(["strike", "LED and buzzer"]), at=st.just("front"), pulsed=st.booleans(),
    moved=st.booleans(),
)  # fmt: skip
A_READER = st.builds(
    ReaderSeen, reader=st.just("front"), wants_card=st.booleans(), wants_key=st.booleans(), card=LEVELS, key=LEVELS,
    findings=st.sampled_from([(), (FOUND,)]),
)  # fmt: skip


@given(inputs=st.lists(INPUT, max_size=3), outputs=st.lists(OUTPUT, max_size=3), readers=st.lists(A_READER, max_size=2))
def test_fine_is_what_was_tried_seen_and_fine(
    inputs: list[InputSeen], outputs: list[OutputSeen], readers: list[ReaderSeen]
) -> None:
    """The rule in one expression, against the parts one by one."""
    fine = (
        all(one.seen == {False, True} and one.level is False and not one.flickers for one in inputs)
        and all(one.pulsed and one.moved for one in outputs)
        and all(
            (one.card or not one.wants_card) and (one.key or not one.wants_key) and not one.findings for one in readers
        )
    )
    assert verdict(DoorSeen(inputs=(*inputs,), outputs=(*outputs,), readers=(*readers,))).fine is bool(fine)


@given(seconds=st.integers(1, 20), moves=st.integers(1, 6), bounce=st.integers(1, 10))
def test_a_hand_does_not_flicker_however_it_bounces(seconds: int, moves: int, bounce: int) -> None:
    """Six moves a second, each up to ten edges 500 µs apart."""
    edges = [
        second * SECOND + move * SECOND // moves + edge * MS // 2
        for second, move, edge in product(range(seconds), range(moves), range(bounce))
    ]
    assert not any(flickers(edges[: n + 1]) for n in range(len(edges)))


@pytest.mark.parametrize("every", [MS // 10, MS, 7 * MS, 10 * MS, 20 * MS, 40 * MS])
def test_a_wire_that_hangs_in_the_air_flickers_within_a_second(every: int) -> None:
    """At mains hum, and at anything faster."""
    assert flickers(range(0, SECOND, every))


def test_nothing_flickers_that_does_not_change() -> None:
    assert not flickers(())
