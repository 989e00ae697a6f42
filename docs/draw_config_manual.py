"""Draws doorctl.toml(5) from the table of keys: `python docs/draw_config_manual.py`.

tests/config/test_keys.py checks that it was run. What is not in the table, how a file as a whole is, stands here.
"""  # noqa: INP001  a script beside the pages, in no package

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from doorctl.config.changes import CLASSES, Counts
from doorctl.config.effective import toml_value
from doorctl.config.key import Choice, Key, Table, Tables, expected
from doorctl.config.keys import KEYS, keys_in

PAGE: Final = Path(__file__).with_name("man") / "doorctl.toml.5"
DATE: Final = "2026-11-23"
"""Of the version; a page must not change because a day has passed."""
_TABLES: Final = {
    ("site",): "[site]",
    ("monitor",): "[monitor]",
    ("codes",): "[codes]",
    ("lockout",): "[lockout]",
    ("log",): "[log]",
    ("hal",): "[hal]",
    ("door", "NAME"): "[door.NAME]",
    ("door", "NAME", "strike"): "strike",
    ("door", "NAME", "contact"): "contact, rex, tamper",
    ("door", "NAME", "reader"): "reader",
    ("schedule", "NAME"): "[schedule.NAME]",
    ("group", "NAME"): "[group.NAME]",
}
"""Tables that have a part of their own, and its title."""
_BEGINNING: Final = """\
.SH NAME
doorctl.toml \\- one board, its doors, who may open them when
.SH SYNOPSIS
.I /etc/doorctl/doorctl.toml
.SH DESCRIPTION
TOML. Every key is checked by
.BR "doorctl check" ,
which names line, source, expected, found and a hint for all mistakes at once; unknown keys are mistakes.
.B "doorctl config explain KEY"
says what is here of one key, and its value in force;
.B "doorctl config show"
writes every default out;
.B "doorctl config schema"
is for editors.
Names of doors, schedules and groups are 1 to 20 lower\\-case letters, digits and hyphens.
Pins are the chip's lines as gpiozero names them, such as
.BR \\(dqGPIO17\\(dq ,
not the header's numbers; each has one use.
Names ending in
.B _s
are seconds, whole or not.
.PP
A changed file counts with
.BR "systemctl reload doorctl" ,
or
.BR doorctl\\-reload (1)
where there is no systemd, while the doors work: as a whole or not at all.
Where it changes a key that is marked below, or which doors and readers there are, nothing of it counts until doord is
started again, which secures every strike for a moment.
"""
_END: Final = """\
.SH EXAMPLE
.EX
[site]
id = "harbour\\-st"
timezone = "Europe/Lisbon"

[monitor]
file = "monitor.toml"

[door.front]
reader  = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", keypad = "8\\-bit", mode = "card+code" }
strike  = { pin = "GPIO17", type = "fail\\-secure", release_s = 5 }
egress  = "mechanical"
contact = "GPIO27"
rex     = "GPIO22"

[schedule.office]
mon\\-fri = "07:00\\-19:00"

[group.staff]
front = "office"
.EE
.PP
More are in
.IR etc/ .
.SH SEE ALSO
.BR doorctl\\-check (1),
.BR doorctl\\-config (1),
.BR doorctl\\-init (1),
.BR doorctl\\-reload (1),
.BR doord (8)
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(drawn(), encoding="utf-8")


def drawn() -> str:
    """The page."""
    release = version("doorctl").rpartition(".")[0]
    first = '.\\" drawn by docs/draw_config_manual.py from the table of keys: do not edit\n'
    title = f'.TH DOORCTL.TOML 5 {DATE} "doorctl {release}" "File Formats"\n'
    lines = [line for key in KEYS if key.place in _TABLES for line in _table(key)]
    return first + title + _BEGINNING + "\n".join(lines) + "\n" + _END


def _table(table: Key) -> Iterator[str]:
    yield f".SS {_escaped(_TABLES[table.place])}"
    yield _sentence("what makes one of these more than a bare pin" if table.place[-1] == "contact" else table.meaning)
    for key in keys_in(table):
        yield from (".TP", f".B {_escaped(key.place[-1])}", *_entry(key))


def _entry(key: Key) -> Iterator[str]:
    yield _sentence(key.meaning)
    if isinstance(key.kind, Choice):
        yield "One of"
        words = [word for word in key.kind.words if word not in key.kind.refused]
        for word in words:
            end = "." if word == words[-1] else ","
            yield f".B {_quoted(word)}"
            yield f"({_escaped(key.kind.words[word])}){end}"
        for word in sorted(key.kind.refused):
            yield f".B {_quoted(word)}"
            yield f"is known and refused ({_escaped(key.kind.words[word])})."
    elif not isinstance(key.kind, Table | Tables):
        yield f"Takes {_escaped(expected(key.kind))}."
    if key.place in _TABLES:
        yield "Its keys are below."
    yield from _default(key)
    if key.line:
        typed = _escaped(key.line).replace('"', "\\(dq")
        yield "Example:"
        yield f'.BR "{typed}" .'
    if (counts := CLASSES[key.dotted]) is not Counts.AT_ONCE and not isinstance(key.kind, Table | Tables):
        yield f"A change counts {counts.value}."
    if key.danger:
        yield f"Careful: {_escaped(key.danger)}."


def _default(key: Key) -> Iterator[str]:
    if key.required:
        yield "Required."
    elif key.otherwise is not None:
        yield (
            _sentence(key.otherwise) if key.otherwise.startswith("required") else f"Default: {_escaped(key.otherwise)}."
        )
    elif key.default is not None:
        yield f"Default: {_escaped(toml_value(key.default))}."


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{_escaped(text[1:])}."


def _quoted(word: str) -> str:
    return f'"\\(dq{_escaped(word)}\\(dq"'


def _escaped(text: str) -> str:
    """Hyphens stay hyphens, so that what is to be typed can be copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("^", "\\(ha").replace("~", "\\(ti")
    return escaped.replace("…", "...").replace("`", "")


if __name__ == "__main__":
    main()
