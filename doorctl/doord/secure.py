"""`python -m doorctl.doord.secure`: bring every strike of a dead doord to its secured level. The unit's ExecStopPost=.

A killed process secures nothing, and some chips keep the last level of a line that nobody holds: the strike would stay
released until doord is back. This process takes the lines from the record that doord left (strike_record.py), which is
right whatever became of the configuration since; without one it asks the configuration. Every door is secured, also one
that its schedule had unlocked: without doord nobody knows when that ends. doord unlocks it again within a second of its
start. A way out is never closed by this: each door has one that is mechanical or wired past the board (`egress`), and
what has none declared is not touched, since no configuration without it is read.

It must never take a line from a living doord (the record's lock and the kernel both see to that), never hold up a
restart, and never depend on more than it must: no gpiozero, no keys, no roster.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from typing import Final

from doorctl.doord.strike_record import SecuredStrike, StrikeRecord
from doorctl.errors import DoorctlError, MalformedError, OperatorError, StorageError
from doorctl.paths import Paths
from hal.errors import HalError
from hal.lgpio_levels import drive, load_lgpio

HOLD_S: Final = 0.2
"""How long the levels are held: relay (10 ms) and strike (100 ms) have fallen by then. Longer would only keep doord
from starting, and the line is given back in any case: from then on resistor and relay decide (docs/hal-backend.md)."""
LONGEST_S: Final = 5
"""A library or driver that hangs does not keep doord from starting: the kernel ends this process then."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every strike is secured, or there is none to secure; 1: one is not, and standard error names it."""
    parser = argparse.ArgumentParser(prog="doord-secure", description="secure the strikes of a doord that died")
    parser.add_argument("--home", metavar="DIR", help="keep everything in DIR instead of /etc, /var/lib and /run")
    args = parser.parse_args(arguments)
    signal.alarm(LONGEST_S)
    try:
        return _secure(Paths.chosen(args.home))
    except (DoorctlError, HalError) as error:
        # no door is moved: each is where the metal leaves it, and people get out without software
        _say(error.told_by("doord-secure") if isinstance(error, DoorctlError) else f"doord-secure: error: {error}")
        return 1
    finally:
        signal.alarm(0)


def _secure(paths: Paths) -> int:
    try:
        record: StrikeRecord | None = StrikeRecord.locked(paths.strikes)
    except OperatorError:
        _say("doord-secure: a doord lives, and its strikes are its own: nothing was done")
        return 0
    except StorageError as error:
        _say(f"doord-secure: warning: {error}")
        record = None
    try:
        strikes = _recorded(record)
        if strikes is None:
            strikes = _configured(paths)
        missed = _missed(strikes) if strikes else ()
        if record is not None:
            # not those that are secured: a fail-safe lock would be powered again at each of doord's starts that fails
            record.write(missed)
        if strikes:
            time.sleep(HOLD_S)
        return 1 if missed else 0
    finally:
        if record is not None:
            record.close()


def _recorded(record: StrikeRecord | None) -> tuple[SecuredStrike, ...] | None:
    """None where there is no record, or it says nothing."""
    try:
        return None if record is None else record.read()
    except MalformedError:
        return None


def _missed(strikes: Sequence[SecuredStrike]) -> tuple[SecuredStrike, ...]:
    """Bring every one to its level; those that could not be."""
    missed = []
    for strike, why in zip(strikes, drive(load_lgpio(), [strike.at for strike in strikes]), strict=True):
        if why is None:
            level = "high" if strike.at.level else "low"
            _say(f"doord-secure: {strike.door}: secured ({strike.at.chip} line {strike.at.line} is {level})")
        else:
            _say(f"doord-secure: error: {strike.door}: not secured: {why}")
            missed.append(strike)
    return tuple(missed)


def _configured(paths: Paths) -> tuple[SecuredStrike, ...]:
    """No record: what the configuration says now. Loads a lot, and is slower."""
    from doorctl.doord.strike_lines import configured_strikes  # noqa: PLC0415  most runs never need it

    return configured_strikes(paths)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
