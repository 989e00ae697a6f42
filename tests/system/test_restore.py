"""Both sides saved under load, lost, and restored: nothing is lost, and what should be an alarm is one, once."""

import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from doorctl.cli.sim_site import Daemon, Person, SimError, SimSite, command, wait_for
from doorctl.errors import OperatorError
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.paths import Paths
from doorctl.seal.keys import read_monitor_file
from doorctl.wire.record import Body, Epoch, Kind, Sequence
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
"""Supervision comes every 10 s; one asks for all holes, the next for what was sent just before the monitor went."""
HANDS = 8
BETWEEN_CARD_AND_KEYS_S = 0.4
"""A hand is no quicker, and a key frame needs silence before it."""
VAULT = """
[door.vault]
reader = { wiegand = ["GPIO12", "GPIO13"], format = "H10301", keypad = "8-bit", mode = "card+code" }
strike = { pin = "GPIO24", type = "fail-secure", release_s = 0.5 }
egress = "mechanical"
"""
HELP_CALLS = 3
SETTLED_S = 2.0
Record = tuple[Epoch, Sequence, Body]


class VaultSite(BusySite):
    """A busy site with one more door, which asks for a code."""

    ana: Person

    def make(self) -> None:
        super().make()
        text = self.paths.config.read_text().replace("[group.staff]", '[group.staff]\nvault = "always"')
        self.paths.config.write_text(text + VAULT)
        self.ana = self.enrol("Ana Lopez", 3456)


def call_for_help(site: SimSite, person: Person, door: str) -> None:
    """Their other code, until the monitor tells; a busy machine may be too slow for the first hand."""
    known = calls(site)
    for _ in range(HANDS):
        wait_for(f"{door} to be secured", partial(_secured, site, door), site.doord)
        with site.drive() as drive:
            if door == "vault":
                assert person.card is not None
                drive.do("card", reader=door, bits=format(person.card.raw, f"0{person.card.length}b"))
                time.sleep(BETWEEN_CARD_AND_KEYS_S)
            drive.do("keys", reader=door, keys=person.duress_code)
        with suppress(SimError):
            wait_for("the alarm", lambda: calls(site) > known, site.monitor, within_s=5)
            return
    pytest.fail("nobody heard the call for help")


def _secured(site: SimSite, name: str) -> bool:
    (door,) = [door for door in site.status()["doors"] if door["name"] == name]
    return bool(door["state"] == "secured")


def calls(site: SimSite) -> int:
    return sum(alarm["kind"] == "duress" for alarm in alarms(site))


def all_calls(site: SimSite) -> int:
    """Once no more are raised: on a busy machine the first hand's alarm may come while the second hand calls."""
    seen = [(time.monotonic(), calls(site))]

    def settled() -> bool:
        now = (time.monotonic(), calls(site))
        if now[1] != seen[-1][1]:
            seen.append(now)
        return now[0] - seen[-1][0] > SETTLED_S

    wait_for("no more alarms", settled, site.monitor)
    return seen[-1][1]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[VaultSite]:
    with VaultSite(tmp_path / "site") as made:
        made.make()
        made.start()
        yield made


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[tuple[SimSite, Person]]:
    """Ana, and a door that takes her code alone."""
    with SimSite(tmp_path / "site") as made:
        made.make()
        ana = made.enrol("Ana Lopez", 3456)
        made.start()
        yield made, ana


def home_of(site: SimSite) -> Path:
    return site.paths.var.parent


def drained(site: SimSite) -> bool:
    return bool(site.status()["spool"]["pending"] == 0)


def test_a_restored_monitor_gets_back_what_it_lost(site: VaultSite, tmp_path: Path) -> None:
    backup = tmp_path / "monitor.backup"
    traffic = Traffic(site, random.Random(1))
    call_for_help(site, site.ana, "vault")
    command(home_of(site), "backup", "--monitor", "--plain", str(backup))
    saved = len(site.records())
    for _ in range(2):
        call_for_help(site, site.ana, "vault")
    traffic.stop()
    wait_for("the spool to drain", lambda: drained(site), site.doord)
    before, called = site.records(), all_calls(site)
    assert called >= HELP_CALLS
    assert len(before) > saved + 10, "too few records were made after the backup for a test"
    with pytest.raises(OperatorError, match=r"\.db: in use"):
        command(home_of(site), "restore", "--monitor", "--replace", str(backup))
    site.monitor.kill()
    site.monitor.stop()
    shutil.rmtree(home_of(site) / "monitor")
    command(home_of(site), "restore", "--monitor", str(backup))
    site.start_monitor()
    lost = set(map(_key, before))
    wait_for("what was lost", lambda: lost <= set(map(_key, site.records())), site.courier, within_s=WITHIN_S)
    assert set(Counter(map(_number, site.records())).values()) == {1}
    wait_for("every alarm", lambda: calls(site) == called)
    assert not NEVER & alarm_kinds(site)


