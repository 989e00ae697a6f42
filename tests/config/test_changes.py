"""What a reload can take over: every key has one class, and every change is named by its key."""

import pytest

from doorctl.config.changes import CLASSES, Counts, changes
from doorctl.config.keys import KEYS
from doorctl.config.reading import parse_config
from doorctl.config.types import Config

BASE = """\
[site]
id = "harbour-st"
timezone = "Europe/Lisbon"
[hal]
backend = "mock"
[door.front]
strike = { pin = "GPIO17", type = "fail-secure", active = "high", release_s = 5, relock_on_open = true }
egress = "mechanical"
contact = { pin = "GPIO27", active = "high", pull = "up" }
held_open_s = 30
pre_alarm_s = 10
time_unknown = "deny"
reader = { wiegand = ["GPIO4", "GPIO5"], format = "H10301", keypad = "8-bit", mode = "card+code", led = "GPIO6", buzzer = "GPIO7", modes = { hours = "card", night = "card+code" } }
[door.vault]
strike = { pin = "GPIO18", type = "fail-secure" }
egress = "mechanical"
contact = "GPIO21"
rex = { input = 0, reader = "in", active = "high" }
readers = { in = { osdp = "/dev/ttyAMA0", address = 1, baud = 9600, mode = "card", rts_drives = false, allow_plain = false } }
[schedule.hours]
mon-fri = "07:00-19:00"
[schedule.night]
daily = "19:00-24:00"
[group.staff]
front = "hours"
"""


def read(text: str) -> Config:
    return parse_config(text, file="doorctl.toml")


def test_every_key_is_in_one_class() -> None:
    assert sorted(CLASSES) == sorted(key.dotted for key in KEYS)


