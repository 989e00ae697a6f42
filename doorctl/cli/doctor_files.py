"""Doctor's checks of a board's files: configuration, keys, pairing, sockets. Each looks and writes nothing.

No key is ever in a finding: it names files, modes and owners.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from doorctl.cli.check import summary
from doorctl.cli.doctor_finding import Check, Finding, Unseen, ok, warning, wrong
from doorctl.cli.doctor_subject import COURIER_USER, DOOR_USER, Board, is_socket, user_name
from doorctl.cli.status import counted

_KEYS: Final = ("identity.key", "lookup.key")
_RELOAD: Final = "doorctl check && systemctl reload doorctl"
"""Where that is not enough it says so, and what is."""
_INIT: Final = "`doorctl init` makes what is missing, and keeps what is there"


def configuration(board: Board) -> Iterator[Finding]:
    """Every mistake, and what is weak."""
    from doorctl.config.advice import advice
    from doorctl.config.reading import ConfigError, read_config

    try:
        config = read_config(board.paths.config)
    except ConfigError as error:
        for mistake in error.mistakes:
            yield wrong(str(mistake).partition("\n")[0], mistake.hint or "man doorctl.toml has every key")
        return
    yield ok(f"{board.paths.config}: {summary(config)}, no mistakes")
    for line in advice(config):
        yield warning(line, f"edit {board.paths.config}, then {_RELOAD}")


def in_force(board: Board) -> Iterator[Finding]:
    """Whether doord runs with the files that are there."""
    from doorctl.config.digest import config_digest

    status = board.status
    if not {"configuration", "monitor"} <= status.keys():
        yield wrong("doord is of an earlier version than this doctor", "systemctl restart doorctl doorctl-courier")
        return
    if status["configuration"] != config_digest(board.config):
        yield wrong("doorctl.toml says something else than what doord runs with", _RELOAD)
    if status["monitor"] != board.monitor.fingerprint:
        yield wrong(
            f"{board.monitor_path.name} is of another monitor, or has other keys, than what doord runs with",
            "compare fingerprints with the monitor, then systemctl restart doorctl doorctl-courier",
        )


def keys(board: Board) -> Iterator[Finding]:
    """Both keys are there, whole, and nobody else's."""
    from doorctl.seal.keys import load_controller_keys
    from doorctl.seal.private_files import CREDENTIAL

    folder = board.paths.keys
    if CREDENTIAL in str(board.said().get("keys")):
        yield ok("in systemd's credentials, which only doord gets")
        return
    missing = [name for name in _KEYS if not there(folder / name)]
    if missing and board.running is not True and all((board.machine.credentials / name).exists() for name in missing):
        raise Unseen("in systemd's credentials, which only a running doord can read", "systemctl start doorctl")
    for name in missing:
        yield wrong(
            f"{folder / name}: there is no such key", "put it back from its backup; else `doorctl init`, enrol anew"
        )
    open_ = list(private(folder, "0700", board.machine.user_id(DOOR_USER) if board.service else None))
    for name in _KEYS:
        if name not in missing:
            open_ += private(folder / name, "0600", folder.stat().st_uid)
    yield from open_
    if not missing and not open_:
        load_controller_keys(board.paths)


def courier_keys(board: Board) -> Iterator[Finding]:
    """The line's key and certificate are a pair, and the ones that were carried to the monitor."""
    from doorctl.courierd.tls import client_context
    from doorctl.seal.certificates import certificate_from_pem
    from doorctl.seal.keys import read_controller_file

    folder = board.paths.courier_keys
    key, certificate = folder / "tls.key", folder / "tls.crt"
    for path in (key, certificate):
        if not there(path):
            yield wrong(f"{path}: there is no such file", f"{_INIT}; then `doorctl monitor trust` at the monitor")
            return
    open_ = list(private(folder, "0700", board.machine.user_id(COURIER_USER) if board.service else None))
    open_ += private(key, "0600", folder.stat().st_uid)
    yield from open_
    if not open_:
        client_context(certificate, key)
    public = read_controller_file(board.paths.controller_public)
    if public.certificate_der != certificate_from_pem(certificate.read_text(encoding="ascii")):
        yield wrong(
            f"{certificate}: not the certificate that {board.paths.controller_public.name} has",
            "the monitor trusts the one in the file: put the right pair back",
        )
    if public.controller != board.keys.controller:
        yield wrong(
            f"{board.paths.controller_public}: of another identity key than this board's",
            "move it away, `doorctl init`, then `doorctl monitor trust controller.toml` at the monitor",
        )


