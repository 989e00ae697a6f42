"""Configuration → a door daemon's parts, put together and not yet started. Refuses loudly; never falls back.

The HAL's pins are claimed here, strikes first and secured, before anything else that could fail.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from doorctl.config import types as config_types
from doorctl.config.reading import read_config
from doorctl.config.types import Backend, BusPlace, Config, DataLines, Input, ReaderInput
from doorctl.core.decision import Rules
from doorctl.core.door import DoorPolicy
from doorctl.core.lockout import LockoutPolicy
from doorctl.core.schedule import Calendar, Window
from doorctl.core.types import ReaderName
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.seal.keys import ControllerKeys, MonitorFile, load_controller_keys, read_monitor_file
from hal.board import Board, open_board
from hal.chip import Device
from hal.errors import HalError
from hal.osdp.reader import OsdpReader
from hal.osdp.session import ReaderSettings
from hal.ports import Contact, Indicator, Reader, Strike, StrikeType
from hal.wiegand.cards import FORMATS, CardPolicy
from hal.wiegand.keys import Keypad, KeypadEncoding

_LOG: Final = logging.getLogger("doord")


class Keys(Protocol):
    """The keys of OSDP readers: doord's KeyRing, or a command's that only reads them."""

    def settings(self, reader: ReaderName, place: BusPlace) -> ReaderSettings:
        """The reader at this place as it is to be started."""
        ...

    def counts(self, reader: ReaderName, key: bytes) -> None:
        """The reader has proved that it has this key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything read from files, checked against each other."""

    paths: Paths
    config: Config
    keys: ControllerKeys
    monitor: MonitorFile
    colocated: bool
    """The monitor's keys are on this board: the door can know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPins:
    """One door's ports."""

    door: config_types.Door
    strike: Strike
    contact: Contact | None
    rex: Contact | None
    tamper: Contact | None
    readers: tuple[tuple[config_types.Reader, Reader, Indicator | None], ...]


def read_site(paths: Paths) -> Site:
    """All files of this board; OperatorError where they are missing, wrong or do not belong together."""
    paths.check_sockets()
    config = read_config(paths.config)
    keys = load_controller_keys(paths)
    monitor = read_monitor_file(monitor_file(paths, config))
    mock = config.hal.backend is Backend.MOCK
    if mock and not keys.simulated:
        raise OperatorError(
            'doorctl.toml: hal.backend is "mock" and the keys of this board are real',
            hint='a mock board is made by `doorctl init --mock`; for metal write backend = "gpiozero"',
        )
    if keys.simulated and not mock:
        raise OperatorError(
            "the keys of this board are simulated and hal.backend is not mock",
            hint='on a laptop write backend = "mock" under [hal]; '
            "for metal make real keys: `doorctl init` in a new folder",
        )
    if monitor.simulated is not keys.simulated:
        raise OperatorError("monitor.toml: one of board and monitor is simulated and the other is not")
    colocated = colocated_monitor(paths)
    if colocated and not (config.monitor.accept_colocated or keys.simulated):
        raise OperatorError(
            f"{paths.monitor_keys}: the monitor's keys are on the door's own board, so the door can know",
            hint="move the monitor to another machine, or write accept_colocated = true under [monitor]",
        )
    return Site(paths=paths, config=config, keys=keys, monitor=monitor, colocated=colocated)


def monitor_file(paths: Paths, config: Config) -> Path:
    """Where the monitor's public half is."""
    return paths.etc / config.monitor.file


def colocated_monitor(paths: Paths) -> bool:
    """Whether the monitor's token key lies on this machine."""
    try:
        (paths.monitor_keys / "token.key").stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # there is a folder that we may not look into: say the worse
    return True


def rules(config: Config) -> Rules:
    """Groups and calendar as the core takes them."""
    calendar = Calendar(
        schedules={
            schedule.name: tuple(Window(weekday=w.weekday, begin=w.begin, end=w.end) for w in schedule.windows)
            for schedule in config.schedules
        },
        holidays=frozenset(config.holidays),
    )
    groups = {group.name: {access.door: access.schedule for access in group.access} for group in config.groups}
    return Rules(groups=groups, calendar=calendar)


def door_policy(door: config_types.Door) -> DoorPolicy:
    """The door's times as its machine takes them."""
    return DoorPolicy(
        release=door.strike.release,
        relock_on_open=door.strike.relock_on_open,
        contact=door.contact is not None,
        held_open=door.held_open,
        pre_alarm=door.pre_alarm,
    )


