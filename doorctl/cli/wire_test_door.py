"""One door, with somebody at it: inputs as they change, outputs one by one after asking, a card at each reader.

A strike is released only for RELEASED_S and only after a yes, and is secured again whatever ends that: Ctrl-C, a
signal, an exception. Nothing decides here, and nothing is recorded.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from doorctl.cli import wire_test_card as card
from doorctl.cli.terminal import controlling_terminal
from doorctl.cli.wire_test_card import Watch
from doorctl.cli.wire_test_hands import Hands
from doorctl.cli.wire_test_inputs import WORDS, at_rest, hint, inputs
from doorctl.cli.wire_test_line import LineWatch
from doorctl.cli.wire_test_pulse import released
from doorctl.config.types import BusPlace
from doorctl.doord.assembly import DoorPins
from doorctl.errors import OperatorError
from hal.board import Board
from hal.events import CardBits, InputChanged, InputEvent
from hal.osdp.reader import OsdpReader
from hal.ports import Indicator, Light, Strike
from hal.wiegand.reader import WiegandReader
from hal.wiring import Finding

RELEASED_S: Final = 1.0
AT_MOST_S: Final = 1.5
"""Where the loop is held up."""
BEEP_MS: Final = 200

Say = Callable[[str], None]
"""A line for whoever stands there."""


class DoorTest:
    """The test of one door, on a running loop; `report` grows as it goes on."""

    def __init__(
        self, board: Board, pins: DoorPins, places: Iterable[BusPlace], *, hands: Hands, say: Say, within_s: float,
        quiet: bool,
    ) -> None:  # fmt: skip
        """`places`: of all OSDP readers of the file; `within_s`: how long inputs and each card are waited for."""
        self._pins, self._hands, self._say = pins, hands, say
        self._within_s, self._quiet = within_s, quiet
        self._clock = board.chip.clock
        self._begun = self._clock()
        self.report: dict[str, Any] = {
            "door": pins.door.name,
            "inputs": [],
            "changes": [],
            "outputs": [],
            "readers": [],
            "missed": [],
        }
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

    @property
    def faults(self) -> int:
        """How many were found."""
        return sum(len(reader["findings"]) for reader in self.report["readers"])

    @property
    def missed(self) -> tuple[str, ...]:
        """What somebody was asked for and was not seen."""
        return tuple(self.report["missed"])

    async def run(self) -> None:
        """Everything, in the order in which an installer goes round the door."""
        for watch in self._watches:
            watch.start()
        online = {watch: await watch.online() for watch in self._watches if isinstance(watch, LineWatch)}
        await self._inputs()
        await self._outputs()
        for watch in self._watches:
            if isinstance(watch, Watch):
                await self._cards(watch)
            elif online[watch]:
                await self._line_card(watch)
        for watch, is_online in online.items():
            if not is_online:  # last: to look for a reader elsewhere ends the sessions of all on its line
                await watch.search(quiet=self._quiet)
                self._reader({**watch.facts(), "card": None}, watch.findings())

    async def _inputs(self) -> None:
        found = list(inputs(self._pins))
        for kind, port, where in found:
            told = at_rest(kind, port, where)
            self.report["inputs"].append(told)
            self._say(f"{kind} ({where}): {told['words']}\n")
            if (what := hint(told)) is not None:
                self._say(f"  hint: {what}\n")
            port.start(partial(self._changed, kind))
        if found:
            named = ", ".join(kind for kind, _, _ in found)
            self._hands.tell(
                f"move each input now ({named}); ENTER goes on, at the latest after {self._within_s:g} s\n"
            )
            await self._until(self._hands.enter)
            missed = [
                kind for kind, _, _ in found if kind not in {change["input"] for change in self.report["changes"]}
            ]
            if missed:
                self._say(f"not seen to move: {', '.join(missed)}\n")
                self.report["missed"] += missed

    def _changed(self, kind: str, event: InputEvent) -> None:
        words = WORDS[kind][event.active] if isinstance(event, InputChanged) else "nobody knows: its reader is away"
        level = event.active if isinstance(event, InputChanged) else None
        at_s = (event.at - self._begun) / 1e9
        self.report["changes"].append({"input": kind, "level": level, "words": words, "at_s": round(at_s, 6)})
        line = f"{card.seconds(event.at, self._begun)}  {kind}: {words}\n"
        if self._later is None:
            self._say(line)
        else:
            self._later.append(line)

    async def _outputs(self) -> None:
        name = self._pins.door.name
        if await self._agreed("strike", name, f"release the strike at {name} for {RELEASED_S:g} s?"):
            await self._pulse(self._pins.strike)
            self._say(f"strike at {name}: released and secured again\n")
        for reader, _, indicator in self._pins.readers:
            if indicator is None:
                continue
            if await self._agreed("LED and buzzer", reader.name, f"light and sound the reader at {reader.name}?"):
                async with _shown(indicator):
                    await _pause(RELEASED_S)
                self._say(f"reader at {reader.name}: showed granted, and beeped\n")

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
        self.report["outputs"].append({"output": output, "at": name, "pulsed": agreed})
        if not agreed:
            self._say(f"{output} at {name}: left alone\n")
        return agreed

    async def _cards(self, watch: Watch) -> None:
        """A card, and where a fault was found and mended, another one."""
        while True:
            found = await self._card(watch)
            if not found or not self._hands.asks:
                return
            if not await self._hands.agreed(f"once more at {watch.reader.name}?"):
                return
            self.report["readers"].pop()
            self.report["missed"] = [one for one in self.report["missed"] if one != f"a card at {watch.reader.name}"]

    async def _card(self, watch: Watch) -> tuple[Finding, ...]:
        name = watch.reader.name
        told: dict[str, Any] = {"reader": name, "wired": card.wires(watch.reader), "card": None}
        low = await watch.low_lines()
        if low:
            return self._reader(told, watch.findings((), low))
        while True:
            self._hands.tell(f"hold the card to the reader at {name} … ")
            seen = await self._until(watch.next_presentation)
            self._hands.tell("\n")
            if seen is None or not watch.is_keys(seen):
                break
            self._say(f"{name}: a key, {seen[0].bits} bits: good\n")
        if seen:
            longest = max(seen, key=lambda burst: burst.bits)
            told["card"] = card.facts(longest, watch.expected)
            self._say(f"{name}: {card.words(told['card'])}\n")
            self._number(card.number(longest, watch.expected))
        else:
            self._no_card(name)
        return self._reader(told, watch.findings(seen or (), await watch.low_lines()))

    async def _line_card(self, watch: LineWatch) -> None:
        name = watch.reader.name
        self._say(f"{name}: in a session at {watch.place}\n")
        self._hands.tell(f"hold the card to the reader at {name} … ")
        event = await self._until(watch.next_card)
        self._hands.tell("\n")
        told: dict[str, Any] = {**watch.facts(), "card": None}
        if isinstance(event, CardBits):
            told["card"] = {"bits": event.length, "format": watch.reader.format, "good": True}
            self._say(f"{name}: {event.length} bits: good\n")
        elif event is not None:
            told["card"] = {"bits": event.bits, "format": None, "good": False}
            self._say(f"{name}: {event.bits} bits, not of the format {watch.reader.format}\n")
        else:
            self._no_card(name)
        self._reader(told, watch.findings())

    def _no_card(self, name: str) -> None:
        self._say(f"{name}: no card came\n")
        self.report["missed"].append(f"a card at {name}")

    def _number(self, number: str | None) -> None:
        """On the controlling terminal, as when a holder gets a card; nowhere where there is none."""
        if number is None or self._quiet:
            return
        try:
            with controlling_terminal() as terminal:
                terminal.write(f"the card says {number}\n")
        except OperatorError:
            return

    def _reader(self, told: dict[str, Any], found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        self.report["readers"].append({**told, "findings": [asdict(finding) for finding in found]})
        for finding in found:
            self._say(f"{told['reader']}: {finding.words}\n  hint: {finding.do}\n")
        return found

    async def _until(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """What the work returns; None where time is up or, if it is not waiting for that itself, ENTER is pressed."""
        waits = {asyncio.ensure_future(work()), asyncio.ensure_future(self._hands.enter())}
        try:
            done, _ = await asyncio.wait(waits, timeout=self._within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        return next((wait.result() for wait in done), None)


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
