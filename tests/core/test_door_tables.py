"""What every row of the door's tables must keep, whatever else they say."""

from collections.abc import Iterator
from typing import TypeVar

import pytest

from doorctl.core.door_tables import (
    LEAF_CLOCKS,
    LEAF_TABLE,
    LIGHT,
    LOCK_CLOCKS,
    LOCK_TABLE,
    ORDER,
    RELEASED,
    Clock,
    Hold,
    Leaf,
    LeafTrigger,
    Lock,
    LockTrigger,
    Sound,
    Step,
    StepEffect,
)
from doorctl.core.effects import Happening, ReleaseStrike, Report, SecureStrike

_S = TypeVar("_S")
_T = TypeVar("_T")

ORDERS = frozenset({LockTrigger.NORMAL, LockTrigger.UNLOCK, LockTrigger.LOCKDOWN})
OF_ORDER = {
    LockTrigger.NORMAL: {Lock.SECURED, Lock.RELEASED, Lock.EXITING, Lock.RELEASED_EXITING},
    LockTrigger.UNLOCK: {Lock.UNLOCKED, Lock.UNLOCKED_EXITING},
    LockTrigger.LOCKDOWN: {Lock.LOCKED_DOWN, Lock.LOCKED_DOWN_EXITING},
}
"""The states of each order; together all there are."""
EXITING = {state for state in Lock if Clock.EXIT in LOCK_CLOCKS[state]}
ENDS = {Clock.EXIT: LockTrigger.EXIT_ENDS, Clock.RELEASE: LockTrigger.RELEASE_ENDS}
ALARM = {Leaf.PRE_ALARM, Leaf.HELD_OPEN, Leaf.FORCED_OPEN}


def rows(table: dict[_S, dict[_T, Step[_S]]]) -> Iterator[tuple[_S, _T, Step[_S]]]:
    return ((state, trigger, step) for state, steps in table.items() for trigger, step in steps.items())


def order_of(state: Lock) -> LockTrigger:
    (order,) = (order for order, states in OF_ORDER.items() if state in states)
    return order


def reports(effects: tuple[StepEffect, ...]) -> list[Happening]:
    return [effect.happening for effect in effects if isinstance(effect, Report)]


LOCK_ROWS = [pytest.param(*row, id=f"{row[0].name}-{row[1].name}") for row in rows(LOCK_TABLE)]
LEAF_ROWS = [pytest.param(*row, id=f"{row[0].name}-{row[1].name}") for row in rows(LEAF_TABLE)]


def test_every_state_has_its_row_light_and_clocks() -> None:
    assert set(LOCK_TABLE) == set(LIGHT) == set(LOCK_CLOCKS) == set(Lock)
    assert set(LEAF_TABLE) == set(LEAF_CLOCKS) == set(Leaf)
    assert set(ORDER) == {(hold, scheduled) for hold in (None, *Hold) for scheduled in (False, True)}


@pytest.mark.parametrize("state", Lock)
def test_the_lock_takes_exactly_what_can_happen(state: Lock) -> None:
    ends = {ENDS[clock] for clock in LOCK_CLOCKS[state]}
    always = {LockTrigger.GRANT, LockTrigger.REX, LockTrigger.PASSED}
    assert set(LOCK_TABLE[state]) == always | ends | (ORDERS - {order_of(state)})


@pytest.mark.parametrize("state", Leaf)
def test_the_leaf_takes_exactly_what_can_happen(state: Leaf) -> None:
    contact = {LeafTrigger.OPENED, LeafTrigger.FORCED} if state is Leaf.CLOSED else {LeafTrigger.CLOSED}
    due = {Leaf.OPEN: {LeafTrigger.WARNING_DUE, LeafTrigger.HELD_DUE}, Leaf.PRE_ALARM: {LeafTrigger.HELD_DUE}}
    always = {LeafTrigger.GRANT, LeafTrigger.WATCH, LeafTrigger.UNWATCH}
    assert set(LEAF_TABLE[state]) == always | contact | due.get(state, set())


