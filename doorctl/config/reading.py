"""The installer's TOML file → Config, or every mistake in it at once. Reads files, changes nothing.

Whatever the file holds, what leaves here is a Config, a ConfigError or an OperatorError.
"""

from pathlib import Path
from typing import Final

import tomli

from doorctl.config.door_reading import read_door
from doorctl.config.key import one_of
from doorctl.config.lines import key_lines
from doorctl.config.schedule_reading import read_schedule
from doorctl.config.section import Mistake, Mistakes, Section, nearest, quoted
from doorctl.config.site_reading import read_codes, read_hal, read_lockout, read_log, read_monitor, read_site
from doorctl.config.types import Access, Config, Door, Group, Schedule
from doorctl.core.types import DoorName, GroupName, ScheduleName
from doorctl.errors import OperatorError

LARGEST: Final = 1_048_576
"""Bytes; a hundred doors with a schedule each are 60 kB."""
ALWAYS: Final = "always"
_SYNTAX_HINTS: Final = (
    ("Invalid value", 'text stands in quotes: "fail-secure"; true and false are lower case'),
    ("Expected newline", "one key a line, text in quotes; a number stands alone, without its unit"),
    ("Cannot overwrite", "this key stands twice in the same table"),
    ("Cannot declare", "this table stands twice: write it once, with all its keys"),
    ("Expected '='", "a key is followed by = and its value: release_s = 5"),
    ("Unclosed", "a list ends with ], an inline table with }"),
    ("Illegal character", "a text begins and ends on one line with the same quote"),
    ("Expected ']'", "a table's name stands in brackets: [door.front]"),
)
"""By the beginning of tomli's message: what people usually did."""


class ConfigError(OperatorError):
    """A configuration has mistakes; `mistakes` has them all, in the order of the file's lines."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        self.summary = f"{mistakes[0].file}: {'1 mistake' if len(mistakes) == 1 else f'{len(mistakes)} mistakes'}"
        super().__init__("\n".join([*map(str, mistakes), self.summary]))

    def told_by(self, program: str) -> str:
        """A line a mistake, as compilers say it, and what it came to."""
        return "\n".join([*map(str, self.mistakes), f"{program}: error: {self.summary}"])


def read_config(path: Path) -> Config:
    """The file at `path`; OperatorError where it cannot be read, ConfigError with all its mistakes."""
    return parse_config(read_text(path), file=path.name)


def read_text(path: Path) -> str:
    """The file's text; OperatorError where it cannot be read, ConfigError where it is no text."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        hint = "`doorctl init` writes one to start from; is --home right"
        raise OperatorError(f"{path}: there is no configuration", hint=hint) from error
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    if len(raw) > LARGEST:
        raise OperatorError(f"{path}: expected a configuration of at most {LARGEST} bytes, found {len(raw)}")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            [_unreadable(path.name, line, "bytes that are no UTF-8", "save the file as UTF-8")]
        ) from error


def parse_config(text: str, *, file: str) -> Config:
    """TOML text → Config; ConfigError with all mistakes."""
    try:
        tree = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        hint = next((hint for start, hint in _SYNTAX_HINTS if error.msg.startswith(start)), None)
        found = f"{error.msg[:1].lower()}{error.msg[1:]} (column {error.colno})"
        raise ConfigError([_unreadable(file, error.lineno, found, hint)]) from error
    except (ValueError, RecursionError) as error:
        # a number of thousands of digits, or brackets within brackets without end: tomli does not say where
        raise ConfigError([_unreadable(file, 1, "a number or a nesting without end", None)]) from error
    mistakes = Mistakes(file=file, lines=key_lines(text))
    config = _read(Section((), tree, mistakes))
    if mistakes.found:
        raise ConfigError(mistakes.sorted())
    return config


def _unreadable(file: str, line: int, found: str, hint: str | None) -> Mistake:
    return Mistake(file=file, line=line, key="", expected="TOML", found=found, hint=hint)


def _read(top: Section) -> Config:
    site_section = top.table_at("site", required=True, hint="begin the file with [site]")
    site, holidays = read_site(site_section), site_section.dates("holidays")
    site_section.close()
    schedules = _schedules(top)
    schedule_names = tuple(schedule.name for schedule in schedules)
    doors = _doors(top, schedule_names)
    door_names = tuple(door.name for door in doors)
    config = Config(
        site=site,
        monitor=read_monitor(top.table_at("monitor")),
        codes=read_codes(top.table_at("codes"), doors),
        lockout=read_lockout(top.table_at("lockout")),
        log=read_log(top.table_at("log")),
        hal=read_hal(top.table_at("hal")),
        doors=doors,
        schedules=schedules,
        holidays=holidays,
        groups=tuple(_group(name, section, door_names, schedule_names) for name, section in top.named_tables("group")),
    )
    top.close()
    return config


def _schedules(top: Section) -> tuple[Schedule, ...]:
    sections = top.named_tables("schedule")
    for name, section in sections:
        if name == ALWAYS:
            section.mistakes.note(
                section.place, expected="another name", found=quoted(name), hint="groups say always for no schedule"
            )
    return tuple(read_schedule(name, section) for name, section in sections)


def _doors(top: Section, schedules: tuple[ScheduleName, ...]) -> tuple[Door, ...]:
    pins: dict[str, str] = {}
    doors = tuple(read_door(name, section, schedules, pins) for name, section in top.named_tables("door"))
    if not doors:
        hint = "write a table for each door, as [door.front]; docs/man/doorctl.toml.5 shows one"
        top.mistakes.note(("door",), expected="at least one [door.NAME] table", found="none", hint=hint)
    names = {door.name for door in doors}
    for door in doors:
        others = names - {door.name}
        for other in door.interlock:
            if other not in others:
                top.mistakes.note(
                    ("door", door.name, "interlock"), expected="names of other doors", found=quoted(other),
                    hint=nearest(other, others),
                )  # fmt: skip
    return doors


def _group(name: str, section: Section, doors: tuple[DoorName, ...], schedules: tuple[ScheduleName, ...]) -> Group:
    known = (ALWAYS, *schedules)
    access: list[Access] = []
    for door in section.table:
        if door not in doors:
            section.mistakes.note(
                (*section.place, door), expected="the name of a door", found=quoted(door), hint=nearest(door, doors)
            )
        value = section.value(door)
        if value not in known:
            hint = nearest(value, known) if isinstance(value, str) else None
            section.wrong(door, expected=one_of(known), hint=hint or "it says when the group may open this door")
            continue
        access.append(Access(door=DoorName(door), schedule=None if value == ALWAYS else ScheduleName(value)))
    return Group(name=GroupName(name), access=tuple(access))
