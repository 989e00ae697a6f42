"""One reader of a door, with somebody at it: a card, a key, and what is likely wrong with its wires.

A card's number goes to the controlling terminal only; which key was pressed goes nowhere.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from doorctl.cli import wire_test_card as card
from doorctl.cli.terminal import controlling_terminal
from doorctl.cli.wire_test_card import Watch
from doorctl.cli.wire_test_hands import Hands
from doorctl.cli.wire_test_line import LineWatch
from doorctl.cli.wire_test_verdict import ReaderSeen
from doorctl.config.types import DataLines, KeypadEncoding, Reader
from doorctl.core.types import Mode
from doorctl.errors import OperatorError
from hal.events import CardBits
from hal.wiegand.wiring import Burst
from hal.wiring import Finding

Say = Callable[[str], None]
"""A line for whoever stands there."""
_WHOLE_ENTRY: Final = {KeypadEncoding.BINARY_26, KeypadEncoding.BCD_26}


def wants_card(reader: Reader) -> bool:
    """Whether it reads cards."""
    return reader.format is not None if isinstance(reader.wiring, DataLines) else _modes(reader) != {Mode.CODE}


def wants_key(reader: Reader) -> bool:
    """Whether it has a keypad: on a line, whether a code is ever asked for."""
    return reader.keypad is not None if isinstance(reader.wiring, DataLines) else _modes(reader) != {Mode.CARD}


def _modes(reader: Reader) -> set[Mode]:
    return {reader.mode, *(mode for _, mode in reader.modes)}


class ReaderTest:
    """What becomes of one reader; `told` is its report, as JSON has it."""

    def __init__(self, watch: Watch | LineWatch, *, hands: Hands, say: Say, within_s: float, quiet: bool) -> None:
        """`within_s`: how long a card and a key are waited for."""
        self._watch, self._hands, self._say = watch, hands, say
        self._within_s, self._quiet = within_s, quiet
        self.name = watch.reader.name
        self._begin()

    def _begin(self) -> None:
        self._card: bool | None = None
        self._key: bool | None = None
        self._findings: tuple[Finding, ...] = ()
        self.told: dict[str, Any] = {"reader": self.name, "wired": _wires(self._watch), "card": None, "key": None}

    @property
    def seen(self) -> ReaderSeen:
        """For the verdict."""
        reader = self._watch.reader
        return ReaderSeen(
            reader=self.name, wants_card=wants_card(reader), wants_key=wants_key(reader), card=self._card,
            key=self._key, findings=self._findings,
        )  # fmt: skip

    async def at_two_wires(self, watch: Watch) -> None:
        """A card and a key, and where a fault was found and mended, once more."""
        while True:
            self._begin()
            self._found(await self._at_wires_once(watch))
            if not self._findings or not self._hands.asks:
                return
            if not await self._hands.agreed(f"once more at {self.name}?"):
                return

    async def on_a_line(self, watch: LineWatch) -> None:
        """A card and a key at a reader that is in a session."""
        self._say(f"{self.name}: in a session at {watch.place}\n")
        if wants_card(watch.reader):
            await self._line_card(watch)
        if wants_key(watch.reader):
            self._ask_for_key()
            pressed = await self._hands.until(watch.next_key, self._within_s)
            self._hands.tell("\n")
            if pressed:
                self._good_key(None)
            else:
                self._no("key")
        self.told |= watch.facts()
        self._found(watch.findings())

    async def elsewhere(self, watch: LineWatch) -> None:
        """One that does not come into a session."""
        await watch.search(quiet=self._quiet)
        self.told |= watch.facts()
        self._found(watch.findings())

    async def _at_wires_once(self, watch: Watch) -> tuple[Finding, ...]:
        if wrong := await watch.at_rest():
            return wrong
        found: tuple[Finding, ...] = ()
        if wants_card(watch.reader):
            found = await self._wait_for_card(watch)
        if wants_key(watch.reader) and not found and self._key is None:
            found = await self._wait_for_key(watch)
        return found

    async def _wait_for_card(self, watch: Watch) -> tuple[Finding, ...]:
        while True:
            watch.forget()
            self._hands.tell(f"hold the card to the reader at {self.name} … ")
            seen = await self._hands.until(watch.next_presentation, self._within_s)
            self._hands.tell("\n")
            if seen is None or not watch.is_keys(seen):
                break
            self._good_key(seen[0].bits)
        if seen:
            longest = max(seen, key=lambda burst: burst.bits)
            self.told["card"] = card.facts(longest, watch.expected)
            self._card = self.told["card"]["good"]
            self._say(f"{self.name}: {card.words(self.told['card'])}\n")
            self._number(card.number(longest, watch.expected))
        else:
            self._no("card")
            if self._key is not None:  # the wires are right, and no card was there
                return ()
        return watch.findings(seen or (), await watch.low_lines())

    async def _wait_for_key(self, watch: Watch) -> tuple[Finding, ...]:
        while True:
            self._ask_for_key()
            seen = await self._hands.until(watch.next_presentation, self._within_s)
            self._hands.tell("\n")
            if seen is None or watch.is_keys(seen) or watch.findings(seen):
                break
            self._say(f"{self.name}: a card; a key is waited for\n")
        if seen is None:
            self._no("key")
            return () if self._card is not None else watch.findings((), await watch.low_lines())
        if watch.is_keys(seen):
            self._good_key(seen[0].bits)
            return ()
        return self._bad_key(watch, seen)

    def _bad_key(self, watch: Watch, seen: tuple[Burst, ...]) -> tuple[Finding, ...]:
        longest = max(seen, key=lambda burst: burst.bits)
        self._key = False
        self.told["key"] = {"bits": card.facts(longest, watch.expected)["bits"], "good": False}
        return watch.findings(seen)

    async def _line_card(self, watch: LineWatch) -> None:
        watch.forget()
        self._hands.tell(f"hold the card to the reader at {self.name} … ")
        event = await self._hands.until(watch.next_card, self._within_s)
        self._hands.tell("\n")
        if event is None:
            self._no("card")
            return
        if isinstance(event, CardBits):
            bits, known = event.length, watch.reader.format
            self._say(f"{self.name}: {bits} bits: good\n")
        else:
            bits, known = event.bits, None
            self._say(f"{self.name}: {bits} bits, not of the format {watch.reader.format}\n")
        self._card = isinstance(event, CardBits)
        self.told["card"] = {"bits": bits, "format": known, "good": self._card}

    def _ask_for_key(self) -> None:
        reader = self._watch.reader
        what = f"some digits and {reader.enter_key}" if reader.keypad in _WHOLE_ENTRY else "a key"
        self._watch.forget()
        self._hands.tell(f"press {what} at the reader at {self.name} … ")

    def _good_key(self, bits: int | None) -> None:
        self._key = True
        self.told["key"] = {"bits": bits, "good": True}
        self._say(f"{self.name}: a key{'' if bits is None else f', {bits} bits'}: good\n")

    def _no(self, what: str) -> None:
        self._say(f"{self.name}: no {what} came\n")

    def _number(self, number: str | None) -> None:
        """On the controlling terminal, as when a holder gets a card; nowhere where there is none."""
        if number is None or self._quiet:
            return
        try:
            with controlling_terminal() as terminal:
                terminal.write(f"the card says {number}\n")
        except OperatorError:
            return

    def _found(self, found: tuple[Finding, ...]) -> None:
        self._findings = found
        self.told["findings"] = [asdict(finding) for finding in found]
        for finding in found:
            self._say(f"{self.name}: {finding.words}\n  hint: {finding.do}\n")


def _wires(watch: Watch | LineWatch) -> str:
    return card.wires(watch.reader) if isinstance(watch, Watch) else str(watch.place)
