"""A card at a two-wire reader: what the pulses were, what they are as a card, and what is likely wrong with the wires.

Looks at every edge, also at those that the decoder does not believe. The card's number goes to the controlling terminal
only, as `holder add --card next@DOOR` shows it; how many pulses each line had goes nowhere, and neither does which key.
"""

import asyncio
from collections import deque
from typing import Any, Final

from doorctl.config.types import DataLines, Reader
from hal.events import MS, SECOND, Monotonic
from hal.wiegand.arming import Line
from hal.wiegand.cards import FORMATS, CardFields
from hal.wiegand.keys import Keypad, KeypadEncoding
from hal.wiegand.reader import WiegandReader
from hal.wiegand.source import D0, D1, Edge
from hal.wiegand.wiring import Burst, Expected, bursts, findings, hanging, is_whole, judge
from hal.wiring import Finding

MOST_EDGES: Final = 20_000
"""What a floating wire sends in a moment; more tell nothing new."""
ENDED_AFTER_S: Final = 0.2
"""Silence after which somebody is done with a card: frames of one card follow within 25 ms."""
LONGEST_S: Final = 2.0
"""For wires that are never silent."""
LOOKS: Final = 3
"""So often in a row a line is seen low before it counts: a pulse is 100 µs, and they are not that close."""
_LOOK_S: Final = 0.05
REST_LOOKS: Final = 4
REST_LOOK_S: Final = 0.25
"""A line that falls in each of them is moved by no card: the slowest takes 0.4 s, and touches three."""
_LINES: Final[tuple[Line, ...]] = (D0, D1)
_LATEST: Final = 64
"""Edges, to tell which line storms."""


class Watch:
    """A Wiegand reader from before its start: every edge that comes, and the lines' levels."""

    def __init__(self, reader: Reader, port: WiegandReader) -> None:
        self.reader, self._port = reader, port
        self._edges: list[Edge] = []
        self._latest: deque[Line] = deque(maxlen=_LATEST)
        self._came = asyncio.Event()
        self._source = port.tap(self._see)
        self.expected = Expected(
            card=None if reader.format is None else FORMATS[reader.format],
            check_parity=reader.check_parity,
            keypad=None
            if reader.keypad is None
            else Keypad(encoding=KeypadEncoding(reader.keypad.value), enter_key=reader.enter_key),  # type: ignore[arg-type]  # checked by reading.py
        )

    def start(self) -> None:
        """Begin to look; nothing that is read goes anywhere."""
        self._port.start(lambda _: None)

    async def at_rest(self) -> tuple[Finding, ...]:
        """What is likely wrong with lines that nobody is at: low, or never at rest."""
        low, looks = {D0, D1}, []
        for _ in range(REST_LOOKS):
            self._edges.clear()
            await asyncio.sleep(REST_LOOK_S)
            stray = [burst for burst in bursts(self._edges) if judge(burst, self.expected) is not None]
            looks.append({line for burst in stray for line in _LINES if burst.pulses[line]} | self._storming())
            low = {line for line in low if not self._source.high(line)}
        hung = hanging(looks)
        return findings((), self.expected, low=low, hung=hung) if hung or low else ()

    async def low_lines(self) -> frozenset[int]:
        """The lines that are low with no card there."""
        low = {D0, D1}
        for _ in range(LOOKS):
            low = {line for line in low if not self._source.high(line)}
            await asyncio.sleep(_LOOK_S)
        return frozenset(low)

    def forget(self) -> None:
        """What came until now: before somebody is asked for a card, so that nothing of it is lost."""
        self._edges.clear()
        self._came.clear()

    async def next_presentation(self) -> tuple[Burst, ...]:
        """The bursts of the next card or key since `forget`, once the wires are silent again."""
        await self._came.wait()
        loop = asyncio.get_running_loop()
        until, count, silent_s = loop.time() + LONGEST_S, 0, 0.0
        while silent_s < ENDED_AFTER_S and loop.time() < until:
            silent_s = silent_s + _LOOK_S if count == len(self._edges) else 0.0
            count = len(self._edges)
            await asyncio.sleep(_LOOK_S)
        return bursts(self._edges)

    def findings(self, seen: tuple[Burst, ...], low: frozenset[int] = frozenset()) -> tuple[Finding, ...]:
        """What is likely wrong."""
        return findings(seen, self.expected, low=low)  # type: ignore[arg-type]  # 0 and 1

    def is_keys(self, seen: tuple[Burst, ...]) -> bool:
        """Whether they were good keys, and no card: no keypad's frame is as long as its reader's cards."""
        return all(
            self.expected.key_fits(burst.bits, burst.raw) and judge(burst, self.expected) is None for burst in seen
        )

    def _see(self, edges: list[Edge]) -> None:
        self._edges += edges[: MOST_EDGES - len(self._edges)]
        self._latest += [line for line, _ in edges[-_LATEST:]]
        self._came.set()

    def _storming(self) -> set[Line]:
        """Lines that their reader does not listen to for a while, so wild are they."""
        counters = self._port.counters()
        return set(self._latest) if counters["pauses"] and not counters["armed"] else set()


def wires(reader: Reader) -> str:
    """`D0 GPIO14, D1 GPIO15`."""
    assert isinstance(reader.wiring, DataLines)
    return f"D0 {reader.wiring.d0}, D1 {reader.wiring.d1}"


def facts(burst: Burst, expected: Expected) -> dict[str, Any]:
    """As JSON has it: never the number, and no length of what is no whole frame."""
    card = expected.card
    fits = card is not None and expected.card_fits(burst.bits, burst.raw)
    whole = is_whole(burst, expected)
    rhythm = burst.rhythm if whole else None
    return {
        "bits": burst.bits if whole else None,
        "format": card.name if card is not None and fits else None,
        "fields": list(card.fields) if card is not None and fits else [],
        "interval_ms": None if rhythm is None else rhythm.median / MS,
        "jitter_ms": None if rhythm is None else rhythm.jitter / MS,
        "good": judge(burst, expected) is None,
    }


def words(told: dict[str, Any]) -> str:
    """The same in a line."""
    if told["bits"] is None:
        return "pulses that are no whole card or key: not good"
    kind = f"{told['format']} ({', '.join(told['fields'])})" if told["format"] else "no card of this reader's format"
    rhythm = (
        "too short for a rhythm"
        if told["interval_ms"] is None
        else f"interval {told['interval_ms']:.2f} ms, jitter {told['jitter_ms']:.2f} ms"
    )
    return f"{told['bits']} bits, {kind}, {rhythm}: {'good' if told['good'] else 'not good'}"


def number(burst: Burst, expected: Expected) -> str | None:
    """What stands on the card, for the controlling terminal; None where it is no card of the format."""
    if expected.card is None:
        return None
    fields = expected.card.decode(burst.bits, burst.raw, check_parity=expected.check_parity)
    return str(fields) if isinstance(fields, CardFields) else None


def seconds(at: Monotonic, begun: Monotonic) -> str:
    """`  12.345 s`, since the command began."""
    return f"{(at - begun) / SECOND:8.3f} s"
