"""What a board believes to be receipted and is not here: a monitor restored from a backup asks for it again.

Pure over a small view of the ledger. It only ever asks; whether a hole is an alarm is the alarms part's to judge.

Theory of operation. A supervision tells what its board has receipts for, so its receipt asks for a hole. A backup that
was made under load has many (what is new comes first, what is old comes newest first), and supervision is rare: each
receipt that follows, for whatever record of that board, asks for one more of them. What comes again brings its own
receipts, so a wish is answered by the next one and all holes are closed in seconds.
"""

from collections import deque
from itertools import accumulate, islice
from typing import Final, Protocol

from doorctl.errors import MalformedError
from doorctl.monitord.ingest.verify import Want
from doorctl.monitord.ledger import Verified
from doorctl.monitord.ranges import FIRST_SEQUENCE, Ranges
from doorctl.monitord.supervised import receipted_until
from doorctl.wire.detail import LossDetail, StartDetail, SupervisionDetail
from doorctl.wire.record import NO_EPOCH, Body, ControllerId, Epoch, Kind, Sequence

MOST_WANTED: Final = 1024
"""Records asked for in one wish, and in all that follow one supervision; a board takes no more at a time."""
_EPOCHS_BACK: Final = 64
_HOLES_SEEN: Final = 256


class View(Protocol):
    """What of the ledger is looked at; LedgerWriter has it."""

    def sequences(self, controller: ControllerId, epoch: Epoch) -> list[tuple[int, int]]:
        """Which sequences of an epoch are here, as intervals."""
        ...

    def record_at(self, controller: ControllerId, epoch: Epoch, sequence: Sequence) -> Body | None:
        """The first record that came under these numbers."""
        ...

    def losses(self, controller: ControllerId) -> list[Body]:
        """A controller's LOSS records."""
        ...


class Holes:
    """Remembers, epoch by epoch, what is here; reads the ledger once an epoch, then follows what is stored."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._here: dict[tuple[ControllerId, Epoch], Ranges] = {}
        self._whole: set[tuple[ControllerId, Epoch]] = set()
        self._asked: dict[ControllerId, int] = {}
        self._next: dict[ControllerId, deque[Want]] = {}
        """Found at the last supervision and not yet asked for."""

    def stored(self, record: Verified) -> None:
        """A record was committed."""
        header = record.header
        here = self._here.get((header.controller, header.epoch))
        if here is not None and not header.supervision:
            here.add(header.sequence)
        if record.body.kind is Kind.LOSS:
            self._lost(header.controller, record.body)

    def wanted(self, record: Verified) -> Want | None:
        """What to ask for in the receipt of this supervision; it begins elsewhere each time, so none is starved."""
        controller = record.header.controller
        self._next.pop(controller, None)
        try:
            detail = SupervisionDetail.parse(record.body.detail)
        except MalformedError:
            return None
        holes = self._all_holes(controller, record, detail)
        if not holes:
            return None
        turn = self._asked.get(controller, 0) % len(holes)
        first, *others = holes[turn:] + holes[:turn]
        counts = accumulate((want.count for want in others), initial=first.count)
        next(counts)
        self._next[controller] = deque(want for want, count in zip(others, counts, strict=True) if count <= MOST_WANTED)
        self._asked[controller] = turn + 1
        return first

    def wanted_next(self, record: Verified) -> Want | None:
        """What to ask for in the receipt of any other record: the next hole of the last supervision, once."""
        controller = record.header.controller
        waiting = self._next.get(controller)
        while waiting:
            want = waiting.popleft()
            hole = self._ranges(controller, want.epoch).first_hole(want.sequence, want.sequence + want.count - 1)
            if hole is not None:
                self._asked[controller] += 1
                return _want(want.epoch, *hole)
        return None

    def _all_holes(self, controller: ControllerId, record: Verified, detail: SupervisionDetail) -> list[Want]:
        """Newest epoch first."""
        epoch, until = receipted_until(record.header.epoch, record.body, detail)
        found: list[Want] = []
        if detail.receipted_epoch not in {NO_EPOCH, epoch}:
            newest = self._ranges(controller, detail.receipted_epoch)
            if detail.receipted_sequence not in newest:
                found.append(Want(epoch=detail.receipted_epoch, sequence=detail.receipted_sequence, count=1))
        ended_whole: list[Epoch] = []
        for depth in range(_EPOCHS_BACK):
            holes = islice(self._ranges(controller, epoch).holes(FIRST_SEQUENCE, until), _HOLES_SEEN - len(found))
            wants = [_want(epoch, first, last) for first, last in holes]
            found += wants
            if wants:
                ended_whole.clear()
            elif depth:
                ended_whole.append(epoch)
            predecessor = self._predecessor(controller, epoch)
            if predecessor is None or len(found) >= _HOLES_SEEN:
                return found
            epoch, until = predecessor
            if epoch == NO_EPOCH or (controller, epoch) in self._whole:
                break
        # at the bound too: what lies deeper is not asked for anyway, and the next walk must not read all this again
        self._forget(controller, ended_whole)
        return found

    def _forget(self, controller: ControllerId, epochs: list[Epoch]) -> None:
        """Ended epochs of which, and as far as we look below which, nothing is missing: nothing ever will be."""
        for epoch in epochs:
            self._whole.add((controller, epoch))
            self._here.pop((controller, epoch), None)

    def _predecessor(self, controller: ControllerId, epoch: Epoch) -> tuple[Epoch, int] | None:
        """The epoch before and its head; None while its START is not here."""
        start = self._view.record_at(controller, epoch, Sequence(FIRST_SEQUENCE))
        if start is None or start.kind is not Kind.START:
            return None
        try:
            detail = StartDetail.parse(start.detail)
        except MalformedError:
            return None
        return detail.previous_epoch, detail.previous_head

    def _ranges(self, controller: ControllerId, epoch: Epoch) -> Ranges:
        here = self._here.get((controller, epoch))
        if here is None:
            here = self._here[controller, epoch] = Ranges(self._view.sequences(controller, epoch))
            for loss in self._view.losses(controller):
                self._lost(controller, loss)
        return here

    def _lost(self, controller: ControllerId, body: Body) -> None:
        """What a LOSS record names will never come, and is not asked for."""
        try:
            detail = LossDetail.parse(body.detail)
        except MalformedError:
            return
        for lost in detail.ranges:
            here = self._here.get((controller, lost.epoch))
            if here is not None:
                here.add(lost.first, lost.last)


def _want(epoch: Epoch, first: int, last: int) -> Want:
    return Want(epoch=epoch, sequence=Sequence(first), count=min(last - first + 1, MOST_WANTED))
