"""The Wiegand part of `make bench`: how soon, how dear, and how often wrong, beside two naive decoders."""

from collections.abc import Iterator
from time import perf_counter_ns

from hal.events import MS, SECOND
from hal.wiegand.cards import FORMATS, CardPolicy
from tests.bench.wiegand_decoders import DECODERS, Decode
from tests.bench.wiegand_hazards import HAZARD_NAMES, SETS, score
from tests.hal.wiegand_line import Edge, card_edges

CARDS = 500
TRIALS = 2_000


def cards_at_one_millisecond(count: int = CARDS) -> list[Edge]:
    """Good cards, ten a second, a bit a millisecond."""
    h10301 = FORMATS["H10301"]
    return [
        edge
        for place in range(count)
        for edge in card_edges(*h10301.encode({"facility": 12, "card": place}), at=2 * SECOND + place * 100 * MS)
    ]


def latency_ns(decode: Decode) -> int:
    """From a card's last edge to its decision in virtual time, the worst of many."""
    readings = decode(cards_at_one_millisecond(), CardPolicy(FORMATS["H10301"]))
    if len(readings) != CARDS:
        raise RuntimeError(f"{len(readings)} of {CARDS} cards read")
    return max(reading.decided_at - reading.last_edge for reading in readings)


def cost_ns(decode: Decode) -> int:
    """Time of the processor for one edge, deadlines included; the best of five."""
    edges = cards_at_one_millisecond()
    policy = CardPolicy(FORMATS["H10301"])
    rounds = []
    for _ in range(5):
        begun = perf_counter_ns()
        decode(edges, policy)
        rounds.append(perf_counter_ns() - begun)
    return min(rounds) // len(edges)


def lines(trials: int = TRIALS) -> Iterator[str]:
    """The report, a line at a time."""
    yield f"{'Wiegand decoder':36}" + "".join(f"{name:>16}" for name in DECODERS)
    decoders = DECODERS.values()
    yield f"{'last edge → decision, 1 ms a bit':36}" + "".join(f"{latency_ns(d) / MS:>13.1f} ms" for d in decoders)
    yield f"{'processor time an edge':36}" + "".join(f"{cost_ns(d) / 1_000:>13.1f} µs" for d in decoders)
    for card_set in SETS:
        for hazard in HAZARD_NAMES:
            scores = [score(d, hazard=hazard, card_set=card_set, trials=trials) for d in decoders]
            shown = "".join(f"{100 * each.wrong / trials:>14.2f} %" for each in scores)
            yield f"{f'wrong, {card_set}, {hazard}':36}{shown}"
