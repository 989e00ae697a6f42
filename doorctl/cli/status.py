"""doorctl status: doors, readers, spool, path to the monitor and faults, for people or as JSON."""

import argparse
import json
from typing import Any

from doorctl.cli.ask import ask
from doorctl.paths import Paths


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "status",
        help="how the doors, readers and the way to the monitor are",
        description="How the doors, readers, storage and the way to the monitor are. "
        "Ends with 0 when all is well and with 1 when something needs a person.",
        epilog="example: doorctl status",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask doord and print."""
    status = ask(Paths.chosen(args.home), "status")
    if args.json:
        status.pop("ok")
        print(json.dumps(status, indent=2))
    else:
        print("\n".join(lines(status)))
    return 1 if status["faults"] else 0


def lines(status: dict[str, Any]) -> list[str]:
    """The status as people read it."""
    found = [f"site {status['site']}, controller {status['controller'][:8]}, {status['keys']}"]
    if status["simulated"]:
        found.append("simulated: mock hardware and keys that no real monitor accepts")
    if status["lockdown"]:
        found.append("LOCKDOWN: every credential is refused; `doorctl lockdown off` ends it")
    for door in status["doors"]:
        found.append(f"door {door['name']}: {door['state']}")
        for reader in door["readers"]:
            counters = reader["counters"]
            refused = sum(int(value) for name, value in counters.items() if name.startswith("refused"))
            found.append(
                f"  reader {reader['name']}: {reader['state']}, {counters.get('cards', 0)} cards, "
                f"{counters.get('key frames', 0)} key frames, {refused} frames refused"
            )
    spool, path = status["spool"], status["path"]
    found.append(f"monitor: {path['state']}; {spool['pending']} records without a receipt")
    found.append(f"roster: {status['roster']['holders']} holders, generation {status['roster']['generation']}")
    found += [f"FAULT {fault}" for fault in status["faults"]]
    return found
