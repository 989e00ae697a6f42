"""How much the journal keeps: what gives way when the spool is full, and what is old enough to forget.

Unmatched before matched, matched before structure, and the oldest first within each. What goes is named, so that
the monitor can tell a declared loss from a hole. A step frees a hundredth of the limit, or less where that many
would not be named by one record's ranges: one LOSS record a wrong code would help nobody. The newest record never
goes: the next start must name it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Several
from typing import Final, NamedTuple

from doorctl.core.types import SECOND, Duration, WallTime
from doorctl.journal.rows import LossReport, Weight
from doorctl.journal.spool import HEAD
from doorctl.wire.detail import RANGES_PER_RECORD, LostRange
from doorctl.wire.record import Epoch, Sequence

LIMIT: Final = 100_000
"""Records without a receipt; design.md, Bounds."""
KEPT: Final = 7 * 24 * 3600 * SECOND
"""How long a receipted record stays for a monitor restored from a backup; design.md, Supervision."""
LOG_ROWS: Final = 500_000
"""Lines of the access log; some 60 MB."""
PRUNE_STEP: Final = 500
"""Rows one `prune` deletes at most, so that an append behind it waits for a few milliseconds only."""
LOG_LOOK: Final = 4 * PRUNE_STEP
"""Lines one `prune` looks at, oldest first, before it looks at one of as many."""
EARLIEST: Final = WallTime(1_735_689_600 * SECOND)
"""2025: a clock that is before it, as that of a board without a battery at its first start, tells no time."""

CANDIDATES: Final = (
    "SELECT id, weight, epoch, sequence FROM pending JOIN record USING (id) WHERE id < ? ORDER BY weight, id LIMIT ?"
)
OLD: Final = "SELECT id FROM receipted WHERE at < ? AND id < ? ORDER BY at, id LIMIT ?"
SURPLUS: Final = "SELECT id FROM receipted WHERE id < ? ORDER BY id LIMIT ?"
COUNT_RECEIPTED: Final = "SELECT count(*) FROM receipted"
NEWEST_RECEIPTED: Final = "SELECT max(id) FROM receipted"
LOG_SPAN: Final = "SELECT (SELECT min(id) FROM log), (SELECT max(id) FROM log)"
"""Two questions: SQLite answers one aggregate from the tree's edge, and two together by reading all of it."""

LOG_OLDEST: Final = "SELECT id, wall FROM log WHERE id < ? ORDER BY id LIMIT ?"
LOG_FROM: Final = "SELECT id, wall FROM log WHERE id >= ? AND id < ? ORDER BY id LIMIT 1"


class Candidate(NamedTuple):
    """A record that may give way."""

    row: int
    weight: Weight
    epoch: Epoch
    sequence: Sequence


def choose(candidates: Iterable[Candidate], needed: int) -> LossReport | None:
    """What goes, of candidates in the order in which they go; None where there are none.

    At least `needed`; beyond that only while all of it can be named in one record.
    """
    chosen: list[Candidate] = []
    runs = 0
    for candidate in candidates:
        runs += not (chosen and _follows(candidate, chosen[-1]))
        if runs > RANGES_PER_RECORD and len(chosen) >= needed:
            break
        chosen.append(candidate)
    if not chosen:
        return None
    unmatched = sum(candidate.weight is Weight.UNMATCHED for candidate in chosen)
    return LossReport(
        ranges=_ranges(chosen)[:RANGES_PER_RECORD],
        unmatched=unmatched,
        matched=len(chosen) - unmatched,
        records=tuple((candidate.epoch, candidate.sequence) for candidate in chosen),
    )


