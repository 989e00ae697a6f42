"""A fault is recorded when it begins and when it ends, logged at each change, and shown while it stands."""

import pytest

from doorctl.doord.faults import Faults
from doorctl.wire.detail import FaultCode


class Book:
    def __init__(self) -> None:
        self.records: list[tuple[FaultCode, str, str, bool]] = []
        self.faults = Faults(lambda *record: self.records.append(record))


def test_it_begins_and_ends_once(caplog: pytest.LogCaptureFixture) -> None:
    book = Book()
    for text in ("line low", "line low", "noise", None, None):
        book.faults.set("reader front", text)
    assert book.records == [
        (FaultCode.READER, "reader front", "line low", True),
        (FaultCode.READER, "reader front", "", False),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "reader front: line low", "reader front: noise", "reader front: well again",
    ]  # fmt: skip
    assert book.faults.shown() == []


def test_those_that_stand_are_shown_in_order() -> None:
    book = Book()
    book.faults.set("strike side", "deaf")
    book.faults.set("clock", "the time is not trusted")
    book.faults.set("courier", None)
    assert book.faults.shown() == ["clock: the time is not trusted", "strike side: deaf"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("reader front", FaultCode.READER),
        ("strike front", FaultCode.STRIKE),
        ("lamp front", FaultCode.STRIKE),
        ("sounder front", FaultCode.STRIKE),
        ("roster", FaultCode.ROSTER),
        ("journal", FaultCode.STORAGE),
        ("clock", FaultCode.CLOCK),
        ("courier", FaultCode.COURIER),
    ],
)
def test_each_kind_has_its_code(name: str, code: FaultCode) -> None:
    book = Book()
    book.faults.set(name, "bad")
    assert book.records == [(code, name, "bad", True)]


def test_what_is_recorded_where_it_is_seen_is_not_recorded_again() -> None:
    book = Book()
    book.faults.set("storage", "the disk does not answer")
    book.faults.set("tamper front", "active")
    assert book.records == []
    assert book.faults.shown() == ["storage: the disk does not answer", "tamper front: active"]
