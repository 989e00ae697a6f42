"""The door machine from outside: events with their times in, whole lists of effects out."""

from dataclasses import replace

import pytest

from doorctl.core.door import OPENING_GRACE, Door, DoorPolicy, DoorStatus
from doorctl.core.door_tables import Hold, Leaf, Lock
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
from doorctl.core.types import SECOND, Duration, Monotonic

POLICY = DoorPolicy(
    release=Duration(5 * SECOND),
    relock_on_open=True,
    contact=True,
    held_open=Duration(30 * SECOND),
    pre_alarm=Duration(10 * SECOND),
)
RELEASE, SECURE = ReleaseStrike(), SecureStrike()
WELCOME = Indicate(light=Light.GRANTED, beep_ms=(100,))
GREEN = Indicate(light=Light.GRANTED, beep_ms=None)
IDLE = Indicate(light=Light.IDLE, beep_ms=None)
RED = Indicate(light=Light.DENIED, beep_ms=None)
REFUSED = (100, 100, 100, 100, 100)
WARNING = (100, 900) * 10
ALARM = (500, 500) * 60
SHUNT = Shunt(duration=None)


def at(second: float) -> Monotonic:
    return Monotonic(int(second * SECOND))


def report(happening: Happening) -> Report:
    return Report(happening=happening)


def sounding(beep_ms: tuple[int, ...], light: Light = Light.IDLE) -> Indicate:
    return Indicate(light=light, beep_ms=beep_ms)


def door(*events: tuple[float, DoorEvent], policy: DoorPolicy = POLICY) -> Door:
    """A door that has lived through these."""
    machine = Door(policy)
    for second, event in events:
        machine.receive(event, at(second))
    return machine


def test_a_new_door_is_secured_and_at_rest() -> None:
    machine = Door(POLICY)
    assert machine.status == DoorStatus(
        lock=Lock.SECURED, leaf=Leaf.CLOSED, hold=None, scheduled=False, shunted=False, light=Light.IDLE
    )
    assert (machine.status.state, machine.status.released, machine.status.lockdown, machine.status.at_rest) == (
        "secured", False, False, True,
    )  # fmt: skip
    assert (machine.posture(), machine.next_deadline()) == ([SECURE, IDLE], None)


def test_a_grant_releases_for_the_release_time() -> None:
    machine = Door(POLICY)
    assert machine.receive(Grant(), at(1)) == [RELEASE, WELCOME]
    assert machine.posture() == [RELEASE, GREEN]
    assert (machine.status.state, machine.status.at_rest, machine.next_deadline()) == ("released", False, at(6))
    assert machine.on_deadline(Monotonic(at(6) - 1)) == []
    assert machine.on_deadline(at(6)) == [SECURE, IDLE]
    assert machine.on_deadline(at(6)) == []


def test_a_second_grant_gives_the_whole_time_again() -> None:
    machine = door((0, Grant()))
    assert machine.receive(Grant(), at(3)) == [RELEASE, WELCOME]
    assert machine.next_deadline() == at(8)


def test_one_grant_one_opening_with_relock_on_open() -> None:
    machine = door((0, Grant()))
    assert machine.receive(Opened(), at(2)) == [SECURE, IDLE]
    assert machine.status.state == "open"
    assert machine.receive(Closed(), at(4)) == []
    assert (machine.status.state, machine.next_deadline()) == ("secured", None)


@pytest.mark.parametrize("closed", [4, 30])
def test_without_relock_on_open_it_secures_on_close_or_when_time_is_over(closed: float) -> None:
    machine = door((0, Grant()), policy=replace(POLICY, relock_on_open=False))
    assert machine.receive(Opened(), at(2)) == []
    assert machine.status.released
    effects = machine.on_deadline(at(5)) if closed > 5 else machine.receive(Closed(), at(closed))
    assert effects == [SECURE, IDLE]


# The way out


def test_rex_releases_at_once_and_explains_the_opening() -> None:
    machine = Door(POLICY)
    assert machine.receive(Rex(), at(0)) == [RELEASE, GREEN]
    assert machine.receive(Opened(), at(1)) == [SECURE, IDLE]
    assert machine.status.leaf is Leaf.OPEN


@pytest.mark.parametrize(
    "events",
    [
        [],
        [(0, Grant())],
        [(0, Rex())],
        [(0, Rex()), (0, Grant())],
        [(0, UnlockBegins())],
        [(0, UnlockBegins()), (0, Rex())],
        [(0, HoldUnlocked())],
        [(0, Lockdown())],
        [(0, Lockdown()), (0, Rex())],
        [(0, Opened())],
        [(0, Lockdown()), (0, Opened())],
        [(0, SHUNT), (0, Opened())],
        [(0, Grant()), (0, Opened())],
    ],
)
def test_rex_releases_for_the_whole_release_time_in_every_state(events: list[tuple[float, DoorEvent]]) -> None:
    machine = door(*events)
    assert RELEASE in machine.receive(Rex(), at(1))
    machine.on_deadline(Monotonic(at(6) - 1))
    assert machine.status.released


