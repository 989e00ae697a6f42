"""doorctl holder add|list|show|edit|card|codes|remove: who is enrolled on this board.

No flag names a meaning: codes are drawn by the site's policy for everyone, and shown once, on the controlling
terminal only (holder_codes.py). Standard output and --json never have a code.
"""

import argparse
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doorctl.cli.holder_card import CARD_HELP
from doorctl.cli.holder_codes import run_add, run_card, run_codes
from doorctl.cli.terminal import confirmed
from doorctl.core.types import GroupName, HolderId
from doorctl.errors import OperatorError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.roster.holders import Holder

_NO_DATE: Final = "none"


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "holder",
        help="enrol people, change and remove them",
        description="Enrol cardholders on this board. Codes are drawn, never chosen, and shown once, on the terminal.",
        epilog='example: doorctl holder add "Ana Lopez" --group staff --card next@front',
    )
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", required=True)
    _add_add(verbs)
    _add_list_and_show(verbs)
    _add_edit(verbs)
    _add_card_and_codes(verbs)
    _add_remove(verbs)
    _add_import(verbs)


def _add_add(verbs: Any) -> None:
    add = verbs.add_parser(
        "add",
        help="enrol a person: draw codes, take a card",
        description="Enrol a person: take a card, draw a whole set of codes, and show the codes once on this terminal.",
        epilog='example: doorctl holder add "Ana Lopez" --group staff --card next@front --until 2027-06-30',
    )
    add.add_argument("name", metavar="NAME", help="the person's name, as logs and alarms are to show it")
    add.add_argument("--group", action="append", default=[], metavar="GROUP", help="may be given several times")
    add.add_argument("--card", metavar="CARD", help=CARD_HELP)
    _dates(add)
    add.set_defaults(run=_checked_add)


def _add_list_and_show(verbs: Any) -> None:
    listing = verbs.add_parser(
        "list",
        help="who is enrolled",
        description="Who is enrolled, in order of their short names. Case and accents do not count in a search.",
        epilog="example: doorctl holder list lopez --group staff",
    )
    listing.add_argument("search", nargs="?", metavar="TEXT", help="only names with this text")
    listing.add_argument("--group", metavar="GROUP", help="only members of a group")
    listing.set_defaults(run=run_list)
    show = verbs.add_parser(
        "show",
        help="one person",
        description="Groups, dates and suspension of one person; never a code, never a card's number.",
        epilog="example: doorctl holder show ana-lopez",
    )
    _holder(show)
    show.set_defaults(run=run_show)


def _add_edit(verbs: Any) -> None:
    edit = verbs.add_parser(
        "edit",
        help="groups, dates, suspension",
        description="Change groups, dates or suspension. Codes and card stay as they are. What is not named stays.",
        epilog="example: doorctl holder edit ana-lopez --group staff --group night --until none",
    )
    _holder(edit)
    edit.add_argument("--group", action="append", metavar="GROUP", help="all groups from now on")
    either = edit.add_mutually_exclusive_group()
    either.add_argument("--suspend", action="store_true", help="refuse every credential of the person")
    either.add_argument("--resume", action="store_true", help="end that")
    _dates(edit, extra="; none: without")
    edit.set_defaults(run=run_edit)


def _add_card_and_codes(verbs: Any) -> None:
    card = verbs.add_parser(
        "card",
        help="give a person another card; draws new codes",
        description="Give a person another card, for the one they had if any. The old card and all old codes open "
        "nothing from this moment; the new codes are shown once on this terminal.",
        epilog="example: doorctl holder card ana-lopez next@front",
    )
    _holder(card)
    card.add_argument("card", metavar="CARD", help=CARD_HELP)
    card.set_defaults(run=run_card)
    codes = verbs.add_parser(
        "codes",
        help="draw a person's whole set of codes anew",
        description="Draw a person's whole set of codes anew. The old ones open nothing from this moment; the new "
        "ones are shown once on this terminal.",
        epilog="example: doorctl holder codes ana-lopez",
    )
    _holder(codes)
    codes.set_defaults(run=run_codes)


def _add_remove(verbs: Any) -> None:
    remove = verbs.add_parser(
        "remove",
        help="remove a person and every row of theirs",
        description="Remove a person: card and codes open nothing from this moment. The access log keeps the name.",
        epilog="example: doorctl holder remove ana-lopez",
    )
    _holder(remove)
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=run_remove)


def _add_import(verbs: Any) -> None:
    importing = verbs.add_parser(
        "import",
        help="enrol many people from a CSV file",
        description="Enrol the people of a CSV file, all in one change or nobody. Columns: label, holder, groups, "
        "card, valid_from, until, suspended, codes. Codes are never in a file: codes=yes draws them, and they are "
        "shown on this terminal, one person after the other.",
        epilog="example: doorctl holder import people.csv --dry-run --report refused.csv",
    )
    importing.add_argument("file", type=Path, metavar="FILE", help="CSV in UTF-8 with a header; - is standard input")
    importing.add_argument("--dry-run", action="store_true", help="only look at every line; change nothing")
    importing.add_argument("--update", action="store_true", help="change people who are enrolled already")
    importing.add_argument("--skip-bad", action="store_true", help="enrol the good lines though others are refused")
    importing.add_argument(
        "--report", type=Path, metavar="FILE", help="every refused line with its reason, CSV or .json; a new file"
    )
    importing.set_defaults(run=_run_import)


