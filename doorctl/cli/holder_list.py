"""doorctl holder list|show|export: who is enrolled, a page at a time however many there are; never a code or a card."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from doorctl.cli.holder_cell import cell
from doorctl.cli.holder_choice import chosen, narrowed
from doorctl.cli.pager import paged
from doorctl.core.types import HolderId
from doorctl.paths import Paths
from doorctl.roster.lookup import RosterReader

if TYPE_CHECKING:
    from doorctl.roster.holders import Holder

EXPORTED: Final = ("holder", "label", "groups", "valid_from", "until", "suspended")
"""Columns that `holder import` reads again. Cards and codes are not here: the board itself has only their HMACs."""


def run_list(args: argparse.Namespace) -> int:
    """Everybody, or those who match."""
    paths = Paths.chosen(args.home)
    with RosterReader.open(paths.roster) as reader:
        found = islice(chosen(reader, args, paths, after=args.after), args.limit)
        if args.json:
            _print_json(found, sys.stdout.write)
            return 0
        some = False
        with paged() if args.limit is None else nullcontext(sys.stdout) as out:
            for holder in found:
                some = True
                out.write(line(holder) + "\n")
    if not some:
        everybody = args.search is None and args.after is None and not narrowed(args)
        print("nobody is enrolled" if everybody else "nobody matches")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """One person; never a code, never a card's number."""
    with RosterReader.open(Paths.chosen(args.home).roster) as reader:
        holder = reader.holder(HolderId(args.holder))
    if args.json:
        print(json.dumps(plain(holder), indent=2))
    else:
        print("\n".join(lines(holder)))
    return 0


def run_export(args: argparse.Namespace) -> int:
    """CSV that `holder import` reads, or JSON."""
    paths = Paths.chosen(args.home)
    with RosterReader.open(paths.roster) as reader:
        found = chosen(reader, args, paths)
        if args.json:
            _print_json(found, sys.stdout.write)
            return 0
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(EXPORTED)
        rows.writerows(_exported(holder) for holder in found)
    return 0


def line(holder: "Holder") -> str:
    """A holder in a list."""
    state = "suspended" if holder.suspended else ""
    return f"{holder.id:<24} {holder.label:<32} {', '.join(holder.groups):<24} {state}".rstrip()


def plain(holder: "Holder") -> dict[str, Any]:
    """A holder as --json says it."""
    return {
        "holder": holder.id,
        "name": holder.label,
        "groups": list(holder.groups),
        "card": holder.card is not None,
        "valid_from": None if holder.valid_from is None else holder.valid_from.isoformat(),
        "valid_until": None if holder.valid_until is None else holder.valid_until.isoformat(),
        "suspended": holder.suspended,
        "codes_drawn": holder.drawn.isoformat(),
    }


def lines(holder: "Holder") -> list[str]:
    """A holder as people read it."""
    facts = {
        "holder": holder.id,
        "name": holder.label,
        "groups": ", ".join(holder.groups) or "none: no door opens",
        "card": "yes" if holder.card is not None else "no",
        "valid": f"{holder.valid_from or 'always'} to {holder.valid_until or 'no end'}",
        "suspended": "yes: every credential is refused" if holder.suspended else "no",
        "codes drawn": str(holder.drawn),
    }
    return [f"{name:<12} {value}" for name, value in facts.items()]


def _print_json(holders: "Iterable[Holder]", write: Callable[[str], Any]) -> None:
    """One array, a holder a line: read as one value, written without holding all of it."""
    separator = "[\n"
    for holder in holders:
        write(separator + json.dumps(plain(holder)))
        separator = ",\n"
    write("\n]\n" if separator != "[\n" else "[]\n")


def _exported(holder: "Holder") -> tuple[str, ...]:
    return (
        holder.id,
        cell(holder.label),
        " ".join(holder.groups),
        str(holder.valid_from or ""),
        str(holder.valid_until or ""),
        "yes" if holder.suspended else "no",
    )
