"""Three ways to end a frame, over the same edges: ours, a fixed time-out, and at the length.

The two naive ones are what reader code usually does (facts: 5 to 100 ms time-outs with parity; or no wait at
all). They are given the same format's parity check. Nothing in the product uses them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hal.events import CardBits, Monotonic
from hal.wiegand.cards import CardPolicy
from hal.wiegand.decoder import Decoder
from hal.wiegand.rhythm import SILENCE
from tests.hal.wiegand_line import Edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A card that a decoder believed."""

    length: int
    raw: int
    last_edge: int
    decided_at: int


Decode = Callable[[Sequence[Edge], CardPolicy], list[Reading]]


def by_the_rules(edges: Sequence[Edge], policy: CardPolicy) -> list[Reading]:
    """Our decoder, started at 0 and driven live."""
    decoder = Decoder(name="bench", card_lengths=policy.lengths, accept=policy, now=Monotonic(0))
    readings: list[Reading] = []

    def note(events: Sequence[object], now: int) -> None:
        readings.extend(
            Reading(length=event.length, raw=event.raw, last_edge=event.at, decided_at=now)
            for event in events
            if isinstance(event, CardBits)
        )

    def wait(until: int | None) -> None:
        while (due := decoder.next_deadline()) is not None and (until is None or due <= until):
            note(decoder.advance(due), due)

    for line, at in edges:
        wait(at)
        note(decoder.edge(line, Monotonic(at)), at)
    wait(None)
    return readings


def fixed_timeout(edges: Sequence[Edge], policy: CardPolicy) -> list[Reading]:
    """25 ms of silence end a frame; a configured length with good parity is a card."""
    readings: list[Reading] = []
    frame: list[int] = []
    for place, (line, at) in enumerate(edges):
        frame.append(line)
        if place + 1 < len(edges) and edges[place + 1][1] - at < SILENCE:
            continue
        length, raw = len(frame), _raw(frame)
        if length in policy.lengths and policy(length, raw):
            readings.append(Reading(length=length, raw=raw, last_edge=at, decided_at=at + SILENCE))
        frame.clear()
    return readings


def at_length(edges: Sequence[Edge], policy: CardPolicy) -> list[Reading]:
    """A configured length with good parity is a card at once; 25 ms of silence clear what is left."""
    readings: list[Reading] = []
    frame: list[int] = []
    last = 0
    for line, at in edges:
        if at - last >= SILENCE:
            frame.clear()
        frame.append(line)
        last = at
        length, raw = len(frame), _raw(frame)
        if length in policy.lengths and policy(length, raw):
            readings.append(Reading(length=length, raw=raw, last_edge=at, decided_at=at))
            frame.clear()
    return readings


def _raw(bits: Sequence[int]) -> int:
    """Bits as they were sent, the first one most significant."""
    raw = 0
    for bit in bits:
        raw = raw << 1 | bit
    return raw


DECODERS: dict[str, Decode] = {
    "the rules": by_the_rules,
    "25 ms time-out": fixed_timeout,
    "at length": at_length,
}
