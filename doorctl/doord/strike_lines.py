"""The configuration's strikes as lines of a chip and levels that secure them, and how doord keeps a record of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from doorctl.config import types as config_types
from doorctl.config.reading import read_config
from doorctl.config.types import Backend, Config
from doorctl.doord.strike_record import SecuredStrike, StrikeRecord
from doorctl.errors import MalformedError, StorageError
from doorctl.paths import Paths
from hal import lgpio_chip
from hal.chip import Device
from hal.lgpio_levels import LineLevel, load_lgpio
from hal.ports import Strike, StrikeType
from hal.strike_level import strike_level

_PIN: Final = "GPIO"


class StrikesLeft:
    """What a living doord leaves to be done should it die. Nothing where the lines are made up."""

    def __init__(self, path: Path, *, of_all_doors: bool = True) -> None:
        """Without `of_all_doors` what a dead doord left of the others stays in the record."""
        self._path, self._of_all_doors = path, of_all_doors
        self._others: tuple[SecuredStrike, ...] = ()
        self._record: StrikeRecord | None = None
        self.wrong: str | None = None
        """Why there is no record; None while there is one, or need be none."""

    def before_claiming(self, config: Config, device: Device | None) -> None:
        """OperatorError where another doord has the strikes. Where it cannot be written the doors work all the same."""
        if device is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._record = StrikeRecord.locked(self._path)
            mine = secured_strikes(config, device)
            if not self._of_all_doors:
                self._others = _not_among(mine, self._record)
            self._record.write((*self._others, *mine))
        except (StorageError, OSError) as error:
            # the doors stay as they are: should doord be killed now, the helper asks the configuration
            self.wrong = str(error)

    def given_back(self, strikes: Iterable[Strike]) -> None:
        """The end: nothing is left to be done, unless a strike could not be secured; idempotent."""
        record, self._record = self._record, None
        if record is None:
            return
        try:
            if not any(strike.released for strike in strikes):
                record.write(self._others)
        except StorageError:
            pass  # the doors stay secured: the helper secures them once more
        finally:
            record.close()


def _not_among(mine: tuple[SecuredStrike, ...], record: StrikeRecord) -> tuple[SecuredStrike, ...]:
    taken = {(one.at.chip, one.at.line) for one in mine}
    try:
        return tuple(one for one in record.read() if (one.at.chip, one.at.line) not in taken)
    except MalformedError:
        # no door is moved: a torn record says nothing, to the helper neither
        return ()


def secured_strikes(config: Config, device: Device | None) -> tuple[SecuredStrike, ...]:
    """Of every door; none on a board whose lines are made up."""
    return () if device is None else tuple(_secured(door, device) for door in config.doors)


def configured_strikes(paths: Paths) -> tuple[SecuredStrike, ...]:
    """By the file as it is now; OperatorError where it cannot be read, ConfigurationError where its chip is not."""
    config = read_config(paths.config)
    if config.hal.backend is Backend.MOCK:
        return ()
    number, label = lgpio_chip.find_chip(load_lgpio(), config.hal.chip, lgpio_chip.DEVICES)
    return secured_strikes(config, Device(name=f"gpiochip{number}", label=label))


def _secured(door: config_types.Door, device: Device) -> SecuredStrike:
    strike = door.strike
    level = strike_level(StrikeType(strike.type.value), active_high=strike.active_high, released=False)
    at = LineLevel(chip=device.name, label=device.label, line=int(strike.pin.removeprefix(_PIN)), level=level)
    return SecuredStrike(door=door.name, at=at)
