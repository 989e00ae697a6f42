"""Doctor's table of checks for a monitor. Opens no token and reads no record but to see that the files are sound."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from doorctl.cli.doctor_files import private, there
from doorctl.cli.doctor_finding import Check, Finding, Unseen, of_error, ok, unseen, warning, wrong
from doorctl.cli.doctor_leftovers import LEFTOVERS
from doorctl.cli.doctor_machine import disk_room, disk_speed, units, versions
from doorctl.cli.doctor_subject import MONITOR_USER, Monitor, can_connect, is_loopback
from doorctl.core.types import SECOND
from doorctl.errors import DoorctlError
from doorctl.journal.examination import open_read_only

_KEYS: Final = ("token.key", "record.key", "receipt.key", "tls.key", "tls.crt", "console.token")
_GROWTH: Final = 1_000_000_000
"""A million records: for a busy board some years, for a hundred of them weeks."""
_SILENT: Final = 300 * SECOND
"""Boards say something at least once a minute."""
_SAFE: Final = "copy it to removable media, and show the copy: doorctl backup --monitor --token-key-copy FILE …"
_START: Final = "systemctl start doorctl-monitor, then journalctl -u doorctl-monitor -n 20"
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  what is listened on, and where to knock then
_WITHIN_S: Final = 2.0


def settings(monitor: Monitor) -> Iterator[Finding]:
    """monitord.toml makes sense, and the console is not for everybody."""
    from doorctl.monitord.settings import read_settings

    found = read_settings(monitor.paths.monitor_config)
    yield ok(f"boards at {found.listen}, console at {found.console}")
    if not is_loopback(found.console.host):
        yield wrong(
            f"the console listens on {found.console}: others can reach it, and names and its key travel in clear",
            "console.listen = 127.0.0.1:PORT in monitord.toml, and a reverse proxy with TLS before it",
        )


def keys(monitor: Monitor) -> Iterator[Finding]:
    """All there, whole, and nobody else's."""
    from doorctl.monitord.alarms.access import load_token
    from doorctl.seal.keys import load_monitor_keys

    folder = monitor.paths.monitor_keys
    missing = [name for name in _KEYS if not there(folder / name)]
    for name in missing:
        yield wrong(f"{folder / name}: there is no such file", "put it back from its backup or its offline copy")
    open_ = list(private(folder, "0700", monitor.machine.user_id(MONITOR_USER) if monitor.service else None))
    names = [path.name for path in sorted(folder.glob("*.key"))] + ["console.token"]
    for name in names:
        if name not in missing:
            open_ += private(folder / name, "0600", folder.stat().st_uid)
    yield from open_
    if not missing and not open_:
        load_monitor_keys(folder)
        load_token(folder)


def public_half(monitor: Monitor) -> Iterator[Finding]:
    """What boards were given is of the keys that are here."""
    from doorctl.seal.certificates import certificate_from_pem
    from doorctl.seal.keys import load_monitor_keys, read_monitor_file

    public = read_monitor_file(monitor.paths.monitor_export)
    yield ok(f"this monitor is {public.fingerprint}")
    certificate = certificate_from_pem((monitor.paths.monitor_keys / "tls.crt").read_text(encoding="ascii"))
    if load_monitor_keys(monitor.paths.monitor_keys).public != public.keys or certificate != public.certificate_der:
        yield wrong(
            f"{monitor.paths.monitor_export}: of other keys than those in {monitor.paths.monitor_keys}",
            "put the right keys back: boards seal their records for those in the file",
        )


def token_key_copy(monitor: Monitor) -> Iterator[Finding]:
    """A copy of each token key was made or shown once."""
    from doorctl.cli.monitor_copy import noted_copies, token_fingerprints

    noted = noted_copies(monitor.paths)
    for fingerprint in token_fingerprints(monitor.paths.monitor_keys):
        if (seen := noted.get(fingerprint)) is not None:
            yield ok(f"token key {fingerprint[:8]}: its offline copy was last seen on {seen}")
        elif monitor.settings.simulated:
            yield ok(f"token key {fingerprint[:8]}: simulated, and needs no copy")
        else:
            yield wrong(
                f"token key {fingerprint[:8]}: nothing says that it has an offline copy; a broken disk would mean new "
                "codes for everybody",
                _SAFE,
            )


def databases(monitor: Monitor) -> Iterator[Finding]:
    """Ledger and alarms, from end to end."""
    for path in (monitor.paths.ledger, monitor.paths.alarms):
        if there(path):
            yield _sound(path)
        else:
            yield wrong(f"{path}: there is none", f"the monitor makes it when it starts first: {_START}")


