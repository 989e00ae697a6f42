"""The control panel's end of one line: whose turn it is, how long an answer may take, what a silence means. Pure.

Bytes and `now` in; bytes to send, happenings and the next deadline out. Theory of operation. One exchange is on the
line at a time. The next one goes to a reader with an order, else to the one that has waited longest. An answer that
does not come, or comes broken, is asked for again byte for byte; after `TRIES` the session begins anew. A reader that
did not answer `QUIET_AFTER` times in a row is quiet: it is asked once a second with a short time-out, so that it costs
its neighbours little, and is offline after eight seconds. A handshake that failed is tried again a second later, ever.
What the line says unasked, or what is not authentic, is told and changes nothing.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from hal.events import Monotonic
from hal.osdp.commands import Command
from hal.osdp.frame import MARK, Frame, Framer, Problem
from hal.osdp.happenings import Gone, Happening, Misuse, Misused
from hal.osdp.session import Judged, ReaderSettings, Session, Verdict

MS: Final = 1_000_000
SECOND: Final = 1000 * MS
ANSWER_WITHIN: Final = 200 * MS
"""From the end of a request to the first byte of its answer; the standard's REPLY_DELAY."""
QUIET_ANSWER_WITHIN: Final = 25 * MS
"""The same for a reader that is quiet; typical readers answer within 3 ms."""
BETWEEN_CHARACTERS: Final = 20 * MS
OFFLINE_AFTER: Final = 8 * SECOND
PROBE_EVERY: Final = SECOND
TRIES: Final = 4
"""Of one frame; then the session begins anew."""
QUIET_AFTER: Final = 3
BUSY_PAUSE: Final = 50 * MS
EXCHANGE_AT_LEAST: Final = 1_500_000
"""1.5 ms: a line without a real speed (a pty) must not cost a core."""
LONGEST_ANSWER: Final = 256
"""Bytes that are listened to as one answer."""
_BITS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Bytes for the line, as one burst."""

    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something about one reader."""

    address: int
    happening: Happening


Effect = Send | Told


@dataclass(slots=True, kw_only=True)
class Counters:
    """Of one reader, for `doorctl reader show`."""

    exchanges: int = 0
    retries: int = 0
    timeouts: int = 0
    broken: int = 0
    """Answers with a wrong check, length or form."""
    busy: int = 0
    restarts: int = 0
    misused: int = 0


@dataclass(slots=True, kw_only=True)
class _Turn:
    """One reader in the line's eyes."""

    session: Session
    due: Monotonic
    heard: Monotonic
    """When it last answered rightly."""
    begun: Monotonic
    """When its session last began anew."""
    tries: int = 0
    missed: int = 0
    """Times in a row that nothing came at all."""
    counters: Counters = field(default_factory=Counters)

    @property
    def quiet(self) -> bool:
        """Not answering: it gets little of the line."""
        return self.missed >= QUIET_AFTER


