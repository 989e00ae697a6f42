"""doorctl check --live: whether every line of the file can be claimed, and what is on it with nobody at the doors.

Strikes are claimed at their secured level, which powers a fail-safe lock that was not; nothing is released, and readers
are polled and not shown anything.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from doorctl.cli import wire_test_card as card
from doorctl.cli.wire_test_card import Watch
from doorctl.cli.wire_test_inputs import at_rest, hint, inputs
from doorctl.cli.wire_test_line import LISTENED_S, LineWatch
from doorctl.cli.wire_test_run import places, with_pins
from doorctl.config.types import Config
from doorctl.doord.assembly import DoorPins
from doorctl.paths import Paths
from hal.board import Board
from hal.osdp.reader import OsdpReader
from hal.wiegand.reader import WiegandReader
from hal.wiring import Finding

Say = Callable[[str], None]


def check_live(paths: Paths, config: Config, *, say: Say, quiet: bool) -> tuple[list[dict[str, Any]], int]:
    """Each door as JSON has it, and how many faults there are; `say` has a line each.

    OperatorError where doord runs, or a line cannot be had.
    """

    async def work(board: Board, pins: tuple[DoorPins, ...]) -> list[dict[str, Any]]:
        return await look(board, pins, config, say=say, quiet=quiet)

    doors = with_pins(paths, config, work)
    return doors, sum(len(reader["findings"]) for door in doors for reader in door["readers"])


async def look(
    board: Board, pins: tuple[DoorPins, ...], config: Config, *, say: Say, quiet: bool
) -> list[dict[str, Any]]:
    """Each door, once its readers had time to answer; on a running loop."""
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
    doors = [await _door(door, say=say) for door in pins]
    for name, watch in on_lines.items():
        if not online[name]:  # last: it ends the sessions of all readers on the line
            await watch.search(quiet=quiet)
    for told, door in zip(doors, pins, strict=True):
        for reader, _, _ in door.readers:
            if reader.name in on_lines:
                told["readers"].append(_line_reader(on_lines[reader.name], online=online[reader.name], say=say))
    return doors


async def _door(pins: DoorPins, *, say: Say) -> dict[str, Any]:
    name, strike = pins.door.name, pins.door.strike
    say(f"{name}: strike ({strike.pin}): secured")
    told: dict[str, Any] = {"door": name, "strike": {"wired": strike.pin, "released": False}, "inputs": []}
    for kind, port, where in inputs(pins):
        found = at_rest(kind, port, where)
        told["inputs"].append(found)
        say(f"{name}: {kind} ({where}): {found['words']}")
        if (what := hint(found)) is not None:
            say(f"  hint: {what}")
    told["readers"] = [
        await _reader(Watch(reader, port), say=say)
        for reader, port, _ in pins.readers
        if isinstance(port, WiegandReader)
    ]
    return told


async def _reader(watch: Watch, *, say: Say) -> dict[str, Any]:
    low = await watch.low_lines()
    say(f"reader {watch.reader.name} ({card.wires(watch.reader)}): {'low at rest' if low else 'both lines rest high'}")
    told = {"reader": watch.reader.name, "wired": card.wires(watch.reader), "rests_high": not low}
    return _with_findings(told, watch.findings((), low) if low else (), say)


def _line_reader(watch: LineWatch, *, online: bool, say: Say) -> dict[str, Any]:
    say(f"reader {watch.reader.name} ({watch.place}): {'answers' if online else 'does not come into a session'}")
    return _with_findings(watch.facts(), watch.findings(), say)


def _with_findings(told: dict[str, Any], found: tuple[Finding, ...], say: Say) -> dict[str, Any]:
    for finding in found:
        say(f"  {finding.words}\n  hint: {finding.do}")
    return {**told, "findings": [asdict(finding) for finding in found]}
