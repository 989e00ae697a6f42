"""doorctl holder import: people of a CSV file become holders, all of them in one change or nobody.

First every line is looked at and all rows are made, while others may change the roster; then all is written at once, if
what was planned still stands. Killed at any moment before, nothing of it is there. Codes are drawn for lines that ask,
never read; they are shown after the commit, a slip at a time.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from doorctl.cli.holder_enrol import Enrolled, Enrolment, today
from doorctl.cli.holder_file import LARGEST, Line, Refused, lines_in, short_names_in
from doorctl.cli.holder_plan import Change, Enrol, Plan, Planner
from doorctl.cli.holder_readers import card_readers, unread
from doorctl.cli.holder_report import new_report
from doorctl.cli.holder_rows import made, steps_with_rows
from doorctl.cli.holder_sealers import FEW, Sealers
from doorctl.cli.holder_slips import SlipScreen, not_shown, show_all
from doorctl.cli.holder_spool import Spool
from doorctl.cli.progress import progress
from doorctl.config.reading import read_config
from doorctl.config.types import Reader
from doorctl.core.types import HolderId
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.roster.enrolment import Enrolling, NewHolder, NewRow
from doorctl.roster.factors import Lookup

_MOST_TOLD: Final = 20
"""Refused lines on a terminal; a report has all."""


@dataclass(slots=True, kw_only=True)
class _Done:
    """What came of it."""

    plan: Plan
    committed: bool = False
    slips: list[tuple[Enrolled, str]] = field(default_factory=list, repr=False)
    not_shown: list[HolderId] = field(default_factory=list)
    codes_s: float = 0.0
    """Seconds that drawing codes took: Argon2id, as slow as it is meant to be."""
    began: float = field(default_factory=time.monotonic)


def run_import(args: argparse.Namespace) -> int:
    """Read, look, seal, commit, show."""
    paths = Paths.chosen(args.home)
    untrusted = _content(args.file)
    with ExitStack() as stack:
        report = None if args.report is None else stack.enter_context(new_report(args.report))
        enrolment = Enrolment.open(paths)
        stack.callback(enrolment.close)
        done = _enrol_all(paths, enrolment, untrusted, args, stack)
        if report is not None:
            report(done.plan.refused)
    _tell(done, args)
    if done.not_shown:
        raise not_shown(done.not_shown)
    return 1 if done.plan.refused and not args.skip_bad else 0


def _content(file: Path) -> bytes:
    """Read once, so that nobody changes it between looking and enrolling; `-` is standard input."""
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as source:
        untrusted = source.read(LARGEST + 1)
    if len(untrusted) > LARGEST:
        raise OperatorError(f"{file}: larger than {LARGEST // 1024**2} MiB", hint="import it in several files")
    return untrusted


def _enrol_all(
    paths: Paths, enrolment: Enrolment, untrusted: bytes, args: argparse.Namespace, stack: ExitStack
) -> _Done:
    plan = _plan(paths, enrolment, untrusted, args)
    done = _Done(plan=plan)
    if args.dry_run or (plan.refused and not args.skip_bad) or not (plan.enrol or plan.change):
        return done
    screen = stack.enter_context(SlipScreen.opened()) if plan.codes else None
    with Spool.beside(paths.roster) as spool:
        _make(paths, enrolment, spool, done, quiet=args.json)
        if len(plan.enrol) > FEW and not args.json:
            sys.stderr.write("writing all of it at once; nobody is enrolled before it is done\n")
        with enrolment.writer.enrolling() as change:
            _write(enrolment, change, spool, plan, quiet=args.json)
    done.committed = True
    if screen is not None:
        done.not_shown = show_all(screen, done.slips, len(done.slips))
    return done


def _plan(paths: Paths, enrolment: Enrolment, untrusted: bytes, args: argparse.Namespace) -> Plan:
    config = read_config(paths.config)
    name = "standard input" if str(args.file) == "-" else args.file.name
    total = untrusted.count(b"\n")
    planner = Planner(
        enrolment.writer,
        card_id=enrolment.card,
        groups=[group.name for group in config.groups],
        named=short_names_in(untrusted, name),
        update=args.update,
    )
    readers, unread_cards = card_readers(config), Counter[str]()
    with progress("looking at lines", total, quiet=args.json) as advance:
        for line in lines_in(untrusted, name):
            planner.take(line)
            unread_cards.update(_unread(readers, line))
            advance(1)
    for told, count in unread_cards.items():
        sys.stderr.write(f"doorctl: warning: {name}: {count:,} card{'' if count == 1 else 's'}: {told}\n")
    return planner.plan


def _unread(readers: Sequence[Reader], line: Line | Refused) -> list[str]:
    """Why the line's card opens nothing as the doors are now, if that is so."""
    if isinstance(line, Refused) or line.card is None or line.format is None:
        return []
    told = unread(readers, line.format, line.card)
    return [] if told is None else [told]


