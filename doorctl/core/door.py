"""The door machine: events in, effects out, by the two tables of `door_tables.py`. Never decides who may pass.

Theory of operation. A door is two things that do not always agree: the *lock*, which we move, and the *leaf*, which
we only watch. Each has a table. Keeping them apart is what makes the way out safe: a REX releases the strike in every
state of the lock, whatever the contact claims about the leaf, since a broken contact wire looks like an open door.

The lock. Three orders rule it: normal (secured, released on demand), unlock (the unlock schedule or an operator's
hold) and lockdown (an operator's; it beats both, and only Restore ends it). In each order a REX releases at once for
the release time, and no change of order cuts that time short: that is why there are four exiting states and why an
exit has a clock of its own. A grant releases in normal order only, and a change of order ends it. One that arrives in
lockdown (it was decided just before) releases nothing and is refused with light and sound. A release ends when its
time is over, when the leaf opens and the door re-locks on open, or when the leaf closes, whichever is first. GRANT
and REX tell the strike to release even where it is released already: the telling is idempotent, and a strike that
forgot is told again.

The leaf. It is watched unless the order is unlock or the door is shunted. Watched, an opening that no release explains
is FORCED_OPEN. One shortly after the release ended (OPENING_GRACE) is explained: the contact's debounce, a rebound of
a slammed door. An explained opening may last `held_open`; the door warns `pre_alarm` before that, then reports held
open, once an opening. Each further grant during OPEN gives the whole time again; a REX does not, or a motion sensor
beside a wedged door would keep it quiet for ever. When watching ends, sounds stop and no time runs; what was reported
stays until the leaf closes, and when watching begins again the state's time begins anew. A door without a contact has
a leaf that is always closed.

Time. `receive` first does what was due by then, each at its own time, so the outcome depends on the events' times and
not on how late the loop is. An event that the tables do not know, or HoldUnlocked in lockdown, raises IllegalEvent and
changes nothing. Held orders and the interlock across restarts are the runtime's: it sends the orders again.
"""

from dataclasses import dataclass
from typing import Final, assert_never

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
)
from doorctl.core.effects import DoorEffect, Indicate, Light, ReleaseStrike, SecureStrike
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

OPENING_GRACE: Final = Duration(500 * MS)
"""After a release ended: the contact's debounce (100 ms), the strike's fall, and a hand that was already pulling."""
_LONGEST_SOUND_S: Final = 60

