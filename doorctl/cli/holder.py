"""doorctl holder VERB: who is enrolled on this board. What each verb takes; what it does is in holder_*.py beside this.

No flag names a meaning: codes are drawn by the site's policy for everyone, and shown once, on the controlling
terminal only (holder_codes.py, holder_slips.py). Standard output and --json never have a code.
"""

import argparse
from datetime import date
from pathlib import Path
from typing import Any, Final

from doorctl.cli.holder_card import CARD_HELP
from doorctl.cli.holder_choice import add_choice
from doorctl.cli.parser import count
from doorctl.paths import Paths

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
    _add_import_and_export(verbs)


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
    add.set_defaults(run=_run_add)


def _add_list_and_show(verbs: Any) -> None:
    listing = verbs.add_parser(
        "list",
        help="who is enrolled",
        description="Who is enrolled, in order of their short names. Case and accents do not count in a search.",
        epilog="example: doorctl holder list lopez --group staff",
    )
    listing.add_argument("search", nargs="?", metavar="TEXT", help="only names with this text")
    add_choice(listing)
    listing.add_argument("--limit", type=count, metavar="N", help="at most so many, for scripts that read pages")
    listing.add_argument("--after", metavar="HOLDER", help="only those behind this short name: the next page")
    listing.set_defaults(run=_run_list)
    show = verbs.add_parser(
        "show",
        help="one person",
        description="Groups, dates and suspension of one person; never a code, never a card's number.",
        epilog="example: doorctl holder show ana-lopez",
    )
    _holder(show)
    show.set_defaults(run=_run_show)


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
    edit.set_defaults(run=_run_edit)


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
    card.set_defaults(run=_run_card)
    codes = verbs.add_parser(
        "codes",
        help="draw the whole set of codes of a person or a group anew",
        description="Draw a person's whole set of codes anew. The old ones open nothing from this moment; the new "
        "ones are shown once on this terminal. Of several people each is drawn when the slip of the one before was "
        "confirmed, so that nobody's codes die before somebody reads the new ones.",
        epilog="example: doorctl holder codes ana-lopez\nmany:    doorctl holder codes --group staff",
    )
    _holders(codes)
    add_choice(codes)
    codes.add_argument("--yes", action="store_true", help="do not ask")
    codes.set_defaults(run=_run_codes)


def _add_remove(verbs: Any) -> None:
    remove = verbs.add_parser(
        "remove",
        help="remove people and every row of theirs",
        description="Remove people: card and codes open nothing from this moment. The access log keeps the names. "
        "Shows who it is about and asks; all of them are removed or nobody.",
        epilog="example: doorctl holder remove ana-lopez\nleavers: doorctl holder remove --expired",
    )
    _holders(remove)
    add_choice(remove)
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=_run_remove)


def _add_import_and_export(verbs: Any) -> None:
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
    exporting = verbs.add_parser(
        "export",
        help="who is enrolled, as CSV that import reads",
        description="Who is enrolled, as CSV that `doorctl holder import` reads again, or as JSON. Cards and codes are "
        "not in it: the board itself keeps only hashes of them.",
        epilog="example: doorctl holder export --group staff",
    )
    add_choice(exporting)
    exporting.set_defaults(run=_run_export, search=None)


def _run_add(args: argparse.Namespace) -> int:
    """Refuse what cannot be before anybody is asked for a card."""
    from doorctl.cli.holder_change import changed, known_groups
    from doorctl.cli.holder_codes import run_add

    known_groups(Paths.chosen(args.home), args.group)
    args.valid_from, args.valid_until = changed(args.valid_from, None), changed(args.valid_until, None)
    return run_add(args)


def _run_list(args: argparse.Namespace) -> int:
    from doorctl.cli.holder_list import run_list

    return run_list(args)


def _run_show(args: argparse.Namespace) -> int:
    from doorctl.cli.holder_list import run_show

    return run_show(args)


def _run_edit(args: argparse.Namespace) -> int:
    from doorctl.cli.holder_change import run_edit

    return run_edit(args)


def _run_card(args: argparse.Namespace) -> int:
    from doorctl.cli.holder_codes import run_card

    return run_card(args)


def _run_codes(args: argparse.Namespace) -> int:
    from doorctl.cli.holder_redraw import run_codes

    return run_codes(args)


def _run_remove(args: argparse.Namespace) -> int:
    from doorctl.cli.holder_change import run_remove

    return run_remove(args)


def _run_import(args: argparse.Namespace) -> int:
    from doorctl.cli.holder_import import run_import

    return run_import(args)


def _run_export(args: argparse.Namespace) -> int:
    from doorctl.cli.holder_list import run_export

    return run_export(args)


def _holder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("holder", metavar="HOLDER", help="the short name, as `doorctl holder list` shows it")


def _holders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("holder", nargs="*", metavar="HOLDER", help="short names, as `doorctl holder list` shows them")


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
