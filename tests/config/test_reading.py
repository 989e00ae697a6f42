"""What a right file becomes, and how a file that is no TOML is refused."""

import re
from datetime import date
from pathlib import Path

import pytest
import tomli

from doorctl.config.effective import effective, toml_of
from doorctl.config.reading import LARGEST, ConfigError, read_config
from doorctl.config.types import (
    Access,
    Backend,
    Codes,
    Config,
    DataLines,
    Door,
    Egress,
    Group,
    Hal,
    Input,
    KeypadEncoding,
    Lockout,
    Log,
    MonitorLink,
    Reader,
    ReaderInput,
    Schedule,
    Site,
    Strike,
    StrikeKind,
    TimeUnknown,
    Window,
)
from doorctl.core.types import SECOND, DoorName, Duration, GroupName, Mode, ReaderName, ScheduleName
from doorctl.errors import OperatorError
from tests.config.making import VALID, mistakes, read

OF_THE_DESIGN = """\
[site]
id = "harbour-st"
timezone = "Europe/Lisbon"

[monitor]
file = "monitor.toml"          # addresses, public keys, certificate: made by `doorctl monitor init`

[door.front]
reader  = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", keypad = "8-bit", mode = "card+code" }
strike  = { pin = "GPIO17", type = "fail-secure", release_s = 5 }
egress  = "mechanical"
contact = "GPIO27"
rex     = "GPIO22"

[schedule.office]
mon-fri = "07:00-19:00"

[group.staff]
front = "office"
"""
OFFICE = ScheduleName("office")


def seconds(number: float) -> Duration:
    return Duration(round(number * SECOND))


def test_the_designs_example_is_read_as_it_is_meant() -> None:
    front = Door(
        name=DoorName("front"),
        readers=(
            Reader(
                name=ReaderName("front"), wiring=DataLines(d0="GPIO14", d1="GPIO15"), format="H10301", check_parity=True,
                keypad=KeypadEncoding.BITS_8, enter_key="#", mode=Mode.CARD_AND_CODE, modes=(),
                code_window=seconds(10), led=None, buzzer=None,
            ),
        ),
        strike=Strike(
            pin="GPIO17", type=StrikeKind.FAIL_SECURE, active_high=True, release=seconds(5), relock_on_open=True
        ),
        egress=Egress.MECHANICAL,
        contact=Input(pin="GPIO27", active_high=True, pull="up"),
        rex=Input(pin="GPIO22", active_high=False, pull="up"),
        tamper=None,
        held_open=seconds(30),
        pre_alarm=seconds(10),
        unlock_schedule=None,
        time_unknown=TimeUnknown.DENY,
        interlock=(),
    )  # fmt: skip
    assert read(OF_THE_DESIGN) == Config(
        site=Site(id="harbour-st", timezone="Europe/Lisbon"),
        monitor=MonitorLink(file="monitor.toml", supervision=seconds(30), accept_colocated=False),
        codes=Codes(length=6, per_holder=2),
        lockout=Lockout(tries=5, first=seconds(30), longest=seconds(600), guessing_alarm=30),
        log=Log(keep=seconds(90 * 24 * 3600)),
        hal=Hal(backend=Backend.GPIOZERO, chip=None),
        doors=(front,),
        schedules=(
            Schedule(
                name=OFFICE,
                windows=tuple(Window(weekday=day, begin=7 * 3600, end=19 * 3600) for day in range(5)),
            ),
        ),
        holidays=(),
        groups=(Group(name=GroupName("staff"), access=(Access(door=DoorName("front"), schedule=OFFICE),)),),
    )


INPUTS = """\
rex = { input = 0, reader = "out", active = "low" }
contact = { input = 1, reader = "in" }
tamper = { input = 0, reader = "in" }
readers = { in = { osdp = "/dev/ttyAMA0", address = 1, mode = "card" }, out = { osdp = "/dev/ttyAMA0", address = 2, mode = "card" } }
"""
MIXED = (
    'readers = { in = { osdp = "/dev/ttyAMA0", address = 1, mode = "card" }, '
    'out = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", mode = "card" } }'
)


def test_switches_at_readers_and_their_levels() -> None:
    """Wired alike, a closed switch is low at a pin and high at a reader: the defaults are the other way round."""
    text = re.sub('contact = "GPIO27"\nrex .*\nreader  = .*\n', INPUTS, VALID)
    door = read(text).doors[0]
    assert [door.rex, door.contact, door.tamper] == [
        ReaderInput(reader=ReaderName("front/out"), number=0, active_high=False),
        ReaderInput(reader=ReaderName("front/in"), number=1, active_high=False),
        ReaderInput(reader=ReaderName("front/in"), number=0, active_high=False),
    ]


@pytest.mark.parametrize(
    ("reader", "named", "name"),
    [
        ('reader = { osdp = "/dev/ttyAMA0", address = 1, mode = "card" }', "", "front"),
        ('reader = { osdp = "/dev/ttyAMA0", address = 1, mode = "card" }', ', reader = "front"', "front"),
        (MIXED, "", "front/in"),
    ],
)
def test_a_doors_only_reader_on_a_line_needs_not_be_named(reader: str, named: str, name: str) -> None:
    text = re.sub("rex .*\nreader  = .*\n", f"rex = {{ input = 7{named} }}\n{reader}\n", VALID)
    expected = ReaderInput(reader=ReaderName(name), number=7, active_high=True)
    config = read(text)
    assert config.doors[0].rex == expected
    assert toml_of(effective(config), tomli.loads(text)).count(f'input = 7\nreader = "{name.rpartition("/")[2]}"') == 1


