from dataclasses import replace

import pytest

from doorctl.core.types import SECOND, Reason, WallTime
from doorctl.monitord.alarms.effects import End, Raise
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.seal.meaning import Meaning
from doorctl.wire.detail import (
    Act,
    DoorDetail,
    DoorHappening,
    FaultCode,
    FaultDetail,
    GuessingDetail,
    LossDetail,
    LostRange,
    OperatorDetail,
    TestDetail,
)
from doorctl.wire.record import Flag, Kind, Sequence
from tests.monitord.board import Board, Made, new_row
from tests.monitord.court import Court

ANA = new_row("Ana")
ANA_DURESS = new_row("Ana", Meaning.DURESS)
BEN = new_row("Ben")
DECOY = new_row("Ben", Meaning.DECOY)
EVERYBODY = (ANA, ANA_DURESS, BEN, DECOY)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def court(board: Board) -> Court:
    court = Court(board, *EVERYBODY)
    assert court.take(board.start(), *board.enrol(*EVERYBODY)) == []
    return court


def test_an_ordinary_day_raises_nothing(board: Board, court: Court) -> None:
    day = [
        board.access(ANA), board.access(None), board.access(BEN, Reason.OUTSIDE_SCHEDULE),
        board.record(Kind.OPERATOR, OperatorDetail(act=Act.UNLOCK, uid=1000)),
        board.record(Kind.DOOR, DoorDetail(happening=DoorHappening.UNLOCKED), door="front"),
        board.supervise(), board.supervise(),
    ]  # fmt: skip
    assert court.take(*day) == []


def test_a_duress_code_is_an_alarm_with_all_that_an_operator_needs(board: Board, court: Court) -> None:
    made = board.access(ANA_DURESS)
    assert court.effects(made) == [
        Raise(
            kind=AlarmKind.DURESS,
            subject=f"duress:{board.controller.hex()}:{made.header.epoch.hex()}:{made.sequence}:{made.hash.hex()}",
            controller=board.controller,
            event=made.body.wall,
            received=WallTime(board.now),
            text="Ana gave a duress code at front; the door released",
            door="front",
            reader="front",
            person="Ana",
            record=3,
        )
    ]


@pytest.mark.parametrize("reason", [r for r in Reason if r not in {Reason.NONE, Reason.MATCHED}])
def test_a_duress_code_that_the_door_refused_is_an_alarm_too(board: Board, court: Court, reason: Reason) -> None:
    (alarm,) = court.effects(board.access(ANA_DURESS, reason))
    assert isinstance(alarm, Raise)
    assert alarm.kind is AlarmKind.DURESS
    assert "; the door refused it (" in alarm.text


def test_every_duress_code_is_an_alarm_of_its_own(board: Board, court: Court) -> None:
    assert court.take(*(board.access(ANA_DURESS) for _ in range(3))) == ["duress Ana"] * 3


def test_a_hidden_match_hides_no_meaning(board: Board, court: Court) -> None:
    assert court.take(board.access(ANA_DURESS, flags=Flag(0))) == ["duress Ana"]


def test_a_decoy_is_an_alarm(board: Board, court: Court) -> None:
    assert court.take(board.access(DECOY)) == ["decoy Ben"]


def test_a_token_of_nobody_is_an_alarm_only_where_a_row_matched(board: Board, court: Court) -> None:
    stranger = new_row("nobody")
    assert court.take(board.access(stranger)) == ["unopenable"]
    assert court.take(board.access(None)) == []


def test_a_swapped_token_is_an_alarm_and_its_meaning_counts(board: Board, court: Court) -> None:
    assert court.take(board.access(ANA, token=ANA_DURESS.token)) == ["duress Ana", "row-tag Ana"]


def test_a_resealed_row_is_an_alarm_after_a_grace(board: Board, court: Court) -> None:
    forged = replace(new_row("Ana"), plain=replace(ANA.plain, row_tag=ANA.tag))
    forged = replace(forged, tag=ANA.tag)
    court.knows(forged)
    assert court.take(board.access(forged), board.access(forged)) == []
    assert court.wait(9 * SECOND) == []
    assert court.wait(2 * SECOND) == ["unregistered Ana"]
    assert court.take(board.access(forged)) == []
    assert court.wait(60 * SECOND) == []


