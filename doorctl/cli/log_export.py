"""doorctl log export FILE|-: the access log as CSV or JSON, a page at a time, whatever its length.

Reads as `doorctl log` does: from another process than doord, holding nothing between two pages. A file appears under
its name when it is whole, 0600, and never over another one. It has what the log has: never a card and never a code.
"""

import argparse
import csv
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO
from zoneinfo import ZoneInfo

from doorctl.cli.log import known_door, may_read, moment, newest, plain
from doorctl.cli.progress import progress
from doorctl.core.types import WallTime
from doorctl.errors import OperatorError, StorageError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.journal.reader import JournalReader
    from doorctl.journal.rows import Logged

PAGE: Final = 1000
"""Lines read at once: a few hundred kilobytes, and a lock on the journal for a few milliseconds."""
STANDARD_OUTPUT: Final = "-"
_COLUMNS: Final = ("id", "time", "event", "door", "reader", "holder", "outcome", "reason", "count", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines."""

    door: str | None
    since: WallTime | None
    until: WallTime | None

    def takes(self, logged: "Logged") -> bool:
        """Whether a line is one of them; `until` is the first moment that is not."""
        row = logged.row
        return (
            (self.door is None or row.door == self.door)
            and (self.since is None or row.wall >= self.since)
            and (self.until is None or row.wall < self.until)
        )


@dataclass(slots=True, kw_only=True)
class Exported:
    """What was written so far."""

    lines: int = 0
    first: str | None = None
    last: str | None = None

    def add(self, line: dict[str, Any]) -> None:
        """One more line."""
        self.lines += 1
        self.first = self.first or line["time"]
        self.last = line["time"]


def add_parser(verbs: Any) -> None:
    """What the verb takes."""
    parser = verbs.add_parser(
        "export",
        help="the access log as a file, for somebody who may have it",
        description="Write the access log, or some of it, to a new file, or to standard output with -. Times are UTC. "
        "It names people: give it only to who may know. Lines older than [log] keep_days are gone from the board.",
        epilog="example: doorctl log export --since 2026-07-01 --until 2026-08-01 july.csv",
    )
    parser.add_argument("file", metavar="FILE", help="a new file, readable by you alone; - is standard output")
    parser.add_argument("--door", metavar="DOOR", default=argparse.SUPPRESS, help="only one door")
    parser.add_argument(
        "--since", metavar="WHEN", default=argparse.SUPPRESS, help="from then on: 24h, 7d or 2026-12-31"
    )
    parser.add_argument("--until", metavar="WHEN", help="until just before then; the same forms")
    parser.add_argument(
        "--format", choices=("csv", "json"), default="csv", help="json is one object a line (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the lines, then say how many."""
    from doorctl.config.reading import read_config
    from doorctl.journal.reader import JournalReader

    paths = Paths.chosen(args.home)
    config = read_config(paths.config)
    may_read(paths.journal.parent)
    zone = ZoneInfo(config.site.timezone)
    now = datetime.now(tz=zone)
    wanted = Wanted(
        door=args.door,
        since=None if args.since is None else moment(args.since, zone, now, option="--since"),
        until=None if args.until is None else moment(args.until, zone, now, option="--until"),
    )
    if wanted.since is not None and wanted.until is not None and wanted.until <= wanted.since:
        raise OperatorError("--until: expected a time after --since", hint="--until is the first moment left out")
    reader = JournalReader(paths.journal)
    with _destination(args.file) as file:
        exported = _write(_lines(reader, wanted, quiet=args.json or file.isatty()), file, args.format)
        if not exported.lines and wanted.door is not None:
            known_door(wanted.door, [door.name for door in config.doors])
    _say_done(exported, args)
    return 0


@contextmanager
def _destination(name: str) -> Iterator[TextIO]:
    if name == STANDARD_OUTPUT:
        yield sys.stdout
        return
    with new_file(Path(name)) as file:
        yield file


@contextmanager
def new_file(path: Path) -> Iterator[TextIO]:
    """A file that nobody else can read, under its name only when the block ends well; OperatorError where one is."""
    if os.path.lexists(path):
        raise OperatorError(f"{path}: is there already and is never overwritten", hint="give another name")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        # first the name, which is refused where there is one: sticks (vfat) know no links, which would do both
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        draft.replace(path)
    except FileExistsError as error:
        raise OperatorError(f"{path}: is there already and is never overwritten", hint="give another name") from error
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written: {(error.strerror or str(error)).lower()}", hint="nothing was left there"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _lines(reader: "JournalReader", wanted: Wanted, *, quiet: bool) -> Iterator[dict[str, Any]]:
    """Up to the line that is the last one now, so that a busy door comes to an end. `quiet`: no word on the way."""
    last, at = newest(reader), 0
    with progress("exporting lines", last, quiet=quiet) as advance:
        while at < last and (found := reader.log(PAGE, after_id=at)):
            for logged in found:
                if logged.id <= last and wanted.takes(logged):
                    yield plain(logged)
            advance(found[-1].id - at)
            at = found[-1].id


def _write(lines: Iterator[dict[str, Any]], file: TextIO, form: str) -> Exported:
    exported = Exported()
    if form == "csv":
        table = csv.DictWriter(file, _COLUMNS, lineterminator="\r\n")  # RFC 4180, section 2
        table.writeheader()
        for line in lines:
            table.writerow(line)
            exported.add(line)
        return exported
    for line in lines:
        file.write(json.dumps(line) + "\n")
        exported.add(line)
    return exported


def _say_done(exported: Exported, args: argparse.Namespace) -> None:
    told = sys.stderr if args.file == STANDARD_OUTPUT else sys.stdout
    if args.json:
        done = {"lines": exported.lines, "first": exported.first, "last": exported.last}
        print(json.dumps({"file": args.file, "format": args.format, **done}), file=told)
        return
    counted = f"{exported.lines:,} line{'' if exported.lines == 1 else 's'}"
    span = f", of {exported.first} to {exported.last}" if exported.lines else ""
    print(f"{args.file}: {counted}{span}", file=told)
