"""The path of one request: look-up, slot, decision, record, journal, answer. One path for every outcome.

Nothing here branches on what a row's token means, because nothing here can know it. The decision, the record and
the journal's write all happen at the entry's slot (answer.py), so the disk and the network see the same times too.
"""

import asyncio
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Final

from doorctl.core.decision import Decision, Granted, Rules, Situation, decide
from doorctl.core.effects import Request
from doorctl.core.lockout import (
    CARD_KEYS,
    Counter,
    GuessingWindow,
    LockoutKey,
    LockoutPolicy,
    Lockouts,
    card_key,
    reader_key,
)
from doorctl.core.types import SECOND, DoorName, Duration, Monotonic, Outcome, ReaderName, Reason
from doorctl.doord import clock
from doorctl.doord.answer import ANSWER_BOUND, COMMIT_ALLOWANCE, COMMIT_BOUND, AnswerTimes
from doorctl.doord.coalesce import Coalescer, Counted
from doorctl.doord.drafts import Draft, Recording
from doorctl.doord.lookup import Found, RosterAccess
from doorctl.doord.recorder import Recorder
from doorctl.journal.rows import LogRow, Plain
from doorctl.wire.detail import CoalescedDetail, GuessingDetail
from doorctl.wire.record import Flag, Kind

LOCKOUT_PREFIX: Final = b"lockout "
"""Before a counter's key in the journal."""
COUNTED_PREFIX: Final = b"counted "
"""Before a reader's name: how many entries there are only counted so far."""
ANY_CARD: Final = card_key(b"")
BLIND: Final = frozenset({Reason.LOCKED_OUT, Reason.LOCKDOWN})
"""Answered without regard to a row: everything but the sealed record is the same with and without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a request was made."""

    door: DoorName
    reader: ReaderName