def test_a_duress_row_that_was_never_enrolled_acts_at_once(board: Board, court: Court) -> None:
    forged = new_row("Ana", Meaning.DURESS)
    court.knows(forged)
    assert court.take(board.access(forged)) == ["duress Ana"]
    assert court.wait(11 * SECOND) == ["unregistered Ana"]


def test_an_enrolment_that_comes_after_its_first_use_explains_it(board: Board, court: Court) -> None:
    late = new_row("Cleo")
    court.knows(late)
    enrolled = board.enrol(late)
    used = board.access(late)
    assert court.take(used) == []
    assert court.wait(300 * SECOND) == []  # the enrolment is missing below: it may still come
    assert court.take(*enrolled) == []
    assert court.wait(900 * SECOND) == []


def test_a_forged_row_in_a_generation_that_nobody_announces_is_told_within_a_minute(board: Board, court: Court) -> None:
    """Whoever writes the roster can raise its number; traffic that always leaves a record pending changes nothing."""
    forged = new_row("Ana")
    court.knows(forged)
    board.generation += 1
    used = board.access(forged)
    for _ in range(6):
        assert court.take(used, board.supervise(pending=1)) == []
    assert court.wait(SECOND) == ["unregistered Ana", "roster"]


def test_a_card_used_while_an_import_is_still_announced_is_no_alarm(board: Board, court: Court) -> None:
    imported = [new_row(f"Person {number}") for number in range(3)]
    court.knows(*imported)
    board.rows += imported
    board.generation += 1
    used = board.access(imported[2])  # numbered before the announcements, which take minutes
    board.rows, board.generation = board.rows[:-3], board.generation - 1
    parts = board.enrol(*imported, parts=3)
    assert court.take(used) == []
    for part in parts[:2]:
        assert court.take(part) == []
        assert court.wait(50 * SECOND) == []  # the next is on its way
    assert court.take(parts[2]) == []
    assert court.wait(900 * SECOND) == []


def test_an_enrolment_withheld_too_long_is_an_alarm_that_ends_when_it_comes(board: Board, court: Court) -> None:
    late = new_row("Cleo")
    court.knows(late)
    enrolled = board.enrol(late)
    assert court.take(board.access(late)) == []
    assert court.wait(601 * SECOND) == ["unregistered Cleo", "roster"]
    assert court.take(*enrolled) == ["end unregistered", "end roster"]


def test_a_revoked_row_is_an_alarm_from_its_generation_on(board: Board, court: Court) -> None:
    before = board.access(BEN)
    revoked = board.revoke(BEN)
    after = board.access(BEN)
    assert court.take(*revoked, before, after) == ["revoked Ben"]


def test_a_deleted_row_shows_without_being_used(board: Board, court: Court) -> None:
    board.rows.remove(ANA_DURESS)
    assert court.take(board.supervise(), board.access(ANA)) == ["roster"]


def test_a_digest_waits_for_all_parts_of_its_generation(board: Board, court: Court) -> None:
    new = [new_row(f"person {number}") for number in range(6)]
    court.knows(*new)
    first, second, third = board.enrol(*new, parts=3)
    board.now += SECOND
    assert court.take(third, board.supervise()) == []
    assert court.take(first) == []
    assert court.take(second) == []
    board.rows.pop()
    assert court.take(board.supervise()) == ["roster"]


def test_a_generation_of_no_entries_counts(board: Board, court: Court) -> None:
    assert court.take(*board.enrol(), board.supervise()) == []


def test_a_restored_old_roster_goes_back_in_its_generation(board: Board, court: Court) -> None:
    old, generation = list(board.rows), board.generation
    newer = board.revoke(BEN)
    assert court.take(*newer, board.supervise()) == []
    board.rows, board.generation = old, generation
    assert court.take(board.access(ANA), board.access(BEN), board.supervise()) == ["rollback"]


