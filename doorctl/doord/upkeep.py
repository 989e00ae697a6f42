"""What doord does once a second and now and then: look at the roster, schedules, faults; tidy the journal; watchdog.

Nothing here is on a card's way. The watchdog is told only while the loop turns and every thread that is on one lives
and moves, or waits for a disk (pulse.py).
"""

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from doorctl.core.types import SECOND, Duration, Monotonic, WallTime
from doorctl.doord import clock
from doorctl.doord.pulse import STILL, Verdict
from doorctl.doord.status_line import status_line
from doorctl.errors import InternalError, StorageError
from doorctl.sdnotify import StatusTeller, notify, watchdog_period
from doorctl.wire.handoff import PathState
from hal.errors import HalError

if TYPE_CHECKING:
    from doorctl.doord.runtime import Doord

_LOG: Final = logging.getLogger("doord")
TICK_S: Final = 1.0
QUIET: Final = Duration(2 * SECOND)
"""Without a new record before the journal's log is folded into its file."""
WAL_WORTH: Final = 256 * 1024
"""Bytes; less is not worth a checkpoint, which wears a card."""
WAL_MOST: Final = 16 * 1024 * 1024
"""Bytes; above that the log is folded in the next gap between two groups, quiet or not."""
LOOK_EVERY: Final = 64
"""Records between two looks at its size while nothing is quiet: a few hundred of them fill it."""
PRUNE_EVERY: Final = Duration(600 * SECOND)
STEPS: Final = 8
"""Of telling a large change, some two seconds, between two looks for another one: fresh records name the newest."""
PATH_GRACE: Final = Duration(60 * SECOND)
_NOTHING_IS_OLD: Final = WallTime(0)


