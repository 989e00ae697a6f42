"""doorctl log [-f], log export: the access log of this board. It has no field that could tell one code from another."""

import argparse
import json
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from doorctl.cli.parser import count
from doorctl.core.types import SECOND, Outcome, WallTime
from doorctl.errors import OperatorError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.journal.reader import JournalReader
    from doorctl.journal.rows import Logged

FOLLOW_S: Final = 0.5
_MOST_AT_ONCE: Final = 1000
_LAST: Final = (1 << 63) - 1
"""SQLite's highest number: the nanoseconds from 1970 to April 2262."""


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    from doorctl.cli import log_export

    parser = subparsers.add_parser(
        "log",
        help="the access log",
        description="The access log: who was let through or refused where and when, and what the doors did. "
        "Times are the site's. Needs no running daemon. Lines older than [log] keep_days are deleted; `doorctl log "
        "export` writes a file.",
        epilog="example: doorctl log --door front --since 24h -f",
    )
    parser.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON, one object a line, for scripts"
    )
    parser.add_argument("-n", "--lines", type=count, default=50, metavar="N", help="the newest N lines (default 50)")
    parser.add_argument("--door", metavar="DOOR", help="only one door")
    parser.add_argument("--since", metavar="WHEN", help="as 30m, 24h, 7d or 2026-12-31")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as new lines come")
    parser.set_defaults(run=run)
    verbs = parser.add_subparsers(title="log commands", metavar="COMMAND")
    log_export.add_parser(verbs)


def run(args: argparse.Namespace) -> int:
    """Print, and with -f go on."""
    from doorctl.config.reading import read_config
    from doorctl.journal.reader import JournalReader

    paths = Paths.chosen(args.home)
    config = read_config(paths.config)
    may_read(paths.journal.parent)
    zone = ZoneInfo(config.site.timezone)
    since = None if args.since is None else moment(args.since, zone, datetime.now(tz=zone))
    reader = JournalReader(paths.journal)
    last = newest(reader)
    found = reader.log(args.lines, door=args.door, since=since)
    if not found and args.door is not None:
        known_door(args.door, [door.name for door in config.doors])
    while True:
        for logged in found:
            print(json.dumps(plain(logged)) if args.json else line(logged, zone), flush=args.follow)
            last = logged.id
        if not args.follow:
            return 0
        time.sleep(FOLLOW_S)
        found = reader.log(_MOST_AT_ONCE, door=args.door, after_id=last)
        if not found and newest(reader) < last:
            last = 0  # a damaged journal was moved aside and a new one begun


def may_read(folder: Path) -> None:
    """OperatorError, with who may, where this user may not look into the journal's folder."""
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
        raise OperatorError(
            f"{folder}: no right to read the access log", hint="members of group doorctl-read and root may"
        )


def newest(reader: "JournalReader") -> int:
    """Number of the last line; 0 where there is none."""
    return max((logged.id for logged in reader.log(1)), default=0)


def known_door(name: str, doors: Sequence[str]) -> None:
    """A name without lines may be a slip of the keyboard; one with lines may be a door that was renamed."""
    from doorctl.config.section import nearest

    if name not in doors:
        hint = nearest(name, doors) or f"doors: {', '.join(doors)}"
        raise OperatorError(f'there is no door "{name}", and no line about it', hint=hint)


def line(logged: "Logged", zone: ZoneInfo) -> str:
    """One row as people read it."""
    row = logged.row
    when = datetime.fromtimestamp(row.wall / SECOND, tz=zone).strftime("%Y-%m-%d %H:%M:%S")
    what = row.event if row.outcome is Outcome.NONE else row.outcome.name.lower()
    why = "" if row.outcome in (Outcome.NONE, Outcome.GRANTED) else row.reason.name.lower().replace("_", " ")
    times = f"× {row.count}" if row.count > 1 else ""
    parts = (when, f"{row.reader or row.door:<12}", f"{what:<10}", row.holder or "", why, times, row.detail)
    return "  ".join(part for part in parts if part).rstrip()


def moment(text: str, zone: ZoneInfo, now: datetime, *, option: str = "--since") -> WallTime:
    """`30m`, `24h`, `7d` before now, or the beginning of a day at the site."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    try:
        if text[-1:] in units and text[:-1].isascii() and text[:-1].isdecimal():
            begin = now - timedelta(**{units[text[-1]]: int(text[:-1])})
        else:
            begin = datetime.fromisoformat(text)
            begin = begin if begin.tzinfo is not None else begin.replace(tzinfo=zone)
        found = round(begin.timestamp() * SECOND)
    except (ValueError, OverflowError) as error:
        raise OperatorError(f'{option}: expected 30m, 24h, 7d or a date such as 2026-12-31, found "{text}"') from error
    if abs(found) > _LAST:
        raise OperatorError(
            f'{option}: expected a time from 1678 to 2262, found "{text}"', hint="no line can have another one"
        )
    return WallTime(found)


def plain(logged: "Logged") -> dict[str, Any]:
    """One row as --json says it; the time in UTC."""
    row = logged.row
    return {
        "id": logged.id,
        "time": datetime.fromtimestamp(row.wall / SECOND, tz=UTC).isoformat(),
        "event": row.event,
        "door": row.door,
        "reader": row.reader,
        "holder": row.holder,
        "outcome": row.outcome.name.lower(),
        "reason": row.reason.name.lower(),
        "count": row.count,
        "detail": row.detail,
    }
