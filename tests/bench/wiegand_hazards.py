"""What happens to a card on its way down the line, drawn at random from a seed.

One trial is one card, or what is left of it, at a reader that was powered at 0. A card that comes out of a
decoder and was not the one that was sent is *wrong*: it would be somebody else's, or would be lucky garbage.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from hal.events import MS, SECOND
from hal.wiegand.cards import FORMATS, CardPolicy
from hal.wiegand.rhythm import US
from tests.bench.wiegand_decoders import Decode
from tests.hal.wiegand_line import Edge

SENT_AT = 3 * SECOND
LONGEST_INTERVAL = 20 * MS
SETS = {
    "{26}": (FORMATS["H10301"],),
    "{26, 34, 37}": (FORMATS["H10301"], FORMATS["H10306"], FORMATS["H10302"]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was sent and what arrived."""

    sent: tuple[int, int] | None
    """None: nothing that this reader should read."""
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What became of many trials."""

    read: int
    missed: int
    wrong: int


def _any_line(rng: Random) -> int:
    return rng.randrange(2)


def _in_order(edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted(edges, key=lambda edge: edge[1])


def _frame(rng: Random, length: int, raw: int, at: int) -> list[tuple[int, int]]:
    """One card at a random pace from 0.25 to 5 ms, each interval within a tenth of it."""
    interval = 250 * US * 20 ** rng.random()
    edges = []
    for place in range(length):
        edges.append((raw >> (length - 1 - place) & 1, at))
        at += int(interval * rng.uniform(0.9, 1.1))
    return edges


def _glitched(rng: Random, edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return _in_order([*edges, (_any_line(rng), rng.randint(edges[0][1], edges[-1][1]))])


def _losing(rng: Random, edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    lost = rng.randrange(len(edges))
    return edges[:lost] + edges[lost + 1 :]


def _crosstalk(rng: Random, edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A pulse on one line shows on the other one up to 100 µs later."""
    echoing = rng.sample(edges, rng.randint(1, len(edges)))
    return _in_order([*edges, *((1 - line, at + rng.randint(1, 100 * US)) for line, at in echoing)])


def _noisy(rng: Random, edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    begin, end = edges[0][1] - 20 * MS, edges[-1][1] + 20 * MS
    return _in_order([*edges, *((_any_line(rng), rng.randint(begin, end)) for _ in range(rng.randint(2, 40)))])


def _paused(rng: Random, edges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """One interval as long as the standard lets it be."""
    place = rng.randrange(1, len(edges))
    before = edges[place - 1][1]
    usual = edges[place][1] - before
    longer = rng.randint(min(2 * usual, LONGEST_INTERVAL), LONGEST_INTERVAL) - usual
    return [(line, at + (longer if at > before else 0)) for line, at in edges]


HAZARDS: dict[str, Callable[[Random, list[tuple[int, int]]], list[tuple[int, int]]]] = {
    "none": lambda _rng, edges: edges,
    "lost bit": _losing,
    "glitch": _glitched,
    "lost bit + glitch": lambda rng, edges: _losing(rng, _glitched(rng, edges)),
    "crosstalk": _crosstalk,
    "noise": _noisy,
    "pause": _paused,
}
"""What befalls a good card. Two more hazards send no good card at all."""
OVERLONG, POWER_UP = "overlong", "power-up"
HAZARD_NAMES = (*HAZARDS, OVERLONG, POWER_UP)


def draw(rng: Random, hazard: str, card_set: str) -> Trial:
    """One trial."""
    formats = SETS[card_set]
    if hazard == OVERLONG:
        foreign = [length for length in range(27, 57) if length not in CardPolicy(*formats).lengths]
        length = rng.choice(foreign)
        return _trial(None, _frame(rng, length, rng.getrandbits(length), SENT_AT))
    if hazard == POWER_UP:
        length = rng.choice([4, *(card_format.bits for card_format in formats)])
        return _trial(None, _frame(rng, length, rng.getrandbits(length), rng.randrange(900 * MS)))
    card_format = rng.choice(formats)
    values = {name: rng.getrandbits(len(shifts)) for name, shifts in card_format.fields.items()}
    length, raw = card_format.encode(values)
    return _trial((length, raw), HAZARDS[hazard](rng, _frame(rng, length, raw, SENT_AT)))


def _trial(sent: tuple[int, int] | None, edges: list[tuple[int, int]]) -> Trial:
    return Trial(sent=sent, edges=tuple((1 if line else 0, at) for line, at in edges))


def score(decode: Decode, *, hazard: str, card_set: str, trials: int, seed: int = 1) -> Score:
    """How one decoder fares; the same seed gives every decoder the same trials."""
    rng = Random(f"{seed} {hazard} {card_set}")
    policy = CardPolicy(*SETS[card_set])
    read = missed = wrong = 0
    for _ in range(trials):
        trial = draw(rng, hazard, card_set)
        got = [(reading.length, reading.raw) for reading in decode(trial.edges, policy)]
        if any(card != trial.sent for card in got) or len(got) > 1:
            wrong += 1
        elif got:
            read += 1
        else:
            missed += 1
    return Score(read=read, missed=missed, wrong=wrong)
