"""A small valid configuration and ways to spoil it."""

from typing import Final

from doorctl.config.lines import Span
from doorctl.config.reading import ConfigError, parse_config
from doorctl.config.section import Mistake
from doorctl.config.types import Config

VALID: Final = """\
[site]
id = "harbour-st"
timezone = "Europe/Lisbon"
holidays = [2026-12-25]

[monitor]
file = "monitor.toml"

[door.front]
egress  = "mechanical"
strike  = { pin = "GPIO17", type = "fail-secure", release_s = 5 }
contact = "GPIO27"
rex     = "GPIO22"
reader  = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", keypad = "8-bit", mode = "card+code" }

[door.back]
egress  = "wired"
strike  = { pin = "GPIO18", type = "fail-safe", active = "low" }
[door.back.readers.in]
wiegand = ["GPIO4", "GPIO5"]
format  = "H10301"
mode    = "card"

[schedule.office]
mon-fri = "07:00-19:00"

[group.staff]
front = "office"
back  = "always"
"""


def read(text: str) -> Config:
    return parse_config(text, file="doorctl.toml")


def mistakes(text: str) -> list[Mistake]:
    """What is wrong with a text; nothing where it is right."""
    try:
        read(text)
    except ConfigError as error:
        return error.mistakes
    return []


def spoilt(before: str, after: str) -> Mistake:
    """The one mistake that a change of VALID makes."""
    assert VALID.count(before) == 1, before
    found = mistakes(VALID.replace(before, after))
    assert len(found) == 1, [str(mistake) for mistake in found]
    return found[0]


def cut(text: str, span: Span) -> str:
    """What the carets stand under."""
    return text.split("\n")[span.line - 1][span.begin - 1 : span.end - 1]