@dataclass(frozen=True, slots=True, kw_only=True)
class Interlocked(Situation):
    """How things stand at a door that must not open together with others."""

    others: tuple[DoorName, ...]
    """`interlock` tells of their strikes and leaves; of grants that are only decided, Access knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """By what a request is decided: the configuration of the moment at which it was made, whatever comes meanwhile."""

    rules: Rules
    situation: Callable[[bool], Situation]
    """How things stand at the door when it is called, given whether the card or reader is locked out."""


class Access:
    """Answers requests; one for the whole board, since lock-outs and guessing are the site's."""

    def __init__(
        self,
        *,
        roster: RosterAccess,
        recorder: Recorder,
        times: AnswerTimes,
        lockouts: Lockouts,
        guessing: GuessingWindow,
        on_slow_storage: Callable[[], None],
    ) -> None:
        self._roster, self._recorder, self._times = roster, recorder, times
        self._lockouts, self._guessing = lockouts, guessing
        self._on_slow_storage = on_slow_storage
        self._coalescers: dict[ReaderName, Coalescer] = {}
        self._cards = {c.key: None for c in lockouts.counters(clock.monotonic()) if c.key.startswith(ANY_CARD)}
        """Those whose counters are stored, nearly in the order in which they give way."""
        self._granting: Tally[DoorName] = Tally()
        self.late_slots = 0
        """Entries that a busy board moved to a later slot."""

    def follow(self, policy: LockoutPolicy, guessing_alarm: int) -> None:
        """Count by another policy from now on; counters and lock-outs stay."""
        self._lockouts.follow(policy)
        self._guessing.follow(guessing_alarm)

    async def answer(self, request: Request, place: Place, ruling: Ruling) -> Decision:
        """The decision, returned at the moment it is to be shown; how things stand is asked at the slot."""
        found = await self._roster.find(request)
        with_code = request.code is not None
        ready = clock.monotonic()
        slot = self._times.slot(request.at, with_code=with_code, now=ready)
        self.late_slots += slot > self._times.slot(request.at, with_code=with_code, now=request.at)
        await until(slot)
        decision, recording = self._decide(request, found, place, ruling)
        with self.granting(place.door) if isinstance(decision, Granted) else nullcontext():
            await self.settle(recording, slot)
        return decision  # whoever awaits this releases the strike before anything else can run

    @contextmanager
    def granting(self, door: DoorName) -> Iterator[None]:
        """From the decision until the strike is released: no door of its interlock may be granted meanwhile."""
        self._granting[door] += 1
        try:
            yield
        finally:
            self._granting[door] -= 1

    def is_granting(self, door: DoorName) -> bool:
        """Whether the door is about to be released, though its machine does not know yet."""
        return self._granting[door] > 0

    async def refuse(self, reason: Reason, at: Monotonic, place: Place) -> None:
        """An entry that never became a request: recorded and answered like every other denial."""
        slot = self._times.slot(at, with_code=False, now=clock.monotonic())
        await until(slot)
        wall = clock.wall()
        if self._coalescer(place.reader).tell_alone(reason, clock.monotonic(), wall):
            log = LogRow(
                wall=wall, event="access", door=place.door, reader=place.reader,
                outcome=Outcome.DENIED, reason=reason,
            )  # fmt: skip
            draft = Draft(
                kind=Kind.ACCESS, outcome=Outcome.DENIED, reason=reason, door=place.door, reader=place.reader, log=log
            )
            recording = self._recorder.record(draft)
        else:
            recording = self._only_counted(place, {})
        await self.settle(recording, slot)

    def flush(self, now: Monotonic) -> None:
        """Record what was only counted, where its window is over."""
        for reader, coalescer in self._coalescers.items():
            self._record_counted(reader, coalescer.on_deadline(now))

    def flush_all(self) -> None:
        """Record what was only counted: the process ends."""
        for reader, coalescer in self._coalescers.items():
            self._record_counted(reader, coalescer.take())

    def _decide(self, request: Request, found: Found, place: Place, ruling: Ruling) -> tuple[Decision, Recording]:
        now = clock.monotonic()
        key = self._lockout_key(request, found, place)
        locked_out = key is not None and self._lockouts.locked_out(key, now)
        match = found.row.match if found.row is not None else None
        situation = self._with_grants(ruling.situation(locked_out))
        decision = decide(match=match, situation=situation, rules=ruling.rules)
        lockouts = self._count(key, found, decision.reason, now)
        reason = decision.reason if found.readable else Reason.FAULT
        recording = self._record(decision, reason, found, place, lockouts)
        if key is not None and found.readable and is_guess(decision.reason):
            self._count_guess(now)
        return decision, recording

    def _with_grants(self, situation: Situation) -> Situation:
        if isinstance(situation, Interlocked) and any(map(self.is_granting, situation.others)):
            return replace(situation, interlock=True)
        return situation

    def _lockout_key(self, request: Request, found: Found, place: Place) -> LockoutKey | None:
        """Only codes are counted: a card is either there or not, and cannot be guessed at a reader."""
        if request.code is None:
            return None
        return reader_key(place.reader) if found.card is None else card_key(found.card)

    def _record(
        self, decision: Decision, reason: Reason, found: Found, place: Place, lockouts: dict[bytes, Plain]
    ) -> Recording:
        wall, now = clock.wall(), clock.monotonic()
        if decision.reason is Reason.NO_MATCH and not self._coalescer(place.reader).tell_alone(reason, now, wall):
            return self._only_counted(place, lockouts)
        log = LogRow(
            wall=wall, event="access", door=place.door, reader=place.reader, holder=decision.holder,
            outcome=decision.outcome, reason=reason,
        )  # fmt: skip
        return self._recorder.record(
            Draft(
                kind=Kind.ACCESS,
                outcome=decision.outcome,
                reason=reason,
                flags=Flag.MATCHED if found.row is not None else Flag(0),
                door=place.door,
                reader=place.reader,
                token=found.row.token if found.row is not None else None,
                row_tag=found.row_tag,
                log=log,
                lockouts=lockouts,
                weight_matched=False if decision.reason in BLIND else None,
            )
        )

    def _only_counted(self, place: Place, lockouts: dict[bytes, Plain]) -> Recording:
        """Always something to write, or a slow disk would be waited for by none but those who matched."""
        count = self._coalescer(place.reader).count
        return self._recorder.remember(lockouts | {COUNTED_PREFIX + place.reader.encode(): count})

    def _count(self, key: LockoutKey | None, found: Found, reason: Reason, now: Monotonic) -> dict[bytes, Plain]:
        """Count the code, and what is to be stored of it. In lockdown none counts: a right one must not tell."""
        if key is None:
            return {}
        if not found.readable or reason is Reason.LOCKDOWN:
            return self._lockout_entry(key, now)
        (self._lockouts.wrong if found.row is None else self._lockouts.right)(key, now)
        return self._lockout_entry(key, now) | self._evicted(key, now)

    def _evicted(self, key: LockoutKey, now: Monotonic) -> dict[bytes, Plain]:
        """What gave way to the card that was counted last; on the disk it goes as well."""
        self._cards.pop(key, None)
        if not key.startswith(ANY_CARD) or not self._lockouts.counter(key, now).wrong:
            return {}
        self._cards[key] = None
        if len(self._cards) <= CARD_KEYS:
            return {}
        gone = next((card for card in self._cards if not self._lockouts.counter(card, now).wrong), None)
        if gone is None:
            return {}
        del self._cards[gone]
        return {LOCKOUT_PREFIX + gone: None}

    def _lockout_entry(self, key: LockoutKey, now: Monotonic) -> dict[bytes, Plain]:
        counter = self._lockouts.counter(key, now)
        plain: Plain = [counter.wrong, int(counter.remaining)] if counter.wrong else None
        return {LOCKOUT_PREFIX + key: plain}

    def _count_guess(self, now: Monotonic) -> None:
        for alarm in self._guessing.wrong(now):
            detail = GuessingDetail(wrong_codes=alarm.wrong_codes, window_s=alarm.window // SECOND)
            log = LogRow(wall=clock.wall(), event="guessing", count=alarm.wrong_codes)
            self._recorder.record(Draft(kind=Kind.GUESSING, detail=detail.encode(), log=log))

    def _record_counted(self, reader: ReaderName, counts: tuple[Counted, ...]) -> None:
        door = reader.partition("/")[0]
        for counted in counts:
            log = LogRow(
                wall=clock.wall(), event="access", door=door, reader=reader, outcome=Outcome.DENIED,
                reason=counted.reason, count=counted.count,
            )  # fmt: skip
            self._recorder.record(
                Draft(
                    kind=Kind.ACCESS,
                    outcome=Outcome.DENIED,
                    reason=counted.reason,
                    count=counted.count,
                    door=door,
                    reader=reader,
                    detail=CoalescedDetail(first=counted.first).encode(),
                    log=log,
                    lockouts={COUNTED_PREFIX + reader.encode(): None},
                )
            )

    def _coalescer(self, reader: ReaderName) -> Coalescer:
        return self._coalescers.setdefault(reader, Coalescer())

    async def settle(self, recording: Recording, slot: Monotonic) -> None:
        """Return when the answer may be shown: committed and at its time, or at the bound with the courier's word."""
        await asyncio.wait({recording.committed}, timeout=seconds_until(Monotonic(slot + COMMIT_BOUND)))
        if not recording.committed.done():
            await self._recorder.hold(recording, Monotonic(slot + ANSWER_BOUND))
            self._on_slow_storage()
        await until(Monotonic(slot + COMMIT_ALLOWANCE))


def stored_counters(stored: Mapping[bytes, Plain]) -> list[Counter]:
    """The journal's values as counters again; what is none is left out (it can only make a lock-out shorter)."""
    counters = []
    for key, plain in stored.items():
        match plain:
            case [int(wrong), int(remaining)] if key.startswith(LOCKOUT_PREFIX):
                lockout_key = LockoutKey(key.removeprefix(LOCKOUT_PREFIX))
                counters.append(Counter(key=lockout_key, wrong=wrong, remaining=Duration(remaining)))
            case _:
                continue
    return counters


def is_guess(reason: Reason) -> bool:
    """Whether a code that was answered so counts for the guessing alarm; at a lock-out every one does."""
    return reason in {Reason.NO_MATCH, Reason.LOCKED_OUT}


def seconds_until(moment: Monotonic) -> float:
    """From now; never negative."""
    return max(0, moment - clock.monotonic()) / SECOND


async def until(moment: Monotonic) -> None:
    """Return at or just after a moment of the monotonic clock, never before it."""
    loop = asyncio.get_running_loop()
    while (wait_s := seconds_until(moment)) > 0:
        reached = loop.create_future()
        timer = loop.call_later(wait_s, reached.set_result, None)
        try:
            await reached
        finally:
            timer.cancel()