def test_a_rollback_shows_when_its_records_come_in_reverse(board: Board, court: Court) -> None:
    old, generation = list(board.rows), board.generation
    newer = board.revoke(BEN)
    board.rows, board.generation = old, generation
    assert court.take(board.access(ANA), *newer) == ["rollback"]


def test_a_rollback_between_two_starts_shows(board: Board, court: Court) -> None:
    old, generation = list(board.rows), board.generation
    assert court.take(*board.revoke(BEN)) == []
    board.rows, board.generation = old, generation
    assert court.take(board.start()) == ["rollback"]


def test_a_backlog_in_reverse_is_no_rollback(board: Board, court: Court) -> None:
    backlog: list[Made] = [board.access(ANA), *board.revoke(BEN), board.access(ANA), board.start(), board.access(ANA)]
    assert court.take(*reversed(backlog), board.supervise()) == []


def test_a_fork_is_an_alarm_and_acted_on(board: Board, court: Court) -> None:
    made = board.access(ANA)
    forked = board.fork(made, token=ANA_DURESS.token, row_tag=ANA_DURESS.tag)
    assert court.take(made, forked, forked) == ["duress Ana", "fork"]


def test_records_may_follow_from_either_side_of_a_fork(board: Board, court: Court) -> None:
    made = board.access(ANA)
    forked = board.fork(made)
    board.previous = forked.hash
    assert court.take(made, forked, board.access(ANA)) == ["fork"]


def test_a_repeat_changes_nothing(board: Board, court: Court) -> None:
    made = board.access(ANA_DURESS)
    assert court.take(made, made, made) == ["duress Ana"]


def test_a_broken_chain_is_an_alarm_in_either_order(board: Board, court: Court) -> None:
    first = board.access(ANA)
    board.previous = first.hash[::-1]  # type: ignore[assignment]  # a lie of the right size
    second = board.access(ANA)
    assert court.take(first, second) == ["chain"]
    other = Court(board, *EVERYBODY)
    start = [board.made[board.epoch, Sequence(1)], board.made[board.epoch, Sequence(2)]]
    assert other.take(*start, second, first) == ["chain"]


def test_a_start_in_the_middle_is_an_alarm(board: Board, court: Court) -> None:
    start = board.made[board.epoch, Sequence(1)]
    again = board.record(Kind.START, None, detail=start.body.detail)
    assert court.take(again) == ["chain"]


def test_a_start_that_knows_no_history_is_an_alarm(board: Board, court: Court) -> None:
    assert court.take(board.start(knows_nothing=True)) == ["chain"]


def test_restarts_are_no_alarm(board: Board, court: Court) -> None:
    for _ in range(80):
        assert court.take(board.access(ANA), board.start(), board.access(BEN), board.supervise()) == []


def test_starts_beyond_memory_are_whole_and_over(board: Board, court: Court) -> None:
    first = board.epoch
    late = board.access(ANA_DURESS)
    for _ in range(80):
        assert court.take(board.start(), board.supervise(oldest=late, pending=1)) == []
    assert first in court.judge.state.forgotten
    assert court.take(late, board.supervise(), board.supervise()) == ["duress Ana"]


def test_a_crash_that_lost_a_record_sent_from_memory_is_a_storage_fault(board: Board, court: Court) -> None:
    survivor = board.copy()
    from_memory = board.access(ANA)
    survivor.now = board.now
    assert court.take(survivor.start(), from_memory) == ["storage"]


def test_a_copy_started_beside_the_board_is_a_clone(board: Board, court: Court) -> None:
    clone = board.copy()
    assert court.take(board.access(ANA)) == []
    clone.now = board.now
    started = clone.start()
    board.now = clone.now
    assert court.take(started, board.access(BEN), board.access(BEN)) == ["storage", "clone"]


def test_two_starts_with_one_predecessor_are_a_clone(board: Board, court: Court) -> None:
    clone = board.copy()
    assert court.take(board.start(), board.access(ANA)) == []
    clone.now = board.now
    assert court.take(clone.start(), clone.access(ANA)) == ["clone"]


def test_two_that_only_supervise_are_a_clone(board: Board, court: Court) -> None:
    clone = board.copy()
    assert court.take(board.supervise()) == []
    clone.now = board.now
    assert court.take(clone.start(), clone.supervise()) == []
    board.now = clone.now
    assert court.take(board.supervise(), clone.supervise(), board.supervise()) == ["clone"]


