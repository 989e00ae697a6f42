"""Which holders a command is about: those of a group, expired or suspended ones; in pages, never all at once."""

import argparse
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo

from doorctl.core.types import GroupName, HolderId
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.roster.holders import Holder, Which

PAGE: Final = 500
"""Holders in memory at a time."""


class Asked(Protocol):
    """A roster's reader or writer."""

    def holders(self, which: "Which", *, after: HolderId | None = None, limit: int | None = None) -> "list[Holder]":
        """A page of holders."""
        ...


def add_choice(parser: argparse.ArgumentParser) -> None:
    """The options; all that are given must fit."""
    parser.add_argument("--group", metavar="GROUP", help="only members of a group")
    parser.add_argument("--expired", action="store_true", help="only those whose last day is over")
    parser.add_argument("--suspended", action="store_true", help="only those who are suspended")


def narrowed(args: argparse.Namespace) -> bool:
    """Whether any option was given."""
    return args.group is not None or args.expired or args.suspended


def chosen(roster: Asked, args: argparse.Namespace, paths: Paths, *, after: str | None = None) -> "Iterator[Holder]":
    """Those who fit, in order of their short names, beginning behind `after`."""
    from doorctl.roster.holders import Which

    which = Which(
        search=getattr(args, "search", None),
        group=None if args.group is None else GroupName(args.group),
        expired_on=_today_at_site(paths) if args.expired else None,
        suspended=args.suspended,
    )
    last = None if after is None else HolderId(after)
    while page := roster.holders(which, after=last, limit=PAGE):
        yield from page
        last = page[-1].id


def _today_at_site(paths: Paths) -> date:
    from doorctl.config.reading import read_config

    return datetime.now(tz=ZoneInfo(read_config(paths.config).site.timezone)).date()
