from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.core.types import MS, SECOND
from doorctl.courierd.events import (
    Answered,
    Connected,
    Dial,
    DialDoor,
    DoorSaid,
    Effect,
    Event,
    HangUp,
    Line,
    Lost,
    Report,
    Send,
)
from doorctl.courierd.waiting import MOST_WAITING
from doorctl.wire.handoff import Message, PathState, Type
from doorctl.wire.sizes import BATCH_RECORDS, RECORD_SIZE
from tests.courierd.steps import (
    FIRST,
    SECOND_ADDRESS,
    WANT_BACKLOG,
    WANT_SUPERVISION,
    Steps,
    kept,
    path,
    receipt,
    record,
    send,
    tell,
)


def dial(line: Line, attempt: int, address: object = FIRST) -> Dial:
    assert address in (FIRST, SECOND_ADDRESS)
    return Dial(line=line, attempt=attempt, address=FIRST if address == FIRST else SECOND_ADDRESS)


def test_it_begins_by_dialling_both_sides() -> None:
    assert Steps().start() == [DialDoor(attempt=1), dial(Line.FRESH, 1)]


def test_a_fresh_record_goes_at_once_and_its_receipt_goes_to_doord() -> None:
    steps = Steps().proven()
    assert steps.fresh(1) == [send(Line.FRESH, 1)]
    assert steps.answered(Line.FRESH, 1) == [tell(Type.RECEIPT, receipt(1))]


def test_one_request_is_in_flight_and_the_newest_record_is_next() -> None:
    steps = Steps().proven()
    assert [steps.fresh(number) for number in (1, 2, 3)] == [[send(Line.FRESH, 1)], [], []]
    assert steps.answered(Line.FRESH, 1) == [tell(Type.RECEIPT, receipt(1)), send(Line.FRESH, 3)]
    assert steps.answered(Line.FRESH, 3) == [tell(Type.RECEIPT, receipt(3)), send(Line.FRESH, 2)]
    assert steps.answered(Line.FRESH, 2) == [tell(Type.RECEIPT, receipt(2))]


def test_fresh_goes_before_supervision_and_supervision_before_nothing() -> None:
    steps = Steps().proven()
    steps.fresh(1)
    assert steps.says(Type.SUPERVISION, record(901)) == []
    assert steps.fresh(2) == []
    assert steps.answered(Line.FRESH, 1)[1:] == [send(Line.FRESH, 2)]
    assert steps.answered(Line.FRESH, 2)[1:] == [send(Line.FRESH, 901)]


def test_the_path_is_connected_only_by_an_answer() -> None:
    steps = Steps()
    steps.start()
    steps.connected(Line.DOOR)
    steps.connected(Line.FRESH)
    paths = [steps.delivery.path]
    steps.says(Type.SUPERVISION, record(1))
    steps.answered(Line.FRESH, 1)
    assert [*paths, steps.delivery.path] == [PathState.CONNECTING, PathState.CONNECTED]


def test_supervision_keeps_its_pace() -> None:
    steps = Steps().proven()
    for turn in range(4):
        assert steps.passes(5_000) == [WANT_BACKLOG]
        steps.backlog()
        assert steps.passes(4_999) == []
        assert steps.passes(1) == [WANT_BACKLOG]  # not answered: patience is a minute
        assert steps.passes(19_999) == []
        assert steps.passes(1) == [WANT_SUPERVISION]
        assert steps.says(Type.SUPERVISION, record(turn)) == [send(Line.FRESH, turn)]
        steps.answered(Line.FRESH, turn)
        steps.backlog()


def test_a_flapping_connection_is_not_supervised_more_than_once_a_second() -> None:
    steps = Steps().proven()
    steps.lost(Line.FRESH)
    assert steps.passes(125) == [dial(Line.FRESH, 2)]
    assert steps.connected(Line.FRESH) == []
    assert steps.passes(874) == []
    assert steps.passes(1) == [WANT_SUPERVISION]


