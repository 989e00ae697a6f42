"""A reader in words: one line of status and of `reader list`, and the page of `reader show`. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_COUNTED: Final = {
    "exchanges": "exchanges on the line",
    "retries": "asked again",
    "timeouts": "not answered in time",
    "broken": "answers broken on the way",
    "busy": "times busy",
    "restarts": "sessions begun anew",
    "misused": "times misused",
    "bad_macs": "  forged or damaged (bad MAC)",
    "in_clear": "  in clear in a secure session",
    "refused_orders": "orders it did not carry out",
    "offline_s": "seconds offline",
    "line_use_percent": "percent of the line's time",
}
"""What people read, in this order; what is not here is shown under its own name."""


def wiring(reader: Mapping[str, Any]) -> str:
    """`OSDP /dev/ttyAMA0 address 1, secured`; nothing for two wires of its own."""
    if reader.get("kind") != "osdp":
        return "Wiegand"
    place = f"OSDP {reader['device']} address {reader['address']}"
    return f"{place}, {security(reader)}"


def security(reader: Mapping[str, Any]) -> str:
    """Whether what it says can be believed."""
    if reader["secure"]:
        return "secured"
    if reader["online"]:
        return "IN CLEAR"
    return {"none": "not installed", "pending": "its new key has not worked yet"}.get(reader["key"], "not secured now")


def warnings(reader: Mapping[str, Any]) -> Iterator[str]:
    """What nobody should overlook."""
    if reader.get("kind") == "osdp" and reader["online"] and not reader["secure"]:
        yield (
            f"IN CLEAR: reader {reader['name']} is not secured: who reaches its line can play cards and codes to the "
            f"door; `doorctl reader install {reader['name']}` secures a reader that can be"
        )
    if (other := _other_speed(reader)) is not None:
        yield f"SPEED: {other}"
    elif _is_lost(reader):
        yield f"reader {reader['name']}: {_where_it_may_be(reader)}"


def at_a_glance(reader: Mapping[str, Any]) -> str:
    """A line of `reader list`."""
    return f"{reader['name']}: {reader['state']}, {wiring(reader)}"


def in_full(reader: Mapping[str, Any]) -> Iterator[str]:
    """The page of `reader show`."""
    yield at_a_glance(reader)
    if reader["kind"] == "osdp":
        yield f"  line: {reader['device']} at {reader['baud']} baud, address {reader['address']}"
        identity = reader["identity"]
        yield f"  reader: {identity['words'] if identity else 'unknown while it is offline'}"
        yield f"  key: {_key(reader)}"
        if reader["tampered"]:
            yield "  TAMPER: its cover is off"
        if reader["key"] == "none":
            yield f"  next: `doorctl reader install {reader['name']}`"
        elif _is_lost(reader):
            yield f"  next: {_where_it_may_be(reader)}"
        if (other := _other_speed(reader)) is not None:
            yield f"  next: {other}"
    counters: Mapping[str, Any] = reader["counters"]
    for name in (*(name for name in _COUNTED if name in counters), *(n for n in counters if n not in _COUNTED)):
        yield f"  {_COUNTED.get(name, name.replace('_', ' '))}: {counters[name]:g}"
    yield f"  events while an answer was due, dropped: {reader['dropped']}"


def _is_lost(reader: Mapping[str, Any]) -> bool:
    """It has a key here, and does not answer."""
    return reader.get("kind") == "osdp" and reader["state"] == "offline" and reader["key"] != "none"


def _where_it_may_be(reader: Mapping[str, Any]) -> str:
    return (
        f"not heard at {reader['baud']} baud: power and cable; `doorctl reader scan {reader['device']}` finds it at "
        "another speed or address, while doord is stopped"
    )


def _other_speed(reader: Mapping[str, Any]) -> str | None:
    """Where it is heard at another speed than the file's."""
    if reader.get("kind") != "osdp" or not reader["online"] or reader["baud"] == reader["configured_baud"]:
        return None
    return (
        f"reader {reader['name']} answers at {reader['baud']} baud and doord was started with "
        f"{reader['configured_baud']}: doorctl.toml has to say baud = {reader['baud']} when it is started again"
    )


def _key(reader: Mapping[str, Any]) -> str:
    told = {"none": "none was installed", "pending": "a new one that has not worked yet", "installed": "installed"}
    plain = "; allow_plain lets it read in clear until it has one" if reader["allow_plain"] else ""
    return told[reader["key"]] + plain
