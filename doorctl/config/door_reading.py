"""[door.NAME] of the installer's file → Door: strike, times, and the rules that tie them together."""

from typing import Final

from doorctl.config.input_reading import ReaderInputs, read_input
from doorctl.config.key import LONGEST_SIDE
from doorctl.config.osdp_reading import Lines
from doorctl.config.pins import Pins, read_level, read_pin
from doorctl.config.reader_reading import read_reader
from doorctl.config.section import Section, check_name, nearest
from doorctl.config.types import Door, Egress, Reader, Strike, StrikeKind, TimeUnknown
from doorctl.core.types import SECOND, DoorName, ReaderName, ScheduleName

_EGRESS_HINT: Final = (
    'people must get out without software: "mechanical" (a handle, an exit bar) '
    'or "wired" (a button that cuts the strike\'s power)'
)
_STRIKE_HINT: Final = 'strike = { pin = "GPIO17", type = "fail-secure" }'
_TYPE_HINT: Final = "what it does without power: a maglock is fail-safe, an electric strike mostly fail-secure"
_READER_HINT: Final = 'reader = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", mode = "card" }'
_READERS_HINT: Final = "readers = { in = { … }, out = { … } }"
_PRE_ALARM_S: Final = 10.0


def read_door(name: str, section: Section, schedules: tuple[ScheduleName, ...], pins: Pins, lines: Lines) -> Door:
    """One door; mistakes are noted in the section's list."""
    held_open = section.seconds("held_open_s")
    readers = _readers(name, section, schedules, pins, lines)
    inputs = ReaderInputs(readers=readers)
    door = Door(
        name=DoorName(name),
        readers=readers,
        strike=_strike(section.table_at("strike", required=True, hint=_STRIKE_HINT), pins),
        egress=section.choice("egress", Egress, hint=_EGRESS_HINT),
        contact=read_input(section, "contact", pins, inputs, high_if_open=True),
        rex=read_input(section, "rex", pins, inputs, high_if_open=False),
        tamper=read_input(section, "tamper", pins, inputs, high_if_open=True),
        held_open=held_open,
        pre_alarm=section.seconds("pre_alarm_s", default=min(_PRE_ALARM_S, held_open / SECOND / 2)),
        unlock_schedule=_schedule_name(section, "unlock", schedules),
        time_unknown=section.choice("time_unknown", TimeUnknown),
        interlock=tuple(DoorName(other) for other in section.names("interlock")),
    )
    if door.pre_alarm >= door.held_open:
        section.wrong("pre_alarm_s", expected=f"less than held_open_s, which is {door.held_open / SECOND:g}")
    section.close()
    return door


def _schedule_name(section: Section, key: str, schedules: tuple[ScheduleName, ...]) -> ScheduleName | None:
    if not section.has(key):
        return None
    name = section.text(key, expected="the name of a schedule")
    if name and name not in schedules:
        section.wrong(key, expected="the name of a [schedule.NAME] table", hint=nearest(name, schedules))
    return ScheduleName(name)


def _readers(
    door: str, section: Section, schedules: tuple[ScheduleName, ...], pins: Pins, lines: Lines
) -> tuple[Reader, ...]:
    if not section.has("readers"):
        only = section.table_at("reader", required=True, hint=_READER_HINT)
        return (read_reader(ReaderName(door), only, schedules, pins, lines),)
    if section.has("reader"):
        section.wrong("reader", expected="either reader or readers, not both")
    outer = section.table_at("readers", hint=_READERS_HINT)
    if not outer.table:
        outer.mistakes.note(outer.place, expected="at least one reader", found="none", hint=_READERS_HINT)
    readers = []
    for side in outer.table:
        check_name(outer.mistakes, (*outer.place, side), side, longest=LONGEST_SIDE)
        inner = outer.table_at(side, hint=_READER_HINT.removeprefix("reader = "))
        readers.append(read_reader(ReaderName(f"{door}/{side}"), inner, schedules, pins, lines))
    return tuple(readers)


def _strike(section: Section, pins: Pins) -> Strike:
    strike = Strike(
        pin=read_pin(section, "pin", pins),
        type=section.choice("type", StrikeKind, hint=_TYPE_HINT),
        active_high=read_level(section, default=True),
        release=section.seconds("release_s"),
        relock_on_open=section.truth("relock_on_open"),
    )
    section.close()
    return strike
