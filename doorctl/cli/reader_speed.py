"""doorctl reader speed: doord takes a line to another speed, and here is said what doorctl.toml must have from now on.

The file is never written: what an installer wrote stays as it is, comments and all.
"""

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from typing import Any, Final

from doorctl.cli.ask import ask
from doorctl.cli.progress import progress
from doorctl.errors import DoorctlError
from doorctl.paths import Paths

LONGEST_S: Final = 20
"""Told, heard, and both again where a reader does not follow: hal/osdp/speed.py."""
LONGEST_FIND_S: Final = 100
"""Five other speeds, and the change: hal/osdp/find_speed.py."""
_MORE_S: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ToWrite:
    """A reader whose line in the file says another speed, or none."""

    line: int
    """Of the file, from 1: where the speed stands, or the reader where it has its default."""
    key: str
    baud: int


def run(args: argparse.Namespace) -> int:
    """Ask doord, count the seconds, say what is to be written."""
    paths = Paths.chosen(args.home)
    longest_s = LONGEST_FIND_S if args.find else LONGEST_S
    answer = _changed(paths, {"line": args.device, "baud": args.baud, "find": args.find}, longest_s, quiet=args.json)
    try:
        to_write = list(_to_write(paths, args.device, args.baud))
    except (OSError, DoorctlError):  # who may ask doord need not have the right to read the file
        to_write = None
    if args.json:
        told = {name: answer[name] for name in ("line", "was", "baud", "readers")}
        written = None if to_write is None else [asdict(one) for one in to_write]
        print(json.dumps({**told, "file": str(paths.config), "to_write": written}, indent=2))
    else:
        print("\n".join(_words(paths, answer, to_write)))
    return 0


def _changed(paths: Paths, wish: dict[str, Any], longest_s: int, *, quiet: bool) -> dict[str, Any]:
    what = f"{wish['line']}: telling its readers, seconds"
    with progress(what, longest_s, quiet=quiet) as advance, ThreadPoolExecutor(1) as one:
        asked = one.submit(ask, paths, "reader-speed", within_s=longest_s + _MORE_S, **wish)
        while wait({asked}, timeout=1).not_done:
            advance(1)
        return asked.result()


def _to_write(paths: Paths, device: str, baud: int) -> Iterator[ToWrite]:
    """Every reader of the line whose speed in the file is another."""
    from doorctl.config.lines import key_spots, line_of
    from doorctl.config.reading import parse_config
    from doorctl.config.section import dotted
    from doorctl.config.types import BusPlace

    text = paths.config.read_text(encoding="utf-8-sig")
    spots = key_spots(text)
    for door in parse_config(text, file=paths.config.name).doors:
        for reader in door.readers:
            place = reader.wiring
            if isinstance(place, BusPlace) and place.device == device and place.baud != baud:
                side = reader.name.removeprefix(door.name).removeprefix("/")
                table = ("door", door.name, "readers", side) if side else ("door", door.name, "reader")
                yield ToWrite(line=line_of(spots, (*table, "baud")), key=dotted((*table, "baud")), baud=baud)


def _words(paths: Paths, answer: dict[str, Any], to_write: list[ToWrite] | None) -> Iterator[str]:
    device, was, baud, readers = (answer[name] for name in ("line", "was", "baud", "readers"))
    before = "as before" if was == baud else f"before at {was}"
    yield f"{device}: {', '.join(readers)} at {baud} baud, {before}"
    if to_write == []:
        yield f"{paths.config} says so too"
        return
    if to_write is None:
        yield f"now write baud = {baud} at every reader of {device} in {paths.config}, which you may not read:"
    else:
        yield f"now write in {paths.config}:"
        yield from (f"  line {one.line}: {one.key} = {one.baud}" for one in to_write)
    yield "until then each start of doord begins at the file's speed and looks for the readers for up to three minutes"
