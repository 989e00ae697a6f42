"""What check warns of, and that it is silent where all is well."""

import re

import pytest

from doorctl.config.advice import advice
from tests.config.making import VALID, read

WIRED = (
    "door.front.egress: a wired button needs power to release a fail-secure strike; people locked in by a power cut "
    "need a mechanical way out or a fail-safe strike"
)


def test_nothing_to_say_of_a_good_configuration() -> None:
    assert advice(read(VALID)) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('back  = "always"\n', "", 'door.back: no group opens this door; write back = "always" or a schedule under a [group.NAME]'),
        (
            'egress  = "mechanical"', 'egress  = "wired"',
            WIRED,
        ),
        ('mode = "card+code"', 'parity = false, mode = "card+code"',
         "door.front: reader front takes frames of wrong parity, so noise can become a card"),
        ('front = "office"', 'front = "always"', "schedule.office: nothing uses it"),
        ("[group.staff]", "[group.guests]\n[group.staff]", "group.guests: opens no door"),
        ("holidays = [2026-12-25]\n", "", None),
        ('mon-fri = "07:00-19:00"', 'holiday = "07:00-19:00"', None),
    ],
)  # fmt: skip
def test_what_is_weak_is_said(before: str, after: str, said: str | None) -> None:
    assert VALID.count(before) == 1
    assert advice(read(VALID.replace(before, after))) == ([] if said is None else [said])


LINE = 'reader  = { osdp = "/dev/ttyAMA0", address = 1, mode = "card" }'
UNSECURED_SIDE = (
    "door.front.rex: wired to the door's only reader: where that hangs on the unsecured side, who takes it off the wall "
    "reaches the button's wires"
)
IN_CLEAR = (
    "door.front: reader front/out MAY READ IN CLEAR (allow_plain): until it has a key, who reaches its line can play cards "
    "and codes to the door"
)
SIDES = LINE.replace("reader  =", "readers = { in =").replace(
    "}", '}, out = { osdp = "/dev/ttyAMA0", address = 2, mode = "card" } }'
)


@pytest.mark.parametrize(
    ("readers", "rex", "said"),
    [
        (LINE, "rex = { input = 0 }", [UNSECURED_SIDE]),
        (LINE, 'rex = "GPIO22"\ncontact = { input = 0 }', []),
        (SIDES, 'rex = { input = 0, reader = "out" }', []),
        (
            SIDES.replace("address = 2", "address = 2, allow_plain = true"),
            'rex = { input = 0, reader = "out" }',
            [
                IN_CLEAR,
                "door.front.rex: reader front/out may speak in clear, so who reaches its line can press this button",
            ],
        ),
    ],
)
def test_a_button_at_a_reader_is_as_safe_as_the_reader(readers: str, rex: str, said: list[str]) -> None:
    text = VALID.replace('contact = "GPIO27"\nrex     = "GPIO22"', rex)
    assert advice(read(re.sub("reader  = .*", readers, text, count=1))) == said


def test_hours_for_holidays_want_holidays() -> None:
    text = VALID.replace("holidays = [2026-12-25]\n", "").replace("mon-fri", "holiday")
    assert advice(read(text)) == ["site.holidays: schedules have hours for holidays, and there is no holiday"]


def test_an_interlock_wants_contacts_on_both_sides() -> None:
    text = VALID.replace('rex     = "GPIO22"', 'interlock = ["back"]')
    assert advice(read(text)) == [
        "door.front.interlock: door back has no contact, so nobody knows whether it is closed",
        "door.front.interlock: door back does not wait for front in turn",
    ]