def test_supervision_carried_late_is_no_clone(board: Board, court: Court) -> None:
    late = board.supervise()
    assert court.take(board.start(), board.supervise(), late) == []


def test_another_record_at_the_head_shows_in_supervision(board: Board, court: Court) -> None:
    made = board.access(ANA)
    board.previous = board.fork(made).hash
    assert court.take(made, board.supervise()) == ["chain"]


def test_a_hole_below_what_has_receipts_is_a_gap_until_it_is_filled(board: Board, court: Court) -> None:
    missing = [board.access(ANA) for _ in range(3)]
    assert court.take(board.access(ANA), board.supervise()) == []
    assert court.take(board.supervise()) == ["gap"]
    assert court.take(board.supervise(), *missing) == []
    assert court.take(board.supervise()) == ["end gap"]


def test_a_missing_start_before_is_a_gap(board: Board, court: Court) -> None:
    board.access(ANA)
    assert court.take(board.start(), board.supervise(), board.supervise()) == ["gap"]


def test_what_waits_for_a_receipt_is_no_gap(board: Board, court: Court) -> None:
    waiting = board.access(ANA)
    late = [board.access(ANA), board.access(ANA)]
    supervised = [board.supervise(oldest=waiting, pending=3 - n) for n in range(3)]
    assert court.take(*late, *supervised) == []


def test_what_is_on_its_way_to_the_disk_is_no_gap(board: Board, court: Court) -> None:
    board.access(ANA)
    assert court.take(*(board.supervise(pending=1) for _ in range(4))) == []


def test_what_a_loss_record_names_is_no_gap(board: Board, court: Court) -> None:
    lost = [board.access(None) for _ in range(5)]
    detail = LossDetail(
        unmatched=5, matched=0,
        ranges=(LostRange(epoch=board.epoch, first=lost[0].header.sequence, last=lost[-1].header.sequence),),
    )  # fmt: skip
    assert court.take(board.record(Kind.LOSS, detail), *(board.supervise() for _ in range(4))) == ["loss"]


def test_a_backlog_that_stands_still_is_an_alarm_until_it_moves(board: Board, court: Court) -> None:
    withheld = board.access(ANA)
    told = []
    for _ in range(5):
        told += court.take(board.access(ANA), board.supervise(oldest=withheld, pending=1))
    assert told == ["stalled"]
    assert court.take(withheld, board.supervise()) == ["end stalled"]


def test_a_withheld_record_shows_through_traffic_that_waits_every_other_time(board: Board, court: Court) -> None:
    withheld = board.access(ANA)
    told = []
    for pending in (2, 1, 2, 1, 2, 1):
        told += court.take(board.access(ANA), board.supervise(oldest=withheld, pending=pending))
    assert told == ["stalled"]
    assert court.take(withheld, board.supervise()) == ["end stalled"]


def test_a_record_withheld_while_the_rest_drains_slowly_shows_in_the_end(board: Board, court: Court) -> None:
    withheld, *rest = [board.access(ANA) for _ in range(41)]
    told: list[list[str]] = []
    for left in range(40, 0, -1):
        newest = rest[left - 1]
        told.append(court.take(newest, board.supervise(oldest=withheld, pending=left, receipted=newest)))
    assert told == [[]] * 29 + [["stalled"]] + [[]] * 10


def test_a_record_of_an_earlier_start_is_overtaken_by_a_later_one(board: Board, court: Court) -> None:
    withheld = board.access(ANA)
    fresh = board.start()
    told = court.take(fresh)
    for left in range(40, 10, -1):
        told += court.take(board.supervise(oldest=withheld, pending=left, receipted=fresh))
    assert told == ["stalled"]


def test_a_backlog_that_drains_newest_first_is_no_alarm(board: Board, court: Court) -> None:
    backlog = [board.access(ANA) for _ in range(20)]
    told = []
    for left in range(19, 0, -1):
        told += court.take(backlog[left], board.supervise(oldest=backlog[0], pending=left))
    assert told == []


