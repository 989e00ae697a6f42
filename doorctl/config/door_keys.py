"""The keys of [door.NAME] and of its strike, inputs and readers: data only."""

from typing import Final

from doorctl.config.key import (
    LONGEST_SIDE,
    Choice,
    DataLines,
    Device,
    DoorNames,
    Format,
    Input,
    Key,
    Pin,
    ReaderSide,
    ScheduleName,
    Seconds,
    Table,
    Tables,
    Truth,
    Whole,
)

_LEVELS: Final = {"high": "the pin's high level means yes", "low": "the pin's low level means yes"}
_MODES: Final = {
    "card": "a card alone",
    "code": "a code alone",
    "card+code": "a card, and then a code",
    "card or code": "a card alone or a code alone",
}

DOOR: Final = (
    Key(place=("door",), kind=Tables(), required=True, meaning="one table a door, at least one"),
    Key(place=("door", "NAME"), kind=Table(), meaning="one door: its strike, readers, inputs and times"),
    Key(
        place=("door", "NAME", "egress"), required=True, example='"mechanical"',
        kind=Choice(words={"mechanical": "a handle or an exit bar", "wired": "a button that cuts the strike's power"}),
        meaning="how people get out without software",
        danger="this program never releases people: what is declared here has to be there, in metal or in copper",
    ),
    Key(place=("door", "NAME", "strike"), kind=Table(), required=True, meaning="what holds the door"),
    Key(place=("door", "NAME", "reader"), kind=Table(), otherwise="required, unless there are readers",
        meaning="the door's only reader, called like the door"),
    Key(
        place=("door", "NAME", "readers"), kind=Tables(longest=LONGEST_SIDE),
        otherwise="required, unless there is a reader",
        meaning="several readers by side, called DOOR/SIDE in logs and records: readers = { in = { … }, out = { … } }",
    ),
    Key(
        place=("door", "NAME", "contact"), kind=Input(), example='"GPIO27"', otherwise="none",
        meaning="the switch that says whether the leaf is open; as a bare pin to ground, closed while the door is",
        danger="without one nobody hears of a door that is forced or held open",
    ),
    Key(
        place=("door", "NAME", "rex"), kind=Input(), example='{ pin = "GPIO22", active = "low", pull = "up" }',
        otherwise="none",
        meaning="the button that lets people out at once, in a lockdown too; a bare pin: to ground, closed if pressed",
        danger="it is software: it does not replace what egress declares",
    ),
    Key(
        place=("door", "NAME", "tamper"), kind=Input(), example='"GPIO23"', otherwise="none",
        meaning="the switch in the reader's housing; as a bare pin to ground, closed while the housing is",
    ),
    Key(
        place=("door", "NAME", "held_open_s"), kind=Seconds(low=5, high=3600), default=30, example="30",
        meaning="how long the door may stand open before it is an alarm",
    ),
    Key(
        place=("door", "NAME", "pre_alarm_s"), kind=Seconds(low=0, high=3600), example="10",
        otherwise="10, or half of held_open_s",
        meaning="how long before that the door warns; less than held_open_s",
    ),
    Key(
        place=("door", "NAME", "unlock"), kind=ScheduleName(), example='"deliveries"', otherwise="never",
        meaning="a schedule during which the door stands unlocked",
        danger="during it anybody walks in, and nothing is recorded",
    ),
    Key(
        place=("door", "NAME", "time_unknown"), default="deny", example='"allow"',
        kind=Choice(words={"deny": "schedules are off", "allow": "schedules are on, at any hour"}),
        meaning="what schedules say while the clock is not trusted",
        danger="allow lets people in outside their hours whenever the board loses its time",
    ),
    Key(
        place=("door", "NAME", "interlock"), kind=DoorNames(), example='["inner"]', otherwise="none",
        meaning="doors that must be closed and secured before this one opens; they need contacts",
        danger="an interlocked door does not open for a card either: people need the declared way out",
    ),
)  # fmt: skip

STRIKE: Final = (
    Key(
        place=("door", "NAME", "strike", "pin"), kind=Pin(), required=True, example='"GPIO17"',
        meaning="the pin of the strike's relay; a resistor holds it at its safe level while nothing drives it",
    ),
    Key(
        place=("door", "NAME", "strike", "type"), required=True, example='"fail-secure"',
        kind=Choice(words={"fail-secure": "stays locked", "fail-safe": "opens"}),
        meaning="what the strike does without power",
        danger="fail-safe opens to everybody in a power cut; fail-secure needs a way out that needs no power",
    ),
    Key(
        place=("door", "NAME", "strike", "active"), kind=Choice(words=_LEVELS), default="high", example='"low"',
        meaning="which level of the pin powers the strike",
        danger="the wrong level releases the door whenever it should be secured",
    ),
    Key(
        place=("door", "NAME", "strike", "release_s"), kind=Seconds(low=0.5, high=600), default=5, example="5",
        meaning="for how long a grant releases the strike",
        danger="long releases let a second person in",
    ),
    Key(
        place=("door", "NAME", "strike", "relock_on_open"), kind=Truth(), default=True, example="false",
        meaning="whether the release ends when the door opens; needs a contact",
    ),
)  # fmt: skip

