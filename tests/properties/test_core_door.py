"""The door machine against a witness that only sees events, effects and time."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from doorctl.core.door import Door, DoorPolicy
from doorctl.core.door_tables import LIGHT, Leaf
from doorctl.core.effects import DoorEffect, Happening, Indicate, Light, ReleaseStrike, Report, SecureStrike
from doorctl.core.events import (
    Closed,
    DoorEvent,
    FoundOpen,
    Grant,
    HoldUnlocked,
    IllegalEvent,
    Lockdown,
    Opened,
    Restore,
    Rex,
    Shunt,
    UnlockBegins,
    UnlockEnds,
    Unshunt,
)
from doorctl.core.types import MS, SECOND, Duration, Monotonic

ALARMS = (Happening.FORCED_OPEN, Happening.PRE_ALARM, Happening.HELD_OPEN)
STEPS = st.sampled_from(
    [0, 1, 100 * MS, 500 * MS, 500 * MS + 1, SECOND, 3 * SECOND, 5 * SECOND, 12 * SECOND, 40 * SECOND]
)
EVENTS: list[DoorEvent] = [
    Grant(), Rex(), Opened(), FoundOpen(), Closed(), UnlockBegins(), UnlockEnds(), HoldUnlocked(), Lockdown(), Restore(),
    Shunt(duration=None), Shunt(duration=Duration(2 * SECOND)), Unshunt(),
]  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> DoorPolicy:
    return DoorPolicy(
        release=Duration(draw(st.sampled_from([SECOND, 5 * SECOND, 60 * SECOND]))),
        relock_on_open=draw(st.booleans()),
        contact=draw(st.sampled_from([True, True, True, False])),
        held_open=Duration(draw(st.sampled_from([8 * SECOND, 30 * SECOND]))),
        pre_alarm=Duration(draw(st.sampled_from([0, SECOND, 7 * SECOND]))),
    )


class Witness(RuleBasedStateMachine):
    """Sends anything at any time; keeps its own small account of what it saw."""

    @initialize(policy=policies())
    def begin(self, policy: DoorPolicy) -> None:
        self.policy = policy
        self.now = Monotonic(10**12)
        self.punctual = Door(policy)
        self.lazy = Door(policy)  # asked for nothing between events
        self.owed: list[DoorEffect] = []  # what the lazy one has not done yet
        self.released = False
        self.light = Light.IDLE
        self.open = False
        self.alarms: list[Happening] = []  # of this opening
        self.unlocked = False  # by report
        self.hold: type[DoorEvent] | None = None
        self.scheduled = False
        self.release_until = 0  # the latest end of any grant or exit
        self.exit_until = 0  # of an exit that nobody has passed through

    @rule(step=STEPS)
    def wait(self, step: int) -> None:
        end = Monotonic(self.now + step)
        while (due := self.punctual.next_deadline()) is not None and due <= end:
            assert due >= self.now
            self.now = due
            effects = self.punctual.on_deadline(due)
            self.owed += effects
            self.see(effects)
            assert ReleaseStrike() not in effects, "time alone never releases"
        self.now = end
        assert self.punctual.on_deadline(end) == []

    @rule(event=st.sampled_from(EVENTS))
    def send(self, event: DoorEvent) -> None:
        if not self.possible(event):
            before = (self.punctual.status, self.punctual.next_deadline())
            with pytest.raises(IllegalEvent):
                self.punctual.receive(event, self.now)
            assert (self.punctual.status, self.punctual.next_deadline()) == before
            return
        effects = self.punctual.receive(event, self.now)
        assert self.lazy.receive(event, self.now) == self.owed + effects, "outcomes depend on times, not on lateness"
        self.owed = []
        self.account(event, effects)
        self.see(effects)

    @precondition(lambda self: self.policy.contact)
    @rule()
    def pass_through(self) -> None:
        """The usual story, so that deep states are reached often."""
        for event in (Closed(), Grant(), Opened()) if self.open else (Grant(), Opened()):
            self.send(event)

    def possible(self, event: DoorEvent) -> bool:
        match event:
            case Opened() | FoundOpen():
                return self.policy.contact and not self.open
            case Closed():
                return self.open
            case UnlockBegins():
                return not self.scheduled
            case UnlockEnds():
                return self.scheduled
            case HoldUnlocked():
                return self.hold is not Lockdown
            case _:
                return True

    def account(self, event: DoorEvent, effects: list[DoorEffect]) -> None:
        in_lockdown = self.hold is Lockdown
        match event:
            case Rex():
                self.exit_until = self.release_until = self.now + self.policy.release
                assert effects[0] == ReleaseStrike(), "a REX releases at once, whatever the state"
            case Grant():
                assert (ReleaseStrike() in effects) is not in_lockdown
                if not in_lockdown:
                    self.release_until = max(self.release_until, self.now + self.policy.release)
            case Opened() | FoundOpen():
                self.open, self.alarms = True, []
                assert isinstance(event, Opened) or effects == [], "nobody moved a leaf that is found open"
                if self.policy.relock_on_open and isinstance(event, Opened):
                    self.exit_until = self.release_until = 0
            case Closed():
                assert (Report(happening=Happening.CLOSED) in effects) is bool(self.alarms)
                self.open = False
                self.exit_until = self.release_until = 0
            case UnlockBegins() | UnlockEnds():
                self.scheduled = isinstance(event, UnlockBegins)
            case HoldUnlocked() | Lockdown() | Restore():
                self.hold = None if isinstance(event, Restore) else type(event)
            case _:
                assert ReleaseStrike() not in effects
        if self.hold is Lockdown:
            assert isinstance(event, Rex) or ReleaseStrike() not in effects, "in lockdown only a REX releases"
            self.release_until = self.exit_until

    def see(self, effects: list[DoorEffect]) -> None:
        for effect in effects:
            match effect:
                case ReleaseStrike():
                    self.released = True
                case SecureStrike():
                    self.released = False
                case Indicate():
                    self.light = effect.light
                case Report():
                    if effect.happening in ALARMS:
                        assert self.open
                        assert effect.happening not in self.alarms, "once an opening"
                        self.alarms.append(effect.happening)
                    if effect.happening in (Happening.UNLOCKED, Happening.LOCKED):
                        unlocked = effect.happening is Happening.UNLOCKED
                        assert self.unlocked is not unlocked
                        self.unlocked = unlocked

    @property
    def unlock_ordered(self) -> bool:
        return self.hold is HoldUnlocked or (self.scheduled and self.hold is None)

    @invariant()
    def what_was_told_is_what_stands(self) -> None:
        status = self.punctual.status
        assert (self.released, self.light, self.open) == (
            status.released, status.light, status.leaf is not Leaf.CLOSED,
        )  # fmt: skip
        assert status.light is LIGHT[status.lock]
        assert (status.hold is not None, status.scheduled) == (self.hold is not None, self.scheduled)
        assert status.lockdown is (self.hold is Lockdown)
        assert self.unlocked is self.unlock_ordered

    @invariant()
    def the_strike_is_released_for_a_reason_and_no_longer(self) -> None:
        if self.now < self.exit_until or self.unlock_ordered:
            assert self.released
        if self.now >= self.release_until and not self.unlock_ordered:
            assert not self.released

    @invariant()
    def nothing_due_is_left_undone(self) -> None:
        due = self.punctual.next_deadline()
        assert due is None or due > self.now

    @invariant()
    def nobody_is_alarmed_by_a_door_that_cannot_be_seen(self) -> None:
        assert self.policy.contact or not self.alarms


TestDoor = Witness.TestCase
TestDoor.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@given(policies(), st.lists(st.tuples(STEPS, st.sampled_from(EVENTS)), max_size=30), st.integers(0, 10**15))
@settings(max_examples=150, deadline=None)
def test_a_shift_of_all_times_changes_nothing(
    policy: DoorPolicy, story: list[tuple[int, DoorEvent]], shift: int
) -> None:
    def told(start: int) -> list[tuple[list[DoorEffect], int | None]]:
        door, now, seen = Door(policy), start, []
        for step, event in story:
            now += step
            try:
                effects = door.receive(event, Monotonic(now))
            except IllegalEvent:
                effects = []
            due = door.next_deadline()
            seen.append((effects, None if due is None else due - start))
        return seen

    assert told(0) == told(shift)


@given(policies(), st.sampled_from([0, 1, 8, 22, 100]))
def test_a_door_that_is_never_closed_is_held_open_once(policy: DoorPolicy, wait_s: int) -> None:
    door = Door(replace(policy, contact=True))
    door.receive(Grant(), Monotonic(0))
    door.receive(Opened(), Monotonic(0))
    effects = door.on_deadline(Monotonic(wait_s * SECOND)) + door.on_deadline(Monotonic(10_000 * SECOND))
    assert effects.count(Report(happening=Happening.HELD_OPEN)) == 1
    assert effects.count(Report(happening=Happening.PRE_ALARM)) == (policy.pre_alarm > 0)
    assert door.next_deadline() is None
