"""What a wire-test comes to: what was seen of a door's wires in, fine, missed or wrong out. Pure.

Fine is only what was tried and seen to work. Nobody's word that it would stands in for that, and what nobody tried is
not fine: an installer who leaves goes by this.

| part             | fine                           | missed                 | wrong                 |
|------------------|--------------------------------|------------------------|-----------------------|
| an input         | seen at both levels, left idle | never moved, not heard | flickers, left active |
| an output        | moved, and seen to             | left alone             | nobody saw it move    |
| a reader's card  | one came, and is read          | none came              | not of the format     |
| a reader's keys  | one came, and is read          | none came              | not of the keypad     |
| a reader's wires | nothing found                  |                        | each likely fault     |

Must never hold what a card or a key says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from hal.wiring import Finding

SECOND: Final = 1_000_000_000
_SLOT: Final = SECOND // 100
_MANY_SLOTS: Final = 20
"""Hundredths of a second with a change, of a hundred: the mains hum has them all, a hand that hurries ten."""
_BURST: Final = SECOND // 5
_MANY_CHANGES: Final = 100
"""Within a fifth of a second: 5 ms of a contact's chatter at 10 kHz is half of it."""


class Standing(Enum):
    """What became of a part; the values are for scripts."""

    FINE = "fine"
    MISSED = "missed"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSeen:
    """A contact, REX or tamper switch; True is active, as doorctl.toml's `active` has it."""

    kind: str
    words: tuple[str, str]
    """Idle and active."""
    seen: frozenset[bool]
    """The levels that it was at."""
    level: bool | None
    """At the end; None: nobody knows."""
    flickers: bool = False
    failed: bool = False
    """To read it is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSeen:
    """A strike, or a reader's LED and buzzer."""

    output: str
    at: str
    pulsed: bool
    moved: bool = False
    """As somebody says who was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSeen:
    """A reader of two wires or of a line."""

    reader: str
    wants_card: bool
    wants_key: bool
    card: bool | None = None
    """Whether one that came is read; None: none came."""
    key: bool | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSeen:
    """Everything that the door's configuration has."""

    inputs: tuple[InputSeen, ...]
    outputs: tuple[OutputSeen, ...]
    readers: tuple[ReaderSeen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of them."""

    part: str
    standing: Standing
    why: str
    do: str | None = None
    """What to try first; None where nothing is to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All of them, in the order in which an installer goes round the door."""

    parts: tuple[Part, ...]

    @property
    def fine(self) -> bool:
        """Everything was tried, seen and fine."""
        return all(part.standing is Standing.FINE for part in self.parts)

    def of(self, standing: Standing) -> tuple[Part, ...]:
        """Those of it."""
        return tuple(part for part in self.parts if part.standing is standing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSeen:
    """A door with nobody at it: each input as it rests, and what was found at each reader by its name."""

    door: str
    inputs: tuple[InputSeen, ...]
    readers: tuple[tuple[str, tuple[Finding, ...]], ...]


def verdict(door: DoorSeen) -> Verdict:
    """What it comes to."""
    parts = [*map(_input, door.inputs), *map(_output, door.outputs)]
    for reader in door.readers:
        parts += _reader(reader)
    return Verdict(parts=tuple(parts))


def at_rest(doors: Sequence[RestSeen]) -> Verdict:
    """What a look at doors with nobody at them comes to. MISSED here is no fault: it is to be looked at.

    An input that is active is none: a door that stands open is a door's business and not its wires', and only somebody
    who is there can say that it is closed.
    """
    parts: list[Part] = []
    for door in doors:
        parts += [replace(_at_rest(seen), part=f"{door.door}: {seen.kind}") for seen in door.inputs]
        for name, found in door.readers:
            part = f"{door.door}: reader {name}"
            parts += [Part(part=part, standing=Standing.WRONG, why=one.words, do=one.do) for one in found] or [
                Part(part=part, standing=Standing.FINE, why="nothing wrong was seen")
            ]
    return Verdict(parts=tuple(parts))


def flickers(changes: Sequence[int]) -> bool:
    """Whether an input that changed at these nanoseconds, the latest last, is moved by no hand and is no bounce."""
    if not changes:
        return False
    latest = changes[-1]
    second = [at for at in changes if latest - at < SECOND]
    burst = sum(latest - at < _BURST for at in second)
    return len({at // _SLOT for at in second}) >= _MANY_SLOTS or burst >= _MANY_CHANGES


def hung_input(kind: str) -> Part:
    """An input whose wire hangs in the air."""
    return Part(
        part=kind,
        standing=Standing.WRONG,
        why="flickers by itself: likely its wire hangs in the air, without a pull-up",
        do='press the wire home; pull = "up" in doorctl.toml, or 10 kΩ from the pin to 3.3 V',
    )


def _at_rest(seen: InputSeen) -> Part:
    if seen.flickers or seen.failed or seen.level is None:
        return _input(seen)
    if seen.level:
        return Part(
            part=seen.kind, standing=Standing.MISSED, why=f"is {seen.words[True]}",
            do=f"with nobody at the door it should be {seen.words[False]}: likely a broken wire, or active in "
            "doorctl.toml is the other level",
        )  # fmt: skip
    return Part(part=seen.kind, standing=Standing.FINE, why=f"is {seen.words[False]}")


def _input(seen: InputSeen) -> Part:
    idle, active = seen.words
    if seen.flickers:
        return hung_input(seen.kind)
    if seen.failed:
        return Part(part=seen.kind, standing=Standing.WRONG, why="cannot be read", do="the line that it is wired to")
    if seen.level is None:
        return Part(
            part=seen.kind, standing=Standing.MISSED, why="nobody knows its level",
            do="the reader that it is wired to: power and line",
        )  # fmt: skip
    if seen.seen != {False, True}:
        return Part(
            part=seen.kind, standing=Standing.MISSED, why=f"never moved, and is {seen.words[seen.level]}",
            do="move it once more; where it was moved: likely a broken wire, or another pin than in doorctl.toml",
        )  # fmt: skip
    if seen.level:
        return Part(
            part=seen.kind, standing=Standing.WRONG, why=f"moved, and was left {active}",
            do=f"leave it {idle}; where it is: likely active in doorctl.toml is the other level",
        )  # fmt: skip
    return Part(part=seen.kind, standing=Standing.FINE, why=f"seen {idle} and {active}, left {idle}")


def _output(seen: OutputSeen) -> Part:
    part = seen.output if seen.output == "strike" else f"{seen.output} at {seen.at}"
    if not seen.pulsed:
        return Part(part=part, standing=Standing.MISSED, why="not tried: nobody said yes")
    if seen.moved:
        return Part(part=part, standing=Standing.FINE, why="moved, and was seen to")
    do = (
        "does the relay click? If not: its supply, its input, the pin in doorctl.toml; if so: the strike's own "
        "circuit, fuse, COM and NO, and the diode's direction"
        if seen.output == "strike"
        else "the wires to the reader's LED and buzzer, and led and buzzer in doorctl.toml"
    )
    return Part(part=part, standing=Standing.WRONG, why="was switched on, and nobody saw it move", do=do)


def _reader(seen: ReaderSeen) -> Iterator[Part]:
    if seen.wants_card:
        yield from _presented(seen, "card", "find the format: `doorctl check --formats`", good=seen.card)
    if seen.wants_key:
        yield from _presented(seen, "key", "keypad in doorctl.toml, and the reader's setting", good=seen.key)
    for found in seen.findings:
        yield Part(part=f"reader {seen.reader}", standing=Standing.WRONG, why=found.words, do=found.do)


def _presented(seen: ReaderSeen, what: str, do: str, *, good: bool | None) -> Iterator[Part]:
    part = f"{what} at {seen.reader}"
    if good:
        yield Part(part=part, standing=Standing.FINE, why="came, and is read")
    elif good is None:
        do = "what is wrong with the reader's wires, first" if seen.findings else f"once more, and with a {what}"
        yield Part(part=part, standing=Standing.MISSED, why="none came", do=do)
    elif not seen.findings:  # else they say why
        yield Part(part=part, standing=Standing.WRONG, why="came, and is not what doorctl.toml has", do=do)