def _number(record: Record) -> tuple[Epoch, Sequence]:
    return record[:2]


def _key(record: Record) -> tuple[Epoch, Sequence, bytes]:
    return *record[:2], record[2].encode()


def test_a_board_restored_twice_is_a_clone(site: VaultSite, tmp_path: Path) -> None:
    backup, home = tmp_path / "board.backup", home_of(site)
    traffic = Traffic(site, random.Random(2))
    wait_for("the first records to get through", lambda: len(site.granted()) > 3, site.doord)
    site.network.cut()
    wait_for("some to wait", lambda: site.status()["spool"]["pending"] > 3, site.doord)
    command(home, "backup", "--plain", str(backup))
    site.network.mend()
    wait_for("the line", lambda: site.status()["path"]["state"] == "connected", site.courier)
    traffic.stop()
    wait_for("the spool to drain", lambda: drained(site), site.doord, within_s=WITHIN_S)
    with pytest.raises(OperatorError, match="in use by another doord"):
        command(home, "restore", "--replace", str(backup))
    lose_board(site)

    command(home, "restore", str(backup))
    site.paths.run.mkdir()
    site.start_doord()
    assert site.status()["spool"]["pending"] > 3, "what waited in the backup waits again"
    site.courier.start()
    wait_for("the spool to drain", lambda: drained(site), site.doord, within_s=WITHIN_S)
    assert set(Counter(map(_number, site.records())).values()) == {1}, "what has a receipt is no other record"
    known = alarm_kinds(site)
    assert AlarmKind.STORAGE in known, "what was made after the backup is missing on the board's disk"
    assert not NEVER & known

    with Restored(backup, tmp_path / "second"):
        wait_for("the clone to be told", lambda: AlarmKind.CLONE in alarm_kinds(site), within_s=WITHIN_S)
    assert set(Counter(map(_number, site.records())).values()) == {1}


def test_an_old_backup_goes_on_as_another_board(quiet: tuple[SimSite, Person], tmp_path: Path) -> None:
    """What was enrolled after it is forgotten by the board and not by the monitor: as itself it could never agree."""
    site, ana = quiet
    backup, home = tmp_path / "board.backup", home_of(site)
    command(home, "backup", "--plain", str(backup))
    site.enrol("Ben Okafor", 7890)
    wait_for("Ben's rows to be told", lambda: generation(site) == 2 and drained(site), site.doord)
    old = json.loads(command(home, "--json", "backup", "--show", str(backup)))["identity"]
    lose_board(site)

    command(home, "restore", "--new-identity", str(backup))
    command(home, "monitor", "trust", "--yes", str(site.paths.controller_public))
    (site.paths.controllers / f"{old}.toml").unlink()
    site.paths.run.mkdir()
    site.start_doord()
    site.courier.start()
    ben = site.enrol("Ben Okafor", 7890)
    wait_for("Ben's rows to be told", lambda: generation(site) == 2 and drained(site), site.doord)
    call_for_help(site, ana, "office")
    call_for_help(site, ben, "office")
    assert alarm_kinds(site) == {AlarmKind.COLOCATED, AlarmKind.DURESS}


def test_a_lost_monitor_is_made_anew_and_nobody_needs_new_codes(quiet: tuple[SimSite, Person], tmp_path: Path) -> None:
    """No backup, only the token key's copy from the safe."""
    site, ana = quiet
    copy, home = tmp_path / "token.key", home_of(site)
    copy.write_bytes((site.paths.monitor_keys / "token.key").read_bytes())
    call_for_help(site, ana, "office")
    addresses = read_monitor_file(site.paths.monitor_public).addresses
    site.monitor.kill()
    site.monitor.stop()
    shutil.rmtree(home / "monitor")
    site.doord.stop()
    site.courier.stop()
    command(home, "monitor", "init", "--simulated", "--token-key", str(copy), "--address", addresses[0],
            "--listen", f"127.0.0.1:{site._monitor_port}", "--console", f"127.0.0.1:{site.console_port}")  # fmt: skip
    command(home, "init", "--yes", "--monitor", str(site.paths.monitor_export))
    command(home, "monitor", "trust", "--yes", str(site.paths.controller_public))
    site.start()
    call_for_help(site, ana, "office")
    wait_for("the spool to drain", lambda: drained(site), site.doord)
    assert alarm_kinds(site) == {AlarmKind.COLOCATED, AlarmKind.DURESS}
    assert any(body.kind is Kind.ENROLLED for _, _, body in site.records())


def lose_board(site: SimSite) -> None:
    """Its disk died."""
    site.doord.kill()
    site.courier.kill()
    for part in ("etc", "var", "run"):
        shutil.rmtree(home_of(site) / part)


def generation(site: SimSite) -> int:
    return int(site.status()["roster"]["generation"])


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
