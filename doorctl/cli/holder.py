"""doorctl holder add|list|show|edit|card|codes|remove: who is enrolled on this board.

No flag names a meaning: codes are drawn by the site's policy for everyone, and shown once, on the controlling
terminal only. Standard output and --json never have a code.
"""

import argparse
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from doorctl.cli.ask import ask
from doorctl.cli.terminal import confirmed, controlling_terminal
from doorctl.core.types import Card, GroupName, HolderId
from doorctl.errors import OperatorError
from doorctl.paths import Paths

_CARD_HELP = "next@DOOR: the next card shown at a door; or FORMAT:FACILITY:NUMBER"


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "holder",
        help="enrol people, change and remove them",
        description="Enrol cardholders on this board. Codes are drawn, never chosen, and shown once.",
        epilog='example: doorctl holder add "Ana Lopez" --group staff --card next@front',
    )
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", required=True)
    add = verbs.add_parser("add", help="enrol a person: draw codes, take a card")
    add.add_argument("name", metavar="NAME", help="the person's name, as logs and alarms are to show it")
    add.add_argument("--group", action="append", default=[], metavar="GROUP", help="may be given several times")
    add.add_argument("--card", metavar="CARD", help=_CARD_HELP)
    _dates(add)
    add.set_defaults(run=run_add)
    listing = verbs.add_parser("list", help="who is enrolled")
    listing.add_argument("search", nargs="?", metavar="TEXT", help="only names with this text")
    listing.add_argument("--group", metavar="GROUP", help="only members of a group")
    listing.set_defaults(run=run_list)
    show = verbs.add_parser("show", help="one person")
    show.add_argument("holder", metavar="HOLDER")
    show.set_defaults(run=run_show)
    edit = verbs.add_parser("edit", help="groups, dates, suspension")
    edit.add_argument("holder", metavar="HOLDER")
    edit.add_argument("--group", action="append", metavar="GROUP", help="all groups from now on")
    edit.add_argument("--suspend", action="store_true", help="refuse every credential of the person")
    edit.add_argument("--resume", action="store_true", help="end that")
    _dates(edit)
    edit.set_defaults(run=run_edit)
    card = verbs.add_parser("card", help="give a person another card; draws new codes")
    card.add_argument("holder", metavar="HOLDER")
    card.add_argument("card", metavar="CARD", help=_CARD_HELP)
    card.set_defaults(run=run_card)
    codes = verbs.add_parser("codes", help="draw a person's whole set of codes anew")
    codes.add_argument("holder", metavar="HOLDER")
    codes.set_defaults(run=run_codes)
    remove = verbs.add_parser("remove", help="remove a person and every row of theirs")
    remove.add_argument("holder", metavar="HOLDER")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=run_remove)


