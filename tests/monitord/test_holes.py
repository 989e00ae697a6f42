"""What ingest asks for again, over a real ledger."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.core.types import WallTime
from doorctl.monitord.ingest.holes import Holes
from doorctl.monitord.ingest.verify import Want
from doorctl.monitord.ledger import LedgerWriter, Verified
from doorctl.wire.detail import LossDetail, LostRange
from doorctl.wire.record import Body, ControllerId, Epoch, Kind, Sequence
from tests.monitord.board import Board, Made


class Shop:
    """Stores what comes and asks what is wanted, as the desk does."""

    def __init__(self, path: Path) -> None:
        self.ledger = LedgerWriter(path)
        self.holes = Holes(self.ledger)

    def store(self, *records: Made) -> None:
        verified = [_verified(made) for made in records]
        self.ledger.store(verified)
        for one in verified:
            self.holes.stored(one)

    def wanted(self, supervision: Made) -> Want | None:
        return self.holes.wanted(_verified(supervision))

    def wanted_next(self, record: Made) -> Want | None:
        return self.holes.wanted_next(_verified(record))

    def restart(self) -> None:
        self.holes = Holes(self.ledger)


def _verified(made: Made) -> Verified:
    return Verified(
        header=made.header, body=made.body, signature=bytes(64), hash=made.hash, received=WallTime(0)
    )  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "ledger.db")
    yield shop
    shop.ledger.close()


def _want(made: Made, count: int) -> Want:
    return Want(epoch=made.header.epoch, sequence=made.header.sequence, count=count)


def test_nothing_is_wanted_where_nothing_is_missing(shop: Shop) -> None:
    board = Board()
    shop.store(board.start(), board.access(None), board.start(), board.access(None))
    assert shop.wanted(board.supervise()) is None


def test_a_monitor_from_a_backup_asks_for_what_came_after_it(shop: Shop) -> None:
    board = Board()
    shop.store(board.start(), board.access(None))
    gone = [board.access(None) for _ in range(5)]
    assert shop.wanted(board.supervise(receipted=gone[-1])) == _want(gone[0], 5)
    shop.store(*gone)
    assert shop.wanted(board.supervise(receipted=gone[-1])) is None


def test_what_waits_for_a_receipt_is_not_asked_for(shop: Shop) -> None:
    board = Board()
    shop.store(board.start())
    waiting = board.access(None)
    board.access(None)
    assert shop.wanted(board.supervise(oldest=waiting, pending=2)) is None
    assert shop.wanted(board.supervise(pending=2)) is None


def test_the_newest_receipted_record_is_asked_for_in_its_own_epoch(shop: Shop) -> None:
    board = Board()
    oldest = board.start()
    newest = board.start()
    want = shop.wanted(board.supervise(oldest=oldest, pending=1, receipted=newest))
    assert want == _want(newest, 1)


def test_ended_epochs_are_asked_for_through_their_starts(shop: Shop) -> None:
    board = Board()
    first = [board.start(), board.access(None), board.access(None)]
    second = [board.start(), board.access(None)]
    third = [board.start()]
    shop.store(first[0], *second, *third)
    assert shop.wanted(board.supervise()) == _want(first[1], 2)
    shop.store(*first[1:])
    assert shop.wanted(board.supervise()) is None
    shop.restart()
    assert shop.wanted(board.supervise()) is None


def test_holes_take_turns(shop: Shop) -> None:
    board = Board()
    records = [board.start(), *(board.access(None) for _ in range(6))]
    shop.store(records[0], records[2], records[4], records[6])
    asked = [shop.wanted(board.supervise()) for _ in range(4)]
    assert asked == [_want(records[1], 1), _want(records[3], 1), _want(records[5], 1), _want(records[1], 1)]


def _as_a_board_would(shop: Shop, made: dict[int, Made], want: Want | None) -> int:
    """What is wanted comes again, and each receipt may want more; how many came."""
    wishes = deque([] if want is None else [want])
    came = 0
    while wishes:
        want = wishes.popleft()
        batch = [made[number] for number in range(want.sequence, want.sequence + want.count)]
        shop.store(*batch)
        came += len(batch)
        wishes += [more for record in batch if (more := shop.wanted_next(record)) is not None]
    return came


def test_one_supervision_is_enough_for_every_hole(shop: Shop) -> None:
    """A backup made under load has dozens, and supervision comes once a minute."""
    board = Board()
    made = {record.sequence: record for record in [board.start(), *(board.access(None) for _ in range(199))]}
    shop.store(*(record for number, record in made.items() if number % 3 == 1))
    assert _as_a_board_would(shop, made, shop.wanted(board.supervise())) == 133
    assert shop.wanted(board.supervise()) is None


def test_what_came_meanwhile_is_not_wanted(shop: Shop) -> None:
    board = Board()
    records = [board.start(), *(board.access(None) for _ in range(9))]
    shop.store(records[0], records[2], records[5], records[9])
    assert shop.wanted(board.supervise()) == _want(records[1], 1)
    shop.store(records[3], records[4], records[6])
    assert shop.wanted_next(records[3]) == _want(records[7], 2)
    assert shop.wanted_next(records[4]) is None


def test_no_more_is_wanted_than_a_board_takes(shop: Shop) -> None:
    board = Board()
    start = board.start()
    kept = []
    for _ in range(4):
        board.sequence += 500
        kept.append(board.access(None))
    shop.store(start, *kept)
    wants = [shop.wanted(board.supervise()), *(shop.wanted_next(start) for _ in range(4))]
    assert [want.count for want in wants if want is not None] == [500, 500]
    assert shop.wanted(board.supervise()) == Want(epoch=board.epoch, sequence=Sequence(1004), count=500)


def test_another_boards_records_bring_no_wish(shop: Shop) -> None:
    board, other = Board(), Board(name="other")
    records = [board.start(), *(board.access(None) for _ in range(4))]
    shop.store(records[0], records[2], records[4])
    assert shop.wanted_next(records[4]) is None, "before any supervision"
    assert shop.wanted(board.supervise()) == _want(records[1], 1)
    stranger = other.start()
    shop.store(stranger)
    assert shop.wanted_next(stranger) is None
    assert shop.wanted_next(records[4]) == _want(records[3], 1)


def test_lost_records_are_never_asked_for(shop: Shop) -> None:
    board = Board()
    shop.store(board.start())
    lost = [board.access(None) for _ in range(3)]
    detail = LossDetail(
        unmatched=3, matched=0, ranges=(LostRange(epoch=board.epoch, first=Sequence(2), last=Sequence(4)),)
    )
    assert shop.wanted(board.supervise()) == _want(lost[0], 3)
    shop.store(board.record(Kind.LOSS, detail))
    assert shop.wanted(board.supervise()) is None
    shop.restart()
    assert shop.wanted(board.supervise()) is None


def test_a_long_hole_is_asked_for_piece_by_piece(shop: Shop) -> None:
    board = Board()
    start = board.start()
    board.sequence = 5000
    last = board.access(None)
    shop.store(start, last)
    want = shop.wanted(board.supervise())
    assert want == Want(epoch=board.epoch, sequence=Sequence(2), count=1024)


def test_a_supervision_that_makes_no_sense_wants_nothing(shop: Shop) -> None:
    board = Board()
    board.start()
    assert shop.wanted(board.supervise(detail=b"odd")) is None


class Counted:
    """The ledger, and how often it was asked for an epoch's sequences."""

    def __init__(self, ledger: LedgerWriter) -> None:
        self._ledger = ledger
        self.read: list[Epoch] = []

    def sequences(self, controller: ControllerId, epoch: Epoch) -> list[tuple[int, int]]:
        self.read.append(epoch)
        return self._ledger.sequences(controller, epoch)

    def record_at(self, controller: ControllerId, epoch: Epoch, sequence: Sequence) -> Body | None:
        self.read.append(epoch)
        return self._ledger.record_at(controller, epoch, sequence)

    def losses(self, controller: ControllerId) -> list[Body]:
        return self._ledger.losses(controller)


def test_a_board_restarted_often_is_walked_through_once(shop: Shop) -> None:
    board = Board()
    shop.store(*(board.start() for _ in range(150)))
    view = Counted(shop.ledger)
    shop.holes = Holes(view)
    assert shop.wanted(board.supervise()) is None
    walked = len(set(view.read))
    view.read.clear()
    assert shop.wanted(board.supervise()) is None
    assert (walked, set(view.read)) == (64, {board.epoch})


def test_a_hole_in_a_board_restarted_often_is_asked_for_until_it_came(shop: Shop) -> None:
    board = Board()
    older = [board.start() for _ in range(100)]
    gone = board.access(None)
    shop.store(*older, *(board.start() for _ in range(20)))
    assert [shop.wanted(board.supervise()) for _ in range(3)] == [_want(gone, 1)] * 3
    shop.store(gone)
    assert shop.wanted(board.supervise()) is None
