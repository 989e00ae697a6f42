"""doorctl status: doors, readers, spool, path to the monitor and faults, for people or as JSON.

docs/operations.md says what each line means; change both together.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from doorctl.cli.ask import ask
from doorctl.cli.reader_words import warnings, wiring
from doorctl.errors import OperatorError
from doorctl.paths import Paths

_TOLD: Final = frozenset({"pending", "waiting_for_disk", "oldest", "head", "forged_receipts"})
"""Members of the spool that are lines of their own, or no counters."""
_NEWER: Final = {
    "another": "the file says something else: `doorctl check`, then `doorctl reload`",
    "mistaken": "the file has mistakes now: `doorctl check` shows them",
}


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "status",
        help="how the doors, readers and the way to the monitor are",
        description="How the doors, readers, storage and the way to the monitor are. Needs group doorctl-read.",
        epilog="example: doorctl status --verbose\n\n"
        "exit codes: 0 all is well, 1 something needs a person (a line begins with FAULT) or doord does not run, "
        "2 wrong usage",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="every counter as well, as --json has them")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask doord and print."""
    paths = Paths.chosen(args.home)
    status = {**ask(paths, "status")}
    status["configuration_file"] = _on_disk(paths.config, status["configuration"])
    if args.json:
        print(json.dumps({name: value for name, value in status.items() if name != "ok"}, indent=2))
    else:
        print("\n".join([*lines(status), *(counters(status) if args.verbose else ())]))
    return 1 if status["faults"] else 0


def lines(status: Mapping[str, Any]) -> list[str]:
    """The status as people read it."""
    return [
        f"site {status['site']}, controller {status['controller'][:8]}, {status['keys']}",
        *_warnings(status),
        *_configuration(status),
        *(line for door in status["doors"] for line in _door(door)),
        *_way_to_monitor(status),
        f"roster: {counted(status['roster']['holders'], 'holder')}, generation {status['roster']['generation']}",
        _answers(status["answer_ms"]),
        *_refused(status["control"]["refused"]),
        *(f"FAULT {fault}" for fault in status["faults"]),
    ]


def counters(status: Mapping[str, Any]) -> list[str]:
    """Every counter since doord's start, for whoever looks for a cause; a name not heard of yet is shown as it is."""
    courier = {name.removeprefix("courier_"): value for name, value in status["path"].items() if name != "state"}
    spool = {name: value for name, value in status["spool"].items() if isinstance(value, int) and name not in _TOLD}
    readers = (reader for door in status["doors"] for reader in door["readers"])
    return [
        f"counters of the courier's line: {_listed(courier)}",
        f"counters of the spool: {_listed(spool)}",
        *(
            f"counters of reader {reader['name']}: {_listed({**reader['counters'], 'dropped': reader['dropped']})}"
            for reader in readers
        ),
    ]


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in numbers.items())


def _on_disk(file: Path, digest: str) -> str:
    """How the file stands to what is in force, as it is now: `in force`, `another`, `mistaken` or `not read`."""
    from doorctl.config.digest import config_digest
    from doorctl.config.reading import ConfigError, read_config

    try:
        return "in force" if config_digest(read_config(file)) == digest else "another"
    except ConfigError:
        return "mistaken"
    except OperatorError:
        return "not read"


def _configuration(status: Mapping[str, Any]) -> Iterator[str]:
    yield f"configuration {status['configuration'][:8]}, in force since {_utc(status['configuration_since'])}"
    refused = status["configuration_refused"]
    if refused is not None:
        yield f"  a reload was refused at {_utc(refused['at'])}: {refused['why']}"
        yield from (f"    {reason}" for reason in refused["reasons"] if reason != refused["why"])
        if refused["more"]:
            yield f"    and {refused['more']} more"
        yield f"    {refused['hint']}"
    elif (newer := _NEWER.get(status.get("configuration_file", "in force"))) is not None:
        yield f"  {newer}"


def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


def _warnings(status: Mapping[str, Any]) -> Iterator[str]:
    if status["simulated"]:
        yield "simulated: mock hardware and keys that no real monitor accepts"
    if status["colocated"]:
        yield "the door can know: the monitor's keys are on this board"
    if status["lockdown"]:
        yield "LOCKDOWN: every credential is refused; `doorctl lockdown off` ends it"
    for door in status["doors"]:
        for reader in door["readers"]:
            yield from warnings(reader)
    if not status["time_trusted"]:
        yield "time: not trusted; schedules follow each door's time_unknown"


def _door(door: Mapping[str, Any]) -> Iterator[str]:
    yield f"door {door['name']}: {door['state'].replace('_', ' ')}"
    for reader in door["readers"]:
        counters = reader["counters"]
        if reader.get("kind") == "osdp":
            yield f"  reader {reader['name']}: {reader['state']}, {wiring(reader)}"
            continue
        refused = sum(int(value) for name, value in counters.items() if name.startswith("refused"))
        yield (
            f"  reader {reader['name']}: {reader['state']}, {counted(counters.get('cards', 0), 'card')}, "
            f"{counted(counters.get('key frames', 0), 'key frame')}, {counted(refused, 'frame')} refused"
        )


def _way_to_monitor(status: Mapping[str, Any]) -> Iterator[str]:
    spool = status["spool"]
    yield f"monitor: {status['path']['state']}; {counted(spool['pending'], 'record')} without a receipt"
    if spool["oldest"] is not None:
        yield f"  the oldest of them is of {_utc(spool['oldest'])}"
    if spool["waiting_for_disk"]:
        yield f"  {counted(spool['waiting_for_disk'], 'record')} not yet on the disk"
    for reason, number in spool["refused_by_monitor"].items():
        yield f"  {counted(number, 'record')} refused by the monitor: {reason.lower().replace('_', ' ')}"
    if spool["forged_receipts"]:
        yield f"  {counted(spool['forged_receipts'], 'receipt')} not the monitor's, ignored"


def _answers(times: Mapping[str, Any]) -> str:
    late = f"; {counted(times['late'], 'answer')} late" if times["late"] else ""
    return f"answers: {times['card']} ms after a card, {times['code']} ms after a code{late}"


def _refused(requests: int) -> Iterator[str]:
    if requests:
        yield f"control socket: {counted(requests, 'request')} refused (malformed, unknown, not allowed or impossible)"


def counted(number: int, word: str) -> str:
    """`1 card`, `2 cards`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
