"""Two visits to a door laid under each other: what an onlooker could tell them apart by. Pure; knows no clock.

Times are milliseconds from the last key. While an entry waits, the lamp blinks at the pace of whoever types, so it is
compared from the answer on; everything else from the last key on.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from doorctl.cli.sim_visit import SAME_TIME_MS

LINE_SAME_TIME_MS: Final = 100
"""The line's: a receipt leaves on a tick of 50 ms, and a courier that was busy with supervision takes its turn."""

Edges = tuple[tuple[float, bool], ...]
"""(ms, on) in order; the first is the level at the last key, at 0."""


_KINDS: Final = ("normal", "duress")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What an onlooker with a stop-watch noted of one visit."""

    kind: str
    """"normal" or "duress": whoever plays knows it, and nobody at the door."""
    holder: str
    person: str
    door: str
    time: str
    """Of day, for people."""
    window_ms: float
    """How long it was looked at: until something else was done at the door."""
    answer_ms: float
    """Of the answer's beep or of the strike, whichever was first; of the log's row where the door has nothing else."""
    lamp: Edges
    beep: Edges
    strike: Edges
    """On is released."""
    log: tuple[tuple[float, str], ...]
    line: tuple[tuple[float, str, int], ...]
    """(ms, "up" or "down", bytes) of each message."""
    late: bool = False
    """The board itself counts this answer as late: the computer was too busy for its slot."""
    broken: tuple[str, ...] = ()
    """What the visitor had broken meanwhile, in words: "the line was cut"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The last visit of each kind at one door, as far as there are both."""

    door: str
    visits: tuple[Visit, ...]
    differences: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def compare(door: str, visits: tuple[Visit, ...]) -> Comparison:
    """Of no visits, one, or one of each kind."""
    ordered = tuple(sorted(visits, key=lambda visit: _KINDS.index(visit.kind)))
    found = differences(*ordered) if len(ordered) == len(_KINDS) else []
    return Comparison(door=door, visits=ordered, differences=tuple(found))


def differences(first: Visit, second: Visit) -> list[str]:
    """One line each; nothing is the promise."""
    window = min(first.window_ms, second.window_ms)
    found = _edges_differ(
        "strike", ("released", "secured"), _until(first.strike, window), _until(second.strike, window)
    )
    found += _edges_differ("beep", ("on", "off"), _until(first.beep, window), _until(second.beep, window))
    found += _edges_differ("lamp", ("lit", "dark"), _answer_of_lamp(first, window), _answer_of_lamp(second, window))
    found += _logs_differ(first, second)
    for way, words in (("up", "sent to the monitor"), ("down", "received from the monitor")):
        found += _line_differs(words, _messages(first, way, window), _messages(second, way, window))
    return [*found, *_why(first, second)] if found else []


def _why(first: Visit, second: Visit) -> list[str]:
    """What made them differ, as far as it is not of the door."""
    found = []
    if first.broken != second.broken:
        found += [f"{what} during the {visit.kind} visit" for visit in (first, second) for what in visit.broken]
    late = " and the ".join(visit.kind for visit in (first, second) if visit.late)
    if late:
        found.append(f"this computer was too busy to answer the {late} visit in time: play it again")
    unheard = [visit for visit in (first, second) if not any(way == "up" for _, way, _ in visit.line)]
    for visit in (first, second):
        if visit.strike[0][1]:
            found.append(
                f"the strike was still released when the {visit.kind} code was typed: wait until it is secured"
            )
        if unheard == [visit] and not visit.broken:
            found.append(
                f"no message was seen in time after the {visit.kind} visit: if this computer is busy, play it again"
            )
    return found


def _until(edges: Edges, end: float) -> Edges:
    return tuple(edge for edge in edges if edge[0] <= end)


def _answer_of_lamp(visit: Visit, end: float) -> Edges:
    """What it shows from the answer on; its edge may come a moment before or after the beep's."""
    answered = visit.answer_ms + SAME_TIME_MS
    level = [on for ms, on in visit.lamp if ms <= answered][-1]
    return ((0.0, level), *(edge for edge in visit.lamp if answered < edge[0] <= end))


def _edges_differ(what: str, words: tuple[str, str], first: Edges, second: Edges) -> list[str]:
    if [on for _, on in first] != [on for _, on in second]:
        return [f"{what}: {_told(first, words)}, and {_told(second, words)}"]
    apart = max((abs(a - b) for (a, _), (b, _) in zip(first, second, strict=True)), default=0.0)
    if apart > SAME_TIME_MS:
        return [f"{what}: the same, but up to {apart:.0f} ms apart: {_told(first, words)}, and {_told(second, words)}"]
    return []


def _told(edges: Edges, words: tuple[str, str]) -> str:
    begin = [f"{words[0]} from before"] if edges[0][1] else []
    changes = [f"{words[0] if on else words[1]} at {ms:.0f} ms" for ms, on in edges[1:]]
    return ", ".join(begin + changes) or f"{words[1]} throughout"


def _logs_differ(first: Visit, second: Visit) -> list[str]:
    texts = [[text for _, text in one.log] for one in (first, second)]
    if texts[0] == texts[1]:
        return []
    told = ["; ".join(one) or "nothing" for one in texts]
    why = "" if first.holder == second.holder else " (two people were played)"
    return [f"log: {told[0]}, and {told[1]}{why}"]


def _messages(visit: Visit, way: str, until: float) -> list[tuple[float, int]]:
    return [(ms, size) for ms, which, size in visit.line if which == way and ms <= until]


def _line_differs(words: str, first: list[tuple[float, int]], second: list[tuple[float, int]]) -> list[str]:
    sizes = [[size for _, size in messages] for messages in (first, second)]
    if sizes[0] != sizes[1]:
        told = [" + ".join(f"{size:,}" for size in one) for one in sizes]
        return [f"line: {f'{told[0]} bytes' if told[0] else 'nothing'} {words}, and {told[1] or 'nothing'}"]
    apart = max((abs(a - b) for (a, _), (b, _) in zip(first, second, strict=True)), default=0.0)
    return [f"line: {words} up to {apart:.0f} ms apart"] if apart > LINE_SAME_TIME_MS else []
