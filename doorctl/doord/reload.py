"""Another configuration while the doors work: the file is read again, and is in force as a whole or not at all.

Theory of operation. Reading and comparing is a thread's, since a large file takes a while. What a running doord can
take over (config/changes.py) is recorded first, like every act of a person, and then put in force within one turn of
the event loop. Where the file has a mistake, or any change is about pins, ports or who this board is, nothing of it
counts, and a fault says why until a later reload does better. No pin is let go of, a release and an opening keep the
times they began with, a request is decided by the rules of the moment at which it was made, counters and lock-outs
stay; a strike moves only where the new unlock schedule says so now, and that is recorded as at any other hour.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from doorctl.config.changes import Changes, Counts, changes
from doorctl.config.digest import config_digest
from doorctl.config.reading import ConfigError, read_config
from doorctl.config.types import Config
from doorctl.core.types import SECOND, WallTime
from doorctl.doord import clock
from doorctl.doord.assembly import door_policy, lockout_policy, monitor_file, rules
from doorctl.doord.control import Answer, Caller
from doorctl.doord.requests import only
from doorctl.doord.site_name import warnings_of_names
from doorctl.doord.worker import WorkerThread
from doorctl.errors import DoorctlError, OperatorError
from doorctl.paths import Paths
from doorctl.sdnotify import notify
from doorctl.seal.keys import read_monitor_file
from doorctl.wire.detail import BY_SIGNAL, Act

if TYPE_CHECKING:
    from doorctl.doord.runtime import Doord

_LOG: Final = logging.getLogger("doord")
MOST_TOLD: Final = 100
"""Mistakes in one answer; a file of a megabyte can have many thousands."""
MOST_LOGGED: Final = 20
MOST_SIGNALS: Final = 2
SHOWN: Final = 3
"""In status."""
RESTART: Final = "`systemctl restart doorctl` applies the file; it secures every strike for a moment"
NOTES: Final = {
    Counts.COURIER: "counts when doorctl-courier is started again",
    Counts.ROSTER: "the roster keeps what it was made with",
}
"""Of what is no mistake and yet no change at the doors."""
BY_A_SIGNAL: Final = Caller(uid=BY_SIGNAL, rights=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why the file on the disk is not in force."""

    at: WallTime
    why: str
    reasons: tuple[str, ...]
    """A line each."""
    hint: str
    mistakes: tuple[dict[str, Any], ...] = ()
    restart: tuple[str, ...] = ()
    """Keys that only a restart changes."""

    @property
    def text(self) -> str:
        """As a fault says it: the first reason, and how many there are."""
        more = len(self.reasons) - 1
        return f"the file is not in force: {self.reasons[0]}" + (f"; and {more} more" if more else "")

    def shown(self) -> Answer:
        """For status."""
        return {
            "at": self.at // SECOND, "why": self.why, "reasons": list(self.reasons[:SHOWN]),
            "more": max(0, len(self.reasons) - SHOWN), "hint": self.hint,
        }  # fmt: skip


class _NotInForceError(OperatorError):
    """The file is right, and yet nothing of it may count now."""

    def __init__(self, why: str, reasons: tuple[str, ...], restart: tuple[str, ...] = ()) -> None:
        super().__init__(why, hint=RESTART)
        self.reasons, self.restart = reasons, restart