def site_name(board: Board) -> Iterator[Finding]:
    """The monitor was given the name and the zone that the configuration has."""
    from doorctl.doord.site_name import RENAMED, told_otherwise

    for words in told_otherwise(board.paths, board.config):
        yield warning(words, RENAMED)


def pairing(board: Board) -> Iterator[Finding]:
    """monitor.toml is whole, and its keys are the ones the monitor uses."""
    from doorctl.seal.keys import read_monitor_file

    monitor = read_monitor_file(board.monitor_path)
    yield ok(f"{board.monitor_path.name} is of {monitor.fingerprint}")
    for reason, count in board.said("spool").get("refused_by_monitor", {}).items():
        yield wrong(
            f"the monitor refused {counted(count, 'record')}: {reason.lower().replace('_', ' ')}",
            "unknown key: it has other keys now, pair again; unknown controller: `doorctl monitor trust` there",
        )


def start(board: Board) -> Iterator[Finding]:
    """What doord would refuse to start with, in its own words; then whether the door can know."""
    from doorctl.doord.assembly import read_site

    site = read_site(board.paths)
    if site.colocated:
        yield warning(
            f"{board.paths.monitor_keys}: the monitor's keys are on this board, so the door can know",
            "move the monitor to another machine",
        )


def sockets(board: Board) -> Iterator[Finding]:
    """Names of sockets without anybody behind them."""
    if board.running is not False:
        return
    for path in (board.paths.control_socket, board.paths.courier_socket, board.paths.mock_socket):
        if is_socket(path):
            yield warning(
                f"{path}: left by a doord that was killed",
                "start doord, which replaces it; nothing needs to be deleted",
            )


def private(path: Path, expected: str, owner: int | None) -> Iterator[Finding]:
    """Mode and owner of a file or folder with secrets."""
    found = path.stat()
    if stat.S_IMODE(found.st_mode) & 0o077:
        yield wrong(
            f"{path}: expected mode {expected}, found {stat.S_IMODE(found.st_mode):04o}: others may have read it",
            f"chmod {expected} {path}, and make new keys unless you know that nobody did",
        )
    if owner is not None and found.st_uid != owner:
        yield wrong(
            f"{path}: expected owner {user_name(owner)}, found {user_name(found.st_uid)}",
            f"chown {user_name(owner)} {path}",
        )


def there(path: Path) -> bool:
    """Whether it is; PermissionError where we may not even see."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


FILES: Final[tuple[Check[Board], ...]] = (
    Check(name="configuration", looks_at="doorctl.toml", look=configuration),
    Check(name="in force", looks_at="what doord was started with", look=in_force, fine="doord runs with these files"),
    Check(name="keys", looks_at="identity.key, lookup.key", look=keys, fine="whole, and nobody else's"),
    Check(name="courier's key", looks_at="tls.key, tls.crt", look=courier_keys, fine="a pair, and controller.toml's"),
    Check(name="site name", looks_at="controller.toml against doorctl.toml", look=site_name, fine="one name, one zone"),
    Check(name="pairing", looks_at="monitor.toml", look=pairing),
    Check(name="start", looks_at="what doord checks before it starts", look=start, fine="doord would start"),
    Check(name="sockets", looks_at="/run/doorctl", look=sockets, fine="none is stale"),
)
