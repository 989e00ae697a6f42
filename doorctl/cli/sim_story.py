"""doorctl sim --tour: a story in eight acts, told by the real daemons. Each act checks a promise and stops at a lie.

The telling is for a newcomer; the checks are the product's. `--sabotage` breaks one promise on purpose, so that a test
can see the story fail.
"""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from doorctl.cli.sim_site import Person, SimError, SimSite, command, wait_for
from doorctl.cli.sim_visit import Seen, differences, visit
from doorctl.core.types import Outcome
from doorctl.errors import OperatorError
from doorctl.wire.record import Kind

SABOTAGES: Final = ("alarm", "record", "tell")
ALARM_WITHIN_S: Final = 1.0
"""From the strike to the alarm; the promise of the product."""
_RECOVERY_WITHIN_S: Final = 15.0
_TRIES: Final = 6


class BrokenPromiseError(SimError):
    """The site did something the product promises never to do."""


class Story:
    """The tour of one fresh site."""

    def __init__(self, site: SimSite, home: Path, say: Callable[[str], None], sabotage: str | None) -> None:
        self._site = site
        self._home = home
        self._say = say
        self._sabotage = sabotage
        self._passages = 0
        """How often a strike moved: as many records must be at the monitor in the end."""
        self._calls = 0
        """How many of them were calls for help: as many alarms."""

    def tell(self) -> None:
        """The whole story; raises BrokenPromiseError at the first promise that does not hold."""
        ana = self._cast()
        normal = self._act_normal(ana)
        self._act_duress(ana, normal)
        self._act_office(ana)
        self._act_vault(ana)
        self._act_network(ana)
        self._act_kill(ana)
        self._act_reckoning()

    def _cast(self) -> Person:
        self._title("A site is made")
        self._site.make()
        self._say("a monitor and a door board were made and paired, one file each way")
        ana = self._site.enrol("Ana Lopez", 3456)
        self._say(f"{ana.label} was enrolled: a card, one code for every day, one for the day somebody forces her")
        self._say(f"  her code is {ana.code}, her duress code {ana.duress_code} (a real site shows them once, to her)")
        self._site.start()
        self._say("three daemons run: doord at the door, courierd between, monitord far away")
        return ana

    def _act_normal(self, ana: Person) -> Seen:
        self._title("A normal day")
        seen = self._pass(ana, "front", ana.code, call=False)
        self._tell_door(seen)
        self._monitor_has_all(within_s=5.0)
        self._no_new_alarm()
        self._say("monitor: the record arrived; nothing to do")
        return seen

    def _act_duress(self, ana: Person, normal: Seen) -> None:
        self._title("The same door, with somebody behind her")
        if self._sabotage == "alarm":
            self._site.monitor.stop()
        seen = self._pass(ana, "front", ana.duress_code, call=True)
        self._tell_door(seen)
        self._same(normal, seen)
        self._say("door: nothing differs: same lamp, same beep, same times, same log line, same status")
        self._alarm_came()

    def _act_office(self, ana: Person) -> None:
        self._title("A door that takes a code alone")
        first = self._pass(ana, "office", ana.code, call=False)
        second = self._pass(ana, "office", ana.duress_code, call=True)
        self._tell_door(second)
        self._same(first, second)
        self._wait_for_alarms(within_s=ALARM_WITHIN_S)
        self._say("door: nothing differs; monitor: a second alarm, and none for the normal code")

    def _act_vault(self, ana: Person) -> None:
        self._title("A door whose reader is on an RS-485 line")
        if not self._site.secured("vault"):
            raise BrokenPromiseError("the vault's reader is online and not secured")
        self._say("its reader proved a key that only it and this board have; a card in clear would open nothing")
        first = self._pass(ana, "vault", ana.code, call=False)
        second = self._pass(ana, "vault", ana.duress_code, call=True)
        self._tell_door(second)
        self._same(first, second)
        self._wait_for_alarms(within_s=ALARM_WITHIN_S)
        self._say("door: nothing differs on the line either: the same orders to lamp and sounder, at the same times")

    def _act_network(self, ana: Person) -> None:
        self._title("The line to the monitor is cut")
        self._site.network.cut()
        seen = self._pass(ana, "front", ana.duress_code, call=True)
        self._say("door: opened as always; the record waits on its disk, sealed, signed and numbered")
        if seen.opened_after_ms is None:
            raise BrokenPromiseError("a cut line kept the door shut")
        self._site.network.mend()
        mended = time.monotonic()
        self._wait_for_alarms(within_s=_RECOVERY_WITHIN_S)
        self._say(f"line mended: the alarm was there {time.monotonic() - mended:.1f} s later")

    def _act_kill(self, ana: Person) -> None:
        self._title("doord is killed with the strike released (kill -9)")
        self._site.network.cut()
        self._pass(ana, "office", ana.duress_code, call=True, after_strike=self._site.doord.kill)
        self._say("killed; its strike's pin is let go, the metal secures it (docs/hal-backend.md)")
        if self._sabotage == "record":
            _lose_newest_record(self._site.paths.journal)
        self._site.network.mend()
        self._site.start_doord()
        self._wait_for_alarms(within_s=_RECOVERY_WITHIN_S)
        self._say("started again: the record was on the disk before the strike moved, and the alarm came")
        self._pass(ana, "front", ana.code, call=False)
        self._say("and the next person gets in as always")

    def _act_reckoning(self) -> None:
        self._title("The reckoning")
        self._monitor_has_all(within_s=_RECOVERY_WITHIN_S)
        records = self._site.records()
        if len(records) != len({(epoch, sequence) for epoch, sequence, _ in records}):
            raise BrokenPromiseError("the monitor counted a record twice")
        unexpected = [alarm for alarm in self._alarms() if alarm["kind"] in _SHOULD_NOT]
        if unexpected:
            raise BrokenPromiseError(f"the monitor raised {unexpected[0]['kind']}: {unexpected[0]['text']}")
        for name, words in (("doord", ("duress", "panic", "coercion")), ("courierd", ("duress", "panic", "coercion"))):
            said = (self._home / "logs" / name).read_text(encoding="utf-8", errors="replace").lower()
            for word in (*words, *self._secrets()):
                if word in said:
                    raise BrokenPromiseError(f"{name} wrote a word or number into its log that it must not know")
        self._say(f"the strikes moved {self._passages} times; the monitor has {self._passages} records of it,")
        self._say(f"each once; {self._calls} were calls for help, and {self._calls} alarms were raised")
        self._say("")
        self._say("every promise held")

    def _pass(
        self, who: Person, door: str, code: str, *, call: bool, after_strike: Callable[[], None] | None = None
    ) -> Seen:
        for _ in range(_TRIES):
            seen = visit(self._site, who, door, code, after_strike=after_strike)
            if seen.opened_after_ms is None:
                raise BrokenPromiseError(f"the {door} door did not open for {who.label}")
            self._passages += 1
            self._calls += call
            if not seen.late:
                return seen
            self._say("(this machine was too busy to answer in its slot: once more)")
        raise SimError(f"this machine was too busy {_TRIES} times in a row", hint="try again when it is quieter")

    def _same(self, first: Seen, second: Seen) -> None:
        found = differences(first, second)
        if self._sabotage == "tell":
            found = differences(first, _with_another_beep(second))
        if found:
            raise BrokenPromiseError("an onlooker could tell the codes apart: " + "; ".join(found))

    def _alarm_came(self) -> None:
        self._wait_for_alarms(within_s=ALARM_WITHIN_S)
        alarm = max((a for a in self._alarms() if a["kind"] == "duress"), key=lambda a: a["id"])
        took = datetime.fromisoformat(alarm["raised"]) - datetime.fromisoformat(alarm["event"])
        if took.total_seconds() > ALARM_WITHIN_S:
            raise BrokenPromiseError(f"the alarm came {took.total_seconds():.1f} s after the decision")
        self._say(f"monitor: ALARM {alarm['title']}: {alarm['text']}")
        self._say(f"         raised {took.total_seconds() * 1000:.0f} ms after the door decided")

    def _wait_for_alarms(self, *, within_s: float) -> None:
        try:
            wait_for("the alarm", lambda: self._duress_alarms() >= self._calls, within_s=within_s)
        except SimError as error:
            raise BrokenPromiseError(
                f"{self._calls} calls for help, {self._duress_alarms()} alarms after {within_s:g} s"
            ) from error
        if self._duress_alarms() > self._calls:
            raise BrokenPromiseError("the monitor raised an alarm for a normal code, or one twice")

    def _no_new_alarm(self) -> None:
        if self._duress_alarms() != self._calls:
            raise BrokenPromiseError("a normal code raised an alarm")

    def _monitor_has_all(self, *, within_s: float) -> None:
        try:
            wait_for("the records", lambda: self._granted() >= self._passages, within_s=within_s)
        except SimError as error:
            raise BrokenPromiseError(
                f"the strikes moved {self._passages} times, the monitor has {self._granted()} records of it"
            ) from error

    def _granted(self) -> int:
        return sum(body.kind is Kind.ACCESS and body.outcome is Outcome.GRANTED for _, _, body in self._site.records())

    def _duress_alarms(self) -> int:
        return sum(alarm["kind"] == "duress" for alarm in self._alarms())

    def _alarms(self) -> list[dict[str, Any]]:
        try:
            printed: list[dict[str, Any]] = json.loads(command(self._home, "--json", "monitor", "alarms"))
        except OperatorError:
            return []  # no monitor is there, and so no alarm is
        return printed

    def _secrets(self) -> list[str]:
        people = self._site.people.values()
        return [secret for person in people for secret in (person.code, person.duress_code)]

    def _tell_door(self, seen: Seen) -> None:
        self._say(f"door {seen.door}: lamp, one beep, strike released {seen.opened_after_ms:.0f} ms after the last key")
        self._say(f"  log: {seen.log}")

    def _title(self, title: str) -> None:
        self._say("")
        self._say(f"── {title} ".ljust(78, "─"))


_SHOULD_NOT: Final = frozenset(
    {"FORK", "CLONE", "CHAIN", "GAP", "UNREGISTERED", "ROW_TAG", "ROSTER", "ROLLBACK", "LOSS"}
)
"""Alarms that an honest board never causes, whatever happens to its line and its process."""


def _with_another_beep(seen: Seen) -> Seen:
    from dataclasses import replace

    return replace(seen, outputs=(*seen.outputs, ("sounder", 1)))


def _lose_newest_record(journal: Path) -> None:
    """What must never happen: the newest record is gone from the disk although its strike moved."""
    with closing(sqlite3.connect(journal)) as connection, connection:
        (newest,) = connection.execute("SELECT max(id) FROM record").fetchone()
        connection.execute("DELETE FROM pending WHERE id = ?", (newest,))
        connection.execute("DELETE FROM record WHERE id = ?", (newest,))
