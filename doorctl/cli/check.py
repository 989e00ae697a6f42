"""doorctl check [FILE]: every mistake of a configuration at once, and what is weak though not wrong."""

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doorctl.errors import DoorctlError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.config.types import Codes, Config
    from doorctl.roster.meta import RosterParameters

_WEAK_CHANCE: Final = 1 / 10_000
"""Above this one try in ten thousand opens a door; design.md, Codes."""


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "check",
        help="find every mistake in the configuration",
        description="Find every mistake in the configuration, with line, expected, found and a hint. Changes nothing "
        "and needs no running daemon. Without FILE it also looks at keys, monitor.toml and the roster, as doord will. "
        "With --live it takes the pins for some seconds, and says which lines rest as they should and which readers "
        "answer. An input that is not idle, as the contact of an open leaf, is a warning.",
        epilog="example: doorctl check etc/one-door.toml\n\n"
        "exit codes: 0 doord would start (also with warnings), 1 it would not, or --live saw something wrong, "
        "2 wrong usage",
    )
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: this installation's doorctl.toml")
    parser.add_argument(
        "--live", action="store_true",
        help="also claim every line of the file, and say what is on it; doord must not run, and nothing moves",
    )  # fmt: skip
    parser.add_argument("--formats", action="store_true", help="list the card formats")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the file as doord would."""
    from doorctl.config.advice import advice
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
        print(json.dumps({"mistakes": [_plain(mistake) for mistake in error.mistakes], "warnings": []}, indent=2))
        return 1
    warnings, live, in_force = advice(config), 1, config.codes
    if args.file is None:
        from doorctl.doord.site_name import warnings_of_names

        found, live, in_force = _roster_warnings(paths, config)
        warnings += [*_would_start(paths), *warnings_of_names(paths, config), *found]
    chance = chance_of_a_guess(config, in_force, live=live)
    if chance is not None and chance > _WEAK_CHANCE:
        warnings.append("codes: too easily guessed; take longer ones, or ask for a card as well")
    if args.json:
        told, fine = _live(paths, config, quiet=True) if args.live else ({}, True)
        print(json.dumps({"mistakes": [], "warnings": warnings, "chance_of_a_guess": chance, **told}, indent=2))
        return 0 if fine else 1
    for warning in warnings:
        print(f"{path.name}: warning: {warning}")
    if chance is not None:
        print(f"{path.name}: one try in {round(1 / chance):,} guesses a live code")
    print(f"{path.name}: {summary(config)}: no mistakes")
    return 1 if args.live and not _live(paths, config, quiet=False)[1] else 0


def _live(paths: Paths, config: "Config", *, quiet: bool) -> tuple[dict[str, Any], bool]:
    from doorctl.cli.check_live import check_live

    def say(line: str) -> None:
        if not quiet:
            print(line, flush=True)

    return check_live(paths, config, say=say, quiet=quiet)


def summary(config: "Config") -> str:
    """`2 doors, 2 readers, 1 schedule, 1 group`."""
    counts = {
        "door": len(config.doors),
        "reader": sum(len(door.readers) for door in config.doors),
        "schedule": len(config.schedules),
        "group": len(config.groups),
    }
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items())


def chance_of_a_guess(config: "Config", codes: "Codes", *, live: int) -> float | None:
    """The chance that one try hits a live code at the weakest door; None where no door takes codes.

    `codes` is the policy that they were drawn by: the roster's, which the file's may differ from; `live` is how many
    are in use. Where a card comes first, only its holder's codes can be hit.
    """
    from doorctl.config.types import takes_code_alone
    from doorctl.core.types import Mode
    from doorctl.seal.codes import chance_of_guess

    modes = {mode for door in config.doors for mode in door.modes}
    if modes <= {Mode.CARD}:
        return None
    alone = any(takes_code_alone(mode) for mode in modes)
    return chance_of_guess(max(live, codes.per_holder) if alone else codes.per_holder, codes.length)


def _would_start(paths: Paths) -> list[str]:
    """Raise what doord would refuse to start with: keys, monitor.toml, and whether they belong together."""
    from doorctl.doord.assembly import read_site

    key = paths.keys / "identity.key"
    if not os.access(key, os.R_OK, effective_ids=True):
        if _surely_missing(key):
            return ["no keys yet: `doorctl init` makes them"]
        return [f"{key}: cannot be read here, so keys and monitor.toml were not looked at; root can"]
    colocated = read_site(paths).colocated
    return ["monitor: its keys are on this board, so the door can know; every report says so"] if colocated else []


def _surely_missing(path: Path) -> bool:
    """Whether there is none; in a folder that is closed to us nobody can tell."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def codes_of(policy: "RosterParameters") -> "Codes":
    """How codes are drawn on this board, whatever its configuration says since."""
    from doorctl.config.types import Codes

    return Codes(length=policy.code_length, per_holder=policy.codes_per_holder)


def _roster_warnings(paths: Paths, config: "Config") -> "tuple[list[str], int, Codes]":
    """What is weak in this installation's roster, how many codes are in use, and how they were drawn."""
    from doorctl.roster.lookup import RosterReader

    try:
        with RosterReader.open(paths.roster) as roster:
            policy, holders = roster.parameters(), roster.facts().holders
    except DoorctlError as error:
        return [f"the roster was not looked at: {error}"], 1, config.codes
    found, codes = [], codes_of(policy)
    if codes != config.codes:
        found.append(
            f"codes: differs from the roster, which was made for {codes.length} digits and "
            f"{codes.per_holder} a holder; the roster's are in force"
        )
    return found, holders * codes.per_holder, codes


def _plain(mistake: Any) -> dict[str, Any]:
    found = {name: getattr(mistake, name) for name in ("file", "line", "key", "expected", "found", "hint")}
    return {**found, "column": None if mistake.span is None else mistake.span.begin}


def _formats(*, as_json: bool) -> int:
    from hal.wiegand.cards import FORMATS

    if as_json:
        print(json.dumps([{"name": f.name, "bits": f.bits, "description": f.description} for f in FORMATS.values()]))
        return 0
    for card_format in FORMATS.values():
        print(f"{card_format.name:<10} {card_format.bits:>2} bits  {card_format.description}")
    return 0