INPUT: Final = (
    Key(
        place=("door", "NAME", "INPUT", "pin"), kind=Pin(), example='"GPIO27"',
        otherwise="required, unless there is input",
        meaning="the input's pin",
    ),
    Key(
        place=("door", "NAME", "INPUT", "input"), kind=Whole(low=0, high=7), example="0",
        otherwise="required, unless there is pin",
        meaning="the input of an OSDP reader of this door that the switch is wired to, the first is 0",
        danger="who takes the reader off its wall reaches these wires: let no button open from the unsecured side",
    ),
    Key(
        place=("door", "NAME", "INPUT", "reader"), kind=ReaderSide(), example='"out"',
        otherwise="required with input where several readers of the door are on a line",
        meaning="the reader whose input it is, by its side",
    ),
    Key(
        place=("door", "NAME", "INPUT", "active"), kind=Choice(words=_LEVELS), example='"high"',
        otherwise='of a pin "low" for rex and "high" for contact and tamper; of a reader\'s input the other way round',
        meaning="which level means open, pressed or tampered with; an input is high while its reader calls it active",
    ),
    Key(
        place=("door", "NAME", "INPUT", "pull"), default="up", example='"none"',
        kind=Choice(words={"up": "to the supply", "down": "to ground", "none": "a resistor outside does it"}),
        meaning="where the board pulls the pin while the switch is open; a reader's input has none",
    ),
)  # fmt: skip
"""INPUT is contact, rex or tamper."""

READER: Final = (
    Key(
        place=("door", "NAME", "reader", "wiegand"), kind=DataLines(), example='["GPIO14", "GPIO15"]',
        otherwise="required, unless there is osdp",
        meaning="the data lines, D0 and then D1, through a level shifter",
    ),
    Key(
        place=("door", "NAME", "reader", "osdp"), kind=Device(), example='"/dev/ttyAMA0"',
        otherwise="required, unless there is wiegand",
        meaning="the serial port of the RS-485 line that the reader is on, called alike for all readers of the line",
    ),
    Key(
        place=("door", "NAME", "reader", "address"), kind=Whole(low=0, high=126), example="1",
        otherwise="required where there is osdp",
        meaning="the address that the reader answers to, a different one for each reader of a line",
    ),
    Key(
        place=("door", "NAME", "reader", "baud"), default=9600, example="38400",
        kind=Whole(low=9600, high=230_400, unit="baud", only=(9600, 19_200, 38_400, 57_600, 115_200, 230_400)),
        meaning="the speed of the line, the same for all its readers",
    ),
    Key(
        place=("door", "NAME", "reader", "rts_drives"), kind=Truth(), default=False, example="true",
        meaning="whether RTS switches the RS-485 transceiver; false where the port or the adapter does it by itself",
    ),
    Key(
        place=("door", "NAME", "reader", "allow_plain"), kind=Truth(), default=False, example="true",
        meaning="lets a reader that knows no secure channel read in clear as long as no key was installed in it",
        danger="with true whoever reaches the line's two wires can play cards and codes to the door",
    ),
    Key(
        place=("door", "NAME", "reader", "mode"), kind=Choice(words=_MODES), required=True, example='"card+code"',
        meaning="what opens the door",
        danger="a code alone is longer to type and easier to guess than a card and a code",
    ),
    Key(
        place=("door", "NAME", "reader", "modes"), kind=Table(), otherwise="none",
        meaning="other modes while a schedule is on, the first that is on wins",
    ),
    Key(
        place=("door", "NAME", "reader", "modes", "SCHEDULE"), kind=Choice(words=_MODES), example='"card+code"',
        meaning="what opens the door while this schedule is on",
    ),
    Key(
        place=("door", "NAME", "reader", "format"), kind=Format(), example='"H10301"',
        otherwise="required where cards are read; at an OSDP reader any card of any length",
        meaning="the card format; never guessed, because several formats have one shape",
        danger="with a wrong format different cards can read alike",
    ),
    Key(
        place=("door", "NAME", "reader", "parity"), kind=Truth(), default=True, example="false",
        meaning="whether frames of wrong parity are refused; false is for readers that send it wrong",
        danger="with false noise on the wires can become a card",
    ),
    Key(
        place=("door", "NAME", "reader", "keypad"), example='"8-bit"',
        otherwise="required where codes are typed at a Wiegand reader",
        kind=Choice(
            words={
                "4-bit": "a key a frame", "6-bit": "a key a frame with two parity bits",
                "8-bit": "a key a frame with its complement; also called burst or Wiegand 8",
                "26-bit": "a whole entry as a number, which loses leading zeros",
                "26-bit-bcd": "six digits in one frame",
            },
            refused=frozenset({"26-bit"}),
        ),
        meaning="how keys are sent; an OSDP reader sends characters",
    ),
    Key(
        place=("door", "NAME", "reader", "enter"), kind=Choice(words={"#": "* clears", "*": "# clears"}), default="#",
        example='"*"', meaning="the key that ends an entry; the other one clears it; at an OSDP reader # ends it",
    ),
    Key(
        place=("door", "NAME", "reader", "code_window_s"), kind=Seconds(low=3, high=60), default=10, example="15",
        meaning="how long after a card its code may begin",
    ),
    Key(place=("door", "NAME", "reader", "led"), kind=Pin(), example='"GPIO5"', otherwise="none",
        meaning="the pin of the reader's lamp; an OSDP reader's is on its line"),
    Key(place=("door", "NAME", "reader", "buzzer"), kind=Pin(), example='"GPIO6"', otherwise="none",
        meaning="the pin of the reader's sounder; an OSDP reader's is on its line"),
)  # fmt: skip
