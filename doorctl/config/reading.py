"""The installer's TOML file → Config, or every mistake in it at once. Reads files, changes nothing."""

import re
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

import tomli

from doorctl.config.door_reading import read_door
from doorctl.config.lines import key_lines
from doorctl.config.section import Mistake, Mistakes, Section, check_name, nearest, one_of
from doorctl.config.types import (
    Access,
    Backend,
    Codes,
    Config,
    Door,
    Group,
    Hal,
    Lockout,
    MonitorLink,
    Schedule,
    Site,
    Window,
)
from doorctl.core.types import DoorName, GroupName, Mode, ScheduleName
from doorctl.errors import OperatorError

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
_WINDOW: Final = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_DAY_SECONDS: Final = 86_400
_ALONE_LENGTH: Final = 8
"""Digits where a code alone opens a door; design.md, Codes."""
_WITH_CARD_LENGTH: Final = 6


class ConfigError(OperatorError):
    """A configuration has mistakes; `mistakes` has them all, in the order of the file's lines."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__("\n".join(str(mistake) for mistake in mistakes) + f"\n{mistakes[0].file}: {count}")
        self.mistakes = mistakes


def read_config(path: Path) -> Config:
    """The file at `path`; OperatorError where it cannot be read, ConfigError with all its mistakes."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise OperatorError(
            f"{path}: there is no configuration", hint="`doorctl init` writes one to start from"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path}: cannot be read: {error}") from error
    return parse_config(text, file=path.name)


def parse_config(text: str, *, file: str) -> Config:
    """TOML text → Config; ConfigError with all mistakes."""
    try:
        tree = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        mistake = Mistake(
            file=file, line=error.lineno, key="", expected="TOML", found=error.msg,
            hint="strings stand in quotes, lists in [ ], one key a line",
        )  # fmt: skip
        raise ConfigError([mistake]) from error
    mistakes = Mistakes(file=file, lines=key_lines(text))
    config = _read(Section((), tree, mistakes))
    if mistakes.found:
        raise ConfigError(mistakes.sorted())
    return config


def _read(top: Section) -> Config:
    site_section = top.table_at("site", required=True, hint="begin the file with [site]")
    site, holidays = _site(site_section), site_section.dates("holidays")
    site_section.close()
    schedules = tuple(_schedule(name, section) for name, section in top.named_tables("schedule"))
    schedule_names = tuple(schedule.name for schedule in schedules)
    pins: dict[str, str] = {}
    doors = tuple(read_door(name, section, schedule_names, pins) for name, section in top.named_tables("door"))
    if not doors:
        top.mistakes.note(("door",), expected="at least one [door.NAME] table", found="none")
    door_names = tuple(door.name for door in doors)
    for door in doors:
        for other in door.interlock:
            if other not in door_names or other == door.name:
                place, right = ("door", door.name, "interlock"), [name for name in door_names if name != door.name]
                top.mistakes.note(
                    place, expected="names of other doors", found=f'"{other}"', hint=nearest(other, right)
                )
    config = Config(
        site=site,
        monitor=_monitor(top.table_at("monitor")),
        codes=_codes(top.table_at("codes"), doors),
        lockout=_lockout(top.table_at("lockout")),
        hal=_hal(top.table_at("hal")),
        doors=doors,
        schedules=schedules,
        holidays=holidays,
        groups=tuple(_group(name, section, door_names, schedule_names) for name, section in top.named_tables("group")),
    )
    top.close()
    return config


def _site(section: Section) -> Site:
    name = section.text("id", expected='a short name such as "harbour-st"')
    if name:
        check_name(section.mistakes, (*section.place, "id"), name)
    zone = section.text("timezone", expected='a time zone such as "Europe/Lisbon"')
    if zone and zone not in available_timezones():
        section.wrong("timezone", expected="a name of the IANA time zone database", hint=nearest_zone(zone))
    return Site(id=name, timezone=zone)


def nearest_zone(zone: str) -> str | None:
    """The zone of the same city, or the nearest name."""
    return nearest(zone, available_timezones())


def _monitor(section: Section) -> MonitorLink:
    link = MonitorLink(
        file=section.text("file", expected='a path such as "monitor.toml"', default="monitor.toml"),
        supervision=section.seconds("supervision_s", default=30, low=10, high=60),
        accept_colocated=section.truth("accept_colocated", default=False),
    )
    section.close()
    return link


