"""Delivery driven by hand in virtual time: short names for its events and effects, so that tests read as stories."""

from collections.abc import Callable

from doorctl.core.types import MS, SECOND, Duration, Monotonic
from doorctl.courierd.config import Address
from doorctl.courierd.delivery import Delivery
from doorctl.courierd.events import (
    Answered,
    Connected,
    Dial,
    DialDoor,
    DoorSaid,
    Effect,
    HangUp,
    Line,
    Lost,
    Report,
    Send,
    Tell,
)
from doorctl.wire.handoff import Message, PathState, Type
from doorctl.wire.record import record_hash
from doorctl.wire.sizes import RECEIPT_SIZE, RECORD_SIZE

FIRST = Address(host="192.0.2.1", port=8443)
SECOND_ADDRESS = Address(host="192.0.2.2", port=8443)
PACE = Duration(30 * SECOND)


def record(number: int) -> bytes:
    return number.to_bytes(4, "big") * (RECORD_SIZE // 4)


def receipt(number: int) -> bytes:
    return number.to_bytes(4, "big") * (RECEIPT_SIZE // 4)


def tell(type_: Type, payload: bytes = b"") -> Tell:
    return Tell(message=Message(type=type_, payload=payload))


def path(state: PathState) -> Tell:
    return tell(Type.PATH, bytes([state.value]))


def kept(number: int) -> Tell:
    return tell(Type.KEPT, record_hash(record(number)))


def send(line: Line, *numbers: int) -> Send:
    return Send(line=line, records=tuple(record(number) for number in numbers))


WANT_SUPERVISION = tell(Type.SUPERVISION_WANTED)
WANT_BACKLOG = tell(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))


class Steps:
    """A delivery, its clock, and the attempt each line is in."""

    def __init__(self, *addresses: Address, jitter: Callable[[], float] = lambda: 0.0) -> None:
        self.now = Monotonic(1_000 * SECOND)
        self.delivery = Delivery(addresses=addresses or (FIRST,), supervision=PACE, jitter=jitter)
        self.attempts = dict.fromkeys(Line, 0)

    def _heard(self, effects: list[Effect]) -> list[Effect]:
        for effect in effects:
            match effect:
                case DialDoor(attempt=attempt):
                    self.attempts[Line.DOOR] = attempt
                case Dial(line=line, attempt=attempt):
                    self.attempts[line] = attempt
                case HangUp() | Send() | Tell() | Report():
                    pass
        return [effect for effect in effects if not isinstance(effect, Report)]

    def start(self) -> list[Effect]:
        return self._heard(self.delivery.start(self.now))

    def connected(self, line: Line) -> list[Effect]:
        return self._heard(self.delivery.receive(Connected(line=line, attempt=self.attempts[line]), self.now))

    def lost(self, line: Line, why: PathState = PathState.UNREACHABLE) -> list[Effect]:
        event = Lost(line=line, attempt=self.attempts[line], why=why, detail="closed")
        return self._heard(self.delivery.receive(event, self.now))

    def says(self, type_: Type, payload: bytes = b"") -> list[Effect]:
        event = DoorSaid(attempt=self.attempts[Line.DOOR], message=Message(type=type_, payload=payload))
        return self._heard(self.delivery.receive(event, self.now))

    def fresh(self, number: int) -> list[Effect]:
        return self.says(Type.FRESH, record(number))

    def hold(self, number: int) -> list[Effect]:
        return self.says(Type.HOLD, record(number))

    def backlog(self, *numbers: int) -> list[Effect]:
        effects = [effect for number in numbers for effect in self.says(Type.BACKLOG, record(number))]
        return effects + self.says(Type.BACKLOG_END)

    def answered(self, line: Line, *numbers: int) -> list[Effect]:
        event = Answered(line=line, attempt=self.attempts[line], receipts=tuple(receipt(number) for number in numbers))
        return self._heard(self.delivery.receive(event, self.now))

    def passes(self, ms: int) -> list[Effect]:
        """Time passes, deadline by deadline as in the runtime."""
        until = Monotonic(self.now + ms * MS)
        effects: list[Effect] = []
        while (deadline := self.delivery.next_deadline()) is not None and deadline <= until:
            assert deadline > self.now, "a deadline that is past would spin the loop"
            self.now = deadline
            effects += self._heard(self.delivery.on_deadline(self.now))
        self.now = until
        return effects

    def until_next(self) -> tuple[int, list[Effect]]:
        """(milliseconds waited, effects) of the next deadline."""
        deadline = self.delivery.next_deadline()
        assert deadline is not None
        waited = (deadline - self.now) // MS
        return waited, self.passes(waited)

    def proven(self) -> "Steps":
        """Both ends connected, the first supervision receipted, doord without backlog."""
        self.start()
        assert self.connected(Line.DOOR) == [path(PathState.CONNECTING)]
        assert self.connected(Line.FRESH) == [WANT_SUPERVISION]
        assert self.says(Type.SUPERVISION, record(900)) == [send(Line.FRESH, 900)]
        assert self.answered(Line.FRESH, 900) == [
            tell(Type.RECEIPT, receipt(900)), path(PathState.CONNECTED), WANT_BACKLOG,
        ]  # fmt: skip
        assert self.backlog() == []
        return self
