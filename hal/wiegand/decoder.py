"""The Wiegand decoder: falling edges with their times go in, cards, keys and faults come out.

Must never: read a clock, touch a line, wait, or guess. The same edges at the same times give the same
events, however they were batched.

Theory of operation
-------------------
A Wiegand frame has no beginning, no end and next to no check: a pulse on D0 is a 0, on D1 a 1, and
silence is all there is between frames. Parity lets a quarter of garbage through, so a frame is believed
for its *timing* first: nothing for 25 ms before it, a steady rhythm inside (`rhythm`), quiet after it.

    state      edge                      quiet q passed            25 ms passed
    --------   -----------------------   -----------------------   ----------------------------
    DISARMED   idle begins again         -                         - (1 s idle → IDLE: `arming`)
    IDLE       → FRAME, or SPOILED       -                         -
               if out of order
    FRAME      FRAME, or SPOILED if      longest length only:      judge: card, keys → READ,
               < 120 µs or overlong      judge as on the right     else → SPOILED
    READ       → SPOILED (a tail)        -                         → IDLE
    SPOILED    SPOILED                   -                         refuse → IDLE, or DISARMED
                                                                   if five in 2 s

    Any armed state: faster than any reader can send, or a line low for 5 ms → DISARMED.

q is twice the frame's median interval (0.6 to 25 ms). A steady reader never pauses for that long, so at
the longest configured length q ends the frame. A shorter configured length may be the beginning of a
longer card whose reader paused after all, hence it waits for 25 ms, more than any legal interval; so do
keys (under 12 bits), which have no check to speak of. READ waits out the 25 ms as well: what begins
sooner is the tail of something. An edge is never dropped from a frame; whatever is odd spoils the frame.

What no receiver can tell: a frame that lost its first bit and gained one in rhythm after its last (or the
other way round), and a foreign, longer card that pauses exactly at a configured length. Parity is all
there is against these two.

How to drive it
---------------
    edge(line, at)       each falling edge in the kernel's order, with the kernel's time
    next_deadline()      when to come back, if no edge comes before
    level(line, …)       both lines' levels, read at each deadline, before
    advance(now)         *only when every edge before `now` has been delivered* (rule 5: drained source)
    edges_lost(at)       the source knows that it missed some, before the edge that follows the gap
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final, assert_never

from hal.errors import ConfigurationError
from hal.events import CardBits, FaultKind, FrameRefused, KeyPressed, Monotonic, ReaderArmed, ReaderEvent, ReaderFault
from hal.wiegand.arming import Arming, Line
from hal.wiegand.cards import CardPolicy
from hal.wiegand.keys import Keypad, KeyRefusal
from hal.wiegand.rhythm import SILENCE, TOO_CLOSE, rhythm_of
from hal.wiegand.tally import Tally, Why

SHORT_FRAME: Final = 12
"""Rule 4: frames of fewer bits are keys and need silence on both sides."""
LONGEST_FRAME: Final = 128
"""Bits; more than twice any known card. So many edges without silence are one more bad frame."""


class _State(Enum):
    DISARMED = auto()
    IDLE = auto()
    FRAME = auto()
    READ = auto()
    SPOILED = auto()


class Decoder:
    """One reader's decoder. See the module docstring for the states and for how to drive it."""

    __slots__ = (
        "_accept",
        "_arming",
        "_bits",
        "_card_lengths",
        "_clean_from",
        "_due",
        "_intervals",
        "_keypad",
        "_last",
        "_lengths",
        "_longest",
        "_name",
        "_raw",
        "_state",
        "_tally",
        "_why",
    )

    def __init__(
        self,
        *,
        name: str,
        card_lengths: frozenset[int],
        accept: Callable[[int, int], bool],
        keypad: Keypad | None = None,
        now: Monotonic,
    ) -> None:
        """`accept(length, raw)`, such as a CardPolicy, says whether a frame of one of `card_lengths` is a card."""
        self._lengths = _possible_lengths(name, card_lengths, keypad)
        self._longest = max(self._lengths)
        self._name = name
        self._card_lengths = card_lengths
        self._accept = accept
        self._keypad = keypad
        self._arming = Arming(now)
        self._tally = Tally()
        self._state = _State.DISARMED
        self._due = self._arming.arms_at
        """When the state changes by itself; None: not before an edge or a level."""
        self._last = int(now)
        """The last edge of the frame."""
        self._clean_from = int(now)
        """A frame that begins earlier has no silence before it."""
        self._bits = 0
        """Edges since the last silence."""
        self._raw = 0
        self._intervals: list[int] = []
        self._why = Why.LENGTH
        """What spoiled the frame, where something did."""

    def edge(self, line: Line, at: Monotonic) -> list[ReaderEvent]:
        """A falling edge. Everything that was due before it happens first."""
        events = self._settle(at) if self._due is not None and self._due <= at else []
        self._tally.edges += 1
        too_fast = self._arming.edge(line, at)
        if self._state is _State.DISARMED:
            self._tally.ignored += 1
            self._due = self._arming.arms_at
        elif too_fast:
            self._last = at
            events.append(self._noise(at))
        else:
            self._collect(line, at, events)
        return events

    def advance(self, now: Monotonic) -> list[ReaderEvent]:
        """Every edge from before `now` has been delivered: do what is due."""
        events = self._settle(now)
        self._arming.looked(now)
        return events

    def next_deadline(self) -> Monotonic | None:
        """When to read the levels and call `advance`; None: when there is an edge."""
        due, look = self._due, self._arming.look_at
        if due is None or look is None:
            due = look if due is None else due
            return None if due is None else Monotonic(due)
        return Monotonic(min(due, look))

    def level(self, line: Line, *, low: bool, at: Monotonic) -> list[ReaderEvent]:
        """A line's level as read at `at`, every edge before it delivered: either line low for 5 ms is a fault."""
        began = self._arming.level(line, low=low, at=at)
        if not began:
            if self._state is _State.DISARMED:
                self._due = self._arming.arms_at
            return []
        self._tally.line_faults += 1
        self._arming.disarm(at)
        self._stop()
        return [ReaderFault(reader=self._name, kind=FaultKind.LINE_LOW, at=at)]

    def edges_lost(self, at: Monotonic) -> None:
        """Edges between the last one delivered and `at` are missing: the frame they belong to is spoiled.

        Nothing that is still undecided is believed any more, even if its quiet time has passed by now.
        """
        self._tally.losses += 1
        self._arming.edges_lost(at)
        if self._state is _State.DISARMED:
            self._due = self._arming.arms_at
            return
        if self._state is _State.IDLE:
            self._begin()
        self._spoil(Why.LOST)
        self._last = at
        self._due = at + SILENCE

    def counters(self) -> dict[str, int | float]:
        """For `doorctl status`."""
        policy = {"wrong parity": self._accept.wrong_parity} if isinstance(self._accept, CardPolicy) else {}
        return {"armed": int(self._arming.armed), **policy, **self._tally.counters()}

    def _collect(self, line: Line, at: int, events: list[ReaderEvent]) -> None:
        """An edge of an armed reader."""
        gap = at - self._last
        if self._state is _State.IDLE:
            self._begin()
            self._raw = line
            if at < self._clean_from:
                self._spoil(Why.ORDER)
        elif self._state is _State.FRAME:
            if gap < TOO_CLOSE:
                self._spoil(Why.ORDER if gap < 0 else Why.TOO_CLOSE)
            elif self._bits >= self._longest:
                self._spoil(Why.OVERLONG)
            else:
                self._raw = self._raw << 1 | line
                self._intervals.append(gap)
        elif self._state is _State.READ:
            self._begin()
            self._spoil(Why.TAIL)
        self._bits += 1
        self._last = at
        self._due = at + SILENCE
        if self._bits == self._longest and self._state is _State.FRAME and self._bits >= SHORT_FRAME:
            self._due = at + rhythm_of(self._intervals).quiet
        elif self._bits >= LONGEST_FRAME:
            events += self._refuse(Why.RUNAWAY, at)

    def _settle(self, now: int) -> list[ReaderEvent]:
        """Everything that is due by `now`, at the time it was due."""
        events: list[ReaderEvent] = []
        while self._due is not None and self._due <= now:
            due = self._due
            match self._state:
                case _State.DISARMED:
                    events.append(self._arm(due))
                case _State.FRAME:
                    self._judge(events)
                    self._due = self._last + SILENCE
                case _State.READ:
                    self._fall_idle()
                case _State.SPOILED:
                    events += self._refuse(self._why, due)
                case _State.IDLE:
                    self._due = None
                case _:
                    assert_never(self._state)
        return events

    def _judge(self, events: list[ReaderEvent]) -> None:
        """The frame is complete: believe it or not."""
        verdict = self._verdict()
        if isinstance(verdict, Why):
            self._spoil(verdict)
        else:
            events += verdict
            self._state = _State.READ

    def _verdict(self) -> list[ReaderEvent] | Why:
        """What a complete, unspoiled frame says, or why it says nothing."""
        bits, raw, at = self._bits, self._raw, Monotonic(self._last)
        if bits not in self._lengths:
            return Why.LENGTH
        rhythm = rhythm_of(self._intervals)
        if not rhythm.regular:
            return Why.IRREGULAR
        if self._keypad is not None and bits == self._keypad.frame_bits:
            keys = self._keypad.read(bits, raw)
            if isinstance(keys, tuple):
                self._tally.believe_keys(rhythm)
                return [KeyPressed(reader=self._name, key=key, at=at) for key in keys]
            if keys is not KeyRefusal.FACILITY or bits not in self._card_lengths:
                return Why.KEY
        if self._accept(bits, raw):
            self._tally.believe_card(rhythm)
            return [CardBits(reader=self._name, length=bits, raw=raw, at=at)]
        return Why.COMPLEMENT if self._accept(bits, (1 << bits) - 1 - raw) else Why.FORMAT

    def _refuse(self, why: Why, now: int) -> list[ReaderEvent]:
        """The silence after a spoiled frame, or too long without any: say so; too many of these are noise."""
        self._tally.refuse(why)
        at = Monotonic(self._last)
        events: list[ReaderEvent] = [FrameRefused(reader=self._name, why=why.value, bits=self._bits, at=at)]
        if self._arming.bad_frame(at):
            events.append(self._noise(now))
        elif why is Why.RUNAWAY:
            self._bits = 0
        else:
            self._fall_idle()
        return events

    def _noise(self, now: int) -> ReaderFault:
        """Disarm for noise."""
        self._tally.noise += 1
        self._arming.back_off(now, last_edge=self._last)
        self._stop()
        return ReaderFault(reader=self._name, kind=FaultKind.NOISE, at=Monotonic(now))

    def _arm(self, at: int) -> ReaderArmed:
        """The lines were idle for long enough; from now on a frame may begin."""
        self._arming.arm(at)
        self._state, self._due, self._clean_from = _State.IDLE, None, at
        return ReaderArmed(reader=self._name, at=Monotonic(at))

    def _stop(self) -> None:
        """Forget the frame and wait to be armed."""
        self._begin()
        self._state, self._due = _State.DISARMED, self._arming.arms_at

    def _fall_idle(self) -> None:
        """Silence: the next edge begins a frame."""
        self._state, self._due, self._clean_from = _State.IDLE, None, self._last + SILENCE

    def _begin(self) -> None:
        """A frame with no edges yet."""
        self._state = _State.FRAME
        self._bits = self._raw = 0
        self._intervals.clear()

    def _spoil(self, why: Why) -> None:
        """Nothing of this frame is believed; the first reason is kept."""
        if self._state is not _State.SPOILED:
            self._state, self._why = _State.SPOILED, why


def _possible_lengths(name: str, card_lengths: frozenset[int], keypad: Keypad | None) -> frozenset[int]:
    """The lengths this reader can send; ConfigurationError where no decoder could be sure."""
    for length in card_lengths:
        if not SHORT_FRAME <= length < LONGEST_FRAME:
            raise ConfigurationError(f"{name}: a card of {length} bits: expected {SHORT_FRAME} to {LONGEST_FRAME - 1}")
        if keypad is not None and keypad.shares_frames_with(length):
            raise ConfigurationError(f"{name}: keypad and cards share frames of {length} bits")
    lengths = card_lengths | ({keypad.frame_bits} if keypad is not None else frozenset())
    if not lengths:
        raise ConfigurationError(f"{name}: neither a card format nor a keypad")
    return lengths
