"""What the control socket can ask: status, unlock, lockdown, the next card, a path test. Each right is named here.

Every act of a person is a record that names the uid. Answers say nothing of codes, cards (but the one being enrolled,
to those who may enrol) or tokens.
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from doorctl.config import types as config_types
from doorctl.config.digest import config_digest
from doorctl.core.events import Grant, HoldUnlocked, Lockdown, Restore
from doorctl.core.types import SECOND, DoorName
from doorctl.doord import clock
from doorctl.doord.answer import COMMIT_ALLOWANCE
from doorctl.doord.control import Answer, Caller, Operation, Right
from doorctl.doord.door_unit import DoorUnit
from doorctl.doord.drafts import Draft, Recording
from doorctl.doord.reader_operations import ReaderOperations, wiring_facts
from doorctl.doord.reader_unit import ReaderUnit
from doorctl.doord.requests import only, shown_card, waiting
from doorctl.doord.upkeep import path_words
from doorctl.errors import MalformedError, OperatorError
from doorctl.journal.rows import LogRow
from doorctl.wire.detail import BY_SIGNAL, Act, OperatorDetail, TestDetail
from doorctl.wire.record import Kind

if TYPE_CHECKING:
    from doorctl.doord.runtime import Doord

LONGEST_UNLOCK_S: Final = 3600


class Operations:
    """The operations of one daemon."""

    def __init__(self, doord: "Doord") -> None:
        self._doord = doord
        self._relocks: dict[DoorName, asyncio.TimerHandle] = {}

    def table(self) -> Mapping[str, tuple[Right, Operation]]:
        """Name → right and operation."""
        return {
            "status": (Right.READ, self.status),
            "unlock": (Right.OPERATE, self.unlock),
            "lockdown": (Right.OPERATE, self.set_lockdown),
            "test-alarm": (Right.OPERATE, self.test_alarm),
            "next-card": (Right.ENROL, self.next_card),
            "reload": (Right.OPERATE, self._doord.reload.asked),
            **ReaderOperations(self._doord, self.done, self.reader).table(),
        }

    async def status(self, _: Caller, request: Mapping[str, Any]) -> Answer:
        """Everything `doorctl status` shows."""
        only(request)
        doord = self._doord
        link = doord.link
        return {
            "site": doord.site.config.site.id,
            "controller": doord.site.keys.controller.hex(),
            "keys": f"keys in {doord.site.keys.kept_in}",
            "configuration": config_digest(doord.site.config),
            "configuration_since": doord.reload.since // SECOND,
            "configuration_refused": None if doord.reload.refusal is None else doord.reload.refusal.shown(),
            "monitor": doord.site.monitor.fingerprint,
            "simulated": doord.site.keys.simulated,
            "colocated": doord.site.colocated,
            "lockdown": doord.lockdown.is_set(),
            "time_trusted": doord.clock.trusted,
            "doors": [self._door(name, unit) for name, unit in doord.doors.items()],
            "spool": self._spool(),
            "path": {
                "state": path_words(link.path) if link.connected else "no courier",
                **{f"courier_{name}": count for name, count in asdict(link.counters).items()},
            },
            "control": {"refused": doord.control.refused},
            "roster": {"holders": doord.roster.holders, "generation": doord.roster.facts.generation},
            "answer_ms": {
                "card": (doord.times.card_work + COMMIT_ALLOWANCE) // 1_000_000,
                "code": (doord.times.code_work + COMMIT_ALLOWANCE) // 1_000_000,
                "late": doord.access.late_slots,
            },
            "faults": doord.faults.shown(),
        }

    async def unlock(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """Release a strike for its usual time, or hold it released for `seconds`."""
        only(request, "door", "seconds")
        unit = self._unit(request.get("door"))
        seconds = request.get("seconds")
        if seconds is not None and not (
            isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds <= LONGEST_UNLOCK_S
        ):
            raise MalformedError(f"unlock: expected seconds from 0 to {LONGEST_UNLOCK_S}, got {seconds!r}")
        with self._doord.access.granting(unit.name):
            self._refuse_unlock(unit)
            await self.done(caller, Act.UNLOCK, f"unlock {unit.name}", door=unit.name)
            self._refuse_unlock(unit)  # lockdown may have begun meanwhile, or another door been opened
            if seconds is None:
                unit.receive(Grant())
                return {"door": unit.name, "seconds": self._release_s(unit.name)}
            unit.receive(HoldUnlocked())
            self._relock_later(unit, seconds)
            return {"door": unit.name, "seconds": seconds}

    async def set_lockdown(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """Begin or end the lockdown of every door; it survives a restart."""
        only(request, "on")
        on = request.get("on")
        if not isinstance(on, bool):
            raise MalformedError("lockdown: expected on to be true or false")
        for unit in self._doord.doors.values():
            self._cancel_relock(unit.name)
            unit.receive(Lockdown() if on else Restore())
        act = Act.LOCKDOWN if on else Act.RESTORE
        await self.done(caller, act, "lockdown begins" if on else "lockdown ends")
        await self._doord.journal_thread.call(self._doord.lockdown.write, on=on)
        return {"lockdown": on}

    def restore_lockdown(self) -> None:
        """At start: the order that stood when the process ended stands again."""
        if self._doord.lockdown.is_set():
            for unit in self._doord.doors.values():
                unit.receive(Lockdown())

    async def test_alarm(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """A path test: a record like every other, and its receipt awaited."""
        only(request, "wait_s")
        wait_s = waiting(request)
        nonce = os.urandom(16)
        log = LogRow(wall=clock.wall(), event="path test", detail=f"{nonce.hex()[:8]} by uid {caller.uid}")
        begun = clock.monotonic()
        recording = self._doord.recorder.record(
            Draft(kind=Kind.TEST, detail=TestDetail(nonce=nonce).encode(), log=log)
        )  # fmt: skip
        receipted = await self._receipted(recording, wait_s)
        return {
            "number": nonce.hex()[:8],
            "receipted": receipted,
            "milliseconds": (clock.monotonic() - begun) // 1_000_000,
        }

    async def next_card(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """The next card at a door's reader, which then opens nothing; no longer once the caller hung up."""
        only(request, "door", "wait_s")
        reader = self.reader(request.get("door"))
        card = await shown_card(caller, reader, request)
        return {"reader": reader.place.reader, "length": card.length, "raw": str(card.raw)}

    async def done(self, caller: Caller, act: Act, words: str, *, door: str = "") -> None:
        """Record what a person did, durably, before it is carried out or answered."""
        who = "a signal" if caller.uid == BY_SIGNAL else f"uid {caller.uid}"
        log = LogRow(wall=clock.wall(), event="operator", door=door, detail=f"{words}, by {who}")
        detail = OperatorDetail(act=act, uid=caller.uid).encode()
        recording = self._doord.recorder.record(Draft(kind=Kind.OPERATOR, door=door, detail=detail, log=log))
        await self._doord.access.settle(recording, clock.monotonic())

    async def _receipted(self, recording: Recording, wait_s: float) -> bool:
        waiter = self._doord.receipts.waiter(recording.hash)
        await asyncio.wait({waiter}, timeout=wait_s)
        self._doord.receipts.forget_waiter(recording.hash)
        return waiter.done()

    def _relock_later(self, unit: DoorUnit, seconds: float) -> None:
        self._cancel_relock(unit.name)
        loop = asyncio.get_running_loop()
        self._relocks[unit.name] = loop.call_later(seconds, unit.receive, Restore())

    def _cancel_relock(self, door: DoorName) -> None:
        if timer := self._relocks.pop(door, None):
            timer.cancel()

    def _refuse_unlock(self, unit: DoorUnit) -> None:
        """OperatorError in lockdown, and while another door of the interlock is open, released or about to be."""
        refuse_in_lockdown(unit)
        for other in self._configured(unit.name).interlock:
            unit_of_other = self._doord.doors[other]
            status = unit_of_other.machine.status
            if not status.at_rest:
                state = status.state
            elif not unit_of_other.at_rest:
                state = "not known to be closed"
            elif self._doord.access.is_granting(other):
                state = "about to be released"
            else:
                continue
            raise OperatorError(
                f"{unit.name}: interlocked with {other}, which is {state}",
                hint=f"unlock {unit.name} when {other} is closed and secured",
            )

    def _release_s(self, door: DoorName) -> float:
        return self._configured(door).strike.release / SECOND

    def _configured(self, name: DoorName) -> config_types.Door:
        return next(door for door in self._doord.site.config.doors if door.name == name)

    def _unit(self, untrusted_name: object) -> DoorUnit:
        for name, unit in self._doord.doors.items():
            if name == untrusted_name:
                return unit
        raise OperatorError(f"there is no door {untrusted_name!r}", hint=f"doors: {', '.join(self._doord.doors)}")

    def reader(self, untrusted_name: object) -> ReaderUnit:
        """By its name or its door's; OperatorError names those that there are."""
        readers = [reader for unit in self._doord.doors.values() for reader in unit.readers]
        for reader in readers:
            if untrusted_name in (reader.place.reader, reader.place.door):
                return reader
        names = ", ".join(reader.place.reader for reader in readers)
        raise OperatorError(f"there is no reader at {untrusted_name!r}", hint=f"readers: {names}")

    def _spool(self) -> dict[str, Any]:
        recorder, receipts = self._doord.recorder, self._doord.receipts
        oldest = recorder.status.oldest
        return {
            "pending": recorder.pending,
            "waiting_for_disk": recorder.waiting,
            "oldest": None if oldest is None else oldest.wall // SECOND,
            "epoch": recorder.epoch.hex(),
            "head": recorder.sequence,
            "refused_by_monitor": receipts.refused,
            "forged_receipts": receipts.forged,
            "receipts_for_nothing": receipts.for_nothing,
            "wishes_cut": receipts.wishes_cut,
            "gave_way": recorder.gave_way,
            "nowhere": recorder.nowhere,
        }

    def _door(self, name: DoorName, unit: DoorUnit) -> dict[str, Any]:
        status = unit.machine.status
        return {
            "name": name,
            "state": status.state,
            "lock": status.lock.value,
            "leaf": status.leaf.value,
            "released": status.released,
            "light": status.light.value,
            "readers": [
                {
                    "name": reader.place.reader,
                    "state": reader.state,
                    **wiring_facts(reader, self._doord.ring),
                    "counters": reader.reader.counters(),
                    "dropped": reader.dropped,
                }
                for reader in unit.readers
            ],
        }


def refuse_in_lockdown(unit: DoorUnit) -> None:
    """OperatorError while the door is in lockdown, which only its end may end."""
    if unit.machine.status.lockdown:
        raise OperatorError(f"{unit.name}: lockdown is on", hint="`doorctl lockdown off` ends it")
