"""The installer's TOML file → Config, or every mistake in it at once. Reads files, changes nothing.

Whatever the file holds, what leaves here is a Config, a ConfigError or an OperatorError.
"""

from pathlib import Path
from typing import Final

from doorctl.config.door_reading import read_door
from doorctl.config.key import one_of
from doorctl.config.lines import Place, Span, Spot, key_spots
from doorctl.config.mending import Flaw, mended
from doorctl.config.osdp_reading import Lines
from doorctl.config.schedule_reading import read_schedule
from doorctl.config.section import Mistake, Mistakes, Section, dotted, nearest, quoted, to_be_named
from doorctl.config.site_reading import read_codes, read_hal, read_lockout, read_log, read_monitor, read_site
from doorctl.config.types import Access, Config, Door, Group, Schedule
from doorctl.core.types import DoorName, GroupName, ScheduleName
from doorctl.errors import OperatorError

LARGEST: Final = 1_048_576
"""Bytes; a hundred doors with a schedule each are 60 kB."""
ALWAYS: Final = "always"
_WIDEST: Final = 100
"""Columns of a source line that a message repeats."""


class ConfigError(OperatorError):
    """A configuration has mistakes; `mistakes` has them all, in the order of the file's lines."""

    def __init__(self, mistakes: list[Mistake], text: str = "") -> None:
        self.mistakes = mistakes
        self._lines = text.split("\n")
        self.summary = f"{mistakes[0].file}: {'1 mistake' if len(mistakes) == 1 else f'{len(mistakes)} mistakes'}"
        super().__init__("\n".join([*map(str, mistakes), self.summary]))

    def told_by(self, program: str) -> str:
        """A line a mistake, as compilers say it, with the source below it, and what it came to."""
        return "\n".join([*map(self._shown, self.mistakes), f"{program}: error: {self.summary}"])

    def _shown(self, mistake: Mistake) -> str:
        if mistake.span is None:
            return str(mistake)
        message, *hint = str(mistake).split("\n")
        return "\n".join([message, *_source(self._lines[mistake.span.line - 1], mistake.span), *hint])


def _source(line: str, span: Span) -> tuple[str, str]:
    """A source line and what is pointed at, cut to what a terminal has room for; a column stays a column."""
    first = max(0, min(span.begin - _WIDEST // 4, len(line) - _WIDEST))
    shown = "".join(c if c.isprintable() else " " for c in line[first : first + _WIDEST])
    width = max(1, min(span.end - span.begin, len(shown) - (span.begin - 1 - first)))
    return f"{span.line:5} | {shown}".rstrip(), f"      | {' ' * (span.begin - 1 - first)}{'^' * width}"


def read_config(path: Path) -> Config:
    """The file at `path`; OperatorError where it cannot be read, ConfigError with all its mistakes."""
    return parse_config(read_text(path), file=path.name)


def read_text(path: Path) -> str:
    """The file's text, without the mark that Windows puts before it; OperatorError or ConfigError where it has none."""
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
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            [_unreadable(path.name, line, "bytes that are no UTF-8", "save the file as UTF-8")]
        ) from error


def parse_config(text: str, *, file: str) -> Config:
    """TOML text → Config; ConfigError with all mistakes, those of the syntax among them."""
    try:
        mending = mended(text)
    except (ValueError, RecursionError) as error:
        # a number of thousands of digits, or brackets within brackets without end: tomli does not say where
        raise ConfigError([_unreadable(file, 1, "a number or a nesting without end", None)]) from error
    mistakes = Mistakes(file=file, spots=key_spots(mending.text))
    config = None if mending.tree is None else _read(Section((), mending.tree, mistakes))
    flaws = [_flawed(file, flaw, text, mistakes.spots) for flaw in mending.flaws]
    found = flaws + [mistake for mistake in mistakes.found if mistake.line not in mending.touched]
    if found or config is None:
        raise ConfigError(sorted(found, key=_position), text)
    return config


def _position(mistake: Mistake) -> tuple[int, int]:
    return mistake.line, 0 if mistake.span is None else mistake.span.begin


def _flawed(file: str, flaw: Flaw, text: str, spots: dict[Place, Spot]) -> Mistake:
    """The key of the statement, and the column that tomli names; the whole line where it names none."""
    line = text.split("\n")[flaw.line - 1]
    span = Span(line=flaw.line, begin=flaw.column, end=flaw.column + 1)
    if not flaw.column:
        span = Span(line=flaw.line, begin=len(line) - len(line.lstrip()) + 1, end=len(line.rstrip()) + 1)
    places = [
        place for place, spot in spots.items() if spot.key.line == flaw.statement and all(map(str.isprintable, place))
    ]
    key = dotted(max(places, key=len)) if places else ""
    return Mistake(file=file, line=flaw.line, key=key, expected="TOML", found=flaw.found, hint=flaw.hint, span=span)


def _unreadable(file: str, line: int, found: str, hint: str | None) -> Mistake:
    return Mistake(file=file, line=line, key="", expected="TOML", found=found, hint=hint)


def _read(top: Section) -> Config:
    site_section = top.table_at("site", required=True, hint="begin the file with [site]")
    site, holidays = read_site(site_section), site_section.dates("holidays")
    site_section.close()
    schedules = _schedules(top)
    schedule_names = tuple(ScheduleName(to_be_named(schedule.name)) for schedule in schedules)
    doors = _doors(top, schedule_names)
    door_names = tuple(DoorName(to_be_named(door.name)) for door in doors)
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
    lines: Lines = {}
    doors = tuple(read_door(name, section, schedules, pins, lines) for name, section in top.named_tables("door"))
    if not doors:
        hint = "write a table for each door, as [door.front]; docs/man/doorctl.toml.5 shows one"
        top.mistakes.note(("door",), expected="at least one [door.NAME] table", found="none", hint=hint)
    names = {DoorName(to_be_named(door.name)) for door in doors}
    for door in doors:
        others = names - {to_be_named(door.name)}
        for other in door.interlock:
            if other not in others:
                top.mistakes.note(
                    ("door", door.name, "interlock"), expected="names of other doors", found=quoted(other),
                    hint=nearest(other, others) or _others(others),
                )  # fmt: skip
    return doors


def _others(names: set[DoorName]) -> str:
    return f"the other doors are {', '.join(sorted(names))}" if names else "there is no other door in this file"


def _listed(doors: tuple[DoorName, ...]) -> str:
    return f"the doors are {', '.join(doors)}" if doors else "there is no [door.NAME] table in this file"


def _group(name: str, section: Section, doors: tuple[DoorName, ...], schedules: tuple[ScheduleName, ...]) -> Group:
    known = (ALWAYS, *schedules)
    access: list[Access] = []
    for door in section.table:
        if door not in doors:
            section.mistakes.note(
                (*section.place, door), expected="the name of a door", found=quoted(door),
                hint=nearest(door, doors) or _listed(doors), named=True,
            )  # fmt: skip
        value = section.value(door)
        if value not in known:
            hint = nearest(value, known) if isinstance(value, str) else None
            section.wrong(door, expected=one_of(known), hint=hint or "it says when the group may open this door")
            continue
        access.append(Access(door=DoorName(door), schedule=None if value == ALWAYS else ScheduleName(value)))
    return Group(name=GroupName(name), access=tuple(access))