def _codes(section: Section, doors: tuple[Door, ...]) -> Codes:
    alone = any(takes_code_alone(mode) for door in doors for mode in modes_of(door))
    codes = Codes(
        length=section.whole(
            "length", default=_ALONE_LENGTH if alone else _WITH_CARD_LENGTH, low=4, high=10,
            hint="the last digit is a check digit: a length of 8 is ten million codes",
        ),
        per_holder=section.whole("per_holder", default=2, low=1, high=3),
    )  # fmt: skip
    section.close()
    return codes


def takes_code_alone(mode: Mode) -> bool:
    """Whether a code without a card opens in this mode."""
    return mode in (Mode.CODE, Mode.CARD_OR_CODE)


def modes_of(door: Door) -> set[Mode]:
    """Every mode that a reader of the door is ever in."""
    return {mode for reader in door.readers for mode in (reader.mode, *(mode for _, mode in reader.modes))}


def _lockout(section: Section) -> Lockout:
    lockout = Lockout(
        tries=section.whole("tries", default=5, low=2, high=20),
        first=section.seconds("first_s", default=30, low=5, high=600),
        longest=section.seconds("longest_s", default=600, low=30, high=3600),
        guessing_alarm=section.whole("guessing_alarm", default=30, low=5, high=10_000),
    )
    if lockout.longest < lockout.first:
        section.wrong("longest_s", expected="no less than first_s")
    section.close()
    return lockout


def _hal(section: Section) -> Hal:
    backend = section.choice("backend", Backend, default=Backend.GPIOZERO)
    chip = section.value("chip")
    if section.has("chip") and not (isinstance(chip, str) and chip):
        section.wrong("chip", expected='the label or number of a gpiochip as text, such as "pinctrl-bcm2711" or "0"')
    section.close()
    return Hal(backend=backend, chip=chip if isinstance(chip, str) else None)


def _schedule(name: str, section: Section) -> Schedule:
    windows: list[Window] = []
    for key in section.table:
        days = _days(key)
        if not days:
            section.wrong(
                key,
                expected="a day such as mon, mon-fri, daily or holiday",
                hint=nearest(key, (*_DAYS, "mon-fri", "daily")),
            )
            section.has(key)
            continue
        value = section.value(key)
        for text in value if isinstance(value, list) else [value]:
            window = _window(text) if isinstance(text, str) else None
            if window is None:
                section.wrong(
                    key,
                    expected='hours such as "07:00-19:00", or a list of them',
                    hint='a window ends on its own day: write "22:00-24:00" and "00:00-06:00" on the next',
                )
                continue
            windows += [Window(weekday=day, begin=window[0], end=window[1]) for day in days]
    return Schedule(name=ScheduleName(name), windows=tuple(windows))


def _days(key: str) -> list[int]:
    """`mon` → [0], `mon-fri` → [0..4], `daily` → all but holidays; nothing where it is no day."""
    if key == "daily":
        return list(range(7))
    first, dash, last = key.partition("-")
    if first not in _DAYS or (dash and last not in _DAYS[:7]) or (dash and first == "holiday"):
        return []
    begin = _DAYS.index(first)
    end = _DAYS.index(last) if dash else begin
    return list(range(begin, end + 1)) if begin <= end else [*range(begin, 7), *range(end + 1)]


def _window(text: str) -> tuple[int, int] | None:
    """Seconds of the day, begin < end ≤ 24:00; None where the text says something else."""
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        return None
    begin_h, begin_m, end_h, end_m = (int(group) for group in match.groups())
    begin, end = begin_h * 3600 + begin_m * 60, end_h * 3600 + end_m * 60
    if begin_m > 59 or end_m > 59 or not 0 <= begin < end <= _DAY_SECONDS:  # noqa: PLR2004  minutes of an hour
        return None
    return begin, end


def _group(name: str, section: Section, doors: tuple[DoorName, ...], schedules: tuple[ScheduleName, ...]) -> Group:
    access: list[Access] = []
    for door in section.table:
        schedule = section.text(door, expected=f'"always" or a schedule: {one_of(["always", *schedules])}')
        if door not in doors:
            section.mistakes.note(
                (*section.place, door), expected="the name of a door", found=f'"{door}"', hint=nearest(door, doors)
            )
        if schedule and schedule != "always" and schedule not in schedules:
            section.wrong(
                door,
                expected=f"one of {one_of(['always', *schedules])}",
                hint=nearest(schedule, ["always", *schedules]),
            )
        access.append(Access(door=DoorName(door), schedule=None if schedule == "always" else ScheduleName(schedule)))
    return Group(name=GroupName(name), access=tuple(access))
