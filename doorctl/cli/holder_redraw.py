"""doorctl holder codes: of one person at once, of several one slip at a time.

Of several, each person's codes are drawn when the slip before was confirmed: who interrupts leaves the codes of all
others as they were. The one whose slip was on the screen is told by name.
"""

import argparse
import json
import sys
from contextlib import ExitStack

from doorctl.cli.holder_change import people, shown
from doorctl.cli.holder_codes import redraw
from doorctl.cli.holder_enrol import Enrolment
from doorctl.cli.holder_slips import SlipScreen, not_shown, show_all
from doorctl.cli.terminal import confirmed
from doorctl.core.types import HolderId
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.roster.holders import Holder


def run_codes(args: argparse.Namespace) -> int:
    """Another set of codes for the cards that are there."""
    if len(args.holder) == 1:
        return redraw(args, HolderId(args.holder[0]), card=None)
    paths = Paths.chosen(args.home)
    with ExitStack() as stack:
        screen = stack.enter_context(SlipScreen.opened())
        enrolment = Enrolment.open(paths)
        stack.callback(enrolment.close)
        some = people(enrolment, args, paths)
        if not some:
            raise OperatorError("nobody matches, so no codes were drawn")
        if not args.yes:
            shown(some)
        if not confirmed(f"draw new codes for these {len(some):,} people, one after the other?", yes=args.yes):
            raise OperatorError("no codes were drawn", hint="answer y, or give --yes")
        done, missed = _one_by_one(enrolment, screen, some)
    if args.json:
        print(json.dumps({"holders": done, "codes_not_shown": missed}))
    if missed:
        raise not_shown(missed)
    return 0


def _one_by_one(enrolment: Enrolment, screen: SlipScreen, some: list[Holder]) -> tuple[list[HolderId], list[HolderId]]:
    """Whose slips were confirmed, and whose was on the screen when it ended."""
    done: list[HolderId] = []
    with enrolment.writer.tidying_once():
        for holder in some:
            if enrolment.writer.find_holder(holder.id) is None:
                sys.stderr.write(f"{holder.id}: removed meanwhile, so no codes were drawn\n")
                continue
            enrolled = enrolment.redraw(holder.id)
            if missed := show_all(screen, [(enrolled, holder.label)], len(some)):
                return done, missed
            done.append(holder.id)
    return done, []
