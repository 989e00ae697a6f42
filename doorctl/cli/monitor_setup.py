"""doorctl monitor init and trust: keys, files, pairing. Never overwrites a key; can be repeated after a failure."""

import argparse
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

from doorctl.cli.monitor_copy import note_copies, token_fingerprints
from doorctl.cli.terminal import confirmed
from doorctl.errors import OperatorError
from doorctl.monitord.alarms.access import create_token
from doorctl.monitord.controllers import controller_path
from doorctl.monitord.settings import Address, Settings, parse_address, read_settings, write_settings
from doorctl.paths import Paths
from doorctl.seal import private_files
from doorctl.seal.certificates import certificate_from_pem
from doorctl.seal.keys import (
    MonitorFile,
    MonitorKeys,
    create_monitor_keys,
    create_tls,
    load_monitor_keys,
    read_controller_file,
    read_monitor_file,
    token_key_from,
    write_controller_file,
    write_monitor_file,
)
from doorctl.seal.pairing import MOST_ADDRESSES

_EVERYWHERE = "0.0.0.0"  # noqa: S104  boards come from the network; the line is mutual TLS with pinned certificates
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


def init(args: argparse.Namespace) -> int:
    """Keys, the offline copy, the configuration, and last monitor.toml: its presence says that all is done."""
    paths = Paths.chosen(args.home)
    if paths.monitor_export.exists():
        raise OperatorError(
            f"{paths.monitor_export}: this monitor is made already", hint="a monitor is made once; keep its keys"
        )
    settings = _settings(args)
    _check_same(paths, settings)
    _check_copy(paths, args)
    for folder, mode in ((paths.monitor_etc, 0o755), (paths.monitor_var, 0o700)):
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    # before the keys: what a repeated init is held to
    if not paths.monitor_config.exists():
        write_settings(paths.monitor_config, settings)
    keys = _keys(paths, args.token_key)
    if args.token_key_copy is not None:
        _copy_token_key(paths, args.token_key_copy)
    if args.token_key_copy is not None or args.token_key is not None:
        note_copies(paths, token_fingerprints(paths.monitor_keys), datetime.now(tz=UTC).date())
    certificate = _certificate(paths)
    if not (paths.monitor_keys / "console.token").exists():
        create_token(paths.monitor_keys, secrets.token_urlsafe(32))
    private_files.create_folder(paths.controllers)
    public = MonitorFile(
        addresses=tuple(args.address), certificate_der=certificate, keys=keys.public, simulated=args.simulated
    )
    write_monitor_file(paths.monitor_export, public)
    _report_init(args, paths, public)
    return 0


def trust(args: argparse.Namespace) -> int:
    """Show both fingerprints, ask, take the file."""
    paths = Paths.chosen(args.home)
    settings = read_settings(paths.monitor_config)
    monitor = read_monitor_file(paths.monitor_export)
    offered = read_controller_file(args.file)
    if offered.simulated is not settings.simulated:
        kinds = ("real", "simulated")
        raise OperatorError(
            f"{args.file}: of a {kinds[offered.simulated]} board; this monitor is for {kinds[settings.simulated]} ones",
            hint="doors and simulations never share a monitor",
        )
    if not args.json:
        print(f"{args.file} is of {offered.site}: {offered.fingerprint}")
        print(f"this monitor is:{' ' * (len(str(args.file)) + len(offered.site) - 7)} {monitor.fingerprint}")
    if not confirmed("does the board show the same two?", yes=args.yes):
        raise OperatorError(
            "not confirmed: nothing was changed", hint="compare the fingerprints, or say --yes if that was done"
        )
    private_files.create_folder(paths.controllers)
    write_controller_file(controller_path(paths.controllers, offered.controller), offered)
    if args.json:
        print(json.dumps({"controller": offered.controller.hex(), "fingerprint": offered.fingerprint,
                          "monitor": monitor.fingerprint}))  # fmt: skip
    else:
        print(f"{offered.site} is trusted; a running monitor notices within a second")
    return 0


