"""[door.NAME] of the installer's file → Door: readers, strike, inputs, and the rules that tie them together."""

from typing import Final

from doorctl.config.lines import Place
from doorctl.config.section import Section, nearest, shown
from doorctl.config.types import (
    Door,
    Egress,
    Input,
    KeypadEncoding,
    Reader,
    Strike,
    StrikeKind,
    TimeUnknown,
)
from doorctl.core.types import DoorName, Mode, ReaderName, ScheduleName
from hal.wiegand.cards import FORMATS

_EGRESS_HINT: Final = (
    'people must get out without software: "mechanical" (a handle, an exit bar) '
    'or "wired" (a button that cuts the strike\'s power)'
)
_STRIKE_HINT: Final = 'strike = { pin = "GPIO17", type = "fail-secure" }'
Pins = dict[str, str]
"""Pin → the key that took it, over the whole file."""


def read_door(name: str, section: Section, schedules: tuple[ScheduleName, ...], pins: Pins) -> Door:
    """One door; mistakes are noted in the section's list."""
    door = Door(
        name=DoorName(name),
        readers=_readers(name, section, schedules, pins),
        strike=_strike(section.table_at("strike", required=True, hint=_STRIKE_HINT), pins),
        egress=section.choice("egress", Egress, hint=_EGRESS_HINT),
        contact=_input(section, "contact", pins, active_high=True),
        rex=_input(section, "rex", pins, active_high=False),
        tamper=_input(section, "tamper", pins, active_high=True),
        held_open=section.seconds("held_open_s", default=30, low=5, high=3600),
        pre_alarm=section.seconds("pre_alarm_s", default=10, low=0, high=3600),
        unlock_schedule=_schedule_name(section, "unlock", schedules),
        time_unknown=section.choice("time_unknown", TimeUnknown, default=TimeUnknown.DENY),
        interlock=tuple(DoorName(other) for other in section.names("interlock")),
    )  # fmt: skip
    if door.pre_alarm >= door.held_open:
        section.wrong("pre_alarm_s", expected="less than held_open_s")
    section.close()
    return door


def _schedule_name(section: Section, key: str, schedules: tuple[ScheduleName, ...]) -> ScheduleName | None:
    if not section.has(key):
        return None
    name = section.text(key, expected="the name of a schedule")
    if name and name not in schedules:
        section.wrong(key, expected="the name of a [schedule.NAME] table", hint=nearest(name, schedules))
    return ScheduleName(name)


def _readers(door: str, section: Section, schedules: tuple[ScheduleName, ...], pins: Pins) -> tuple[Reader, ...]:
    if section.has("readers"):
        if section.has("reader"):
            section.wrong("reader", expected="either reader or readers, not both")
        outer = section.table_at("readers", hint="readers = { in = { … }, out = { … } }")
        return tuple(
            _reader(ReaderName(f"{door}/{side}"), outer.table_at(side), schedules, pins) for side in outer.table
        )
    hint = 'reader = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", mode = "card" }'
    return (_reader(ReaderName(door), section.table_at("reader", required=True, hint=hint), schedules, pins),)


def _reader(name: ReaderName, section: Section, schedules: tuple[ScheduleName, ...], pins: Pins) -> Reader:
    d0, d1 = _data_lines(section, pins)
    mode = section.choice("mode", Mode)
    modes_section = section.table_at("modes", hint='modes = { night = "card+code" }')
    modes = []
    for schedule in modes_section.table:
        if schedule not in schedules:
            modes_section.mistakes.note(
                (*modes_section.place, schedule), expected="the name of a [schedule.NAME] table",
                found=shown(schedule), hint=nearest(schedule, schedules),
            )  # fmt: skip
        modes.append((ScheduleName(schedule), modes_section.choice(schedule, Mode)))
    all_modes = {mode, *(other for _, other in modes)}
    reader = Reader(
        name=name,
        d0=d0,
        d1=d1,
        format=_format(section, needed=all_modes != {Mode.CODE}),
        check_parity=section.truth("parity", default=True),
        keypad=_keypad(section, needed=all_modes != {Mode.CARD}),
        enter_key=_enter(section),
        mode=mode,
        modes=tuple(modes),
        code_window=section.seconds("code_window_s", default=10, low=3, high=60),
        led=_optional_pin(section, "led", pins),
        buzzer=_optional_pin(section, "buzzer", pins),
    )
    section.close()
    return reader