def test_readers_inside_and_outside_are_named_after_their_door() -> None:
    text = VALID.replace("[door.back.readers.in]", '[door.back.readers.in]\nled = "GPIO9"')
    back = read(text).doors[1]
    assert [(reader.name, reader.led) for reader in back.readers] == [("back/in", "GPIO9")]
    assert (back.strike.active_high, back.strike.type, back.egress) == (False, StrikeKind.FAIL_SAFE, Egress.WIRED)


@pytest.mark.parametrize(("mode", "length"), [("card", 6), ("card+code", 6), ("code", 8), ("card or code", 8)])
def test_codes_are_longer_where_one_alone_opens(mode: str, length: int) -> None:
    assert read(VALID.replace('mode = "card+code"', f'mode = "{mode}"')).codes.length == length


def test_a_mode_of_some_hours_counts_for_the_codes_length() -> None:
    text = VALID.replace('mode = "card+code"', 'mode = "card+code", modes = { office = "code" }')
    assert read(text).codes.length == 8
    assert read(text).doors[0].readers[0].modes == ((OFFICE, Mode.CODE),)
    assert read(text).doors[0].modes == {Mode.CARD_AND_CODE, Mode.CODE}


@pytest.mark.parametrize(
    ("line", "windows"),
    [
        ('mon = "00:00-24:00"', [(0, 0, 86400)]),
        ('sat-mon = "08:30-09:00"', [(day, 30600, 32400) for day in (5, 6, 0)]),
        ('fri-fri = "8:00 - 9:00"', [(4, 28800, 32400)]),
        ('holiday = "10:00-12:00"', [(7, 36000, 43200)]),
        ('daily = ["20:00-24:00", "00:00-06:00"]', [(d, b, e) for b, e in ((72000, 86400), (0, 21600)) for d in range(7)]),
        ("mon = []", []),
    ],
)  # fmt: skip
def test_windows(line: str, windows: list[tuple[int, int, int]]) -> None:
    (schedule,) = read(VALID.replace('mon-fri = "07:00-19:00"', line)).schedules
    assert [(window.weekday, window.begin, window.end) for window in schedule.windows] == windows


def test_holidays_are_days() -> None:
    assert read(VALID).holidays == (date(2026, 12, 25),)


def test_the_warning_before_held_open_shrinks_with_it() -> None:
    door = read(VALID.replace('rex     = "GPIO22"', "held_open_s = 8")).doors[0]
    assert (door.held_open, door.pre_alarm) == (seconds(8), seconds(4))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[site]\nid = front\n", "doorctl.toml:2: site.id: expected TOML, found invalid value (column 6)\n  hint: text stands in"),
        ("[site]\nid = 1\nid = 2\n", "doorctl.toml:3: expected TOML, found cannot overwrite a value (column 7)\n  hint: this"),
        ("[site]\n[site]\n", "doorctl.toml:2: expected TOML, found cannot declare ('site',) twice (column 6)\n  hint: this"),
        ("[site\n", "doorctl.toml:1: site: expected TOML, found expected ']' at the end of a table declaration (column 6)\n  hint: a table's"),
        ("a = 5s\n", "doorctl.toml:1: a: expected TOML, found expected newline or end of document after a statement (column 6)\n  hint: one key"),
        ("[site]\n\nid 5\n", "doorctl.toml:3: site.id: expected TOML, found expected '=' after a key in a key/value pair (column 4)\n  hint: a key is"),
        ("a = [1, 2\nb = 3\n", "doorctl.toml:1: a: expected TOML, found a bracket that nothing closes\n  hint: a list ends"),
        ('a = "x\n', "doorctl.toml:1: a: expected TOML, found illegal character '\\n' (column 7)\n  hint: a text begins"),
        (f"a = {'9' * 5000}", "doorctl.toml:1: expected TOML, found a number or a nesting without end"),
        (f"a = {'[' * 3000}", "doorctl.toml:1: expected TOML, found a number or a nesting without end"),
    ],
)  # fmt: skip
def test_what_is_no_toml_names_line_and_column(text: str, told: str) -> None:
    (mistake,) = [mistake for mistake in mistakes(text) if mistake.expected == "TOML"]
    assert str(mistake).startswith(told)


def test_a_file_in_another_encoding_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "doorctl.toml"
    path.write_bytes(b'[site]\nid = "caf\xe9"\n')
    with pytest.raises(ConfigError) as raised:
        read_config(path)
    assert raised.value.mistakes[0].line == 2
    assert raised.value.mistakes[0].hint == "save the file as UTF-8"


def test_a_file_that_cannot_be_had_says_which(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"nowhere/doorctl.toml: there is no configuration") as raised:
        read_config(tmp_path / "nowhere" / "doorctl.toml")
    assert raised.value.hint is not None
    with pytest.raises(OperatorError, match=r"cannot be read: is a directory"):
        read_config(tmp_path)
    endless = tmp_path / "endless.toml"
    endless.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(OperatorError, match=f"at most {LARGEST} bytes, found {LARGEST + 1}"):
        read_config(endless)