# A record goes out until it is receipted


def test_a_record_in_flight_goes_out_again_byte_for_byte_on_the_next_connection() -> None:
    steps = Steps().proven()
    steps.passes(4_000)
    assert steps.fresh(1) == [send(Line.FRESH, 1)]
    assert steps.lost(Line.FRESH) == [path(PathState.CONNECTING)]
    assert steps.until_next() == (125, [dial(Line.FRESH, 2)])
    assert steps.connected(Line.FRESH) == [WANT_SUPERVISION, send(Line.FRESH, 1)][::-1]
    assert steps.answered(Line.FRESH, 1) == [
        tell(Type.RECEIPT, receipt(1)), path(PathState.CONNECTED), WANT_BACKLOG,
    ]  # fmt: skip


def test_an_answer_that_does_not_come_is_a_lost_connection() -> None:
    steps = Steps().proven()
    steps.fresh(1)
    assert steps.until_next() == (5_000, [WANT_BACKLOG])
    assert steps.until_next() == (5_000, [HangUp(line=Line.FRESH), path(PathState.CONNECTING)])
    assert steps.until_next() == (125, [dial(Line.FRESH, 2)])


def test_supervision_in_flight_is_not_sent_again_but_made_afresh() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    steps.backlog()
    assert steps.says(Type.SUPERVISION, record(1)) == [send(Line.FRESH, 1)]
    steps.lost(Line.FRESH)
    steps.passes(125)
    assert steps.connected(Line.FRESH) == []
    assert steps.passes(1_000) == [WANT_SUPERVISION]


def test_supervision_that_waited_for_a_lost_connection_is_not_sent_on_the_next() -> None:
    steps = Steps().proven()
    steps.fresh(1)
    assert steps.says(Type.SUPERVISION, record(901)) == []
    steps.lost(Line.FRESH)
    steps.passes(125)
    assert steps.connected(Line.FRESH) == [send(Line.FRESH, 1)]
    assert steps.answered(Line.FRESH, 1) == [tell(Type.RECEIPT, receipt(1)), path(PathState.CONNECTED), WANT_BACKLOG]


def test_when_doord_goes_its_journaled_records_are_forgotten_and_held_ones_are_not() -> None:
    steps = Steps().proven()
    assert [steps.fresh(1), steps.hold(2), steps.fresh(3)] == [[send(Line.FRESH, 1)], [kept(2)], []]
    assert steps.lost(Line.DOOR) == []
    assert steps.answered(Line.FRESH, 1) == [send(Line.FRESH, 2)]
    assert steps.answered(Line.FRESH, 2) == []


def test_a_held_record_that_doord_journaled_later_is_forgotten_with_doord() -> None:
    steps = Steps()
    steps.start()
    steps.connected(Line.DOOR)
    assert steps.hold(1) == [kept(1)]
    assert steps.fresh(1) == []
    steps.lost(Line.DOOR)
    assert steps.connected(Line.FRESH) == []


def test_hold_is_kept_at_once_without_a_monitor() -> None:
    steps = Steps()
    steps.start()
    steps.connected(Line.DOOR)
    assert steps.hold(1) == [kept(1)]
    assert steps.hold(1) == [kept(1)]


def test_memory_is_bounded_and_the_oldest_journaled_record_gives_way() -> None:
    steps = Steps()
    steps.start()
    steps.connected(Line.DOOR)
    assert steps.hold(0) == [kept(0)]
    for number in range(1, MOST_WAITING + 10):
        assert steps.fresh(number) == []
    assert f"{MOST_WAITING} waiting, 10 left to the journal" in steps.delivery.status
    sent = [effect for effect in steps.connected(Line.FRESH) if isinstance(effect, Send)]
    while following := [effect for effect in steps.answered(Line.FRESH, 0) if isinstance(effect, Send)]:
        sent += following
    assert sent == [send(Line.FRESH, number) for number in [*range(MOST_WAITING + 9, 10, -1), 0]]


