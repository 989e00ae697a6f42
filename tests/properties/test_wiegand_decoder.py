"""What holds of the decoder whatever arrives: the list at the end of the Wiegand facts."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hal.events import MS, SECOND, CardBits, Monotonic, ReaderArmed, ReaderEvent
from hal.wiegand.arming import Line
from hal.wiegand.cards import FORMATS, CardPolicy
from hal.wiegand.decoder import Decoder
from hal.wiegand.keys import Keypad, KeypadEncoding
from hal.wiegand.rhythm import SILENCE, US, rhythm_of
from tests.hal.wiegand_line import ARMED, H10301, MIXED, NAME, Edge, card_edges, decoder_for, play, wait

START = ARMED + SECOND
KEYPAD = Keypad(encoding=KeypadEncoding.BITS_4, enter_key="#")
SETS = {"H10301": ("H10301",), "mixed": ("H10301", "H10306", "H10302")}

lines: st.SearchStrategy[Line] = st.sampled_from([0, 1])
format_sets = st.sampled_from(list(SETS.values()))
gaps = st.one_of(
    st.integers(0, 300 * US),
    st.integers(150 * US, 3 * MS),
    st.integers(3 * MS, 30 * MS),
    st.sampled_from([0, 600 * US, 1 * MS, 2 * MS, SILENCE - 1, SILENCE, 1 * SECOND, 2 * SECOND, 40 * SECOND]),
)


@st.composite
def cards(draw: st.DrawFn, lengths: tuple[int, ...] = (26,)) -> tuple[int, int]:
    """A card that its format takes, leading zeros and all."""
    card_format = MIXED[draw(st.sampled_from(lengths))]
    return card_format.encode(
        {name: draw(st.integers(0, (1 << len(at)) - 1)) for name, at in card_format.fields.items()}
    )


@st.composite
def frames(draw: st.DrawFn, at: int = START, lengths: tuple[int, ...] = (26,)) -> tuple[tuple[int, int], list[Edge]]:
    """A card and its edges: any legal pace up to 5 ms, each interval within a tenth of it."""
    length, raw = draw(cards(lengths))
    interval = draw(st.integers(250 * US, 5 * MS))
    edges = card_edges(length, raw, at=at, interval=interval)
    wobble = draw(st.lists(st.integers(-interval // 20, interval // 20), min_size=length, max_size=length))
    return (length, raw), [(line, at + by) for (line, at), by in zip(edges, wobble, strict=True)]


@st.composite
def streams(draw: st.DrawFn) -> list[Edge]:
    """Anything in time order: stray edges at any distance with cards and keys among them."""
    at, edges = START, []
    for part in draw(st.lists(st.one_of(gaps, st.just("card"), st.just("key")), max_size=25)):
        if isinstance(part, int):
            at += part
            edges.append((draw(lines), at))
        else:
            length, raw = draw(cards(tuple(MIXED))) if part == "card" else (4, draw(st.integers(0, 15)))
            interval = draw(st.sampled_from([300 * US, 1 * MS, 4 * MS]))
            at += draw(st.sampled_from([10 * MS, 60 * MS]))
            edges += card_edges(length, raw, at=at, interval=interval)
            at = edges[-1][1]
    return edges


def in_one_go(decoder: Decoder, edges: list[Edge], until: int) -> list[ReaderEvent]:
    events = [event for line, at in edges for event in decoder.edge(line, Monotonic(at))]
    return events + decoder.advance(Monotonic(until))


def read_cards(events: list[ReaderEvent]) -> list[tuple[int, int]]:
    return [(event.length, event.raw) for event in events if isinstance(event, CardBits)]


@given(edges=streams(), names=format_sets, data=st.data())
def test_the_outcome_depends_on_times_and_lines_only(
    edges: list[Edge], names: tuple[str, ...], data: st.DataObject
) -> None:
    end = (edges[-1][1] if edges else START) + 100 * SECOND
    at_once = in_one_go(decoder_for(*names, keypad=KEYPAD), edges, end)
    assert play(decoder_for(*names, keypad=KEYPAD), edges, until=end) == at_once
    batched = decoder_for(*names, keypad=KEYPAD)
    events: list[ReaderEvent] = []
    for place, (line, at) in enumerate(edges):
        if data.draw(st.booleans()):
            earliest = edges[place - 1][1] if place else START
            events += batched.advance(Monotonic(data.draw(st.integers(earliest, max(at, earliest)))))
        events += batched.edge(line, Monotonic(at))
    assert events + batched.advance(Monotonic(end)) == at_once


@given(edges=streams(), names=format_sets)
def test_a_card_is_exactly_the_edges_between_two_silences(edges: list[Edge], names: tuple[str, ...]) -> None:
    lengths = {length for length in MIXED if MIXED[length].name in names}
    accept = CardPolicy(*(FORMATS[name] for name in names))
    events = in_one_go(decoder_for(*names, keypad=KEYPAD), edges, START + 10**15)
    for event in events:
        if not isinstance(event, CardBits):
            continue
        before = [edge for edge in edges if edge[1] <= event.at]
        mine, earlier = before[-event.length :], before[: -event.length]
        after = [at for _, at in edges if at > event.at]
        times = [at for _, at in mine]
        rhythm = rhythm_of([late - early for early, late in pairwise(times)])
        quiet = rhythm.quiet if event.length == max(lengths) else SILENCE
        assert event.length in lengths
        assert event.raw == int("".join(str(line) for line, _ in mine), 2)
        assert accept(event.length, event.raw)
        assert rhythm.regular
        assert rhythm.shortest >= 120 * US
        assert not earlier or times[0] - earlier[-1][1] >= SILENCE
        assert not after or after[0] - times[-1] >= quiet


@given(frame=frames(lengths=tuple(MIXED)))
def test_every_clean_card_is_read_with_its_leading_zeros(frame: tuple[tuple[int, int], list[Edge]]) -> None:
    card, edges = frame
    decoder = decoder_for(*SETS["mixed"])
    assert read_cards(play(decoder, edges, until=edges[-1][1] + SILENCE)) == [card]


@given(frame=frames(lengths=tuple(MIXED)), scale=st.fractions(1, 3), shift=st.integers(0, 10**15))
def test_scaling_and_shifting_all_times_changes_nothing(
    frame: tuple[tuple[int, int], list[Edge]], scale: Fraction, shift: int
) -> None:
    card, edges = frame
    moved = [(line, START + int((at - START) * scale) + shift) for line, at in edges]
    assert read_cards(play(decoder_for(*SETS["mixed"]), moved, until=moved[-1][1] + SILENCE)) == [card]


@given(edges=streams(), shift=st.integers(-(10**15), 10**15))
def test_shifting_a_whole_history_shifts_its_events(edges: list[Edge], shift: int) -> None:
    end = START + 10**14
    here = decoder_for("H10301", keypad=KEYPAD, armed=False)
    there = Decoder(
        name=NAME,
        card_lengths=frozenset({26}),
        accept=CardPolicy(H10301),
        keypad=KEYPAD,
        now=Monotonic(shift),
    )
    moved = in_one_go(there, [(line, at + shift) for line, at in edges], end + shift)
    assert [shifted_back(event, shift) for event in moved] == in_one_go(here, edges, end)
    assert here.counters() == there.counters()


def shifted_back(event: ReaderEvent, shift: int) -> ReaderEvent:
    fields = {name: getattr(event, name) for name in type(event).__slots__}
    return type(event)(**{**fields, "at": Monotonic(event.at - shift)})


@given(frame=frames(), data=st.data())
def test_an_edge_close_to_another_never_makes_a_different_card(
    frame: tuple[tuple[int, int], list[Edge]], data: st.DataObject
) -> None:
    card, edges = frame
    beside = data.draw(st.sampled_from(edges))[1]
    extra = (data.draw(lines), beside + data.draw(st.integers(-120 * US + 1, 120 * US - 1)))
    edges = sorted([*edges, extra], key=lambda edge: edge[1])
    assert read_cards(play(decoder_for("H10301"), edges, until=edges[-1][1] + SILENCE)) in ([], [card])


@given(frame=frames(lengths=tuple(MIXED)), data=st.data())
def test_a_lost_edge_makes_no_card(frame: tuple[tuple[int, int], list[Edge]], data: st.DataObject) -> None:
    _, edges = frame
    del edges[data.draw(st.integers(0, len(edges) - 1))]
    assert read_cards(play(decoder_for(*SETS["mixed"]), edges, until=edges[-1][1] + SECOND)) == []


@given(mine=streams(), others=streams())
def test_another_reader_never_matters(mine: list[Edge], others: list[Edge]) -> None:
    end = START + 10**14
    alone = in_one_go(decoder_for("H10301"), mine, end)
    decoders = (decoder_for("H10301"), decoder_for("H10301", name="other"))
    merged = sorted(
        [(at, 0, line) for line, at in mine] + [(at, 1, line) for line, at in others], key=lambda edge: edge[0]
    )
    events: list[ReaderEvent] = []
    for at, reader, line in merged:
        found = decoders[reader].edge(line, Monotonic(at))
        events += found if reader == 0 else []
    assert events + decoders[0].advance(Monotonic(end)) == alone


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something done to a decoder by a source that has gone mad."""

    do: Callable[[Decoder, Monotonic], object]
    step: int


