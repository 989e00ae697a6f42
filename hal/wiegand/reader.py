"""A Wiegand reader on the event loop: edges from a source through the decoder to whoever listens.

It owns what the pure decoder cannot: timers, the proof that nothing is under way before a card is believed, bounded
work per turn of the loop, and the walls between readers. Whatever raises in here breaks this reader and no other.
What raises in `deliver` is the core's, and goes up to the loop. It never logs or shows a frame's content.

    LISTENING   edges are read; the decoder says whether they are believed
    PAUSED      the source is let go of: edges were lost, or a disarmed reader is flooded; 1 s, then double, to 30 s
    BROKEN      our own code raised or the chip vanished; until the reader is opened anew
    CLOSED      the lines are given back
"""

import asyncio
import logging
import traceback
from collections.abc import Callable
from enum import Enum, auto

from hal.events import SECOND, FaultKind, Monotonic, ReaderArmed, ReaderEvent, ReaderFault
from hal.wiegand.decoder import Decoder
from hal.wiegand.source import D0, D1, Edge, EdgeSource
from hal.wiegand.tap import TappedSource

TURN = 256
"""Edges decoded in one turn of the loop, about a millisecond; other readers and the door get the next turn."""
NOT_COMPLETE_S = 0.001
"""When to ask again whether edges are still under way."""
SOONEST_NS = 100_000
"""No deadline is asked for sooner, so that a mistake in one can never spin the loop."""
LOOK_EVERY_NS = 1_000_000_000
"""Levels are read at least so often: a line may have fallen while the source was let go of."""
FLOOD_EDGES = 512
"""So many edges within a second at a reader that is not armed are not worth the work: let go of the source."""
FIRST_PAUSE_NS = 1_000_000_000
LONGEST_PAUSE_NS = 30_000_000_000

log = logging.getLogger(__name__)


class _State(Enum):
    CREATED = auto()
    LISTENING = auto()
    PAUSED = auto()
    BROKEN = auto()
    CLOSED = auto()


