"""Any order of append, done, make_room, prune, checkpoint and reopening does what a list and a dictionary do."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from doorctl.core.types import WallTime
from doorctl.journal.bounds import KEPT
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.journal.rows import Entry, Head, Plain
from doorctl.wire.record import Epoch, Sequence
from tests.journal.making import NOW, epoch, hash_of, log_row, names, receipt, sealed

LIMIT = 12
DAY = KEPT // 7
Name = tuple[Epoch, int]


@dataclass(slots=True, kw_only=True)
class Kept:
    """One record of the model."""

    name: Name
    weight: int
    receipted: int | None = None


@dataclass(slots=True)
class Model:
    """The journal as anybody would write it who need not survive anything."""

    records: list[Kept] = field(default_factory=list)
    log: list[int] = field(default_factory=list)
    lockouts: dict[bytes, Plain] = field(default_factory=dict)
    generation: int = 0

    def find(self, name: Name) -> Kept | None:
        return next((kept for kept in self.records if kept.name == name), None)

    def pending(self) -> list[Kept]:
        return [kept for kept in self.records if kept.receipted is None]

    def head(self) -> Name | None:
        if not self.records:
            return None
        last = self.records[-1].name[0]
        return max(kept.name for kept in self.records if kept.name[0] == last)

    def lose(self, lost: list[Name]) -> None:
        self.records = [kept for kept in self.records if kept.receipted is not None or kept.name not in lost]

    def prune(self, now: int) -> None:
        newest = [kept.name for kept in self.records if kept.receipted is not None][-1:]
        receipted = sum(kept.receipted is not None for kept in self.records)
        left: list[Kept] = []
        reached_head = False
        for index, kept in enumerate(self.records):
            reached_head = reached_head or kept.name == self.head()
            safe = kept.receipted is None or reached_head or [kept.name] == newest
            before = sum(k.receipted is not None for k in self.records[:index])
            surplus = before < receipted - LIMIT
            if safe or not (surplus or (kept.receipted or 0) < now - KEPT):
                left.append(kept)
        self.records = left


class JournalMachine(RuleBasedStateMachine):
    """Drives both and compares all that can be seen."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "journal.db"
        self.journal = Journal.open(self.path, limit=LIMIT)
        self.model = Model()
        self.epoch = 1
        self.next = 1
        self.now = int(NOW)

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            shutil.rmtree(self.folder)

    def _entry(self, weight: int, **more: object) -> Entry:
        name = (epoch(self.epoch), self.next)
        known = any(kept.name[0] == name[0] for kept in self.model.records)
        self.model.records.append(Kept(name=name, weight=weight if known else 2))
        self.model.log.append(self.next)
        entry = Entry(
            log=log_row(self.next),
            record=sealed(*name),
            matched=weight == 1,
            structure=weight == 2,
            **more,  # type: ignore[arg-type]  # fields of Entry by name
        )
        self.next += 1
        return entry

    @rule(weights=st.lists(st.sampled_from([0, 0, 1, 2]), min_size=1, max_size=4), skip=st.integers(0, 2))
    def append(self, weights: list[int], skip: int) -> None:
        self.next += skip
        self.journal.append([self._entry(weight) for weight in weights])

    @rule(bounded=st.integers(1, 4))
    def make_room_and_append(self, bounded: int) -> None:
        report = self.journal.make_room(bounded)
        excess = len(self.model.pending()) + bounded - LIMIT
        assert (report is None) == (excess <= 0 or not self._victims(99))
        if report is None:
            return
        assert list(report.records) == self._victims(excess + 1)
        named = {(r.epoch, s) for r in report.ranges for s in range(r.first, r.last + 1)}
        assert named == set(report.records)
        entry = self._entry(2, loss=report)
        self.journal.append([entry])
        self.model.lose(list(report.records))

    def _victims(self, count: int) -> list[Name]:
        head = self.model.head()
        older = []
        for kept in self.model.records:
            if kept.name == head:
                break
            older.append(kept)
        waiting = sorted((k for k in older if k.receipted is None), key=lambda kept: kept.weight)
        return [kept.name for kept in waiting[:count]]

    @rule(data=st.data())
    @precondition(lambda self: self.model.records)
    def append_again(self, data: st.DataObject) -> None:
        kept = data.draw(st.sampled_from(self.model.records))
        self.journal.append([Entry(log=log_row(0), record=sealed(*kept.name))])

    @rule(data=st.data())
    @precondition(lambda self: self.model.records)
    def receive(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.model.records), max_size=8))
        waiting = 0
        for kept in chosen:
            waiting += kept.receipted is None
            kept.receipted = self.now if kept.receipted is None else kept.receipted
        forged = (*receipt(epoch(self.epoch), self.next - 1)[:2], hash_of(epoch(99), 1), NOW)
        assert self.journal.done([forged, *(receipt(*kept.name, at=self.now) for kept in chosen)]) == waiting

    @rule(days=st.integers(0, 9))
    def prune(self, days: int) -> None:
        self.now += days * DAY
        while self.journal.prune(WallTime(self.now)):
            pass
        while True:
            before = len(self.model.records)
            self.model.prune(self.now)
            if len(self.model.records) == before:
                break

    @rule(key=st.sampled_from([b"a", b"b"]), value=st.none() | st.integers(0, 9) | st.lists(st.integers(), max_size=3))
    def count_wrong_code(self, key: bytes, value: int | list[Plain] | None) -> None:
        self.journal.append([self._entry(0, lockouts={key: value}, sent_generation=self.next)])
        self.model.records[-1].weight = 2
        self.model.generation = self.next - 1
        self.model.lockouts[key] = value
        self.model.lockouts = {k: v for k, v in self.model.lockouts.items() if v is not None}

    @rule()
    def checkpoint(self) -> None:
        assert self.journal.checkpoint()

    @rule(new_epoch=st.booleans())
    def reopen(self, *, new_epoch: bool) -> None:
        self.journal.close()
        self.journal = Journal.open(self.path, limit=LIMIT)
        assert self.journal.recovered is None
        if new_epoch:
            self.epoch, self.next = self.epoch + 1, 1

    @invariant()
    def everything_agrees(self) -> None:
        if not hasattr(self, "journal"):
            return
        status = self.journal.status()
        waiting = [kept.name for kept in self.model.pending()]
        assert names(self.journal.pending(999)) == waiting[::-1]
        assert status.pending == len(waiting)
        assert (status.oldest and status.oldest[:2]) == (waiting[0] if waiting else None)
        head = self.model.head()
        assert status.head == (None if head is None else Head(head[0], Sequence(head[1]), hash_of(*head)))
        receipted = [kept.name for kept in self.model.records if kept.receipted is not None]
        assert (status.receipted and status.receipted[:2]) == (receipted[-1] if receipted else None)
        kept_again = [
            name for number in range(1, self.epoch + 1)
            for name in names(self.journal.again(epoch(number), Sequence(0), 9999))
        ]  # fmt: skip
        assert kept_again == sorted(receipted)
        assert status.sent_generation == self.model.generation
        assert self.journal.load_lockouts() == self.model.lockouts
        assert [line.row.wall - NOW for line in JournalReader(self.path).log(9999)] == self.model.log


JournalMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
TestJournalModel = JournalMachine.TestCase
