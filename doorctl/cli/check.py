"""doorctl check [FILE]: every mistake of a configuration at once, and what is weak though not wrong."""

import argparse
import json
from pathlib import Path
from typing import Any, Final

from doorctl.paths import Paths

_WEAK_CHANCE: Final = 1 / 10_000
"""Above this one try in ten thousand opens a door; design.md, Codes."""


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "check",
        help="find every mistake in the configuration",
        description="Find every mistake in the configuration, with line, expected, found and a hint. Changes nothing "
        "and needs no running daemon. Ends with 0 where there is no mistake, also if there are warnings.",
        epilog="example: doorctl check etc/doorctl.toml",
    )
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: this installation's doorctl.toml")
    parser.add_argument("--formats", action="store_true", help="list the card formats")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the file as doord would."""
    from doorctl.config.reading import ConfigError, read_config

    if args.formats:
        return _formats(as_json=args.json)
    paths = Paths.chosen(args.home)
    path = args.file or paths.config
    try:
        config = read_config(path)
    except ConfigError as error:
        if not args.json:
            raise
        mistakes = [
            {name: getattr(mistake, name) for name in ("file", "line", "key", "expected", "found", "hint")}
            for mistake in error.mistakes
        ]
        print(json.dumps({"mistakes": mistakes, "warnings": []}, indent=2))
        return 1
    warnings = _warnings(paths, config) if args.file is None else _code_warnings(config, live=1)
    if args.json:
        print(json.dumps({"mistakes": [], "warnings": warnings}, indent=2))
        return 0
    for warning in warnings:
        print(f"{path.name}: warning: {warning}")
    print(f"{path.name}: {summary(config)}: no mistakes")
    return 0


def summary(config: Any) -> str:
    """`2 doors, 2 readers, 1 schedule, 1 group`."""
    readers = sum(len(door.readers) for door in config.doors)
    counts = {
        "door": len(config.doors),
        "reader": readers,
        "schedule": len(config.schedules),
        "group": len(config.groups),
    }
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items())


def _warnings(paths: Paths, config: Any) -> list[str]:
    """What is weak in this installation, its roster included."""
    from doorctl.doord.assembly import colocated_monitor, monitor_file
    from doorctl.roster.lookup import RosterReader

    found = []
    if not monitor_file(paths, config).exists():
        found.append(f"{monitor_file(paths, config)} is not there; doord needs it (`doorctl init --monitor FILE`)")
    if colocated_monitor(paths):
        found.append("the monitor's keys are on this board: the door can know")
    live = 1
    if paths.roster.exists():
        with RosterReader.open(paths.roster) as roster:
            parameters = roster.parameters()
            live = max(1, roster.facts().holders * parameters.codes_per_holder)
            if (parameters.code_length, parameters.codes_per_holder) != (config.codes.length, config.codes.per_holder):
                found.append(
                    f"[codes] differs from the roster, which was made for {parameters.code_length} digits and "
                    f"{parameters.codes_per_holder} a holder; the roster's are in force"
                )
    return found + _code_warnings(config, live=live)


def _code_warnings(config: Any, *, live: int) -> list[str]:
    from doorctl.config.reading import modes_of, takes_code_alone
    from doorctl.core.types import Mode
    from doorctl.seal.codes import chance_of_guess

    modes = {mode for door in config.doors for mode in modes_of(door)}
    if modes <= {Mode.CARD}:
        return []
    alone = any(takes_code_alone(mode) for mode in modes)
    chance = chance_of_guess(live if alone else config.codes.per_holder, config.codes.length)
    if chance <= _WEAK_CHANCE:
        return []
    used = f"{live} in use, {config.codes.length} digits"
    hint = "take longer codes, or ask for a card as well"
    return [f"one try in {round(1 / chance):,} guesses a live code ({used}); {hint}"]


def _formats(*, as_json: bool) -> int:
    from hal.wiegand.cards import FORMATS

    if as_json:
        print(json.dumps([{"name": f.name, "bits": f.bits, "description": f.description} for f in FORMATS.values()]))
        return 0
    for card_format in FORMATS.values():
        print(f"{card_format.name:<10} {card_format.bits:>2} bits  {card_format.description}")
    return 0
