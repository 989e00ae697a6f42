"""doorctl config explain: a key's entry in the table, in words, and its value in the site's file."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any, Final

from doorctl.cli.config_site import Site
from doorctl.config.effective import as_json, at, is_written, toml_value
from doorctl.config.key import Choice, Key, Table, Tables, expected
from doorctl.config.keys import ANY, INPUTS, KEYS, keys_called, keys_in, nearest_keys, stands_for
from doorctl.config.lines import Place, line_of
from doorctl.config.section import dotted, nearest, quoted
from doorctl.errors import OperatorError

WIDTH: Final = 110
"""Columns: what a terminal beside an editor has."""
_UNBROKEN: Final = "\u00a0"
"""A space at which no line is broken."""
_ALL: Final = "`doorctl config explain` lists every key"


def explained(asked: str, site: Site) -> list[dict[str, Any]]:
    """Everything there is to say of the keys that are meant; OperatorError with the nearest where none is."""
    place = tuple(part.strip("\"'[] ") for part in asked.split("."))
    keys = keys_called(place)
    if not keys:
        hint = nearest(asked, nearest_keys(place)) or nearest(place[-1], nearest_keys(()))
        raise OperatorError(f"there is no key {quoted(asked)} in doorctl.toml", hint=hint or _ALL)
    return [_entry(key, place if stands_for(key.place, place) else key.place, site) for key in keys]


def _entry(key: Key, place: Place, site: Site) -> dict[str, Any]:
    """One key as JSON has it; `told` puts it in words."""
    inside = [
        {"key": inner.place[-1], "meaning": inner.meaning}
        for inner in ([] if key.place[-1] == "readers" else keys_in(key))
    ]
    entry = {
        "key": dotted(place) if ANY not in place else ".".join(place),
        "meaning": key.meaning,
        "takes": expected(key.kind),
        "words": dict(key.kind.words) if isinstance(key.kind, Choice) else None,
        "unit": key.unit,
        "required": key.required,
        "default": key.default,
        "otherwise": key.otherwise,
        "example": key.line,
        "careful": key.danger,
        "since": key.since,
        "keys": inside or None,
    }
    found: dict[str, Any] = {name: value for name, value in entry.items() if value is not None}
    if site.trouble is not None:
        return {**found, "trouble": site.trouble}
    here = list(_here(key, place, site))
    return {**found, "here": here} if here else {**found, "here": [], "absent": _absent(place, site.tree)}


def _absent(place: Place, tree: dict[str, Any]) -> str:
    """Why a place has nothing: the first part of it that the file lacks, and what there is instead."""
    for size in range(len(place)):
        table = at(tree, place[:size])
        if isinstance(table, dict) and not _names(table, place[size]):
            names = ", ".join(name for name in table if size)
            return f"the file has no {dotted(place[: size + 1])}" + (f"; there are {names}" if names else "")
    return "the file has none"


def _here(key: Key, asked: Place, site: Site) -> Iterator[dict[str, Any]]:
    """The value at every place that is meant; of a table, its keys."""
    for place in _places(key, asked, site.tree):
        value = at(site.tree, place)
        if isinstance(value, dict) and isinstance(key.kind, Tables):
            yield {"key": dotted(place), "value": sorted(value), "default": False, "line": line_of(site.spots, place)}
        elif isinstance(value, dict):
            for inner, content in value.items():
                if not isinstance(content, dict):
                    yield _value((*place, inner), content, site)
        else:
            yield _value(place, value, site)


def _value(place: Place, value: Any, site: Site) -> dict[str, Any]:
    written = value is not None and is_written(site.written, place)
    found = {"key": dotted(place), "value": as_json(value), "default": not written}
    return {**found, "line": line_of(site.spots, place)} if written else found


def _places(key: Key, asked: Place, tree: dict[str, Any]) -> list[Place]:
    """Concrete places in the file for those that are asked for.

    The last part need not be there, where it is no table: then it is not set.
    """
    found: list[Place] = [()]
    for part in asked[:-1]:
        found = [(*place, name) for place in found for name in _names(at(tree, place), part)]
    found = [place for place in found if isinstance(at(tree, place), dict)]
    last = asked[-1]
    optional = not isinstance(key.kind, Table | Tables) and not _is_free(last)
    places = [(*place, name) for place in found for name in ([last] if optional else _names(at(tree, place), last))]
    if asked == key.place and "reader" in asked:
        at_reader = asked.index("reader")
        places += _places(key, (*asked[:at_reader], "readers", "SIDE", *asked[at_reader + 1 :]), tree)
    return [place for place in places if stands_for(key.place, place)]


def _names(table: Any, part: str) -> list[str]:
    """The names in a table that a part of a place stands for."""
    if not isinstance(table, dict):
        return []
    return [name for name in table if name == part or (_is_free(part) and (part != "INPUT" or name in INPUTS))]


def _is_free(part: str) -> bool:
    return part == ANY or part.isupper()


def told(entry: dict[str, Any]) -> str:
    """An entry for a person."""
    rows = [entry["key"], *_wrapped("  ", entry["meaning"]), ""]
    for name, text in _facts(entry):
        rows += _wrapped(f"  {name + ':' if name else '':<10}", text)
    if "keys" in entry:
        widest = max(len(inner["key"]) for inner in entry["keys"]) + 2
        rows += ["", "  keys:"]
        for inner in entry["keys"]:
            rows += _wrapped(f"    {inner['key']:<{widest}}", inner["meaning"])
    return "\n".join([*rows, "", *_in_force(entry)])


def _wrapped(head: str, text: str) -> list[str]:
    indent = " " * len(head)
    lines = textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
    return [line.replace(_UNBROKEN, " ") for line in lines]


def _facts(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "takes", entry["takes"]
    widest = max((len(word) for word in entry.get("words", {})), default=0) + 4
    for word, meaning in entry.get("words", {}).items():
        yield "", f"{toml_value(word):{_UNBROKEN}<{widest}}{meaning}"
    if entry["required"]:
        yield "default", "none, it is required"
    elif "default" in entry or "otherwise" in entry:
        yield "default", entry.get("otherwise") or toml_value(entry["default"])
    for name in ("example", "careful"):
        if name in entry:
            yield name, entry[name]
    yield "since", f"doorctl {entry['since']}"


def _in_force(entry: dict[str, Any]) -> Iterator[str]:
    if "trouble" in entry:
        yield f"  here: not known: {entry['trouble']}"
        return
    yield "  here:" if entry["here"] else f"  here: nothing: {entry['absent']}"
    for value in entry["here"]:
        if value["value"] is None:
            yield f"    {value['key']} is not set"
        else:
            source = f"line {value['line']}" if "line" in value else "the default"
            yield f"    {value['key']} = {toml_value(value['value'])}  ({source})"


def listed(*, as_json: bool) -> int:
    """Every key in a line."""
    if as_json:
        print(json.dumps([{"key": key.dotted, "meaning": key.meaning} for key in KEYS], indent=2))
        return 0
    widest = max(len(key.dotted) for key in KEYS) + 2
    for key in KEYS:
        head = f"[{key.dotted}]" if isinstance(key.kind, Table | Tables) else key.dotted
        print(f"{head:<{widest}}{key.meaning}")
    return 0
