"""Every kind of mistake, one at a time: what is changed in the valid file and what is said of it."""

from typing import NamedTuple

STRIKE = 'strike  = { pin = "GPIO17", type = "fail-secure", release_s = 5 }'
READER = 'reader  = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", keypad = "8-bit", mode = "card+code" }'

LINE_READER = 'reader = { osdp = "/dev/ttyAMA0", address = 1, mode = "card" }'
LINE_READERS = (
    'readers = { in = { osdp = "/dev/ttyAMA0", address = 1, mode = "card" }, '
    'out = { osdp = "/dev/ttyAMA0", address = 2, mode = "card" } }'
)


class Case(NamedTuple):
    before: str
    after: str
    line: int
    key: str
    expected: str
    found: str
    hint: str
    points: str
    """What the carets stand under."""


CASES = {
    "site missing id": Case(
        'id = "harbour-st"\n', "", 1, "site.id",
        'a short name such as "harbour-st"', "nothing",
        'for example id = "harbour-st"; `doorctl config explain site.id` says more',
        "site",
    ),
    "site id": Case(
        'id = "harbour-st"', 'id = "Harbour Straße"', 2, "site.id",
        "a name of 1 to 20 lower-case letters, digits and hyphens", '"Harbour Straße"',
        'try "harbour-strasse"',
        '"Harbour Straße"',
    ),
    "zone by its city": Case(
        '"Europe/Lisbon"', '"Lisbon"', 3, "site.timezone",
        "a name of the IANA time zone database", '"Lisbon"',
        'did you mean "Europe/Lisbon"?',
        '"Lisbon"',
    ),
    "zone misspelt": Case(
        '"Europe/Lisbon"', '"Europe/Lissabon"', 3, "site.timezone",
        "a name of the IANA time zone database", '"Europe/Lissabon"',
        'did you mean "Europe/Lisbon"?',
        '"Europe/Lissabon"',
    ),
    "holiday as text": Case(
        "[2026-12-25]", '["2026-12-25"]', 4, "site.holidays",
        "dates", '"2026-12-25"',
        "write dates without quotes and without a time: [2026-12-25, 2027-01-01]",
        '["2026-12-25"]',
    ),
    "holiday with an hour": Case(
        "[2026-12-25]", "[2026-12-25T08:00:00]", 4, "site.holidays",
        "dates", "2026-12-25 08:00:00",
        "write dates without quotes and without a time: [2026-12-25, 2027-01-01]",
        "[2026-12-25T08:00:00]",
    ),
    "holidays not a list": Case(
        "[2026-12-25]", "2026-12-25", 4, "site.holidays",
        "a list of dates", "2026-12-25",
        "write dates without quotes and without a time: [2026-12-25, 2027-01-01]",
        "2026-12-25",
    ),
    "supervision with its unit": Case(
        'file = "monitor.toml"', 'file = "monitor.toml"\nsupervision_s = "30s"', 8, "monitor.supervision_s",
        "seconds from 10 to 60", '"30s"',
        "write the number alone: the name already says seconds",
        '"30s"',
    ),
    "supervision out of range": Case(
        'file = "monitor.toml"', "supervision_s = 5", 7, "monitor.supervision_s",
        "seconds from 10 to 60", "5",
        "for example supervision_s = 30; `doorctl config explain monitor.supervision_s` says more",
        "5",
    ),
    "not a number": Case(
        'file = "monitor.toml"', "supervision_s = nan", 7, "monitor.supervision_s",
        "seconds from 10 to 60", "nan",
        "for example supervision_s = 30; `doorctl config explain monitor.supervision_s` says more",
        "nan",
    ),
    "truth is not a word": Case(
        'file = "monitor.toml"', 'accept_colocated = "yes"', 7, "monitor.accept_colocated",
        "true or false", '"yes"',
        "for example accept_colocated = true; `doorctl config explain monitor.accept_colocated` says more",
        '"yes"',
    ),
    "unknown table": Case(
        "[monitor]", "[monitr]", 6, "monitr",
        "only codes, door, group, hal, lockout, log, monitor, schedule, site", 'the unknown key "monitr"',
        'did you mean "monitor"?',
        "monitr",
    ),
    "egress missing": Case(
        'egress  = "mechanical"\n', "", 9, "door.front.egress",
        '"mechanical" or "wired"', "nothing",
        "people must get out without software: \"mechanical\" (a handle, an exit bar) or \"wired\" (a button that cuts the strike's power)",
        "door.front",
    ),
    "egress of a fail-safe strike missing": Case(
        'egress  = "wired"\n', "", 16, "door.back.egress",
        '"mechanical" or "wired"', "nothing",
        "people must get out without software: \"mechanical\" (a handle, an exit bar) or \"wired\" (a button that cuts the strike's power)",
        "door.back",
    ),
    "strike missing": Case(
        STRIKE + "\n", "", 9, "door.front.strike",
        "a table", "nothing",
        'strike = { pin = "GPIO17", type = "fail-secure" }',
        "door.front",
    ),
    "strike type": Case(
        '"fail-secure"', '"failsecure"', 11, "door.front.strike.type",
        '"fail-secure" or "fail-safe"', '"failsecure"',
        'did you mean "fail-secure"?',
        '"failsecure"',
    ),
    "strike without type": Case(
        'type = "fail-secure", ', "", 11, "door.front.strike.type",
        '"fail-secure" or "fail-safe"', "nothing",
        "what it does without power: a maglock is fail-safe, an electric strike mostly fail-secure",
        "strike",
    ),
    "a maglock": Case(
        '"fail-secure"', '"maglock"', 11, "door.front.strike.type",
        '"fail-secure" or "fail-safe"', '"maglock"',
        "what it does without power: a maglock is fail-safe, an electric strike mostly fail-secure",
        '"maglock"',
    ),
    "release": Case(
        "release_s = 5", "release_s = 0", 11, "door.front.strike.release_s",
        "seconds from 0.5 to 600", "0",
        "for example release_s = 5; `doorctl config explain door.front.strike.release_s` says more",
        "0",
    ),
    "unknown key inside": Case(
        "release_s = 5", "releese_s = 5", 11, "door.front.strike.releese_s",
        "only active, pin, release_s, relock_on_open, type", 'the unknown key "releese_s"',
        'did you mean "release_s"?',
        "releese_s",
    ),
    "active": Case(
        'active = "low"', 'active = "down"', 18, "door.back.strike.active",
        '"high" or "low"', '"down"',
        'for example active = "low"; `doorctl config explain door.back.strike.active` says more',
        '"down"',
    ),
    "pin as a number": Case(
        'contact = "GPIO27"', "contact = 27", 12, "door.front.contact",
        "a pin or a table", "27",
        'contact = "GPIO27", contact = { pin = "GPIO27", active = "low" } or contact = { input = 0 }',
        "27",
    ),
    "no pin, as a number": Case(
        'contact = "GPIO27"', "contact = -1", 12, "door.front.contact",
        "a pin or a table", "-1",
        'contact = "GPIO22", contact = { pin = "GPIO22", active = "low" } or contact = { input = 0 }',
        "-1",
    ),
    "a strike's pin as a number": Case(
        'pin = "GPIO17"', "pin = 17", 11, "door.front.strike.pin",
        'a pin such as "GPIO17"', "17",
        'write "GPIO17"; numbers are the chip\'s lines, not the header\'s',
        "17",
    ),
    "pin as digits": Case(
        'contact = "GPIO27"', 'contact = "27"', 12, "door.front.contact",
        'a pin such as "GPIO17"', '"27"',
        'write "GPIO27"; numbers are the chip\'s lines, not the header\'s',
        '"27"',
    ),
    "pin in lower case": Case(
        'contact = "GPIO27"', 'contact = "gpio27"', 12, "door.front.contact",
        'a pin such as "GPIO17"', '"gpio27"',
        'write "GPIO27"; numbers are the chip\'s lines, not the header\'s',
        '"gpio27"',
    ),
    "data lines as numbers": Case(
        '["GPIO4", "GPIO5"]', "[4, 5]", 20, "door.back.readers.in.wiegand",
        "the two data lines", "a list",
        'wiegand = ["GPIO4", "GPIO5"] (D0, then D1)',
        "[4, 5]",
    ),
    "a door that there is not": Case(
        'back  = "always"', 'smithy = "always"', 29, "group.staff.smithy",
        "the name of a door", '"smithy"',
        "the doors are front, back",
        "smithy",
    ),
    "pin of another chip's manner": Case(
        'contact = "GPIO27"', 'contact = "BCM27"', 12, "door.front.contact",
        'a pin such as "GPIO17"', '"BCM27"',
        'write "GPIO27"; numbers are the chip\'s lines, not the header\'s',
        '"BCM27"',
    ),
    "pin without a name": Case(
        'contact = "GPIO27"', 'contact = ""', 12, "door.front.contact",
        'a pin such as "GPIO17"', '""',
        "numbers are the chip's lines, not the header's",
        '""',
    ),
    "pin spelt so that it would hide a second use": Case(
        'contact = "GPIO27"', 'contact = "GPIO017"', 12, "door.front.contact",
        'a pin such as "GPIO17"', '"GPIO017"',
        'write "GPIO17"; numbers are the chip\'s lines, not the header\'s',
        '"GPIO017"',
    ),
    "pin in other digits": Case(
        'contact = "GPIO27"', 'contact = "GPIO٢٧"', 12, "door.front.contact",
        'a pin such as "GPIO17"', '"GPIO٢٧"',
        "numbers are the chip's lines, not the header's",
        '"GPIO٢٧"',
    ),
    "pin twice": Case(
        'rex     = "GPIO22"', 'rex     = "GPIO15"', 13, "door.front.rex",
        "a pin of its own", '"GPIO15", which door.front.reader.wiegand has',
        "each pin has one use in the whole file: give one of the two another",
        '"GPIO15"',
    ),
    "pin twice over two doors": Case(
        '["GPIO4", "GPIO5"]', '["GPIO4", "GPIO17"]', 20, "door.back.readers.in.wiegand",
        "a pin of its own", '"GPIO17", which door.front.strike.pin has',
        "each pin has one use in the whole file: give one of the two another",
        '["GPIO4", "GPIO17"]',
    ),
    "pull": Case(
        'contact = "GPIO27"', 'contact = { pin = "GPIO27", pull = "upp" }', 12, "door.front.contact.pull",
        '"up", "down" or "none"', '"upp"',
        'did you mean "up"?',
        '"upp"',
    ),
    "pre-alarm after the alarm": Case(
        'rex     = "GPIO22"', 'rex     = "GPIO22"\npre_alarm_s = 30', 14, "door.front.pre_alarm_s",
        "less than held_open_s, which is 30", "30",
        "for example pre_alarm_s = 10; `doorctl config explain door.front.pre_alarm_s` says more",
        "30",
    ),
    "interlock with nobody": Case(
        'rex     = "GPIO22"', 'interlock = ["bakc"]', 13, "door.front.interlock",
        "names of other doors", '"bakc"',
        'did you mean "back"?',
        '["bakc"]',
    ),
    "interlock with itself": Case(
        'rex     = "GPIO22"', 'interlock = ["front"]', 13, "door.front.interlock",
        "names of other doors", '"front"',
        "the other doors are back",
        '["front"]',
    ),
    "interlock not a list": Case(
        'rex     = "GPIO22"', 'interlock = "back"', 13, "door.front.interlock",
        "a list of names", '"back"',
        'for example interlock = ["inner"]; `doorctl config explain door.front.interlock` says more',
        '"back"',
    ),
    "unlock": Case(
        'rex     = "GPIO22"', 'unlock = "offices"', 13, "door.front.unlock",
        "the name of a [schedule.NAME] table", '"offices"',
        'did you mean "office"?',
        '"offices"',
    ),
    "reader missing": Case(
        READER + "\n", "", 9, "door.front.reader",
        "a table", "nothing",
        'reader = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", mode = "card" }',
        "door.front",
    ),
    "reader and readers": Case(
        "[door.back.readers.in]", '[door.back.reader]\nwiegand = ["GPIO6", "GPIO7"]\nformat = "H10301"\nmode = "card"\n[door.back.readers.in]', 19, "door.back.reader",
        "either reader or readers, not both", "a table",
        "`doorctl config explain door.back.reader` says more",
        "door.back.reader",
    ),
    "a reader's name too long for the record": Case(
        "[door.back.readers.in]", "[door.back.readers.from-the-yard]", 19, "door.back.readers.from-the-yard",
        "a name of 1 to 11 lower-case letters, digits and hyphens", '"from-the-yard"',
        'try "from-the-ya"',
        "door.back.readers.from-the-yard",
    ),
    "a line of no device": Case(
        READER, 'reader = { osdp = "ttyAMA0", address = 1, mode = "card+code" }', 14, "door.front.reader.osdp",
        'a device such as "/dev/ttyAMA0"', '"ttyAMA0"',
        "`ls -l /dev/serial/by-id` shows the adapters by name",
        '"ttyAMA0"',
    ),
    "an address for all": Case(
        READER, 'reader = { osdp = "/dev/ttyAMA0", address = 127, mode = "card+code" }', 14, "door.front.reader.address",
        "a whole number from 0 to 126", "127",
        "127 is every reader's, so none may be called it",
        "127",
    ),
    "no address": Case(
        READER, 'reader = { osdp = "/dev/ttyAMA0", mode = "card+code" }', 14, "door.front.reader.address",
        "the address that the reader answers to", "nothing",
        "address = 1; the reader's manual or its label says which it answers to, new ones mostly to 0",
        "reader",
    ),
    "a speed that no line has": Case(
        READER, 'reader = { osdp = "/dev/ttyAMA0", address = 1, baud = 14400, mode = "card" }', 14, "door.front.reader.baud",
        "9600, 19200, 38400, 57600, 115200 or 230400", "14400",
        "for example baud = 38400; `doorctl config explain door.front.reader.baud` says more",
        "14400",
    ),
    "wires and a line": Case(
        READER, 'reader = { osdp = "/dev/ttyAMA0", address = 1, wiegand = ["GPIO14", "GPIO15"], mode = "card" }', 14, "door.front.reader.wiegand",
        "no such key beside osdp", "a list",
        "a reader has two wires of its own or is on a line: leave wiegand or osdp out",
        '["GPIO14", "GPIO15"]',
    ),
    "a keypad's encoding on a line": Case(
        READER, 'reader = { osdp = "/dev/ttyAMA0", address = 1, keypad = "8-bit", mode = "card" }', 14, "door.front.reader.keypad",
        "no such key beside osdp", '"8-bit"',
        "an OSDP reader sends its keys as characters: leave keypad out",
        '"8-bit"',
    ),
    "a lamp's pin on a line": Case(
        READER, 'reader = { osdp = "/dev/ttyAMA0", address = 1, led = "GPIO5", mode = "card" }', 14, "door.front.reader.led",
        "no such key beside osdp", '"GPIO5"',
        "an OSDP reader is told over its line what to show: leave led out",
        '"GPIO5"',
    ),
    "an address on wires": Case(
        'keypad = "8-bit", mode', 'keypad = "8-bit", address = 1, mode', 14, "door.front.reader.address",
        "no such key without osdp", "1",
        'osdp = "/dev/ttyAMA0" names the line',
        "1",
    ),
    "one address twice": Case(
        READER, 'readers = { in = { osdp = "/dev/ttyAMA0", address = 1, mode = "card" }, out = { osdp = "/dev/ttyAMA0", address = 1, mode = "card" } }', 14, "door.front.readers.out.address",
        "an address of its own", "1, which door.front.readers.in has",
        "two readers that answer at once are not heard: set one of them to another address",
        "1",
    ),
    "two speeds on a line": Case(
        READER, 'readers = { in = { osdp = "/dev/ttyAMA0", address = 1, mode = "card", baud = 38400 }, out = { osdp = "/dev/ttyAMA0", address = 2, mode = "card" } }', 14, "door.front.readers.out.osdp",
        "38400, the speed of door.front.readers.in on the same line", "9600",
        "one line has one speed: set every reader of it to the same",
        '"/dev/ttyAMA0"',
    ),
    "an input of no reader on a line": Case(
        'rex     = "GPIO22"', "rex = { input = 0 }", 13, "door.front.rex.input",
        "an OSDP reader at this door", "0",
        'give the door a reader on a line (osdp = "/dev/ttyAMA0", address = 1), or wire the switch to a pin',
        "0",
    ),
    "an input of a reader that has wires": Case(
        'rex     = "GPIO22"', 'rex = { input = 0, reader = "front" }', 13, "door.front.rex.reader",
        "an OSDP reader at this door", '"front"',
        'give the door a reader on a line (osdp = "/dev/ttyAMA0", address = 1), or wire the switch to a pin',
        '"front"',
    ),
    "an input of another door's reader": Case(
        'rex     = "GPIO22"\n' + READER, 'rex = { input = 0, reader = "in" }\n' + LINE_READER, 13, "door.front.rex.reader",
        "the name of an OSDP reader of this door", '"in"',
        "readers of this door on a line: front",
        '"in"',
    ),
    "a side misspelt": Case(
        'rex     = "GPIO22"\n' + READER, 'rex = { input = 0, reader = "outt" }\n' + LINE_READERS, 13, "door.front.rex.reader",
        "the name of an OSDP reader of this door", '"outt"',
        'did you mean "out"?',
        '"outt"',
    ),
    "which of two readers": Case(
        'rex     = "GPIO22"\n' + READER, "rex = { input = 0 }\n" + LINE_READERS, 13, "door.front.rex.reader",
        "the name of an OSDP reader of this door", "nothing",
        "readers of this door on a line: in, out",
        "rex",
    ),
    "an input that no reader has": Case(
        'rex     = "GPIO22"\n' + READER, "rex = { input = 8 }\n" + LINE_READER, 13, "door.front.rex.input",
        "a whole number from 0 to 7", "8",
        "inputs are counted from 0: the first of a reader is input = 0",
        "8",
    ),
    "an input as a word": Case(
        'rex     = "GPIO22"\n' + READER, 'rex = { input = "rex" }\n' + LINE_READER, 13, "door.front.rex.input",
        "a whole number from 0 to 7", '"rex"',
        "inputs are counted from 0: the first of a reader is input = 0",
        '"rex"',
    ),
    "one input twice": Case(
        'contact = "GPIO27"\nrex     = "GPIO22"\n' + READER,
        'contact = { input = 1 }\nrex = { input = 1, reader = "front" }\n' + LINE_READER, 13, "door.front.rex.input",
        "an input of its own", "1, which door.front.contact has",
        "each input of a reader has one use: give one of the two another",
        "1",
    ),
    "a pin and an input": Case(
        'rex     = "GPIO22"\n' + READER, 'rex = { input = 0, pin = "GPIO22" }\n' + LINE_READER, 13, "door.front.rex.pin",
        "no such key beside input", '"GPIO22"',
        "a switch is wired to the board or to a reader: leave pin or input out",
        '"GPIO22"',
    ),
    "a pull of an input": Case(
        'rex     = "GPIO22"\n' + READER, 'rex = { input = 0, pull = "up" }\n' + LINE_READER, 13, "door.front.rex.pull",
        "no such key beside input", '"up"',
        "the reader pulls its inputs itself: leave pull out",
        '"up"',
    ),
    "a reader without an input": Case(
        'rex     = "GPIO22"\n' + READER, 'rex = { pin = "GPIO22", reader = "front" }\n' + LINE_READER, 13, "door.front.rex.reader",
        "no such key without input", '"front"',
        "input = 0 is the reader's first input",
        '"front"',
    ),
    "a level that no input has": Case(
        'rex     = "GPIO22"\n' + READER, 'rex = { input = 0, active = "closed" }\n' + LINE_READER, 13, "door.front.rex.active",
        '"high" or "low"', '"closed"',
        'for example active = "high"; `doorctl config explain door.front.rex.active` says more',
        '"closed"',
    ),
    "one data line": Case(
        '["GPIO14", "GPIO15"]', '["GPIO14"]', 14, "door.front.reader.wiegand",
        "the two data lines", "a list",
        'wiegand = ["GPIO14", "GPIO15"] (D0, then D1)',
        '["GPIO14"]',
    ),
    "format": Case(
        'format = "H10301", keypad', 'format = "h10301", keypad', 14, "door.front.reader.format",
        "a known card format", '"h10301"',
        'did you mean "H10301"? `doorctl check --formats` lists them',
        '"h10301"',
    ),
    "format by its length": Case(
        'format = "H10301", keypad', 'format = "wiegand26", keypad', 14, "door.front.reader.format",
        "a known card format", '"wiegand26"',
        'did you mean "H10301"? `doorctl check --formats` lists them',
        '"wiegand26"',
    ),
    "format by a length that two have": Case(
        'format = "H10301", keypad', 'format = "37-bit", keypad', 14, "door.front.reader.format",
        "a known card format", '"37-bit"',
        'did you mean "H10302" or "H10304"? `doorctl check --formats` lists them',
        '"37-bit"',
    ),
    "format like none": Case(
        'format = "H10301", keypad', 'format = "mifare", keypad', 14, "door.front.reader.format",
        "a known card format", '"mifare"',
        "`doorctl check --formats` lists them",
        '"mifare"',
    ),
    "format missing": Case(
        'format = "H10301", keypad', "keypad", 14, "door.front.reader.format",
        "the card format", "nothing",
        'most 26-bit cards are format = "H10301"',
        "reader",
    ),
    "keypad missing": Case(
        'keypad = "8-bit", ', "", 14, "door.front.reader.keypad",
        "the keypad's encoding, since the mode asks for a code", "nothing",
        'mostly "8-bit" or "4-bit"',
        "reader",
    ),
    "keypad that loses zeros": Case(
        '"8-bit"', '"26-bit"', 14, "door.front.reader.keypad",
        "an encoding that can send every code", '"26-bit"',
        'a 26-bit binary entry loses leading zeros and stops at 65534, and codes are drawn from all digits; set the keypad to "8-bit", "4-bit" or "26-bit-bcd"',
        '"26-bit"',
    ),
    "keypad like a card": Case(
        '"8-bit"', '"26-bit-bcd"', 14, "door.front.reader.keypad",
        "an encoding whose frames are not 26 bits long, as H10301 cards are", '"26-bit-bcd"',
        'set the keypad to "8-bit" or "4-bit"',
        '"26-bit-bcd"',
    ),
    "mode whose nearest word would ask for less": Case(
        '"card+code"', '"card and code"', 14, "door.front.reader.mode",
        '"card", "code", "card+code" or "card or code"', '"card and code"',
        'did you mean "card+code"?',
        '"card and code"',
    ),
    "enter": Case(
        'mode = "card+code"', 'enter = "E", mode = "card+code"', 14, "door.front.reader.enter",
        '"#" or "*"', '"E"',
        'for example enter = "*"; `doorctl config explain door.front.reader.enter` says more',
        '"E"',
    ),
    "modes of no schedule": Case(
        'mode = "card+code"', 'modes = { ofice = "card" }, mode = "card+code"', 14, "door.front.reader.modes.ofice",
        "the name of a [schedule.NAME] table", '"ofice"',
        'did you mean "office"?',
        "ofice",
    ),
    "night window": Case(
        '"07:00-19:00"', '"22:00-06:00"', 25, "schedule.office.mon-fri",
        'hours such as "07:00-19:00", or a list of them', '"22:00-06:00"',
        'a window ends on its own day: write mon-fri = "22:00-24:00", and "00:00-06:00" on the days after',
        '"22:00-06:00"',
    ),
    "hour 25": Case(
        '"07:00-19:00"', '"07:00-25:00"', 25, "schedule.office.mon-fri",
        'hours such as "07:00-19:00", or a list of them', '"07:00-25:00"',
        'a day goes from "00:00" to "24:00"',
        '"07:00-25:00"',
    ),
    "minute 60": Case(
        '"07:00-19:00"', '"07:60-19:00"', 25, "schedule.office.mon-fri",
        'hours such as "07:00-19:00", or a list of them', '"07:60-19:00"',
        'a day goes from "00:00" to "24:00"',
        '"07:60-19:00"',
    ),
    "empty window": Case(
        '"07:00-19:00"', '"07:00-07:00"', 25, "schedule.office.mon-fri",
        'hours such as "07:00-19:00", or a list of them', '"07:00-07:00"',
        'all day is "00:00-24:00"',
        '"07:00-07:00"',
    ),
    "second of two windows": Case(
        '"07:00-19:00"', '["07:00-12:00", "noon"]', 25, "schedule.office.mon-fri",
        'hours such as "07:00-19:00", or a list of them', '"noon"',
        'hours and minutes of a day in quotes, up to "24:00"',
        '["07:00-12:00", "noon"]',
    ),
    "hours without quotes": Case(
        '"07:00-19:00"', "07:00", 25, "schedule.office.mon-fri",
        'hours such as "07:00-19:00", or a list of them', "07:00:00",
        'hours and minutes of a day in quotes, up to "24:00"',
        "07:00",
    ),
    "day": Case(
        "mon-fri = ", "mo-fr = ", 25, "schedule.office.mo-fr",
        "a day: mon to sun, a range such as mon-fri, daily or holiday", 'the unknown key "mo-fr"',
        'did you mean "mon-fri"?',
        "mo-fr",
    ),
    "range with a holiday": Case(
        "mon-fri = ", "mon-holiday = ", 25, "schedule.office.mon-holiday",
        "a day: mon to sun, a range such as mon-fri, daily or holiday", 'the unknown key "mon-holiday"',
        'did you mean "holiday"?',
        "mon-holiday",
    ),
    "schedule without days": Case(
        'mon-fri = "07:00-19:00"\n', "", 24, "schedule.office",
        "at least one day", "none",
        'write mon-fri = "07:00-19:00"',
        "schedule.office",
    ),
    "group of a door that is not": Case(
        "back  =", "bakc  =", 29, "group.staff.bakc",
        "the name of a door", '"bakc"',
        'did you mean "back"?',
        "bakc",
    ),
    "group with a schedule that is not": Case(
        'front = "office"', 'front = "ofice"', 28, "group.staff.front",
        '"always" or "office"', '"ofice"',
        'did you mean "office"?',
        '"ofice"',
    ),
    "group with a truth": Case(
        'back  = "always"', "back  = true", 29, "group.staff.back",
        '"always" or "office"', "true",
        "it says when the group may open this door",
        "true",
    ),
    "group's name": Case(
        "[group.staff]", '[group."Day Staff"]', 27, 'group."Day Staff"',
        "a name of 1 to 20 lower-case letters, digits and hyphens", '"Day Staff"',
        'try "day-staff"',
        'group."Day Staff"',
    ),
    "backend": Case(
        "[monitor]", '[hal]\nbackend = "mok"\n[monitor]', 7, "hal.backend",
        '"gpiozero" or "mock"', '"mok"',
        'did you mean "mock"?',
        '"mok"',
    ),
    "chip as a number": Case(
        "[monitor]", "[hal]\nchip = 0\n[monitor]", 7, "hal.chip",
        'the label or number of a gpiochip as text, such as "pinctrl-bcm2711" or "0"', "0",
        'for example chip = "pinctrl-bcm2711"; `doorctl config explain hal.chip` says more',
        "0",
    ),
    "codes too short": Case(
        "[monitor]", "[codes]\nlength = 3\n[monitor]", 7, "codes.length",
        "a whole number from 4 to 10", "3",
        "the last digit is a check digit: a length of 8 is ten million codes",
        "3",
    ),
    "more codes than slots": Case(
        "[monitor]", "[codes]\nper_holder = 4\n[monitor]", 7, "codes.per_holder",
        "a whole number from 1 to 3", "4",
        "the same for everyone at a site",
        "4",
    ),
    "a truth is no number": Case(
        "[monitor]", "[lockout]\ntries = true\n[monitor]", 7, "lockout.tries",
        "a whole number from 2 to 20", "true",
        "for example tries = 5; `doorctl config explain lockout.tries` says more",
        "true",
    ),
    "a log kept for no day": Case(
        "[monitor]", "[log]\nkeep_days = 0\n[monitor]", 7, "log.keep_days",
        "a whole number from 1 to 3650", "0",
        "days; `doorctl log export` keeps elsewhere what must be kept longer",
        "0",
    ),
    "longest pause before the first": Case(
        "[monitor]", "[lockout]\nfirst_s = 600\nlongest_s = 60\n[monitor]", 8, "lockout.longest_s",
        "no less than first_s", "60",
        "for example longest_s = 900; `doorctl config explain lockout.longest_s` says more",
        "60",
    ),
    "a key that is a table elsewhere": Case(
        '[monitor]\nfile = "monitor.toml"', "codes = 3", 6, "site.codes",
        "only holidays, id, timezone", 'the unknown key "codes"',
        "`doorctl config explain site` says more",
        "codes",
    ),
}  # fmt: skip