def test_records_that_no_disk_has_never_give_way_and_one_too_many_is_not_said_to_be_kept() -> None:
    steps = Steps()
    steps.start()
    steps.connected(Line.DOOR)
    for number in range(MOST_WAITING):
        assert steps.hold(number) == [kept(number)]
    assert steps.hold(MOST_WAITING) == []
    assert steps.fresh(MOST_WAITING + 1) == []
    assert f"{MOST_WAITING} waiting, 1 left to the journal" in steps.delivery.status


def test_dropping_is_reported_once_and_asks_for_backlog_soon() -> None:
    steps = Steps().proven()
    reports = []
    for number in range(MOST_WAITING + 5):
        message = Message(type=Type.FRESH, payload=record(number))
        effects = steps.delivery.receive(DoorSaid(attempt=1, message=message), steps.now)
        reports += [effect for effect in effects if isinstance(effect, Report)]
    assert [report.text for report in reports] == [
        "more fresh records than the line takes: the oldest are left to the journal"
    ]
    assert steps.passes(1_000) == [WANT_BACKLOG]


# Backlog


def test_a_batch_goes_on_a_line_of_its_own_beside_fresh_records() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    assert steps.backlog(7, 6, 5) == [dial(Line.BACKLOG, 1)]
    assert steps.connected(Line.BACKLOG) == [send(Line.BACKLOG, 7, 6, 5)]
    assert steps.fresh(8) == [send(Line.FRESH, 8)]
    assert steps.answered(Line.FRESH, 8) == [tell(Type.RECEIPT, receipt(8))]
    filler = range(100, 100 + BATCH_RECORDS - 3)
    assert steps.answered(Line.BACKLOG, 7, 6, 5, *filler) == [
        tell(Type.RECEIPT, receipt(7)), tell(Type.RECEIPT, receipt(6)), tell(Type.RECEIPT, receipt(5)), WANT_BACKLOG,
    ]  # fmt: skip
    assert steps.backlog(4) == [send(Line.BACKLOG, 4)]


def test_backlog_waits_for_the_fresh_line() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    steps.lost(Line.FRESH)
    assert steps.backlog(1) == []
    assert steps.passes(125) == [dial(Line.FRESH, 2)]
    assert steps.connected(Line.FRESH) == []
    assert steps.passes(1_000) == [WANT_SUPERVISION]
    steps.says(Type.SUPERVISION, record(901))
    assert steps.answered(Line.FRESH, 901) == [
        tell(Type.RECEIPT, receipt(901)), path(PathState.CONNECTED), dial(Line.BACKLOG, 1),
    ]  # fmt: skip


def test_a_backlog_line_that_is_up_waits_for_the_fresh_line_as_well() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    steps.backlog(1)
    assert steps.connected(Line.BACKLOG) == [send(Line.BACKLOG, 1)]
    assert steps.answered(Line.BACKLOG, 1) == [tell(Type.RECEIPT, receipt(1)), WANT_BACKLOG]
    assert steps.lost(Line.FRESH) == [path(PathState.CONNECTING)]
    assert steps.backlog(2) == []
    steps.until_next()
    assert steps.connected(Line.FRESH) == []
    assert steps.fresh(3) == [send(Line.FRESH, 3)]
    assert send(Line.BACKLOG, 2) in steps.answered(Line.FRESH, 3)


def test_a_batch_goes_out_again_when_its_line_breaks() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    steps.backlog(1)
    assert steps.connected(Line.BACKLOG) == [send(Line.BACKLOG, 1)]
    assert steps.lost(Line.BACKLOG, PathState.REFUSED) == []
    assert steps.delivery.path is PathState.CONNECTED
    assert steps.until_next() == (125, [dial(Line.BACKLOG, 2)])
    assert steps.connected(Line.BACKLOG) == [send(Line.BACKLOG, 1)]


