"""Both sides saved under load, lost, and restored: nothing is lost, and what should be an alarm is one, once."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from doorctl.cli.sim_site import Daemon, Person, command, wait_for
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.paths import Paths
from doorctl.wire.record import Body, Epoch, Sequence
from tests.system.alarms import alarm_kinds, alarms
from tests.system.busy_site import BusySite, Traffic

pytestmark = pytest.mark.system

NEVER = frozenset(
    {
        AlarmKind.FORK, AlarmKind.CLONE, AlarmKind.CHAIN, AlarmKind.UNREGISTERED, AlarmKind.REVOKED,
        AlarmKind.ROW_TAG, AlarmKind.UNOPENABLE, AlarmKind.ROSTER, AlarmKind.ROLLBACK, AlarmKind.LOSS,
    }
)  # fmt: skip
"""What no honest restore causes; a gap may show, and ends when it is filled."""
WITHIN_S = 45.0
"""Supervision comes every 10 s, and one of them names a hole."""
BETWEEN_CARD_AND_KEYS_S = 0.3
"""A hand is no quicker, and a key frame needs silence before it."""
VAULT = """
[door.vault]
reader = { wiegand = ["GPIO12", "GPIO13"], format = "H10301", keypad = "8-bit", mode = "card+code" }
strike = { pin = "GPIO24", type = "fail-secure", release_s = 0.5 }
egress = "mechanical"
"""
Record = tuple[Epoch, Sequence, Body]


class VaultSite(BusySite):
    """A busy site with one more door, which asks for a code."""

    ana: Person

    def make(self) -> None:
        super().make()
        text = self.paths.config.read_text().replace("[group.staff]", '[group.staff]\nvault = "always"')
        self.paths.config.write_text(text + VAULT)
        self.ana = self.enrol("Ana Lopez", 3456)

    def call_for_help(self, times: int = 1) -> None:
        """Ana's other code at the vault, until the monitor tells."""
        for _ in range(times):
            known = calls(self)
            wait_for("the vault to be secured", self._secured, self.doord)
            with self.drive() as drive:
                assert self.ana.card is not None
                drive.do("card", reader="vault", bits=format(self.ana.card.raw, f"0{self.ana.card.length}b"))
                time.sleep(BETWEEN_CARD_AND_KEYS_S)
                drive.do("keys", reader="vault", keys=self.ana.duress_code)
            wait_for("the alarm", partial(self._more_calls_than, known), self.monitor)

    def _more_calls_than(self, known: int) -> bool:
        return calls(self) > known

    def _secured(self) -> bool:
        (vault,) = [door for door in self.status()["doors"] if door["name"] == "vault"]
        return bool(vault["state"] == "secured")


def calls(site: BusySite) -> int:
    return sum(alarm["kind"] == "duress" for alarm in alarms(site))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[VaultSite]:
    with VaultSite(tmp_path / "site") as made:
        made.make()
        made.start()
        yield made


def home_of(site: BusySite) -> Path:
    return site.paths.var.parent


def drained(site: BusySite) -> bool:
    return bool(site.status()["spool"]["pending"] == 0)


def test_a_restored_monitor_gets_back_what_it_lost(site: VaultSite, tmp_path: Path) -> None:
    backup = tmp_path / "monitor.backup"
    traffic = Traffic(site, random.Random(1))
    site.call_for_help()
    command(home_of(site), "backup", "--monitor", "--plain", str(backup))
    saved = len(site.records())
    site.call_for_help(2)
    traffic.stop()
    wait_for("the spool to drain", lambda: drained(site), site.doord)
    before = site.records()
    assert len(before) > saved + 10, "too few records were made after the backup for a test"
    site.monitor.kill()
    site.monitor.stop()
    shutil.rmtree(home_of(site) / "monitor")
    command(home_of(site), "restore", "--monitor", str(backup))
    site.start_monitor()
    wait_for("what was lost", lambda: set(map(_key, before)) <= set(map(_key, site.records())), within_s=WITHIN_S)
    assert set(Counter(map(_number, site.records())).values()) == {1}
    wait_for("every alarm", lambda: calls(site) == 3)
    assert not NEVER & alarm_kinds(site)


def _number(record: Record) -> tuple[Epoch, Sequence]:
    return record[:2]


def _key(record: Record) -> tuple[Epoch, Sequence, bytes]:
    return *record[:2], record[2].encode()


def test_a_board_is_restored_once_twice_and_as_another(site: VaultSite, tmp_path: Path) -> None:
    backup, home = tmp_path / "board.backup", home_of(site)
    traffic = Traffic(site, random.Random(2))
    wait_for("the first records to get through", lambda: len(site.granted()) > 3 and drained(site), site.doord)
    site.network.cut()
    wait_for("some to wait", lambda: site.status()["spool"]["pending"] > 3, site.doord)
    command(home, "backup", "--plain", str(backup))
    site.network.mend()
    wait_for("the line", lambda: site.status()["path"]["state"] == "connected", site.courier)
    traffic.stop()
    wait_for("the spool to drain", lambda: drained(site), site.doord, within_s=WITHIN_S)
    site.doord.kill()
    site.courier.kill()
    for part in ("etc", "var", "run"):
        shutil.rmtree(home / part)

    command(home, "restore", str(backup))
    site.paths.run.mkdir(exist_ok=True)
    site.start_doord()
    assert site.status()["spool"]["pending"] > 3, "what waited in the backup waits again"
    site.courier.start()
    wait_for("the spool to drain", lambda: drained(site), site.doord, within_s=WITHIN_S)
    _each_once(site)
    known = alarm_kinds(site)
    assert not NEVER & known

    second = Restored(backup, tmp_path / "second")
    with second:
        wait_for("the clone to be told", lambda: AlarmKind.CLONE in alarm_kinds(site), within_s=WITHIN_S)
    _each_once(site)


def _each_once(site: BusySite) -> None:
    assert set(Counter(map(_number, site.records())).values()) == {1}


class Restored:
    """A backup started as a board of its own."""

    def __init__(self, backup: Path, home: Path, *options: str) -> None:
        home.mkdir()
        command(home, "restore", str(backup), *options)
        self.paths = Paths.under(home)
        self.paths.run.mkdir()
        place = ["--home", str(home)]
        pace = ["--supervision-s", "10"]
        self.doord = Daemon("doord", ["doorctl.doord", *place], self.paths, home / "doord.log")
        self.courier = Daemon("courierd", ["doorctl.courierd", *place, *pace], self.paths, home / "courier.log")

    def __enter__(self) -> Self:
        self.doord.start()
        self.courier.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.courier.stop()
        self.doord.stop()
