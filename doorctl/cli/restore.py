"""doorctl restore FILE: put a backup in place, all of it or nothing; what was there is put aside, never deleted."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorctl.cli.backup import add_passphrase_options, described
from doorctl.errors import OperatorError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.backup.contents import Contents
    from doorctl.backup.manifest import Manifest, MemberName
    from doorctl.backup.restoring import Changes, Restored

_AFTER_BOARD = """\
next: systemctl start doorctl doorctl-courier, and never start another board from this backup
      what was enrolled or changed since is not in it: docs/operations.md, "Restoring a board\""""
_AFTER_NEW = """\
next: carry {controller} to the monitor, `doorctl monitor trust` it there,
      remove the old one's file there, then systemctl start doorctl doorctl-courier here"""
_READERS = """\
      {readers} of the old board, which this one cannot use:
      reset each to its factory state, then `doorctl reader install NAME`"""
_AFTER_MONITOR = """\
next: doorctl monitor controllers: is a board trusted again that you had removed since? remove its file
      systemctl start doorctl-monitor; boards send what it lost, as far back as 7 days"""


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "restore",
        help="put a backup in place",
        description="Put a backup of `doorctl backup` in place on this machine, all of it or nothing, while its "
        "daemons do not run. Where there is something already it refuses; with --replace that is put aside as "
        "NAME.before-N. With --new-identity a board keeps its people, their cards and their codes, and is another "
        "board to the monitor: for new hardware, or where the backup is older than the last enrolment.",
        epilog="example: doorctl restore /media/stick/front.backup\n"
        "monitor: doorctl restore --monitor --token-key-copy /media/safe/token.key /media/stick/monitor.backup",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what `doorctl backup` made")
    parser.add_argument("--monitor", action="store_true", help="the backup is a monitor's")
    parser.add_argument(
        "--token-key-copy", action="append", type=Path, default=[], metavar="FILE",
        help="where the token key's offline copy is now; again for each old token key",
    )  # fmt: skip
    add_passphrase_options(parser)
    parser.add_argument("--replace", action="store_true", help="put aside what is there")
    parser.add_argument(
        "--new-identity", action="store_true", help="new identity and certificate: trust it at the monitor afterwards"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look at whose it is, then put it in place."""
    from doorctl.backup.restoring import opened, restore
    from doorctl.cli.backup_passphrase import passphrase
    from doorctl.cli.backup_progress import Progress
    from doorctl.cli.monitor_copy import note_copies

    paths = Paths.chosen(args.home)
    with opened(args.file, lambda: passphrase(args.passphrase_file)) as backup, Progress(quiet=args.json) as progress:
        contents = _contents(paths, backup.manifest, args)
        changes = _changes(paths, contents, backup.manifest, args)
        done = restore(backup, contents, changes, replace=args.replace, told=progress)
    if backup.manifest.token_keys:
        note_copies(paths, list(backup.manifest.token_keys), datetime.now(tz=UTC).date())
    _report(paths, backup.manifest, done, args)
    return 0


def _contents(paths: Paths, manifest: "Manifest", args: argparse.Namespace) -> "Contents":
    """OperatorError where the backup is of another role than was said."""
    from doorctl.backup.contents import Contents
    from doorctl.backup.manifest import Role

    role = Role.MONITOR if args.monitor else Role.BOARD
    if manifest.role is not role:
        hint = (
            "give --monitor, on the monitor's own machine" if role is Role.BOARD else "leave --monitor out, on a board"
        )
        raise OperatorError(f"{args.file}: of a {manifest.role}, not of a {role}", hint=hint)
    if args.new_identity and role is Role.MONITOR:
        raise OperatorError(
            "--new-identity: for boards; a monitor's identity is its keys", hint="a new monitor: doorctl monitor init"
        )
    return Contents(paths, role, monitor_file=manifest.monitor_file)


def _changes(paths: Paths, contents: "Contents", manifest: "Manifest", args: argparse.Namespace) -> "Changes":
    from doorctl.backup.contents import JOURNAL, KEYS
    from doorctl.backup.restoring import Changes
    from doorctl.backup.subject import new_identity, same_keys, token_keys
    from doorctl.journal.renewal import renew

    contents.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if args.monitor:
        return Changes(supplied=token_keys(manifest, args.token_key_copy))
    missing = KEYS - {member.name for member in manifest.members}
    if missing and args.new_identity:
        raise OperatorError(f"{args.file}: has no look-up key to go on with", hint="make a new board: doorctl init")
    if missing:
        same_keys(paths, manifest)
    if not args.new_identity:
        return Changes(kept=missing)
    return Changes(
        supplied=new_identity(contents, manifest),
        renewed={JOURNAL: renew},
        new_identity=True,
        left_out=_readers(manifest),
    )


def _readers(manifest: "Manifest") -> "frozenset[MemberName]":
    """Keys that are wrapped for one board: another one can open none of them."""
    from doorctl.backup.contents import reader_keys

    return reader_keys(member.name for member in manifest.members)


def _report(paths: Paths, manifest: "Manifest", done: "Restored", args: argparse.Namespace) -> None:
    readers = len(_readers(manifest)) if args.new_identity else 0
    if args.json:
        print(json.dumps({"restored": manifest.identity, "role": manifest.role, "created": manifest.created,
                          "aside": done.aside, "ended": done.ended, "readers_to_install": readers}))  # fmt: skip
        return
    if done.ended:
        print("an interrupted restore of this backup was ended")
    print(f"restored: {described(manifest)}")
    if done.aside is not None:
        print(f"what was there is beside it, named *.before-{done.aside}")
    if args.monitor:
        print(_AFTER_MONITOR)
    elif args.new_identity:
        print(_AFTER_NEW.format(controller=paths.controller_public))
        if readers:
            print(_READERS.format(readers=f"{readers} OSDP reader{' has a key' if readers == 1 else 's have keys'}"))
    else:
        print(_AFTER_BOARD)
