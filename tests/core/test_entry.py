import pytest

from doorctl.core.effects import Code, EntryEffect, Incomplete, Request, ShowIdle, ShowWaiting, Submit
from doorctl.core.entry import CARD_IS, KEYS_COUNT, Entry
from doorctl.core.events import BadFrame, CardRead, Key, KeyRead, ReaderEvent
from doorctl.core.types import SECOND, Card, Duration, Mode, Monotonic, Reason

CARD = Card(length=26, raw=1)
OTHER = Card(length=34, raw=1)
WINDOW = Duration(10 * SECOND)
NAMES = {"#": Key.ENTER, "*": Key.ESC}
BOTH = Mode.CARD_AND_CODE


def entry() -> Entry:
    return Entry(code_length=4, code_window=WINDOW)


def at(second: float) -> Monotonic:
    return Monotonic(int(second * SECOND))


def card(second: float, read: Card = CARD) -> CardRead:
    return CardRead(card=read, at=at(second))


def key(character: str, second: float) -> KeyRead:
    return KeyRead(key=NAMES.get(character) or Key(character), at=at(second))


def bad(second: float) -> BadFrame:
    return BadFrame(at=at(second))


def keys(characters: str, second: float) -> list[ReaderEvent]:
    return [key(character, second + n) for n, character in enumerate(characters)]


def fed(machine: Entry, events: list[ReaderEvent], mode: Mode) -> list[EntryEffect]:
    return [effect for event in events for effect in machine.receive(event, mode)]


def submit(second: float, *, card: Card | None = None, code: str | None = None) -> Submit:
    return Submit(request=Request(card=card, code=None if code is None else Code(code), at=at(second)))


def incomplete(second: float, reason: Reason = Reason.INCOMPLETE) -> Incomplete:
    return Incomplete(reason=reason, at=at(second))


def test_the_tables_know_every_mode() -> None:
    assert set(CARD_IS) == set(KEYS_COUNT) == set(Mode)


@pytest.mark.parametrize(
    ("mode", "events", "effects"),
    [
        (Mode.CARD, [card(1)], [submit(1, card=CARD)]),
        (Mode.CARD, keys("1234#", 1), []),
        (Mode.CARD, [bad(1)], [incomplete(1, Reason.BAD_FORMAT)]),
        (Mode.CODE, [card(1)], []),
        (Mode.CODE, [bad(1)], []),
        (Mode.CODE, keys("1234", 1), [ShowWaiting(), submit(4, code="1234")]),
        (Mode.CODE, keys("12#", 1), [ShowWaiting(), submit(3, code="12")]),
        (Mode.CODE, keys("#", 1), []),
        (Mode.CODE, keys("*", 1), []),
        (Mode.CODE, keys("12*", 1), [ShowWaiting(), ShowIdle()]),
        (Mode.CODE, keys("12*1", 1), [ShowWaiting(), ShowIdle(), ShowWaiting()]),
        (Mode.CODE, [*keys("12", 1), card(3), *keys("34", 4)], [ShowWaiting(), submit(5, code="1234")]),
        (BOTH, [card(1), *keys("1234", 2)], [ShowWaiting(), submit(5, card=CARD, code="1234")]),
        (BOTH, [card(1), *keys("12#", 2)], [ShowWaiting(), submit(4, card=CARD, code="12")]),
        (BOTH, keys("1234#*", 1), []),
        (BOTH, [*keys("99", 1), card(3), *keys("1234", 4)], [ShowWaiting(), submit(7, card=CARD, code="1234")]),
        (
            BOTH,
            [card(1), *keys("99", 2), card(4, OTHER), *keys("1234", 5)],
            [ShowWaiting(), ShowWaiting(), submit(8, card=OTHER, code="1234")],
        ),
        (BOTH, [card(1), *keys("12*1234", 2)], [ShowWaiting(), submit(8, card=CARD, code="1234")]),
        (BOTH, [card(1), bad(2), *keys("1234", 3)], [ShowWaiting(), incomplete(2, Reason.BAD_FORMAT)]),
        (Mode.CARD_OR_CODE, [card(1)], [submit(1, card=CARD)]),
        (Mode.CARD_OR_CODE, keys("1234", 1), [ShowWaiting(), submit(4, code="1234")]),
        (Mode.CARD_OR_CODE, [*keys("12", 1), card(3)], [ShowWaiting(), submit(3, card=CARD)]),
        (Mode.CARD_OR_CODE, [*keys("12", 1), bad(3)], [ShowWaiting(), incomplete(3, Reason.BAD_FORMAT)]),
    ],
)
def test_what_is_given_becomes_a_request(mode: Mode, events: list[ReaderEvent], effects: list[EntryEffect]) -> None:
    assert fed(entry(), events, mode) == effects