@pytest.mark.parametrize(
    "orders",
    [
        [Lockdown()],
        [Lockdown(), Restore()],
        [UnlockBegins(), UnlockEnds()],
        [HoldUnlocked(), Lockdown(), Restore()],
        [UnlockBegins(), Lockdown(), Restore(), UnlockEnds()],
    ],
)
def test_no_order_cuts_an_exit_short(orders: list[DoorEvent]) -> None:
    machine = door((0, Rex()))
    for order in orders:
        assert SECURE not in machine.receive(order, at(1))
    assert machine.next_deadline() == at(5)
    assert machine.on_deadline(at(5))[0] == SECURE
    assert not machine.status.released


def test_a_grant_during_an_exit_has_a_time_of_its_own() -> None:
    machine = door((0, Rex()), (3, Grant()))
    assert machine.on_deadline(at(5)) == []
    assert machine.status.lock is Lock.RELEASED
    assert machine.on_deadline(at(8)) == [SECURE, IDLE]


def test_lockdown_ends_a_grant_during_an_exit_and_not_the_exit() -> None:
    machine = door((0, Rex()), (3, Grant()))
    assert machine.receive(Lockdown(), at(4)) == []
    assert machine.on_deadline(at(5)) == [SECURE, RED]


def test_a_rex_during_both_outlasts_the_grant() -> None:
    machine = door((0, Rex()), (3, Grant()), (4, Rex()))
    assert (machine.status.lock, machine.next_deadline()) == (Lock.EXITING, at(9))


def test_a_grant_stamped_before_the_exit_it_follows_ends_first() -> None:
    machine = door((3, Rex()), (2, Grant()))
    assert machine.on_deadline(at(7)) == []
    assert machine.status.lock is Lock.EXITING
    assert machine.on_deadline(at(8)) == [SECURE, IDLE]


# The leaf


def test_an_opening_that_nothing_explains_is_forced() -> None:
    machine = Door(POLICY)
    assert machine.receive(Opened(), at(1)) == [report(Happening.FORCED_OPEN), sounding(ALARM)]
    assert (machine.status.state, machine.status.at_rest, machine.next_deadline()) == ("forced open", False, None)
    assert machine.receive(Closed(), at(2)) == [report(Happening.CLOSED), sounding(())]


def test_an_opening_just_after_the_release_is_explained() -> None:
    machine = door((0, Grant()))
    assert machine.receive(Opened(), Monotonic(at(5) + OPENING_GRACE)) == [SECURE, IDLE]
    assert machine.status.state == "open"
    late = door((0, Grant()))
    assert late.receive(Opened(), Monotonic(at(5) + OPENING_GRACE + 1)) == [
        SECURE, IDLE, report(Happening.FORCED_OPEN), sounding(ALARM),
    ]  # fmt: skip


def test_a_slammed_door_that_rebounds_is_not_forced() -> None:
    machine = door((0, Grant()), (1, Opened()), (1.2, Closed()))
    assert machine.receive(Opened(), at(1.4)) == []


@pytest.mark.parametrize(
    "before", [[(0, Opened()), (1, Closed())], [(1, Lockdown())], [(0, Lockdown()), (1, Restore())]]
)
def test_only_a_release_that_ended_explains_an_opening(before: list[tuple[float, DoorEvent]]) -> None:
    assert report(Happening.FORCED_OPEN) in door(*before).receive(Opened(), at(1.2))


def test_a_door_that_stays_open_warns_and_is_then_held_open_once() -> None:
    machine = door((0, Grant()), (1, Opened()))
    assert machine.on_deadline(at(21)) == [report(Happening.PRE_ALARM), sounding(WARNING)]
    assert machine.status.state == "pre-alarm"
    assert machine.on_deadline(at(31)) == [report(Happening.HELD_OPEN), sounding(ALARM)]
    assert (machine.status.state, machine.next_deadline()) == ("held open", None)
    assert machine.receive(Closed(), at(99)) == [report(Happening.CLOSED), sounding(())]


def test_without_a_pre_alarm_it_is_held_open_at_once() -> None:
    machine = door((0, Grant()), (1, Opened()), policy=replace(POLICY, pre_alarm=Duration(0)))
    assert machine.next_deadline() == at(31)
    assert machine.on_deadline(at(31)) == [report(Happening.HELD_OPEN), sounding(ALARM)]


def test_closing_during_the_warning_ends_it() -> None:
    machine = door((0, Grant()), (1, Opened()), (22, Closed()))
    assert (machine.status.state, machine.next_deadline()) == ("secured", None)


