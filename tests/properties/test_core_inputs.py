"""Debounce against a slow and obvious model, and the two promises it exists for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.core.inputs import HONOURED, Debounce, Settled
from doorctl.core.types import MS, Duration, Monotonic

THRESHOLDS = st.integers(1, 399)
RUNS = st.lists(st.integers(0, 120), max_size=20)
"""How many milliseconds each level lasts, inactive first."""


def told(machine: Debounce, runs: list[int], *, ask: bool, start: int = 0) -> list[Settled]:
    """Changes at the end of each run; asked for every deadline on the way, or only at the changes."""
    now, settled = start, []
    for number, run in enumerate([*runs, 1000]):
        settled.append(machine.receive(active=bool(number % 2), at=Monotonic(now)))
        end = now + run * MS
        while ask and (due := machine.next_deadline()) is not None and due <= end:
            settled.append(machine.on_deadline(due))
        now = end
    settled.append(machine.on_deadline(Monotonic(now)))
    return [change for change in settled if change is not None]


def by_the_millisecond(threshold: int, runs: list[int]) -> list[Settled]:
    charge, meant, settled = 0, False, []
    levels = [bool(number % 2) for number, run in enumerate([*runs, 1000]) for _ in range(run)]
    for millisecond, level in enumerate(levels, start=1):
        charge = min(max(charge + (1 if level else -1), 0), threshold)
        if level is not meant and charge == (threshold if level else 0):
            meant = level
            settled.append(Settled(active=meant, at=Monotonic(millisecond * MS)))
    return settled


@given(THRESHOLDS, RUNS)
@settings(max_examples=300, deadline=None)
def test_it_is_the_obvious_integrator(threshold: int, runs: list[int]) -> None:
    machine = Debounce(threshold=Duration(threshold * MS), active=False, now=Monotonic(0))
    assert told(machine, runs, ask=True) == by_the_millisecond(threshold, runs)


@given(THRESHOLDS, RUNS)
def test_outcomes_do_not_depend_on_who_asks_when(threshold: int, runs: list[int]) -> None:
    asked, unasked = (Debounce(threshold=Duration(threshold * MS), active=False, now=Monotonic(0)) for _ in range(2))
    assert told(asked, runs, ask=True) == told(unasked, runs, ask=False)


@given(THRESHOLDS, RUNS, st.integers(0, 10**6))
def test_what_lasts_over_400_ms_is_honoured_after_anything(threshold: int, runs: list[int], extra: int) -> None:
    machine = Debounce(threshold=Duration(threshold * MS), active=False, now=Monotonic(0))
    told(machine, runs, ask=False)
    now = Monotonic(10**12)
    machine.receive(active=not machine.active, at=now)
    wanted = not machine.active
    machine.on_deadline(Monotonic(now + HONOURED + extra))
    assert machine.active is wanted


@given(st.data(), THRESHOLDS)
def test_bounces_with_as_long_a_pause_are_never_honoured(data: st.DataObject, threshold: int) -> None:
    machine = Debounce(threshold=Duration(threshold * MS), active=False, now=Monotonic(0))
    now = 0
    for pulse in data.draw(st.lists(st.integers(0, threshold * MS - 1), max_size=20)):
        pause = pulse + data.draw(st.integers(0, 10 * MS))
        assert machine.receive(active=True, at=Monotonic(now)) is None
        assert machine.receive(active=False, at=Monotonic(now + pulse)) is None
        now += pulse + pause
    assert machine.on_deadline(Monotonic(now + 10**12)) is None


@given(THRESHOLDS, st.lists(st.tuples(st.booleans(), st.integers(0, 10**9)), max_size=30))
def test_any_times_in_any_order_leave_a_sane_machine(threshold: int, changes: list[tuple[bool, int]]) -> None:
    machine = Debounce(threshold=Duration(threshold * MS), active=False, now=Monotonic(0))
    level = machine.active
    for active, at in changes:
        settled = machine.receive(active=active, at=Monotonic(at))
        if settled is not None:
            assert settled.active is not level, "changes alternate"
            level = settled.active
        assert machine.active is level
