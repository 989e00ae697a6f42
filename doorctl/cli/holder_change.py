"""doorctl holder edit|remove: groups, dates, suspension, and leavers, one or many; all of them or nobody."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from doorctl.cli.holder_choice import chosen, narrowed
from doorctl.cli.holder_enrol import Enrolment
from doorctl.cli.holder_list import line, run_show
from doorctl.cli.progress import progress
from doorctl.cli.terminal import confirmed
from doorctl.core.types import GroupName, HolderId
from doorctl.errors import OperatorError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.roster.change import Person
    from doorctl.roster.holders import Holder

MOST_SHOWN: Final = 20
"""Of the people a question is about."""


def run_edit(args: argparse.Namespace) -> int:
    """All of it in one change, made of what is there at that moment."""
    paths, holder = Paths.chosen(args.home), HolderId(args.holder)
    dated = args.valid_from is not None or args.valid_until is not None
    if args.group is None and not dated and not args.suspend and not args.resume:
        raise OperatorError("nothing to change was named", hint="`doorctl holder edit --help` says what can be")
    known_groups(paths, args.group or ())
    enrolment = Enrolment.open(paths)
    try:
        enrolment.writer.edit_holder(holder, lambda present: _edited(present, args))
    finally:
        enrolment.close()
    return run_show(args)


def _edited(present: "Holder", args: argparse.Namespace) -> "Person":
    """What was not named stays as it is."""
    from doorctl.roster.change import Person

    return Person(
        label=present.label,
        groups=present.groups if args.group is None else [GroupName(group) for group in args.group],
        valid_from=changed(args.valid_from, present.valid_from),
        valid_until=changed(args.valid_until, present.valid_until),
        suspended=args.suspend or (present.suspended and not args.resume),
    )


def run_remove(args: argparse.Namespace) -> int:
    """These people and all their rows, in one change; chosen again within it: somebody may have been renewed."""
    paths = Paths.chosen(args.home)
    enrolment = Enrolment.open(paths)
    try:
        asked = people(enrolment, args, paths)
        if not asked:
            raise OperatorError("nobody matches, so nobody was removed")
        if not _confirmed(asked, args):
            raise OperatorError("nobody was removed", hint="answer y, or give --yes")
        with enrolment.writer.enrolling() as change:
            leaving = people(enrolment, args, paths)
            if leaving != asked and not args.yes:
                raise OperatorError(
                    "those it is about were changed meanwhile, so nobody was removed", hint="look again who it is about"
                )
            with progress("removing holders", len(leaving), quiet=args.json) as advance:
                for holder in leaving:
                    change.remove(holder.id)
                    advance(1)
    finally:
        enrolment.close()
    _tell_removed([holder.id for holder in leaving], args)
    return 0


def people(enrolment: Enrolment, args: argparse.Namespace, paths: Paths) -> "list[Holder]":
    """Those named, or those who fit the options; OperatorError where neither or both were given."""
    if bool(args.holder) == narrowed(args):
        raise OperatorError(
            "name people, or give --group, --expired or --suspended, not both"
            if args.holder
            else "nobody was named; give short names, or --group, --expired or --suspended"
        )
    if not args.holder:
        if args.group is not None:
            _known_or_used(enrolment, args.group, paths)
        return list(chosen(enrolment.writer, args, paths))
    return [enrolment.writer.holder(HolderId(name)) for name in dict.fromkeys(args.holder)]


def shown(some: "Sequence[Holder]") -> None:
    """Who a question is about, on standard error as the question is."""
    for holder in some[:MOST_SHOWN]:
        sys.stderr.write(f"  {line(holder)}\n")
    if len(some) > MOST_SHOWN:
        sys.stderr.write(f"  … and {len(some) - MOST_SHOWN:,} more\n")


def changed(given: date | str | None, present: date | None) -> date | None:
    """What stands after an option: not given leaves what was there, `none` takes it away."""
    if given is None:
        return present
    return None if isinstance(given, str) else given


def known_groups(paths: Paths, groups: Sequence[str]) -> None:
    """OperatorError with the nearest name where one is not in the configuration."""
    from doorctl.config.reading import read_config
    from doorctl.config.section import nearest

    known = [group.name for group in read_config(paths.config).groups]
    for group in groups:
        if group not in known:
            hint = nearest(group, known) or f"groups: {', '.join(known) or 'none; write a [group.NAME] table'}"
            raise OperatorError(f'there is no group "{group}"', hint=hint)


def _known_or_used(enrolment: Enrolment, group: str, paths: Paths) -> None:
    """A group that was taken out of the configuration may still have members, who are to leave."""
    from doorctl.roster.holders import Which

    if not enrolment.writer.holders(Which(group=GroupName(group)), limit=1):
        known_groups(paths, [group])


def _confirmed(leaving: "Sequence[Holder]", args: argparse.Namespace) -> bool:
    if len(leaving) == 1:
        return confirmed(f"remove {leaving[0].label} ({leaving[0].id})?", yes=args.yes)
    if not args.yes:
        shown(leaving)
    return confirmed(f"remove these {len(leaving):,} people?", yes=args.yes)


def _tell_removed(removed: Sequence[HolderId], args: argparse.Namespace) -> None:
    one = len(args.holder) == 1
    if args.json:
        print(json.dumps({"removed": removed[0] if one else list(removed)}))
    elif one:
        print(f"{removed[0]}: removed")
    else:
        print(f"{len(removed):,} removed")
