"""One door: its machine, strike, inputs and readers on the event loop. Carries out effects, decides nothing.

A REX goes from the input to the strike within this file, without look-up, record or commit. What an `except` does to
the door is said beside it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, assert_never

from doorctl.core.door import Door, DoorPolicy
from doorctl.core.effects import DoorEffect, Happening, Indicate, ReleaseStrike, Report, SecureStrike
from doorctl.core.events import Closed, DoorEvent, FoundOpen, Grant, Opened, Rex, UnlockBegins, UnlockEnds
from doorctl.core.inputs import CONTACT_THRESHOLD, REX_THRESHOLD, Debounce, Settled
from doorctl.core.types import SECOND, DoorName, Duration, Monotonic, ReaderName
from doorctl.doord import clock
from doorctl.doord.drafts import Draft
from doorctl.doord.reader_unit import ReaderUnit
from doorctl.doord.recorder import Recorder
from doorctl.journal.rows import LogRow
from doorctl.wire.detail import DoorDetail, DoorHappening, FaultCode, FaultDetail
from doorctl.wire.record import Kind
from hal.errors import HalError, NotHeardYetError
from hal.events import InputChanged, InputEvent, InputUnknown
from hal.ports import Contact, Strike

LOOKS_UNHEARD: Final = 10
"""A second apart; a bus reader is offline after eight."""
_HAPPENINGS = {
    Happening.FORCED_OPEN: DoorHappening.FORCED_OPEN,
    Happening.PRE_ALARM: DoorHappening.PRE_ALARM,
    Happening.HELD_OPEN: DoorHappening.HELD_OPEN,
    Happening.CLOSED: DoorHappening.CLOSED,
    Happening.UNLOCKED: DoorHappening.UNLOCKED,
    Happening.LOCKED: DoorHappening.LOCKED,
}


@dataclass(slots=True, kw_only=True)
class InputUnit:
    """An input, what debounces it, and what a settled change means."""

    contact: Contact
    debounce: Debounce
    settled: Callable[[Settled], None]
    readable: bool = True
    """When it was last looked at; what happens at it is heard all the same."""
    wrong: str | None = None
    """Why it is not, where that is a fault."""
    found: Callable[[Monotonic], None] | None = None
    """Its level at the start is not known yet: the first one is how the thing was found, and nobody moved it."""
    unheard: int = 0
    """Looks in a row at which its line had not told it yet."""


class DoorUnit:
    """The door's machine and everything it moves or hears."""

    def __init__(
        self,
        *,
        name: DoorName,
        machine: Door,
        strike: Strike,
        recorder: Recorder,
        fault: Callable[[str, str | None], None],
    ) -> None:
        self.name = name
        self._machine = machine
        self._strike = strike
        self._recorder = recorder
        self._fault = fault
        self.readers: list[ReaderUnit] = []
        self._inputs: list[InputUnit] = []
        self._leaf: InputUnit | None = None
        """The door position switch, one of them."""
        self._strike_missed = False
        """Its last order did not reach it."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def machine(self) -> Door:
        """For status and for the situation of a decision."""
        return self._machine

    @property
    def at_rest(self) -> bool:
        """Closed and not released, and known to be: what an interlock asks of the other doors."""
        return self._machine.status.at_rest and (self._leaf is None or self._leaf.readable)

    def add_contact(self, contact: Contact, *, open_at_start: bool | None) -> None:
        """The door position switch; None: whether the leaf is open is not known yet."""
        unit = self._add(contact, CONTACT_THRESHOLD, active=open_at_start is True, settled=self._leaf_moved)
        self._leaf = unit
        unit.found = self._leaf_found_open if open_at_start is None else None

    def add_rex(self, contact: Contact) -> None:
        """The request-to-exit input: a press releases; letting go does nothing."""
        self._add(contact, REX_THRESHOLD, active=False, settled=self._rex_moved)

    def add_tamper(self, contact: Contact, at: str | None = None) -> None:
        """The tamper input of the housing, or of the reader `at` the door that reports it itself."""
        self._add(contact, CONTACT_THRESHOLD, active=False, settled=partial(self._tampered, at))

    def follow(self, policy: DoorPolicy, code_windows: Mapping[ReaderName, Duration]) -> None:
        """Another configuration of the same pins; nothing moves, and what is under way keeps its times."""
        self._machine.follow(policy)
        for reader in self.readers:
            reader.follow(code_windows[reader.place.reader])

    def start(self) -> None:
        """Bring the strike to where the machine is, then listen."""
        self._apply(self._machine.posture())
        for unit in self._inputs:
            unit.contact.start(partial(self._told, unit))
            self._look(unit)
        for reader in self.readers:
            reader.start()
        self.arm()

    def close(self) -> None:
        """Secure the strike and give every pin back."""
        if self._timer is not None:
            self._timer.cancel()
        for closing in [self._strike.close, *(r.close for r in self.readers), *(u.contact.close for u in self._inputs)]:
            try:
                closing()
            except HalError as error:
                # the door stays secured: the strike was the first to be closed
                self._fault(f"door {self.name}", str(error))

    def receive(self, event: DoorEvent, at: Monotonic | None = None) -> None:
        """Something happened at the door (at a time) or was ordered now; IllegalEvent goes to whoever ordered it."""
        self._apply(self._machine.receive(event, clock.monotonic() if at is None else at))
        self.arm()

    def grant(self) -> None:
        """Somebody may pass once."""
        self.receive(Grant())

    def schedule(self, *, unlocked: bool) -> None:
        """The unlock schedule says so now."""
        if unlocked is not self._machine.status.scheduled:
            self.receive(UnlockBegins() if unlocked else UnlockEnds())

    def tell_strike_again(self) -> None:
        """Where its last order did not reach it: a strike that hears again must not stay released."""
        if self._strike_missed:
            self._apply([effect for effect in self._machine.posture() if not isinstance(effect, Indicate)])

    def look_again(self) -> None:
        """At the inputs that could not be read: a fault of theirs is over when they can."""
        unread = [unit for unit in self._inputs if not unit.readable]
        for unit in unread:
            self._look(unit)
        if unread:
            self.arm()

    def arm(self) -> None:
        """Set the one timer to the next thing that is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadlines = [
            self._machine.next_deadline(),
            *(unit.debounce.next_deadline() for unit in self._inputs),
            *(reader.next_deadline() for reader in self.readers),
        ]
        due = min((deadline for deadline in deadlines if deadline is not None), default=None)
        if due is not None:
            wait_s = max(0, due - clock.monotonic()) / SECOND
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._due)

    def _due(self) -> None:
        now = clock.monotonic()
        settled = [(unit, change) for unit in self._inputs if (change := unit.debounce.on_deadline(now))]
        for unit, change in sorted(settled, key=lambda one: one[1].at):
            unit.settled(change)
        for reader in self.readers:
            reader.on_deadline(now)
        self._apply(self._machine.on_deadline(now))
        self.arm()

    def _add(
        self, contact: Contact, threshold: Duration, *, active: bool, settled: Callable[[Settled], None]
    ) -> InputUnit:
        debounce = Debounce(threshold=threshold, active=active, now=clock.monotonic())
        unit = InputUnit(contact=contact, debounce=debounce, settled=settled)
        self._inputs.append(unit)
        return unit

    def _told(self, unit: InputUnit, event: InputEvent) -> None:
        match event:
            case InputChanged():
                self._readable(unit)
                self._level(unit, active=event.active, at=Monotonic(event.at), lasted=event.lasted)
            case InputUnknown():
                self._unreadable(unit, event.why)
            case _:
                assert_never(event)
        self.arm()

    def _look(self, unit: InputUnit) -> None:
        """An input that is active already makes no edge: look at it once."""
        try:
            active = unit.contact.active
        except NotHeardYetError as error:
            # the door stays as it is: a line begins with a session, and a fault it is when that takes too long
            unit.readable, unit.unheard = False, unit.unheard + 1
            if unit.unheard > LOOKS_UNHEARD:
                self._unreadable(unit, str(error))
            return
        except HalError as error:
            # the door stays as it is: the next edge tells, and status says that the input cannot be read
            self._unreadable(unit, str(error))
            return
        self._readable(unit)
        self._level(unit, active=active, at=clock.monotonic())

    def _unreadable(self, unit: InputUnit, why: str) -> None:
        unit.readable, unit.wrong = False, why
        self._tell_inputs()

    def _readable(self, unit: InputUnit) -> None:
        unit.readable, unit.wrong, unit.unheard = True, None, 0
        self._tell_inputs()

    def _tell_inputs(self) -> None:
        """All that cannot be read in one text, which stays the same while they do."""
        wrong = [unit.wrong for unit in self._inputs if unit.wrong is not None]
        self._fault(f"input {self.name}", "; ".join(wrong) or None)

    def _level(self, unit: InputUnit, *, active: bool, at: Monotonic, lasted: int = 0) -> None:
        found, unit.found = unit.found, None
        if found is not None and active:
            unit.debounce = Debounce(threshold=CONTACT_THRESHOLD, active=True, now=at)
            found(at)
        elif settled := unit.debounce.receive(active=active, at=at, lasted=lasted):
            unit.settled(settled)

    def _leaf_found_open(self, at: Monotonic) -> None:
        self.receive(FoundOpen(), at)

    def _leaf_moved(self, leaf: Settled) -> None:
        self.receive(Opened() if leaf.active else Closed(), leaf.at)

    def _rex_moved(self, rex: Settled) -> None:
        if rex.active:
            self.receive(Rex(), rex.at)

    def _tampered(self, at: str | None, tamper: Settled) -> None:
        place = self.name if at is None else at
        detail = FaultDetail(code=FaultCode.TAMPER, began=tamper.active).encode()
        log = LogRow(
            wall=clock.wall(), event="tamper", door=place, detail="began" if tamper.active else "ended"
        )  # fmt: skip
        self._recorder.record(Draft(kind=Kind.FAULT, door=place, detail=detail, log=log))
        self._fault(f"tamper {place}" if at is None else f"tamper reader {place}", "active" if tamper.active else None)

    def _apply(self, effects: list[DoorEffect]) -> None:
        for effect in effects:
            match effect:
                case ReleaseStrike():
                    self._move(self._strike.release)
                case SecureStrike():
                    self._move(self._strike.secure)
                case Indicate():
                    for reader in self.readers:
                        reader.show(effect.light, effect.beep_ms)
                case Report():
                    self._report(_HAPPENINGS[effect.happening], effect.happening)
                case _:
                    assert_never(effect)

    def _move(self, act: Callable[[], None]) -> None:
        try:
            act()
        except HalError as error:
            # the door is where the metal leaves it (its resistor or relay); people get out without software
            self._strike_missed = True
            self._fault(f"strike {self.name}", str(error))
        else:
            self._strike_missed = False
            self._fault(f"strike {self.name}", None)

    def _report(self, happening: DoorHappening, what: Happening) -> None:
        log = LogRow(wall=clock.wall(), event="door", door=self.name, detail=what.value)
        draft = Draft(kind=Kind.DOOR, door=self.name, detail=DoorDetail(happening=happening).encode(), log=log)
        self._recorder.record(draft)