class Upkeep:
    """The tick."""

    def __init__(self, doord: "Doord") -> None:
        self._doord = doord
        self._last_waiting = clock.monotonic()
        self._last_sequence = 0
        self._looked = 0
        self._pruned = clock.monotonic()
        self._path_lost: Monotonic | None = clock.monotonic()
        self._checkpointing: asyncio.Task[None] | None = None
        self._enrolling: asyncio.Task[None] | None = None
        self._doubt_written = doord.time_doubt.is_set()
        self._marking: asyncio.Task[None] | None = None
        self._status = StatusTeller()
        self._threads = (doord.journal_thread, *doord.roster.threads)

    async def run(self) -> None:
        """For ever."""
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)

    def tick(self) -> None:
        """One second's work; what may take longer (the digest of a large roster) goes on beside it."""
        doord, now = self._doord, clock.monotonic()
        if self._enrolling is None or self._enrolling.done():
            self._enrolling = doord.spawn(self._enrolled(), name="roster")
        doord.schedule_doors()
        for door in doord.doors.values():
            door.tell_strike_again()
            door.look_again()
        doord.access.flush(now)
        self._faults(now)
        if self._doubt_written is doord.clock.trusted and (self._marking is None or self._marking.done()):
            self._marking = doord.spawn(self._mark_doubt(not doord.clock.trusted), name="time-unknown")
        self._tidy(now)
        self.tell_status()
        self._watch(now)

    def tell_status(self) -> None:
        """The line of `systemctl status`, where it changed."""
        shown = [(name, door.machine.status) for name, door in self._doord.doors.items()]
        self._status.tell(status_line(shown, self._doord.faults.shown()))

    async def _enrolled(self) -> None:
        """What enrolment wrote since the last look, and the monitor is to be told."""
        while True:
            await self._doord.roster.refresh()
            for _ in range(STEPS):
                if not await self._doord.registrar.step():
                    return

    def _faults(self, now: Monotonic) -> None:
        doord = self._doord
        doord.faults.set("roster", doord.roster.damage)
        if (recovered := doord.journal.recovered) is not None:
            aside = recovered.moved_to.name
            doord.faults.set("journal", f"was damaged and moved to {aside}; a new one was begun")
        doord.faults.set("clock", None if doord.clock.trusted else "the time is not trusted")
        if doord.link.path is PathState.CONNECTED:
            self._path_lost = None
        elif self._path_lost is None:
            self._path_lost = now
        lost = self._path_lost is not None and now - self._path_lost > PATH_GRACE
        doord.faults.set("courier", f"no way to the monitor ({path_words(doord.link.path)})" if lost else None)

    async def _mark_doubt(self, doubt: bool) -> None:  # noqa: FBT001  the mark's one bit
        """Whether the clock is trusted outlives a restart: one that was wrong is no better for it."""
        with suppress(StorageError):  # the door stays as it is: tried again at the next tick
            await self._doord.journal_thread.call(self._doord.time_doubt.write, on=doubt)
            self._doubt_written = doubt

    def _tidy(self, now: Monotonic) -> None:
        recorder = self._doord.recorder
        if recorder.waiting or recorder.sequence != self._last_sequence:
            self._last_waiting, self._last_sequence = now, recorder.sequence
        if recorder.storage_failed or (self._checkpointing is not None and not self._checkpointing.done()):
            return
        tidy = self._fold(now) if now - self._last_waiting > QUIET else self._fold_busy(now)
        self._checkpointing = self._doord.spawn(tidy, name="checkpoint")

    async def _fold(self, now: Monotonic) -> None:
        doord, thread = self._doord, self._doord.journal_thread
        try:
            if now - self._pruned > PRUNE_EVERY:
                self._pruned = now
                while not doord.recorder.waiting and await thread.call(self._prune) > 0:
                    pass
            if await thread.call(doord.journal.wal_size) > WAL_WORTH:
                await thread.call(doord.journal.checkpoint)
        except StorageError:
            pass  # the door stays as it is: the next append says what is wrong

    async def _fold_busy(self, now: Monotonic) -> None:
        """While records keep coming: only what must be, a step at a time, and nothing that a record waits behind."""
        doord, thread = self._doord, self._doord.journal_thread
        try:
            if doord.recorder.sequence - self._looked >= LOOK_EVERY and await self._gap():
                self._looked = doord.recorder.sequence
                if await thread.call(doord.journal.wal_size) > WAL_MOST and await self._gap():
                    await thread.call(doord.journal.fold)
            if now - self._pruned > PRUNE_EVERY and await self._gap():
                more = await thread.call(self._prune) > 0
                self._pruned = self._pruned if more else now
        except StorageError:
            pass  # the door stays as it is: the next append says what is wrong

    def _prune(self) -> int:
        """What is past its time goes only by a clock that the monitor confirmed; what is too much goes anyway."""
        doord, now = self._doord, clock.wall()
        by = now if doord.clock.confirmed(now, clock.monotonic()) else _NOTHING_IS_OLD
        return doord.journal.prune(by, keep_log=doord.site.config.log.keep)

    async def _gap(self) -> bool:
        """Whether there was a moment, within a second, at which no record waits for the disk."""
        for _ in range(20):
            if not self._doord.recorder.waiting:
                return True
            await asyncio.sleep(TICK_S / 20)
        return False

    def _watch(self, now: Monotonic) -> None:
        """Say that doord lives, or end it: systemd starts it again, and its strikes are secured meanwhile."""
        doord = self._doord
        try:
            unheard = doord.board.chip.unheard_for(doord.board.chip.clock()) >= STILL
        except HalError as error:
            # the doors secure: every input is deaf, the way out by REX among them, until doord is started again
            raise InternalError(str(error)) from error
        digest = doord.roster.digest_thread
        verdict = digest.look(now)
        # not its end: a restart would secure every door, and begin the same digest again
        doord.faults.set(f"thread {digest.name}", None if verdict is Verdict.WELL else verdict.value)
        verdicts = {f"thread {thread.name}": thread.look(now) for thread in self._threads}
        if verdicts[f"thread {doord.journal_thread.name}"] is Verdict.DISK:
            doord.recorder.slow()
        stuck = [name for name, verdict in verdicts.items() if verdict in {Verdict.STUCK, Verdict.DEAD}]
        if unheard:
            stuck.append("the thread of the gpio edges")
        if watchdog_period() is None:
            return  # nobody would start it again
        if stuck:
            self._trigger(f"{', '.join(stuck)}: stuck")
        else:
            notify("WATCHDOG=1")

    def _trigger(self, why: str) -> None:
        """An end in order would wait for what is stuck: systemd makes it now, or when it hears nothing any more."""
        _LOG.critical("%s; doord is started again", why)
        notify("WATCHDOG=trigger")
        self._doord.fail(InternalError(why))


def path_words(path: PathState) -> str:
    """A PathState as people read it."""
    return path.name.lower().replace("_", " ")
