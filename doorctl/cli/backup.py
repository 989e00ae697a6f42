"""doorctl backup FILE: all of a board or a monitor in one sealed file, while it runs."""

import argparse
import json
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorctl.core.types import SECOND, WallTime
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.backup.manifest import Manifest


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "backup",
        help="save a board or a monitor in one file",
        description="Save this board in one new file while it runs: configuration, keys, roster, access log and the "
        "records that wait. With --monitor this machine's monitor: keys, trusted boards, ledger and alarms, but never "
        "the token key: its offline copy must be shown instead, now or within the last 90 days, because without it the "
        "backup could not be used. The "
        "file is sealed with a passphrase. `doorctl backup --show FILE` reads all of one, says what it has and whether "
        "it is whole, and changes nothing.",
        epilog="example: doorctl backup /media/stick/front.backup\n"
        "monitor: doorctl backup --monitor --token-key-copy /media/safe/token.key /media/stick/monitor.backup",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the new file; with --show the one to look at")
    parser.add_argument("--show", action="store_true", help="look at a backup: whose, what is in it, is it whole")
    parser.add_argument("--monitor", action="store_true", help="the monitor of this machine, not its board")
    parser.add_argument(
        "--token-key-copy", action="append", type=Path, default=[], metavar="FILE",
        help="where the token key's offline copy is now; again for each old token key",
    )  # fmt: skip
    add_passphrase_options(parser)
    parser.add_argument("--plain", action="store_true", help="no passphrase: whoever finds the file has the keys in it")
    parser.add_argument(
        "--without-keys",
        action="store_true",
        help="leave out a board's two keys, as where they are systemd credentials",
    )
    parser.set_defaults(run=run)


def add_passphrase_options(parser: argparse.ArgumentParser) -> None:
    """As `restore` takes them too."""
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="read the passphrase from a 0600 file instead of the terminal",
    )


def run(args: argparse.Namespace) -> int:
    """Make one, or look at one."""
    return _show(args.file, args) if args.show else _make(args.file, args)


def _make(file: Path, args: argparse.Namespace) -> int:
    from doorctl.backup.contents import KEYS
    from doorctl.backup.making import make_backup
    from doorctl.backup.subject import of_board, of_monitor
    from doorctl.cli.backup_passphrase import new_passphrase
    from doorctl.cli.backup_progress import Progress
    from doorctl.cli.monitor_copy import note_copies, noted_copies

    paths, now = Paths.chosen(args.home), WallTime(time.time_ns())
    today = datetime.now(tz=UTC).date()
    if args.monitor:
        contents, label, without = of_monitor(
            paths, args.token_key_copy, seen=noted_copies(paths), today=today, doorctl=version("doorctl"), created=now
        )
    else:
        contents, label = of_board(paths, doorctl=version("doorctl"), created=now)
        without = KEYS if args.without_keys else frozenset()
    passphrase = None if args.plain else new_passphrase(args.passphrase_file)
    with Progress(quiet=args.json) as progress:
        manifest = make_backup(file, contents, label, passphrase=passphrase, without=without, told=progress)
    if args.token_key_copy:
        note_copies(paths, list(manifest.token_keys), today)
    _report(manifest, file, sealed=passphrase is not None, as_json=args.json)
    return 0


def _show(file: Path, args: argparse.Namespace) -> int:
    from doorctl.backup.restoring import opened, verify
    from doorctl.cli.backup_passphrase import passphrase
    from doorctl.cli.backup_progress import Progress

    with opened(file, lambda: passphrase(args.passphrase_file)) as backup, Progress(quiet=args.json) as progress:
        verify(backup, progress)
    _report(backup.manifest, file, sealed=backup.sealed, as_json=args.json)
    return 0


def _report(manifest: "Manifest", file: Path, *, sealed: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": str(file), "sealed": sealed, **json.loads(manifest.encode())}))
        return
    print(f"{file}: {described(manifest)}")
    for member in manifest.members:
        print(f"  {member.name:<28} {member.size:>12,}")
    print(f"  {'sealed with a passphrase' if sealed else 'NOT SEALED: whoever has this file has what is in it'}")
    if manifest.token_keys:
        print("  the token key is not in it: restoring needs its offline copy")


def described(manifest: "Manifest") -> str:
    """One line: whose, of when."""
    kind = f"{'simulated ' if manifest.simulated else ''}{manifest.role}"
    made = datetime.fromtimestamp(manifest.created // SECOND, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{kind} {manifest.name}, {manifest.identity}, of {made}"
