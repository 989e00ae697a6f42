"""reader = {…} of a door → Reader, checked against hal's tables of formats and keypads."""

import re
from typing import Final

from doorctl.config.key import one_of
from doorctl.config.osdp_reading import Lines, read_bus_place, refuse_line_keys
from doorctl.config.pins import Pins, meant_pin, read_optional_pin, take_pin
from doorctl.config.section import Section, nearest, quoted
from doorctl.config.types import DataLines, KeypadEncoding, Reader
from doorctl.core.types import Mode, ReaderName, ScheduleName
from hal.wiegand.cards import FORMATS, nearest_formats
from hal.wiegand.keys import FRAME_BITS
from hal.wiegand.keys import KeypadEncoding as HalEncoding

_DATA_LINES: Final = 2
_FORMATS_HINT: Final = "`doorctl check --formats` lists them"
_BINARY_HINT: Final = (
    "a 26-bit binary entry loses leading zeros and stops at 65534, and codes are drawn from all digits; "
    'set the keypad to "8-bit", "4-bit" or "26-bit-bcd"'
)


def read_reader(
    name: ReaderName, section: Section, schedules: tuple[ScheduleName, ...], pins: Pins, lines: Lines
) -> Reader:
    """One reader; mistakes are noted in the section's list."""
    wires = not section.has("osdp")
    wiring = _data_lines(section, pins) if wires else read_bus_place(section, lines)
    mode = section.choice("mode", Mode, meant=_meant)
    modes = _modes(section, schedules)
    all_modes = {mode, *(other for _, other in modes)}
    reader = Reader(
        name=name,
        wiring=wiring,
        format=_format(section, needed=wires and all_modes != {Mode.CODE}),
        check_parity=section.truth("parity"),
        keypad=_keypad(section, needed=all_modes != {Mode.CARD}) if wires else None,
        enter_key=section.word("enter") if wires else "#",
        mode=mode,
        modes=modes,
        code_window=section.seconds("code_window_s"),
        led=read_optional_pin(section, "led", pins) if wires else None,
        buzzer=read_optional_pin(section, "buzzer", pins) if wires else None,
    )
    _tell_apart(section, reader)
    section.close()
    return reader


def _modes(section: Section, schedules: tuple[ScheduleName, ...]) -> tuple[tuple[ScheduleName, Mode], ...]:
    """modes = { night = "card+code" }: other modes while a schedule is on."""
    inner = section.table_at("modes", hint='modes = { night = "card+code" }')
    for schedule in inner.table:
        if schedule not in schedules:
            inner.mistakes.note(
                (*inner.place, schedule), expected="the name of a [schedule.NAME] table",
                found=quoted(schedule), hint=nearest(schedule, schedules), named=True,
            )  # fmt: skip
    return tuple((ScheduleName(schedule), inner.choice(schedule, Mode, meant=_meant)) for schedule in inner.table)


def _meant(word: str) -> str | None:
    """The mode that other words for it mean. The nearest word of "card and code" asks for less: "card or code"."""
    words = set(re.findall(r"[a-z]+|[+&/|]", word.casefold()))
    code = bool(words & {"code", "pin", "keypad", "keys"})
    if "card" in words and code:
        return Mode.CARD_OR_CODE.value if words & {"or", "/", "|"} else Mode.CARD_AND_CODE.value
    return Mode.CODE.value if code else None


def _data_lines(section: Section, pins: Pins) -> DataLines:
    refuse_line_keys(section)
    value = section.value("wiegand")
    if not (isinstance(value, list) and len(value) == _DATA_LINES and all(isinstance(pin, str) for pin in value)):
        section.wrong("wiegand", expected="the two data lines", hint=_data_lines_hint(value))
        return DataLines(d0="", d1="")
    d0, d1 = (take_pin(section, "wiegand", pin, pins) for pin in value)
    return DataLines(d0=d0, d1=d1)


def _data_lines_hint(value: object) -> str:
    """With the lines that were meant, where two were."""
    meant = [meant_pin(pin) for pin in value] if isinstance(value, list) else []
    d0, d1 = meant if len(meant) == _DATA_LINES and all(meant) else ("GPIO14", "GPIO15")
    return f'wiegand = ["{d0}", "{d1}"] (D0, then D1)'


def _format(section: Section, *, needed: bool) -> str | None:
    if not section.has("format"):
        if needed:
            section.wrong("format", expected="the card format", hint='most 26-bit cards are format = "H10301"')
        return None
    name = section.text("format", expected="the name of a card format")
    if name and name not in FORMATS:
        near = nearest_formats(name, limit=1)
        hint = f"did you mean {one_of(near)}? {_FORMATS_HINT}" if near else _FORMATS_HINT
        section.wrong("format", expected="a known card format", hint=hint)
    return name


def _keypad(section: Section, *, needed: bool) -> KeypadEncoding | None:
    if not section.has("keypad"):
        if needed:
            expected = "the keypad's encoding, since the mode asks for a code"
            section.wrong("keypad", expected=expected, hint='mostly "8-bit" or "4-bit"')
        return None
    encoding = section.choice("keypad", KeypadEncoding)
    if encoding is KeypadEncoding.BINARY_26:
        section.wrong("keypad", expected="an encoding that can send every code", hint=_BINARY_HINT)
    return encoding


def _tell_apart(section: Section, reader: Reader) -> None:
    """Cards and keypad entries of one length cannot share two lines: the decoder would guess."""
    card_format = FORMATS.get(reader.format or "")
    if card_format is None or reader.keypad in (None, KeypadEncoding.BINARY_26):
        return
    bits = FRAME_BITS[HalEncoding(reader.keypad.value)]
    if card_format.bits == bits:
        section.wrong(
            "keypad", expected=f"an encoding whose frames are not {bits} bits long, as {reader.format} cards are",
            hint='set the keypad to "8-bit" or "4-bit"',
        )  # fmt: skip
