"""The door machine as data: its states, what drives them, and one table for each half. Never a clock, never a branch.

`door.py` opens with the theory of operation and walks these tables; docs/door.md is drawn from them.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeVar

from doorctl.core.effects import Happening, Light, ReleaseStrike, Report, SecureStrike

_S = TypeVar("_S")


class Lock(Enum):
    """What the strike does and why."""

    SECURED = "secured"
    RELEASED = "released"
    """By a grant, for the release time."""
    EXITING = "exiting"
    """Released by a REX, for the release time."""
    RELEASED_EXITING = "released, exiting"
    """By a REX, and by a grant after it that lasts longer."""
    UNLOCKED = "unlocked"
    """By its schedule or an operator's hold."""
    UNLOCKED_EXITING = "unlocked, exiting"
    """A REX at an unlocked door: should the unlocking end now, the exit keeps its time."""
    LOCKED_DOWN = "locked down"
    LOCKED_DOWN_EXITING = "locked down, exiting"


class Leaf(Enum):
    """Where the moving part of the door is and whether it should be there; CLOSED for ever without a contact."""

    CLOSED = "closed"
    OPEN = "open"
    PRE_ALARM = "pre-alarm"
    """Open for so long that the door warns."""
    HELD_OPEN = "held open"
    FORCED_OPEN = "forced open"


class LockTrigger(Enum):
    """What moves the lock."""

    GRANT = "grant"
    REX = "REX"
    RELEASE_ENDS = "release ends"
    EXIT_ENDS = "exit ends"
    PASSED = "passed"
    """The opening that a release was for is over: opened with re-lock on open, or closed."""
    NORMAL = "order: normal"
    UNLOCK = "order: unlock"
    LOCKDOWN = "order: lockdown"


class LeafTrigger(Enum):
    """What moves the leaf's state."""

    OPENED = "opened"
    """While, or just after, the strike was released; or unwatched."""
    FORCED = "opened by force"
    """Opened, and nothing explains it."""
    CLOSED = "closed"
    GRANT = "grant"
    """One more person is let through."""
    WARNING_DUE = "warning due"
    HELD_DUE = "held-open due"
    WATCH = "watch begins"
    UNWATCH = "watch ends"


class Clock(Enum):
    """What runs and ends in a trigger; of several due at once, the first in this order goes first."""

    EXIT = "exit"
    """Of a REX: the release time, and no order cuts it short."""
    RELEASE = "release"
    """Of a grant: the release time."""
    OPEN = "open"
    """Of an open leaf: until the warning, then until held-open."""
    SHUNT = "shunt"
    """Of a timed shunt; no state's own."""


class Sound(Enum):
    """What the door's readers sound."""

    GRANTED = "one beep"
    REFUSED = "three beeps"
    WARNING = "warning"
    ALARM = "alarm"
    SILENCE = "silence"


