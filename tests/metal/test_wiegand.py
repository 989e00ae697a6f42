"""Wiegand on a real gpio chip: the kernel's own interrupts, character device and libraries (docs/rigs.md).

One machine is booted for all of these; what it heard is judged here. Its time is counted in instructions, so
no outcome depends on how busy the machine below it is.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from hal.wiegand.gpiod_source import BUFFER
from tests.metal.build import build
from tests.metal.frames import EVERY, FLOOD, USUAL, Card, door, flood, percentile, text
from tests.metal.machine import run

pytestmark = pytest.mark.metal

CHIPS = ("board-pins", "second-chip")
LOADS = ("idle", "under load")
SOURCES = ("pins", "gpiod")
"""gpiozero's pins on lgpio, as where gpiod is not installed, and libgpiod."""
APART = 300_000
"""The second chip's frames begin so much later, in the middle of the first one's: nanoseconds."""
STALL_S = 0.5
"""As long as the flood takes and more."""
REST_S = 5
"""After a loss or noise a reader is left alone for a second or two, and armed by another of idle lines."""

Results = dict[str, Any]


def scenarios() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for source in SOURCES:
        made[f"flood, {source}"] = {
            "load": False, "source": source, "stall_s": STALL_S, "rest_s": REST_S,
            "doors": [door(name="front", chip=CHIPS[0])],
            "schedules": [text(flood()), text(USUAL[0].schedule())],
        }  # fmt: skip
        for load in LOADS:
            common = {"load": load == "under load", "source": source}
            every = [text(card.schedule()) for card in EVERY]
            usual = [text(card.schedule()) for card in USUAL]
            both = [text([*card.schedule(), *card.schedule(first_file=2, begin=APART)]) for card in EVERY[::3]]
            one, other = (door(name=chip, chip=chip) for chip in CHIPS)
            short = door(name="short", chip=CHIPS[1], lengths=[26])
            made[f"every card, {source}, {load}"] = {**common, "doors": [one], "schedules": every}
            made[f"usual cards, {source}, {load}"] = {**common, "doors": [short], "schedules": usual}
            made[f"two chips, {source}, {load}"] = {**common, "doors": [one, other], "schedules": both}
    return made


@pytest.fixture(scope="module")
def heard() -> Iterator[Results]:
    if shutil.which("qemu-system-x86_64") is None:
        pytest.fail("no qemu-system-x86_64; as root on Debian 12: make metal-packages")
    with TemporaryDirectory(prefix="doorctl-metal-") as folder:
        yield run(build(), Path(folder), {"chips": CHIPS, "scenarios": scenarios()})


def cards_of(story: dict[str, Any]) -> list[list[list[int]]]:
    """What each door read. Only what was played late may have been refused, and that was played again."""
    for found in story["doors"]:
        armed, *others = found["others"]
        assert armed.startswith("ReaderArmed")
        assert len(others) <= story["again"], others
    return [[card[:2] for card in found["cards"]] for found in story["doors"]]


def expected(cards: tuple[Card, ...]) -> list[list[int]]:
    return [[card.length, card.raw] for card in cards]


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_card_is_read_at_every_pace(heard: Results, source: str, load: str) -> None:
    story = heard[f"every card, {source}, {load}"]
    (found,) = story["doors"]
    assert cards_of(story) == [expected(EVERY)]
    assert found["counters"]["edges lost"] == 0
    assert story["labels"] == ["gpiochip0 (board-pins)"]
    assert story["sources"] == [source]


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_strike_is_released_and_secured_again_on_its_own_wire(heard: Results, source: str, load: str) -> None:
    story = heard[f"usual cards, {source}, {load}"]
    assert cards_of(story) == [expected(USUAL)]
    (found,) = story["doors"]
    assert found["levels"] == [[0, 1, 0]] * len(USUAL)


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("source", SOURCES)
def test_two_chips_are_read_at_once_each_found_by_its_label(heard: Results, source: str, load: str) -> None:
    story = heard[f"two chips, {source}, {load}"]
    assert cards_of(story) == [expected(EVERY[::3])] * 2
    assert story["labels"] == ["gpiochip0 (board-pins)", "gpiochip1 (second-chip)"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_flood_that_nobody_read_in_time_is_no_card_and_the_next_card_is_read(heard: Results, source: str) -> None:
    (found,) = heard[f"flood, {source}"]["doors"]
    assert [card[:2] for card in found["cards"]] == expected(USUAL[:1])
    if source == "gpiod":  # nobody else reads its buffer meanwhile: what did not fit is known to the edge
        assert 0 < found["counters"]["edges lost"] <= FLOOD - BUFFER
        assert any("EDGES_LOST" in event for event in found["others"])


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("source", SOURCES)
def test_how_long_a_card_takes_from_its_last_edge_to_the_strike(heard: Results, source: str, load: str) -> None:
    story = heard[f"usual cards, {source}, {load}"]
    (found,) = story["doors"]
    edges = [played["fell"] for played in story["played"]]
    took = [at - fell for at, fell in zip(found["released_at"], edges, strict=True)]
    quiet = 2_000_000  # the decoder's own wait: twice the interval
    assert min(took) >= quiet
    sys.stderr.write(
        f"\nmetal: {source}, {load}, {len(took)} cards ({story['again']} played again): last edge to strike p50 {percentile(took, 0.5):.2f} ms, "
        f"p99 {percentile(took, 0.99):.2f} ms, of which {quiet / 1e6:.0f} ms are the decoder's silence\n"
    )
