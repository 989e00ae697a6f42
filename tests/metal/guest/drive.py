"""Runs inside rig 2's machine: makes simulated chips, plays cards on them, reads them with doorctl's own sources.

Everything it finds goes to /lab/results.json, one entry a scenario of /lab/orders.json; it judges nothing. A card that
was read releases a strike at once, and the strike's line is read back from the simulated chip.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hal.board import Board, open_board
from hal.events import CardBits, ReaderArmed, ReaderEvent
from hal.loop import precise_loop
from hal.ports import StrikeType

CONFIGFS = Path("/sys/kernel/config/gpio-sim")
LINES = 28
"""As many as a Raspberry Pi's header names."""
STRIKE_HELD_S = 0.02
STALL_AFTER_S = 0.005
"""`pulses` leads in with 20 ms."""
LATE_NS = 20_000
"""An edge that was pulled so much too late: a good part of the shortest pulse."""


def make_chip(label: str) -> Path:
    """A chip of that label; returns its folder in sysfs, whose sim_gpioN/ are the world's end of each line."""
    folder = CONFIGFS / label / "bank"
    folder.mkdir(parents=True)
    (folder / "label").write_text(label)
    (folder / "num_lines").write_text(str(LINES))
    for line in range(LINES):
        (folder / f"line{line}").mkdir()
        (folder / f"line{line}" / "name").write_text(f"GPIO{line}")
    (CONFIGFS / label / "live").write_text("1")
    device = (CONFIGFS / label / "dev_name").read_text().strip()
    return Path("/sys/devices/platform") / device / (folder / "chip_name").read_text().strip()


class World:
    """The wires of one chip, from outside."""

    def __init__(self, sysfs: Path) -> None:
        self._sysfs = sysfs

    def wire(self, gpio: int, what: str) -> Path:
        """A file of a line."""
        return self._sysfs / f"sim_gpio{gpio}" / what

    def level(self, gpio: int) -> int:
        """What the line is at."""
        return int(self.wire(gpio, "value").read_text())

    def pull(self, gpio: int, level: int) -> None:
        """What the world does to it."""
        self.wire(gpio, "pull").write_text("pull-up" if level else "pull-down")


class Door:
    """A reader and a strike on a board's lines, and what they did."""

    def __init__(self, board: Board, world: World, orders: dict[str, Any]) -> None:
        self.world = world
        self.pins = tuple(orders["pins"])
        self.strike_pin = orders["strike"]
        self.events: list[ReaderEvent] = []
        self.released_at: list[int] = []
        self.levels: list[list[int]] = []
        self.armed = asyncio.Event()
        for pin in self.pins:
            world.pull(pin, 1)
        d0, d1 = (f"GPIO{pin}" for pin in self.pins)
        self.reader = board.wiegand_reader(
            name=orders["name"], d0=d0, d1=d1, card_lengths=frozenset(orders["lengths"]), accept=lambda _, __: True
        )
        self.strike = board.strike(pin=f"GPIO{self.strike_pin}", strike_type=StrikeType.FAIL_SECURE)

    def heard(self, event: ReaderEvent) -> None:
        """From the reader: a card releases the strike, as soon as can be."""
        self.events.append(event)
        if isinstance(event, ReaderArmed):
            self.armed.set()
        if isinstance(event, CardBits):
            before = self.world.level(self.strike_pin)
            self.strike.release()
            self.released_at.append(time.monotonic_ns())
            during = self.world.level(self.strike_pin)
            asyncio.get_running_loop().call_later(STRIKE_HELD_S, self._secure, [before, during])

    def _secure(self, levels: list[int]) -> None:
        self.strike.secure()
        self.levels.append([*levels, self.world.level(self.strike_pin)])

    def found(self) -> dict[str, Any]:
        """For the host."""
        return {
            "cards": [[event.length, event.raw, event.at] for event in self.events if isinstance(event, CardBits)],
            "others": [repr(event) for event in self.events if not isinstance(event, CardBits)],
            "released_at": self.released_at,
            "levels": self.levels,
            "counters": self.reader.counters(),
        }


async def play(
    doors: list[Door], schedules: list[str], *, stall_s: float, rest_s: float
) -> tuple[list[dict[str, Any]], int]:
    """Each schedule through `pulses`, which runs beside us: (when each began and ended, how many were played anew).

    The machine misses a timer now and then and `pulses` sleeps on for milliseconds: what it then played was not the
    card, so that is played once more. `stall_s`: the loop does not turn for so long while the first is played.
    """
    files = [str(door.world.wire(pin, "pull")) for door in doors for pin in door.pins]
    played: list[dict[str, Any]] = []
    again, waiting = 0, list(reversed(schedules))
    while waiting:
        process = await asyncio.create_subprocess_exec("pulses", *files, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if stall_s and not played:
            asyncio.get_running_loop().call_later(STALL_AFTER_S, time.sleep, stall_s)
        out, _ = await process.communicate(waiting[-1].encode())
        await asyncio.sleep(rest_s)
        told = json.loads(out)
        if told["late"] > LATE_NS:
            again += 1
            continue
        played.append(told)
        waiting.pop()
    return played, again


async def scenario(orders: dict[str, Any], worlds: dict[str, World]) -> dict[str, Any]:
    """One source, one or more chips, many cards."""
    if orders["source"] == "pins":
        sys.modules["gpiod"] = None  # type: ignore[assignment]  # as where it is not installed
    else:
        sys.modules.pop("gpiod", None)
    boards = {label: open_board("gpiozero", label) for label in {door["chip"] for door in orders["doors"]}}
    load = await asyncio.create_subprocess_exec("sh", "-c", "while :; do :; done") if orders["load"] else None
    try:
        doors = [Door(boards[door["chip"]], worlds[door["chip"]], door) for door in orders["doors"]]
        for door in doors:
            door.reader.start(door.heard)
        await asyncio.gather(*(door.armed.wait() for door in doors))
        played, again = await play(
            doors, orders["schedules"], stall_s=orders.get("stall_s", 0), rest_s=orders.get("rest_s", 0.06)
        )
        return {
            "labels": sorted(board.label for board in boards.values()),
            "sources": sorted({wiring.source for board in boards.values() for wiring in board.readers.values()}),
            "played": played,
            "again": again,
            "doors": [door.found() for door in doors],
        }
    finally:
        if load is not None:
            load.kill()
            await load.wait()
        for board in boards.values():
            board.close()


def main() -> None:
    """Every scenario in turn."""
    orders = json.loads(Path("/lab/orders.json").read_text())
    worlds = {label: World(make_chip(label)) for label in orders["chips"]}
    results = {}
    for name, story in orders["scenarios"].items():
        print(f"metal: {name}", flush=True)  # noqa: T201 - the console is the log
        gc.collect()
        with asyncio.Runner(loop_factory=precise_loop) as runner:
            results[name] = runner.run(scenario(story, worlds))
    Path("/lab/results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
