"""The control panel's end of one line: whose turn it is, how long an answer may take, what a silence means. Pure.

Bytes and `now` in; bytes to send, happenings and the next deadline out. Theory of operation. One exchange is on the
line at a time. Orders and answers that came broken go ahead of polls, but only every second time, so that the others
are never starved; else it is the turn of who has waited longest. A reader that somebody uses has waited three times as
long, while such readers are few. An answer that does not come, or comes broken, is asked for again byte for byte; after
`TRIES` the session begins anew. A reader that did not answer `QUIET_AFTER` times in a row is quiet: it is asked once a
second with a short time-out, so that it costs its neighbours little. Whatever a reader does but answer in an open
session, it is offline after eight seconds. A handshake that failed is tried again a second later, ever. What the line
says unasked, or what is not authentic, is told and changes nothing; a line that never falls silent is spoken into.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from hal.events import MS, SECOND, Monotonic
from hal.osdp.commands import Command, Reply
from hal.osdp.counters import Counters, Use
from hal.osdp.frame import MARK, Frame, Framer, Problem
from hal.osdp.happenings import Gone, Happening, Heard, Misuse, Misused
from hal.osdp.judgement import Judged, Verdict
from hal.osdp.session import Phase, ReaderSettings, Session
from hal.osdp.turn import ANSWER_WITHIN, KNOWN_ANSWER_WITHIN, Turn

BETWEEN_CHARACTERS: Final = 20 * MS
"""The standard's; a line that was silent so long after something broken has nothing more to say."""
BETWEEN_PIECES: Final = 40 * MS
"""Of one answer: USB adapters hand on what they have every 16 ms, and a busy kernel later than that."""
OFFLINE_AFTER: Final = 8 * SECOND
PROBE_EVERY: Final = SECOND
PROBE_ALONE_EVERY: Final = 300 * MS
"""Where no reader of the line answers, and a probe costs nobody anything."""
TRIES: Final = 4
"""Of one frame; then the session begins anew."""
BUSY_PAUSE: Final = 50 * MS
EXCHANGE_AT_LEAST: Final = 1_200_000
"""1.2 ms: a line without a real speed (a pty) must not cost a core."""
SECURE_ANSWER: Final = 14
"""Bytes of the shortest answer in a session: header, block, code, MAC and CRC."""
LEFT_FOR: Final = 5 * SECOND
"""A reader that has taken another speed is not asked at this one, unless the line does not follow."""
USED_FOR: Final = 5 * SECOND
USED_WEIGHT: Final = 3
FEW: Final = 4
"""Where more than one in so many are in use, the others would wait too long for their first card."""
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


