"""Doctor's checks of what a board stores: roster and journal, read from end to end and never written.

No key, code or card is ever in a finding: it has names of files and holders, and numbers.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from doorctl.cli.check import chance_of_a_guess, codes_of
from doorctl.cli.doctor_finding import Check, Finding, Unseen, ok, unseen, warning, wrong
from doorctl.cli.doctor_subject import Board
from doorctl.cli.status import counted
from doorctl.core.types import SECOND, Mode

_WEAK_CHANCE: Final = 1 / 10_000
"""Above this one try in ten thousand opens a door; design.md, Codes."""
_ASKED_CARDS: Final = 50
"""Holders whose cards are looked up: one that is found proves the key."""
_SHOWN: Final = 3
"""Names that a line repeats."""
_DAY: Final = 24 * 3600 * SECOND
_FULL: Final = 0.8
"""Of the spool; at the end the oldest records give way."""


def roster(board: Board) -> Iterator[Finding]:
    """Sound from end to end."""
    from contextlib import closing

    from doorctl.roster.lookup import RosterReader
    from doorctl.roster.schema import connect_read_only, damaged, translated

    path = board.paths.roster
    may_read(path)
    with RosterReader.open(path) as reader:
        facts = reader.facts()
    with translated(path), closing(connect_read_only(path)) as connection:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise damaged(path, f"the roster is damaged ({verdict})")
    yield ok(f"{counted(facts.holders, 'holder')}, generation {facts.generation}, every page sound")


def lookup_key(board: Board) -> Iterator[Finding]:
    """Cards in the roster are found with the look-up key that is here."""
    from doorctl.roster.factors import lookup_card
    from doorctl.roster.lookup import RosterReader

    may_read(board.paths.roster)
    with RosterReader.open(board.paths.roster) as reader:
        cards = [holder.card for holder in reader.holders(limit=20 * _ASKED_CARDS) if holder.card is not None]
        asked = cards[:_ASKED_CARDS]
        found = any(reader.find(lookup_card(board.keys.lookup, card)) for card in asked)
    if not asked:
        raise Unseen("nobody has a card, and codes cannot be tried")
    if not found:
        yield wrong(
            f"lookup.key finds none of {len(asked)} cards in the roster: it is another roster's key",
            "put the key and the roster of one backup back; with neither, everybody needs new codes",
        )


def people(board: Board) -> Iterator[Finding]:
    """Everybody enrolled has what some door asks for."""
    from doorctl.roster.lookup import RosterReader

    config = board.config
    by_group = {group.name: {access.door for access in group.access} for group in config.groups}
    with_card = {door.name for door in config.doors if door.modes <= {Mode.CARD, Mode.CARD_AND_CODE}}
    strangers: list[str] = []
    shut: list[str] = []
    cardless: list[str] = []
    may_read(board.paths.roster)
    with RosterReader.open(board.paths.roster) as reader:
        last = None
        while page := reader.holders(after=last, limit=1000):
            last = page[-1].id
            for holder in page:
                doors = {door for group in holder.groups for door in by_group.get(group, ())}
                strangers += [f"{holder.id} ({group})" for group in holder.groups if group not in by_group]
                shut += [holder.id] if not doors else []
                cardless += [holder.id] if doors and doors <= with_card and holder.card is None else []
    if strangers:
        yield warning(
            f"in a group that is not in the configuration: {_some(strangers)}", "`doorctl holder edit --group`"
        )
    if shut:
        yield warning(f"no door opens for {_some(shut)}", "`doorctl holder edit HOLDER --group GROUP`")
    if cardless:
        yield warning(
            f"have no card, and every door of theirs asks for one: {_some(cardless)}", "`doorctl holder card`"
        )


def guessing(board: Board) -> Iterator[Finding]:
    """How likely one try hits somebody's code."""
    from doorctl.roster.lookup import RosterReader

    may_read(board.paths.roster)
    with RosterReader.open(board.paths.roster) as reader:
        policy, holders = reader.parameters(), reader.facts().holders
    chance = chance_of_a_guess(board.config, codes_of(policy), live=holders * policy.codes_per_holder)
    if chance is None:
        yield ok("no door takes codes")
    elif chance > _WEAK_CHANCE:
        yield warning(
            f"one try in {round(1 / chance):,} hits a live code",
            "take longer codes ([codes] length, with a new roster), or ask for a card as well",
        )
    else:
        yield ok(f"one try in {round(1 / chance):,} hits a live code")


def journal(board: Board) -> Iterator[Finding]:
    """Sound from end to end, and not moved aside before."""
    from doorctl.journal.examination import examine_journal

    path = board.paths.journal
    for aside in islice(sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]")), _SHOWN):
        yield warning(
            f"{aside.name}: the journal was damaged once, and this is what it was",
            "look at the disk (dmesg); keep the file for an analysis, or delete it",
        )
    may_read(path)
    if not path.exists():
        yield unseen(f"{path}: there is none yet", "doord makes it when it starts first")
        return
    standing = examine_journal(path)
    if standing.oldest_line is not None and standing.oldest_line < board.now - board.config.log.keep - 2 * _DAY:
        days = board.config.log.keep // _DAY
        yield warning(
            f"the access log goes back further than its {days} days",
            "doord prunes it while it runs and trusts the clock",
        )
    yield ok(f"{standing.lines} lines, every page sound")


def spool(board: Board) -> Iterator[Finding]:
    """Records reach the monitor before their room is over."""
    from doorctl.journal.bounds import LIMIT
    from doorctl.journal.examination import examine_spool

    may_read(board.paths.journal)
    if not board.paths.journal.exists():
        raise Unseen("there is no journal yet")
    standing = examine_spool(board.paths.journal)
    pending = max(standing.pending, board.said("spool").get("pending", 0))
    if pending > _FULL * LIMIT:
        yield wrong(
            f"{pending:,} of {LIMIT:,} records wait for the monitor: soon the oldest give way",
            "bring the way to the monitor back; nothing is lost while there is room",
        )
    if standing.oldest is not None and (age := (board.now - standing.oldest) // _DAY) >= 1:
        yield warning(f"the oldest record has waited for {age} days", "see the checks of the courier and the monitor")
    yield ok(f"{pending:,} of {LIMIT:,} records wait")


def may_read(path: Path) -> None:
    """Before SQLite says it in its own words, which do not tell a missing right from a missing file."""
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.R_OK | (os.X_OK if place.is_dir() else 0), effective_ids=True):
            raise Unseen(f"{place}: no right to read it", "run it with sudo")


def _some(names: list[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


STORES: Final[tuple[Check[Board], ...]] = (
    Check(name="roster", looks_at="roster.db", look=roster),
    Check(name="look-up key", looks_at="lookup.key against the roster", look=lookup_key, fine="it is the roster's"),
    Check(name="people", looks_at="groups and cards", look=people, fine="everybody has what a door asks for"),
    Check(name="guessing", looks_at="length and number of codes", look=guessing),
    Check(name="journal", looks_at="journal.db", look=journal),
    Check(name="spool", looks_at="records without a receipt", look=spool),
)
