"""A configuration as doord understands it, back in the shape of the file: every default in its place.

What is written here and read again gives the same configuration. Only the commands and a reload load this.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any, Final

from doorctl.config.key import Table
from doorctl.config.keys import key_at, keys_in
from doorctl.config.lines import Place
from doorctl.config.section import dotted
from doorctl.config.types import BusPlace, Config, DataLines, Door, Input, Reader, ReaderInput, Schedule, Window
from doorctl.core.schedule import HOLIDAY
from doorctl.core.types import SECOND, Duration

Tree = dict[str, Any]
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = 24 * 3600 * SECOND


def effective(config: Config) -> Tree:
    """The whole file with nothing left out; what is absent has no key."""
    return {
        "site": {"id": config.site.id, "timezone": config.site.timezone, "holidays": list(config.holidays)},
        "monitor": {
            "file": config.monitor.file,
            "supervision_s": _seconds(config.monitor.supervision),
            "accept_colocated": config.monitor.accept_colocated,
        },
        "codes": {"length": config.codes.length, "per_holder": config.codes.per_holder},
        "lockout": {
            "tries": config.lockout.tries,
            "first_s": _seconds(config.lockout.first),
            "longest_s": _seconds(config.lockout.longest),
            "guessing_alarm": config.lockout.guessing_alarm,
        },
        "log": {"keep_days": config.log.keep // _DAY},
        "hal": _present(backend=config.hal.backend.value, chip=config.hal.chip),
        "door": {door.name: _door(door) for door in config.doors},
        "schedule": {schedule.name: _schedule(schedule) for schedule in config.schedules},
        "group": {
            group.name: {access.door: access.schedule or "always" for access in group.access} for group in config.groups
        },
    }


def _door(door: Door) -> Tree:
    only = len(door.readers) == 1 and str(door.readers[0].name) == str(door.name)
    sides = {reader.name.rpartition("/")[2]: _reader(reader) for reader in door.readers}
    return _present(
        egress=door.egress.value,
        held_open_s=_seconds(door.held_open),
        pre_alarm_s=_seconds(door.pre_alarm),
        unlock=door.unlock_schedule,
        time_unknown=door.time_unknown.value,
        interlock=list(door.interlock),
        strike={
            "pin": door.strike.pin,
            "type": door.strike.type.value,
            "active": _level(active_high=door.strike.active_high),
            "release_s": _seconds(door.strike.release),
            "relock_on_open": door.strike.relock_on_open,
        },
        contact=_input(door.contact),
        rex=_input(door.rex),
        tamper=_input(door.tamper),
        reader=_reader(door.readers[0]) if only else None,
        readers=None if only else sides,
    )


def _reader(reader: Reader) -> Tree:
    return _present(
        **_wiring(reader),
        mode=reader.mode.value,
        format=reader.format,
        parity=reader.check_parity,
        keypad=None if reader.keypad is None else reader.keypad.value,
        enter=None if isinstance(reader.wiring, BusPlace) else reader.enter_key,
        code_window_s=_seconds(reader.code_window),
        led=reader.led,
        buzzer=reader.buzzer,
        modes={schedule: mode.value for schedule, mode in reader.modes} or None,
    )


def _wiring(reader: Reader) -> Tree:
    wiring = reader.wiring
    if isinstance(wiring, DataLines):
        return {"wiegand": [wiring.d0, wiring.d1]}
    return {
        "osdp": wiring.device, "address": wiring.address, "baud": wiring.baud, "rts_drives": wiring.rts_drives,
        "allow_plain": wiring.allow_plain,
    }  # fmt: skip


def _input(source: Input | ReaderInput | None) -> Tree | None:
    if source is None:
        return None
    if isinstance(source, ReaderInput):
        side = source.reader.rpartition("/")[2]
        return {"input": source.number, "reader": side, "active": _level(active_high=source.active_high)}
    return {"pin": source.pin, "active": _level(active_high=source.active_high), "pull": source.pull}


def _schedule(schedule: Schedule) -> Tree:
    """Days after each other with the same hours become one range."""
    hours: list[list[str]] = [[] for _ in range(HOLIDAY + 1)]
    for window in schedule.windows:
        hours[window.weekday].append(_hours(window))
    found: Tree = {}
    first = 0
    for day in range(HOLIDAY):
        if day + 1 == HOLIDAY or hours[day + 1] != hours[first]:
            if hours[first]:
                found[_range(first, day)] = hours[first]
            first = day + 1
    if hours[HOLIDAY]:
        found["holiday"] = hours[HOLIDAY]
    return found or {"daily": []}


def _range(first: int, last: int) -> str:
    if first == 0 and last == HOLIDAY - 1:
        return "daily"
    return _DAYS[first] if first == last else f"{_DAYS[first]}-{_DAYS[last]}"


def _hours(window: Window) -> str:
    begin, end = window.begin // 60, window.end // 60
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


def _seconds(duration: Duration) -> int | float:
    whole, rest = divmod(duration, SECOND)
    return whole if rest == 0 else duration / SECOND


def _level(*, active_high: bool) -> str:
    return "high" if active_high else "low"


def _present(**values: Any) -> Tree:
    return {key: value for key, value in values.items() if value is not None}


def leaves(tree: Mapping[str, Any], around: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value that is no table, with its place, in order."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*around, key))
        else:
            yield (*around, key), value


def as_json(value: object) -> Any:
    """A tree as JSON has it: dates and times are texts."""
    match value:
        case dict():
            return {key: as_json(inner) for key, inner in value.items()}
        case list():
            return [as_json(inner) for inner in value]
        case date() | time():
            return value.isoformat()
    return value


def at(tree: Mapping[str, Any], place: Place) -> Any:
    """What stands at a place, the whole tree at (); None where nothing does."""
    value: Any = tree
    for part in place:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def is_written(untrusted_tree: Mapping[str, Any], place: Place) -> bool:
    """Whether the installer wrote this value, and not the table of defaults; hours and access are always written."""
    if place[0] in ("schedule", "group"):
        return True
    return at(untrusted_tree, place) is not None or (
        place[-1] == "pin" and isinstance(at(untrusted_tree, place[:-1]), str)
    )


def toml_of(tree: Tree, untrusted_tree: Mapping[str, Any]) -> str:
    """The file as it could have been written: defaults marked, what is absent named in a comment."""
    return "\n".join(_table((), tree, untrusted_tree)).lstrip("\n") + "\n"


def _table(place: Place, tree: Tree, untrusted_tree: Mapping[str, Any]) -> Iterator[str]:
    inner = {key: value for key, value in tree.items() if isinstance(value, dict)}
    if place and (len(inner) < len(tree) or not tree):
        yield f"\n[{dotted(place)}]"
    for key, value in tree.items():
        if key not in inner:
            note = "" if is_written(untrusted_tree, (*place, key)) else "  # default"
            yield f"{dotted((key,))} = {toml_value(value)}{note}"
    if place and isinstance(key_at(place).kind, Table):
        for known in keys_in(key_at(place)):
            name, otherwise = known.place[-1], known.otherwise or "required"
            if name not in tree and not name.isupper() and not otherwise.startswith("required"):
                yield f"# {name}: {otherwise}"
    for key, value in inner.items():
        yield from _table((*place, key), value, untrusted_tree)


def toml_value(value: object) -> str:
    """A value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(toml_value, value))}]"
        case dict():
            return f"{{ {', '.join(f'{key} = {toml_value(inner)}' for key, inner in value.items())} }}"
        case str():
            return json.dumps(value, ensure_ascii=False)
    return str(value)
