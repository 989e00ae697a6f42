"""The keys of [site], [monitor], [codes], [lockout], [log], [hal], [schedule.NAME] and [group.NAME]: data only."""

from typing import Final

from doorctl.config.key import (
    Choice,
    Dates,
    Hours,
    Key,
    Name,
    ScheduleName,
    Seconds,
    Table,
    Tables,
    Text,
    Truth,
    Whole,
    Zone,
)

SITE: Final = (
    Key(
        place=("site",), kind=Table(), required=True,
        meaning="which site this board is at, and the clock that its schedules follow",
    ),
    Key(
        place=("site", "id"), kind=Name(), required=True, example='"harbour-st"',
        meaning="a short name for the site, which is in every record",
    ),
    Key(
        place=("site", "timezone"), kind=Zone(), required=True, example='"Europe/Lisbon"',
        meaning="the time zone that schedules and holidays follow, summer time included",
        danger="in a wrong zone every schedule opens and closes at the wrong hour",
    ),
    Key(
        place=("site", "holidays"), kind=Dates(), example="[2026-12-25, 2027-01-01]", otherwise="none",
        meaning="dates, without quotes, on which only a schedule's holiday line counts",
    ),
)  # fmt: skip

MONITOR: Final = (
    Key(place=("monitor",), kind=Table(), meaning="where the monitor's public half is and how often it hears of us"),
    Key(
        place=("monitor", "file"), kind=Text(what='a path such as "monitor.toml"'), default="monitor.toml",
        example='"monitor.toml"',
        meaning="where the monitor's public half lies, relative to the folder of this file",
    ),
    Key(
        place=("monitor", "supervision_s"), kind=Seconds(low=10, high=60), default=30, example="30",
        meaning="how often the monitor hears that all is well; the courier reads it when it starts",
    ),
    Key(
        place=("monitor", "accept_colocated"), kind=Truth(), default=False, example="true",
        meaning="lets doord start where the monitor's keys are on the same board",
        danger="true voids the promise: then the door can know, and every report says so",
    ),
)  # fmt: skip

CODES: Final = (
    Key(
        place=("codes",), kind=Table(),
        meaning="how codes are drawn; the roster keeps what it was made with, and a change here needs a new roster",
    ),
    Key(
        place=("codes", "length"), kind=Whole(low=4, high=10), example="8",
        otherwise="8 where a code alone opens any door, else 6",
        meaning="digits of a code, the check digit included; a 26-bit-bcd keypad needs 6",
        danger="short codes are guessed; doorctl check prints the chance",
    ),
    Key(
        place=("codes", "per_holder"), kind=Whole(low=1, high=3), default=2, example="2",
        meaning="how many codes everybody at the site is drawn, the same for everyone",
        danger="with 1 nobody has a code to call for help with",
    ),
)  # fmt: skip

LOCKOUT: Final = (
    Key(place=("lockout",), kind=Table(), meaning="the pause after wrong codes, and when guessing is an alarm"),
    Key(
        place=("lockout", "tries"), kind=Whole(low=2, high=20), default=5, example="5",
        meaning="wrong codes before a pause",
        danger="many tries make a code easier to guess",
    ),
    Key(
        place=("lockout", "first_s"), kind=Seconds(low=5, high=600), default=30, example="60",
        meaning="the first pause; each further wrong code doubles it",
    ),
    Key(
        place=("lockout", "longest_s"), kind=Seconds(low=30, high=3600), default=600, example="900",
        meaning="the longest pause, no less than first_s",
    ),
    Key(
        place=("lockout", "guessing_alarm"), kind=Whole(low=5, high=10_000), default=30, example="20",
        meaning="wrong codes at the whole site within ten minutes that are an alarm",
    ),
)  # fmt: skip

LOG: Final = (
    Key(place=("log",), kind=Table(), meaning="how long the board keeps its access log"),
    Key(
        place=("log", "keep_days"), kind=Whole(low=1, high=3650, unit="days"), default=90, example="30",
        meaning=(
            "for how many days the board keeps a line of the access log, of the newest 500,000 at most; older ones are "
            "deleted, so export them before (`doorctl log export`) if they must be kept"
        ),
        danger="the log says who came when: what is kept longer than there is a reason to is a harm by itself",
    ),
)  # fmt: skip
"""Who goes through which door is personal data, to be kept no longer than it is needed (GDPR, article 5 (1) e). Three
months are long enough to look into what was noticed late."""

HAL: Final = (
    Key(place=("hal",), kind=Table(), meaning="which hardware this board is"),
    Key(
        place=("hal", "backend"), default="gpiozero", example='"mock"',
        kind=Choice(words={"gpiozero": "the board's own pins", "mock": "no hardware: pins that a program moves"}),
        meaning="what moves the pins",
        danger="with mock no strike moves; doord refuses it together with the keys of a real board",
    ),
    Key(
        place=("hal", "chip"), example='"pinctrl-bcm2711"',
        kind=Text(what='the label or number of a gpiochip as text, such as "pinctrl-bcm2711" or "0"'),
        otherwise="the main one of a Raspberry Pi, or the only one there is",
        meaning="label or number of the gpiochip whose lines the pins are",
        danger="another chip's lines drive other things",
    ),
)  # fmt: skip

SCHEDULE: Final = (
    Key(
        place=("schedule",), kind=Tables(),
        meaning="hours of the week under a name; any name but always",
    ),
    Key(
        place=("schedule", "NAME"), kind=Table(),
        meaning="one schedule: a key a day or range of days, at least one",
    ),
    Key(
        place=("schedule", "NAME", "DAYS"), kind=Hours(), example='["08:00-12:00", "13:00-17:00"]',
        meaning=(
            "the hours of a day (mon to sun), of a range (mon-fri), of daily or of holiday; a window ends on its own "
            "day, at 24:00 at the latest, so a night is two windows"
        ),
        danger="on a holiday only the holiday line counts: without one nothing is open",
    ),
)  # fmt: skip

GROUP: Final = (
    Key(place=("group",), kind=Tables(), meaning="people who may open the same doors at the same times, under a name"),
    Key(place=("group", "NAME"), kind=Table(), meaning="one group: a key a door that it may open"),
    Key(
        place=("group", "NAME", "DOOR"), kind=ScheduleName(or_always=True), example='"office"',
        meaning="when members of the group may open this door",
    ),
)  # fmt: skip