class Reload:
    """One daemon's: what is in force since when, and what was refused last."""

    def __init__(self, doord: "Doord") -> None:
        self._doord = doord
        self._thread = WorkerThread("configuration")
        self._turn = asyncio.Lock()
        self._signals = 0
        """That are not done with."""
        self.since = clock.wall()
        self.refusal: Refusal | None = None

    def close(self) -> None:
        """Read nothing more."""
        self._thread.stop()

    async def asked(self, caller: Caller, request: Answer) -> Answer:
        """The operation `reload`: what changed, or why nothing did."""
        only(request)
        return await self.read_again(caller)

    def signalled(self) -> None:
        """SIGHUP: the outcome is in the log and in status. One waits while another goes on; a third reads the same."""
        if self._signals < MOST_SIGNALS:
            self._signals += 1
            self._doord.spawn(self._by_signal(), name="reload")

    async def _by_signal(self) -> None:
        try:
            await self.read_again(BY_A_SIGNAL)
        finally:
            self._signals -= 1

    async def read_again(self, caller: Caller) -> Answer:
        """One at a time; systemd is told that it goes on, and that it is over however it ended."""
        if not self._doord.started:
            raise OperatorError("reload: doord is just starting, with the file as it is", hint="ask again in a second")
        async with self._turn:
            notify(f"RELOADING=1\nMONOTONIC_USEC={clock.monotonic() // 1000}")
            try:
                return await self._read_again(caller)
            finally:
                self._doord.upkeep.tell_status()
                notify("READY=1")

    async def _read_again(self, caller: Caller) -> Answer:
        site = self._doord.site
        try:
            config, found, warnings = await self._thread.call(_read, site.paths, site.config, site.monitor.fingerprint)
            take_over = self._prepared(config)
        except DoorctlError as error:
            return self._refuse(error)
        except Exception as error:  # noqa: BLE001  whatever a file does to its reader, the doors go on
            # the doors stay as they are: nothing of the file counts
            _LOG.exception("the configuration cannot be read again")
            return self._refuse(OperatorError(f"{site.paths.config.name}: {type(error).__name__} while it was read"))
        return await self._put_in_force(caller, config, found, warnings, take_over)

    async def _put_in_force(
        self, caller: Caller, config: Config, found: Changes, warnings: list[str], take_over: Callable[[], None]
    ) -> Answer:
        digest = config_digest(config)
        if digest != config_digest(self._doord.site.config):
            await self._doord.operations.done(caller, Act.RELOAD, f"configuration {digest}")
            take_over()
            self.since = clock.wall()
        self.refusal = None
        self._doord.faults.set("configuration", None)
        notes = [f"{name}: {NOTES[counts]}" for counts in NOTES for name in found.of(counts)]
        _LOG.info("configuration %s in force, changed: %s", digest, ", ".join(found.names) or "nothing")
        for warning in [*notes, *warnings]:
            _LOG.warning(warning)
        return {"applied": True, "configuration": digest, "changed": list(found.names), "notes": notes}

    def _prepared(self, config: Config) -> Callable[[], None]:
        """Everything that could fail is made here; what is returned only puts it in place."""
        doord = self._doord
        site, new_rules, zone = replace(doord.site, config=config), rules(config), ZoneInfo(config.site.timezone)
        lockout = lockout_policy(config.lockout)
        policies = {door.name: door_policy(door) for door in config.doors}
        windows = {reader.name: reader.code_window for door in config.doors for reader in door.readers}

        def take_over() -> None:
            doord.site, doord.rules = site, new_rules
            doord.clock.follow(zone)
            doord.access.follow(lockout, config.lockout.guessing_alarm)
            doord.situations.follow(config, new_rules)
            for name, unit in doord.doors.items():
                unit.follow(policies[name], windows)
            doord.schedule_doors()

        return take_over

    def _refuse(self, error: DoorctlError) -> Answer:
        """Keep what is in force, and say why in every place where somebody may look."""
        self.refusal = refusal = _refusal(error, clock.wall())
        _LOG.error("configuration not in force: %s; the one of before stays", refusal.why)
        for reason in refusal.reasons[:MOST_LOGGED]:
            _LOG.error("configuration: %s", reason)
        if len(refusal.reasons) > MOST_LOGGED:
            _LOG.error("configuration: and %d more", len(refusal.reasons) - MOST_LOGGED)
        self._doord.faults.set("configuration", refusal.text)
        return {
            "applied": False, "configuration": config_digest(self._doord.site.config), "why": refusal.why,
            "reasons": list(refusal.reasons[:MOST_TOLD]), "more": max(0, len(refusal.reasons) - MOST_TOLD),
            "hint": refusal.hint, "mistakes": list(refusal.mistakes), "restart": list(refusal.restart),
        }  # fmt: skip


def _read(paths: Paths, in_force: Config, monitor: str) -> tuple[Config, Changes, list[str]]:
    """The file, what it changes, and what is to be said of it; DoorctlError where nothing of it may count."""
    config = read_config(paths.config)
    found = changes(in_force, config)
    if needs := found.of(Counts.RESTART):
        raise _NotInForceError(
            f"{paths.config.name}: {', '.join(needs)}: cannot change while doord runs",
            tuple(f"{name}: counts {Counts.RESTART.value}" for name in needs), needs,
        )  # fmt: skip
    file = monitor_file(paths, config)
    if read_monitor_file(file).fingerprint != monitor:
        why = f"{file.name}: is of another monitor, or has other keys, than what doord runs with"
        raise _NotInForceError(why, (why,), ("monitor.file",))
    return config, found, warnings_of_names(paths, config)


def _refusal(error: DoorctlError, at: WallTime) -> Refusal:
    match error:
        case ConfigError():
            reasons = tuple("; hint:".join(str(mistake).split("\n  hint:")) for mistake in error.mistakes)
            members = ("file", "line", "key", "expected", "found", "hint")
            mistakes = tuple(
                {member: getattr(mistake, member) for member in members} for mistake in error.mistakes[:MOST_TOLD]
            )
            hint = "`doorctl check` shows each with its line"
            return Refusal(at=at, why=error.summary, reasons=reasons, hint=hint, mistakes=mistakes)
        case _NotInForceError():
            return Refusal(at=at, why=str(error), reasons=error.reasons, hint=RESTART, restart=error.restart)
        case _:
            hint = error.hint or "`doorctl check` says more"
            return Refusal(at=at, why=str(error), reasons=(str(error),), hint=hint)