def test_a_request_leaves_nothing_behind() -> None:
    machine = entry()
    fed(machine, [card(1), *keys("1234", 2)], BOTH)
    assert (machine.begun, machine.next_deadline()) == (False, None)
    assert fed(machine, keys("1234", 6), BOTH) == []


def test_the_code_must_begin_within_the_window() -> None:
    machine = entry()
    machine.receive(card(1), BOTH)
    assert machine.next_deadline() == at(11)
    assert machine.on_deadline(Monotonic(at(11) - 1)) == []
    assert machine.on_deadline(at(11)) == [incomplete(11)]
    assert machine.on_deadline(at(11)) == []


def test_a_code_begun_in_the_window_may_end_after_it() -> None:
    machine = entry()
    assert fed(machine, [card(1), *keys("12", 9), *keys("34", 11)], BOTH) == [
        ShowWaiting(),
        submit(12, card=CARD, code="1234"),
    ]


def test_each_key_must_follow_the_last_within_the_gap() -> None:
    machine = entry()
    fed(machine, [card(1), key("1", 2), key("2", 4)], BOTH)
    assert machine.next_deadline() == at(9)
    assert machine.on_deadline(at(9)) == [incomplete(9)]


def test_a_second_card_has_a_window_of_its_own() -> None:
    machine = entry()
    fed(machine, [card(1), card(8, OTHER)], BOTH)
    assert machine.next_deadline() == at(18)


def test_an_event_after_the_deadline_first_gives_up() -> None:
    machine = entry()
    machine.receive(card(1), BOTH)
    assert machine.receive(key("1", 12), BOTH) == [incomplete(11)]
    assert machine.receive(card(13), BOTH) == [ShowWaiting()]
    assert machine.receive(card(24), BOTH) == [incomplete(23), ShowWaiting()]


def test_esc_takes_the_digits_back_and_buys_no_time() -> None:
    machine = entry()
    assert fed(machine, [card(1), key("1", 2), key("*", 3)], BOTH) == [ShowWaiting()]
    assert machine.next_deadline() == at(11)


def test_esc_after_the_window_ends_the_entry() -> None:
    machine = entry()
    assert fed(machine, [card(1), key("1", 10), key("*", 12)], BOTH) == [ShowWaiting(), incomplete(11)]
    assert not machine.begun


@pytest.mark.parametrize(
    ("begun", "mode", "event", "then", "effects"),
    [
        ([card(1)], BOTH, key("1", 2), Mode.CARD, [incomplete(2)]),
        ([card(1)], BOTH, key("1", 2), Mode.CODE, [incomplete(2), ShowWaiting()]),
        (keys("123", 1), Mode.CODE, key("4", 4), BOTH, [incomplete(4)]),
        (keys("123", 1), Mode.CODE, card(4), BOTH, [incomplete(4), ShowWaiting()]),
        (keys("123", 1), Mode.CARD_OR_CODE, key("4", 4), Mode.CODE, [incomplete(4), ShowWaiting()]),
    ],
)
def test_another_mode_gives_up_what_was_begun(
    begun: list[ReaderEvent], mode: Mode, event: ReaderEvent, then: Mode, effects: list[EntryEffect]
) -> None:
    machine = entry()
    fed(machine, begun, mode)
    assert machine.receive(event, then) == effects


def test_another_mode_with_nothing_begun_says_nothing() -> None:
    machine = entry()
    machine.receive(card(1), Mode.CARD)
    assert machine.receive(card(2), BOTH) == [ShowWaiting()]


def test_reset_forgets_without_a_word() -> None:
    machine = entry()
    fed(machine, [card(1), key("1", 2)], BOTH)
    machine.reset()
    assert (machine.begun, machine.next_deadline(), machine.on_deadline(at(99))) == (False, None, [])


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="code window"):
        Entry(code_length=4, code_window=Duration(0))