garbage = st.lists(
    st.builds(
        Garbage,
        do=st.sampled_from(
            [
                lambda decoder, at: decoder.edge(0, at),
                lambda decoder, at: decoder.edge(1, at),
                lambda decoder, at: decoder.advance(at),
                lambda decoder, at: decoder.edges_lost(at),
                lambda decoder, at: decoder.level(0, low=True, at=at),
                lambda decoder, at: decoder.level(1, low=True, at=at),
                lambda decoder, at: decoder.level(0, low=False, at=at),
                lambda decoder, at: decoder.counters(),
            ]
        ),
        step=st.one_of(gaps, st.integers(-40 * SECOND, 40 * SECOND)),
    ),
    max_size=60,
)


@given(acts=garbage, repeat=st.integers(1, 40))
def test_after_any_garbage_and_the_silence_to_arm_the_next_card_is_read(acts: list[Garbage], repeat: int) -> None:
    decoder = decoder_for("H10301", keypad=KEYPAD)
    at = latest = START
    for act in acts * repeat:
        at += act.step
        latest = max(latest, at)
        act.do(decoder, Monotonic(at))
        assert footprint(decoder) <= 64
    decoder.level(0, low=False, at=Monotonic(latest))
    decoder.level(1, low=False, at=Monotonic(latest))
    clean = latest + 32 * SECOND
    wait(decoder, until=clean)
    assert decoder.counters()["armed"] == 1
    length, raw = H10301.encode({"facility": 1, "card": 2})
    events = play(decoder, card_edges(length, raw, at=clean), until=clean + SECOND)
    assert read_cards(events) == [(length, raw)]