@pytest.mark.parametrize(
    ("counts", "written", "instead", "names"),
    [
        (Counts.RESTART, 'id = "harbour-st"', 'id = "pier"', "site.id"),
        (Counts.AT_ONCE, "Europe/Lisbon", "Europe/Berlin", "site.timezone"),
        (Counts.AT_ONCE, "[hal]", "holidays = [2027-01-01]\n[hal]", "site.holidays"),
        (Counts.RESTART, "[hal]", '[monitor]\nfile = "other.toml"\n[hal]', "monitor.file"),
        (Counts.RESTART, "[hal]", "[monitor]\naccept_colocated = true\n[hal]", "monitor.accept_colocated"),
        (Counts.COURIER, "[hal]", "[monitor]\nsupervision_s = 10\n[hal]", "monitor.supervision_s"),
        (Counts.ROSTER, "[hal]", "[codes]\nlength = 8\n[hal]", "codes.length"),
        (Counts.ROSTER, "[hal]", "[codes]\nper_holder = 3\n[hal]", "codes.per_holder"),
        (Counts.AT_ONCE, "[hal]", "[lockout]\ntries = 4\n[hal]", "lockout.tries"),
        (Counts.AT_ONCE, "[hal]", "[lockout]\nfirst_s = 31\n[hal]", "lockout.first_s"),
        (Counts.AT_ONCE, "[hal]", "[lockout]\nlongest_s = 601\n[hal]", "lockout.longest_s"),
        (Counts.AT_ONCE, "[hal]", "[lockout]\nguessing_alarm = 9\n[hal]", "lockout.guessing_alarm"),
        (Counts.AT_ONCE, "[hal]", "[log]\nkeep_days = 9\n[hal]", "log.keep_days"),
        (Counts.RESTART, '"mock"', '"gpiozero"', "hal.backend"),
        (Counts.RESTART, '"mock"', '"mock"\nchip = "0"', "hal.chip"),
        (Counts.RESTART, "[door.vault]", "[door.safe]", "door.vault door.safe"),
        (Counts.AT_ONCE, '"mechanical"\ncontact = {', '"wired"\ncontact = {', "door.front.egress"),
        (Counts.AT_ONCE, "held_open_s = 30", "held_open_s = 31", "door.front.held_open_s"),
        (Counts.AT_ONCE, "pre_alarm_s = 10", "pre_alarm_s = 0", "door.front.pre_alarm_s"),
        (Counts.AT_ONCE, "held_open_s", 'unlock = "hours"\nheld_open_s', "door.front.unlock"),
        (Counts.AT_ONCE, '= "deny"', '= "allow"', "door.front.time_unknown"),
        (Counts.AT_ONCE, "held_open_s", 'interlock = ["vault"]\nheld_open_s', "door.front.interlock"),
        (Counts.RESTART, "GPIO17", "GPIO26", "door.front.strike.pin"),
        (Counts.RESTART, '"fail-secure", active', '"fail-safe", active', "door.front.strike.type"),
        (Counts.RESTART, 'active = "high", release', 'active = "low", release', "door.front.strike.active"),
        (Counts.AT_ONCE, "release_s = 5", "release_s = 6.5", "door.front.strike.release_s"),
        (Counts.AT_ONCE, "relock_on_open = true", "relock_on_open = false", "door.front.strike.relock_on_open"),
        (Counts.RESTART, "GPIO27", "GPIO26", "door.front.contact.pin"),
        (Counts.RESTART, 'GPIO27", active = "high"', 'GPIO27", active = "low"', "door.front.contact.active"),
        (Counts.RESTART, 'pull = "up"', 'pull = "down"', "door.front.contact.pull"),
        (Counts.RESTART, "input = 0", "input = 1", "door.vault.rex.input"),
        (Counts.RESTART, 'reader = "in", active = "high"', 'reader = "in", active = "low"', "door.vault.rex.active"),
        (Counts.RESTART, "held_open_s", 'rex = "GPIO22"\nheld_open_s', "door.front.rex"),
        (Counts.RESTART, "held_open_s", 'tamper = "GPIO22"\nheld_open_s', "door.front.tamper"),
        (Counts.RESTART, "GPIO5", "GPIO26", "door.front.reader.wiegand"),
        (Counts.RESTART, "ttyAMA0", "ttyS0", "door.vault.readers.in.osdp"),
        (Counts.RESTART, "address = 1", "address = 2", "door.vault.readers.in.address"),
        (Counts.RESTART, "9600", "38400", "door.vault.readers.in.baud"),
        (Counts.RESTART, "rts_drives = false", "rts_drives = true", "door.vault.readers.in.rts_drives"),
        (Counts.RESTART, "allow_plain = false", "allow_plain = true", "door.vault.readers.in.allow_plain"),
        (Counts.RESTART, "H10301", "H10304", "door.front.reader.format"),
        (Counts.RESTART, 'keypad = "8-bit"', 'parity = false, keypad = "8-bit"', "door.front.reader.parity"),
        (Counts.RESTART, "8-bit", "4-bit", "door.front.reader.keypad"),
        (Counts.RESTART, 'keypad = "8-bit"', 'keypad = "8-bit", enter = "*"', "door.front.reader.enter"),
        (Counts.RESTART, "GPIO6", "GPIO26", "door.front.reader.led"),
        (Counts.RESTART, "GPIO7", "GPIO26", "door.front.reader.buzzer"),
        (Counts.AT_ONCE, 'mode = "card+code"', 'mode = "card"', "door.front.reader.mode"),
        (Counts.AT_ONCE, 'hours = "card"', 'hours = "card+code"', "door.front.reader.modes"),
        (Counts.AT_ONCE, 'hours = "card", night = "card+code"', 'night = "card+code", hours = "card"', "door.front.reader.modes"),
        (Counts.AT_ONCE, ', modes = { hours = "card", night = "card+code" }', "", "door.front.reader.modes"),
        (Counts.AT_ONCE, ', led = "GPIO6"', ', code_window_s = 12, led = "GPIO6"', "door.front.reader.code_window_s"),
        (Counts.AT_ONCE, "07:00", "06:00", "schedule.hours"),
        (Counts.AT_ONCE, "[group.staff]", '[schedule.day]\nmon = "07:00-08:00"\n[group.staff]', "schedule.day"),
        (Counts.AT_ONCE, 'front = "hours"', 'front = "always"', "group.staff.front"),
        (Counts.AT_ONCE, 'front = "hours"', 'vault = "hours"', "group.staff.front group.staff.vault"),
        (Counts.AT_ONCE, "[group.staff]", "[group.cleaners]", "group.staff group.cleaners"),
    ],
)  # fmt: skip
def test_a_change_is_named_in_its_class(counts: Counts, written: str, instead: str, names: str) -> None:
    text = BASE.replace(written, instead, 1)
    found = changes(read(BASE), read(text))
    assert found.by_class == {counts: tuple(names.split())}
    assert found.names == tuple(names.split())
    assert set(changes(read(text), read(BASE)).names) == set(names.split())


def test_another_way_to_write_the_same_is_no_change() -> None:
    text = BASE.replace('mon-fri = "07:00-19:00"', 'mon-thu = "07:00-19:00"\nfri = ["07:00-19:00"]')
    text = text.replace("[door.vault]", "# a comment\n[lockout]\ntries = 5\n[door.vault]")
    assert changes(read(BASE), read(text)).by_class == {}


def test_an_input_that_goes_is_named_once() -> None:
    contact = 'contact = { pin = "GPIO27", active = "high", pull = "up" }\n'
    found = changes(read(BASE), read(BASE.replace(contact, "").replace("on_open = true", "on_open = false")))
    assert found.of(Counts.RESTART) == ("door.front.contact",)


def test_changes_of_two_classes_are_both_named() -> None:
    found = changes(read(BASE), read(BASE.replace("GPIO17", "GPIO26").replace("release_s = 5", "release_s = 6")))
    assert found.of(Counts.AT_ONCE) == ("door.front.strike.release_s",)
    assert found.of(Counts.RESTART) == ("door.front.strike.pin",)