@pytest.mark.parametrize(("state", "trigger", "step"), LOCK_ROWS)
def test_the_strike_is_told_whenever_it_must_move(state: Lock, trigger: LockTrigger, step: Step[Lock]) -> None:
    if (state in RELEASED) is not (step.to in RELEASED):
        assert (ReleaseStrike() if step.to in RELEASED else SecureStrike()) in step.effects
    assert (ReleaseStrike() in step.effects) <= (step.to in RELEASED)
    assert (SecureStrike() in step.effects) <= (step.to not in RELEASED)


@pytest.mark.parametrize(("state", "trigger", "step"), LOCK_ROWS)
def test_only_orders_change_the_order(state: Lock, trigger: LockTrigger, step: Step[Lock]) -> None:
    assert order_of(step.to) is (trigger if trigger in ORDERS else order_of(state))


@pytest.mark.parametrize(("state", "trigger", "step"), LOCK_ROWS)
def test_entering_and_leaving_unlock_is_reported_and_nothing_else(
    state: Lock, trigger: LockTrigger, step: Step[Lock]
) -> None:
    before, after = order_of(state) is LockTrigger.UNLOCK, order_of(step.to) is LockTrigger.UNLOCK
    expected = {(False, True): [Happening.UNLOCKED], (True, False): [Happening.LOCKED]}
    assert reports(step.effects) == expected.get((before, after), [])


@pytest.mark.parametrize("state", Lock)
def test_rex_always_releases_and_starts_the_exit(state: Lock) -> None:
    step = LOCK_TABLE[state][LockTrigger.REX]
    assert (step.effects, step.starts, step.to in EXITING) == ((ReleaseStrike(),), Clock.EXIT, True)


@pytest.mark.parametrize("state", [state for state in Lock if state in EXITING])
@pytest.mark.parametrize("trigger", [LockTrigger.NORMAL, LockTrigger.UNLOCK, LockTrigger.LOCKDOWN, LockTrigger.GRANT])
def test_neither_an_order_nor_a_grant_ends_an_exit(state: Lock, trigger: LockTrigger) -> None:
    step = LOCK_TABLE[state].get(trigger)
    if step is None:
        assert trigger is order_of(state)
    else:
        assert (step.to in EXITING, step.starts is Clock.EXIT) == (True, False)


@pytest.mark.parametrize("state", Lock)
def test_a_grant_is_refused_in_lockdown_and_welcomed_elsewhere(state: Lock) -> None:
    step = LOCK_TABLE[state][LockTrigger.GRANT]
    if order_of(state) is LockTrigger.LOCKDOWN:
        assert step == Step(to=state, sound=Sound.REFUSED)
    else:
        assert (step.effects, step.sound, step.to in RELEASED) == ((ReleaseStrike(),), Sound.GRANTED, True)


@pytest.mark.parametrize(("state", "trigger", "step"), LOCK_ROWS)
def test_a_clock_starts_where_it_runs_and_no_clock_runs_unstarted(
    state: Lock, trigger: LockTrigger, step: Step[Lock]
) -> None:
    started = frozenset() if step.starts is None else frozenset({step.starts})
    assert started <= LOCK_CLOCKS[step.to] <= LOCK_CLOCKS[state] | started


@pytest.mark.parametrize(("state", "trigger", "step"), LEAF_ROWS)
def test_the_leaf_reports_each_alarm_on_entering_it_and_its_end_on_closing(
    state: Leaf, trigger: LeafTrigger, step: Step[Leaf]
) -> None:
    if step.to in ALARM and step.to is not state:
        assert reports(step.effects) == [Happening[step.to.name]]
    elif state in ALARM and step.to is Leaf.CLOSED:
        assert reports(step.effects) == [Happening.CLOSED]
    else:
        assert step.effects == ()


@pytest.mark.parametrize(("state", "trigger", "step"), LEAF_ROWS)
def test_only_an_open_leafs_clock_starts(state: Leaf, trigger: LeafTrigger, step: Step[Leaf]) -> None:
    if step.starts is not None:
        assert (step.starts, LEAF_CLOCKS[step.to]) == (Clock.OPEN, frozenset({Clock.OPEN}))


@pytest.mark.parametrize("state", Leaf)
def test_watching_changes_no_state_and_reports_nothing(state: Leaf) -> None:
    for trigger in (LeafTrigger.WATCH, LeafTrigger.UNWATCH):
        step = LEAF_TABLE[state][trigger]
        assert (step.to, step.effects) == (state, ())