def footprint(decoder: Decoder) -> int:
    """How many things a decoder keeps: items in its lists, and words of its one growing number."""
    arming, raw = decoder._arming, decoder._raw
    assert raw.bit_length() <= 37
    return len(decoder._intervals) + len(arming._bad_frames) + len(arming._fell) + len(arming._low)


@settings(max_examples=5)
@given(every=st.sampled_from([20 * US, 150 * US, 1 * MS, 7 * MS]), names=format_sets)
def test_memory_is_bounded_for_long_noise(every: int, names: tuple[str, ...]) -> None:
    decoder = decoder_for(*names)
    kept = set()
    for place in range(20_000):
        decoder.edge(1 if place % 3 else 0, Monotonic(START + place * every))
        kept.add(footprint(decoder))
    assert max(kept) <= 36 + 5 + 2 + 2


@given(card=cards())
def test_swapped_lines_give_the_complement_and_are_flagged(card: tuple[int, int]) -> None:
    length, raw = card
    decoder = decoder_for("H10301")
    swapped: list[ReaderEvent] = []
    for place in range(3):
        edges: list[Edge] = [(0 if line else 1, at) for line, at in card_edges(length, raw, at=START + place * SECOND)]
        swapped += play(decoder, edges, until=START + place * SECOND + 100 * MS)
    assert read_cards(swapped) == []
    assert (decoder.counters()["refused: format, complement fits"], decoder.counters()["swapped lines"]) == (3, 1)
    trusting = Decoder(name=NAME, card_lengths=frozenset({26}), accept=lambda _length, _raw: True, now=Monotonic(0))
    edges = [(0 if line else 1, at) for line, at in card_edges(length, raw, at=START)]
    assert read_cards(play(trusting, edges, until=START + SECOND)) == [(length, raw ^ 0x3FFFFFF)]


@given(frame=frames(), data=st.data())
def test_equal_or_backward_timestamps_never_accept(
    frame: tuple[tuple[int, int], list[Edge]], data: st.DataObject
) -> None:
    _, edges = frame
    place = data.draw(st.integers(1, len(edges) - 1))
    before = edges[place - 1][1]
    edges[place] = (edges[place][0], before - data.draw(st.integers(0, 2 * SECOND)))
    assert read_cards(in_one_go(decoder_for("H10301"), edges, START + 10 * SECOND)) == []


@given(edges=streams())
def test_armed_and_fault_alternate(edges: list[Edge]) -> None:
    events = in_one_go(decoder_for("H10301", armed=False), edges, START + 10**15)
    standing = [
        isinstance(event, ReaderArmed) for event in events if type(event).__name__ in {"ReaderArmed", "ReaderFault"}
    ]
    assert standing == [place % 2 == 0 for place in range(len(standing))]
    assert standing[-1]
