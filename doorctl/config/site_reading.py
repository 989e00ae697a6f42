"""[site], [monitor], [codes], [lockout], [log] and [hal] of the installer's file: tables that stand once."""

from functools import cache
from typing import Final
from zoneinfo import available_timezones

from doorctl.config.section import Section, check_name, nearest
from doorctl.config.types import (
    Backend,
    Codes,
    Door,
    Hal,
    KeypadEncoding,
    Lockout,
    Log,
    MonitorLink,
    Site,
    takes_code_alone,
)
from doorctl.core.types import SECOND, Duration

_ALONE_LENGTH: Final = 8
"""Digits where a code alone opens a door; design.md, Codes."""
_WITH_CARD_LENGTH: Final = 6
_DAY: Final = 24 * 3600 * SECOND
_BCD_LENGTH: Final = 6
"""What a 26-bit-bcd keypad sends, always."""


def read_site(section: Section) -> Site:
    """[site], but for its holidays."""
    name = section.text("id", expected='a short name such as "harbour-st"')
    if name:
        check_name(section.mistakes, (*section.place, "id"), name)
    zone = section.text("timezone", expected='a time zone such as "Europe/Lisbon"')
    if zone and zone not in zones():
        section.wrong("timezone", expected="a name of the IANA time zone database", hint=nearest_zone(zone))
    return Site(id=name, timezone=zone)


@cache
def zones() -> frozenset[str]:
    """Every zone this machine knows; the search through its folders is made once."""
    return frozenset(available_timezones())


def nearest_zone(zone: str) -> str | None:
    """The zone of the same city (`Lisbon` → `Europe/Lisbon`), else the nearest name."""
    known_zones = sorted(zones())
    city = zone.rpartition("/")[2].strip().replace(" ", "_").casefold()
    same = [known for known in known_zones if "/" in known and known.rpartition("/")[2].casefold() == city]
    return f'did you mean "{same[-1]}"?' if same else nearest(zone, known_zones)


def read_monitor(section: Section) -> MonitorLink:
    """[monitor]"""
    file = section.text("file", expected='a path such as "monitor.toml"', default="monitor.toml")
    if not file.isprintable():
        section.wrong("file", expected="a path without control characters")
    link = MonitorLink(
        file=file,
        supervision=section.seconds("supervision_s"),
        accept_colocated=section.truth("accept_colocated"),
    )
    section.close()
    return link


def read_codes(section: Section, doors: tuple[Door, ...]) -> Codes:
    """[codes]; the length that is right by default depends on what the doors ask for."""
    alone = any(takes_code_alone(mode) for door in doors for mode in door.modes)
    bcd = any(reader.keypad is KeypadEncoding.BCD_26 for door in doors for reader in door.readers)
    usual = _ALONE_LENGTH if alone and not bcd else _WITH_CARD_LENGTH
    codes = Codes(
        length=section.whole(
            "length", default=usual, hint="the last digit is a check digit: a length of 8 is ten million codes"
        ),
        per_holder=section.whole("per_holder", hint="the same for everyone at a site"),
    )
    if bcd and codes.length != _BCD_LENGTH:
        section.wrong("length", expected=f"{_BCD_LENGTH}, which is what a 26-bit-bcd keypad sends, always")
    section.close()
    return codes


def read_lockout(section: Section) -> Lockout:
    """[lockout]"""
    lockout = Lockout(
        tries=section.whole("tries"),
        first=section.seconds("first_s"),
        longest=section.seconds("longest_s"),
        guessing_alarm=section.whole("guessing_alarm"),
    )
    if lockout.longest < lockout.first:
        section.wrong("longest_s", expected="no less than first_s")
    section.close()
    return lockout


def read_log(section: Section) -> Log:
    """[log]"""
    hint = "days; `doorctl log export` keeps elsewhere what must be kept longer"
    log = Log(keep=Duration(section.whole("keep_days", hint=hint) * _DAY))
    section.close()
    return log


def read_hal(section: Section) -> Hal:
    """[hal]"""
    backend = section.choice("backend", Backend)
    chip = section.value("chip")
    if section.has("chip") and not (isinstance(chip, str) and chip):
        section.wrong("chip", expected='the label or number of a gpiochip as text, such as "pinctrl-bcm2711" or "0"')
    section.close()
    return Hal(backend=backend, chip=chip if isinstance(chip, str) else None)
