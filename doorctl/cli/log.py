"""doorctl log [-f]: the access log of this board. It has no field that could tell one code from another."""

import argparse
import json
import time
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from doorctl.core.types import SECOND, Outcome, WallTime
from doorctl.errors import OperatorError
from doorctl.paths import Paths

FOLLOW_S: Final = 0.5


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "log",
        help="the access log",
        description="The access log: who was let through or refused where and when, and what the doors did.",
        epilog="example: doorctl log --door front --since 24h -f",
    )
    parser.add_argument("-n", "--lines", type=int, default=50, metavar="N", help="the newest N lines (default 50)")
    parser.add_argument("--door", metavar="DOOR", help="only one door")
    parser.add_argument("--since", metavar="WHEN", help="as 30m, 24h, 7d or 2026-12-31")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as new lines come")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print, and with -f go on."""
    from doorctl.config.reading import read_config
    from doorctl.journal.reader import JournalReader

    paths = Paths.chosen(args.home)
    zone = ZoneInfo(read_config(paths.config).site.timezone)
    since = None if args.since is None else moment(args.since, zone, datetime.now(tz=zone))
    reader = JournalReader(paths.journal)
    lines = reader.log(args.lines, door=args.door, since=since)
    last = 0
    while True:
        for logged in lines:
            print(json.dumps(_plain(logged)) if args.json else line(logged, zone), flush=args.follow)
            last = logged.id
        if not args.follow:
            return 0
        time.sleep(FOLLOW_S)
        lines = reader.log(1000, door=args.door, after_id=last)


def line(logged: Any, zone: ZoneInfo) -> str:
    """One row as people read it."""
    row = logged.row
    when = datetime.fromtimestamp(row.wall / SECOND, tz=zone).strftime("%Y-%m-%d %H:%M:%S")
    what = row.event if row.outcome is Outcome.NONE else row.outcome.name.lower()
    why = "" if row.outcome in (Outcome.NONE, Outcome.GRANTED) else row.reason.name.lower().replace("_", " ")
    count = f"× {row.count}" if row.count > 1 else ""
    parts = (when, f"{row.reader or row.door:<12}", f"{what:<10}", row.holder or "", why, count, row.detail)
    return "  ".join(part for part in parts if part).rstrip()


def moment(text: str, zone: ZoneInfo, now: datetime) -> WallTime:
    """`30m`, `24h`, `7d` before now, or the beginning of a day."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if text[:-1].isdecimal() and text[-1:] in units:
        begin = now - timedelta(**{units[text[-1]]: int(text[:-1])})
    else:
        try:
            begin = datetime.fromisoformat(text).replace(tzinfo=zone)
        except ValueError as error:
            raise OperatorError(f"--since {text}: expected 30m, 24h, 7d or a date such as 2026-12-31") from error
    return WallTime(round(begin.timestamp() * SECOND))


def _plain(logged: Any) -> dict[str, Any]:
    row = logged.row
    return {
        "id": logged.id,
        "time": datetime.fromtimestamp(row.wall / SECOND, tz=ZoneInfo("UTC")).isoformat(),
        "event": row.event,
        "door": row.door,
        "reader": row.reader,
        "holder": row.holder,
        "outcome": row.outcome.name.lower(),
        "reason": row.reason.name.lower(),
        "count": row.count,
        "detail": row.detail,
    }
