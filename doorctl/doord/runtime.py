"""doord: one event loop, a few named threads, and everything assembly.py made, started in order and supervised.

An unexpected exception in a task or callback ends the process, and systemd starts it again: strikes are secured by
closing them, people get out without software, and every record is in the journal or in the courier's memory.
"""

import asyncio
import logging
import os
import pwd
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

from doorctl.core.door import Door
from doorctl.core.entry import Entry
from doorctl.core.lockout import GuessingWindow, Lockouts
from doorctl.core.schedule import unlock_in_force
from doorctl.core.types import DoorName
from doorctl.doord import answer, clock
from doorctl.doord.access import Access, Place, stored_counters
from doorctl.doord.assembly import DoorPins, Site, claim_pins, door_policy, lockout_policy, rules
from doorctl.doord.control import ControlServer
from doorctl.doord.door_unit import DoorUnit
from doorctl.doord.drafts import Draft
from doorctl.doord.faults import Faults
from doorctl.doord.handoff import CourierLink
from doorctl.doord.key_ring import KeyRing
from doorctl.doord.line_speeds import LineSpeeds
from doorctl.doord.lookup import RosterAccess
from doorctl.doord.mark import Mark
from doorctl.doord.operations import Operations
from doorctl.doord.reader_unit import ReaderUnit
from doorctl.doord.receipts import Receipts
from doorctl.doord.recorder import Recorder
from doorctl.doord.registrar import Registrar
from doorctl.doord.reload import Reload
from doorctl.doord.situations import Situations
from doorctl.doord.strike_lines import StrikesLeft
from doorctl.doord.upkeep import Upkeep
from doorctl.doord.worker import WorkerThread
from doorctl.errors import StorageError
from doorctl.journal.journal import Journal
from doorctl.journal.rows import LogRow
from doorctl.sdnotify import notify
from doorctl.seal.reader_keys import ReaderKeyStore
from doorctl.wire.detail import FaultCode, FaultDetail
from doorctl.wire.handoff import PathState
from doorctl.wire.record import Flag, Kind
from hal.errors import HalError
from hal.mock_socket import MockSocket
from hal.osdp.reader import OsdpReader
from hal.ports import Contact

_LOG: Final = logging.getLogger("doord")
COURIER_USER: Final = "doorctl-courier"


