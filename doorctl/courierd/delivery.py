"""What the courier does next: events in, effects out, no clock, no socket, no randomness of its own.

Theory of operation. Three lines are kept: to doord, and two to the monitor. On the fresh line one request is in flight;
next goes the newest fresh record, and supervision when there is none. A record stays in memory until the monitor
answered for it, and goes out again, byte for byte the same, on the next connection if this one breaks. The
backlog line is dialled only while the fresh line is proven and a batch is in hand. The path that doord is told
is the fresh line's. When doord goes, all that its journal has is forgotten; what was held for its disk is still sent.

The courier can delay a record. It can not make one, read one or take one out of doord's chain, and nothing it says is
believed: receipts pass through unread.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from doorctl.core.types import MS, SECOND, Duration, Monotonic
from doorctl.courierd.backlog import SOON, Backlog, BacklogState
from doorctl.courierd.config import Address
from doorctl.courierd.events import (
    Answered,
    Connected,
    Dial,
    DialDoor,
    DoorSaid,
    Effect,
    Event,
    HangUp,
    Line,
    Lost,
    Report,
    Send,
    Tell,
)
from doorctl.courierd.schedule import Dialer, LineState
from doorctl.courierd.waiting import Waiting
from doorctl.errors import InternalError, MalformedError
from doorctl.wire.handoff import Message, PathState, Type

DIAL_PATIENCE: Final = Duration(5 * SECOND)
"""TCP sends its SYN again after 1 and 3 s; then a new attempt is the better one."""
ANSWER_PATIENCE: Final = {Line.FRESH: Duration(10 * SECOND), Line.BACKLOG: Duration(60 * SECOND)}
"""A batch is 131 kB: 52 s on a line of 20 kbit/s."""
SUPERVISION_GAP: Final = Duration(1 * SECOND)
"""A new connection is supervised at once, but a flapping one not more often than this."""
_MONITOR_WAITS: Final = (Duration(250 * MS), Duration(5 * SECOND))
"""At most 5 s: a call for help given while the line was cut must not wait long once it is mended."""
_DOOR_WAITS: Final = (Duration(100 * MS), Duration(5 * SECOND))
_UNTRUSTED: Final = "has `doorctl monitor trust` been given there?"
"""Why a monitor that speaks our protocol declines us, nearly always; told in the log once a change of the path."""

Timer = tuple[Monotonic, Callable[[Monotonic], None]]


class Delivery:
    """The courier's whole state."""

    def __init__(
        self,
        *,
        addresses: tuple[Address, ...],
        supervision: Duration,
        jitter: Callable[[], float],
    ) -> None:
        """`supervision` is the pace; `jitter` returns 0 ≤ x < 1."""
        self._addresses = addresses
        self._pace = supervision
        self._dialers = {
            Line.DOOR: _dialer(_DOOR_WAITS, 1, jitter),
            Line.FRESH: _dialer(_MONITOR_WAITS, len(addresses), jitter),
            Line.BACKLOG: _dialer(_MONITOR_WAITS, 1, jitter),
        }
        self._in_flight: dict[Line, tuple[bytes, ...]] = {}
        self._answer_by: dict[Line, Monotonic] = {}
        self._waiting = Waiting()
        self._backlog = Backlog()
        self._supervision: bytes | None = None
        self._supervise_at = Monotonic(0)
        self._supervised_at: Monotonic | None = None
        self._path = PathState.CONNECTING
        self._dropping = False
        self._effects: list[Effect] = []
        self.malformed = 0
        """Messages of doord's and answers of the monitor's that were not of their protocol."""

    @property
    def path(self) -> PathState:
        """How the fresh line stands."""
        return self._path

    @property
    def status(self) -> str:
        """One line for systemd and the log."""
        door = "door connected" if self._dialers[Line.DOOR].up else "door absent"
        counts = f"{len(self._waiting)} waiting, {self._waiting.dropped} left to the journal"
        return f"monitor {_shown(self._path)}, {door}, {counts}"

    @property
    def _address(self) -> Address:
        """Where the fresh line goes, and the backlog line with it."""
        return self._addresses[self._dialers[Line.FRESH].address]

    def start(self, now: Monotonic) -> list[Effect]:
        """Dial doord and the monitor."""
        self._dialers[Line.DOOR].want(now)
        self._dialers[Line.FRESH].want(now)
        return self._settle(now)

    def receive(self, event: Event, now: Monotonic) -> list[Effect]:
        """Something happened."""
        line = Line.DOOR if isinstance(event, DoorSaid) else event.line
        dialer = self._dialers[line]
        if event.attempt != dialer.attempt or dialer.state in (LineState.RESTING, LineState.WAITING):
            return []
        match event:
            case Connected():
                self._connected(line, now)
            case Lost(why=why, detail=detail, malformed=malformed):
                self.malformed += malformed
                if line is not Line.DOOR and why is PathState.UNREACHABLE and dialer.refused(now):
                    why = PathState.REFUSED
                if why is PathState.REFUSED and not malformed:
                    detail = f"{detail}; {_UNTRUSTED}"
                self._lost(line, why, detail, now)
            case DoorSaid(message=message):
                self._hear(message, now)
            case Answered(receipts=receipts):
                self._answered(line, receipts, now)
        return self._settle(now)

    def next_deadline(self) -> Monotonic | None:
        """When to call `on_deadline` if nothing happens before."""
        return min((at for at, _ in self._timers()), default=None)

    def on_deadline(self, now: Monotonic) -> list[Effect]:
        """Time passed."""
        return self._settle(now)

    def _settle(self, now: Monotonic) -> list[Effect]:
        """Do all that can be done now."""
        while True:
            self._send_fresh(now)
            self._want_backlog_line(now)
            due = next((act for at, act in self._timers() if at <= now), None)
            if due is None:
                break
            due(now)
        effects, self._effects = self._effects, []
        return effects

    def _timers(self) -> Iterator[Timer]:
        """Every timer that is armed now, with what it does; what it does disarms it."""
        for line, dialer in self._dialers.items():
            if (deadline := dialer.next_deadline()) is not None:
                yield deadline, partial(self._dial_or_give_up, line)
        for line, answer_by in self._answer_by.items():
            yield answer_by, partial(self._give_up, line, "no answer")
        door, fresh = self._dialers[Line.DOOR].up, self._dialers[Line.FRESH]
        if door and fresh.up:
            yield self._supervise_at, self._ask_supervision
        proven = fresh.state is LineState.PROVEN
        match self._backlog.state:
            case BacklogState.IDLE if door and proven:
                yield self._backlog.at, self._ask_backlog
            case BacklogState.ASKED:
                yield self._backlog.at, partial(self._give_up, Line.DOOR, "no answer")
            case BacklogState.READY if proven and self._free(Line.BACKLOG):
                yield self._backlog.at, self._send_batch
            case _:
                pass

    def _free(self, line: Line) -> bool:
        return self._dialers[line].up and line not in self._in_flight

    # Lines

    def _dial_or_give_up(self, line: Line, now: Monotonic) -> None:
        dialer = self._dialers[line]
        if dialer.state is LineState.DIALLING:
            self._give_up(line, "no connection", now)
            return
        attempt = dialer.dial(now)
        if line is Line.DOOR:
            self._effects.append(DialDoor(attempt=attempt))
        else:
            self._effects.append(Dial(line=line, attempt=attempt, address=self._address))

    def _give_up(self, line: Line, detail: str, now: Monotonic) -> None:
        self._effects.append(HangUp(line=line))
        self._lost(line, PathState.UNREACHABLE, f"{detail} in time", now)

    def _connected(self, line: Line, now: Monotonic) -> None:
        self._dialers[line].connected(now)
        if line is Line.DOOR:
            self._dialers[line].proven()
            self._report("door connected")
            self._tell(Type.PATH, bytes([self._path.value]))
            self._backlog.forget(now)
            self._dialers[Line.FRESH].hurry(now)
        if line is not Line.BACKLOG:
            last = self._supervised_at
            self._supervise_at = now if last is None else max(now, Monotonic(last + SUPERVISION_GAP))

    def _lost(self, line: Line, why: PathState, detail: str, now: Monotonic) -> None:
        dialer = self._dialers[line]
        was = dialer.state
        self._in_flight.pop(line, None)
        self._answer_by.pop(line, None)
        over = dialer.lost(now, why)
        match line:
            case Line.DOOR:
                self._door_lost(was, detail, now)
            case Line.FRESH:
                self._supervision = None
                if was is LineState.PROVEN:
                    self._set_path(PathState.CONNECTING, detail)
                elif over is not None:
                    self._set_path(over, detail)
            case Line.BACKLOG:
                pass

    def _door_lost(self, was: LineState, detail: str, now: Monotonic) -> None:
        if was is LineState.PROVEN:
            self._report(f"door gone: {detail}")
        self._waiting.forget_journaled()
        self._backlog.forget(now)
        self._supervision = None

    def _set_path(self, path: PathState, detail: str) -> None:
        if path is not self._path:
            self._path = path
            self._report(f"monitor {_shown(path)}: {detail}")
            self._tell(Type.PATH, bytes([path.value]))

    # What doord says

    def _hear(self, message: Message, now: Monotonic) -> None:
        try:
            self._take(message, now)
        except MalformedError as error:
            self.malformed += 1
            self._effects.append(HangUp(line=Line.DOOR))
            self._lost(Line.DOOR, PathState.REFUSED, str(error), now)

    def _take(self, message: Message, now: Monotonic) -> None:
        match message.type:
            case Type.FRESH:
                if not self._waiting.add_fresh(message.payload):
                    self._dropped(now)
                self._dialers[Line.FRESH].hurry(now)
            case Type.HOLD:
                if (kept := self._waiting.hold(message.payload)) is not None:
                    self._tell(Type.KEPT, kept)
                self._dialers[Line.FRESH].hurry(now)
            case Type.SUPERVISION:
                self._supervision = message.payload
            case Type.BACKLOG:
                self._backlog.take(message.payload)
            case Type.BACKLOG_END:
                self._backlog.ended(now)
            case _:
                raise InternalError(f"courier: {message.type.name} is not doord's to say")

    def _dropped(self, now: Monotonic) -> None:
        self._backlog.soon(Monotonic(now + SOON))
        if not self._dropping:
            self._dropping = True
            self._report("more fresh records than the line takes: the oldest are left to the journal")

    def _tell(self, type_: Type, payload: bytes = b"") -> None:
        if self._dialers[Line.DOOR].up:
            self._effects.append(Tell(message=Message(type=type_, payload=payload)))

    def _ask_supervision(self, now: Monotonic) -> None:
        self._tell(Type.SUPERVISION_WANTED)
        self._supervised_at = now
        steady = Monotonic(self._supervise_at + self._pace)
        self._supervise_at = steady if steady > now else Monotonic(now + self._pace)

    def _ask_backlog(self, now: Monotonic) -> None:
        self._tell(Type.BACKLOG_WANTED, self._backlog.asked(now).to_bytes(2, "big"))

    # What goes to the monitor, and what comes back

    def _send_fresh(self, now: Monotonic) -> None:
        if not self._free(Line.FRESH):
            return
        record = self._waiting.newest()
        if record is None:
            self._dropping = False
            record, self._supervision = self._supervision, None
        if record is not None:
            self._send(Line.FRESH, (record,), now)

    def _want_backlog_line(self, now: Monotonic) -> None:
        dialer = self._dialers[Line.BACKLOG]
        if self._dialers[Line.FRESH].state is LineState.PROVEN and self._backlog.state is BacklogState.READY:
            dialer.want(now)
        else:
            dialer.rest()

    def _send_batch(self, now: Monotonic) -> None:
        self._send(Line.BACKLOG, self._backlog.batch, now)

    def _send(self, line: Line, records: tuple[bytes, ...], now: Monotonic) -> None:
        self._in_flight[line] = records
        self._answer_by[line] = Monotonic(now + ANSWER_PATIENCE[line])
        self._effects.append(Send(line=line, records=records))

    def _answered(self, line: Line, receipts: tuple[bytes, ...], now: Monotonic) -> None:
        records = self._in_flight.pop(line, None)
        if records is None:
            raise InternalError(f"courier: an answer on the {line.value} line without a request")
        del self._answer_by[line]
        self._dialers[line].proven()
        for record, receipt in zip(records, receipts, strict=False):
            self._waiting.forget(record)
            self._tell(Type.RECEIPT, receipt)
        match line:
            case Line.FRESH if self._path is not PathState.CONNECTED:
                self._backlog.soon(now)
                self._set_path(PathState.CONNECTED, str(self._address))
            case Line.BACKLOG:
                self._backlog.receipted(records, now)
            case _:
                pass

    def _report(self, text: str) -> None:
        self._effects.append(Report(text=text))


def _dialer(waits: tuple[Duration, Duration], addresses: int, jitter: Callable[[], float]) -> Dialer:
    return Dialer(addresses=addresses, shortest=waits[0], longest=waits[1], patience=DIAL_PATIENCE, jitter=jitter)


def _shown(path: PathState) -> str:
    return path.name.lower().replace("_", " ")
