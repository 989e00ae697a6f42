"""A monitor on a slow disk: when a receipt comes says nothing of what the record was.

Ingest and alarms flush to the same disk, one flush after another, 40 ms each. Normal and duress records alternate in a
drawn order; each is followed by a probe, whose receipt would be late if a call for help made the alarms write more.
"""

import asyncio
import os
import random
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from math import sqrt
from pathlib import Path

import pytest

from doorctl.seal.meaning import Meaning
from tests.monitord.board import Board, new_row
from tests.monitord.line import Line
from tests.monitord.site import Site, running

pytestmark = pytest.mark.system

FLUSH_US = 40_000
CRITICAL_T = 4.5
"""Of side-channel practice (TVLA): an honest run is above it once in a hundred thousand."""
EACH = 15
SOAK_EACH = 400


@pytest.fixture
def slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every process that this test starts."""
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no C compiler: make system-packages")
        pytest.skip("no C compiler for the slow disk: make system-packages")
    library = tmp_path / "slow_flush.so"
    source = Path(__file__).with_name("slow_flush.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True)
    monkeypatch.setenv("SLOW_FLUSH_LOCK", str(tmp_path / "disk"))
    monkeypatch.setenv("SLOW_FLUSH_US", str(FLUSH_US))
    monkeypatch.setenv("LD_PRELOAD", str(library))


def welch_t(these: Sequence[float], those: Sequence[float]) -> float:
    """How many standard errors two means are apart."""
    spread = statistics.variance(these) / len(these) + statistics.variance(those) / len(those)
    return abs(statistics.mean(these) - statistics.mean(those)) / sqrt(spread)


@pytest.mark.parametrize("each", [EACH, pytest.param(SOAK_EACH, marks=pytest.mark.soak)])
def test_a_receipt_comes_as_late_whatever_the_record_was(tmp_path: Path, slow_disk: None, each: int) -> None:
    async def scenario() -> tuple[list[dict[Meaning, list[float]]], int]:
        async with asyncio.timeout(60 + 2 * each), running(tmp_path / "home") as site:
            own, probes = await _measure(site, each)
            return [own, probes], await _calls(site, each)

    took, alarms = asyncio.run(scenario())
    assert alarms == each
    for what in took:
        assert statistics.mean(what[Meaning.NORMAL]) >= FLUSH_US / 1e6  # the disk was slow indeed
        assert welch_t(what[Meaning.NORMAL], what[Meaning.DURESS]) < CRITICAL_T


def test_the_statistic_finds_one_flush_more_in_a_third_of_all() -> None:
    """What a duress cost before it was mended; in the soak's number of samples."""
    drawn = random.Random(7)
    fair = [[drawn.choice((0.05, 0.1)) + drawn.gauss(0, 0.003) for _ in range(SOAK_EACH)] for _ in range(2)]
    assert welch_t(*fair) < CRITICAL_T
    shaped = [second + (0.05 if number % 3 == 0 else 0) for number, second in enumerate(fair[1])]
    assert welch_t(fair[0], shaped) > CRITICAL_T


async def _measure(site: Site, each: int) -> tuple[dict[Meaning, list[float]], dict[Meaning, list[float]]]:
    """Seconds to the receipt: of the record itself, and of a wrong code right behind it."""
    board = Board(name="slow", monitor=site.public, now=time.time_ns())
    await site.trust(board)
    rows = {meaning: new_row("Ana", meaning, monitor=site.public) for meaning in (Meaning.NORMAL, Meaning.DURESS)}
    line = await site.line()
    for made in (board.start(), *board.enrol(*rows.values())):
        await line.send(made.sealed)
    order = list(rows) * each
    drawn = random.Random(4711)
    drawn.shuffle(order)
    own: dict[Meaning, list[float]] = {meaning: [] for meaning in rows}
    probes: dict[Meaning, list[float]] = {meaning: [] for meaning in rows}
    for meaning in order:
        own[meaning].append(await _timed(line, board.access(rows[meaning]).sealed))
        probes[meaning].append(await _timed(line, board.access(None).sealed))
        await asyncio.sleep(
            0.1 + drawn.random() / 20
        )  # the alarms end their work, and the next comes anywhere on the tick
    await line.close()
    return own, probes


async def _timed(line: Line, sealed: bytes) -> float:
    began = time.perf_counter()
    await line.send(sealed)
    return time.perf_counter() - began


async def _calls(site: Site, expected: int) -> int:
    """How many calls for help were raised, once there are as many as expected."""
    while True:
        raised = len([alarm for alarm in await site.alarms() if alarm["kind"] == "duress"])
        if raised >= expected:
            return raised
        await asyncio.sleep(0.05)
