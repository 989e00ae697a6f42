"""The installer's file as typed values. `reading.py` turns TOML into these and finds every mistake.

Durations are integer nanoseconds (core.types.Duration) once read; the file has seconds in names such as `release_s`.
"""

from datetime import date
from enum import Enum

import msgspec

from doorctl.core.types import DoorName, Duration, GroupName, Mode, ReaderName, ScheduleName


class Backend(Enum):
    """Which HAL serves this board."""

    GPIOZERO = "gpiozero"
    MOCK = "mock"


class StrikeKind(Enum):
    """What the strike does without power."""

    FAIL_SECURE = "fail-secure"
    FAIL_SAFE = "fail-safe"


class Egress(Enum):
    """How people get out without software."""

    MECHANICAL = "mechanical"
    WIRED = "wired"


class KeypadEncoding(Enum):
    """How a Wiegand keypad sends its keys."""

    BITS_4 = "4-bit"
    BITS_6 = "6-bit"
    BITS_8 = "8-bit"
    BINARY_26 = "26-bit"
    BCD_26 = "26-bit-bcd"


class TimeUnknown(Enum):
    """What schedules say while the clock is not trusted."""

    DENY = "deny"
    ALLOW = "allow"


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """[site]"""

    id: str
    timezone: str


class MonitorLink(msgspec.Struct, frozen=True, kw_only=True):
    """[monitor]"""

    file: str
    """Relative to the configuration's folder."""
    supervision: Duration
    """10–60 s between supervision records."""
    accept_colocated: bool


class Codes(msgspec.Struct, frozen=True, kw_only=True):
    """[codes]: how codes are drawn; the same for everyone at the site."""

    length: int
    """Digits, check digit included."""
    per_holder: int
    """How many codes everyone is drawn, 1 to 3."""


class Lockout(msgspec.Struct, frozen=True, kw_only=True):
    """[lockout]"""

    tries: int
    first: Duration
    longest: Duration
    guessing_alarm: int
    """Wrong codes at the whole site within ten minutes that are an alarm."""


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """[log]: the access log, which is about people."""

    keep: Duration
    """How long a line stays; what is older is deleted."""


class Hal(msgspec.Struct, frozen=True, kw_only=True):
    """[hal]"""

    backend: Backend
    chip: str | None
    """Label or number of the gpiochip; None: the board's main one."""


class DataLines(msgspec.Struct, frozen=True, kw_only=True):
    """wiegand = ["GPIO14", "GPIO15"]: a reader with two wires of its own."""

    d0: str
    d1: str


class BusPlace(msgspec.Struct, frozen=True, kw_only=True):
    """osdp = "/dev/ttyAMA0", address = 1: a reader on a line with others."""

    device: str
    address: int
    """0 to 126, one reader each."""
    baud: int
    """The line's, the same for every reader of the device."""
    rts_drives: bool
    """RTS switches the transceiver; else the port does it by itself."""
    allow_plain: bool
    """An old reader that cannot be secured."""

    def __str__(self) -> str:
        """`/dev/ttyAMA0 address 1`."""
        return f"{self.device} address {self.address}"


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """reader = {…} of a door, or one of readers = {in = {…}, out = {…}}."""

    name: ReaderName
    """The door's name, or `door/in` where a door has several."""
    wiring: DataLines | BusPlace
    format: str | None
    """Name of a card format in hal/wiegand/formats.json; None where no card is read, or on a line any card."""
    check_parity: bool
    keypad: KeypadEncoding | None
    """None where no code is typed, and on a line, which carries keys as characters."""
    enter_key: str
    """Which of `*` and `#` ends an entry; the other one clears it."""
    mode: Mode
    modes: tuple[tuple[ScheduleName, Mode], ...]
    """Other modes while a schedule is on; the first that is on wins."""
    code_window: Duration
    """How long after a card the code may begin."""
    led: str | None
    buzzer: str | None

    @property
    def takes_keys(self) -> bool:
        """Whether codes can be typed at it: a line carries keys like everything else."""
        return self.keypad is not None or isinstance(self.wiring, BusPlace)


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """strike = {…}"""

    pin: str
    type: StrikeKind
    active_high: bool
    release: Duration
    relock_on_open: bool


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """contact, rex and tamper: "GPIO27" or { pin = "GPIO27", active = "high", pull = "up" }."""

    pin: str
    active_high: bool
    pull: str
    """up, down or none."""


class ReaderInput(msgspec.Struct, frozen=True, kw_only=True):
    """contact, rex and tamper: { input = 0, reader = "in", active = "high" }, terminals of a reader on a line."""

    reader: ReaderName
    """One of the door's own."""
    number: int
    """Counted from 0."""
    active_high: bool
    """What the reader calls active means open, pressed or tampered with."""


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """[door.NAME]"""

    name: DoorName
    readers: tuple[Reader, ...]
    strike: Strike
    egress: Egress
    contact: Input | ReaderInput | None
    """Active means open."""
    rex: Input | ReaderInput | None
    tamper: Input | ReaderInput | None
    held_open: Duration
    pre_alarm: Duration
    """How long before held_open the door warns."""
    unlock_schedule: ScheduleName | None
    time_unknown: TimeUnknown
    interlock: tuple[DoorName, ...]
    """Doors that must be closed and secured before this one opens."""

    @property
    def modes(self) -> frozenset[Mode]:
        """Every mode that a reader of the door is ever in."""
        return frozenset(mode for reader in self.readers for mode in (reader.mode, *(mode for _, mode in reader.modes)))


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One window of a weekly schedule, in seconds of the local day; end may be 86,400."""

    weekday: int
    """0 is Monday; 7 is a holiday."""
    begin: int
    end: int


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """[schedule.NAME]"""

    name: ScheduleName
    windows: tuple[Window, ...]


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """One line of [group.NAME]: door = "schedule" or "always"."""

    door: DoorName
    schedule: ScheduleName | None
    """None: at any time."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """[group.NAME]"""

    name: GroupName
    access: tuple[Access, ...]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    site: Site
    monitor: MonitorLink
    codes: Codes
    lockout: Lockout
    log: Log
    hal: Hal
    doors: tuple[Door, ...]
    schedules: tuple[Schedule, ...]
    holidays: tuple[date, ...]
    groups: tuple[Group, ...]


def takes_code_alone(mode: Mode) -> bool:
    """Whether a code without a card opens in this mode."""
    return mode in (Mode.CODE, Mode.CARD_OR_CODE)