def _make(paths: Paths, enrolment: Enrolment, spool: Spool, done: _Done, *, quiet: bool) -> None:
    """Rows in the order of the file, whoever gets codes. What somebody else draws meanwhile, writing would refuse."""
    plan = done.plan
    drawn: set[Lookup] = set()

    def taken(lookup: Lookup) -> bool:
        return lookup in drawn or enrolment.writer.code_taken(lookup)

    monitor_file = paths.etc / read_config(paths.config).monitor.file
    total = sum(1 for _ in steps_with_rows(plan))
    with (
        Sealers(monitor_file, today(), people=total - plan.codes) as sealers,
        progress("making rows of holders", total, quiet=quiet) as advance,
    ):
        for step, rows, codes, drawing_s in made(enrolment, sealers, plan, taken=taken):
            spool.add(rows)
            if codes:
                drawn.update(row.lookup for row in rows)
                done.slips.append((Enrolled(holder=step.holder, codes=codes), step.person.label))
            done.codes_s += drawing_s
            advance(1)


def _write(enrolment: Enrolment, change: Enrolling, spool: Spool, plan: Plan, *, quiet: bool) -> None:
    """In the order of the file; what changes without rows comes last. Names, cards and codes taken are refused anew."""
    for planned in plan.change:
        if enrolment.writer.find_holder(planned.holder) != planned.present:
            raise OperatorError(
                f"holder {planned.holder}: changed while the import was prepared, so nothing was imported",
                hint="import the file again",
            )
    with progress("writing holders", len(plan.enrol) + len(plan.change), quiet=quiet) as advance:
        for step, rows in zip(steps_with_rows(plan), spool.people(), strict=True):
            match step:
                case Enrol():
                    change.add(_new(step, rows))
                    advance(1)
                case Change():
                    change.replace(step.holder, rows, step.card)
        for edited in plan.change:
            change.edit(edited.holder, edited.person)
            advance(1)


def _new(step: Enrol, rows: Sequence[NewRow]) -> NewHolder:
    person = step.person
    return NewHolder(
        label=person.label,
        rows=rows,
        card=step.card,
        groups=person.groups,
        valid_from=person.valid_from,
        valid_until=person.valid_until,
        suspended=person.suspended,
        id=step.holder,
    )


def _tell(done: _Done, args: argparse.Namespace) -> None:
    plan = done.plan
    if args.json:
        print(json.dumps(_plain(done, dry_run=args.dry_run), ensure_ascii=False))
        return
    for line in plan.refused[:_MOST_TOLD]:
        print(f"line {line.line}: {line.who}: {line.reason}" if line.who else f"line {line.line}: {line.reason}")
    if len(plan.refused) > _MOST_TOLD and args.report is None:
        print(f"… and {len(plan.refused) - _MOST_TOLD:,} more; --report FILE has them all")
    elif plan.refused and args.report is not None:
        print(f"{args.report}: all {len(plan.refused):,} refused lines")
    counts = f"{len(plan.enrol):,} to enrol, {len(plan.change):,} to change"
    if done.committed:
        counts = f"{len(plan.enrol):,} enrolled, {len(plan.change):,} changed"
    print(f"{counts}, {plan.unchanged:,} as they were, {len(plan.refused):,} lines refused")
    if not done.committed:
        print(_why_nothing(plan, args))


def _why_nothing(plan: Plan, args: argparse.Namespace) -> str:
    if args.dry_run:
        return "nothing was changed: this was a dry run"
    if plan.refused and not args.skip_bad:
        return "nothing was changed: mend the lines, or give --skip-bad to enrol the others"
    return "nothing was changed: there was nothing to do"


def _plain(done: _Done, *, dry_run: bool) -> dict[str, Any]:
    plan = done.plan
    return {
        "committed": done.committed,
        "dry_run": dry_run,
        "enrolled": len(plan.enrol) if done.committed else 0,
        "changed": len(plan.change) if done.committed else 0,
        "unchanged": plan.unchanged,
        "to_enrol": len(plan.enrol),
        "to_change": len(plan.change),
        "codes_drawn": len(done.slips),
        "codes_not_shown": list(done.not_shown),
        "refused": [asdict(line) for line in plan.refused],
        "seconds": round(time.monotonic() - done.began, 1),
        "seconds_drawing_codes": round(done.codes_s, 1),
    }
