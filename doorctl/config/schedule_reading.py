"""[schedule.NAME] of the installer's file → Schedule. Days and hours only; what is on now is core's question."""

import re
from typing import Final

from doorctl.config.section import Section, nearest, quoted, shown
from doorctl.config.types import Schedule, Window
from doorctl.core.types import ScheduleName

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
_DAYS_OF_WEEK: Final = 7
_WINDOW: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
_DAY_S: Final = 86_400
_MINUTES: Final = 60


def read_schedule(name: str, section: Section) -> Schedule:
    """One schedule; mistakes are noted in the section's list."""
    windows: list[Window] = []
    for key in section.table:
        if days := _days(key):
            windows += _windows(section, key, days)
        else:
            expected = "a day: mon to sun, a range such as mon-fri, daily or holiday"
            section.mistakes.note(
                (*section.place, key), expected=expected, found=f"the unknown key {quoted(key)}",
                hint=nearest(key, (*_DAYS, "mon-fri", "daily")), named=True,
            )  # fmt: skip
    if not section.table:
        section.mistakes.note(
            section.place, expected="at least one day", found="none", hint='write mon-fri = "07:00-19:00"'
        )
    return Schedule(name=ScheduleName(name), windows=tuple(windows))


def _windows(section: Section, key: str, days: list[int]) -> list[Window]:
    value = section.value(key)
    found = []
    for text in value if isinstance(value, list) else [value]:
        window = _window(text) if isinstance(text, str) else None
        if window is None:
            section.mistakes.note(
                (*section.place, key), expected='hours such as "07:00-19:00", or a list of them', found=shown(text),
                hint=_hint(key, text),
            )  # fmt: skip
        else:
            found += [Window(weekday=day, begin=window[0], end=window[1]) for day in days]
    return found


def _hint(key: str, text: object) -> str | None:
    """How to write a night, which is two windows: holidays begin and end at midnight."""
    night = _WINDOW.fullmatch(text.strip()) if isinstance(text, str) else None
    if night is None:
        return 'hours and minutes of a day in quotes, up to "24:00"'
    begin, end = _seconds(*night.groups()[:2]), _seconds(*night.groups()[2:])
    if begin is not None and begin == end:
        return 'all day is "00:00-24:00"'
    if begin is None or end is None or begin < end:
        return 'a day goes from "00:00" to "24:00"'
    first, last = f"{night[1]}:{night[2]}-24:00", f"00:00-{night[3]}:{night[4]}"
    return f'a window ends on its own day: write {key} = "{first}", and "{last}" on the days after'


def _days(key: str) -> list[int]:
    """`mon` → [0], `mon-fri` → [0..4], `sat-mon` → [5, 6, 0], `daily` → all but holidays; none where it is no day."""
    if key == "daily":
        return list(range(_DAYS_OF_WEEK))
    first, dash, last = key.partition("-")
    if dash and {first, last} <= set(_DAYS[:_DAYS_OF_WEEK]):
        begin, end = _DAYS.index(first), _DAYS.index(last)
        return [day % _DAYS_OF_WEEK for day in range(begin, end + 1 if begin <= end else end + 1 + _DAYS_OF_WEEK)]
    return [_DAYS.index(key)] if key in _DAYS else []


def _window(text: str) -> tuple[int, int] | None:
    """Seconds of the day, begin < end ≤ 24:00; None where the text says something else."""
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        return None
    begin, end = _seconds(match[1], match[2]), _seconds(match[3], match[4])
    return None if begin is None or end is None or begin >= end else (begin, end)


def _seconds(hours: str, minutes: str) -> int | None:
    second = (int(hours) * _MINUTES + int(minutes)) * 60
    return second if int(minutes) < _MINUTES and second <= _DAY_S else None
