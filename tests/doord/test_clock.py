"""When the clock on the wall is believed, and what day it is at the site."""

import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from doorctl.core.types import SECOND, LocalTime, Monotonic, WallTime
from doorctl.doord import clock
from doorctl.doord.clock import WallClock


def at(*when: int) -> WallTime:
    return WallTime(round(datetime(*when, tzinfo=UTC).timestamp()) * SECOND)  # type: ignore[misc, arg-type]  # year to minute


NOW = at(2027, 7, 1, 12, 0)
START = Monotonic(77 * SECOND)
YEAR = 365 * 24 * 3600 * SECOND


@pytest.mark.parametrize(
    ("wall", "zone", "expected"),
    [
        (NOW, "Europe/Lisbon", LocalTime(day=date(2027, 7, 1), second_of_day=13 * 3600)),
        (at(2027, 1, 1, 12, 0), "Europe/Lisbon", LocalTime(day=date(2027, 1, 1), second_of_day=12 * 3600)),
        (at(2027, 7, 1, 23, 30), "Europe/Lisbon", LocalTime(day=date(2027, 7, 2), second_of_day=30 * 60)),
        (at(2027, 7, 1, 3, 0), "America/New_York", LocalTime(day=date(2027, 6, 30), second_of_day=23 * 3600)),
        (WallTime(NOW + SECOND - 1), "UTC", LocalTime(day=date(2027, 7, 1), second_of_day=12 * 3600)),
    ],
)
def test_local_time_is_the_sites(wall: WallTime, zone: str, expected: LocalTime) -> None:
    assert WallClock(zone).local(wall) == expected


def test_the_hour_that_comes_twice_comes_twice() -> None:
    """31 October 2027, 02:00 WEST becomes 01:00 WET in Lisbon."""
    first, second = at(2027, 10, 31, 0, 30), at(2027, 10, 31, 1, 30)
    assert WallClock("Europe/Lisbon").local(first) == WallClock("Europe/Lisbon").local(second)


def test_a_clock_without_a_journal_is_trusted() -> None:
    wall = WallClock("UTC")
    wall.journal_ends_at(None, NOW)
    assert wall.trusted


def test_a_clock_before_the_journals_end_is_not() -> None:
    wall = WallClock("UTC")
    wall.journal_ends_at(WallTime(NOW + 1), NOW)
    assert (wall.trusted, wall.local(NOW)) == (False, None)
    wall.journal_ends_at(NOW, NOW)
    assert wall.trusted


@pytest.mark.parametrize(("offset_s", "trusted"), [(0, True), (60, True), (-60, True), (61, False), (-61, False)])
def test_the_monitor_confirms_or_contradicts(offset_s: int, trusted: bool) -> None:
    wall = WallClock("UTC")
    wall.monitor_says(WallTime(NOW + offset_s * SECOND), NOW, at=START)
    assert wall.trusted is trusted


def test_only_a_receipt_confirms_a_clock_and_only_until_somebody_sets_it() -> None:
    wall = WallClock("UTC")
    wall.journal_ends_at(WallTime(NOW - 1), NOW)
    found = [wall.confirmed(NOW, START)]
    wall.monitor_says(WallTime(NOW + 59 * SECOND), NOW, at=START)
    later = Monotonic(START + YEAR)
    found += [wall.confirmed(WallTime(NOW + YEAR + ahead * SECOND), later) for ahead in (-61, -60, 0, 60, 61, 9999)]
    wall.monitor_says(NOW, WallTime(NOW + YEAR), at=later)
    found.append(wall.confirmed(WallTime(NOW + YEAR), later))
    assert found == [False, False, True, True, True, False, False, False]


def test_the_monitor_overrules_the_journal() -> None:
    wall = WallClock("UTC")
    wall.journal_ends_at(WallTime(NOW + SECOND), NOW)
    wall.monitor_says(WallTime(NOW + 999 * SECOND), NOW, at=START)
    assert not wall.trusted
    wall.monitor_says(NOW, NOW, at=START)
    assert wall.trusted


def test_the_boards_own_clocks() -> None:
    before = time.monotonic_ns()
    assert before <= clock.monotonic() <= time.monotonic_ns()
    assert abs(clock.wall() - time.time_ns()) < SECOND


def test_a_boot_has_a_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert len(clock.boot_id()) == 16
    assert clock.boot_id() == clock.boot_id() != bytes(16)
    for text in (None, "not a uuid"):
        place = tmp_path / "boot_id"
        if text is not None:
            place.write_text(text)
        monkeypatch.setattr(clock, "_BOOT_ID", place)
        assert clock.boot_id() == bytes(16)