def lockout_policy(lockout: config_types.Lockout) -> LockoutPolicy:
    """[lockout] as the core takes it."""
    return LockoutPolicy(tries=lockout.tries, first=lockout.first, longest=lockout.longest)


def claim_pins(
    config: Config, ring: Keys, before: Callable[[Config, Device | None], None] = lambda *_: None
) -> tuple[Board, tuple[DoorPins, ...]]:
    """Open the board and claim every pin, all strikes first; OperatorError naming what cannot be had.

    `before` is called when the chip is known and no pin is claimed.
    """
    board = opened_board(config)
    try:
        before(config, board.chip.device)
        strikes = {door.name: door_strike(board, door) for door in config.doors}
        return board, tuple(_pins(board, door, strikes[door.name], ring) for door in config.doors)
    except HalError as error:
        board.close()
        raise OperatorError(f"hal: {error}") from error
    except OperatorError:
        board.close()
        raise


def opened_board(config: Config) -> Board:
    """The configuration's board, nothing claimed yet; OperatorError where it cannot be had."""
    try:
        return open_board(config.hal.backend.value, config.hal.chip)
    except HalError as error:
        raise OperatorError(f"hal: {error}", hint="docs/operations.md, Boards") from error


def door_strike(board: Board, door: config_types.Door) -> Strike:
    """Claimed, at its secured level; HalError where it cannot be had, as of what follows."""
    strike = door.strike
    return board.strike(
        pin=strike.pin, strike_type=StrikeType(strike.type.value), active_high=strike.active_high
    )  # fmt: skip


def _pins(board: Board, door: config_types.Door, strike: Strike, ring: Keys) -> DoorPins:
    readers = tuple(read_at(board, reader, ring) for reader in door.readers)
    on_lines = {reader.name: port for reader, port, _ in readers if isinstance(port, OsdpReader)}
    return DoorPins(
        door=door,
        strike=strike,
        contact=door_input(board, on_lines, f"{door.name} contact", door.contact),
        rex=door_input(board, on_lines, f"{door.name} rex", door.rex),
        tamper=door_input(board, on_lines, f"{door.name} tamper", door.tamper),
        readers=readers,
    )


def door_input(
    board: Board, on_lines: Mapping[ReaderName, OsdpReader], name: str, source: Input | ReaderInput | None
) -> Contact | None:
    """A contact, REX or tamper switch; `on_lines` has the readers that it may be wired to."""
    if source is None:
        return None
    if isinstance(source, ReaderInput):
        return on_lines[source.reader].input(source.number, name, active_high=source.active_high)
    return board.contact(name=name, pin=source.pin, active_high=source.active_high, pull=source.pull)  # type: ignore[arg-type]  # checked by reading.py


def read_at(
    board: Board, reader: config_types.Reader, ring: Keys
) -> tuple[config_types.Reader, Reader, Indicator | None]:
    """A reader, and its lamp and sounder where it has them."""
    if isinstance(reader.wiring, BusPlace):
        on_line = _line_reader(board, reader, reader.wiring, ring)
        return reader, on_line, on_line.indicator
    return reader, _reader(board, reader, reader.wiring), _indicator(board, reader)


def _line_reader(board: Board, reader: config_types.Reader, place: BusPlace, ring: Keys) -> OsdpReader:
    """Without a format any card: the line says how long it is, and its check and its MAC that it is what was sent."""
    accept = CardPolicy(FORMATS[reader.format], check_parity=reader.check_parity) if reader.format else _any_card
    return board.osdp_reader(
        name=reader.name,
        device=place.device,
        baud=place.baud,
        settings=ring.settings(reader.name, place),
        accept=accept,
        on_key=partial(ring.counts, reader.name),
        rts_drives=place.rts_drives,
    )


def _any_card(_length: int, _raw: int) -> bool:
    return True


def _indicator(board: Board, reader: config_types.Reader) -> Indicator | None:
    if reader.led is None and reader.buzzer is None:
        return None
    return board.indicator(led=reader.led, buzzer=reader.buzzer)


def _reader(board: Board, reader: config_types.Reader, wiring: DataLines) -> Reader:
    formats = [FORMATS[reader.format]] if reader.format is not None else []
    accept = CardPolicy(*formats, check_parity=reader.check_parity)
    keypad = None
    if reader.keypad is not None:
        keypad = Keypad(encoding=KeypadEncoding(reader.keypad.value), enter_key=reader.enter_key)  # type: ignore[arg-type]  # checked by reading.py
    return board.wiegand_reader(
        name=reader.name,
        d0=wiring.d0,
        d1=wiring.d1,
        card_lengths=accept.lengths,
        accept=accept,
        keypad=keypad,
    )
