"""doorctl check --live: whether every line of the file can be claimed, and what is on it with nobody at the doors.

Strikes are claimed at their secured level, which powers a fail-safe lock that was not; nothing is released, and readers
are polled and not shown anything.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from doorctl.cli import wire_test_card as card
from doorctl.cli.wire_test_card import Watch
from doorctl.cli.wire_test_inputs import InputWatch, inputs
from doorctl.cli.wire_test_line import LISTENED_S, LineWatch
from doorctl.cli.wire_test_run import places, with_pins
from doorctl.cli.wire_test_verdict import InputSeen, Part, RestSeen, Standing, Verdict, at_rest
from doorctl.config.types import Config
from doorctl.doord.assembly import DoorPins
from doorctl.paths import Paths
from hal.board import Board
from hal.osdp.reader import OsdpReader
from hal.wiegand.reader import WiegandReader
from hal.wiring import Finding

Say = Callable[[str], None]
REST_S: Final = 1.0
"""For a wire that hangs in the air to flicker: the mains hum does fifty times."""


def check_live(paths: Paths, config: Config, *, say: Say, quiet: bool) -> tuple[dict[str, Any], bool]:
    """What JSON has, and whether nothing wrong was seen; `say` has a line each.

    OperatorError where doord runs, or a line cannot be had.
    """

    async def work(board: Board, pins: tuple[DoorPins, ...]) -> tuple[list[dict[str, Any]], Verdict]:
        return await look(board, pins, config, say=say, quiet=quiet)

    doors, told = with_pins(paths, config, work)
    wrong, odd = told.of(Standing.WRONG), told.of(Standing.MISSED)
    for what, parts in (("warning", odd), ("wrong", wrong)):
        for part in parts:
            say(f"{what}: {part.part}: {part.why}\n  hint: {part.do}")
    say("something is wrong" if wrong else "nothing wrong was seen")
    plain = {"wrong": [_plain(part) for part in wrong], "warnings": [_plain(part) for part in odd]}
    return {"live": doors, "verdict": {"fine": not wrong, **plain}}, not wrong


async def look(
    board: Board, pins: tuple[DoorPins, ...], config: Config, *, say: Say, quiet: bool
) -> tuple[list[dict[str, Any]], Verdict]:
    """Each door, once its readers had time to answer, and what it comes to; on a running loop."""
    say(f"{board.label}: every line of {len(pins)} {'door' if len(pins) == 1 else 'doors'} could be claimed")
    on_lines = {
        reader.name: LineWatch(board, reader, port, places(config))
        for door in pins
        for reader, port, _ in door.readers
        if isinstance(port, OsdpReader)
    }
    for watch in on_lines.values():
        watch.start()
    online = {name: await watch.online() for name, watch in on_lines.items()}
    if any(online.values()):
        await asyncio.sleep(LISTENED_S)
    rests = [Rest(door) for door in pins]
    await asyncio.gather(*(rest.watch() for rest in rests))
    doors = [rest.told(say) for rest in rests]
    for name, watch in on_lines.items():
        if not online[name]:  # last: it ends the sessions of all readers on the line
            await watch.search(quiet=quiet)
    for rest in rests:
        for reader, _, _ in rest.pins.readers:
            if reader.name in on_lines:
                rest.add(_line_reader(on_lines[reader.name], online=online[reader.name], say=say))
    return doors, at_rest([rest.seen() for rest in rests])


class Rest:
    """A door with nobody at it."""

    def __init__(self, pins: DoorPins) -> None:
        self.pins = pins
        self._inputs = [InputWatch(kind, port, where, lambda *_: None) for kind, port, where in inputs(pins)]
        self._watches = [Watch(reader, port) for reader, port, _ in pins.readers if isinstance(port, WiegandReader)]
        self._wrong: list[tuple[Finding, ...]] = []
        self._found: list[tuple[str, tuple[Finding, ...]]] = []
        self._seen: tuple[InputSeen, ...] = ()
        self._told: dict[str, Any] = {"door": pins.door.name}

    async def watch(self) -> None:
        """Look at it for a second."""
        for reader in self._watches:
            reader.start()
        self._told["inputs"] = [watch.start() for watch in self._inputs]
        self._wrong = await asyncio.gather(*(reader.at_rest() for reader in self._watches))
        if self._inputs and not self._watches:
            await asyncio.sleep(REST_S)

    def told(self, say: Say) -> dict[str, Any]:
        """As JSON has it, with the readers of two wires; those on lines come later."""
        strike, name = self.pins.door.strike, self.pins.door.name
        say(f"{name}: strike ({strike.pin}): secured")
        self._told |= {"strike": {"wired": strike.pin, "released": False}, "readers": []}
        self._seen = tuple(watch.seen() for watch in self._inputs)  # while the lines that they may be on are polled
        for watch, found in zip(self._inputs, self._told["inputs"], strict=True):
            found["flickers"] = watch.flickers
            say(f"{name}: {watch.kind} ({found['wired']}): {'flickers' if watch.flickers else found['words']}")
        for reader, wrong in zip(self._watches, self._wrong, strict=True):
            wires = card.wires(reader.reader)
            rests = "not at rest" if wrong else "both lines rest high"
            say(f"reader {reader.reader.name} ({wires}): {rests}")
            self.add(({"reader": reader.reader.name, "wired": wires, "rests_high": not wrong}, wrong))
        return self._told

    def add(self, reader: tuple[dict[str, Any], tuple[Finding, ...]]) -> None:
        """One more reader."""
        told, found = reader
        self._found.append((told["reader"], found))
        self._told["readers"].append({**told, "findings": [asdict(finding) for finding in found]})

    def seen(self) -> RestSeen:
        """For the verdict."""
        return RestSeen(door=self.pins.door.name, inputs=self._seen, readers=tuple(self._found))


def _line_reader(watch: LineWatch, *, online: bool, say: Say) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    say(f"reader {watch.reader.name} ({watch.place}): {'answers' if online else 'does not come into a session'}")
    return watch.facts(), watch.findings()


def _plain(part: Part) -> dict[str, Any]:
    return {"part": part.part, "why": part.why, "do": part.do}
