"""The table of keys as a JSON Schema (2020-12), for editors. Only the commands load this.

It must accept whatever `doorctl check` accepts. What a schema cannot know it leaves to check: that a pin is used once,
that a name exists (unless the names are given), that one number is less than another, that a date is not a text.
"""

from collections.abc import Iterable
from typing import Any, Final, assert_never

from doorctl.config.key import (
    LONGEST_NAME,
    Choice,
    DataLines,
    Dates,
    Device,
    DoorNames,
    Format,
    Hours,
    Input,
    Key,
    Kind,
    Name,
    Pin,
    ReaderSide,
    ScheduleName,
    Seconds,
    Table,
    Tables,
    Text,
    Truth,
    Whole,
    Zone,
    expected,
)
from doorctl.config.keys import KEYS, keys_in
from doorctl.config.lines import Place
from doorctl.config.osdp_reading import DEVICE, OSDP_ONLY, WIEGAND_ONLY
from doorctl.config.site_reading import zones
from doorctl.config.types import KeypadEncoding
from hal.wiegand.cards import FORMATS
from hal.wiegand.keys import FRAME_BITS
from hal.wiegand.keys import KeypadEncoding as HalEncoding

Schema = dict[str, Any]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NAME_PATTERN: Final = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
_PIN_PATTERN: Final = "^GPIO(0|[1-9][0-9]{0,2})$"
_DEVICE_PATTERN: Final = f"^{DEVICE.pattern}$"
_DATE_PATTERN: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_NO_CONTROL: Final = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$"
_WEEK: Final = "(mon|tue|wed|thu|fri|sat|sun)"
_DAYS_PATTERN: Final = f"^({_WEEK}(-{_WEEK})?|daily|holiday)$"


def schema(*, doors: Iterable[str] = (), schedules: Iterable[str] = ()) -> Schema:
    """The schema of any configuration; with names, that of one file whose doors and schedules these are."""
    top = _object(Key(place=(), kind=Table(), meaning="doorctl.toml: one board, its doors, who may open them when"))
    return {
        "$schema": DIALECT,
        "title": "doorctl.toml",
        **top,
        "allOf": [_six_digits()],
        "$defs": {
            "door": _named(doors),
            "schedule": _named(schedules),
            "hours": {"type": "string", "pattern": _hours_pattern()},
        },
    }


def _named(names: Iterable[str]) -> Schema:
    known = sorted(names)
    return {"enum": known} if known else _name(LONGEST_NAME)


def _name(longest: int) -> Schema:
    return {"type": "string", "pattern": _NAME_PATTERN, "maxLength": longest}


def _of(key: Key) -> Schema:
    """One key: what it takes, and what an editor shows of it."""
    told = key.meaning if key.danger is None else f"{key.meaning}\n\ncareful: {key.danger}"
    found = {"description": f"{told}\n\ntakes {expected(key.kind)}", **_values(key, key.kind)}
    if key.default is not None:
        found["default"] = key.default
    return found


def _values(key: Key, kind: Kind) -> Schema:  # noqa: PLR0911, PLR0912, C901  one line a kind
    match kind:
        case Table():
            return _object(key)
        case Tables(longest=longest):
            return _objects(key, longest)
        case Name():
            return _name(LONGEST_NAME)
        case Text():
            return {"type": "string", "pattern": _NO_CONTROL}
        case Zone():
            return {"enum": sorted(zones())}
        case Dates():
            return {"type": "array", "items": {"type": "string", "format": "date", "pattern": _DATE_PATTERN}}
        case Seconds(low=low, high=high):
            return {"type": "number", "minimum": low, "maximum": high}
        case Whole(only=(_, *_) as only):
            return {"enum": list(only)}
        case Whole(low=low, high=high):
            return {"type": "integer", "minimum": low, "maximum": high}
        case Truth():
            return {"type": "boolean"}
        case Choice(words=words, refused=refused):
            return {"enum": [word for word in words if word not in refused]}
        case Pin():
            return _pin()
        case DataLines():
            return {"type": "array", "items": _pin(), "minItems": 2, "maxItems": 2, "uniqueItems": True}
        case Device():
            return {"type": "string", "pattern": _DEVICE_PATTERN}
        case Input():
            return {"oneOf": [_pin(), _object(key)]}
        case ReaderSide():
            return _name(LONGEST_NAME)
        case Format():
            return {"enum": sorted(FORMATS)}
        case DoorNames():
            return {"type": "array", "items": {"$ref": "#/$defs/door"}}
        case ScheduleName(or_always=True):
            return {"anyOf": [{"const": "always"}, {"$ref": "#/$defs/schedule"}]}
        case ScheduleName():
            return {"$ref": "#/$defs/schedule"}
        case Hours():
            window = {"$ref": "#/$defs/hours"}
            return {"anyOf": [window, {"type": "array", "items": window}]}
    assert_never(kind)


def _pin() -> Schema:
    return {"type": "string", "pattern": _PIN_PATTERN}


