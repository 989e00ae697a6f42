"""What pulses say of a Wiegand reader's wires: each fault by its name, and none at a good reader."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Literal

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from hal.errors import ConfigurationError
from hal.events import MS, SECOND, CardBits, KeyPressed
from hal.wiegand.arming import Line
from hal.wiegand.cards import FORMATS, CardFormat
from hal.wiegand.keys import DIGITS, Keypad, KeypadEncoding
from hal.wiegand.rhythm import TOO_CLOSE
from hal.wiegand.wiring import Expected, Fault, bursts, findings, hanging
from tests.hal.wiegand_line import Edge, card_edges, decoder_for, play

H10301 = FORMATS["H10301"]
CARD = H10301.encode({"facility": 12, "card": 3456})
CARDS_ONLY = Expected(card=H10301)
AT = 10 * SECOND
US = 1_000


def keypad(encoding: str, enter: Literal["*", "#"] = "#") -> Keypad:
    return Keypad(encoding=KeypadEncoding(encoding), enter_key=enter)


def edges(length: int, raw: int, interval: int = MS) -> list[Edge]:
    return card_edges(length, raw, at=AT, interval=interval)


def swapped(found: Sequence[Edge]) -> list[Edge]:
    return [(0 if line else 1, at) for line, at in found]


def only(line: Line, found: Sequence[Edge]) -> list[Edge]:
    return [edge for edge in found if edge[0] == line]


def faults(found: Sequence[Edge], expected: Expected = CARDS_ONLY, low: frozenset[Line] = frozenset()) -> list[str]:
    return [finding.fault for finding in findings(bursts(found), expected, low=low)]


FAULTS = {
    "swapped": (Fault.SWAPPED, swapped(edges(*CARD)), CARDS_ONLY),
    "swapped, 37 bits": (
        Fault.SWAPPED,
        swapped(edges(*FORMATS["H10304"].encode({"facility": 3, "card": 70_001}))),
        Expected(card=FORMATS["H10304"]),
    ),
    "swapped at a keypad with parity": (
        Fault.SWAPPED, swapped(edges(*keypad("6-bit").frame((DIGITS[7],)))), Expected(card=None, keypad=keypad("6-bit")),
    ),
    "D0 off": (Fault.D0_SILENT, only(1, edges(*CARD)), CARDS_ONLY),
    "D1 off": (Fault.D1_SILENT, only(0, edges(*CARD)), CARDS_ONLY),
    "nothing came": (Fault.NOTHING, [], CARDS_ONLY),
    "both lines at once": (
        Fault.NOISE, sorted([*edges(*CARD), *((0 if line else 1, at + 5 * US) for line, at in edges(*CARD))], key=lambda e: e[1]), CARDS_ONLY,
    ),
    "equal times": (Fault.NOISE, [*edges(*CARD), (0, AT)], CARDS_ONLY),
    "a spike in a card": (Fault.NOISE, sorted([*edges(*CARD), (1, AT + 7 * MS + 300 * US)], key=lambda e: e[1]), CARDS_ONLY),
    "a pulse lost in a card": (Fault.NOISE, [edge for edge in edges(*CARD) if edge[1] != AT + 9 * MS], CARDS_ONLY),
    "the first pulse lost": (Fault.NOISE, edges(*CARD)[1:], Expected(card=H10301)),
    "a wild rhythm": (Fault.NOISE, [(line, at + (n * 7919 % 11) * 90 * US) for n, (line, at) in enumerate(edges(*CARD))], CARDS_ONLY),
    "no parity fits": (Fault.NOISE, edges(CARD[0], CARD[1] ^ 1), CARDS_ONLY),
    "a floating wire's hum": (Fault.NOISE, [(0, AT + n * 10 * MS) for n in range(200)], CARDS_ONLY),
    "one stray pulse": (Fault.NOISE, [(0, AT)], CARDS_ONLY),
    "8-bit keys where 4-bit is configured": (
        Fault.KEYPAD, edges(*keypad("8-bit").frame((DIGITS[5],))), Expected(card=H10301, keypad=keypad("4-bit")),
    ),
    "4-bit keys where 8-bit is configured": (
        Fault.KEYPAD, edges(*keypad("4-bit").frame((DIGITS[5],))), Expected(card=H10301, keypad=keypad("8-bit")),
    ),
    "a zero, all on one line": (
        Fault.KEYPAD, edges(*keypad("4-bit").frame((DIGITS[0],))), Expected(card=H10301, keypad=keypad("8-bit")),
    ),
    "6-bit keys and no keypad": (Fault.KEYPAD, edges(*keypad("6-bit").frame((DIGITS[5],))), CARDS_ONLY),
    "34 bits where 26 are configured": (
        Fault.CARD_FORMAT, edges(*FORMATS["H10306"].encode({"facility": 1, "card": 2})), CARDS_ONLY,
    ),
    "a card at a keypad": (Fault.CARD_FORMAT, edges(*CARD), Expected(card=None, keypad=keypad("8-bit"))),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "found", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_exactly(fault: Fault, found: list[Edge], expected: Expected) -> None:
    (finding,) = findings(bursts(found), expected)
    assert finding.fault == fault.value
    assert "likely" in finding.words
    assert finding.do
    assert not {"{", "}"} & {*finding.words, *finding.do}


@pytest.mark.parametrize(
    ("low", "fault"),
    [({0}, Fault.D0_LOW), ({1}, Fault.D1_LOW), ({0, 1}, Fault.BOTH_LOW)],
    ids=["D0", "D1", "both"],
)
def test_a_low_line_says_more_than_what_came_over_it(low: set[Line], fault: Fault) -> None:
    assert faults(only(1, edges(*CARD)), low=frozenset(low)) == [fault.value]


@pytest.mark.parametrize(
    ("hung", "fault"),
    [({0}, Fault.D0_HUNG), ({1}, Fault.D1_HUNG), ({0, 1}, Fault.BOTH_HUNG)],
    ids=["D0", "D1", "both"],
)
def test_a_line_that_hangs_in_the_air_may_be_low_by_chance(hung: set[Line], fault: Fault) -> None:
    (finding,) = findings((), CARDS_ONLY, low=frozenset[Line]({0}), hung=hung)
    assert finding.fault == fault.value
    assert "likely" in finding.words
    assert "hanging in the air" in finding.words


@pytest.mark.parametrize(
    ("looks", "hung"),
    [
        ([], set()), ([set(), set()], set()), ([{0}, {0}], {0}), ([{1}, {0, 1}, {1}], {1}), ([{0, 1}, {0, 1}], {0, 1}),
        ([{0, 1}, set(), {0, 1}], set()), ([{0}, {1}], set()),
    ],
)  # fmt: skip
def test_a_line_hangs_that_falls_in_every_look(looks: list[set[Line]], hung: set[Line]) -> None:
    assert hanging(looks) == hung


def test_every_fault_has_a_case() -> None:
    at_rest = {Fault.D0_LOW, Fault.D1_LOW, Fault.BOTH_LOW, Fault.D0_HUNG, Fault.D1_HUNG, Fault.BOTH_HUNG}
    assert {fault for fault, _, _ in FAULTS.values()} | at_rest == set(Fault)


SPOILT = {
    "D0 off": lambda found: only(1, found),
    "D1 off": lambda found: only(0, found),
    "D0 seen on both": lambda found: sorted([*found, *((1, at + 5 * US) for line, at in found if not line)], key=lambda e: e[1]),
    "D1 seen on both": lambda found: sorted([*found, *((0, at + 5 * US) for line, at in found if line)], key=lambda e: e[1]),
    "no ground": lambda found: sorted([*found, *((1 - line, at + 5 * US) for line, at in found)], key=lambda e: e[1]),
}  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
@given(payload=st.integers(0, 2**24 - 1))
def test_no_words_tell_how_many_pulses_came(spoil: Callable[[list[Edge]], list[Edge]], payload: int) -> None:
    """At bad wires, where their number would be that of its ones or zeros."""
    raw = H10301.encode({"facility": payload >> 16, "card": payload & 0xFFFF})[1]
    for finding in findings(bursts(spoil(edges(26, raw))), CARDS_ONLY):
        if finding.fault != Fault.KEYPAD.value:  # as few and as regular as the pulses of a key: then it says a key's
            assert set(re.findall(r"\b\d+\b", finding.words)) <= {"120", "26"}


def test_a_hint_says_what_to_write() -> None:
    (finding,) = findings(bursts(edges(*keypad("8-bit").frame((DIGITS[5],)))), CARDS_ONLY)
    assert finding.words.endswith('8 bits, as "8-bit" has them; doorctl.toml has none')
    assert finding.do == 'write keypad = "8-bit" for this reader, or change the reader\'s setting'


def test_a_good_card_after_a_bad_one_leaves_the_bad_one_told() -> None:
    bad = [(line, at - SECOND) for line, at in swapped(edges(*CARD))]
    assert faults([*bad, *edges(*CARD)]) == [Fault.SWAPPED.value]


def test_parity_that_is_not_checked_is_no_fault() -> None:
    wrong = edges(CARD[0], CARD[1] ^ 1)
    assert faults(wrong, replace(CARDS_ONLY, check_parity=False)) == []


def test_no_bits_in_what_is_told() -> None:
    burst = bursts(edges(*CARD))[0]
    assert str(CARD[1]) not in repr(burst)
    assert burst.pulses == (26 - CARD[1].bit_count(), CARD[1].bit_count())


WORST = [1750, *[1000] * 12, 500, *[1000] * 8, 1750, 1750, 500]
"""Per mille of the median: as far as the decoder goes, facts/wiegand.md; a short interval has a long neighbour."""


@pytest.mark.parametrize("interval", [250 * US, 2 * MS, 14 * MS], ids=["fastest", "usual", "slowest"])
def test_the_worst_jitter_of_a_legal_reader_is_no_fault(interval: int) -> None:
    length, raw = CARD
    assert len(WORST) == length - 1
    assert interval * min(WORST) // 1000 >= TOO_CLOSE
    at = AT
    found: list[Edge] = []
    for place, wait in enumerate([0, *WORST]):
        at += interval * wait // 1000
        found.append((1 if raw >> (length - 1 - place) & 1 else 0, at))
    (card,) = [event for event in play(decoder_for("H10301"), found, until=at + SECOND) if isinstance(event, CardBits)]
    assert (card.length, card.raw) == CARD
    assert faults(found) == []


@st.composite
def formats_and_cards(draw: st.DrawFn) -> tuple[CardFormat, int]:
    """Any format, any card of it."""
    card_format = FORMATS[draw(st.sampled_from(sorted(FORMATS)))]
    values = {name: draw(st.integers(0, (1 << len(shifts)) - 1)) for name, shifts in card_format.fields.items()}
    try:
        return card_format, card_format.encode(values)[1]
    except ConfigurationError:  # a field that covers bits which are fixed
        reject()


@given(formats_and_cards(), st.integers(240 * US, 17 * MS), st.randoms(use_true_random=False))
def test_a_good_card_of_any_format_is_never_a_finding(
    made: tuple[CardFormat, int], interval: int, random: Random
) -> None:
    card_format, raw = made
    at = AT
    found: list[Edge] = []
    for place in range(card_format.bits):
        found.append((1 if raw >> (card_format.bits - 1 - place) & 1 else 0, at))
        at += round(interval * random.uniform(0.87, 1.13))
    assert faults(found, Expected(card=card_format)) == []


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(100 * US, 30 * MS)), max_size=60))
def test_what_the_decoder_reads_is_never_a_finding(steps: list[tuple[Line, int]]) -> None:
    found, at = [], AT
    for line, wait in steps:
        at += wait
        found.append((line, at))
    expected = Expected(card=H10301, keypad=keypad("4-bit"))
    events = play(decoder_for("H10301", keypad=keypad("4-bit")), found, until=at + SECOND)
    read = sum(isinstance(event, CardBits | KeyPressed) for event in events)
    told = findings(bursts(found), expected) if found else ()
    assert len(bursts(found)) >= read
    if read == len(bursts(found)):
        assert told == ()


@given(formats_and_cards())
def test_swapped_lines_are_told_where_the_format_can_tell(made: tuple[CardFormat, int]) -> None:
    card_format, raw = made
    inverted = (1 << card_format.bits) - 1 - raw
    told = faults(swapped(edges(card_format.bits, raw)), Expected(card=card_format))
    readable = card_format.refusal(card_format.bits, inverted) is None
    assert told == ([] if readable else [Fault.SWAPPED.value])