def _data_lines(section: Section, pins: Pins) -> tuple[str, str]:
    if section.has("osdp"):
        section.wrong("osdp", expected="a wiegand reader", hint="this version reads Wiegand; OSDP readers come later")
        section.has("wiegand")
        section.has("address")
        return "", ""
    value = section.value("wiegand")
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(pin, str) for pin in value)):  # noqa: PLR2004
        section.wrong("wiegand", expected="the two data lines", hint='wiegand = ["GPIO14", "GPIO15"] (D0, then D1)')
        return "", ""
    d0, d1 = (_take(section, "wiegand", pin, pins) for pin in value)
    return d0, d1


def _format(section: Section, *, needed: bool) -> str | None:
    if not section.has("format"):
        if needed:
            section.wrong("format", expected="the card format", hint='most 26-bit cards are format = "H10301"')
        return None
    name = section.text("format", expected="the name of a card format")
    if name and name not in FORMATS:
        hint = nearest(name, FORMATS) or "`doorctl check --formats` lists them"
        section.wrong("format", expected="a known card format", hint=hint)
    return name


def _keypad(section: Section, *, needed: bool) -> KeypadEncoding | None:
    if section.has("keypad"):
        return section.choice("keypad", KeypadEncoding)
    if needed:
        section.wrong(
            "keypad", expected="the keypad's encoding, since the mode asks for a code", hint='mostly "8-bit" or "4-bit"'
        )
    return None


def _enter(section: Section) -> str:
    key = section.text("enter", expected='"#" or "*"', default="#")
    if key not in ("#", "*"):
        section.wrong("enter", expected='"#" or "*"')
    return key


def _strike(section: Section, pins: Pins) -> Strike:
    strike = Strike(
        pin=_take(section, "pin", section.text("pin", expected='a pin such as "GPIO17"'), pins),
        type=section.choice("type", StrikeKind, hint="what the strike does without power"),
        active_high=_active(section, default=True),
        release=section.seconds("release_s", default=5, low=0.5, high=600),
        relock_on_open=section.truth("relock_on_open", default=True),
    )
    section.close()
    return strike


def _active(section: Section, *, default: bool) -> bool:
    word = section.text("active", expected='"high" or "low"', default="high" if default else "low")
    if word not in ("high", "low"):
        section.wrong("active", expected='"high" or "low"')
    return word == "high"


def _input(section: Section, key: str, pins: Pins, *, active_high: bool) -> Input | None:
    """A bare pin means the usual wiring: a switch to ground, pulled up (contact and tamper closed when all is well)."""
    if not section.has(key):
        return None
    value = section.value(key)
    if isinstance(value, str):
        return Input(pin=_take(section, key, value, pins), active_high=active_high, pull="up")
    table = section.table_at(key, hint=f'{key} = "GPIO22" or {key} = {{ pin = "GPIO22", active = "low", pull = "up" }}')
    pull = table.text("pull", expected='"up", "down" or "none"', default="up")
    if pull not in ("up", "down", "none"):
        table.wrong("pull", expected='"up", "down" or "none"')
    source = Input(
        pin=_take(table, "pin", table.text("pin", expected='a pin such as "GPIO22"'), pins),
        active_high=_active(table, default=active_high),
        pull=pull,
    )
    table.close()
    return source


def _optional_pin(section: Section, key: str, pins: Pins) -> str | None:
    if not section.has(key):
        return None
    return _take(section, key, section.text(key, expected='a pin such as "GPIO5"'), pins)


def _take(section: Section, key: str, pin: str, pins: Pins) -> str:
    """Claim a pin for a key; a malformed name or a pin claimed before is a mistake."""
    place: Place = (*section.place, key)
    if not pin:
        return pin
    digits = pin.removeprefix("GPIO")
    if digits == pin or not digits.isdecimal() or len(digits) > 3:  # noqa: PLR2004  no chip has a thousand lines
        section.mistakes.note(
            place,
            expected='a pin such as "GPIO17"',
            found=shown(pin),
            hint="numbers are the chip's lines, not the header's",
        )
    elif pin in pins:
        section.mistakes.note(place, expected="a pin of its own", found=f'"{pin}", which {pins[pin]} has')
    else:
        pins[pin] = ".".join(place)
    return pin
