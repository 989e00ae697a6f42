"""What is not wrong with a configuration and still worth a second look: `doorctl check` prints it as warnings. Pure."""

from collections.abc import Iterator

from doorctl.config.types import BusPlace, Config, Door, Egress, ReaderInput, StrikeKind
from doorctl.core.schedule import HOLIDAY


def advice(config: Config) -> list[str]:
    """One line each, beginning with the key it is about."""
    return [*_of_doors(config), *_of_schedules(config), *_of_groups(config)]


def _of_doors(config: Config) -> Iterator[str]:
    opened = {access.door for group in config.groups for access in group.access}
    doors = {door.name: door for door in config.doors}
    for door in config.doors:
        place = f"door.{door.name}"
        if door.name not in opened:
            yield f'{place}: no group opens this door; write {door.name} = "always" or a schedule under a [group.NAME]'
        if door.egress is Egress.WIRED and door.strike.type is StrikeKind.FAIL_SECURE:
            yield (
                f"{place}.egress: a wired button needs power to release a fail-secure strike; people locked in by a "
                "power cut need a mechanical way out or a fail-safe strike"
            )
        yield from _of_readers(door)
        yield from _of_rex(door)
        for name in door.interlock:
            if doors[name].contact is None:
                yield f"{place}.interlock: door {name} has no contact, so nobody knows whether it is closed"
            if door.name not in doors[name].interlock:
                yield f"{place}.interlock: door {name} does not wait for {door.name} in turn"


def _of_readers(door: Door) -> Iterator[str]:
    for reader in door.readers:
        if isinstance(reader.wiring, BusPlace) and reader.wiring.allow_plain:
            yield (
                f"door.{door.name}: reader {reader.name} MAY READ IN CLEAR (allow_plain): until it has a key, who "
                "reaches its line can play cards and codes to the door"
            )
        if not reader.check_parity:
            yield f"door.{door.name}: reader {reader.name} takes frames of wrong parity, so noise can become a card"


def _of_rex(door: Door) -> Iterator[str]:
    """A button at a reader releases whoever reaches the reader's terminals, or an unsecured one's line."""
    if not isinstance(door.rex, ReaderInput):
        return
    place = f"door.{door.name}.rex"
    if len(door.readers) == 1:
        yield (
            f"{place}: wired to the door's only reader: where that hangs on the unsecured side, who takes it off the "
            "wall reaches the button's wires"
        )
    wirings = {reader.name: reader.wiring for reader in door.readers}
    wiring = wirings[door.rex.reader]
    if isinstance(wiring, BusPlace) and wiring.allow_plain:
        yield f"{place}: reader {door.rex.reader} may speak in clear, so who reaches its line can press this button"


def _of_schedules(config: Config) -> Iterator[str]:
    used = {access.schedule for group in config.groups for access in group.access}
    used |= {door.unlock_schedule for door in config.doors}
    used |= {name for door in config.doors for reader in door.readers for name, _ in reader.modes}
    for schedule in config.schedules:
        if schedule.name not in used:
            yield f"schedule.{schedule.name}: nothing uses it"
    windows = (window for schedule in config.schedules for window in schedule.windows)
    if not config.holidays and any(window.weekday == HOLIDAY for window in windows):
        yield "site.holidays: schedules have hours for holidays, and there is no holiday"


def _of_groups(config: Config) -> Iterator[str]:
    for group in config.groups:
        if not group.access:
            yield f"group.{group.name}: opens no door"