class Cp:
    """One line."""

    def __init__(
        self, readers: Sequence[ReaderSettings], *, baud: int, now: Monotonic,
        nonce: Callable[[int], bytes] = os.urandom,
    ) -> None:  # fmt: skip
        """`baud` 0: the line has no speed of its own."""
        self._baud = baud
        self._character = _BITS * SECOND // baud if baud else 0
        self._nonce = nonce
        self._turns: dict[int, Turn] = {}
        self._framer = Framer(LONGEST_ANSWER)
        self._asked: Turn | None = None
        self._sent = b""
        self._deadline = now
        """While an answer is awaited: when it is late. Else: when the line is free."""
        self._latest = now
        """However much noise comes, an answer is late then."""
        self._look_at = now
        """A usual answer is whole by then: what has come instead, if anything, is shorter, and to be asked for."""
        self._looked = True
        self._sent_at = Monotonic(now - EXCHANGE_AT_LEAST)
        self.pace = 0
        """Nanoseconds from one request to the next that the runtime can afford while nobody uses a reader."""
        self._used = Monotonic(now - USED_FOR)
        self._paced = now
        self._broken = False
        """Something came that may have been the answer: somebody is there."""
        self._jumped = False
        """The last exchange went ahead of readers that had waited longer."""
        for settings in readers:
            self.configure(settings, now)

    # What the runtime calls

    def next_deadline(self) -> Monotonic:
        """When `on_deadline` is to be called, whatever is heard until then."""
        if self._asked is not None or not self._turns:
            return self._deadline if self._looked else min(self._deadline, self._look_at)
        return Monotonic(max(self._deadline, self._paced, min(turn.due for turn in self._turns.values())))

    def expected(self) -> int:
        """So many bytes must come before they can mean anything; fewer are asked for at the next deadline.

        They may: a reader that lost its power refuses in clear, which is shorter than anything in a session.
        """
        if self._asked is None or self._looked:
            return 1
        return self._framer.missing if self._framer.partial else SECURE_ANSWER

    def on_deadline(self, now: Monotonic) -> list[Effect]:
        """Time has passed: an answer is late, or the line is free for the next request."""
        effects: list[Effect] = []
        if self._asked is not None:
            self._looked |= now >= self._look_at
            if now < self._deadline:
                return []
            effects += self._late(self._asked, now)
        if self._asked is None and now >= self.next_deadline():
            effects += self._ask(now)
        return effects

    def receive(self, untrusted: bytes, now: Monotonic) -> list[Effect]:
        """Bytes of the line; the next request, where they complete an answer, waits for `next_deadline`."""
        effects: list[Effect] = []
        if not untrusted:
            return effects
        for found in self._framer.feed(untrusted):
            if isinstance(found, Frame):
                effects += self._hear(found, now)
            elif self._asked is not None:
                self._spoilt(self._asked, found, now)
        if self._asked is None or self._framer.partial:
            gap = 2 * self._character if self._asked is None else BETWEEN_PIECES + self._character
            self._deadline = min(max(self._deadline, Monotonic(now + gap)), self._latest)
        return effects

    def configure(self, settings: ReaderSettings, now: Monotonic) -> None:
        """Add a reader, or begin anew with one whose keys or rights changed; an exchange under way is forgotten."""
        known = self._turns.get(settings.address)
        if known is not None and self._asked is known:
            self._over(known, now, due=now)
        if known is None:
            session = Session(settings, self._nonce)
            self._turns[settings.address] = Turn(
                session=session, due=now, heard=now, begun=Monotonic(now - PROBE_EVERY), asked=now,
                used=Monotonic(now - USED_FOR), counters=Counters(use=Use(begun=now)),
            )  # fmt: skip
        else:
            known.session.settings = settings
            self._begin_anew(known, now)
            known.due, known.missed = now, 0

    def order(self, address: int, command: Command, data: bytes, now: Monotonic) -> None:
        """To be carried out when the reader is online; of a kind only the last counts."""
        turn = self._turns[address]
        turn.session.order(command, data)
        self._in_use(turn, now)

    def counters(self, address: int) -> Counters:
        """What the line did for and with a reader."""
        return self._turns[address].counters

    def waited(self, address: int) -> int:
        """How long the reader could not say what it says in its latest answer."""
        return self._turns[address].waited

    def addresses(self) -> frozenset[int]:
        """Of all readers."""
        return frozenset(self._turns)

    def online(self) -> frozenset[int]:
        """Who answers in an open session."""
        return frozenset(address for address, turn in self._turns.items() if turn.session.phase is Phase.ONLINE)

    def left(self) -> frozenset[int]:
        """Who was told to be reached at another speed, and has said that it will be."""
        return frozenset(address for address, turn in self._turns.items() if turn.left)

    def set_speed(self, baud: int, now: Monotonic) -> None:
        """The port has another speed from now on; sessions begin anew, and nobody is offline for it yet."""
        self._baud, self._character = baud, _BITS * SECOND // baud
        if self._asked is not None:
            self._over(self._asked, now, due=now)
        for turn in self._turns.values():
            self._begin_anew(turn, now)
            turn.due, turn.missed, turn.left = now, 0, False

    def closed(self, now: Monotonic) -> list[Effect]:
        """The port is gone: every reader is offline until it is back."""
        self._asked = None
        self._framer.clear()
        self._deadline = now
        return [told for turn in self._turns.values() for told in self._gone(turn, Gone.CLOSED, now)]

    # Asking

    def _ask(self, now: Monotonic) -> list[Effect]:
        ready = [turn for turn in self._turns.values() if turn.due <= now]
        if not ready:
            return []
        turn = self._next(ready, now)
        request = turn.session.request()
        turn.counters.retries += turn.tries > 0
        turn.tries += 1
        turn.counters.exchanges += 1
        turn.asked = now
        self._framer.clear()
        self._asked, self._sent = turn, request.encode()
        self._sent_at, self._broken = now, False
        self._deadline = Monotonic(now + (len(self._sent) + 1) * self._character + turn.patience)
        usual = (len(self._sent) + 1 + SECURE_ANSWER) * self._character + KNOWN_ANSWER_WITHIN
        self._look_at, self._looked = Monotonic(now + usual), not turn.session.secure
        self._latest = Monotonic(self._deadline + LONGEST_ANSWER * (self._character + MS))
        return [Send(frame=MARK + self._sent)]

    def _next(self, ready: list[Turn], now: Monotonic) -> Turn:
        """Who has waited longest; every second time, of those for whom it is urgent."""
        urgent = [] if self._jumped else [turn for turn in ready if turn.urgent]
        self._jumped = bool(urgent)
        used = [turn for turn in ready if now - turn.used < USED_FOR]
        weight = USED_WEIGHT if len(used) * FEW <= len(self._turns) else 1
        return max(urgent or ready, key=lambda turn: (now - turn.asked) * (weight if turn in used else 1))

    # Hearing

    def _hear(self, frame: Frame, now: Monotonic) -> list[Effect]:
        asked = self._asked
        if not frame.reply:
            return [] if frame.encode() == self._sent else self._misuse(asked, Misuse.UNASKED)
        if asked is None or frame.address != asked.session.settings.address:
            return self._unasked(self._turns.get(frame.address), now)
        if frame.code == Reply.NAK and frame.security is None:
            asked.counters.nak(frame.data[0] if frame.data else 0)
        return self._judge(asked, asked.session.hear(frame), now)

    def _judge(self, turn: Turn, judged: Judged, now: Monotonic) -> list[Effect]:
        told: list[Effect] = [
            Told(address=turn.session.settings.address, happening=happening) for happening in judged.happenings
        ]
        turn.note(judged.happenings, now, self._baud)
        if any(isinstance(happening, Heard) for happening in judged.happenings):
            self._in_use(turn, now)
        match judged.verdict:
            case Verdict.NOT_IT:
                return told
            case Verdict.ANSWER:
                self._answered(turn, now)
            case Verdict.BUSY:
                turn.counters.busy += 1
                turn.tries = 0
                self._over(turn, now, due=now + BUSY_PAUSE)
            case Verdict.AGAIN:
                self._over(turn, now, due=now)
            case Verdict.NEXT_KEY:
                self._over(turn, now, due=now)
                self._begin_anew(turn, now)
            case Verdict.RESTART:
                self._over(turn, now, due=max(now, turn.begun + PROBE_EVERY))
                self._begin_anew(turn, turn.due)
            case Verdict.HOPELESS:
                self._over(turn, now, due=now + PROBE_EVERY)
                self._begin_anew(turn, turn.due)
                told += self._gone(turn, Gone.REFUSED, now)
            case _:
                assert_never(judged.verdict)
        return told + self._overdue(turn, now)

    def _answered(self, turn: Turn, now: Monotonic) -> None:
        if turn.quiet:  # who came back with it need not wait for their probes
            for other in self._turns.values():
                other.due = min(other.due, now) if other.quiet else other.due
        turn.repeated = turn.tries > 1
        turn.tries = turn.missed = 0
        turn.slowest = now - self._sent_at - (len(self._sent) + 1) * self._character
        turn.counters.answers.add(now - self._sent_at)
        if turn.session.phase is Phase.ONLINE:
            turn.waited = now - turn.heard
            turn.counters.waits.add(turn.waited)
            turn.heard = now
        self._over(turn, now, due=now + LEFT_FOR if turn.left else now)

    def _unasked(self, turn: Turn | None, now: Monotonic) -> list[Effect]:
        """A reader that answers a probe as late as it may, or a repeated request twice, is nobody's misuse."""
        late = turn is not None and (turn.missed > 0 or turn.repeated) and now - turn.asked <= ANSWER_WITHIN
        return [] if late else self._misuse(turn, Misuse.UNASKED)

    def _misuse(self, turn: Turn | None, how: Misuse) -> list[Effect]:
        """Told of the reader in whose name somebody spoke; nameless noise is only noise."""
        if turn is None:
            return []
        turn.counters.misused += 1
        return [Told(address=turn.session.settings.address, happening=Misused(how=how))]

    def _spoilt(self, turn: Turn, problem: Problem, now: Monotonic) -> None:
        """It was perhaps the answer: asked for again as soon as the line falls silent."""
        self._broken = True
        if problem is not Problem.NOISE:
            turn.counters.broken += 1
        self._deadline = min(self._deadline, Monotonic(now + BETWEEN_CHARACTERS + self._character))

    def _late(self, turn: Turn, now: Monotonic) -> list[Effect]:
        turn.counters.timeouts += 1
        turn.missed = 0 if self._broken else turn.missed + 1
        alone = all(other.quiet for other in self._turns.values())
        pause = PROBE_ALONE_EVERY if alone else PROBE_EVERY
        self._over(turn, now, due=now + pause if turn.quiet else now)
        if turn.tries >= TRIES:
            self._begin_anew(turn, turn.due)
        return self._overdue(turn, now)

    def _overdue(self, turn: Turn, now: Monotonic) -> list[Effect]:
        """Whatever else it said: it is offline where no session gave an answer for too long."""
        if turn.session.told_offline or now - turn.heard < OFFLINE_AFTER:
            return []
        return self._gone(turn, Gone.SILENT, now)

    # What they share

    def _over(self, turn: Turn, now: Monotonic, *, due: int) -> None:
        """The exchange is: the line is free after a gap, this reader's next turn not before `due`."""
        self._asked = None
        self._framer.clear()
        turn.due = Monotonic(due)
        turn.counters.use.held(now - self._sent_at, now)
        self._deadline = Monotonic(max(now + 2 * self._character, self._sent_at + EXCHANGE_AT_LEAST))
        self._latest = Monotonic(self._deadline + ANSWER_WITHIN)
        self._paced = Monotonic(self._sent_at + self.pace if now - self._used >= USED_FOR else now)

    def _in_use(self, turn: Turn, now: Monotonic) -> None:
        """Somebody stands before it: it is asked more often, and the line as fast as it can be."""
        turn.used = self._used = self._paced = now

    def _begin_anew(self, turn: Turn, at: Monotonic) -> None:
        turn.session.restart()
        turn.repeated = turn.tries > 1
        turn.begun, turn.tries = at, 0
        turn.counters.restarts += 1

    def _gone(self, turn: Turn, why: Gone, now: Monotonic) -> list[Effect]:
        turn.counters.offline(now)
        address = turn.session.settings.address
        return [Told(address=address, happening=happening) for happening in turn.session.gone(why)]
