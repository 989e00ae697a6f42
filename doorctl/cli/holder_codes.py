"""doorctl holder add|card, and codes of one person. Codes are shown once, on the controlling terminal only.

The terminal is opened before anything is changed: without one nobody is enrolled and no code is drawn.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from doorctl.cli.holder_card import read_card
from doorctl.cli.terminal import controlling_terminal
from doorctl.core.types import GroupName, HolderId
from doorctl.errors import OperatorError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.cli.holder_enrol import Enrolled
    from doorctl.roster.holders import Holder
    from doorctl.seal.meaning import Meaning


def run_add(args: argparse.Namespace) -> int:
    """Enrol one person."""
    from doorctl.cli.holder_enrol import Enrolment

    paths = Paths.chosen(args.home)
    with controlling_terminal() as terminal:
        enrolment = Enrolment.open(paths)
        try:
            card = None if args.card is None else enrolment.card(read_card(paths, args.card, terminal))
            same = enrolment.namesakes(args.name)
            enrolled = enrolment.add(
                args.name,
                groups=[GroupName(group) for group in args.group],
                card=card,
                valid_from=args.valid_from,
                valid_until=args.valid_until,
            )
        finally:
            enrolment.close()
        _show(terminal, enrolled)
        if not args.group:
            terminal.write(f"in no group, so no door opens: `doorctl holder edit {enrolled.holder} --group GROUP`\n")
    if same:
        sys.stderr.write(_of_that_name(same, enrolled.holder))
    if args.json:
        print(json.dumps({"holder": enrolled.holder}))
    return 0


def _of_that_name(same: "Sequence[Holder]", new: HolderId) -> str:
    """Somebody may have meant to give the person who is there a card."""
    present = same[0]
    return (
        f'doorctl: warning: there is a holder named "{present.label}" already, {present.id}; the new one is {new}\n'
        f"  hint: if a card was meant for the first: `doorctl holder remove {new}`, "
        f"then `doorctl holder card {present.id} CARD`\n"
    )


def run_card(args: argparse.Namespace) -> int:
    """Another card, and so another set of rows and codes."""
    return redraw(args, HolderId(args.holder), card=args.card)


def redraw(args: argparse.Namespace, holder: HolderId, *, card: str | None) -> int:
    """One person's whole set anew, with this card (None: the one that is there), shown at once."""
    from doorctl.cli.holder_enrol import Enrolment

    paths = Paths.chosen(args.home)
    with controlling_terminal() as terminal:
        enrolment = Enrolment.open(paths)
        try:
            enrolment.writer.holder(holder)  # nobody holds a card to a reader for a name that is wrong
            taken = None if card is None else enrolment.card(read_card(paths, card, terminal))
            enrolled = enrolment.redraw(holder, card=taken)
        finally:
            enrolment.close()
        _show(terminal, enrolled)
    if args.json:
        print(json.dumps({"holder": enrolled.holder}))
    return 0


def _show(terminal: TextIO, enrolled: "Enrolled") -> None:
    codes = ", ".join(f"{word_of(code.meaning)} {spaced(code.code)}" for code in enrolled.codes)
    try:
        terminal.write(f"{enrolled.holder}: {codes}   (shown once, on this terminal only)\n")
        terminal.flush()
    except OSError as error:
        raise OperatorError(
            f"{enrolled.holder}: the codes were drawn and could not be shown: the terminal is gone",
            hint=f"`doorctl holder codes {enrolled.holder}` draws others",
        ) from error


def word_of(meaning: "Meaning") -> str:
    """What people call a code of this meaning, on their terminal."""
    return "code" if meaning.name == "NORMAL" else "duress code"


def spaced(code: str) -> str:
    """`482 078`: groups of three from the left are easier to keep in mind."""
    return " ".join(code[i : i + 3] for i in range(0, len(code), 3))
