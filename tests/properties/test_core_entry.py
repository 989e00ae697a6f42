"""A reader's entry under anything anybody gives, in any mode, at any time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.core.effects import EntryEffect, Submit
from doorctl.core.entry import Entry
from doorctl.core.events import BadFrame, CardRead, Key, KeyRead, ReaderEvent
from doorctl.core.types import SECOND, Card, Duration, Mode, Monotonic

LENGTH = 4
WINDOW = Duration(10 * SECOND)
CARDS = st.sampled_from([Card(length=26, raw=1), Card(length=34, raw=1)])
STEPS = st.sampled_from([0, 1, SECOND, 3 * SECOND, 5 * SECOND - 1, 5 * SECOND, 11 * SECOND])
KEYS = st.sampled_from([*Key, *(key for key in Key if key.value.isdigit())])
GIVEN = st.one_of(KEYS, KEYS, KEYS, CARDS, st.none())
STORY = st.lists(st.tuples(STEPS, GIVEN), max_size=40)


def timed(story: list[tuple[int, Key | Card | None]]) -> list[ReaderEvent]:
    now, events = 0, list[ReaderEvent]()
    for step, given_ in story:
        now += step
        at = Monotonic(now)
        match given_:
            case Key():
                events.append(KeyRead(key=given_, at=at))
            case Card():
                events.append(CardRead(card=given_, at=at))
            case None:
                events.append(BadFrame(at=at))
    return events


def told(events: list[ReaderEvent], modes: list[Mode], *, ask: bool) -> list[EntryEffect]:
    entry = Entry(code_length=LENGTH, code_window=WINDOW)
    effects: list[EntryEffect] = []
    for event, mode in zip(events, modes, strict=True):
        if ask and (due := entry.next_deadline()) is not None and due <= event.at:
            assert entry.on_deadline(Monotonic(due - 1)) == []
            effects += entry.on_deadline(due)
        effects += entry.receive(event, mode)
    due = entry.next_deadline()
    assert (due is not None) is entry.begun, "whatever is begun has an end"
    return effects + ([] if due is None else entry.on_deadline(due))


def submits(effects: list[EntryEffect]) -> list[Submit]:
    return [effect for effect in effects if isinstance(effect, Submit)]


@given(STORY, st.data())
@settings(max_examples=300, deadline=None)
def test_outcomes_do_not_depend_on_who_asks_when(
    story: list[tuple[int, Key | Card | None]], data: st.DataObject
) -> None:
    events = timed(story)
    changing = st.lists(st.sampled_from(Mode), min_size=len(events), max_size=len(events))
    modes = data.draw(st.one_of(st.sampled_from(Mode).map(lambda mode: [mode] * len(events)), changing))
    assert told(events, modes, ask=True) == told(events, modes, ask=False)


@given(STORY, st.sampled_from(Mode))
@settings(max_examples=300, deadline=None)
def test_a_request_has_exactly_the_factors_its_mode_asks_for(
    story: list[tuple[int, Key | Card | None]], mode: Mode
) -> None:
    events = timed(story)
    cards = {event.card for event in events if isinstance(event, CardRead)}
    ends = {event.at for event in events}
    for submit in submits(told(events, [mode] * len(events), ask=False)):
        request = submit.request
        factors = (request.card is not None, request.code is not None)
        assert (
            factors
            in {
                Mode.CARD: {(True, False)},
                Mode.CODE: {(False, True)},
                Mode.CARD_AND_CODE: {(True, True)},
                Mode.CARD_OR_CODE: {(True, False), (False, True)},
            }[mode]
        )
        assert request.card is None or request.card in cards
        assert request.code is None or (request.code.isdigit() and 1 <= len(request.code) <= LENGTH)
        assert request.at in ends


@given(STORY, st.sampled_from([Mode.CODE, Mode.CARD_AND_CODE, Mode.CARD_OR_CODE]))
@settings(max_examples=300, deadline=None)
def test_a_code_is_only_digits_typed_in_a_row_up_to_its_request(
    story: list[tuple[int, Key | Card | None]], mode: Mode
) -> None:
    entry = Entry(code_length=LENGTH, code_window=WINDOW)
    typed = ""
    for event in timed(story):
        if isinstance(event, KeyRead) and event.key.value.isdigit():
            typed += event.key.value
        for submit in submits(entry.receive(event, mode)):
            assert submit.request.at == event.at
            code = submit.request.code
            if code is not None:
                assert typed.endswith(code)
                typed = ""  # no digit is ever used twice


@given(st.text("0123456789", min_size=LENGTH, max_size=LENGTH), CARDS, STORY)
def test_after_anything_and_a_pause_the_next_entry_is_clean(
    code: str, card: Card, story: list[tuple[int, Key | Card | None]]
) -> None:
    entry = Entry(code_length=LENGTH, code_window=WINDOW)
    events = timed(story)
    for event in events:
        entry.receive(event, Mode.CARD_AND_CODE)
    now = (events[-1].at if events else 0) + 60 * SECOND
    entry.receive(CardRead(card=card, at=Monotonic(now)), Mode.CARD_AND_CODE)
    effects = [
        effect
        for number, digit in enumerate(code)
        for effect in entry.receive(KeyRead(key=Key(digit), at=Monotonic(now + number)), Mode.CARD_AND_CODE)
    ]
    assert [(s.request.card, s.request.code) for s in submits(effects)] == [(card, code)]
    assert len(effects) == 1