def _settings(args: argparse.Namespace) -> Settings:
    """Every address is looked at, those too that only boards will use."""
    if len(args.address) > MOST_ADDRESSES or len(set(args.address)) < len(args.address):
        raise OperatorError(
            f"--address: expected one or two that differ, got {', '.join(args.address)}",
            hint="a monitor is reached over one or two lines; give --address once for each",
        )
    reached, *_others = [parse_address(address, where="--address", lowest=1) for address in args.address]
    listen = Address(host=reached.host if reached.host in _LOCAL else _EVERYWHERE, port=reached.port)
    if args.listen is not None:
        listen = parse_address(args.listen, where="--listen")
    return Settings(
        listen=listen, console=parse_address(args.console, where="--console"), simulated=args.simulated
    )  # fmt: skip


def _check_same(paths: Paths, settings: Settings) -> None:
    """An init repeated after a failure goes on with the same monitor, never with half of another one."""
    if paths.monitor_config.exists() and read_settings(paths.monitor_config) != settings:
        raise OperatorError(
            f"{paths.monitor_config}: an init that did not end began with other settings",
            hint="repeat it with the same --simulated, --address, --listen and --console, or move the folder away",
        )


def _check_copy(paths: Paths, args: argparse.Namespace) -> None:
    """Before anything is made: an init that cannot make the copy makes nothing."""
    copy: Path | None = args.token_key_copy
    if copy is not None and args.token_key is not None:
        raise OperatorError(
            "--token-key-copy: with --token-key there is a copy already", hint="give one of the two; keep that copy"
        )
    if copy is None:
        if not args.simulated and args.token_key is None:
            raise OperatorError(
                "--token-key-copy: the token key needs an offline copy: without it, a broken disk means new codes "
                "for everybody",
                hint="give a new file on removable media, and keep that in a safe",
            )
        return
    if copy.exists() and not (paths.monitor_keys / "token.key").exists():
        raise OperatorError(f"{copy}: is there already and is never overwritten")
    if not copy.absolute().parent.is_dir():
        raise OperatorError(f"{copy.parent}: no such folder", hint="is the medium mounted")
    if copy.resolve().is_relative_to(paths.monitor_var.resolve()):
        raise OperatorError(f"{copy}: a copy beside the key is no copy", hint="use removable media")


def _keys(paths: Paths, copy: Path | None) -> MonitorKeys:
    token = None if copy is None else token_key_from(copy, copy.read_bytes())
    if not (paths.monitor_keys / "receipt.key").exists():
        return create_monitor_keys(paths.monitor_keys, token=token)
    keys = load_monitor_keys(paths.monitor_keys)
    if token is not None and token.public_key() != keys.token.public_key():
        raise OperatorError(f"{copy}: another token key than this monitor's", hint="move the folder away to begin anew")
    return keys


def _copy_token_key(paths: Paths, copy: Path) -> None:
    key = private_files.read_file(paths.monitor_keys / "token.key")
    if copy.exists():
        if private_files.read_file(copy) == key:
            return
        raise OperatorError(f"{copy}: is there already and is never overwritten")
    private_files.create_file(copy, key)


def _certificate(paths: Paths) -> bytes:
    certificate = paths.monitor_keys / "tls.crt"
    if certificate.exists():
        return certificate_from_pem(certificate.read_text(encoding="ascii"))
    return create_tls(paths.monitor_keys / "tls.key", certificate, name="doorctl-monitor")


def _report_init(args: argparse.Namespace, paths: Paths, public: MonitorFile) -> None:
    if args.json:
        print(json.dumps({"fingerprint": public.fingerprint, "file": str(paths.monitor_export)}))
        return
    print(f"this monitor: {public.fingerprint}")
    if args.token_key_copy is not None:
        print(f"token key copied to {args.token_key_copy}: put it in a safe, and take it off this machine")
    print(f"next: carry {paths.monitor_export} to each board and run `doorctl init --monitor monitor.toml` there,")
    print("      then `doorctl monitor trust controller.toml` and `doorctl monitor run` here")