_SOUND_MS: Final = {
    Sound.GRANTED: (100,),
    Sound.REFUSED: (100, 100, 100, 100, 100),
    Sound.ALARM: (500, 500) * _LONGEST_SOUND_S,
    Sound.SILENCE: (),
}
_LOCK_CLOCKS: Final = frozenset({Clock.EXIT, Clock.RELEASE})
_LEAF_CLOCKS: Final = frozenset({Clock.OPEN})
_Triggers = tuple[LockTrigger | LeafTrigger, ...]
_Command = UnlockBegins | UnlockEnds | HoldUnlocked | Lockdown | Restore | Shunt | Unshunt


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPolicy:
    """What the installer wrote for this door."""

    release: Duration
    relock_on_open: bool
    contact: bool
    """Whether there is a door position switch."""
    held_open: Duration
    pre_alarm: Duration
    """0: no warning."""

    def __post_init__(self) -> None:
        if self.release <= 0 or not 0 <= self.pre_alarm < self.held_open:
            raise ValueError(
                f"door policy: release {self.release} ns must be positive, "
                f"pre-alarm {self.pre_alarm} ns less than held-open {self.held_open} ns"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorStatus:
    """The door as `doorctl status` shows it."""

    lock: Lock
    leaf: Leaf
    hold: Hold | None
    scheduled: bool
    """Whether the unlock schedule is on."""
    shunted: bool
    light: Light

    @property
    def state(self) -> str:
        """One word or two: the leaf where it is not closed, else the lock."""
        return self.lock.value if self.leaf is Leaf.CLOSED else self.leaf.value

    @property
    def released(self) -> bool:
        """Whether the strike is released."""
        return self.lock in RELEASED

    @property
    def lockdown(self) -> bool:
        """For the decision."""
        return self.hold is Hold.LOCKED_DOWN

    @property
    def at_rest(self) -> bool:
        """Closed and not released: what an interlock asks of the other doors."""
        return self.leaf is Leaf.CLOSED and not self.released


class Door:
    """One door."""

    __slots__ = ("_due", "_hold", "_leaf", "_lock", "_opening", "_policy", "_scheduled", "_secured_at", "_shunted")

    def __init__(self, policy: DoorPolicy, *, found_open: Monotonic | None = None) -> None:
        """`found_open`: when the contact was found open at start; that is no forced opening."""
        self._policy = policy
        self._opening = policy
        """By which the leaf's times run: that of the moment at which they began."""
        self._lock = Lock.SECURED
        self._leaf = Leaf.CLOSED
        self._hold: Hold | None = None
        self._scheduled = False
        self._shunted = False
        self._due: dict[Clock, Monotonic] = {}
        self._secured_at: Monotonic | None = None
        if found_open is not None:
            if not policy.contact:
                raise IllegalEvent("a door without a contact was found open")
            self._step_leaf(LeafTrigger.OPENED, found_open)

    @property
    def status(self) -> DoorStatus:
        """A frozen view."""
        return DoorStatus(
            lock=self._lock, leaf=self._leaf, hold=self._hold, scheduled=self._scheduled,
            shunted=self._shunted, light=LIGHT[self._lock],
        )  # fmt: skip

    def follow(self, policy: DoorPolicy) -> None:
        """Another policy from now on; a release and an opening that are under way keep the times they began with."""
        if policy.contact is not self._policy.contact:
            raise ValueError("a door's contact neither comes nor goes while it is served")
        self._policy = policy

    def posture(self) -> list[DoorEffect]:
        """What brings the hardware to where the machine is; for the start, and after a device came back."""
        strike = ReleaseStrike() if self._lock in RELEASED else SecureStrike()
        return [strike, Indicate(light=LIGHT[self._lock], beep_ms=None)]

    def receive(self, event: DoorEvent, now: Monotonic) -> list[DoorEffect]:
        """What one event does; IllegalEvent where it cannot happen, and then nothing was changed."""
        # Before what is due: no timer opens or closes the leaf or changes an order, so the answer stays true.
        if not self._is_legal(event):
            raise IllegalEvent(f"{type(event).__name__} while {self._lock.value}, {self._leaf.value}")
        effects = self.on_deadline(now)
        return effects + self._walk(self._triggers(event, now), now)

    def next_deadline(self) -> Monotonic | None:
        """When `on_deadline` has something to do; None while nothing runs."""
        return min(self._due.values(), default=None)

    def on_deadline(self, now: Monotonic) -> list[DoorEffect]:
        """Everything that was due by now, in order, each at its own time."""
        effects: list[DoorEffect] = []
        while (due := self.next_deadline()) is not None and due <= now:
            effects += self._walk(self._expired(due), due)
        return effects

    def _is_legal(self, event: DoorEvent) -> bool:
        match event:
            case Opened() | FoundOpen():
                return self._policy.contact and LeafTrigger.OPENED in LEAF_TABLE[self._leaf]
            case Closed():
                return self._policy.contact and LeafTrigger.CLOSED in LEAF_TABLE[self._leaf]
            case UnlockBegins():
                return not self._scheduled
            case UnlockEnds():
                return self._scheduled
            case HoldUnlocked():
                return self._hold is not Hold.LOCKED_DOWN
            case Grant() | Rex() | Lockdown() | Restore() | Shunt() | Unshunt():
                return True
            case _:
                assert_never(event)

    def _triggers(self, event: DoorEvent, now: Monotonic) -> _Triggers:
        match event:
            case Grant():
                refused = self._hold is Hold.LOCKED_DOWN
                return (LockTrigger.GRANT,) if refused else (LockTrigger.GRANT, LeafTrigger.GRANT)
            case Rex():
                return (LockTrigger.REX,)
            case Opened():
                opened = LeafTrigger.OPENED if self._explained(now) else LeafTrigger.FORCED
                return (LockTrigger.PASSED, opened) if self._policy.relock_on_open else (opened,)
            case FoundOpen():
                return (LeafTrigger.OPENED,)
            case Closed():
                return (LockTrigger.PASSED, LeafTrigger.CLOSED)
            case _:
                return self._command(event, now)

    def _command(self, event: _Command, now: Monotonic) -> _Triggers:
        match event:
            case UnlockBegins() | UnlockEnds():
                return self._ordered(self._hold, scheduled=isinstance(event, UnlockBegins))
            case HoldUnlocked():
                return self._ordered(Hold.UNLOCKED, scheduled=self._scheduled)
            case Lockdown():
                return self._ordered(Hold.LOCKED_DOWN, scheduled=self._scheduled)
            case Restore():
                return self._ordered(None, scheduled=self._scheduled)
            case Shunt():
                ends = None if event.duration is None else Monotonic(now + event.duration)
                return self._shunt(ends, shunted=True)
            case Unshunt():
                return self._shunt(None, shunted=False)
            case _:
                assert_never(event)

    def _expired(self, due: Monotonic) -> _Triggers:
        clock = next(clock for clock in Clock if self._due.get(clock) == due)
        match clock:
            case Clock.EXIT:
                return (LockTrigger.EXIT_ENDS,)
            case Clock.RELEASE:
                return (LockTrigger.RELEASE_ENDS,)
            case Clock.OPEN:
                warns = self._leaf is Leaf.OPEN and self._opening.pre_alarm > 0
                return (LeafTrigger.WARNING_DUE if warns else LeafTrigger.HELD_DUE,)
            case Clock.SHUNT:
                return self._shunt(None, shunted=False)
            case _:
                assert_never(clock)

    @property
    def _order(self) -> LockTrigger:
        return ORDER[self._hold, self._scheduled]

    @property
    def _watched(self) -> bool:
        return not self._shunted and self._order is not LockTrigger.UNLOCK

    def _ordered(self, hold: Hold | None, *, scheduled: bool) -> _Triggers:
        before, was_watched = self._order, self._watched
        self._hold, self._scheduled = hold, scheduled
        lock = () if self._order is before else (self._order,)
        return lock + self._watch_changed(was_watched=was_watched)

    def _shunt(self, ends: Monotonic | None, *, shunted: bool) -> _Triggers:
        was_watched = self._watched
        self._shunted = shunted
        if ends is None:
            self._due.pop(Clock.SHUNT, None)
        else:
            self._due[Clock.SHUNT] = ends
        return self._watch_changed(was_watched=was_watched)

    def _watch_changed(self, *, was_watched: bool) -> _Triggers:
        if self._watched is was_watched:
            return ()
        return (LeafTrigger.WATCH if self._watched else LeafTrigger.UNWATCH,)

    def _explained(self, now: Monotonic) -> bool:
        if self._lock in RELEASED or not self._watched:
            return True
        return self._secured_at is not None and now - self._secured_at <= OPENING_GRACE

    def _walk(self, triggers: _Triggers, now: Monotonic) -> list[DoorEffect]:
        """The steps' effects, then one Indicate where the light changed or something sounds."""
        light = LIGHT[self._lock]
        effects: list[DoorEffect] = []
        sound: Sound | None = None
        for trigger in triggers:
            if isinstance(trigger, LockTrigger):
                step_effects, step_sound = self._step_lock(trigger, now)
            else:
                step_effects, step_sound = self._step_leaf(trigger, now)
            effects += step_effects
            sound = step_sound or sound
        if LIGHT[self._lock] is not light or sound is not None:
            effects.append(Indicate(light=LIGHT[self._lock], beep_ms=None if sound is None else self._beep_ms(sound)))
        return effects

    def _step_lock(self, trigger: LockTrigger, now: Monotonic) -> tuple[tuple[DoorEffect, ...], Sound | None]:
        step = LOCK_TABLE[self._lock][trigger]
        if self._lock in RELEASED and step.to not in RELEASED:
            self._secured_at = now
        self._lock = step.to
        self._run(_LOCK_CLOCKS, LOCK_CLOCKS[self._lock], step.starts, now)
        return step.effects, step.sound

    def _step_leaf(self, trigger: LeafTrigger, now: Monotonic) -> tuple[tuple[DoorEffect, ...], Sound | None]:
        step = LEAF_TABLE[self._leaf][trigger]
        self._leaf = step.to
        self._run(_LEAF_CLOCKS, LEAF_CLOCKS[self._leaf] if self._watched else frozenset(), step.starts, now)
        return step.effects, step.sound

    def _run(self, own: frozenset[Clock], running: frozenset[Clock], starts: Clock | None, now: Monotonic) -> None:
        """Of one half's own clocks: stop those that do not run in the state entered, begin the one that starts."""
        for clock in own - running:
            self._due.pop(clock, None)
        if starts in running:
            if starts is Clock.OPEN and self._leaf is Leaf.OPEN:
                self._opening = self._policy
            self._due[starts] = Monotonic(now + self._time(starts))

    def _time(self, clock: Clock) -> Duration:
        if clock is not Clock.OPEN:
            return self._policy.release
        opening = self._opening
        warned = self._leaf is Leaf.PRE_ALARM
        return opening.pre_alarm if warned else Duration(opening.held_open - opening.pre_alarm)

    def _beep_ms(self, sound: Sound) -> tuple[int, ...]:
        if sound is Sound.WARNING:
            seconds = -(-self._opening.pre_alarm // SECOND)
            return (100, 900) * min(seconds, _LONGEST_SOUND_S)
        return _SOUND_MS[sound]