def test_a_late_loop_does_everything_at_its_own_time() -> None:
    late = door((0, Grant()), (1, Opened()))
    assert late.on_deadline(at(500)) == [
        report(Happening.PRE_ALARM), sounding(WARNING), report(Happening.HELD_OPEN), sounding(ALARM),
    ]  # fmt: skip


def test_each_grant_before_the_warning_gives_the_whole_time_again_and_a_rex_does_not() -> None:
    machine = door((0, Grant()), (1, Opened()), (15, Grant()))
    machine.on_deadline(at(20))
    assert machine.next_deadline() == at(35)
    machine.receive(Rex(), at(26))
    machine.on_deadline(at(31))
    assert machine.next_deadline() == at(35)


def test_a_grant_after_the_warning_does_not_stop_it() -> None:
    machine = door((0, Grant()), (1, Opened()), (22, Grant()))
    assert machine.on_deadline(at(31)) == [SECURE, IDLE, report(Happening.HELD_OPEN), sounding(ALARM)]


def test_a_grant_releases_although_the_contact_says_open() -> None:
    machine = door((0, Opened()))
    assert machine.receive(Grant(), at(1)) == [RELEASE, WELCOME]
    assert machine.status.state == "forced open"


def test_a_warning_never_sounds_for_longer_than_a_minute() -> None:
    slow = replace(POLICY, held_open=Duration(400 * SECOND), pre_alarm=Duration(300 * SECOND))
    machine = door((0, Grant()), (0, Opened()), policy=slow)
    assert machine.on_deadline(at(100))[-1] == sounding((100, 900) * 60)


def test_a_door_found_open_at_start_is_not_forced() -> None:
    machine = Door(POLICY, found_open=at(3))
    assert (machine.status.state, machine.next_deadline()) == ("open", at(23))


def test_nor_is_one_that_is_found_open_later_when_its_contact_is_first_heard() -> None:
    machine = door((0, Rex()))
    assert machine.receive(FoundOpen(), at(3)) == []
    assert (machine.status.state, machine.status.released, machine.next_deadline()) == ("open", True, at(5))
    assert machine.on_deadline(at(22)) == [SECURE, IDLE]
    with pytest.raises(IllegalEvent):
        machine.receive(FoundOpen(), at(22))
    with pytest.raises(IllegalEvent):
        Door(replace(POLICY, contact=False)).receive(FoundOpen(), at(0))


# Orders


def test_the_unlock_schedule_releases_and_secures() -> None:
    machine = Door(POLICY)
    assert machine.receive(UnlockBegins(), at(0)) == [RELEASE, report(Happening.UNLOCKED), GREEN]
    assert (machine.status.state, machine.next_deadline()) == ("unlocked", None)
    assert machine.receive(Grant(), at(1)) == [RELEASE, WELCOME]
    assert machine.receive(Opened(), at(2)) == []
    assert (machine.status.leaf, machine.next_deadline()) == (Leaf.OPEN, None)
    assert machine.receive(UnlockEnds(), at(3)) == [SECURE, report(Happening.LOCKED), IDLE]
    assert machine.next_deadline() == at(23)


def test_an_operators_hold_outlasts_the_schedule() -> None:
    machine = door((0, HoldUnlocked()), (1, UnlockBegins()))
    assert machine.receive(UnlockEnds(), at(2)) == []
    assert machine.receive(HoldUnlocked(), at(3)) == []
    assert machine.receive(Restore(), at(4)) == [SECURE, report(Happening.LOCKED), IDLE]
    assert machine.receive(Restore(), at(5)) == []


def test_lockdown_secures_and_refuses_grants() -> None:
    machine = door((0, Grant()))
    assert machine.receive(Lockdown(), at(1)) == [SECURE, RED]
    assert machine.status == DoorStatus(
        lock=Lock.LOCKED_DOWN,
        leaf=Leaf.CLOSED,
        hold=Hold.LOCKED_DOWN,
        scheduled=False,
        shunted=False,
        light=Light.DENIED,
    )
    assert machine.status.lockdown
    assert machine.receive(Lockdown(), at(2)) == []
    assert machine.receive(Grant(), at(3)) == [sounding(REFUSED, Light.DENIED)]
    assert machine.receive(UnlockBegins(), at(4)) == []
    assert machine.receive(Restore(), at(5)) == [RELEASE, report(Happening.UNLOCKED), GREEN]


def test_lockdown_of_an_unlocked_door_watches_the_leaf_again() -> None:
    machine = door((0, UnlockBegins()), (1, Opened()))
    assert machine.receive(Lockdown(), at(2)) == [SECURE, report(Happening.LOCKED), RED]
    assert machine.next_deadline() == at(22)