class Cp:
    """One line."""

    def __init__(
        self, readers: Sequence[ReaderSettings], *, baud: int, now: Monotonic,
        nonce: Callable[[int], bytes] = os.urandom,
    ) -> None:  # fmt: skip
        """`baud` 0: the line has no speed of its own."""
        self._character = _BITS * SECOND // baud if baud else 0
        self._nonce = nonce
        self._turns: dict[int, _Turn] = {}
        self._framer = Framer(LONGEST_ANSWER)
        self._asked: _Turn | None = None
        self._sent = b""
        self._deadline = now
        """While an answer is awaited: when it is late. Else: when the line is free."""
        self._latest = now
        """However much noise comes, an answer is late then."""
        self._sent_at = Monotonic(now - EXCHANGE_AT_LEAST)
        self._broken = False
        """Something came that may have been the answer: somebody is there."""
        for settings in readers:
            self.configure(settings, now)

    # What the runtime calls

    def next_deadline(self) -> Monotonic:
        """When `on_deadline` is to be called, whatever is heard until then."""
        if self._asked is not None or not self._turns:
            return self._deadline
        return Monotonic(max(self._deadline, min(turn.due for turn in self._turns.values())))

    def on_deadline(self, now: Monotonic) -> list[Effect]:
        """Time has passed: an answer is late, or the line is free for the next request."""
        effects: list[Effect] = []
        if self._asked is not None:
            if now < self._deadline:
                return []
            effects += self._late(self._asked, now)
        if self._asked is None and now >= self.next_deadline():
            effects += self._ask(now)
        return effects

    def receive(self, untrusted: bytes, now: Monotonic) -> list[Effect]:
        """Bytes of the line; the next request, where they complete an answer, waits for `next_deadline`."""
        effects: list[Effect] = []
        for found in self._framer.feed(untrusted):
            if isinstance(found, Frame):
                effects += self._hear(found, now)
            elif self._asked is not None:
                self._spoilt(self._asked, found, now)
        if self._asked is not None and self._framer.partial:
            later = Monotonic(now + BETWEEN_CHARACTERS + self._character)
            self._deadline = min(max(self._deadline, later), self._latest)
        elif self._asked is None:
            self._deadline = max(self._deadline, Monotonic(now + 2 * self._character))
        return effects

    def configure(self, settings: ReaderSettings, now: Monotonic) -> None:
        """Add a reader, or begin anew with one whose keys or rights changed; an exchange under way is forgotten."""
        known = self._turns.get(settings.address)
        if known is not None and self._asked is known:
            self._over(known, now, due=now)
        if known is None:
            session = Session(settings, self._nonce)
            begun = Monotonic(now - PROBE_EVERY)
            self._turns[settings.address] = _Turn(session=session, due=now, heard=now, begun=begun)
        else:
            known.session.settings = settings
            self._begin_anew(known, now)
            known.due = now

    def order(self, address: int, command: Command, data: bytes) -> None:
        """To be carried out when the reader is online; of a kind only the last counts."""
        self._turns[address].session.order(command, data)

    def counters(self, address: int) -> Counters:
        """What the line did for and with a reader."""
        return self._turns[address].counters

    def closed(self) -> list[Effect]:
        """The port is gone: every reader is offline until it is back."""
        self._asked = None
        self._framer.clear()
        return [told for turn in self._turns.values() for told in self._gone(turn, Gone.CLOSED)]

    # Asking

    def _ask(self, now: Monotonic) -> list[Effect]:
        ready = [turn for turn in self._turns.values() if turn.due <= now]
        if not ready:
            return []
        turn = min(ready, key=lambda one: (not one.session.has_orders, one.due))
        request = turn.session.request()
        turn.counters.retries += turn.tries > 0
        turn.tries += 1
        turn.counters.exchanges += 1
        self._framer.clear()
        self._asked, self._sent = turn, request.encode()
        wait = QUIET_ANSWER_WITHIN if turn.quiet else ANSWER_WITHIN
        self._sent_at, self._broken = now, False
        self._deadline = Monotonic(now + (len(self._sent) + 1) * self._character + wait)
        self._latest = Monotonic(self._deadline + LONGEST_ANSWER * (self._character + MS))
        return [Send(frame=MARK + self._sent)]

    # Hearing

    def _hear(self, frame: Frame, now: Monotonic) -> list[Effect]:
        asked = self._asked
        if not frame.reply:
            return [] if frame.encode() == self._sent else self._misuse(asked, Misuse.UNASKED)
        if asked is None or frame.address != asked.session.settings.address:
            return self._misuse(self._turns.get(frame.address), Misuse.UNASKED)
        return self._judge(asked, asked.session.hear(frame), now)

    def _judge(self, turn: _Turn, judged: Judged, now: Monotonic) -> list[Effect]:
        told: list[Effect] = [
            Told(address=turn.session.settings.address, happening=happening) for happening in judged.happenings
        ]
        turn.counters.misused += sum(isinstance(happening, Misused) for happening in judged.happenings)
        match judged.verdict:
            case Verdict.NOT_IT:
                return told
            case Verdict.ANSWER:
                turn.heard, turn.tries, turn.missed = now, 0, 0
                self._over(turn, now, due=now)
            case Verdict.BUSY:
                turn.counters.busy += 1
                turn.tries = 0
                self._over(turn, now, due=now + BUSY_PAUSE)
            case Verdict.RESTART:
                self._over(turn, now, due=max(now, turn.begun + PROBE_EVERY))
                self._begin_anew(turn, turn.due)
            case Verdict.HOPELESS:
                self._over(turn, now, due=now + PROBE_EVERY)
                self._begin_anew(turn, turn.due)
                told += self._gone(turn, Gone.REFUSED)
            case _:
                assert_never(judged.verdict)
        return told

    def _misuse(self, turn: _Turn | None, how: Misuse) -> list[Effect]:
        """Told of the reader in whose name somebody spoke; nameless noise is only noise."""
        if turn is None:
            return []
        turn.counters.misused += 1
        return [Told(address=turn.session.settings.address, happening=Misused(how=how))]

    def _spoilt(self, turn: _Turn, problem: Problem, now: Monotonic) -> None:
        """It was perhaps the answer: asked for again as soon as the line falls silent."""
        self._broken = True
        if problem is not Problem.NOISE:
            turn.counters.broken += 1
        self._deadline = min(self._deadline, Monotonic(now + BETWEEN_CHARACTERS + self._character))

    def _late(self, turn: _Turn, now: Monotonic) -> list[Effect]:
        turn.counters.timeouts += 1
        turn.missed = 0 if self._broken else turn.missed + 1
        self._over(turn, now, due=now + PROBE_EVERY if turn.quiet else now)
        if turn.tries >= TRIES:
            self._begin_anew(turn, turn.due)
        return self._gone(turn, Gone.SILENT) if now - turn.heard >= OFFLINE_AFTER else []

    # What they share

    def _over(self, turn: _Turn, now: Monotonic, *, due: int) -> None:
        """The exchange is: the line is free after a gap, this reader's next turn not before `due`."""
        self._asked = None
        self._framer.clear()
        turn.due = Monotonic(due)
        self._deadline = Monotonic(max(now + 2 * self._character, self._sent_at + EXCHANGE_AT_LEAST))

    def _begin_anew(self, turn: _Turn, at: Monotonic) -> None:
        turn.session.restart()
        turn.begun, turn.tries = at, 0
        turn.counters.restarts += 1

    def _gone(self, turn: _Turn, why: Gone) -> list[Effect]:
        return [
            Told(address=turn.session.settings.address, happening=happening) for happening in turn.session.gone(why)
        ]
