"""The nine rules of the decoder, one by one, in virtual time."""

import pytest

from hal.errors import ConfigurationError
from hal.events import (
    MS,
    SECOND,
    CardBits,
    FaultKind,
    FrameRefused,
    Key,
    KeyPressed,
    Monotonic,
    ReaderArmed,
    ReaderEvent,
    ReaderFault,
)
from hal.wiegand.arming import Line
from hal.wiegand.cards import FORMATS, CardFormat, CardPolicy
from hal.wiegand.decoder import Decoder
from hal.wiegand.keys import Keypad, KeypadEncoding
from hal.wiegand.rhythm import US
from hal.wiegand.tally import Why
from tests.hal.wiegand_line import ARMED, H10301, MIXED, NAME, Edge, card_edges, decoder_for, play, wait

LENGTH, RAW = H10301.encode({"facility": 12, "card": 3456})
AT = ARMED + SECOND
KEYPAD = Keypad(encoding=KeypadEncoding.BITS_8, enter_key="#")


def card(at: int, *, length: int = LENGTH, raw: int = RAW) -> CardBits:
    return CardBits(reader=NAME, length=length, raw=raw, at=Monotonic(at))


def refused(why: Why, bits: int, at: int) -> FrameRefused:
    return FrameRefused(reader=NAME, why=why.value, bits=bits, at=Monotonic(at))


def fault(kind: FaultKind, at: int) -> ReaderFault:
    return ReaderFault(reader=NAME, kind=kind, at=Monotonic(at))


def armed(at: int) -> ReaderArmed:
    return ReaderArmed(reader=NAME, at=Monotonic(at))


def key(which: Key, at: int) -> KeyPressed:
    return KeyPressed(reader=NAME, key=which, at=Monotonic(at))


def frame(at: int, interval: int = MS) -> list[Edge]:
    return card_edges(LENGTH, RAW, at=at, interval=interval)


def reads_again(decoder: Decoder, at: int) -> bool:
    return play(decoder, frame(at), until=at + 100 * MS) == [card(at + 25 * MS)]


# rule 7: arming


def test_arms_after_one_second_of_idle_lines() -> None:
    assert play(decoder_for("H10301", armed=False), [], until=10 * SECOND) == [armed(ARMED)]


def test_a_frame_before_arming_is_not_read_and_idle_begins_again() -> None:
    decoder = decoder_for("H10301", armed=False)
    assert play(decoder, frame(900 * MS), until=10 * SECOND) == [armed(900 * MS + 25 * MS + SECOND)]
    assert reads_again(decoder, 11 * SECOND)


def test_power_up_ghosts_are_not_keys() -> None:
    decoder = decoder_for("H10301", keypad=Keypad(encoding=KeypadEncoding.BITS_4, enter_key="#"), armed=False)
    ghost = card_edges(4, 5, at=300 * MS)
    assert play(decoder, ghost, until=5 * SECOND) == [armed(303 * MS + SECOND)]


# rules 3 and 5: quiet, and who says that it was quiet


@pytest.mark.parametrize(
    ("interval", "quiet"),
    [(200 * US, 600 * US), (1 * MS, 2 * MS), (2 * MS, 4 * MS), (12 * MS, 24 * MS), (20 * MS, 25 * MS)],
)
def test_a_card_is_believed_after_twice_its_interval(interval: int, quiet: int) -> None:
    decoder = decoder_for("H10301")
    last = AT + 25 * interval
    assert play(decoder, frame(AT, interval), until=last + quiet - 1) == []
    assert decoder.next_deadline() == last + quiet or interval > 2 * MS  # a slow frame's levels are looked at first
    assert wait(decoder, until=last + quiet) == [card(last)]


def test_at_one_millisecond_a_bit_the_decision_falls_within_two_and_a_half() -> None:
    decoder = decoder_for("H10301")
    last = AT + 25 * MS
    assert play(decoder, frame(AT), until=last + 2_500 * US) == [card(last)]


def test_a_later_edge_proves_the_quiet_time_as_well_as_advance_does() -> None:
    decoder = decoder_for("H10301")
    delivered_at_once = [*frame(AT), *frame(AT + SECOND)]
    events: list[ReaderEvent] = []
    for line, at in delivered_at_once:
        events += decoder.edge(line, Monotonic(at))
    assert events == [card(AT + 25 * MS)]
    assert decoder.advance(Monotonic(AT + 2 * SECOND)) == [card(AT + SECOND + 25 * MS)]


