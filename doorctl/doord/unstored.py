"""Which of the records that wait for a disk give way, and which of them the courier is to keep.

Pure: order and choice only. The queue and its bound are the recorder's.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Several
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from doorctl.journal.bounds import Candidate, choose
from doorctl.journal.rows import Entry, LossReport, Weight
from doorctl.wire.record import Epoch

if TYPE_CHECKING:
    from doorctl.doord.drafts import Recording


class GivingWay(NamedTuple):
    """What memory cannot keep."""

    silent: "list[Recording]"
    """Nothing to declare: the monitor has the record, or there is none."""
    lost: "list[Recording]"
    report: LossReport | None
    """Names what is lost; None where nothing is."""


def weight_of(entry: Entry) -> Weight:
    """As the journal will weigh it."""
    if entry.structure or entry.sent_generation is not None:
        return Weight.STRUCTURE
    return Weight.MATCHED if entry.matched else Weight.UNMATCHED


def giving_way(waiting: "Several[Recording]", epoch: Epoch, excess: int, most: int) -> GivingWay:
    """Receipted first, then unmatched, matched, structure, the oldest first within each.

    A loss makes room for its own record, and for a hundredth of `most`, so that a full memory does not declare each
    record by itself.
    """
    silent = list(islice((recording for recording in waiting if _silent(recording)), excess))
    excess -= len(silent)
    if excess <= 0:
        return GivingWay(silent, [], None)
    needed = excess + 1  # the LOSS record itself
    wanted = max(needed, most // 100)
    order = sorted(
        (recording for recording in waiting if not _silent(recording)),
        key=lambda recording: (weight_of(recording.entry), recording.sequence),
    )
    candidates = (
        Candidate(recording.sequence, weight_of(recording.entry), epoch, recording.sequence)
        for recording in order[:wanted]
    )
    report = choose(candidates, needed)
    return GivingWay(silent, order[: len(report.records) if report is not None else 0], report)


def to_keep(waiting: "Iterable[Recording]", connection: int, most: int) -> "list[Recording]":
    """What the courier of this connection is to be given now, newest and matched first; it keeps `most` at a time."""
    wanted = [recording for recording in waiting if not _silent(recording)]
    room = most - sum(recording.held_by == connection for recording in wanted)
    offered = [recording for recording in wanted if recording.held_by != connection]
    offered.sort(key=lambda recording: (weight_of(recording.entry) is Weight.UNMATCHED, -recording.sequence))
    return offered[: max(room, 0)]


def _silent(recording: "Recording") -> bool:
    return recording.receipted or recording.record is None
