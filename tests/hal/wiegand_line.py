"""A Wiegand line in virtual time: cards become edges, edges go through a decoder as a reader would drive it."""

from collections.abc import Sequence

from hal.events import MS, SECOND, Monotonic, ReaderEvent
from hal.wiegand.arming import Line
from hal.wiegand.cards import FORMATS, CardPolicy
from hal.wiegand.decoder import Decoder
from hal.wiegand.keys import Keypad

Edge = tuple[Line, int]

ARMED = 1 * SECOND
"""When a decoder that began at 0 is armed, on idle lines."""
NAME = "front"
H10301 = FORMATS["H10301"]
MIXED = {26: H10301, 34: FORMATS["H10306"], 37: FORMATS["H10302"]}


def decoder_for(*names: str, keypad: Keypad | None = None, name: str = NAME, armed: bool = True) -> Decoder:
    """A decoder for formats by name, started at 0 and armed at 1 s."""
    policy = CardPolicy(*(FORMATS[format_name] for format_name in names))
    decoder = Decoder(name=name, card_lengths=policy.lengths, accept=policy, keypad=keypad, now=Monotonic(0))
    if armed:
        play(decoder, [], until=ARMED)
    return decoder


def card_edges(length: int, raw: int, *, at: int, interval: int = MS) -> list[Edge]:
    """The edges of a frame whose first edge is at `at`."""
    return [(1 if raw >> (length - 1 - place) & 1 else 0, at + place * interval) for place in range(length)]


def play(decoder: Decoder, edges: Sequence[Edge], *, until: int) -> list[ReaderEvent]:
    """Drive a decoder live: each deadline in its time, lines read as high, nothing delivered late."""
    events: list[ReaderEvent] = []
    for line, at in edges:
        events += wait(decoder, until=at)
        events += decoder.edge(line, Monotonic(at))
    return events + wait(decoder, until=until)


def wait(decoder: Decoder, *, until: int) -> list[ReaderEvent]:
    """No edge comes until then."""
    events: list[ReaderEvent] = []
    while (due := decoder.next_deadline()) is not None and due <= until:
        for line in (0, 1):
            events += decoder.level(line, low=False, at=due)
        events += decoder.advance(due)
    return events