def _run_import(args: argparse.Namespace) -> int:
    from doorctl.cli.holder_import import run_import

    return run_import(args)


def run_list(args: argparse.Namespace) -> int:
    """Everybody, or those who match."""
    from doorctl.roster.lookup import RosterReader

    with RosterReader.open(Paths.chosen(args.home).roster) as reader:
        group = None if args.group is None else GroupName(args.group)
        holders = reader.holders(args.search, group=group)
    if args.json:
        print(json.dumps([plain(holder) for holder in holders], indent=2))
        return 0
    for holder in holders:
        state = "suspended" if holder.suspended else ""
        print(f"{holder.id:<24} {holder.label:<32} {', '.join(holder.groups):<24} {state}".rstrip())
    if not holders:
        print("nobody is enrolled" if args.search is None and group is None else "nobody matches")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """One person; never a code, never a card's number."""
    from doorctl.roster.lookup import RosterReader

    with RosterReader.open(Paths.chosen(args.home).roster) as reader:
        holder = reader.holder(HolderId(args.holder))
    if args.json:
        print(json.dumps(plain(holder), indent=2))
    else:
        print("\n".join(lines(holder)))
    return 0


def run_edit(args: argparse.Namespace) -> int:
    """Groups, dates, suspension; what can be refused is done first."""
    from doorctl.cli.holder_enrol import Enrolment

    paths, holder = Paths.chosen(args.home), HolderId(args.holder)
    dated = args.valid_from is not None or args.valid_until is not None
    if args.group is None and not dated and not args.suspend and not args.resume:
        raise OperatorError("nothing to change was named", hint="`doorctl holder edit --help` says what can be")
    _known_groups(paths, args.group or ())
    enrolment = Enrolment.open(paths)
    try:
        present = enrolment.writer.holder(holder)
        if dated:
            enrolment.writer.set_validity(
                holder,
                valid_from=_changed(args.valid_from, present.valid_from),
                valid_until=_changed(args.valid_until, present.valid_until),
            )
        if args.group is not None:
            enrolment.writer.set_groups(holder, [GroupName(group) for group in args.group])
        if args.suspend or args.resume:
            enrolment.writer.set_suspended(holder, args.suspend)
    finally:
        enrolment.close()
    return run_show(args)


def run_remove(args: argparse.Namespace) -> int:
    """The person and all rows."""
    from doorctl.cli.holder_enrol import Enrolment

    enrolment = Enrolment.open(Paths.chosen(args.home))
    try:
        holder = enrolment.writer.holder(HolderId(args.holder))
        if not confirmed(f"remove {holder.label} ({holder.id})?", yes=args.yes):
            raise OperatorError("nobody was removed", hint="answer y, or give --yes")
        enrolment.writer.remove_holder(holder.id)
    finally:
        enrolment.close()
    print(json.dumps({"removed": holder.id}) if args.json else f"{holder.id}: removed")
    return 0


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


def _checked_add(args: argparse.Namespace) -> int:
    """Refuse what cannot be before anybody is asked for a card."""
    _known_groups(Paths.chosen(args.home), args.group)
    args.valid_from, args.valid_until = _changed(args.valid_from, None), _changed(args.valid_until, None)
    return run_add(args)


def _holder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("holder", metavar="HOLDER", help="the short name, as `doorctl holder list` shows it")


def _dates(parser: argparse.ArgumentParser, *, extra: str = "") -> None:
    parser.add_argument("--from", dest="valid_from", type=_date, metavar="DATE", help=f"first good day{extra}")
    parser.add_argument(
        "--until", dest="valid_until", type=_date, metavar="DATE", help=f"last good day, as 2026-12-31{extra}"
    )


def _date(text: str) -> date | str:
    if text == _NO_DATE:
        return _NO_DATE
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'expected a date such as 2026-12-31, found "{text}"') from error


def _changed(given: date | str | None, present: date | None) -> date | None:
    """What stands after an option: not given leaves what was there, `none` takes it away."""
    if given is None:
        return present
    return None if isinstance(given, str) else given


def _known_groups(paths: Paths, groups: Sequence[str]) -> None:
    from doorctl.config.reading import read_config
    from doorctl.config.section import nearest

    known = [group.name for group in read_config(paths.config).groups]
    for group in groups:
        if group not in known:
            hint = nearest(group, known) or f"groups: {', '.join(known) or 'none; write a [group.NAME] table'}"
            raise OperatorError(f'there is no group "{group}"', hint=hint)
