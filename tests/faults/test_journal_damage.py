"""A journal that is not what was written: every page in turn, the WAL, the header, and a crash during recovery."""

import gc
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.core.types import WallTime
from doorctl.errors import StorageError
from doorctl.journal import file, recovery, salvage
from doorctl.journal.faults import FaultKind, JournalError
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.journal.rows import Entry, Plain
from doorctl.journal.schema import PAGE_SIZE
from doorctl.wire.record import Epoch, Sequence
from tests.journal.making import DAY, NOW, entry, epoch, head, log_row, names, receipt, sealed

A, B = epoch(1), epoch(2)
WRITTEN: list[tuple[Epoch, int]] = [(A, i) for i in range(1, 41)] + [(B, i) for i in range(1, 21)]
RECEIPTED: list[tuple[Epoch, int]] = [(A, i) for i in range(1, 31, 3)]
COUNTERS: dict[bytes, Plain] = {b"card": {"wrong": 3}}


def write(path: Path) -> None:
    with Journal.open(path) as journal:
        # A second apart, so that times tell the order; matched and not, so that weights differ.
        for number, name in enumerate(WRITTEN):
            row = log_row(number * 10**9)
            journal.append([Entry(log=row, record=sealed(*name), matched=number % 2 == 0)])
        journal.append([Entry(log=log_row(10**12), sent_generation=9, lockouts=COUNTERS)])
        journal.done([receipt(*name) for name in RECEIPTED])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "journal.db"
    write(path)
    return path


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "journal.db"))


def smash(path: Path, offset: int, size: int, *, seed: int = 0) -> None:
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(random.Random(seed).randbytes(size))


def everything(journal: Journal) -> tuple[list[tuple[Epoch, int]], list[tuple[Epoch, int]]]:
    """What waits, oldest first, and what was receipted."""
    waiting = names(journal.pending(999))[::-1]
    receipted = [name for one in (A, B) for name in names(journal.again(one, Sequence(0), 999))]
    return waiting, receipted