def run_add(args: argparse.Namespace) -> int:
    """Enrol one person."""
    from doorctl.cli.holder_enrol import Enrolment

    paths = Paths.chosen(args.home)
    _known_groups(paths, args.group)
    with controlling_terminal() as terminal:
        enrolment = Enrolment.open(paths)
        try:
            card = None if args.card is None else enrolment.card(_card(paths, args.card, terminal))
            enrolled = enrolment.add(
                args.name,
                groups=[GroupName(group) for group in args.group],
                card=card,
                valid_from=args.valid_from,
                valid_until=args.valid_until,
            )
        finally:
            enrolment.close()
        _show_codes(terminal, enrolled)
    if args.json:
        print(json.dumps({"holder": enrolled.holder}))
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Everybody, or those who match."""
    from doorctl.roster.lookup import RosterReader

    with RosterReader.open(Paths.chosen(args.home).roster) as reader:
        group = None if args.group is None else GroupName(args.group)
        holders = reader.holders(args.search, group=group)
    if args.json:
        print(json.dumps([_plain(holder) for holder in holders], indent=2))
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
    plain = _plain(holder)
    if args.json:
        print(json.dumps(plain, indent=2))
        return 0
    for name, value in plain.items():
        print(f"{name.replace('_', ' '):<12} {', '.join(value) if isinstance(value, list) else value}")
    return 0


def run_edit(args: argparse.Namespace) -> int:
    """Groups, dates, suspension."""
    from doorctl.cli.holder_enrol import Enrolment

    if args.suspend and args.resume:
        raise OperatorError("--suspend and --resume exclude each other")
    paths, holder = Paths.chosen(args.home), HolderId(args.holder)
    _known_groups(paths, args.group or ())
    enrolment = Enrolment.open(paths)
    try:
        if args.group is not None:
            enrolment.writer.set_groups(holder, [GroupName(group) for group in args.group])
        if args.valid_from is not None or args.valid_until is not None:
            enrolment.writer.set_validity(holder, valid_from=args.valid_from, valid_until=args.valid_until)
        if args.suspend or args.resume:
            enrolment.writer.set_suspended(holder, args.suspend)
    finally:
        enrolment.close()
    return run_show(args)


def run_card(args: argparse.Namespace) -> int:
    """Another card, and so another set of rows and codes."""
    return _redraw(args, card=args.card)


def run_codes(args: argparse.Namespace) -> int:
    """Another set of codes for the card that is there."""
    return _redraw(args, card=None)


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


def _redraw(args: argparse.Namespace, *, card: str | None) -> int:
    from doorctl.cli.holder_enrol import Enrolment

    paths = Paths.chosen(args.home)
    with controlling_terminal() as terminal:
        enrolment = Enrolment.open(paths)
        try:
            present = enrolment.writer.holder(HolderId(args.holder))
            taken = present.card if card is None else enrolment.card(_card(paths, card, terminal))
            enrolled = enrolment.redraw(present.id, card=taken)
        finally:
            enrolment.close()
        _show_codes(terminal, enrolled)
    if args.json:
        print(json.dumps({"holder": enrolled.holder}))
    return 0


def _show_codes(terminal: Any, enrolled: Any) -> None:
    from doorctl.seal.meaning import Meaning

    words = {Meaning.NORMAL: "code", Meaning.DURESS: "duress code"}
    codes = ", ".join(f"{words[code.meaning]} {_spaced(code.code)}" for code in enrolled.codes)
    terminal.write(f"{enrolled.holder}: {codes}   (shown once, on this terminal only)\n")
    terminal.flush()


def _spaced(code: str) -> str:
    """`482 078`: groups of three from the left are easier to keep in mind."""
    return " ".join(code[i : i + 3] for i in range(0, len(code), 3))


def _dates(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="valid_from", type=_date, metavar="DATE", help="first day, as 2026-12-31")
    parser.add_argument("--until", dest="valid_until", type=_date, metavar="DATE", help="last good day")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a date such as 2026-12-31, got {text!r}") from error


def _known_groups(paths: Paths, groups: Sequence[str]) -> None:
    from doorctl.config.reading import read_config
    from doorctl.config.section import nearest

    known = [group.name for group in read_config(paths.config).groups]
    for group in groups:
        if group not in known:
            hint = nearest(group, known) or f"groups: {', '.join(known) or 'none; write a [group.NAME] table'}"
            raise OperatorError(f"there is no group {group!r}", hint=hint)


def _card(paths: Paths, argument: str, terminal: Any) -> Card:
    """The card that `next@DOOR` waits for, or the one that `FORMAT:FACILITY:NUMBER` says."""
    from doorctl.config.reading import read_config
    from hal.wiegand.cards import FORMATS, CardFields

    word, at, door = argument.partition("@")
    if word == "next" and at:
        terminal.write(f"hold the card to the reader at {door} … ")
        terminal.flush()
        answer = ask(paths, "next-card", within_s=65, door=door, wait_s=60)
        card = Card(length=answer["length"], raw=int(answer["raw"]))
        readers = (reader for unit in read_config(paths.config).doors for reader in unit.readers)
        name = next((reader.format for reader in readers if reader.name == answer["reader"]), None)
        fields = FORMATS[name].decode(card.length, card.raw, check_parity=False) if name else None
        terminal.write(f"{fields if isinstance(fields, CardFields) else f'{card.length} bits'}\n")
        return card
    name, *numbers = argument.split(":")
    if name not in FORMATS or not numbers or not all(number.isdecimal() for number in numbers):
        raise OperatorError(f"--card {argument}: expected {_CARD_HELP}", hint="as in H10301:12:3456")
    card_format = FORMATS[name]
    if len(numbers) != len(card_format.fields):
        raise OperatorError(f"--card {argument}: {name} has {', '.join(card_format.fields)}")
    try:
        length, raw = card_format.encode(dict(zip(card_format.fields, map(int, numbers), strict=True)))
    except Exception as error:
        raise OperatorError(f"--card {argument}: {error}") from error
    return Card(length=length, raw=raw)


def _plain(holder: Any) -> dict[str, Any]:
    return {
        "holder": holder.id,
        "name": holder.label,
        "groups": list(holder.groups),
        "card": "yes" if holder.card is not None else "no",
        "valid_from": str(holder.valid_from or ""),
        "valid_until": str(holder.valid_until or ""),
        "suspended": "yes" if holder.suspended else "no",
        "codes_drawn": str(holder.drawn),
    }