def test_three_missed_supervisions_are_silence_and_the_next_one_ends_it(board: Board, court: Court) -> None:
    assert court.take(board.supervise(), board.supervise()) == []
    assert court.wait(34 * SECOND) == []
    assert court.wait(2 * SECOND) == ["silent"]
    assert court.wait(600 * SECOND) == []
    assert court.take(board.supervise()) == ["end silent"]
    assert court.wait(36 * SECOND) == ["silent"]


def test_a_slow_pace_is_no_silence(board: Board, court: Court) -> None:
    for _ in range(4):
        board.now += 50 * SECOND
        assert court.take(board.supervise()) == []
    assert court.wait(180 * SECOND) == []
    assert court.wait(6 * SECOND) == ["silent"]


def test_one_outage_makes_the_next_silence_no_later(board: Board, court: Court) -> None:
    for _ in range(5):
        assert court.take(board.supervise()) == []
    board.now += 20 * SECOND
    assert court.take(board.supervise()) == []
    assert court.wait(34 * SECOND) == []
    assert court.wait(2 * SECOND) == ["silent"]


def test_connections_in_a_row_are_no_quicker_pace(board: Board, court: Court) -> None:
    for after_s in (40, 40, 40, 0, 0):
        board.now += after_s * SECOND
        assert court.take(board.supervise()) == []
    assert court.wait(150 * SECOND) == []
    assert court.wait(6 * SECOND) == ["silent"]


def test_a_board_never_heard_is_not_silent(board: Board, court: Court) -> None:
    assert court.judge.next_deadline() is None
    assert court.wait(10_000 * SECOND) == []


@pytest.mark.parametrize("off", [61, -61])
def test_a_clock_off_by_more_than_a_minute_is_an_alarm_until_it_is_right(board: Board, court: Court, off: int) -> None:
    wrong = WallTime(board.now + 10 * SECOND + off * SECOND)
    assert court.take(board.supervise(wall=wrong)) == ["clock"]
    assert court.take(board.supervise(wall=WallTime(board.now + 10 * SECOND + off * SECOND))) == []
    assert court.take(board.supervise()) == ["end clock"]


def test_an_unknown_time_is_one_alarm_however_it_is_told(board: Board, court: Court) -> None:
    board.flags = Flag.TIME_UNKNOWN
    fault = board.record(Kind.FAULT, FaultDetail(code=FaultCode.CLOCK, began=True))
    assert court.take(fault, board.supervise()) == ["clock"]
    board.flags = Flag(0)
    assert court.take(board.record(Kind.FAULT, FaultDetail(code=FaultCode.CLOCK, began=False))) == ["end clock"]


@pytest.mark.parametrize(
    ("happening", "kind"), [(DoorHappening.FORCED_OPEN, "forced-open"), (DoorHappening.HELD_OPEN, "held-open")]
)
def test_a_door_that_is_open_ends_its_alarm_by_closing(
    board: Board, court: Court, happening: DoorHappening, kind: str
) -> None:
    opened, again = (board.record(Kind.DOOR, DoorDetail(happening=happening), door="vault") for _ in range(2))
    closed = board.record(Kind.DOOR, DoorDetail(happening=DoorHappening.CLOSED), door="vault")
    assert court.take(opened, again, closed) == [kind, f"end {kind}"]


def test_a_door_alarm_from_a_backlog_is_told_as_over(board: Board, court: Court) -> None:
    opened = board.record(Kind.DOOR, DoorDetail(happening=DoorHappening.FORCED_OPEN), door="vault")
    closed = board.record(Kind.DOOR, DoorDetail(happening=DoorHappening.CLOSED), door="vault")
    assert court.take(closed, opened) == ["forced-open (over)"]