class WiegandReader:
    """The Reader port over two data lines; see the module for its states."""

    def __init__(
        self,
        *,
        name: str,
        source: EdgeSource,
        make_decoder: Callable[[Monotonic], Decoder],
        clock: Callable[[], Monotonic],
        given_back: Callable[[], None],
    ) -> None:
        self._name = name
        self._source = source
        self._clock = clock
        self._given_back = given_back
        self._make_decoder = make_decoder
        self._decoder = make_decoder(clock())
        self._deliver: Callable[[ReaderEvent], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._state = _State.CREATED
        self._armed = False
        self._lost = 0
        self._sample: tuple[Monotonic, bool, bool] | None = None
        """Levels as read at a time up to which not every edge was known then."""
        self._look_by = Monotonic(0)
        self._ignored = 0
        self._ignored_since = Monotonic(0)
        self._pause_ns = FIRST_PAUSE_NS
        self._pauses = 0

    @property
    def name(self) -> str:
        """The name that its events carry."""
        return self._name

    def tap(self, seen: Callable[[list[Edge]], None]) -> EdgeSource:
        """Before `start`: `seen` is shown every edge, believed or not; the source tells the lines' levels."""
        self._source = TappedSource(self._source, seen)
        return self._source

    def start(self, deliver: Callable[[ReaderEvent], None]) -> None:
        """Begin to read on the running loop; raises DeviceGoneError."""
        self._deliver = deliver
        self._decoder = self._make_decoder(self._clock())
        self._state = _State.LISTENING
        self._source.start(self._turn)
        self._come_back(0)

    def counters(self) -> dict[str, int | float]:
        """Numbers for `doorctl status`: the decoder's, and what was lost or raised before it."""
        return {
            **self._decoder.counters(),
            "armed": int(self._armed),
            "edges lost": self._lost,
            "callback failures": self._source.failures(),
            "pauses": self._pauses,
            "broken": int(self._state is _State.BROKEN),
        }

    def close(self) -> None:
        """Stop reading and give the lines back; idempotent."""
        if self._state is _State.CLOSED:
            return
        broken = self._state is _State.BROKEN
        self._state = _State.CLOSED
        self._armed = False
        self._cancel_timer()
        self._given_back()
        if not broken:
            self._source.close()

    def _turn(self) -> None:
        """One bounded piece of work; called by the source's wake-up and by the timer."""
        if self._state is _State.LISTENING:
            self._do(self._listen)

    def _wake_up(self) -> None:
        """The pause is over."""
        if self._state is _State.PAUSED:
            self._do(self._end_pause)

    def _do(self, work: Callable[[], list[ReaderEvent]]) -> None:
        try:
            events = work()
        except Exception as error:  # noqa: BLE001 - one reader's bug must not take the others with it
            # The door stays as it is: a broken reader lets nobody in and moves nothing.
            events = self._break(error)
        for event in events:
            self._note(event)
            if self._deliver is not None and self._state is not _State.CLOSED:
                self._deliver(event)

    def _listen(self) -> list[ReaderEvent]:
        now = self._clock()
        complete = self._source.complete_until(now)
        edges = self._source.take(TURN)
        if self._source.failures():
            raise RuntimeError("the edge callback raised")
        if self._source.lost() != self._lost:
            return self._lose(now)
        events = self._feed(edges, now)
        if self._state is not _State.LISTENING:
            return events
        if len(edges) == TURN:
            self._come_back(0)
        elif complete is None:
            self._come_back(NOT_COMPLETE_S)
        else:
            events += self._look(complete)
            events += self._decoder.advance(complete)
            self._come_back_for_deadline(complete)
        return events

    def _feed(self, edges: list[Edge], now: Monotonic) -> list[ReaderEvent]:
        events: list[ReaderEvent] = []
        for line, at in edges:
            events += self._decoder.edge(line, at)
        if self._armed or not edges:
            return events
        if now - self._ignored_since > SECOND:
            self._ignored, self._ignored_since = 0, now
        self._ignored += len(edges)
        if self._ignored > FLOOD_EDGES:
            self._pause()
        return events

    def _look(self, complete: Monotonic) -> list[ReaderEvent]:
        """Read the lines' levels when the decoder wants them; hand them over once every edge before is known."""
        deadline = self._decoder.next_deadline()
        if self._sample is None and ((deadline is not None and deadline <= complete) or self._look_by <= complete):
            high = self._source.high(D0), self._source.high(D1)
            self._sample = (self._clock(), *high)
            self._look_by = Monotonic(complete + LOOK_EVERY_NS)
        if self._sample is None or self._sample[0] > complete:
            return []
        at, d0_high, d1_high = self._sample
        self._sample = None
        return self._decoder.level(D0, low=not d0_high, at=at) + self._decoder.level(D1, low=not d1_high, at=at)

    def _come_back_for_deadline(self, complete: Monotonic) -> None:
        """Come back when what is complete will have reached the next thing to do."""
        wanted = [self._look_by]
        deadline = self._decoder.next_deadline()
        if deadline is not None:
            wanted.append(deadline)
        if self._sample is not None:
            wanted.append(self._sample[0])
        self._come_back(max(min(wanted) - complete, SOONEST_NS) / SECOND)

    def _lose(self, now: Monotonic) -> list[ReaderEvent]:
        """Edges are missing: what they belonged to is refused, and the line is left alone for a while."""
        self._lost = self._source.lost()
        self._decoder.edges_lost(now)
        self._pause()
        return [ReaderFault(reader=self._name, kind=FaultKind.EDGES_LOST, at=now)]

    def _pause(self) -> None:
        self._state = _State.PAUSED
        self._pauses += 1
        self._sample = None
        self._source.pause()
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(self._pause_ns / SECOND, self._wake_up)
        self._pause_ns = min(2 * self._pause_ns, LONGEST_PAUSE_NS)

    def _end_pause(self) -> list[ReaderEvent]:
        """Listen again. Nobody knows what the lines did meanwhile, so the decoder is told that it missed edges."""
        now = self._clock()
        self._lost = self._source.lost()
        self._ignored, self._ignored_since = 0, now
        self._look_by = now
        self._decoder.edges_lost(now)
        self._source.resume()
        self._state = _State.LISTENING
        self._come_back(0)
        return [ReaderArmed(reader=self._name, at=now)] if self._decoder.counters()["armed"] else []

    def _break(self, error: Exception) -> list[ReaderEvent]:
        """Let go of everything. Only where it was raised is logged, since a message might hold a card's bits."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        log.error("reader %s: broken: %s at %s:%s", self._name, type(error).__name__, where.name, where.lineno)
        self._state = _State.BROKEN
        self._cancel_timer()
        try:
            self._source.close()
        except Exception as again:  # noqa: BLE001 - the reader is broken already, and its lines may be what broke it
            log.error("reader %s: its lines are not given back: %s", self._name, type(again).__name__)  # noqa: TRY400
        return [ReaderFault(reader=self._name, kind=FaultKind.BROKEN, at=self._clock())]

    def _note(self, event: ReaderEvent) -> None:
        if isinstance(event, ReaderArmed):
            self._armed = True
            self._pause_ns = FIRST_PAUSE_NS
        elif isinstance(event, ReaderFault):
            self._armed = False

    def _come_back(self, seconds: float) -> None:
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._turn)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
