"""Somebody writes to the board's disk: each way raises its alarm at the monitor, and what a token means still counts."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from doorctl.cli.sim_site import Daemon, Person, SimSite, wait_for
from doorctl.cli.sim_visit import visit
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.paths import Paths
from doorctl.roster.factors import lookup_code, stretch
from doorctl.roster.lookup import RosterReader
from doorctl.seal.keys import load_controller_keys, read_monitor_file
from doorctl.seal.meaning import Meaning, TokenPlain, holder_number
from doorctl.seal.sealing import row_tag, seal_token
from tests.system.alarms import alarm_kinds, alarms

pytestmark = pytest.mark.system

WITHIN_S = 45.0
"""Supervision comes every 10 s and says the roster's digest; a used row is judged at once."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SimSite, Person]]:
    """One running site; each test mends what it broke."""
    with SimSite(tmp_path_factory.mktemp("site")) as site:
        site.make()
        ana = site.enrol("Ana Lopez", 3456)
        site.start()
        visit(site, ana, "office", ana.code)
        yield site, ana


@pytest.fixture
def honest(running: tuple[SimSite, Person]) -> Iterator[tuple[SimSite, Person]]:
    """The roster as enrolment wrote it, put back afterwards."""
    site, ana = running
    saved = site.paths.roster.with_suffix(".saved")
    shutil.copy(site.paths.roster, saved)
    yield site, ana
    _put(saved, site.paths.roster)


def _put(source: Path, target: Path) -> None:
    for beside in ("-wal", "-shm"):
        target.with_name(target.name + beside).unlink(missing_ok=True)
    staged = target.with_suffix(".staged")
    shutil.copy(source, staged)
    staged.replace(target)


def _lookup(site: SimSite, code: str) -> bytes:
    with RosterReader.open(site.paths.roster) as reader:
        parameters = reader.parameters()
    stretched = stretch(code, site_salt=parameters.site_salt, card=None, parameters=parameters.stretch)
    return lookup_code(load_controller_keys(site.paths).lookup, stretched)


def _write(site: SimSite, statement: str, *values: bytes) -> None:
    with closing(sqlite3.connect(site.paths.roster)) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


def _raised(site: SimSite, *kinds: AlarmKind) -> None:
    wait_for(f"{kinds}", lambda: set(kinds) <= alarm_kinds(site), within_s=WITHIN_S)


def test_an_honest_board_raises_nothing_of_this(honest: tuple[SimSite, Person]) -> None:
    site, _ = honest
    assert alarm_kinds(site) <= {AlarmKind.COLOCATED}


def test_two_swapped_tokens(honest: tuple[SimSite, Person]) -> None:
    """The everyday code now carries the other one's token: an alarm, and its opened meaning still counts."""
    site, ana = honest
    everyday, other = _lookup(site, ana.code), _lookup(site, ana.duress_code)
    with closing(sqlite3.connect(site.paths.roster)) as connection, connection:
        tokens = dict(connection.execute("SELECT lookup, token FROM rows WHERE lookup IN (?, ?)", (everyday, other)))
        for lookup, token in ((everyday, tokens[other]), (other, tokens[everyday])):
            connection.execute("UPDATE rows SET token = ? WHERE lookup = ?", (token, lookup))
    visit(site, ana, "office", ana.code)
    _raised(site, AlarmKind.ROW_TAG, AlarmKind.DURESS)
    _raised(site, AlarmKind.ROSTER)


def test_a_row_sealed_again(honest: tuple[SimSite, Person]) -> None:
    """A thief of the monitor's public key makes the other code an everyday one: its token was never registered."""
    site, ana = honest
    lookup = _lookup(site, ana.duress_code)
    plain = TokenPlain(
        holder=holder_number(ana.holder), label=ana.label, meaning=Meaning.NORMAL,
        issued=datetime.now(tz=UTC).date(), row_tag=row_tag(lookup),
    )  # fmt: skip
    token = seal_token(plain.encode(), read_monitor_file(site.paths.monitor_public).keys)
    _write(site, "UPDATE rows SET token = ? WHERE lookup = ?", token, lookup)
    visit(site, ana, "office", ana.duress_code)
    _raised(site, AlarmKind.UNREGISTERED, AlarmKind.ROSTER)


def test_a_deleted_row(honest: tuple[SimSite, Person]) -> None:
    """Without the row the code is only a wrong one; the roster's digest tells."""
    site, ana = honest
    before = _roster_alarms(site)
    _write(site, "DELETE FROM rows WHERE lookup = ?", _lookup(site, ana.duress_code))
    assert visit(site, ana, "office", ana.duress_code).opened_after_ms is None
    wait_for("another alarm of the roster", lambda: _roster_alarms(site) == before + 1, within_s=WITHIN_S)


def _roster_alarms(site: SimSite) -> int:
    """One for each digest that nobody announced."""
    return sum(alarm["kind"] == "roster" for alarm in alarms(site))


def test_an_old_roster_put_back(running: tuple[SimSite, Person]) -> None:
    site, _ = running
    old = site.paths.roster.with_suffix(".old")
    shutil.copy(site.paths.roster, old)
    ben = site.enrol("Ben Okafor", 7890)
    wait_for("Ben's rows to be told", lambda: site.status()["roster"]["generation"] == 2)
    visit(site, ben, "office", ben.code)
    new = site.paths.roster.with_suffix(".new")
    shutil.copy(site.paths.roster, new)
    _put(old, site.paths.roster)
    _raised(site, AlarmKind.ROLLBACK)
    _put(new, site.paths.roster)


def test_a_cloned_board(running: tuple[SimSite, Person], tmp_path: Path) -> None:
    """A copy of the whole board speaks beside it."""
    site, _ = running
    home = tmp_path / "clone"
    for part in ("etc", "var"):
        shutil.copytree(site.paths.var.parent / part, home / part)
    (home / "var" / "journal" / "journal.db.lock").unlink(missing_ok=True)
    paths, logs = Paths.under(home), home
    place = ["--home", str(home)]
    door = Daemon("doord", ["doorctl.doord", *place], paths, logs / "doord.log")
    courier = Daemon("courierd", ["doorctl.courierd", *place, "--supervision-s", "10"], paths, logs / "courier.log")
    try:
        door.start()
        courier.start()
        _raised(site, AlarmKind.CLONE)
    finally:
        courier.stop()
        door.stop()
