"""One door, with somebody at it: inputs as they change, outputs after asking, a card and a key at each reader.

A strike is released only for RELEASED_S and only after a yes, and is secured again whatever ends that: Ctrl-C, a
signal, an exception. Nothing decides here, and nothing is recorded.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, Final

from doorctl.cli.wire_test_card import Watch, seconds
from doorctl.cli.wire_test_hands import Hands
from doorctl.cli.wire_test_inputs import WORDS, InputWatch, hint, inputs
from doorctl.cli.wire_test_line import LineWatch
from doorctl.cli.wire_test_pulse import released
from doorctl.cli.wire_test_reader import ReaderTest, Say
from doorctl.cli.wire_test_verdict import DoorSeen, OutputSeen, Part, Standing, Verdict, verdict
from doorctl.config.types import BusPlace
from doorctl.doord.assembly import DoorPins
from doorctl.errors import OperatorError
from hal.board import Board
from hal.events import InputChanged, InputEvent
from hal.osdp.reader import OsdpReader
from hal.ports import Indicator, Light, Strike
from hal.wiegand.reader import WiegandReader

RELEASED_S: Final = 1.0
AT_MOST_S: Final = 1.5
"""Where the loop is held up."""
BEEP_MS: Final = 200


class DoorTest:
    """The test of one door, on a running loop; `report` grows as it goes on."""

    def __init__(
        self, board: Board, pins: DoorPins, places: Iterable[BusPlace], *, hands: Hands, say: Say, within_s: float,
        quiet: bool,
    ) -> None:  # fmt: skip
        """`places`: of all OSDP readers of the file; `within_s`: how long inputs and each card are waited for."""
        self._pins, self._hands, self._say = pins, hands, say
        self._within_s = within_s
        self._clock = board.chip.clock
        self._begun = self._clock()
        self.report: dict[str, Any] = {"door": pins.door.name, "inputs": [], "changes": [], "outputs": []}
        self._inputs = [InputWatch(kind, port, where, self._changed) for kind, port, where in inputs(pins)]
        self._outputs: list[OutputSeen] = []
        self._later: list[str] | None = None
        """What is to be said once the strike is secured; None while it is."""
        self._watches: list[Watch | LineWatch] = []
        for reader, port, _ in pins.readers:
            match port:
                case WiegandReader():
                    self._watches.append(Watch(reader, port))
                case OsdpReader():
                    self._watches.append(LineWatch(board, reader, port, places))
                case _:
                    raise OperatorError(f"{reader.name}: this kind of reader cannot be tested")
        self._readers = {
            watch: ReaderTest(watch, hands=hands, say=say, within_s=within_s, quiet=quiet) for watch in self._watches
        }

    async def run(self) -> Verdict:
        """Everything, in the order in which an installer goes round the door; the report has it all then."""
        for watch in self._watches:
            watch.start()
        online = {watch: await watch.online() for watch in self._watches if isinstance(watch, LineWatch)}
        await self._move_inputs()
        await self._move_outputs()
        for watch, test in self._readers.items():
            if isinstance(watch, Watch):
                await test.at_two_wires(watch)
            elif online[watch]:
                await test.on_a_line(watch)
        await self._leave_inputs()
        found = tuple(watch.seen() for watch in self._inputs)  # before readers on lines, whose inputs they may be, go
        for watch, is_online in online.items():
            if not is_online:  # last: to look for a reader elsewhere ends the sessions of all on its line
                await self._readers[watch].elsewhere(watch)
        readers = [*self._readers.values()]
        told = verdict(DoorSeen(inputs=found, outputs=(*self._outputs,), readers=(*(one.seen for one in readers),)))
        self.report["readers"] = [reader.told for reader in readers]
        self.report["missed"] = [part.part for part in told.of(Standing.MISSED)]
        self.report["verdict"] = {"fine": told.fine, "parts": [_plain(part) for part in told.parts]}
        return told

    async def _move_inputs(self) -> None:
        for watch in self._inputs:
            told = watch.start()
            self.report["inputs"].append(told)
            self._say(f"{watch.kind} ({told['wired']}): {told['words']}\n")
            if (what := hint(told)) is not None:
                self._say(f"  hint: {what}\n")
        if not self._inputs:
            return
        named = ", ".join(watch.kind for watch in self._inputs)
        await self._ask(f"move each input now, and back ({named})")
        missed = [watch.kind for watch in self._inputs if not watch.moved]
        if missed:
            self._say(f"not seen to move: {', '.join(missed)}\n")

    async def _leave_inputs(self) -> None:
        """Nobody goes with the button pressed; an input that did not move is not waited for."""
        left = [seen for watch in self._inputs if watch.moved and not (seen := watch.seen()).flickers and seen.level]
        if left and self._hands.present:
            words = ", ".join(f"{seen.kind} {seen.words[False]}" for seen in left)
            await self._ask(f"leave the door as it rests ({words})")

    async def _ask(self, what: str) -> None:
        self._hands.tell(f"{what}; ENTER goes on, at the latest after {self._within_s:g} s\n")
        await self._hands.until(self._hands.enter, self._within_s)

    def _changed(self, kind: str, event: InputEvent) -> None:
        words = WORDS[kind][event.active] if isinstance(event, InputChanged) else "nobody knows: its reader is away"
        level = event.active if isinstance(event, InputChanged) else None
        at_s = (event.at - self._begun) / 1e9
        self.report["changes"].append({"input": kind, "level": level, "words": words, "at_s": round(at_s, 6)})
        line = f"{seconds(event.at, self._begun)}  {kind}: {words}\n"
        if self._watched(kind).flickers:
            line = f"{kind}: flickers by itself, and is shown no more\n"
        if self._later is None:
            self._say(line)
        else:
            self._later.append(line)

    def _watched(self, kind: str) -> InputWatch:
        return next(watch for watch in self._inputs if watch.kind == kind)

    async def _move_outputs(self) -> None:
        name = self._pins.door.name
        if await self._agreed("strike", name, f"release the strike at {name} for {RELEASED_S:g} s?"):
            await self._pulse(self._pins.strike)
            self._say(f"strike at {name}: released and secured again\n")
            await self._was_seen("strike", name, f"did the strike at {name} move?")
        for reader, _, indicator in self._pins.readers:
            if indicator is None:
                continue
            if await self._agreed("LED and buzzer", reader.name, f"light and sound the reader at {reader.name}?"):
                async with _shown(indicator):
                    await _pause(RELEASED_S)
                self._say(f"reader at {reader.name}: showed granted, and beeped\n")
                await self._was_seen("LED and buzzer", reader.name, f"did the reader at {reader.name} light or beep?")

    async def _pulse(self, strike: Strike) -> None:
        """Released and secured again, whatever the terminal does meanwhile."""
        self._later = []
        try:
            with released(strike, at_most_s=AT_MOST_S):
                await _pause(RELEASED_S)
        finally:
            later, self._later = self._later, None
            for line in later:
                self._say(line)

    async def _agreed(self, output: str, name: str, question: str) -> bool:
        agreed = await self._hands.agreed(question)
        if not agreed:
            self._say(f"{output} at {name}: left alone\n")
            self._moved(OutputSeen(output=output, at=name, pulsed=False))
        return agreed

    async def _was_seen(self, output: str, name: str, question: str) -> None:
        moved = await self._hands.agreed(question)
        self._moved(OutputSeen(output=output, at=name, pulsed=True, moved=moved))

    def _moved(self, seen: OutputSeen) -> None:
        self._outputs.append(seen)
        self.report["outputs"].append(asdict(seen))


def _plain(part: Part) -> dict[str, Any]:
    return {**asdict(part), "standing": part.standing.value}


async def _pause(seconds: float) -> None:
    """While an output is on."""
    await asyncio.sleep(seconds)


@asynccontextmanager
async def _shown(indicator: Indicator) -> AsyncIterator[None]:
    indicator.light(Light.GRANTED)
    indicator.beep((BEEP_MS,))
    try:
        yield
    finally:
        indicator.light(Light.IDLE)
