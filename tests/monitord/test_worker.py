"""From the ledger to alarms.db: fresh first, exactly once, and again after every possible interruption."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorctl.core.types import SECOND, WallTime
from doorctl.errors import StorageError
from doorctl.monitord.alarms import worker
from doorctl.monitord.alarms.effects import Effect
from doorctl.monitord.alarms.judge import Judge
from doorctl.monitord.alarms.opening import open_row
from doorctl.monitord.alarms.registered import AT_ONCE, Registered
from doorctl.monitord.alarms.store import Alarm, AlarmStore
from doorctl.monitord.alarms.worker import GLANCE, TURN, Worker
from doorctl.monitord.ledger import LedgerReader, LedgerRecord, LedgerSupervision, LedgerWriter, Verified
from doorctl.seal.meaning import Meaning, TokenPlain
from doorctl.wire.detail import EnrolledDetail
from tests.monitord.board import Board, Made, new_row
from tests.seal.sample import MONITOR, PUBLIC


class Desk:
    """A ledger, an alarm store and a worker that can be killed."""

    def __init__(self, folder: Path, board: Board) -> None:
        self.board = board
        self._folder = folder
        self._ledger = LedgerWriter(folder / "ledger.db")
        self.open()

    def open(self) -> None:
        self.store = AlarmStore(self._folder / "alarms.db")
        self._reader = LedgerReader(self._folder / "ledger.db")
        self.worker = Worker(
            ledger=self._reader, store=self.store, token_keys=(MONITOR.token,), clock=lambda: WallTime(self.board.now)
        )

    def shut(self) -> None:
        self.store.close()
        self._reader.close()

    def restart(self) -> None:
        """As after kill -9: what was not committed is gone."""
        self.shut()
        self.open()

    def close(self) -> None:
        self.shut()
        self._ledger.close()

    def back_up(self) -> bytes:
        """The ledger as a file; nobody writes it meanwhile."""
        self._ledger.close()
        copy = (self._folder / "ledger.db").read_bytes()
        self._ledger = LedgerWriter(self._folder / "ledger.db")
        return copy

    def restore(self, copy: bytes) -> None:
        """The backup in the ledger's place; alarms.db stays."""
        self.shut()
        self._ledger.close()
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (self._folder / name).unlink(missing_ok=True)
        (self._folder / "ledger.db").write_bytes(copy)
        self._ledger = LedgerWriter(self._folder / "ledger.db")
        self.open()

    def receive(self, *records: Made) -> None:
        self._ledger.store(
            Verified(header=m.header, body=m.body, signature=bytes(64), hash=m.hash, received=WallTime(self.board.now))
            for m in records
        )  # fmt: skip

    def settle(self) -> list[str]:
        while self.worker.step():
            continue
        return self.told()

    def told(self) -> list[str]:
        """All alarms, in the order they were raised."""
        return [_brief(alarm) for alarm in sorted(self.store.alarms(1000), key=lambda alarm: alarm.id)]


def _brief(alarm: Alarm) -> str:
    return f"{alarm.kind.value} {alarm.person}".strip() + (" lasting" if alarm.standing else "")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, Board())
    yield desk
    desk.close()


def test_a_duress_code_becomes_an_alarm(desk: Desk) -> None:
    row = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    desk.receive(desk.board.start(), *desk.board.enrol(row), desk.board.access(row))
    assert desk.settle() == ["duress Ana"]


def test_a_fresh_duress_code_overtakes_a_backlog(desk: Desk) -> None:
    """Rows arrive newest last; the very next step raises it, whatever still waits for its turn."""
    row = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    board = desk.board
    desk.receive(board.start(), *board.enrol(row), *(board.access(None) for _ in range(20 * TURN)))
    assert desk.worker.step()
    desk.receive(board.access(row))
    assert desk.worker.step()
    assert desk.told() == ["duress Ana"]
    assert desk.settle() == ["duress Ana"]


def test_the_glance_goes_from_the_newest_to_the_oldest(desk: Desk) -> None:
    row = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    board = desk.board
    old, new = board.access(row), board.access(row)
    first = [board.access(None) for _ in range(TURN)]
    desk.receive(*first, old, *(board.access(None) for _ in range(GLANCE)), new)
    assert desk.worker.step()
    (alarm,) = desk.store.alarms(10)
    assert alarm.event == new.body.wall


def test_what_was_enrolled_for_months_is_worked_through_in_shares(desk: Desk) -> None:
    """The first generation comes last, and with it everything can be compared: a call for help waits for one share."""
    ana = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    board = desk.board
    first = [board.start(), *board.enrol(ana)]
    desk.receive(*(made for number in range(200) for made in board.enrol(*(new_row(f"{number}") for _ in range(14)))))
    while desk.worker.step():
        continue
    desk.receive(*first)
    assert desk.worker.step()  # all rows have had their turn, and there is more to do
    desk.receive(board.access(ana))
    assert desk.worker.step()
    assert desk.told() == ["duress Ana"]
    assert desk.settle() == ["duress Ana"]


