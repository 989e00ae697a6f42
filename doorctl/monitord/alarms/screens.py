"""The console's pages as text: templates, what they are given, and the words of a search. Sends nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from doorctl.core.types import SECOND, WallTime
from doorctl.errors import OperatorError
from doorctl.monitord.alarms.access import FORM_FIELD
from doorctl.monitord.alarms.archive import HIGHEST_ID, STATES, Search
from doorctl.monitord.alarms.boards import is_calm, worst_first
from doorctl.monitord.alarms.desk import Desk
from doorctl.monitord.alarms.kinds import CATALOGUE, AlarmKind
from doorctl.monitord.alarms.store import Alarm
from doorctl.monitord.alarms.views import when
from doorctl.monitord.alarms.zones import local

PAGES: Final = Path(__file__).parent / "pages"
_OPEN_SHOWN: Final = 50
"""Cards; more of them at once nobody reads, and the list has all."""
_LASTING_SHOWN: Final = 50
_BOARDS_SHOWN: Final = 300
PAGE: Final = 100
_LONGEST_WORDS: Final = 100
_DAY_MINUTES: Final = 24 * 60
_LAST_DAY: Final = HIGHEST_ID - _DAY_MINUTES * 60 * SECOND
"""Nanoseconds; SQLite's highest number is the last moment there is, and the last day has to be over by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A search as a person typed it, checked."""

    search: Search
    before: int
    typed: Mapping[str, str]
    """What the form shows again."""


class Screens:
    """Renders; `proof` is what the session's forms need."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._templates = Environment(
            loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._templates.filters["local"] = local
        self._templates.globals["field"] = FORM_FIELD

    async def now(self, name: str, proof: str) -> str:
        """What waits, what lasts, and the controllers."""
        change = await self._desk.last_change()
        archive = self._desk.sources.archive
        waiting = await asyncio.to_thread(archive.open, _OPEN_SHOWN)
        lasting = await asyncio.to_thread(archive.lasting, _LASTING_SHOWN)
        quiet_since = None if waiting.count.alarms else await asyncio.to_thread(archive.quiet_since)
        boards = worst_first(await self._desk.controllers())
        return self._render(
            name, proof=proof, change=change, alarms=self._desk.views(waiting.shown), count=waiting.count,
            lasting=self._desk.views(lasting), quiet_since=when(quiet_since), calm=is_calm(boards),
            controllers=boards[:_BOARDS_SHOWN], more_controllers=max(len(boards) - _BOARDS_SHOWN, 0),
        )  # fmt: skip

    async def alarm(self, name: str, alarm: Alarm, proof: str, *, before: int, since: int) -> str:
        """One alarm and what happened around it."""
        change = await self._desk.last_change()
        detail = await self._desk.detail(alarm, before=before, since=since)
        return self._render(name, proof=proof, change=change, alarm=detail, shown_before=before, shown_since=since)

    async def past(self, name: str, asked: Asked, proof: str, problem: str = "") -> str:
        """All alarms that fit, one page."""
        sites, archive = self._desk.sites(), self._desk.sources.archive
        found = await asyncio.to_thread(archive.page, asked.search, sites, before=asked.before, limit=PAGE + 1)
        count = await asyncio.to_thread(archive.count, asked.search, sites)
        older = None
        if len(found) > PAGE:
            older = "?" + urlencode([*asked.typed.items(), ("before", str(found[PAGE - 1].id))])
        return self._render(
            name, proof=proof, alarms=self._desk.views(found[:PAGE]), count=count, older=older, typed=asked.typed,
            kinds=[(kind.value, about.title) for kind, about in CATALOGUE.items()], states=STATES, problem=problem,
            change=await self._desk.last_change(),
        )  # fmt: skip

    def out(self, reason: str) -> str:
        """Nobody is signed in."""
        return self._render("out.html", reason=reason)

    def _render(self, name: str, **given: Any) -> str:
        return self._templates.get_template(name).render(given, zone=self._desk.zone())


NOTHING_ASKED: Final = Asked(search=Search(), before=HIGHEST_ID, typed={})


def asked(untrusted: Mapping[str, str]) -> Asked:
    """From an address's query; OperatorError where a field cannot be meant."""
    typed = {name: untrusted.get(name, "").strip()[:_LONGEST_WORDS] for name in ("q", "kind", "state", "controller")}
    typed |= {name: untrusted.get(name, "").strip() for name in ("from", "to", "tz")}
    zone = _zone(typed["tz"])
    since, until = _day(typed["from"], "from", zone), _day(typed["to"], "to", zone)
    before = untrusted.get("before", "").strip()
    return Asked(
        search=Search(
            words=typed["q"],
            kind=_kind(typed["kind"]),
            state=_one_of(typed["state"], "state", STATES),
            controller=_one_of_hex(typed["controller"]),
            since=since,
            until=None if until is None else WallTime(until + _DAY_MINUTES * 60 * SECOND),
        ),
        before=_number(before) if before else HIGHEST_ID,
        typed={name: text for name, text in typed.items() if text},
    )


def _kind(untrusted: str) -> AlarmKind | None:
    kinds = [kind.value for kind in AlarmKind]
    return AlarmKind(_one_of(untrusted, "kind", kinds)) if untrusted else None


def _one_of(untrusted: str, name: str, known: tuple[str, ...] | list[str]) -> str:
    if untrusted and untrusted not in known:
        raise OperatorError(f"{name}: expected one of {', '.join(known)}")
    return untrusted


def _one_of_hex(untrusted: str) -> str:
    if not all(character in "0123456789abcdefABCDEF" for character in untrusted):
        raise OperatorError("controller: expected the beginning of its number, digits and a to f")
    return untrusted


def _number(untrusted: str) -> int:
    if not untrusted.isascii() or not untrusted.isdecimal() or len(untrusted) >= len(str(HIGHEST_ID)):
        raise OperatorError("before: expected the number of an alarm")
    return int(untrusted)


def _zone(untrusted: str) -> timedelta:
    """A browser's minutes behind UTC; UTC where none says any."""
    number = untrusted.removeprefix("-")
    if untrusted and not (number.isascii() and number.isdecimal() and len(number) <= len(str(_DAY_MINUTES))):
        raise OperatorError("tz: expected minutes behind UTC")
    return timedelta(minutes=int(untrusted or "0"))


def _day(untrusted: str, name: str, zone: timedelta) -> WallTime | None:
    """The first moment of a day where the reader is."""
    if not untrusted:
        return None
    try:
        midnight = datetime.strptime(untrusted, "%Y-%m-%d").replace(tzinfo=UTC) + zone
        first = WallTime(int(midnight.timestamp()) * SECOND)
    except (ValueError, OverflowError) as error:
        raise OperatorError(f"{name}: expected a day such as 2026-11-23") from error
    if abs(first) > _LAST_DAY:
        raise OperatorError(f"{name}: expected a day from 1678 to 2262-04-10, which is the last that an alarm can have")
    return first