def boards(monitor: Monitor) -> Iterator[Finding]:
    """Each trusted board's file reads, and it was heard of."""
    from doorctl.seal.keys import read_controller_file

    files = sorted(path for path in monitor.paths.controllers.glob("*.toml") if not path.name.startswith("."))
    if not files:
        yield warning("no board is trusted", "`doorctl monitor trust controller.toml`")
        return
    for path in files:
        try:
            board = read_controller_file(path)
        except DoorctlError as error:
            yield of_error(error)
            continue
        name = f"{board.site} ({board.controller.hex()[:8]})"
        heard = _last_heard(monitor.paths.ledger, board.controller)
        if heard is None:
            yield warning(f"{name}: trusted, and was never heard of", "`doorctl doctor` at the board says why")
        elif monitor.now - heard > _SILENT:
            minutes = (monitor.now - heard) // (60 * SECOND)
            yield wrong(f"{name}: silent for {minutes:,} minutes", "`doorctl doctor` at the board says why")
        else:
            yield ok(f"{name}: heard of within {_SILENT // SECOND} s")


def running(monitor: Monitor) -> Iterator[Finding]:
    """Whether both listeners answer, and the one for boards with the certificate that they pin."""
    from doorctl.cli.doctor_line import plain_context, reach
    from doorctl.courierd.config import Address
    from doorctl.seal.keys import read_monitor_file

    ports = _ports(monitor)
    for what in ("console", "ingest"):
        host, port = ports[what]
        if not can_connect(host, port, _WITHIN_S):
            yield wrong(f"nobody answers at the {what}'s address {host}:{port}", _START)
        elif what == "ingest":
            pinned = read_monitor_file(monitor.paths.monitor_export).certificate_der
            yield reach(Address(host=host, port=port), plain_context(), pinned)


def room(monitor: Monitor) -> Iterator[Finding]:
    """For the ledger, which forgets nothing."""
    yield from disk_room(_folder(monitor), may_grow=_GROWTH)


def speed(monitor: Monitor) -> Iterator[Finding]:
    """Of the disk that receipts wait for."""
    yield from disk_speed(_folder(monitor))


def services(monitor: Monitor) -> Iterator[Finding]:
    """The monitor's unit."""
    return units(monitor.machine, ("doorctl-monitor.service",), service=monitor.service)


def _folder(monitor: Monitor) -> Path:
    if not monitor.paths.monitor_var.is_dir():
        raise Unseen(f"{monitor.paths.monitor_var}: there is none yet")
    return monitor.paths.monitor_var


def _sound(path: Path) -> Finding:
    """Of one database, so that a damaged one does not hide the other."""
    try:
        with closing(open_read_only(path)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        return unseen(f"{path}: {error}", "run it with sudo")
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        return wrong(f"{path}: damaged: {verdict}", "put a backup in its place: docs/operations.md, Backups")
    return ok(f"{path.name}: every page sound, {path.stat().st_size // 1_000_000:,} MB")


def _last_heard(ledger: Path, controller: bytes) -> int | None:
    """When a board last said anything; supervision is a row an epoch, so this is quick whatever the ledger holds."""
    try:
        with closing(open_read_only(ledger)) as connection:
            (heard,) = connection.execute(
                "SELECT max(received) FROM supervision WHERE controller = ?", (controller,)
            ).fetchone()
            if heard is None:
                newest = "SELECT received FROM records WHERE controller = ? ORDER BY id DESC LIMIT 1"
                heard = (connection.execute(newest, (controller,)).fetchone() or (None,))[0]
    except sqlite3.Error as error:
        raise Unseen("the ledger does not say who was heard of", "see the check of the databases") from error
    return None if heard is None else int(heard)


def _ports(monitor: Monitor) -> dict[str, tuple[str, int]]:
    """Where to knock: as the running monitor says, else as its file does."""
    from doorctl.monitord.settings import parse_address
    from doorctl.monitord.supervisor import ports_path

    addresses = {"console": monitor.settings.console, "ingest": monitor.settings.listen}
    try:
        told = json.loads(ports_path(monitor.paths).read_text(encoding="utf-8"))
        addresses |= {what: parse_address(str(told[what]), where=what) for what in addresses if what in told}
    except (FileNotFoundError, ValueError):
        pass  # it does not run, or was never started: its file says where it would be
    return {what: (_ANY.get(address.host, address.host), address.port) for what, address in addresses.items()}


MONITOR: Final[tuple[Check[Monitor], ...]] = (
    Check(name="settings", looks_at="monitord.toml", look=settings),
    Check(name="keys", looks_at="the keys folder", look=keys, fine="all there, and nobody else's"),
    Check(name="public half", looks_at="monitor.toml against the keys", look=public_half),
    Check(name="token key copy", looks_at="whether one was ever made", look=token_key_copy),
    Check(name="databases", looks_at="ledger.db, alarms.db", look=databases),
    *LEFTOVERS,
    Check(name="boards", looks_at="trusted controllers", look=boards),
    Check(name="running", looks_at="console and the boards' port", look=running),
    Check(name="disk room", looks_at="the ledger's file system", look=room),
    Check(name="disk speed", looks_at="a write beside the ledger", look=speed),
    Check(name="services", looks_at="systemd unit", look=services, fine="installed, enabled and running"),
    Check(name="versions", looks_at="Python, SQLite, libraries", look=versions),
)