StepEffect = ReleaseStrike | SecureStrike | Report
"""What a table says outright; light and sound follow from the state entered and the step's sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[_S]):
    """What one trigger does in one state."""

    to: _S
    effects: tuple[StepEffect, ...] = ()
    sound: Sound | None = None
    starts: Clock | None = None
    """The clock that begins anew. The others run on, or stop where the state entered has none."""


_RELEASE: Final = ReleaseStrike()
_SECURE: Final = SecureStrike()
_UNLOCKED: Final = Report(happening=Happening.UNLOCKED)
_LOCKED: Final = Report(happening=Happening.LOCKED)

LOCK_TABLE: Final[dict[Lock, dict[LockTrigger, Step[Lock]]]] = {
    Lock.SECURED: {
        LockTrigger.GRANT: Step(to=Lock.RELEASED, effects=(_RELEASE,), sound=Sound.GRANTED, starts=Clock.RELEASE),
        LockTrigger.REX: Step(to=Lock.EXITING, effects=(_RELEASE,), starts=Clock.EXIT),
        LockTrigger.PASSED: Step(to=Lock.SECURED),
        LockTrigger.UNLOCK: Step(to=Lock.UNLOCKED, effects=(_RELEASE, _UNLOCKED)),
        LockTrigger.LOCKDOWN: Step(to=Lock.LOCKED_DOWN, effects=(_SECURE,)),
    },
    Lock.RELEASED: {
        LockTrigger.GRANT: Step(to=Lock.RELEASED, effects=(_RELEASE,), sound=Sound.GRANTED, starts=Clock.RELEASE),
        LockTrigger.REX: Step(to=Lock.EXITING, effects=(_RELEASE,), starts=Clock.EXIT),
        LockTrigger.RELEASE_ENDS: Step(to=Lock.SECURED, effects=(_SECURE,)),
        LockTrigger.PASSED: Step(to=Lock.SECURED, effects=(_SECURE,)),
        LockTrigger.UNLOCK: Step(to=Lock.UNLOCKED, effects=(_RELEASE, _UNLOCKED)),
        LockTrigger.LOCKDOWN: Step(to=Lock.LOCKED_DOWN, effects=(_SECURE,)),
    },
    Lock.EXITING: {
        LockTrigger.GRANT: Step(
            to=Lock.RELEASED_EXITING, effects=(_RELEASE,), sound=Sound.GRANTED, starts=Clock.RELEASE
        ),
        LockTrigger.REX: Step(to=Lock.EXITING, effects=(_RELEASE,), starts=Clock.EXIT),
        LockTrigger.EXIT_ENDS: Step(to=Lock.SECURED, effects=(_SECURE,)),
        LockTrigger.PASSED: Step(to=Lock.SECURED, effects=(_SECURE,)),
        LockTrigger.UNLOCK: Step(to=Lock.UNLOCKED_EXITING, effects=(_RELEASE, _UNLOCKED)),
        LockTrigger.LOCKDOWN: Step(to=Lock.LOCKED_DOWN_EXITING),
    },
    Lock.RELEASED_EXITING: {
        LockTrigger.GRANT: Step(
            to=Lock.RELEASED_EXITING, effects=(_RELEASE,), sound=Sound.GRANTED, starts=Clock.RELEASE
        ),
        LockTrigger.REX: Step(to=Lock.EXITING, effects=(_RELEASE,), starts=Clock.EXIT),
        LockTrigger.RELEASE_ENDS: Step(to=Lock.EXITING),
        LockTrigger.EXIT_ENDS: Step(to=Lock.RELEASED),
        LockTrigger.PASSED: Step(to=Lock.SECURED, effects=(_SECURE,)),
        LockTrigger.UNLOCK: Step(to=Lock.UNLOCKED_EXITING, effects=(_RELEASE, _UNLOCKED)),
        LockTrigger.LOCKDOWN: Step(to=Lock.LOCKED_DOWN_EXITING),
    },
    Lock.UNLOCKED: {
        LockTrigger.GRANT: Step(to=Lock.UNLOCKED, effects=(_RELEASE,), sound=Sound.GRANTED),
        LockTrigger.REX: Step(to=Lock.UNLOCKED_EXITING, effects=(_RELEASE,), starts=Clock.EXIT),
        LockTrigger.PASSED: Step(to=Lock.UNLOCKED),
        LockTrigger.NORMAL: Step(to=Lock.SECURED, effects=(_SECURE, _LOCKED)),
        LockTrigger.LOCKDOWN: Step(to=Lock.LOCKED_DOWN, effects=(_SECURE, _LOCKED)),
    },
    Lock.UNLOCKED_EXITING: {
        LockTrigger.GRANT: Step(to=Lock.UNLOCKED_EXITING, effects=(_RELEASE,), sound=Sound.GRANTED),
        LockTrigger.REX: Step(to=Lock.UNLOCKED_EXITING, effects=(_RELEASE,), starts=Clock.EXIT),
        LockTrigger.EXIT_ENDS: Step(to=Lock.UNLOCKED),
        LockTrigger.PASSED: Step(to=Lock.UNLOCKED),
        LockTrigger.NORMAL: Step(to=Lock.EXITING, effects=(_LOCKED,)),
        LockTrigger.LOCKDOWN: Step(to=Lock.LOCKED_DOWN_EXITING, effects=(_LOCKED,)),
    },
    Lock.LOCKED_DOWN: {
        LockTrigger.GRANT: Step(to=Lock.LOCKED_DOWN, sound=Sound.REFUSED),
        LockTrigger.REX: Step(to=Lock.LOCKED_DOWN_EXITING, effects=(_RELEASE,), starts=Clock.EXIT),
        LockTrigger.PASSED: Step(to=Lock.LOCKED_DOWN),
        LockTrigger.NORMAL: Step(to=Lock.SECURED),
        LockTrigger.UNLOCK: Step(to=Lock.UNLOCKED, effects=(_RELEASE, _UNLOCKED)),
    },
    Lock.LOCKED_DOWN_EXITING: {
        LockTrigger.GRANT: Step(to=Lock.LOCKED_DOWN_EXITING, sound=Sound.REFUSED),
        LockTrigger.REX: Step(to=Lock.LOCKED_DOWN_EXITING, effects=(_RELEASE,), starts=Clock.EXIT),
        LockTrigger.EXIT_ENDS: Step(to=Lock.LOCKED_DOWN, effects=(_SECURE,)),
        LockTrigger.PASSED: Step(to=Lock.LOCKED_DOWN, effects=(_SECURE,)),
        LockTrigger.NORMAL: Step(to=Lock.EXITING),
        LockTrigger.UNLOCK: Step(to=Lock.UNLOCKED_EXITING, effects=(_RELEASE, _UNLOCKED)),
    },
}

_FORCED_OPEN: Final = Report(happening=Happening.FORCED_OPEN)
_PRE_ALARM: Final = Report(happening=Happening.PRE_ALARM)
_HELD_OPEN: Final = Report(happening=Happening.HELD_OPEN)
_CLOSED: Final = Report(happening=Happening.CLOSED)

LEAF_TABLE: Final[dict[Leaf, dict[LeafTrigger, Step[Leaf]]]] = {
    Leaf.CLOSED: {
        LeafTrigger.OPENED: Step(to=Leaf.OPEN, starts=Clock.OPEN),
        LeafTrigger.FORCED: Step(to=Leaf.FORCED_OPEN, effects=(_FORCED_OPEN,), sound=Sound.ALARM),
        LeafTrigger.GRANT: Step(to=Leaf.CLOSED),
        LeafTrigger.WATCH: Step(to=Leaf.CLOSED),
        LeafTrigger.UNWATCH: Step(to=Leaf.CLOSED),
    },
    Leaf.OPEN: {
        LeafTrigger.CLOSED: Step(to=Leaf.CLOSED),
        LeafTrigger.GRANT: Step(to=Leaf.OPEN, starts=Clock.OPEN),
        LeafTrigger.WARNING_DUE: Step(to=Leaf.PRE_ALARM, effects=(_PRE_ALARM,), sound=Sound.WARNING, starts=Clock.OPEN),
        LeafTrigger.HELD_DUE: Step(to=Leaf.HELD_OPEN, effects=(_HELD_OPEN,), sound=Sound.ALARM),
        LeafTrigger.WATCH: Step(to=Leaf.OPEN, starts=Clock.OPEN),
        LeafTrigger.UNWATCH: Step(to=Leaf.OPEN),
    },
    Leaf.PRE_ALARM: {
        LeafTrigger.CLOSED: Step(to=Leaf.CLOSED, effects=(_CLOSED,), sound=Sound.SILENCE),
        LeafTrigger.GRANT: Step(to=Leaf.PRE_ALARM),
        LeafTrigger.HELD_DUE: Step(to=Leaf.HELD_OPEN, effects=(_HELD_OPEN,), sound=Sound.ALARM),
        LeafTrigger.WATCH: Step(to=Leaf.PRE_ALARM, sound=Sound.WARNING, starts=Clock.OPEN),
        LeafTrigger.UNWATCH: Step(to=Leaf.PRE_ALARM, sound=Sound.SILENCE),
    },
    Leaf.HELD_OPEN: {
        LeafTrigger.CLOSED: Step(to=Leaf.CLOSED, effects=(_CLOSED,), sound=Sound.SILENCE),
        LeafTrigger.GRANT: Step(to=Leaf.HELD_OPEN),
        LeafTrigger.WATCH: Step(to=Leaf.HELD_OPEN, sound=Sound.ALARM),
        LeafTrigger.UNWATCH: Step(to=Leaf.HELD_OPEN, sound=Sound.SILENCE),
    },
    Leaf.FORCED_OPEN: {
        LeafTrigger.CLOSED: Step(to=Leaf.CLOSED, effects=(_CLOSED,), sound=Sound.SILENCE),
        LeafTrigger.GRANT: Step(to=Leaf.FORCED_OPEN),
        LeafTrigger.WATCH: Step(to=Leaf.FORCED_OPEN, sound=Sound.ALARM),
        LeafTrigger.UNWATCH: Step(to=Leaf.FORCED_OPEN, sound=Sound.SILENCE),
    },
}

LIGHT: Final = {
    Lock.SECURED: Light.IDLE,
    Lock.RELEASED: Light.GRANTED,
    Lock.EXITING: Light.GRANTED,
    Lock.RELEASED_EXITING: Light.GRANTED,
    Lock.UNLOCKED: Light.GRANTED,
    Lock.UNLOCKED_EXITING: Light.GRANTED,
    Lock.LOCKED_DOWN: Light.DENIED,
    Lock.LOCKED_DOWN_EXITING: Light.GRANTED,
}
RELEASED: Final = frozenset(Lock) - {Lock.SECURED, Lock.LOCKED_DOWN}
"""Where the strike is released."""

LOCK_CLOCKS: Final = {
    Lock.SECURED: frozenset[Clock](),
    Lock.RELEASED: frozenset({Clock.RELEASE}),
    Lock.EXITING: frozenset({Clock.EXIT}),
    Lock.RELEASED_EXITING: frozenset({Clock.RELEASE, Clock.EXIT}),
    Lock.UNLOCKED: frozenset[Clock](),
    Lock.UNLOCKED_EXITING: frozenset({Clock.EXIT}),
    Lock.LOCKED_DOWN: frozenset[Clock](),
    Lock.LOCKED_DOWN_EXITING: frozenset({Clock.EXIT}),
}
"""What runs in each state of the lock."""
LEAF_CLOCKS: Final = {
    Leaf.CLOSED: frozenset[Clock](),
    Leaf.OPEN: frozenset({Clock.OPEN}),
    Leaf.PRE_ALARM: frozenset({Clock.OPEN}),
    Leaf.HELD_OPEN: frozenset[Clock](),
    Leaf.FORCED_OPEN: frozenset[Clock](),
}
"""What runs in each state of the leaf while it is watched."""


class Hold(Enum):
    """What an operator holds the door at, until Restore."""

    UNLOCKED = "unlocked"
    LOCKED_DOWN = "locked down"


ORDER: Final = {
    (None, False): LockTrigger.NORMAL,
    (None, True): LockTrigger.UNLOCK,
    (Hold.UNLOCKED, False): LockTrigger.UNLOCK,
    (Hold.UNLOCKED, True): LockTrigger.UNLOCK,
    (Hold.LOCKED_DOWN, False): LockTrigger.LOCKDOWN,
    (Hold.LOCKED_DOWN, True): LockTrigger.LOCKDOWN,
}
"""The order in force, by the operator's hold and whether the unlock schedule is on; a change of it moves the lock."""