def room(connection: sqlite3.Connection, *, limit: int, pending: int, incoming: int) -> LossReport | None:
    """What must give way before `incoming` more records; None while there is room. Deletes nothing."""
    excess = pending + incoming - limit
    if excess <= 0:
        return None
    needed = excess + 1  # the LOSS record itself
    wanted = max(needed, limit // 100)
    rows = connection.execute(CANDIDATES, (_head_row(connection), wanted)).fetchall()
    return choose((Candidate(row, Weight(weight), epoch, sequence) for row, weight, epoch, sequence in rows), needed)


def prune(connection: sqlite3.Connection, now: WallTime, limit: int, keep_log: Duration | None) -> int:
    """Deletes up to PRUNE_STEP rows each of receipted records and of the log; returns how many went.

    Records receipted more than 7 days before `now`, the oldest beyond `limit` of them, log lines older than
    `keep_log` and the oldest beyond LOG_ROWS. The head and the newest receipted record stay: the next start and
    supervision name them. A record without a receipt stays whatever its age.
    """
    (newest,) = connection.execute(NEWEST_RECEIPTED).fetchone()
    keep_from = min(_head_row(connection), newest or 0)
    (count,) = connection.execute(COUNT_RECEIPTED).fetchone()
    surplus = min(max(count - limit, 0), PRUNE_STEP)
    rows = set(connection.execute(SURPLUS, (keep_from, surplus)))
    rows |= set(connection.execute(OLD, (now - KEPT, keep_from, PRUNE_STEP - len(rows))))
    connection.executemany("DELETE FROM record WHERE id = ?", rows)
    return len(rows) + _prune_log(connection, now, keep_log)


def past_its_time(oldest: Iterable[tuple[int, WallTime]], now: WallTime, keep: Duration) -> int:
    """The number up to which lines are older than `keep`; 0 for none. `oldest` first, as they were written.

    Lines are in the order in which things happened, whatever the clock said then. A line of 1970 or of the future has
    no date and counts as new, until a dated one behind it is past its time: it is older than that one. The first line
    of a recent time ends it, and what lies behind that one stays.
    """
    end = 0
    for number, wall in oldest:
        if max(now - keep, EARLIEST) <= wall <= now:
            break
        if EARLIEST <= wall < now - keep:
            end = number
    return end


def _samples(connection: sqlite3.Connection, last: int) -> Iterator[tuple[int, WallTime]]:
    """The oldest lines, and behind them one of every LOG_LOOK: a board may have been without the time for long."""
    number = 0
    for number, wall in connection.execute(LOG_OLDEST, (last, LOG_LOOK)).fetchall():
        yield number, wall
    while found := connection.execute(LOG_FROM, (number + LOG_LOOK, last)).fetchone():
        number = found[0]
        yield found


def _prune_log(connection: sqlite3.Connection, now: WallTime, keep: Duration | None) -> int:
    first, last = connection.execute(LOG_SPAN).fetchone()
    if first is None:
        return 0
    # Numbers have no holes but those recovery left, so the span is the count or a little more.
    end = last - LOG_ROWS
    if keep is not None:
        # all but the newest, whose number and time the next line builds on
        end = max(end, past_its_time(_samples(connection, last), now, keep))
    if end < first:
        return 0
    return connection.execute("DELETE FROM log WHERE id <= ?", (min(end, first + PRUNE_STEP - 1),)).rowcount


def _head_row(connection: sqlite3.Connection) -> int:
    row = connection.execute(HEAD).fetchone()
    return 0 if row is None else int(row[0])


def _follows(candidate: Candidate, before: Candidate) -> bool:
    return candidate.epoch == before.epoch and candidate.sequence == before.sequence + 1


def _ranges(chosen: Several[Candidate]) -> tuple[LostRange, ...]:
    """Runs of sequences, in the order in which their records were appended."""
    ranges: list[LostRange] = []
    for candidate in sorted(chosen):
        last = ranges[-1] if ranges else None
        if last is not None and candidate.epoch == last.epoch and candidate.sequence == last.last + 1:
            ranges[-1] = LostRange(epoch=last.epoch, first=last.first, last=candidate.sequence)
        else:
            ranges.append(LostRange(epoch=candidate.epoch, first=candidate.sequence, last=candidate.sequence))
    return tuple(ranges)