def test_a_share_is_bounded_and_all_shares_are_the_whole() -> None:
    board, registered = Board(), Registered()
    digests = []
    for number in range(2 * AT_ONCE // 10):
        (made,) = board.enrol(*(new_row(f"{number}") for _ in range(10)))
        detail = EnrolledDetail.parse(made.body.detail)
        digests.append(made.body.roster_digest)
        assert registered.announce(detail)
    reached = []
    while registered.behind:
        registered.catch_up()
        reached.append(sum(registered.complete(number + 1) for number in range(len(digests))))
    assert len(reached) > 2
    assert all(after - before <= AT_ONCE // 10 for before, after in pairwise([0, *reached]))
    assert [registered.digest(number + 1) for number in range(len(digests))] == digests


def test_killed_between_any_two_steps_nothing_is_lost_or_doubled(desk: Desk) -> None:
    row, decoy = new_row("Ana", Meaning.DURESS, monitor=PUBLIC), new_row("Ana", Meaning.DECOY, monitor=PUBLIC)
    board = desk.board
    desk.receive(board.start(), *board.enrol(row, decoy))
    expected = []
    for n in range(6):
        desk.receive(*(board.access(None) for _ in range(TURN // 2)), board.access(row if n % 2 else decoy))
        expected.append("duress Ana" if n % 2 else "decoy Ana")
        desk.worker.step()
        desk.restart()
    desk.receive(board.supervise())
    assert sorted(desk.settle()) == sorted(expected)


@pytest.mark.parametrize("failing", range(1, 8))
def test_a_commit_that_fails_is_done_again_by_the_next_life(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    row = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    board = desk.board
    desk.receive(board.start(), *board.enrol(row))
    for _ in range(3):
        desk.receive(*(board.access(None) for _ in range(TURN)), board.access(row))
    commits = 0
    commit = AlarmStore.commit

    def fails_once(self: AlarmStore, *args: object, **kwargs: object) -> int:
        nonlocal commits
        commits += 1
        if commits == failing:
            raise StorageError("alarms.db: disk I/O error")
        return commit(self, *args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(AlarmStore, "commit", fails_once)
    try:
        desk.settle()
    except StorageError:
        desk.restart()
    assert desk.settle() == ["duress Ana"] * 3


def test_what_was_registered_survives_a_restart(desk: Desk) -> None:
    row = new_row("Ana", monitor=PUBLIC)
    board = desk.board
    desk.receive(board.start(), *board.enrol(row), board.supervise())
    assert desk.settle() == []
    desk.restart()
    desk.receive(board.access(row), board.supervise())
    assert desk.settle() == []
    board.now += 31 * SECOND
    desk.worker.on_deadline()
    assert desk.told() == []


def test_silence_is_counted_from_the_restart(desk: Desk) -> None:
    board = desk.board
    desk.receive(board.start(), board.supervise(), board.supervise())
    assert desk.settle() == []
    board.now += 3600 * SECOND
    desk.restart()
    desk.worker.on_deadline()
    assert desk.told() == []
    board.now += 190 * SECOND
    desk.worker.on_deadline()
    desk.worker.on_deadline()
    assert desk.told() == ["silent lasting"]
    desk.restart()
    desk.receive(board.supervise())
    assert desk.settle() == ["silent"]


def test_supervision_is_judged_after_what_was_here_before_it(desk: Desk) -> None:
    """It says that everything has a receipt: records that wait for their turn are no gap."""
    board = desk.board
    desk.receive(board.start(), *(board.access(None) for _ in range(3 * TURN)), board.supervise())
    assert desk.settle() == []
    board.access(None)
    desk.receive(board.supervise())
    assert desk.settle() == []
    desk.receive(board.supervise())
    assert desk.settle() == ["gap lasting"]


def test_acknowledging_is_once_and_every_change_has_a_number(desk: Desk) -> None:
    row = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    board = desk.board
    desk.receive(board.start(), *board.enrol(row), board.access(row), board.access(row))
    desk.settle()
    store = desk.store
    first = store.acknowledge(1, who="Ben", now=WallTime(5))
    assert first is not None
    assert (first.acknowledged, first.acknowledged_by) == (5, "Ben")
    assert store.acknowledge(1, who="Cleo", now=WallTime(6)) == first
    assert store.acknowledge(99, who="Cleo", now=WallTime(6)) is None
    changes = store.changes_after(0, 10)
    assert [(number, alarm.id) for number, alarm in changes] == [(1, 1), (2, 2), (3, 1)]
    assert store.changes_after(2, 10) == [(3, first)]
    assert store.last_change() == 3


def test_alarms_that_need_somebody_come_first(desk: Desk) -> None:
    row, decoy = new_row("Ana", Meaning.DURESS, monitor=PUBLIC), new_row("Ben", Meaning.DECOY, monitor=PUBLIC)
    board = desk.board
    desk.receive(board.start(), *board.enrol(row, decoy), board.access(row), board.access(row), board.access(decoy))
    desk.settle()
    desk.store.acknowledge(2, who="Ben", now=WallTime(5))
    assert [alarm.id for alarm in desk.store.alarms(10)] == [1, 3, 2]
    assert all(before.id != after.id for before, after in pairwise(desk.store.alarms(10)))


def test_a_record_that_breaks_the_judge_silences_nothing_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judged = Judge.record

    def breaks(self: Judge, record: LedgerRecord, opened: TokenPlain | None) -> list[Effect]:
        if record.header.sequence == poison.sequence:
            raise KeyError("a case nobody thought of")
        return judged(self, record, opened)

    board = desk.board
    forced = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    desk.receive(board.start(), *board.enrol(forced))
    poison = board.access(forced)
    monkeypatch.setattr(Judge, "record", breaks)
    desk.receive(poison, board.access(forced))
    assert sorted(desk.settle()) == ["chain", "duress Ana", "duress Ana"]
    assert "could not be judged" in caplog.text


def test_supervision_that_breaks_the_judge_silences_nothing_and_is_told_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(self: Judge, supervised: LedgerSupervision) -> list[Effect]:
        raise OverflowError("a number nobody thought of")

    board = desk.board
    forced = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    monkeypatch.setattr(Judge, "supervision", breaks)
    desk.receive(board.start(), *board.enrol(forced), board.supervise())
    assert desk.settle() == ["chain"]
    desk.receive(board.supervise(), board.access(forced))
    assert desk.settle() == ["chain", "duress Ana"]
    assert "could not be judged" in caplog.text


def test_a_row_that_breaks_the_glance_hides_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(record: LedgerRecord, token_keys: Sequence[X25519PrivateKey]) -> TokenPlain | None:
        if record.header.sequence == poison.sequence:
            raise KeyError("a case nobody thought of")
        return open_row(record, token_keys)

    board = desk.board
    forced = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    backlog = [board.start(), *board.enrol(forced), *(board.access(None) for _ in range(2 * TURN))]
    poison = board.access(forced)
    monkeypatch.setattr(worker, "open_row", breaks)
    desk.receive(*backlog, poison, board.access(forced))
    assert desk.worker.step()
    assert desk.told() == ["chain", "duress Ana"]
    assert desk.settle() == ["chain", "duress Ana"]
    assert "could not be judged" in caplog.text


@pytest.mark.parametrize("waiting", [0, 3 * TURN])
def test_commits_do_not_depend_on_what_a_token_means(desk: Desk, monkeypatch: pytest.MonkeyPatch, waiting: int) -> None:
    """Each of them is on the disk that ingest's receipts wait for."""
    commit, commits = AlarmStore.commit, []

    def counted(self: AlarmStore, *args: object, **kwargs: object) -> int:
        commits.append(len(kwargs))
        return commit(self, *args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    board = desk.board
    rows = [new_row("Ana", meaning, monitor=PUBLIC) for meaning in (Meaning.NORMAL, Meaning.DURESS)]
    desk.receive(board.start(), *board.enrol(*rows))
    desk.settle()
    monkeypatch.setattr(AlarmStore, "commit", counted)
    found = []
    for row in rows:
        desk.receive(*(board.access(None) for _ in range(waiting)), board.access(row))
        steps, left = [], True
        while left:
            commits.clear()
            left = desk.worker.step()
            steps.append(len(commits))
        found.append(steps)
    assert found == [[2, 1, 1, 1] if waiting else [1]] * 2


@pytest.mark.parametrize("later", [0, 5, 40])
def test_a_ledger_put_back_from_a_backup_is_judged_from_its_beginning(desk: Desk, later: int) -> None:
    """Its ids start again below the cursor: without this, nothing more would ever be an alarm."""
    board = desk.board
    forced = new_row("Ana", Meaning.DURESS, monitor=PUBLIC)
    desk.receive(board.start(), *board.enrol(forced), board.access(forced), board.supervise())
    assert desk.settle() == ["duress Ana"]
    copy = desk.back_up()
    desk.receive(*(board.access(None) for _ in range(20)), board.supervise())
    assert desk.settle() == ["duress Ana"]
    desk.restore(copy)
    desk.receive(board.access(forced), *(board.access(None) for _ in range(later)))
    assert desk.settle() == ["duress Ana", "chain", "duress Ana"]
    desk.restart()
    assert desk.settle() == ["duress Ana", "chain", "duress Ana"]
    desk.receive(board.supervise(), board.supervise(), board.supervise())
    desk.receive(board.supervise())
    desk.settle()
    desk.receive(board.supervise())
    assert desk.settle() == ["duress Ana", "chain", "duress Ana", "gap lasting"]