def _object(table: Key) -> Schema:
    """A table with the keys that it has, or with keys that the installer names."""
    inside = keys_in(table) if table.place else [key for key in KEYS if len(key.place) == 1]
    free = [key for key in inside if key.place[-1].isupper()]
    if free:
        return {"type": "object", "propertyNames": _key_names(free[0]), "additionalProperties": _of(free[0]),
                **({"minProperties": 1} if table.place[0] == "schedule" else {})}  # fmt: skip
    found: Schema = {
        "type": "object",
        "properties": {key.place[-1]: _of(key) for key in inside},
        "additionalProperties": False,
    }
    if required := [key.place[-1] for key in inside if key.required]:
        found["required"] = required
    return found | _rules(table.place)


def _objects(table: Key, longest: int) -> Schema:
    """[door.NAME], [schedule.NAME], [group.NAME], and the sides of readers."""
    one = Key(place=("door", "NAME", "reader"), kind=Table(), meaning="one of several readers")
    inner = one if table.place[-1] == "readers" else keys_in(table)[0]
    found: Schema = {"type": "object", "propertyNames": _name(longest), "additionalProperties": _of(inner)}
    match table.place[-1]:
        case "schedule":
            found["propertyNames"] = {**_name(longest), "not": {"const": "always"}}
        case "door" | "readers":
            found["minProperties"] = 1
    return found


def _key_names(free: Key) -> Schema:
    match free.place[-1]:
        case "DAYS":
            return {"pattern": _DAYS_PATTERN}
        case "DOOR":
            return {"$ref": "#/$defs/door"}
    return {"$ref": "#/$defs/schedule"}


def _rules(place: Place) -> Schema:
    """What one key of a table says about another."""
    match place:
        case ("door", "NAME"):
            either = [{"required": ["reader"]}, {"required": ["readers"]}]
            short = {"properties": {"pre_alarm_s": {"exclusiveMaximum": _default_of("held_open_s")}}}
            return {"oneOf": either, "if": {"not": {"required": ["held_open_s"]}}, "then": short}
        case ("door", "NAME", "reader"):
            return {"if": {"required": ["osdp"]}, "then": _on_a_line(), "else": _on_wires(), "allOf": _tell_apart()}
        case ("door", "NAME", ("contact" | "rex" | "tamper")):
            return {"if": {"required": ["input"]}, "then": _of_a_reader(), "else": _of_a_pin()}
    return {}


def _of_a_reader() -> Schema:
    return {"properties": {"pin": False, "pull": False}}


def _of_a_pin() -> Schema:
    return {"required": ["pin"], "properties": {"reader": False}}


def _on_wires() -> Schema:
    needed = [_needed("format", "code"), _needed("keypad", "card")]
    return {"required": ["wiegand"], "properties": dict.fromkeys(OSDP_ONLY, False), "allOf": needed}


def _on_a_line() -> Schema:
    return {"required": ["address"], "properties": dict.fromkeys(("wiegand", *WIEGAND_ONLY), False)}


def _default_of(name: str) -> Any:
    return next(key.default for key in KEYS if key.place[-1] == name)


def _needed(name: str, without: str) -> Schema:
    """A key that a reader needs unless it is only ever in one mode."""
    only = {"mode": {"const": without}, "modes": {"additionalProperties": {"const": without}}}
    return {"if": {"properties": only}, "else": {"required": [name]}}


def _tell_apart() -> list[Schema]:
    """Cards and entries of one length cannot share two lines."""
    rules = []
    for encoding in KeypadEncoding:
        bits = FRAME_BITS[HalEncoding(encoding.value)]
        alike = sorted(name for name, card in FORMATS.items() if card.bits == bits)
        if alike and encoding is not KeypadEncoding.BINARY_26:
            keypad = {"properties": {"keypad": {"const": encoding.value}}, "required": ["keypad"]}
            rules.append({"if": keypad, "then": {"properties": {"format": {"not": {"enum": alike}}}}})
    return rules


def _six_digits() -> Schema:
    """A 26-bit-bcd keypad anywhere: codes of six digits."""
    bcd = {"properties": {"keypad": {"const": KeypadEncoding.BCD_26.value}}, "required": ["keypad"], "type": "object"}
    side = {"properties": {"reader": bcd}, "required": ["reader"]}
    sides = {"properties": {"readers": {"not": {"additionalProperties": {"not": bcd}}}}, "required": ["readers"]}
    none = {"properties": {"door": {"additionalProperties": {"not": {"anyOf": [side, sides]}}}}}
    return {"if": {"not": none}, "then": {"properties": {"codes": {"properties": {"length": {"const": 6}}}}}}


def _hours_pattern() -> str:
    """`H:MM-H:MM` with the begin before the end, the end at 24:00 at the latest."""
    to, minute = r"\s*-\s*", "[0-5][0-9]"
    later = [
        f"{_hour(begin)}:{minute}{to}(?:(?:{'|'.join(map(_hour, range(begin + 1, 24)))}):{minute}|24:00)"
        for begin in range(23)
    ]
    tens = "|".join(rf"{ten}[0-9]{to}0?\1:[{ten + 1}-5][0-9]" for ten in range(5))
    ones = "|".join(rf"{one}{to}0?\1:\2[{one + 1}-9]" for one in range(9))
    same = f"0?(1?[0-9]|2[0-3]):(?:{tens}|([0-5])(?:{ones}))"
    return rf"^\s*(?:{same}|{'|'.join(later)}|23:{minute}{to}24:00)\s*$"


def _hour(hour: int) -> str:
    return str(hour) if hour >= 10 else f"0?{hour}"  # noqa: PLR2004  two digits