def pages_with_records(path: Path) -> dict[int, list[tuple[Epoch, int]]]:
    content = path.read_bytes()
    found: dict[int, list[tuple[Epoch, int]]] = {}
    for name in WRITTEN:
        found.setdefault(content.index(sealed(*name)) // PAGE_SIZE, []).append(name)
    return found


def test_any_one_page_costs_only_the_records_on_it(sound: Path, tmp_path: Path) -> None:
    lost_by_page = pages_with_records(sound)
    pages = sound.stat().st_size // PAGE_SIZE
    recovered = 0
    for page in range(pages):
        path = Path(shutil.copy(sound, tmp_path / f"{page}.db"))
        smash(path, page * PAGE_SIZE, PAGE_SIZE, seed=page)
        with Journal.open(path) as journal:
            lost = lost_by_page.get(page, [])
            left = [name for name in WRITTEN if name not in lost]
            waiting, receipted = everything(journal)
            assert sorted(waiting + receipted) == sorted(left)
            assert waiting == sorted(waiting)
            if journal.recovered is not None:
                recovered += 1
                assert journal.recovered.complete
                assert journal.recovered.records == len(left)
                assert journal.recovered.moved_to == tmp_path / f"{page}.db.damaged-1"
                assert journal.recovered.moved_to.stat().st_size == sound.stat().st_size
            if lost:
                assert receipted == [name for name in RECEIPTED if name not in lost]
            assert journal.status().pending == len(waiting)
            journal.append([entry(epoch(3), 1)])
            head = journal.last_epoch()
            assert head is not None
            assert (head.epoch, head.sequence) == (epoch(3), 1)
        with Journal.open(path) as journal:
            assert journal.recovered is None
    assert recovered >= pages - 1


def test_all_else_survives_the_loss_of_one_record(path: Path, sound: Path) -> None:
    smash(path, path.read_bytes().index(sealed(A, 2)) + 100, 1)
    before = JournalReader(sound).log(999)
    with Journal.open(path) as journal:
        assert journal.recovered is not None
        assert (journal.recovered.records, journal.recovered.log_rows) == (len(WRITTEN) - 1, len(WRITTEN) + 1)
        assert journal.status().sent_generation == 9
        assert journal.load_lockouts() == COUNTERS
        assert journal.last_wall() == NOW + 10**12
        assert everything(journal)[1] == RECEIPTED
    assert JournalReader(path).log(999) == before
    with sqlite3.connect(path) as saved, sqlite3.connect(sound) as written:
        question = "SELECT id, weight FROM pending WHERE id <> 2"
        assert saved.execute(question).fetchall() == written.execute(question).fetchall()
    saved.close()
    written.close()


def test_a_record_that_rots_while_doord_runs(path: Path, tmp_path: Path) -> None:
    with Journal.open(path) as journal:
        other = sqlite3.connect(path)
        with other:
            other.execute("UPDATE record SET sealed = zeroblob(2048) WHERE epoch = ? AND sequence = 20", (B,))
        other.close()
        with pytest.raises(JournalError) as failure:
            journal.pending(5)
        assert failure.value.kind is FaultKind.DAMAGED
        assert names(journal.pending(2)) == [(B, 19), (B, 18)]
        assert journal.recovered is not None
        journal.append([entry(B, 21)])
        # The exception holds the frames that read the old file: letting go of them must not touch the new one.
        del failure
        gc.collect()
        journal.append([entry(B, 22)])
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{tmp_path}/copy.db{suffix}")
    with Journal.open(tmp_path / "copy.db") as copy:
        assert names(copy.pending(3)) == [(B, 22), (B, 21), (B, 19)]


def change(path: Path, statement: str) -> None:
    other = sqlite3.connect(path)
    with other:
        other.execute(statement)
    other.close()


def test_a_lockout_counter_that_is_no_longer_json(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.save_lockouts({b"other": [1, 2]})
        change(path, "UPDATE lockout SET value = '{' WHERE key = x'63617264'")
        with pytest.raises(JournalError) as failure:
            journal.load_lockouts()
        assert failure.value.kind is FaultKind.DAMAGED
        assert journal.load_lockouts() == {b"other": [1, 2]}
        assert journal.recovered is not None
        assert (journal.recovered.records, journal.status().sent_generation) == (len(WRITTEN), 9)


@pytest.mark.parametrize("rot", ["outcome = 77", "detail = CAST(x'ff' AS TEXT)"])
def test_a_log_row_that_cannot_be_read_is_told_to_the_operator(path: Path, rot: str) -> None:
    change(path, f"UPDATE log SET {rot} WHERE id = 5")
    with pytest.raises(JournalError) as failure:
        JournalReader(path).log(999)
    assert failure.value.kind is FaultKind.DAMAGED
    assert len(JournalReader(path).log(10)) == 10


def test_records_that_only_the_wal_holds(tmp_path: Path) -> None:
    live, path = tmp_path / "live.db", tmp_path / "journal.db"
    with Journal.open(live) as journal:
        journal.append([entry(A, i) for i in range(1, 10)])
        for suffix in ("", "-wal"):
            shutil.copy(f"{live}{suffix}", f"{path}{suffix}")
    path.unlink()
    with Journal.open(path) as journal:
        assert names(journal.pending(99)) == [(A, i) for i in range(9, 0, -1)]
        assert journal.recovered is not None
        assert journal.recovered.moved_to == tmp_path / "journal.db.damaged-1"
    assert (tmp_path / "journal.db.damaged-1-wal").exists()


@pytest.mark.parametrize("content", [b"not a database at all\n" * 500, bytes(50_000), b"SQLite format 3\0"])
def test_a_file_that_never_was_a_journal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
        assert journal.status().pending == 1
        assert journal.recovered is not None
        assert (journal.recovered.records, journal.recovered.log_rows) == (0, 0)
    assert (tmp_path / "journal.db.damaged-1").read_bytes() == content


def test_carved_records_without_a_neighbour_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    # Each record is an epoch of its own, and pages that pruning freed are used again: places in the file say nothing.
    rows = [Entry(log=log_row(i * 10**9), record=sealed(epoch(i), 1)) for i in range(1, 41)]
    with Journal.open(path) as journal:
        journal.append(rows[:20])
        journal.done([receipt(epoch(i), 1, at=NOW - 9 * DAY) for i in range(2, 20, 3)])
        journal.prune(NOW)
        journal.append(rows[20:])
    carved = [one.epoch for one in salvage.carve(path)]
    smash(path, 0, 100)
    with Journal.open(path) as journal:
        order = [name[0] for name in everything(journal)[0]]
        assert order == sorted(set(carved)) != carved
        assert journal.last_epoch() == head(epoch(40), 1)


@pytest.mark.parametrize("cut", [-2048, *range(-42, -30), -1, 0, 1, 1000, 2047, 2048])
def test_carving_finds_what_lies_across_two_reads(path: Path, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    monkeypatch.setattr(salvage, "_WINDOW", path.read_bytes().index(sealed(A, 1)) + cut)
    found = [(one.epoch, one.sequence) for one in salvage.carve(path)]
    assert sorted(found) == WRITTEN


def test_what_a_full_disk_left_in_the_wal_is_renamed_with_its_file(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{old}{suffix}").write_text(suffix)
    recovery._rename(old, new)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"new.db": "", "new.db-wal": "-wal"}


@pytest.mark.parametrize("content", [b"", b"\0"])
def test_a_file_whose_creation_was_cut_short_is_begun_afresh(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with Journal.open(path) as journal:
        journal.append([entry(A, 1)])
        assert journal.recovered is None


def test_somebody_elses_database_is_moved_aside_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, secret TEXT)")
    other.close()
    content = path.read_bytes()
    with Journal.open(path) as journal:
        assert journal.recovered is not None
    assert (tmp_path / "journal.db.damaged-1").read_bytes() == content


def test_a_newer_journal_is_refused_and_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    content = path.read_bytes()
    with pytest.raises(StorageError, match="written by a newer doorctl"):
        Journal.open(path)
    assert path.read_bytes() == content
    with pytest.raises(StorageError, match="written by a newer doorctl"):
        Journal.open(path)  # the lock went with the first attempt


def test_half_a_file(path: Path) -> None:
    size = path.stat().st_size
    os.truncate(path, size // 2)
    left = [name for name in WRITTEN if sealed(*name) in path.read_bytes()]
    with Journal.open(path) as journal:
        waiting, receipted = everything(journal)
        assert sorted(waiting + receipted) == left != []


def test_only_the_last_three_damaged_files_stay(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for number in range(1, 7):
        with Journal.open(path) as journal:
            journal.append([entry(A, number)])
        smash(path, 0, 100, seed=number)
    with Journal.open(path) as journal:
        assert names(journal.pending(9)) == [(A, i) for i in range(6, 0, -1)]
    kept = sorted(file.name for file in tmp_path.iterdir() if "damaged" in file.name)
    assert kept == ["journal.db.damaged-4", "journal.db.damaged-5", "journal.db.damaged-6"]


def crash_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Makes the n-th rename or deletion the last thing that happens, for every n until all of them happen."""
    real = {"replace": Path.replace, "unlink": Path.unlink}
    for point in range(1, 100):
        done = 0

        def step(name: str, *args: object, _point: int = point, **keywords: object) -> object:
            nonlocal done
            done += 1
            if done >= _point:
                raise KeyboardInterrupt
            return real[name](*args, **keywords)  # type: ignore[operator]  # one of two bound methods

        for name in real:
            monkeypatch.setattr(Path, name, lambda *args, _name=name, **keywords: step(_name, *args, **keywords))
        yield point
        if done < point:
            return
        monkeypatch.undo()


def test_a_crash_at_any_point_of_recovery(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crashed = 0
    for point in crash_points(monkeypatch):
        path = Path(shutil.copy(sound, tmp_path / f"{point}.db"))
        smash(path, 0, 100)
        try:
            Journal.open(path).close()
        except KeyboardInterrupt:
            crashed += 1
            monkeypatch.undo()
        with Journal.open(path) as journal:
            waiting, receipted = everything(journal)
            assert sorted(waiting + receipted) == WRITTEN
            assert journal.status().pending == len(waiting)
    assert crashed >= 4


def test_a_disk_too_full_to_save_everything(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smash(path, 0, 100)
    real = file.connect

    def small(place: Path, *, check: bool) -> sqlite3.Connection:
        connection = real(place, check=check)
        if place.name.endswith(".salvaging"):
            connection.execute("PRAGMA max_page_count = 60")
        return connection

    monkeypatch.setattr(recovery, "connect", small)
    monkeypatch.setattr(recovery, "_BATCH", 10)
    with Journal.open(path) as journal:
        assert journal.recovered is not None
        assert not journal.recovered.complete
        assert 0 < journal.recovered.records == journal.status().pending < len(WRITTEN)
        assert all(record.record == sealed(record.epoch, record.sequence) for record in journal.pending(999))
        journal.append([entry(epoch(3), 1)])
        assert journal.prune(WallTime(NOW)) == 0