def test_an_edge_at_the_end_of_quiet_belongs_to_what_follows() -> None:
    last = AT + 25 * MS
    late: Edge = (0, last + 2 * MS)
    expected = [card(last), refused(Why.TAIL, 1, last + 2 * MS)]
    assert play(decoder_for("H10301"), [*frame(AT), late], until=AT + SECOND) == expected
    decoder = decoder_for("H10301")
    unasked = [event for line, at in [*frame(AT), late] for event in decoder.edge(line, Monotonic(at))]
    assert unasked + decoder.advance(Monotonic(AT + SECOND)) == expected


@pytest.mark.parametrize("card_format", FORMATS.values(), ids=FORMATS.keys())
@pytest.mark.parametrize("every_bit", [False, True], ids=["zeros", "ones"])
def test_every_format_is_read_through_the_decoder(card_format: CardFormat, *, every_bit: bool) -> None:
    fixed = {place for place in range(card_format.bits) if card_format.fixed_mask >> place & 1}
    values = {
        name: sum(
            1 << place
            for place, shift in enumerate(reversed(shifts))
            if (card_format.fixed_value >> shift & 1 if shift in fixed else every_bit)
        )
        for name, shifts in card_format.fields.items()
    }
    length, raw = card_format.encode(values)
    events = play(decoder_for(card_format.name), card_edges(length, raw, at=AT), until=AT + SECOND)
    assert events == [card(AT + (length - 1) * MS, length=length, raw=raw)]


# rules 1 and 2: what spoils a frame


def stretched(after: int, by: int) -> list[Edge]:
    return [(line, at + (by if place > after else 0)) for place, (line, at) in enumerate(frame(AT))]


def without(place: int) -> list[Edge]:
    return frame(AT)[:place] + frame(AT)[place + 1 :]


def with_edge(line: Line, at: int) -> list[Edge]:
    return sorted([*frame(AT), (line, at)], key=lambda edge: edge[1])


LAST = AT + 25 * MS
BAD_FRAMES = {
    "a pause of more than 1.75 intervals": (stretched(12, 800 * US), Why.IRREGULAR, 26, LAST + 800 * US),
    "an interval below a half": (
        [*frame(AT)[:24], (frame(AT)[24][0], LAST - 940 * US), (frame(AT)[25][0], LAST - 450 * US)],
        Why.IRREGULAR,
        26,
        LAST - 450 * US,
    ),
    "two intervals below one and a half together": (stretched(12, -501 * US), Why.IRREGULAR, 26, LAST - 501 * US),
    "an edge in the middle of a longish interval, and the last bit lost": (
        [*frame(AT)[:12], (0, AT + 11_550 * US), *((line, at + 100 * US) for line, at in frame(AT)[12:-1])],
        Why.IRREGULAR,
        26,
        LAST - 900 * US,
    ),
    "edges 119 µs apart": (with_edge(0, AT + 5 * MS + 119 * US), Why.TOO_CLOSE, 27, LAST),
    "edges at the same time": (with_edge(1, AT + 5 * MS), Why.TOO_CLOSE, 27, LAST),
    "an edge too many, far from the others": (with_edge(0, AT + 5 * MS + 500 * US), Why.OVERLONG, 27, LAST),
    "a bit lost inside": (without(7), Why.LENGTH, 25, LAST),
    "the first bit lost": (without(0), Why.LENGTH, 25, LAST),
    "the last bit lost": (without(25), Why.LENGTH, 25, LAST - MS),
    "one bit": (frame(AT)[:1], Why.LENGTH, 1, AT),
    "another length": (card_edges(34, 5, at=AT), Why.OVERLONG, 34, AT + 33 * MS),
    "wrong parity": (card_edges(26, RAW ^ 2, at=AT), Why.FORMAT, 26, LAST),
    "D0 and D1 swapped": (card_edges(26, RAW ^ 0x3FFFFFF, at=AT), Why.COMPLEMENT, 26, LAST),
}