def test_a_refused_grant_does_not_extend_an_open_door() -> None:
    machine = door((0, Grant()), (1, Opened()), (2, Lockdown()), (10, Grant()))
    assert machine.next_deadline() == at(21)


def test_rex_in_lockdown_releases_and_returns_to_it() -> None:
    machine = door((0, Lockdown()))
    assert machine.receive(Rex(), at(1)) == [RELEASE, GREEN]
    assert machine.receive(Grant(), at(2)) == [sounding(REFUSED, Light.GRANTED)]
    assert machine.on_deadline(at(6)) == [SECURE, RED]
    assert machine.receive(Restore(), at(7)) == [IDLE]


# Shunt


def test_a_shunted_door_is_not_watched() -> None:
    machine = door((0, SHUNT))
    assert machine.receive(Opened(), at(1)) == []
    assert (machine.status.state, machine.status.shunted, machine.next_deadline()) == ("open", True, None)
    assert machine.receive(Unshunt(), at(100)) == []
    assert machine.next_deadline() == at(120)


def test_a_timed_shunt_ends_by_itself() -> None:
    machine = door((0, Shunt(duration=Duration(60 * SECOND))))
    assert machine.next_deadline() == at(60)
    assert machine.on_deadline(at(60)) == []
    assert (machine.status.shunted, machine.next_deadline()) == (False, None)


def test_a_new_shunt_replaces_the_old() -> None:
    machine = door((0, Shunt(duration=Duration(60 * SECOND))), (1, Shunt(duration=Duration(10 * SECOND))))
    assert machine.next_deadline() == at(11)
    machine.receive(SHUNT, at(2))
    assert machine.next_deadline() is None


@pytest.mark.parametrize(
    ("events", "again"),
    [
        ([(0, Opened())], [sounding(ALARM)]),
        ([(0, Grant()), (0, Opened()), (21, Rex())], [sounding(WARNING, Light.GRANTED)]),
        ([(0, Grant()), (0, Opened()), (40, Rex())], [sounding(ALARM, Light.GRANTED)]),
    ],
    ids=["forced", "warning", "held"],
)
def test_a_shunt_silences_and_its_end_sounds_again_without_a_new_report(
    events: list[tuple[float, DoorEvent]], again: list[DoorEffect]
) -> None:
    machine = door(*events)
    second = events[-1][0]
    assert machine.receive(SHUNT, at(second)) == [sounding((), machine.status.light)]
    assert machine.receive(Unshunt(), at(second)) == again
    assert machine.receive(Unshunt(), at(second)) == []
    assert report(Happening.CLOSED) in machine.receive(Closed(), at(second))


def test_a_shunt_during_the_warning_starts_the_warnings_time_anew() -> None:
    machine = door((0, Grant()), (0, Opened()), (21, SHUNT))
    assert machine.next_deadline() is None
    machine.receive(Unshunt(), at(60))
    assert machine.next_deadline() == at(70)


# What cannot be


@pytest.mark.parametrize(
    ("before", "event"),
    [
        ([], Closed()),
        ([], UnlockEnds()),
        ([(0, Opened())], Opened()),
        ([(0, Grant()), (0, Opened())], Opened()),
        ([(0, UnlockBegins())], UnlockBegins()),
        ([(0, Lockdown())], HoldUnlocked()),
    ],
)
def test_an_illegal_event_raises_and_changes_nothing(before: list[tuple[float, DoorEvent]], event: DoorEvent) -> None:
    machine, twin = door(*before), door(*before)
    with pytest.raises(IllegalEvent, match=type(event).__name__):
        machine.receive(event, at(500))
    assert (machine.status, machine.next_deadline()) == (twin.status, twin.next_deadline())
    assert machine.on_deadline(at(500)) == twin.on_deadline(at(500))


@pytest.mark.parametrize("event", [Opened(), Closed()])
def test_a_door_without_a_contact_has_no_leaf(event: DoorEvent) -> None:
    blind = replace(POLICY, contact=False)
    with pytest.raises(IllegalEvent):
        Door(blind).receive(event, at(0))
    with pytest.raises(IllegalEvent, match="without a contact"):
        Door(blind, found_open=at(0))
    machine = door((0, Grant()), policy=blind)
    assert machine.on_deadline(at(5)) == [SECURE, IDLE]


@pytest.mark.parametrize(
    "change",
    [{"release": 0}, {"pre_alarm": -1}, {"pre_alarm": 30 * SECOND}, {"held_open": 0}],
    ids=str,
)
def test_a_senseless_policy_is_refused(change: dict[str, Duration]) -> None:
    with pytest.raises(ValueError, match="door policy"):
        replace(POLICY, **change)  # type: ignore[arg-type]  # every field named here is a Duration
