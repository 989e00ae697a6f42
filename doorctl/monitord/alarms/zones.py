"""A moment as people at a site read it, always with its zone: a page of several sites has several. Pure.

A board's file says its site's zone. Where it says none its moments are UTC, until a page's script, which knows where
the reader is, says more. pages/clock.js writes the same way.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_HOUR: Final = timedelta(hours=1)


def local(moment: str, zone: str) -> str:
    """ISO 8601 → `23 Nov 2026, 20:12:48 UTC+1`."""
    there = _moment(moment, zone)
    return f"{there:%d %b %Y, %H:%M:%S} {_offset(there)}"


def only_zone(zones: Iterable[str]) -> str:
    """The zone of a page whose sites all have the same; empty where they differ or one is not known."""
    found = set(zones)
    return found.pop() if len(found) == 1 else ""


def _moment(moment: str, zone: str) -> datetime:
    """There; UTC where a site's summer time would leave the calendar, as a board's wild clock can."""
    at = datetime.fromisoformat(moment)
    try:
        return at.astimezone(_zone(zone))
    except OverflowError:
        return at


def _zone(name: str) -> tzinfo:
    """UTC for a name that this computer's database does not have."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _offset(there: datetime) -> str:
    """`UTC`, `UTC+1`, `UTC-3:30`."""
    offset = there.utcoffset() or timedelta()
    if not offset:
        return "UTC"
    hours, rest = divmod(abs(offset), _HOUR)
    minutes = f":{rest // timedelta(minutes=1):02}" if rest else ""
    return f"UTC{'-' if offset < timedelta() else '+'}{hours}{minutes}"
