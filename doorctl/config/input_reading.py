"""contact, rex and tamper of a door → a pin, or an input of one of its OSDP readers. Every mistake is noted.

Both are wired alike, a switch across two terminals: contact and tamper closed while all is well, rex closed while it is
pressed. A closed switch pulls a pin low, and is what a reader calls active; the defaults of `active` follow from that.
"""

from dataclasses import dataclass, field
from typing import Final

from doorctl.config.key import ReaderSide, expected
from doorctl.config.pins import Pins, meant_pin, read_level, read_pin, take_pin
from doorctl.config.section import Section, dotted, nearest
from doorctl.config.types import BusPlace, Input, Reader, ReaderInput
from doorctl.core.types import ReaderName

_PIN_ONLY: Final = {
    "pin": "a switch is wired to the board or to a reader: leave pin or input out",
    "pull": "the reader pulls its inputs itself: leave pull out",
}
_NO_LINE: Final = 'give the door a reader on a line (osdp = "/dev/ttyAMA0", address = 1), or wire the switch to a pin'
_FROM_NOUGHT: Final = "inputs are counted from 0: the first of a reader is input = 0"
_TWICE: Final = "each input of a reader has one use: give one of the two another"


@dataclass(slots=True, kw_only=True)
class ReaderInputs:
    """One door's readers, and which of their inputs are taken."""

    readers: tuple[Reader, ...]
    taken: dict[tuple[ReaderName, int], str] = field(default_factory=dict)
    """Reader and input → the key that took it."""

    @property
    def on_lines(self) -> dict[str, ReaderName]:
        """Side, or the door's name → name, of those that have inputs."""
        readers = [reader for reader in self.readers if isinstance(reader.wiring, BusPlace)]
        return {reader.name.rpartition("/")[2]: reader.name for reader in readers}


def read_input(
    section: Section, key: str, pins: Pins, inputs: ReaderInputs, *, high_if_open: bool
) -> Input | ReaderInput | None:
    """None where the door has no such switch; `high_if_open`: it means yes while it is not closed."""
    if not section.has(key):
        return None
    value = section.value(key)
    if isinstance(value, str):
        return Input(pin=take_pin(section, key, value, pins), active_high=high_if_open, pull="up")
    pin = meant_pin(value) or "GPIO22"
    hint = f'{key} = "{pin}", {key} = {{ pin = "{pin}", active = "low" }} or {key} = {{ input = 0 }}'
    table = section.table_at(key, expected="a pin or a table", hint=hint)
    source = (
        _reader_input(table, inputs, high_if_open=high_if_open)
        if table.has("input")
        else _pin(table, pins, high_if_open=high_if_open)
    )
    table.close()
    return source


def _pin(table: Section, pins: Pins, *, high_if_open: bool) -> Input:
    if table.has("reader"):
        table.wrong("reader", expected="no such key without input", hint="input = 0 is the reader's first input")
    return Input(
        pin=read_pin(table, "pin", pins), active_high=read_level(table, default=high_if_open), pull=table.word("pull")
    )


def _reader_input(table: Section, inputs: ReaderInputs, *, high_if_open: bool) -> ReaderInput:
    for key, hint in _PIN_ONLY.items():
        if table.has(key):
            table.wrong(key, expected="no such key beside input", hint=hint)
    before = len(table.mistakes.found)
    number = table.whole("input", default=0, hint=_FROM_NOUGHT)
    source = ReaderInput(
        reader=_reader(table, inputs), number=number, active_high=read_level(table, default=not high_if_open)
    )
    if len(table.mistakes.found) == before:
        _claim(table, source, inputs)
    return source


def _reader(table: Section, inputs: ReaderInputs) -> ReaderName:
    """The one that is named, or the only one on a line; an empty name after a mistake."""
    known, named = inputs.on_lines, table.has("reader")
    if not known:
        table.wrong("reader" if named else "input", expected="an OSDP reader at this door", hint=_NO_LINE)
        return ReaderName("")
    if not named and len(known) == 1:
        return next(iter(known.values()))
    value = table.value("reader")
    if isinstance(value, str) and value in known:
        return known[value]
    others = f"readers of this door on a line: {', '.join(known)}"
    meant = nearest(value, known) if isinstance(value, str) else None
    table.wrong("reader", expected=expected(ReaderSide()), hint=meant or others)
    return ReaderName("")


def _claim(table: Section, source: ReaderInput, inputs: ReaderInputs) -> None:
    taken = source.reader, source.number
    if other := inputs.taken.get(taken):
        place = (*table.place, "input")
        found = f"{source.number}, which {other} has"
        table.mistakes.note(place, expected="an input of its own", found=found, hint=_TWICE)
    inputs.taken.setdefault(taken, dotted(table.place))