@pytest.mark.parametrize(("edges", "why", "bits", "last"), BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_a_bad_frame_is_refused_after_silence_and_the_next_is_read(
    edges: list[Edge], why: Why, bits: int, last: int
) -> None:
    decoder = decoder_for("H10301")
    assert play(decoder, edges, until=last + 25 * MS - 1) == []
    assert wait(decoder, until=last + 25 * MS) == [refused(why, bits, last)]
    assert decoder.counters()[f"refused: {why.value}"] == 1
    assert reads_again(decoder, last + 25 * MS)


@pytest.mark.parametrize(
    "edges", [stretched(12, 750 * US), stretched(12, -500 * US)], ids=["1.75 intervals", "half an interval"]
)
def test_the_limits_of_a_regular_frame_are_inside(edges: list[Edge]) -> None:
    assert play(decoder_for("H10301"), edges, until=AT + SECOND) == [card(edges[-1][1])]


@pytest.mark.parametrize(("gap", "read"), [(25 * MS - 1, False), (25 * MS, True)])
def test_after_a_bad_frame_only_25_ms_of_silence_make_the_line_clean(gap: int, *, read: bool) -> None:
    second = AT + gap
    events = play(decoder_for("H10301"), [(0, AT), *frame(second)], until=AT + SECOND)
    whole = [refused(Why.LENGTH, 1, AT), card(second + 25 * MS)]
    assert events == (whole if read else [refused(Why.OVERLONG, 27, second + 25 * MS)])


def test_a_card_that_goes_on_after_its_quiet_time_is_read_once_and_its_tail_refused() -> None:
    tail: list[Edge] = [(1, LAST + 10 * MS), (0, LAST + 11 * MS)]
    assert play(decoder_for("H10301"), [*frame(AT), *tail], until=AT + SECOND) == [
        card(LAST),
        refused(Why.TAIL, 2, LAST + 11 * MS),
    ]


# several lengths on one reader


def test_the_longest_length_is_read_at_once_a_shorter_one_after_silence() -> None:
    for length, card_format in MIXED.items():
        raw = card_format.encode(dict.fromkeys(card_format.fields, 77))[1]
        last = AT + (length - 1) * MS
        decoder = decoder_for("H10301", "H10306", "H10302")
        quiet = 2 * MS if length == 37 else 25 * MS
        assert play(decoder, card_edges(length, raw, at=AT), until=last + quiet - 1) == []
        assert wait(decoder, until=last + quiet) == [card(last, length=length, raw=raw)]


def test_a_longer_card_whose_reader_pauses_is_not_taken_for_a_shorter_one() -> None:
    longer = next(
        raw
        for value in range(100)
        if H10301.parity_holds((raw := MIXED[34].encode({"facility": value, "card": 0x8009})[1]) >> 8)
    )
    edges = [
        (line, at + (19 * MS if place >= 26 else 0)) for place, (line, at) in enumerate(card_edges(34, longer, at=AT))
    ]
    last = edges[-1][1]
    assert play(decoder_for("H10301", "H10306", "H10302"), edges, until=AT + SECOND) == [
        refused(Why.IRREGULAR, 34, last)
    ]


# rule 4: keys


def key_edges(which: Key, at: int, keypad: Keypad = KEYPAD) -> list[Edge]:
    return card_edges(*keypad.frame((which,)), at=at)


@pytest.mark.parametrize("encoding", [KeypadEncoding.BITS_4, KeypadEncoding.BITS_6, KeypadEncoding.BITS_8])
def test_a_key_needs_silence_before_and_after(encoding: KeypadEncoding) -> None:
    keypad = Keypad(encoding=encoding, enter_key="*")
    decoder = decoder_for("H10301", keypad=keypad)
    last = AT + (keypad.frame_bits - 1) * MS
    assert play(decoder, key_edges(Key.DIGIT_7, AT, keypad), until=last + 25 * MS - 1) == []
    assert wait(decoder, until=last + 25 * MS) == [key(Key.DIGIT_7, last)]
    second = last + 24 * MS
    both = [*key_edges(Key.DIGIT_7, AT, keypad), *key_edges(Key.ENTER, second, keypad)]
    together = refused(Why.LENGTH, 2 * keypad.frame_bits, both[-1][1])
    assert play(decoder_for("H10301", keypad=keypad), both, until=AT + SECOND) == [together]


def test_keys_and_cards_share_a_reader() -> None:
    decoder = decoder_for("H10301", keypad=KEYPAD)
    edges = [*frame(AT), *key_edges(Key.DIGIT_4, AT + 200 * MS), *key_edges(Key.ENTER, AT + 400 * MS)]
    assert play(decoder, edges, until=AT + SECOND) == [
        card(LAST),
        key(Key.DIGIT_4, AT + 207 * MS),
        key(Key.ENTER, AT + 407 * MS),
    ]


def test_a_frame_of_a_key_s_length_that_is_no_key_is_refused() -> None:
    alive = card_edges(8, 0xAA, at=AT)
    assert play(decoder_for("H10301", keypad=KEYPAD), alive, until=AT + SECOND) == [refused(Why.KEY, 8, AT + 7 * MS)]


def test_an_entry_frame_delivers_its_digits_and_enter() -> None:
    keypad = Keypad(encoding=KeypadEncoding.BINARY_26, enter_key="#", facility=200)
    keys = (Key.DIGIT_4, Key.DIGIT_0, Key.ENTER)
    decoder = decoder_for("H10301", keypad=keypad)
    edges = [*card_edges(*keypad.frame(keys), at=AT), *frame(AT + SECOND)]
    assert play(decoder, edges, until=AT + 2 * SECOND) == [
        *(key(which, LAST) for which in keys),
        card(LAST + SECOND),
    ]


def test_a_keypad_alone_is_a_reader() -> None:
    assert play(decoder_for(keypad=KEYPAD), key_edges(Key.ESC, AT), until=AT + SECOND) == [key(Key.ESC, AT + 7 * MS)]


# rule 8: noise


def bad_frames(count: int, *, every: int, at: int = AT) -> list[Edge]:
    return [(0, at + place * every) for place in range(count)]


def test_five_bad_frames_in_two_seconds_disarm() -> None:
    decoder = decoder_for("H10301")
    edges = bad_frames(5, every=500 * MS)
    disarmed_at = edges[-1][1] + 25 * MS
    assert play(decoder, edges, until=AT + 10 * SECOND) == [
        *(refused(Why.LENGTH, 1, at) for _, at in edges),
        fault(FaultKind.NOISE, disarmed_at),
        armed(disarmed_at + SECOND),
    ]
    assert reads_again(decoder, AT + 11 * SECOND)


def test_bad_frames_before_arming_are_not_held_against_the_reader() -> None:
    decoder = decoder_for("H10301")
    disarmed_at = AT + 4 * 30 * MS + 25 * MS
    again = disarmed_at + SECOND + MS
    events = play(decoder, [*bad_frames(5, every=30 * MS), (0, again)], until=again + SECOND)
    assert events[5:] == [fault(FaultKind.NOISE, disarmed_at), armed(again - MS), refused(Why.LENGTH, 1, again)]


@pytest.mark.parametrize(("count", "every"), [(4, 30 * MS), (20, 501 * MS)], ids=["four", "slower"])
def test_fewer_bad_frames_do_not(count: int, every: int) -> None:
    decoder = decoder_for("H10301")
    edges = bad_frames(count, every=every)
    assert play(decoder, edges, until=AT + 20 * SECOND) == [refused(Why.LENGTH, 1, at) for _, at in edges]


def storm(decoder: Decoder, at: int) -> list[ReaderEvent]:
    """50,000 edges a second for 10 ms."""
    return play(decoder, [(0, at + place * 20 * US) for place in range(500)], until=at + 10 * MS)


def test_edges_faster_than_any_reader_disarm_within_a_millisecond() -> None:
    decoder = decoder_for("H10301")
    [event] = storm(decoder, AT)
    assert event == fault(FaultKind.NOISE, AT + 35 * 20 * US)


def test_back_off_doubles_to_thirty_seconds_and_is_forgiven() -> None:
    decoder = decoder_for("H10301")
    at, waits = AT, []
    for _ in range(7):
        [event] = storm(decoder, at)
        [rearmed] = wait(decoder, until=at + 40 * SECOND)
        waits.append(round((rearmed.at - event.at) / SECOND))
        at = rearmed.at + MS
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    at += 60 * SECOND
    [event] = storm(decoder, at)
    assert wait(decoder, until=at + 40 * SECOND) == [armed(at + 499 * 20 * US + SECOND)]


def test_a_reader_in_noise_waits_for_it_to_end() -> None:
    decoder = decoder_for("H10301")
    last = AT + 5 * SECOND
    noise: list[Edge] = [(0, at) for at in range(AT, last + 1, 100 * US)]
    events = play(decoder, noise, until=last + 5 * SECOND)
    assert events == [fault(FaultKind.NOISE, AT + 63 * 100 * US), armed(last + SECOND)]
    assert decoder.counters()["noise"] == 1


def test_noise_that_never_falls_silent_is_counted_as_bad_frames() -> None:
    decoder = decoder_for("H10301")
    events = play(decoder, [(1, AT + place * MS) for place in range(1_000)], until=AT + SECOND)
    assert events == [
        *(refused(Why.RUNAWAY, 128, AT + (place * 128 - 1) * MS) for place in range(1, 6)),
        fault(FaultKind.NOISE, AT + 639 * MS),
    ]


def test_the_fastest_legal_reader_is_not_noise() -> None:
    decoder = decoder_for("Avig56")
    length, raw = FORMATS["Avig56"].encode({"facility": 5, "card": 6})
    edges = [
        edge for place in range(20) for edge in card_edges(length, raw, at=AT + place * 40 * MS, interval=200 * US)
    ]
    events = play(decoder, edges, until=AT + SECOND)
    assert events == [card(AT + place * 40 * MS + 11 * MS, length=length, raw=raw) for place in range(20)]


# rule 7: a line held low


def look(decoder: Decoder, at: int, *, d0_low: bool = False, d1_low: bool = False) -> list[ReaderEvent]:
    time = Monotonic(at)
    return decoder.level(0, low=d0_low, at=time) + decoder.level(1, low=d1_low, at=time) + decoder.advance(time)


def test_a_line_low_for_five_milliseconds_is_a_fault_until_it_is_high_again() -> None:
    decoder = decoder_for("H10301")
    assert decoder.edge(0, Monotonic(AT)) == []
    assert decoder.next_deadline() == AT + 5 * MS
    assert look(decoder, AT + 5 * MS, d0_low=True) == [fault(FaultKind.LINE_LOW, AT + 5 * MS)]
    assert decoder.next_deadline() == AT + 105 * MS
    assert look(decoder, AT + 105 * MS, d0_low=True) == []
    assert look(decoder, AT + 205 * MS) == []
    assert wait(decoder, until=AT + 9 * SECOND) == [armed(AT + 205 * MS + SECOND)]
    assert reads_again(decoder, AT + 10 * SECOND)
    assert decoder.counters()["line faults"] == 1


def test_a_line_seen_low_in_the_middle_of_a_pulse_is_no_fault() -> None:
    decoder = decoder_for("H10301")
    edges = frame(AT)
    for line, at in edges:
        assert decoder.edge(line, Monotonic(at)) == []
        assert look(decoder, at + 30 * US, d0_low=line == 0, d1_low=line == 1) == []
    assert wait(decoder, until=AT + SECOND) == [card(LAST)]


def test_a_line_low_at_start_never_arms_and_says_so_once() -> None:
    decoder = decoder_for("H10301", armed=False)
    events: list[ReaderEvent] = []
    while (due := decoder.next_deadline()) is not None and due < 3 * SECOND:
        events += look(decoder, due, d1_low=True)
    assert events == [fault(FaultKind.LINE_LOW, 5 * MS)]
    assert decoder.counters()["armed"] == 0


def test_both_lines_must_be_high_again() -> None:
    decoder = decoder_for("H10301")
    look(decoder, AT, d0_low=True, d1_low=True)
    assert look(decoder, AT + 5 * MS, d0_low=True, d1_low=True) == [fault(FaultKind.LINE_LOW, AT + 5 * MS)]
    assert look(decoder, AT + 2 * SECOND, d1_low=True) == []
    assert look(decoder, AT + 4 * SECOND) == []
    assert wait(decoder, until=AT + 9 * SECOND) == [armed(AT + 5 * SECOND)]


def test_a_low_line_is_looked_at_again_even_if_the_caller_forgot_once() -> None:
    decoder = decoder_for("H10301")
    look(decoder, AT, d0_low=True)
    forgetful = Monotonic(AT + 5 * MS)
    assert decoder.next_deadline() == forgetful
    assert decoder.advance(forgetful) == []
    assert decoder.next_deadline() == AT + 105 * MS


def test_a_line_held_low_is_seen_in_spite_of_a_timestamp_from_the_future() -> None:
    decoder = decoder_for("H10301")
    decoder.edge(0, Monotonic(AT + 10**15))
    assert look(decoder, AT, d0_low=True) == []
    assert look(decoder, AT + 5 * MS, d0_low=True) == [fault(FaultKind.LINE_LOW, AT + 5 * MS)]


# loss and order


def test_lost_edges_spoil_the_frame_even_after_its_quiet_time() -> None:
    decoder = decoder_for("H10301")
    for line, at in frame(AT):
        decoder.edge(line, Monotonic(at))
    decoder.edges_lost(Monotonic(LAST + 10 * MS))
    assert wait(decoder, until=AT + SECOND) == [refused(Why.LOST, 26, LAST + 10 * MS)]
    assert reads_again(decoder, AT + 2 * SECOND)


def test_lost_edges_between_frames_spoil_the_next_25_ms() -> None:
    decoder = decoder_for("H10301")
    decoder.edges_lost(Monotonic(AT))
    assert play(decoder, frame(AT + 24 * MS), until=AT + SECOND) == [refused(Why.LOST, 26, AT + 49 * MS)]


def test_lost_edges_while_disarmed_were_not_idle() -> None:
    decoder = decoder_for("H10301", armed=False)
    decoder.edges_lost(Monotonic(500 * MS))
    assert wait(decoder, until=5 * SECOND) == [armed(1_500 * MS)]


def test_a_backward_timestamp_spoils_the_frame_and_no_more() -> None:
    decoder = decoder_for("H10301")
    edges = frame(AT)
    edges[9] = (edges[9][0], edges[8][1] - 3 * MS)
    assert play(decoder, edges, until=AT + SECOND) == [refused(Why.ORDER, 26, LAST)]
    assert reads_again(decoder, AT + 2 * SECOND)


def test_a_timestamp_from_the_far_future_does_not_deafen_the_reader() -> None:
    decoder = decoder_for("H10301")
    decoder.edge(0, Monotonic(AT + 10**18))
    for line, at in frame(AT):
        assert decoder.edge(line, Monotonic(at)) == []
    assert wait(decoder, until=AT + SECOND) == [refused(Why.ORDER, 27, LAST)]
    assert reads_again(decoder, AT + 2 * SECOND)


def test_noise_from_the_far_future_does_not_either() -> None:
    decoder = decoder_for("H10301")
    [event] = storm(decoder, AT + 10**18)
    assert event == fault(FaultKind.NOISE, AT + 10**18 + 35 * 20 * US)
    decoder.edge(0, Monotonic(AT))
    assert wait(decoder, until=AT + 5 * SECOND) == [armed(AT + SECOND)]


def test_an_edge_from_before_a_silence_that_was_already_proven_begins_no_frame() -> None:
    decoder = decoder_for("H10301")
    play(decoder, frame(AT), until=LAST + 30 * MS)
    late = LAST + 10 * MS
    events = [event for line, at in frame(late) for event in decoder.edge(line, Monotonic(at))]
    assert events + wait(decoder, until=AT + SECOND) == [refused(Why.ORDER, 26, late + 25 * MS)]


# rule 9: what is learned


def test_swapped_lines_are_suspected_after_three_complements_and_cleared_by_a_card() -> None:
    decoder = decoder_for("H10301")
    suspected = []
    for place in range(3):
        play(decoder, card_edges(26, RAW ^ 0x3FFFFFF, at=AT + place * SECOND), until=AT + place * SECOND + 100 * MS)
        suspected.append(decoder.counters()["swapped lines"])
    assert suspected == [0, 0, 1]
    assert reads_again(decoder, AT + 4 * SECOND)
    assert decoder.counters()["swapped lines"] == 0


def test_garbage_among_the_complements_clears_the_suspicion() -> None:
    decoder = decoder_for("H10301")
    for place, raw in enumerate([RAW ^ 0x3FFFFFF, RAW ^ 0x3FFFFFF, RAW ^ 2, RAW ^ 0x3FFFFFF]):
        play(decoder, card_edges(26, raw, at=AT + place * SECOND), until=AT + place * SECOND + 100 * MS)
    assert decoder.counters()["swapped lines"] == 0


def test_the_pace_is_learned_from_what_was_believed() -> None:
    decoder = decoder_for("H10301", keypad=KEYPAD)
    assert reads_again(decoder, AT)
    slower = [*frame(AT + SECOND, interval=1_800 * US), *key_edges(Key.DIGIT_1, AT + 2 * SECOND), (0, AT + 3 * SECOND)]
    play(decoder, slower, until=AT + 5 * SECOND)
    assert decoder.counters() == {
        "armed": 1,
        "wrong parity": 0,
        "edges": 26 + 26 + 8 + 1,
        "edges while disarmed": 0,
        "cards": 2,
        "key frames": 1,
        "noise": 0,
        "line faults": 0,
        "losses": 0,
        "interval ms": 1.0875,
        "jitter ms": 0.0,
        "swapped lines": 0,
        **{f"refused: {why.value}": int(why is Why.LENGTH) for why in Why},
    }


def test_wrong_parity_that_is_not_checked_is_counted() -> None:
    policy = CardPolicy(H10301, check_parity=False)
    decoder = Decoder(name=NAME, card_lengths=policy.lengths, accept=policy, now=Monotonic(0))
    edges = [*frame(AT), *card_edges(26, RAW ^ 2, at=AT + SECOND)]
    assert play(decoder, edges, until=AT + 2 * SECOND) == [armed(ARMED), card(LAST), card(LAST + SECOND, raw=RAW ^ 2)]
    assert decoder.counters()["wrong parity"] == 1


# several readers, and what cannot be configured


def test_eight_readers_read_a_hundred_simultaneous_frames_each() -> None:
    decoders = [decoder_for("H10301", name=f"door-{number}") for number in range(8)]
    seen: list[list[ReaderEvent]] = [[] for _ in decoders]
    expected: list[list[ReaderEvent]] = [[] for _ in decoders]
    merged: list[tuple[int, int, Line]] = []
    for number in range(8):
        for count in range(100):
            at = AT + count * 100 * MS
            raw = H10301.encode({"facility": number, "card": count * 8 + number})[1]
            merged += [(time, number, line) for line, time in card_edges(26, raw, at=at)]
            expected[number].append(
                CardBits(reader=f"door-{number}", length=26, raw=raw, at=Monotonic(at + 25 * MS)),
            )
    for at, number, line in sorted(merged):
        seen[number] += decoders[number].edge(line, Monotonic(at))
    for number, decoder in enumerate(decoders):
        seen[number] += decoder.advance(Monotonic(AT + 20 * SECOND))
    assert seen == expected


def test_noise_on_one_reader_leaves_the_other_reading() -> None:
    noisy, quiet = decoder_for("H10301"), decoder_for("H10301", name="quiet")
    noise = [(AT + place * 20 * US, 0) for place in range(2_000)]
    edges = [(at, line + 2) for line, at in frame(AT)]
    events: list[ReaderEvent] = []
    for at, line in sorted([*noise, *edges]):
        events += quiet.edge(1 if line == 3 else 0, Monotonic(at)) if line >= 2 else noisy.edge(0, Monotonic(at))
    events += quiet.advance(Monotonic(AT + 100 * MS)) + noisy.advance(Monotonic(AT + 100 * MS))
    assert events == [
        fault(FaultKind.NOISE, AT + 35 * 20 * US),
        CardBits(reader="quiet", length=26, raw=RAW, at=Monotonic(LAST)),
    ]


@pytest.mark.parametrize(
    ("lengths", "keypad", "message"),
    [
        (frozenset[int](), None, "front: neither a card format nor a keypad"),
        (frozenset({8}), None, "front: a card of 8 bits: expected 12 to 127"),
        (frozenset({128}), None, "front: a card of 128 bits: expected 12 to 127"),
        (
            frozenset({26}),
            Keypad(encoding=KeypadEncoding.BCD_26, enter_key="#"),
            "front: keypad and cards share frames of 26 bits",
        ),
    ],
)
def test_impossible_readers_are_refused(lengths: frozenset[int], keypad: Keypad | None, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Decoder(name=NAME, card_lengths=lengths, accept=CardPolicy(), keypad=keypad, now=Monotonic(0))
