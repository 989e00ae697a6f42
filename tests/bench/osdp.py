"""The OSDP part of `make bench`: how soon a card is heard, beside the floor and libosdp's CP, and what polling costs.

The line is a pty paced to its baud, with libosdp's readers on it, in a process of its own; each CP is one too. Cards
are shown evenly over the cycle of polls, so that few of them tell the mean.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import mean

KEY = bytes(range(16)).hex()
POLL, ACK, CARD_ANSWER, GAP = 15, 14, 30, 2
"""Characters on the line in a secure session: a poll with its mark, its empty answer, one with a card, the silence."""
TURNAROUND_MS = 1.0
BAUDS = (9600, 38_400, 115_200, 0)
CPS = ("ours", "libosdp")
GOLDEN = 0.618_033_988_75
IDLE_S = {1: 1.0, 8: 3.0}
"""By the number of readers; CPU is read of eight."""
SECONDS = {9600: 15.0, 38_400: 8.0}
ONLINE_WITHIN_S = 15.0
ENDS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One CP on one line; times in milliseconds."""

    latencies: tuple[float, ...]
    lost: int
    polls_per_s: float
    """Of each reader."""
    idle_percent: float
    """Of a core, the whole process, while no card is shown."""


def exchange_ms(baud: int, answer: int = ACK) -> float:
    """A poll, the reader's turnaround, its answer, and the silence that must follow."""
    return (POLL + answer + GAP) * 10_000 / baud + TURNAROUND_MS


def floor_ms(baud: int, readers: int) -> float:
    """A card's mean latency where nothing is ever lost or late: half a cycle of polls, and the poll that fetches it."""
    return (POLL + CARD_ANSWER) * 10_000 / baud + TURNAROUND_MS + readers * exchange_ms(baud) / 2


class Process:
    """One that speaks JSON lines."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        self._said = b""

    def say(self, **what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    def hear(self, within_s: float) -> dict[str, float] | None:
        """The next line; None where none comes in time."""
        assert self._process.stdout is not None
        until = time.monotonic() + within_s
        while b"\n" not in self._said:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                return None
            piece = os.read(self._process.stdout.fileno(), 65_536)
            if not piece:
                raise RuntimeError(f"{self._process.args!r} has ended")
            self._said += piece
        line, _, self._said = self._said.partition(b"\n")
        heard: dict[str, float] = json.loads(line)
        return heard

    def rest(self) -> list[dict[str, float]]:
        """What it still says when nobody asks any more."""
        said, _ = self._process.communicate(timeout=ENDS_WITHIN_S)
        return [json.loads(line) for line in (self._said + said).splitlines()]


def measure(cp: str, baud: int, readers: int, seconds: float) -> Measured | None:
    """Show cards for so long, once all readers are online and were left alone for a while; None: they never were."""
    wire = Process("tests.hal.osdp.paced", baud, readers, "libosdp", KEY)
    device = wire.hear(ENDS_WITHIN_S)
    assert device is not None
    panel = Process("tests.bench.osdp_cp", cp, device["device"], baud, readers, KEY)
    if panel.hear(ONLINE_WITHIN_S) is None:
        panel.rest()
        wire.rest()
        return None
    idle_s, before = IDLE_S[readers], _cost(panel)
    time.sleep(idle_s)
    after = _cost(panel)
    shown = _show(wire, baud, readers, seconds)
    heard = {int(one["card"]): one["at"] for one in panel.rest() if "card" in one}
    at = {int(one["shown"]): one["at"] for one in wire.rest() if "shown" in one}
    return Measured(
        latencies=tuple(sorted((heard[card] - at[card]) / 1e6 for card in heard)),
        lost=shown - len(heard),
        polls_per_s=(after["polls"] - before["polls"]) / idle_s / readers,
        idle_percent=100 * (after["cpu_s"] - before["cpu_s"]) / idle_s,
    )


def _cost(panel: Process) -> dict[str, float]:
    panel.say(cost=True)
    cost = panel.hear(ENDS_WITHIN_S)
    assert cost is not None
    return cost


def _show(wire: Process, baud: int, readers: int, seconds: float) -> int:
    """One card after the other, each a golden part of a cycle further on in it; few enough not to slow the line."""
    cycle_s = readers * exchange_ms(baud) / 1000 if baud else 0.012
    pause_s = cycle_s * (round(max(0.1, 1.3 * cycle_s) / cycle_s) + GOLDEN)
    count = int(seconds / pause_s)
    for number in range(count):
        wire.say(card=1000 + number, reader=number * 5 % readers)
        time.sleep(pause_s)
    time.sleep(2 * cycle_s + 0.3)
    return count


def lines(bauds: Sequence[int] = BAUDS) -> Iterator[str]:
    """The report, a line at a time; slow lines are measured beside each other, since they leave the cores alone."""
    yield f"{'OSDP, secure, paced pty, libosdp readers':46}{'floor':>8}{'mean':>9}{'p50':>8}{'p95':>8}{'p99':>8}{'polls/s':>9}{'idle CPU':>10}"
    for baud in bauds:
        cases = [(cp, readers) for readers in (1, 8) for cp in CPS]
        seconds = SECONDS.get(baud, 3.0)
        with ThreadPoolExecutor(len(cases) if baud in SECONDS else 1) as pool:
            results = pool.map(lambda case, baud=baud, seconds=seconds: measure(case[0], baud, case[1], seconds), cases)
            for (cp, readers), measured in zip(cases, results, strict=True):
                yield _line(cp, baud, readers, measured)


def _line(cp: str, baud: int, readers: int, measured: Measured | None) -> str:
    ordered = measured.latencies if measured is not None else ()
    speed = f"{baud} baud" if baud else "unpaced"
    floor = floor_ms(baud, readers) if baud else None
    shown = f"{f'{speed}, {readers} reader(s), {cp}':46}" + (f"{floor:8.1f}" if floor else f"{'':8}")
    if measured is None or not ordered:
        return f"{shown}   {'no card was heard' if measured else f'not online within {ONLINE_WITHIN_S:.0f} s'}"
    p50, p95, p99 = (ordered[min(len(ordered) - 1, len(ordered) * part // 100)] for part in (50, 95, 99))
    ratio = f" ×{mean(ordered) / floor:.2f}" if floor else ""
    lost = f"   {measured.lost} of {measured.lost + len(ordered)} cards lost" if measured.lost else ""
    return (
        f"{shown}{mean(ordered):9.1f}{p50:8.1f}{p95:8.1f}{p99:8.1f}"
        f"{measured.polls_per_s:9.1f}{measured.idle_percent:9.1f} %{ratio}{lost}"
    )
