"""A mock site for tests of the door side: keys, a roster with people in it, configurations; made once, copied often."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorctl.cli.holder_enrol import Enrolment
from doorctl.config.reading import parse_config
from doorctl.config.types import Config
from doorctl.core.types import Card, GroupName, HolderId
from doorctl.doord.assembly import Site
from doorctl.paths import Paths
from doorctl.roster.enrolment import RosterWriter
from doorctl.roster.factors import StretchParameters
from doorctl.seal.keys import (
    ControllerKeys,
    MonitorFile,
    MonitorKeys,
    RecordKey,
    create_controller_keys,
)
from doorctl.seal.meaning import Meaning
from hal.wiegand.cards import FORMATS
from tests.roster.people import edit

CHEAP: Final = StretchParameters(memory_kib=8, iterations=1, lanes=1)
CODE_LENGTH: Final = 8
FACILITY: Final = 12
DOORS: Final = """\
[site]
id = "harbour-st"
timezone = "Europe/Lisbon"
{site}
[hal]
backend = "mock"

[lockout]
tries = 3
first_s = 10
longest_s = 40
guessing_alarm = 8

[door.front]
strike  = {{ pin = "GPIO17", type = "fail-secure", release_s = 5 }}
egress  = "mechanical"
contact = "GPIO27"
rex     = "GPIO22"
tamper  = "GPIO23"
held_open_s = 8
pre_alarm_s = 3
reader  = {{ wiegand = ["GPIO4", "GPIO5"], format = "H10301", keypad = "8-bit", mode = "card+code", led = "GPIO6", buzzer = "GPIO7" }}
{front}
[door.office]
strike  = {{ pin = "GPIO18", type = "fail-secure", release_s = 2, relock_on_open = false }}
egress  = "wired"
contact = "GPIO24"
rex     = "GPIO25"
reader  = {{ wiegand = ["GPIO8", "GPIO9"], keypad = "4-bit", mode = "code", led = "GPIO10", buzzer = "GPIO11" }}
{office}
[door.side]
strike  = {{ pin = "GPIO19", type = "fail-safe", release_s = 3, active = "low" }}
egress  = "wired"
contact = "GPIO20"
reader  = {{ wiegand = ["GPIO12", "GPIO13"], format = "H10301", keypad = "4-bit", mode = "card or code", led = "GPIO14", buzzer = "GPIO15" }}
{side}
[door.back]
strike  = {{ pin = "GPIO16", type = "fail-secure", release_s = 1 }}
egress  = "mechanical"
reader  = {{ wiegand = ["GPIO2", "GPIO3"], format = "H10301", keypad = "4-bit", mode = "card", modes = {{ night = "card+code" }} }}

[schedule.hours]
mon-fri = "07:00-19:00"

[schedule.night]
daily = ["19:00-24:00", "00:00-07:00"]
holiday = "00:00-24:00"

[group.staff]
front  = "always"
office = "always"
side   = "always"
back   = "always"

[group.clerks]
front  = "hours"
office = "hours"
side   = "hours"
back   = "hours"
"""
STRIKES: Final = {"front": "GPIO17", "office": "GPIO18", "side": "GPIO19", "back": "GPIO16"}
RELEASED: Final = {"front": True, "office": True, "side": True, "back": True}
"""The level of a released strike's pin; the side door's is fail-safe and active low: unpowered, and that is high."""
CONTACTS: Final = {"front": "GPIO27", "office": "GPIO24", "side": "GPIO20"}
REXES: Final = {"front": "GPIO22", "office": "GPIO25"}
TAMPER: Final = "GPIO23"
LAMPS: Final = {"front": "GPIO6", "office": "GPIO10", "side": "GPIO14"}
SOUNDERS: Final = {"front": "GPIO7", "office": "GPIO11", "side": "GPIO15"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody enrolled, with what they carry and know."""

    holder: HolderId
    card: Card
    codes: tuple[str, ...] = field(repr=False)
    """The everyday code, then the others."""

    @property
    def code(self) -> str:
        return self.codes[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSite:
    """Keys of both sides and an enrolled roster."""

    home: Path
    keys: ControllerKeys
    monitor: MonitorKeys
    people: Mapping[str, Person]

    def copy(self, folder: Path) -> Paths:
        """The same site from the same files, in another folder."""
        shutil.copytree(self.home, folder)
        return Paths.under(folder)

    def read(self, paths: Paths, config: Config) -> Site:
        """As assembly.read_site gives it, without reading keys again."""
        public = MonitorFile(addresses=(), certificate_der=b"", keys=self.monitor.public, simulated=True)
        return Site(paths=paths, config=config, keys=self.keys, monitor=public, colocated=False)


@cache
def config(*, site: str = "", front: str = "", office: str = "", side: str = "") -> Config:
    """The four doors, with more lines for some of them."""
    return parse_config(DOORS.format(site=site, front=front, office=office, side=side), file="doorctl.toml")


def make_site(home: Path, *, per_holder: int = 2) -> MadeSite:
    """Keys, and a roster with one person for each way of not being let in, and some who are."""
    paths = Paths.under(home)
    keys = create_controller_keys(paths, simulated=True)
    monitor = MonitorKeys(
        token=X25519PrivateKey.generate(),
        record=RecordKey(mlkem=MLKEM768PrivateKey.generate(), x25519=X25519PrivateKey.generate()),
        receipt=Ed25519PrivateKey.generate(),
    )
    writer = RosterWriter.create(
        paths.roster,
        today=date(2027, 1, 1),
        stretch=CHEAP,
        code_length=CODE_LENGTH,
        codes_per_holder=per_holder,
    )
    enrolment = Enrolment(writer, keys, monitor.public)
    try:
        people = {
            "ana": _enrol(enrolment, 1, groups=["staff"]),
            "ben": _enrol(enrolment, 2, groups=["staff"]),
            "cy": _enrol(enrolment, 3, groups=["staff"], valid_until=date(2027, 3, 9)),
            "dee": _enrol(enrolment, 4, groups=["staff"], valid_from=date(2027, 3, 11)),
            "eve": _enrol(enrolment, 5, groups=[]),
            "fay": _enrol(enrolment, 6, groups=["clerks"]),
            "gus": _enrol(enrolment, 7, groups=["staff"], valid_from=date(2027, 3, 1), valid_until=date(2027, 3, 10)),
        }
        edit(writer, people["ben"].holder, suspended=True)
    finally:
        enrolment.close()
    return MadeSite(home=home, keys=keys, monitor=monitor, people=people)


def a_card(number: int) -> Card:
    """A 26-bit card of the site."""
    length, raw = FORMATS["H10301"].encode({"facility": FACILITY, "card": number})
    return Card(length=length, raw=raw)


def _enrol(
    enrolment: Enrolment,
    number: int,
    *,
    groups: list[str],
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> Person:
    card = a_card(10_000 + number)
    enrolled = enrolment.add(
        f"Person {number}",
        groups=[GroupName(group) for group in groups],
        card=enrolment.card(card),
        valid_from=valid_from,
        valid_until=valid_until,
    )
    first, *others = enrolled.codes
    assert first.meaning is Meaning.NORMAL
    assert all(code.meaning is Meaning.DURESS for code in others)
    return Person(holder=enrolled.holder, card=card, codes=tuple(code.code for code in enrolled.codes))