def test_doors_have_alarms_of_their_own(board: Board, court: Court) -> None:
    opened = [
        board.record(Kind.DOOR, DoorDetail(happening=DoorHappening.FORCED_OPEN), door=door) for door in ("a", "b")
    ]
    closed = board.record(Kind.DOOR, DoorDetail(happening=DoorHappening.CLOSED), door="a")
    assert court.take(*opened, closed) == ["forced-open", "forced-open", "end forced-open"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (FaultCode.READER, "reader"), (FaultCode.STORAGE, "storage"), (FaultCode.TAMPER, "tamper"),
        (FaultCode.CLOCK, "clock"), (FaultCode.ROSTER, "storage"), (FaultCode.COURIER, "reader"),
        (FaultCode.STRIKE, "strike"),
    ],
)  # fmt: skip
def test_faults_begin_and_end(board: Board, court: Court, code: FaultCode, kind: str) -> None:
    began, ended = (
        board.record(Kind.FAULT, FaultDetail(code=code, began=began), door="front", reader="front")
        for began in (True, False)
    )
    assert court.take(began, ended) == [kind, f"end {kind}"]
    began_again = board.record(Kind.FAULT, FaultDetail(code=code, began=True), door="front", reader="front")
    (alarm,) = court.effects(began_again)
    assert isinstance(alarm, Raise)
    assert alarm.kind.value == kind


def test_flags_that_stand_are_told_once_and_end_with_supervision(board: Board, court: Court) -> None:
    board.flags = Flag.STORAGE_FAULT | Flag.COLOCATED
    assert court.take(board.access(ANA), board.access(ANA), board.supervise()) == ["storage", "colocated"]
    board.flags = Flag(0)
    assert court.take(board.access(ANA), board.supervise()) == ["end storage", "end colocated"]


@pytest.mark.parametrize("told_by", ["record", "supervision"])
@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (Flag.COLOCATED, "the monitor's keys are on the door's own board: the door can know"),
        (
            Flag.COLOCATED | Flag.SIMULATED,
            "expected of a simulation: board and monitor run on one machine, so here the door can know",
        ),
    ],
)
def test_a_monitor_beside_the_door_is_an_alarm_and_in_a_simulation_no_wonder(
    board: Board, court: Court, told_by: str, flags: Flag, text: str
) -> None:
    board.flags = flags
    (alarm,) = court.effects(board.access(ANA) if told_by == "record" else board.supervise())
    assert isinstance(alarm, Raise)
    assert (alarm.kind.value, alarm.text) == ("colocated", text)


def test_records_that_are_alarms_by_themselves(board: Board, court: Court) -> None:
    guessed = board.record(Kind.GUESSING, GuessingDetail(wrong_codes=40, window_s=600))
    tested = board.record(Kind.TEST, TestDetail(nonce=bytes(16)))
    lost = board.record(Kind.LOSS, LossDetail(unmatched=2, matched=1, ranges=()))
    assert court.take(guessed, tested, lost) == ["guessing", "test", "loss"]


def test_a_detail_that_makes_no_sense_is_an_alarm_and_hides_no_meaning(board: Board, court: Court) -> None:
    assert court.take(board.access(ANA_DURESS, detail=b"odd")) == ["duress Ana", "chain"]


def test_an_end_names_its_condition(board: Board, court: Court) -> None:
    court.take(board.supervise(), board.supervise())
    court.wait(60 * SECOND)
    (end,) = court.effects(board.supervise())
    assert end == End(controller=board.controller, condition="silent", at=WallTime(board.now))


def test_every_fault_that_a_board_can_tell_is_an_alarm(board: Board, court: Court) -> None:
    for code in FaultCode:
        assert court.take(board.record(Kind.FAULT, FaultDetail(code=code, began=True), door=f"door-{code.value}"))


def test_a_start_ends_what_stood_at_the_doors_and_what_stands_is_told_again(board: Board, court: Court) -> None:
    court.take(
        board.record(Kind.FAULT, FaultDetail(code=FaultCode.TAMPER, began=True), door="front"),
        board.record(Kind.DOOR, DoorDetail(happening=DoorHappening.HELD_OPEN), door="front"),
        board.record(Kind.FAULT, FaultDetail(code=FaultCode.STORAGE, began=True)),
    )
    assert sorted(court.take(board.start())) == ["end held-open", "end tamper"]
    tampered = board.record(Kind.FAULT, FaultDetail(code=FaultCode.TAMPER, began=True), door="front")
    assert court.take(tampered) == ["tamper"]