def test_a_record_receipted_as_backlog_is_not_sent_again_as_fresh() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    steps.fresh(1)
    steps.fresh(2)
    steps.backlog(2)
    steps.connected(Line.BACKLOG)
    steps.answered(Line.BACKLOG, 2)
    assert steps.answered(Line.FRESH, 1) == [tell(Type.RECEIPT, receipt(1))]


def until_sent(steps: Steps, *offered: int) -> tuple[int, list[Effect]]:
    """(seconds, what went out) while doord offers the same each time it is asked."""
    begun = steps.now
    effects = steps.backlog(*offered)
    while not any(isinstance(effect, Send) for effect in effects):
        effects = steps.until_next()[1]
        if WANT_BACKLOG in effects:
            effects = steps.backlog(*offered)
    return (steps.now - begun) // SECOND, effects


def test_receipts_that_do_doord_no_good_are_asked_for_ever_more_slowly() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    waits = []
    steps.backlog(1)
    assert steps.connected(Line.BACKLOG) == [send(Line.BACKLOG, 1)]
    for _ in range(8):
        assert steps.answered(Line.BACKLOG, 1) == [tell(Type.RECEIPT, receipt(1)), WANT_BACKLOG]
        waited, sent = until_sent(steps, 1)
        assert sent == [send(Line.BACKLOG, 1)]
        waits.append(waited)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 64]
    steps.answered(Line.BACKLOG, 1)
    assert steps.backlog(2) == [send(Line.BACKLOG, 2)]


def test_no_record_waits_for_one_whose_receipt_did_no_good() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    steps.backlog(1)
    steps.connected(Line.BACKLOG)
    for number in range(10, 20):
        steps.answered(Line.BACKLOG, 1)
        sent = steps.backlog(number, 1)
        assert sent == [send(Line.BACKLOG, number)], "the new one at once, and alone"


def test_doord_is_asked_again_soon_though_all_it_had_was_answered_for() -> None:
    """Its disk may have noted the receipts meanwhile, and what is new or wanted again does not wait a minute."""
    steps = Steps().proven()
    steps.passes(30_000)
    steps.backlog(1)
    steps.connected(Line.BACKLOG)
    for _ in range(6):
        steps.answered(Line.BACKLOG, 1)
        until_sent(steps, 1)
    steps.answered(Line.BACKLOG, 1)
    begun = steps.now
    assert steps.backlog(1) == []
    while WANT_BACKLOG not in steps.until_next()[1]:
        pass
    assert (steps.now - begun) // SECOND == 5


def test_what_was_never_sent_is_soon_found_below_what_was_answered_for() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    passed = range(100, 100 + BATCH_RECORDS)
    steps.backlog(*passed)
    steps.connected(Line.BACKLOG)
    assert WANT_BACKLOG in steps.answered(Line.BACKLOG, *passed)
    for _ in range(5):
        assert steps.backlog(*passed) == []
        assert steps.until_next() == (100, [WANT_BACKLOG])
    assert steps.backlog(7) == [send(Line.BACKLOG, 7)]


def test_doord_that_never_ends_a_backlog_is_dialled_afresh() -> None:
    steps = Steps().proven()
    assert steps.until_next() == (5_000, [WANT_BACKLOG])
    assert steps.passes(59_999) == [WANT_SUPERVISION, WANT_SUPERVISION]
    assert steps.passes(1) == [HangUp(line=Line.DOOR)]
    assert steps.until_next() == (50, [DialDoor(attempt=2)])


def test_backlog_that_was_not_asked_for_ends_the_link() -> None:
    for type_, payload in ((Type.BACKLOG, record(1)), (Type.BACKLOG_END, b"")):
        steps = Steps().proven()
        assert steps.says(type_, payload) == [HangUp(line=Line.DOOR)]
        assert steps.delivery.malformed == 1
        assert steps.until_next() == (50, [DialDoor(attempt=2)])