class Doord:
    """A whole door daemon. `start()`, then `run_until_stopped()`, then `close()`."""

    def __init__(self, site: Site) -> None:
        """Claims pins, strikes first, and opens files; DoorctlError where one cannot be had, and the process ends."""
        self.site = site
        config, paths = site.config, site.paths
        self.faults = Faults(self._record_fault)
        self.journal_thread = WorkerThread("journal")
        self.ring = KeyRing(
            ReaderKeyStore(paths.reader_keys, site.keys),
            simulated=site.keys.simulated,
            on_disk=self.journal_thread.call,
            spawn=self.spawn,
            fault=self.faults.set,
        )
        self._strikes_left = StrikesLeft(paths.strikes)
        self.board, self._pins = claim_pins(config, self.ring, self._strikes_left.before_claiming)
        self.speeds = LineSpeeds(self.board.lines, self.spawn)
        self.roster = RosterAccess(paths.roster, site.keys.lookup)
        self.journal = Journal.standing(paths.journal)
        self.clock = clock.WallClock(config.site.timezone)
        marks = paths.journal.parent
        self.time_doubt = Mark(marks / "time-unknown", unwritten="a restart would believe the clock again")
        with suppress(StorageError):  # the door stays as it is: a clock that nothing contradicts is believed
            self.clock.journal_ends_at(self.journal.last_wall(), clock.wall())
        if self.time_doubt.is_set():
            self.clock.doubted_before()
        self.lockdown = Mark(
            marks / "lockdown", unwritten="the order is carried out, and a restart would forget it"
        )  # fmt: skip
        self.link = CourierLink(
            allowed_uids=courier_uids(),
            on_receipt=lambda untrusted: self.receipts.take(untrusted),  # noqa: PLW0108  made after the link
            on_backlog_wanted=lambda most: self.receipts.backlog(most),  # noqa: PLW0108  made after the link
            on_supervision_wanted=self._supervision,
            on_path=self._path_changed,
        )
        self.recorder = Recorder(
            keys=self.site.keys,
            monitor=self.site.monitor.keys,
            journal=self.journal,
            thread=self.journal_thread,
            link=self.link,
            facts=lambda: self.roster.facts,
            standing_flags=self._standing_flags,
            fault=self.faults.set,
            on_made=lambda hash_, made: self.receipts.made(hash_, made),  # noqa: PLW0108  made after the recorder
            spawn=self.spawn,
        )
        self.receipts = Receipts(
            controller=self.site.keys.controller,
            monitor=self.site.monitor.keys,
            journal=self.journal,
            thread=self.journal_thread,
            recorder=self.recorder,
            wall_clock=self.clock,
            spawn=self.spawn,
        )
        self.registrar = Registrar(self.roster, self.recorder, self._sent_generation())
        self.doors: dict[DoorName, DoorUnit] = {}
        self.started = False
        """Every door is served."""
        self._stopped = asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticking: asyncio.Task[None] | None = None
        """Feeds the watchdog."""
        self._last_words: list[Callable[[], None]] = []
        """What is still to be recorded at the end."""
        self._closing = AsyncExitStack()

    async def start(self) -> None:
        """Everything up, in the order in which each part needs the one before it."""
        asyncio.get_running_loop().set_exception_handler(self._loop_failed)
        paths = self.site.paths
        for closer in (self._close_files, self.receipts.close):
            self._closing.push_async_callback(closer)
        self.recorder.start()
        self.access = await self._make_access()
        self._last_words.append(self.access.flush_all)
        paths.run.mkdir(parents=True, exist_ok=True)
        await self.link.start(paths.courier_socket)
        self._closing.push_async_callback(self.link.close)
        self._make_doors()
        self.reload = Reload(self)
        self._closing.callback(self.reload.close)
        self.operations = Operations(self)
        self.control = ControlServer(paths.control_socket, self.operations.table())
        await self.control.start()
        self._closing.push_async_callback(self.control.close)
        if self.board.mock is not None:
            mock_socket = MockSocket(self.board, paths.mock_socket)
            await mock_socket.start()
            self._closing.push_async_callback(mock_socket.close)
        for door in self.doors.values():
            door.start()
        self.operations.restore_lockdown()
        self.ring.tell_unread()
        if (wrong := self._strikes_left.wrong) is not None:
            left = f"{wrong}: should doord be killed, strikes are secured by the configuration as it is then"
            self.faults.set("strikes", left)
        self.speeds.begin()
        self.upkeep = Upkeep(self)
        self._ticking = self.spawn(self.upkeep.run(), name="upkeep")
        self.started = True
        notify("READY=1")
        count = len(self.doors)
        _LOG.info("ready: %d %s, %s", count, "door" if count == 1 else "doors", self.board.label)

    def stop(self) -> None:
        """A clean end was asked for."""
        self._stopped.set()

    def hang_up(self) -> None:
        """SIGHUP: read the configuration again; before the start is over it is being read anyway."""
        if self.started:
            self.reload.signalled()

    async def run_until_stopped(self) -> None:
        """Return at a clean end; raise what broke the process otherwise."""
        await self._stopped.wait()
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """Secure every strike first, then let go of everything else, the last made first; also after half a start.

        What does not close keeps nothing else open; an error of a file or socket is raised at the end.
        """
        notify("STOPPING=1")
        self._starve_watchdog()
        for door in self.doors.values():
            _close_anyway(f"door {door.name}", door.close)
        _close_anyway("the board", self.board.close)
        self._strikes_left.given_back(pins.strike for pins in self._pins)
        self._closing.push_async_callback(self._cancel_tasks)
        self._closing.push_async_callback(self.recorder.close)
        for last_words in self._last_words:
            last_words()
        await self._closing.aclose()

    async def _cancel_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _sent_generation(self) -> int:
        try:
            return self.journal.sent_generation()
        except StorageError:
            # the door stays as it is: the registrations are recorded again, and the monitor knows them
            return 0

    async def _close_files(self) -> None:
        await self.roster.close()
        await self.journal_thread.call(self.journal.close)
        self.journal_thread.stop()

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """A supervised task: what it raises ends the process."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)
        return task

    def schedule_doors(self) -> None:
        """Apply the unlock schedules as they are now."""
        local = self.clock.local(clock.wall())
        for door in self.site.config.doors:
            unlocked = unlock_in_force(door.unlock_schedule, self.rules.calendar, local)
            self.doors[door.name].schedule(unlocked=unlocked)

    async def _make_access(self) -> Access:
        config = self.site.config
        lockouts = Lockouts(lockout_policy(config.lockout))
        with suppress(StorageError):  # the door stays as it is: it counts from nothing rather than not at all
            lockouts.restore(stored_counters(self.journal.load_lockouts()), clock.monotonic())
        self.times = answer.calibrated(await self.roster.slowest_stretch())
        return Access(
            roster=self.roster,
            recorder=self.recorder,
            times=self.times,
            lockouts=lockouts,
            guessing=GuessingWindow(threshold=config.lockout.guessing_alarm),
            on_slow_storage=self.recorder.slow,
        )

    def _make_doors(self) -> None:
        self.rules = rules(self.site.config)
        self.situations = Situations(self.clock, self.site.config, self.rules, self.doors)
        for pins in self._pins:
            unit = self._door_unit(pins)
            self.doors[pins.door.name] = unit
            for reader, port, indicator in pins.readers:
                if isinstance(port, OsdpReader):
                    unit.add_tamper(port.tamper, reader.name)
                unit.readers.append(
                    ReaderUnit(
                        place=Place(door=pins.door.name, reader=reader.name),
                        reader=port,
                        indicator=indicator,
                        entry=Entry(code_length=self._code_length(), code_window=reader.code_window),
                        access=self.access,
                        mode=self.situations.mode_of(reader.name),
                        ruling=self.situations.ruling_at(pins.door.name),
                        granted=unit.grant,
                        changed=unit.arm,
                        fault=self.faults.set,
                        spawn=self.spawn,
                    )
                )

    def _code_length(self) -> int:
        """The roster's, whose codes were drawn by it; the configuration's while the roster cannot be read."""
        parameters = self.roster.parameters
        return self.site.config.codes.length if parameters is None else parameters.code_length

    def _door_unit(self, pins: DoorPins) -> DoorUnit:
        door = pins.door
        open_now = _open_now(pins.contact)
        unit = DoorUnit(
            name=door.name,
            machine=Door(door_policy(door), found_open=clock.monotonic() if open_now else None),
            strike=pins.strike,
            recorder=self.recorder,
            fault=self.faults.set,
        )
        if pins.rex is not None:  # before the contact: where both settle at once, the way out was asked for first
            unit.add_rex(pins.rex)
        if pins.contact is not None:
            unit.add_contact(pins.contact, open_at_start=open_now)
        if pins.tamper is not None:
            unit.add_tamper(pins.tamper)
        return unit

    async def _supervision(self) -> bytes:
        return self.recorder.supervision()

    def _path_changed(self, path: PathState) -> None:
        _LOG.info("monitor: %s", path.name.lower().replace("_", " "))

    def _standing_flags(self) -> Flag:
        flags = Flag(0)
        if self.site.keys.simulated:
            flags |= Flag.SIMULATED
        if self.site.colocated:
            flags |= Flag.COLOCATED
        if not self.clock.trusted:
            flags |= Flag.TIME_UNKNOWN
        if self.recorder.storage_failed:
            flags |= Flag.STORAGE_FAULT
        return flags

    def _record_fault(self, code: FaultCode, name: str, text: str, began: bool) -> None:  # noqa: FBT001  see Faults
        place = name.partition(" ")[2]
        log = LogRow(wall=clock.wall(), event="fault", door=place, detail=text or f"{name}: well again")
        detail = FaultDetail(code=code, began=began).encode()
        self.recorder.record(Draft(kind=Kind.FAULT, door=place, detail=detail, log=log))

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    def _loop_failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.fail(context.get("exception") or RuntimeError(str(context.get("message"))))

    def fail(self, error: BaseException) -> None:
        """Secure now, end soon: nothing of what follows can be trusted to do it."""
        try:
            if self._failure is None:
                self._failure = error
                self._starve_watchdog()
                _close_anyway("the board", self.board.close)
        finally:
            self._stopped.set()

    def _starve_watchdog(self) -> None:
        """From now on only the end is to come; where it hangs, systemd is to make it."""
        if self._ticking is not None:
            self._ticking.cancel()


def _open_now(contact: Contact | None) -> bool | None:
    """None while nobody knows."""
    try:
        return contact is not None and contact.active
    except HalError:
        # the door begins secured, as if closed: its unit says what is wrong, and where the leaf stands when it is heard
        return None


def _close_anyway(what: str, close: Callable[[], None]) -> None:
    try:
        close()
    except Exception:  # noqa: BLE001  whatever it is, the rest must still be closed
        # the door secures: the board closes strikes first, and a pin it cannot write is left to resistor and relay
        _LOG.exception("%s does not close", what)


def courier_uids() -> frozenset[int]:
    """Who may take records: the courier's own user, and on a laptop ourselves."""
    uids = {os.geteuid()}
    with suppress(KeyError):  # not installed as a service
        uids.add(pwd.getpwnam(COURIER_USER).pw_uid)
    return frozenset(uids)
