"""What a Wiegand reader's pulses say of its wires: edges and levels in, likely faults out, in an installer's words.

Pure: no clock, no line. It never says that a card is good which the decoder would refuse, nor finds fault with a frame
that the decoder reads: both measure with the same rule (rhythm). Must never put a frame's bits into a message, nor how
many pulses a line had: that is how many zeros or ones a card or a key has.

| what was seen                                             | likely                                            |
|-----------------------------------------------------------|---------------------------------------------------|
| a line falls again and again with nobody at the reader    | D0_HUNG, D1_HUNG, BOTH_HUNG                       |
| a line is low at rest                                     | D0_LOW, D1_LOW, BOTH_LOW                          |
| a card was held there, and no pulse came                  | NOTHING                                           |
| edges nearer than a pulse is wide, on one line or on both | NOISE                                             |
| pulses on one line only, and no frame of it               | D0_SILENT, D1_SILENT                              |
| pulses without a rhythm, or of no known length            | NOISE                                             |
| a frame that fits with each bit inverted, and only so     | SWAPPED                                           |
| a frame as another keypad sends it                        | KEYPAD                                            |
| a frame as another card format has it                     | CARD_FORMAT                                       |
| the right length in rhythm, and parity fits neither way   | NOISE                                             |
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from hal.wiegand.arming import Line
from hal.wiegand.cards import FORMATS, CardFormat
from hal.wiegand.decoder import SHORT_FRAME
from hal.wiegand.keys import FRAME_BITS, Keypad, KeypadEncoding
from hal.wiegand.rhythm import SILENCE, TOO_CLOSE, Rhythm, rhythm_of
from hal.wiring import Finding

LONGEST_CARD: Final = max(known.bits for known in FORMATS.values())
ENOUGH_FOR_SILENT: Final = 4
"""Pulses on one line before the other is missed: as many as the shortest frame has."""
_LINES: Final[tuple[Line, ...]] = (0, 1)
_FEWEST: Final = 3
"""Edges that have a rhythm."""
_BOTH_ENDS: Final[tuple[Literal["*", "#"], ...]] = ("*", "#")


class Fault(Enum):
    """What is likely wrong; the values are for scripts."""

    BOTH_HUNG = "both data lines hang in the air"
    D0_HUNG = "D0 hangs in the air"
    D1_HUNG = "D1 hangs in the air"
    BOTH_LOW = "both data lines low"
    D0_LOW = "D0 stuck low"
    D1_LOW = "D1 stuck low"
    SWAPPED = "D0 and D1 swapped"
    D0_SILENT = "D0 never moves"
    D1_SILENT = "D1 never moves"
    NOTHING = "neither line moves"
    NOISE = "noise"
    KEYPAD = "another keypad format"
    CARD_FORMAT = "another card format"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the configuration says of the reader."""

    card: CardFormat | None
    check_parity: bool = True
    keypad: Keypad | None = None

    def card_fits(self, length: int, raw: int) -> bool:
        """Whether it is a card of the format."""
        return self.card is not None and self.card.refusal(length, raw, check_parity=self.check_parity) is None

    def key_fits(self, length: int, raw: int) -> bool:
        """Whether it is a frame of the keypad."""
        return self.keypad is not None and isinstance(self.keypad.read(length, raw), tuple)

    def fits(self, length: int, raw: int) -> bool:
        """Whether the decoder would take it, its rhythm apart."""
        return self.key_fits(length, raw) or self.card_fits(length, raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Edges between two silences, measured."""

    bits: int
    raw: int = field(repr=False)
    pulses: tuple[int, int] = field(repr=False)
    """On D0 and on D1; in no message."""
    closest: int | None
    """Nanoseconds between the two nearest neighbours; None for a single edge."""
    rhythm: Rhythm | None
    """None where there are too few edges for one."""

    @property
    def in_rhythm(self) -> bool:
        """As the decoder wants it."""
        return (
            self.rhythm is not None
            and self.rhythm.regular
            and self.closest is not None
            and self.closest >= TOO_CLOSE
            and self.bits <= LONGEST_CARD
        )


def bursts(edges: Iterable[tuple[Line, int]]) -> tuple[Burst, ...]:
    """Cut at silences. Edges in any order; equal times are edges at once."""
    groups: list[list[tuple[Line, int]]] = []
    for line, at in sorted(edges, key=lambda edge: edge[1]):
        if not groups or at - groups[-1][-1][1] >= SILENCE:
            groups.append([])
        groups[-1].append((line, at))
    return tuple(map(_measured, groups))


def _measured(edges: Sequence[tuple[Line, int]]) -> Burst:
    raw = 0
    for line, _ in edges:
        raw = raw << 1 | line
    intervals = [later - earlier for (_, earlier), (_, later) in pairwise(edges)]
    ones = raw.bit_count()
    return Burst(
        bits=len(edges),
        raw=raw,
        pulses=(len(edges) - ones, ones),
        closest=min(intervals, default=None),
        rhythm=rhythm_of(intervals) if len(edges) >= _FEWEST else None,
    )


def judge(burst: Burst, expected: Expected) -> Fault | None:
    """The one fault that a burst speaks for most; None for a frame that is read."""
    length, raw = burst.bits, burst.raw
    if burst.in_rhythm:
        if expected.fits(length, raw):
            return None
        if expected.fits(length, _inverted(burst)):
            return Fault.SWAPPED
        if length < SHORT_FRAME and keypads_of(burst):
            return Fault.KEYPAD
        if length >= SHORT_FRAME and 0 not in burst.pulses and card_formats_of(burst):
            return Fault.CARD_FORMAT
    clean = burst.closest is not None and burst.closest >= TOO_CLOSE and length <= LONGEST_CARD
    if clean and length >= ENOUGH_FOR_SILENT and 0 in burst.pulses:
        return Fault.D1_SILENT if burst.pulses[1] == 0 else Fault.D0_SILENT
    return Fault.NOISE


_ZERO, _ONE = frozenset[Line]({0}), frozenset[Line]({1})
_LOW: Final = {_ZERO: Fault.D0_LOW, _ONE: Fault.D1_LOW, _ZERO | _ONE: Fault.BOTH_LOW}
_HUNG: Final = {_ZERO: Fault.D0_HUNG, _ONE: Fault.D1_HUNG, _ZERO | _ONE: Fault.BOTH_HUNG}


def is_whole(burst: Burst, expected: Expected) -> bool:
    """Whether its length is a frame's, and may be told.

    Where pulses came on one line only, or some are missing or doubled, their number can be that of the zeros or the
    ones in the frame.
    """
    fault = judge(burst, expected)
    known = fault in {None, Fault.SWAPPED, Fault.KEYPAD, Fault.CARD_FORMAT}
    return known or (burst.in_rhythm and 0 not in burst.pulses)


def hanging(looks: Sequence[Collection[Line]]) -> frozenset[Line]:
    """The lines that fell in each of some looks that follow one another, together longer than any card takes."""
    return frozenset(line for line in _LINES if looks and all(line in look for look in looks))


def keypads_of(burst: Burst) -> tuple[KeypadEncoding, ...]:
    """The encodings of single keys that have this frame."""
    return tuple(
        encoding
        for encoding, length in FRAME_BITS.items()
        if length == burst.bits < SHORT_FRAME
        and any(
            isinstance(Keypad(encoding=encoding, enter_key=end).read(burst.bits, burst.raw), tuple)
            for end in _BOTH_ENDS
        )
    )


def card_formats_of(burst: Burst) -> tuple[str, ...]:
    """The names of formats that take this frame."""
    return tuple(name for name, known in FORMATS.items() if known.refusal(burst.bits, burst.raw) is None)


def findings(
    seen: Sequence[Burst], expected: Expected, *, low: Collection[Line] = (), hung: Collection[Line] = ()
) -> tuple[Finding, ...]:
    """What is told of one card or key, the likeliest first.

    `low` are the lines that are low at rest, `hung` those that never rest, and may be low by chance.

    No burst at all is NOTHING: call it when somebody says that a card was held to the reader.
    """
    if hung or low:
        lines = frozenset(hung or low)
        return (_told((_HUNG if hung else _LOW)[lines], (), expected),)
    if not seen:
        return (_told(Fault.NOTHING, (), expected),)
    by_fault: dict[Fault, list[Burst]] = {}
    for burst in seen:
        fault = judge(burst, expected)
        if fault is not None:
            by_fault.setdefault(fault, []).append(burst)
    ordered = sorted(by_fault, key=lambda fault: -max(burst.bits for burst in by_fault[fault]))
    return tuple(_told(fault, by_fault[fault], expected) for fault in ordered)


def _told(fault: Fault, found: Sequence[Burst], expected: Expected) -> Finding:
    words, do = _WORDS[fault]
    facts: dict[str, str] = {}
    if found:
        most = max(found, key=lambda burst: burst.bits)
        configured = "none" if expected.keypad is None else f'"{expected.keypad.encoding.value}"'
        facts = {
            "bits": str(most.bits),
            "how": _how_disturbed(most, expected),
            "sent": " or ".join(f'"{encoding.value}"' for encoding in keypads_of(most)),
            "keypad": configured,
            "formats": ", ".join(card_formats_of(most)),
            "card": "no card" if expected.card is None else f"{expected.card.name} of {expected.card.bits} bits",
        }
    return Finding(fault=fault.value, words=words.format(**facts), do=do.format(**facts))


def _how_disturbed(burst: Burst, expected: Expected) -> str:
    if burst.closest is None:
        return "a single stray pulse"
    if burst.closest < TOO_CLOSE:
        return f"some less than {TOO_CLOSE // 1000} µs apart or on both lines at once"
    if burst.bits > LONGEST_CARD:
        return "more without a pause than any card has"
    if not is_whole(burst, expected):
        return "without a steady rhythm"
    if expected.card is not None and burst.bits == expected.card.bits:
        return f"{burst.bits} bits in rhythm, but no parity fits"
    return f"{burst.bits} bits, as no known card has"


def _inverted(burst: Burst) -> int:
    return (1 << burst.bits) - 1 - burst.raw


class _Words(NamedTuple):
    """Both with the names of `_told` in braces."""

    likely: str
    do: str


def _low(line: str, wire: str) -> _Words:
    return _Words(
        likely=f"{line} low at rest: likely shorted to ground, without a pull-up, or the reader has no power",
        do=f"measure {wire} against ground: 5 V at the reader, the pin's voltage behind the level shifter; then look "
        "for power at the reader, a wire on a wrong terminal, and strands that touch",
    )


def _hung(line: str, wire: str) -> _Words:
    return _Words(
        likely=f"{line} with nobody at the reader: likely {wire} without a pull-up and hanging in the air, or "
        "there is no common ground",
        do="press the wire home at both ends, look whether the level shifter has its voltage on both sides, and join "
        "the reader's ground to the board's",
    )


def _silent(line: str, other: str) -> _Words:
    return _Words(
        likely=f"{line} never moves while {other}: likely a broken or loose wire, or a level shifter without pull-up",
        do="press the wire home at both ends, try another core of the cable, and compare the pin with doorctl.toml",
    )


_WORDS: Final[dict[Fault, _Words]] = {
    Fault.BOTH_HUNG: _hung("both data lines pulse", "they are"),
    Fault.D0_HUNG: _hung("D0 pulses", "it is"),
    Fault.D1_HUNG: _hung("D1 pulses", "it is"),
    Fault.BOTH_LOW: _low("both data lines are", "both wires"),
    Fault.D0_LOW: _low("D0 is", "D0"),
    Fault.D1_LOW: _low("D1 is", "D1"),
    Fault.SWAPPED: _Words(
        likely="D0 and D1 are likely swapped: {bits} bits came, and fit only with each of them inverted",
        do="exchange the two wires (mostly green is D0 and white is D1), or the two pins in doorctl.toml",
    ),
    Fault.D0_SILENT: _silent("D0", "D1 does"),
    Fault.D1_SILENT: _silent("D1", "D0 does"),
    Fault.NOTHING: _Words(
        likely="neither data line moves: likely the reader has no power, both wires are off, or it does not know such "
        "cards",
        do="does the reader beep or light for the card? If not: its power, and a card that it is made for; if so: both "
        "data wires, and the pins in doorctl.toml",
    ),
    Fault.NOISE: _Words(
        likely="the pulses are disturbed ({how}): likely no common ground of reader and board, or a cable beside a "
        "power cable",
        do="join the reader's ground (mostly black) to the board's, take shielded cable, keep it away from mains and "
        "from the strike's cable; if it stays, a reader that sends another format may look alike",
    ),
    Fault.KEYPAD: _Words(
        likely="the keypad likely sends keys in another form: {bits} bits, as {sent} has them; doorctl.toml has "
        "{keypad}",
        do="write keypad = {sent} for this reader, or change the reader's setting",
    ),
    Fault.CARD_FORMAT: _Words(
        likely="the wires are likely right and the format is another: {bits} bits, as {formats} has them; doorctl.toml "
        "has {card}",
        do="find what the cards' maker calls them (`doorctl check --formats`) and write that format",
    ),
}
