"""What happened around an alarm: records on both sides, other alarms among them, and what became of the alarm itself."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doorctl.core.types import SECOND, Outcome, Reason, WallTime
from doorctl.monitord.alarms.history import History, Told
from doorctl.monitord.alarms.kinds import AlarmKind, Severity
from doorctl.monitord.alarms.store import Alarm
from doorctl.monitord.alarms.timeline import record_views, timeline
from doorctl.monitord.ledger import LedgerWriter, Verified
from doorctl.seal.meaning import Meaning
from doorctl.wire.detail import (
    Act,
    Action,
    Detail,
    DoorDetail,
    DoorHappening,
    EnrolledDetail,
    FaultCode,
    FaultDetail,
    GuessingDetail,
    LossDetail,
    OperatorDetail,
    StartDetail,
    TestDetail,
)
from doorctl.wire.record import NO_HASH, Epoch, Kind, Sequence
from tests.monitord.board import NOON, Board, Made, as_ledger_record, new_row
from tests.seal.sample import MONITOR, PUBLIC

BEN = new_row("Ben", monitor=PUBLIC)
ANA = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)


class Place:
    """Two boards whose records come in turn: ours has the odd numbers of the ledger."""

    def __init__(self, folder: Path) -> None:
        self.board, self._other = Board(name="harbour-st"), Board(name="mill-lane")
        self._ledger = LedgerWriter(folder / "ledger.db")
        self.receive(self.board.start(), self._other.start())
        self.history = History(folder / "ledger.db", [MONITOR.token])

    def receive(self, *records: Made) -> None:
        self._ledger.store(
            Verified(header=m.header, body=m.body, signature=bytes(64), hash=m.hash, received=m.body.wall)
            for m in records
        )  # fmt: skip

    def visits(self, count: int) -> None:
        for _ in range(count):
            self.receive(self.board.access(BEN), self._other.access(None))

    def close(self) -> None:
        self.history.close()
        self._ledger.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def _alarm(place: Place, **changes: Any) -> Alarm:
    alarm = Alarm(
        id=1, kind=AlarmKind.DURESS, severity=Severity.CRITICAL, controller=place.board.controller, door="front",
        reader="front", person="Ana", event=NOON, received=NOON, raised=NOON, text="Ana gave a duress code at front",
        record=5, standing=False, ended=None, acknowledged=None, acknowledged_by=None,
    )  # fmt: skip
    return replace(alarm, **changes)


def _ids(told: list[Told]) -> list[int]:
    return [one.record.id for one in told]


def test_records_of_this_controller_on_both_sides(place: Place) -> None:
    place.visits(4)
    around = place.history.around(_alarm(place), before=1, since=2)
    assert (_ids(around.before), _ids(around.since), around.more) == ([3], [5, 7], True)
    around = place.history.around(_alarm(place), before=10, since=10)
    assert (_ids(around.before), _ids(around.since), around.more) == ([1, 3], [5, 7, 9], False)
    place.visits(1)
    assert _ids(place.history.around(_alarm(place), before=10, since=10).since) == [5, 7, 9, 11]
    assert place.history.last_record() == 12


def test_a_row_names_its_holder_and_a_wrong_code_nobody(place: Place) -> None:
    place.receive(place.board.access(ANA), place.board.access(None))
    told = place.history.around(_alarm(place, record=3), before=0, since=10).since
    assert [one.person for one in told] == ["Ana", ""]


@pytest.mark.parametrize("visits", [0, 1, 2, 7])
def test_an_alarm_of_no_record_stands_where_it_was_received(place: Place, visits: int) -> None:
    place.visits(visits)
    silent = _alarm(place, record=None, received=WallTime(place.board.now))
    place.visits(2)
    around = place.history.around(silent, before=100, since=100)
    first = 2 * visits + 3
    assert (_ids(around.before), _ids(around.since)) == (list(range(1, first, 2)), [first, first + 2])


def test_a_timeline_has_records_the_alarm_and_what_became_of_it(place: Place) -> None:
    place.visits(1)
    place.receive(place.board.access(ANA))
    forced = DoorDetail(happening=DoorHappening.FORCED_OPEN)
    place.receive(place.board.record(Kind.DOOR, forced, door="front"))
    received = WallTime(place.board.now)
    alarm = _alarm(place, acknowledged=WallTime(received - SECOND // 2), acknowledged_by="Cleo")
    other = _alarm(place, id=2, kind=AlarmKind.FORCED_OPEN, severity=Severity.SERIOUS, record=6)
    around = place.history.around(alarm, before=1, since=10)
    lines = timeline(alarm, around, {5: [alarm], 6: [other]})
    assert [(line["side"], line["person"], line["text"], line["tone"]) for line in lines] == [
        ("before", "Ben", "let in", "granted"),
        ("here", "", "Ana gave a duress code at front", "alarm"),
        ("since", "Ana", "let in", "granted"),
        ("since", "", "acknowledged by Cleo", "note"),
        ("since", "", "forced open", "trouble"),
    ]
    assert [line["alarms"] for line in lines] == [
        [], [], [], [], [{"id": 2, "title": "Door forced open", "severity": "serious"}]
    ]  # fmt: skip


def test_what_is_over_says_when(place: Place) -> None:
    alarm = _alarm(place, ended=WallTime(NOON + 60 * SECOND))
    lines = timeline(alarm, place.history.around(alarm, before=0, since=0), {})
    assert [(line["side"], line["event"], line["text"]) for line in lines] == [
        ("here", "2026-09-21T14:13:20.000Z", "Ana gave a duress code at front"),
        ("since", "2026-09-21T14:14:20.000Z", "over"),
    ]


START = StartDetail(previous_epoch=Epoch(b"12345678"), previous_head=Sequence(9), previous_hash=NO_HASH)
ENROLLED = EnrolledDetail(generation=3, action=Action.ADD, day=1, part=1, parts=1, entries=())


@pytest.mark.parametrize(
    ("kind", "detail", "changes", "text", "tone"),
    [
        (Kind.START, START, {}, "the controller started", "plain"),
        (Kind.ACCESS, None, {"outcome": Outcome.GRANTED, "reason": Reason.MATCHED}, "let in", "granted"),
        (Kind.ACCESS, None, {"outcome": Outcome.DENIED, "reason": Reason.NO_MATCH}, "refused: no match", "refused"),
        (
            Kind.ACCESS, None, {"outcome": Outcome.DENIED, "reason": Reason.LOCKED_OUT},
            "refused: locked out", "refused",
        ),
        (Kind.DOOR, DoorDetail(happening=DoorHappening.CLOSED), {}, "closed again", "plain"),
        (Kind.DOOR, DoorDetail(happening=DoorHappening.HELD_OPEN), {}, "held open", "trouble"),
        (Kind.FAULT, FaultDetail(code=FaultCode.TAMPER, began=True), {}, "tamper began", "trouble"),
        (Kind.FAULT, FaultDetail(code=FaultCode.STORAGE, began=False), {}, "storage fault is over", "plain"),
        (Kind.OPERATOR, OperatorDetail(act=Act.UNLOCK, uid=1000), {}, "unlock by user 1000 of the board", "plain"),
        (Kind.ENROLLED, ENROLLED, {}, "enrolment, generation 3 of the roster", "plain"),
        (Kind.TEST, TestDetail(nonce=bytes(16)), {}, "path test", "plain"),
        (Kind.LOSS, LossDetail(unmatched=2, matched=1, ranges=()), {}, "3 records gave way", "trouble"),
        (Kind.GUESSING, GuessingDetail(wrong_codes=60, window_s=600), {}, "60 wrong codes within 600 s", "trouble"),
        (Kind.FAULT, None, {"detail": b"\xff"}, "fault: makes no sense", "trouble"),
    ],
)  # fmt: skip
def test_each_kind_of_record_in_words(
    kind: Kind, detail: Detail | None, changes: dict[str, Any], text: str, tone: str
) -> None:
    made = Board().record(kind, detail, **changes)
    (view,) = record_views([Told(record=as_ledger_record(made, 1, NOON), person="")])
    assert (view["text"], view["tone"], view["kind"]) == (text, tone, kind.name.lower())