def test_more_backlog_than_asked_for_ends_the_link() -> None:
    steps = Steps().proven()
    steps.passes(30_000)
    for number in range(BATCH_RECORDS):
        assert steps.says(Type.BACKLOG, record(number)) == []
    assert steps.says(Type.BACKLOG, record(64)) == [HangUp(line=Line.DOOR)]


# Back-off and addresses


def test_the_wait_doubles_to_its_cap_with_jitter_in_its_upper_half() -> None:
    for jitter, expected in ((0.0, [125, 250, 500, 1000, 2000, 2500, 2500, 2500, 2500]),
                             (0.5, [187, 375, 750, 1500, 3000, 3750, 3750, 3750, 3750])):  # fmt: skip
        steps = Steps(jitter=partial(float, jitter))
        steps.start()
        steps.connected(Line.DOOR)
        waits = []
        for _ in range(9):
            lost_at = steps.now
            steps.lost(Line.FRESH)
            deadline = steps.delivery.next_deadline()
            assert deadline is not None
            steps.now = deadline
            assert isinstance(steps.delivery.on_deadline(steps.now)[0], Dial)
            steps.attempts[Line.FRESH] += 1
            waits.append((steps.now - lost_at) // MS)
        assert waits == expected


def test_the_second_address_is_tried_at_once_and_the_wait_is_for_both() -> None:
    steps = Steps(FIRST, SECOND_ADDRESS)
    steps.start()
    steps.connected(Line.DOOR)
    assert steps.lost(Line.FRESH) == [dial(Line.FRESH, 2, SECOND_ADDRESS)]
    assert steps.lost(Line.FRESH) == [path(PathState.UNREACHABLE)]
    assert steps.until_next() == (125, [dial(Line.FRESH, 3, FIRST)])


def test_backlog_goes_where_fresh_goes() -> None:
    steps = Steps(FIRST, SECOND_ADDRESS)
    steps.start()
    steps.connected(Line.DOOR)
    steps.lost(Line.FRESH)
    steps.connected(Line.FRESH)
    steps.says(Type.SUPERVISION, record(1))
    steps.answered(Line.FRESH, 1)
    assert steps.backlog(2) == [dial(Line.BACKLOG, 1, SECOND_ADDRESS)]


def test_a_connection_that_is_lost_is_first_tried_again_where_it_was() -> None:
    steps = Steps(FIRST, SECOND_ADDRESS).proven()
    steps.passes(10_000)
    steps.lost(Line.FRESH)
    assert steps.until_next() == (125, [dial(Line.FRESH, 2, FIRST)])
    assert steps.lost(Line.FRESH) == [dial(Line.FRESH, 3, SECOND_ADDRESS)]


def test_the_graver_of_two_failures_is_told() -> None:
    steps = Steps(FIRST, SECOND_ADDRESS)
    steps.start()
    steps.connected(Line.DOOR)
    steps.lost(Line.FRESH, PathState.WRONG_CERTIFICATE)
    assert steps.lost(Line.FRESH, PathState.UNREACHABLE) == [path(PathState.WRONG_CERTIFICATE)]
    steps.passes(125)
    steps.lost(Line.FRESH, PathState.UNREACHABLE)
    assert steps.lost(Line.FRESH, PathState.REFUSED) == [path(PathState.REFUSED)]


def test_a_fresh_record_cuts_a_long_wait_short_but_not_more_often_than_the_gap() -> None:
    steps = Steps()
    steps.start()
    steps.connected(Line.DOOR)
    for _ in range(6):
        steps.lost(Line.FRESH)
        steps.until_next()
    steps.lost(Line.FRESH)
    assert steps.passes(100) == []
    assert steps.fresh(1) == []
    assert steps.until_next() == (150, [dial(Line.FRESH, 8)])
    steps.lost(Line.FRESH)
    assert steps.passes(1_000) == []
    assert steps.fresh(2) == [dial(Line.FRESH, 9)]


def test_a_connection_that_answers_and_dies_young_does_not_reset_the_wait() -> None:
    steps = Steps().proven()
    waits = []
    for number in range(3):
        steps.fresh(number)
        steps.answered(Line.FRESH, number)
        steps.lost(Line.FRESH)
        waits.append(steps.until_next()[0])
        steps.connected(Line.FRESH)
    assert waits == [125, 250, 500]


def test_a_monitor_that_hangs_up_before_its_first_answer_refuses_us() -> None:
    steps = Steps()
    steps.start()
    steps.connected(Line.DOOR)
    steps.connected(Line.FRESH)
    assert steps.lost(Line.FRESH) == [path(PathState.REFUSED)]
    steps.passes(125)
    steps.connected(Line.FRESH)
    steps.passes(10_000)
    assert steps.lost(Line.FRESH) == [path(PathState.UNREACHABLE)]


def reports_of_losses(*losses: Lost, up: bool) -> list[Report]:
    """What is logged while each of the attempts ends so."""
    steps = Steps()
    steps.start()
    reports: list[Report] = []
    for lost in losses:
        if up:
            steps.connected(Line.FRESH)
        effects = steps.delivery.receive(lost, steps.now)
        reports += [effect for effect in effects if isinstance(effect, Report)]
        steps.until_next()
    return reports


def test_a_refusal_is_logged_once_with_what_to_ask_at_the_monitor() -> None:
    gone = [Lost(line=Line.FRESH, attempt=i, why=PathState.UNREACHABLE, detail="there: closed") for i in (1, 2, 3)]
    told = "monitor refused: there: closed; has `doorctl monitor trust` been given there?"
    assert reports_of_losses(*gone, up=True) == [Report(text=told)]
    alert = Lost(line=Line.FRESH, attempt=1, why=PathState.REFUSED, detail="there: closed")
    assert reports_of_losses(alert, up=False) == [Report(text=told)]


def test_who_is_not_there_or_speaks_something_else_did_not_refuse_for_want_of_trust() -> None:
    gone = Lost(line=Line.FRESH, attempt=1, why=PathState.UNREACHABLE, detail="there: connection refused")
    assert reports_of_losses(gone, up=False) == [Report(text="monitor unreachable: there: connection refused")]
    strange = Lost(line=Line.FRESH, attempt=1, why=PathState.REFUSED, detail="there: no answer of ours", malformed=True)
    assert reports_of_losses(strange, up=True) == [Report(text="monitor refused: there: no answer of ours")]


def test_an_attempt_that_does_not_come_up_is_given_up() -> None:
    steps = Steps()
    steps.start()
    steps.connected(Line.DOOR)
    assert steps.until_next() == (5_000, [HangUp(line=Line.FRESH), path(PathState.UNREACHABLE)])


def test_what_an_ended_attempt_says_is_not_heard() -> None:
    steps = Steps().proven()
    steps.fresh(1)
    steps.lost(Line.FRESH)
    late: list[Event] = [
        Connected(line=Line.FRESH, attempt=1),
        Answered(line=Line.FRESH, attempt=1, receipts=(receipt(1),)),
    ]
    assert [steps.delivery.receive(event, steps.now) for event in late] == [[], []]
    steps.passes(125)
    assert [steps.delivery.receive(event, steps.now) for event in late] == [[], []]
    assert steps.connected(Line.FRESH) == [send(Line.FRESH, 1)]


def test_doord_is_dialled_for_ever_and_hears_the_path_each_time() -> None:
    steps = Steps().proven()
    waits = []
    for _ in range(8):
        steps.lost(Line.DOOR)
        waits.append(steps.until_next()[0])
    assert waits == [50, 100, 200, 400, 800, 1600, 2500, 2500]
    assert steps.connected(Line.DOOR) == [path(PathState.CONNECTED), WANT_SUPERVISION, WANT_BACKLOG]


# Whatever happens

STEP = st.one_of(
    st.tuples(st.just("passes"), st.integers(0, 70_000)),
    st.tuples(st.just("fresh"), st.integers(0, 9)),
    st.tuples(st.just("hold"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["connected", "lost", "answered"]), st.sampled_from(list(Line))),
    st.tuples(st.just("backlog"), st.integers(0, 3)),
    st.tuples(st.just("supervision"), st.integers(0, 9)),
)


class World:
    """Plays both peers by the rules, in any order; checks what must hold after every step."""

    def __init__(self) -> None:
        self.steps = Steps(FIRST, SECOND_ADDRESS, jitter=lambda: 0.3)
        self.up = dict.fromkeys(Line, False)
        self.dialling = dict.fromkeys(Line, False)
        self.in_flight: dict[Line, tuple[bytes, ...]] = {}
        self.asked = False
        self.kept: set[int] = set()
        self.receipted: set[int] = set()
        self.see(self.steps.start())

    def see(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case DialDoor():
                    self.gone(Line.DOOR)
                    self.dialling[Line.DOOR] = True
                case Dial(line=line):
                    self.gone(line)
                    self.dialling[line] = True
                case HangUp(line=line):
                    self.gone(line)
                case Send(line=line, records=records):
                    assert self.up[line]
                    assert line not in self.in_flight
                    assert 1 <= len(records) <= (1 if line is Line.FRESH else BATCH_RECORDS)
                    assert {len(one) for one in records} == {RECORD_SIZE}
                    self.in_flight[line] = records
                case _:
                    self.asked |= effect == WANT_BACKLOG
        deadline = self.steps.delivery.next_deadline()
        assert deadline is not None
        assert deadline > self.steps.now

    def gone(self, line: Line) -> None:
        self.up[line] = self.dialling[line] = False
        self.in_flight.pop(line, None)
        if line is Line.DOOR:
            self.asked = False

    def take(self, name: str, value: int | Line) -> None:
        steps = self.steps
        match name, value:
            case "passes", int(ms):
                self.see(steps.passes(ms))
            case "fresh", int(number) if self.up[Line.DOOR]:
                self.see(steps.fresh(number))
            case "hold", int() if self.up[Line.DOOR]:
                number = 1_000 + len(self.kept)
                self.see(steps.hold(number))
                self.kept.add(number)
            case "supervision", int(number) if self.up[Line.DOOR]:
                self.see(steps.says(Type.SUPERVISION, record(200 + number)))
            case "backlog", int(count) if self.up[Line.DOOR] and self.asked:
                self.asked = False
                self.see(steps.backlog(*range(300, 300 + count)))
            case "connected", Line() as line if self.dialling[line]:
                self.dialling[line], self.up[line] = False, True
                self.see(steps.connected(line))
            case "lost", Line() as line if self.up[line] or self.dialling[line]:
                self.gone(line)
                self.see(steps.lost(line))
            case "answered", Line() as line if line in self.in_flight:
                numbers = [int.from_bytes(one[:4], "big") for one in self.in_flight.pop(line)]
                self.receipted |= set(numbers)
                self.see(steps.answered(line, *numbers))
            case _:
                pass

    def drain(self) -> None:
        """The network is good again: everything kept must now arrive."""
        for _ in range(60):
            for line in Line:
                self.take("connected", line)
                self.take("answered", line)
            self.take("backlog", 0)
            self.take("passes", 1_000)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=60))
def test_nothing_kept_is_ever_lost_and_no_deadline_is_ever_past(story: list[tuple[str, int | Line]]) -> None:
    world = World()
    for name, value in story:
        world.take(name, value)
    world.drain()
    assert world.kept <= world.receipted
    assert world.steps.delivery.malformed == 0
