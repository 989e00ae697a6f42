"""doorctl monitor: make a monitor, let it trust boards, run it, look at its alarms.

Only the monitor's machine has use for this; everything heavy is imported when a subcommand runs.
"""

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "monitor",
        help="make and run a monitor, look at its alarms",
        description="The monitoring endpoint: the only place that can tell what a code means. It belongs on another "
        "machine than the doors.",
        epilog="example: doorctl monitor run",
    )
    commands = parser.add_subparsers(title="monitor commands", metavar="COMMAND", required=True)
    _add_init(commands)
    _add_trust(commands)
    _add_run(commands)
    _add_alarms(commands)
    _add_ack(commands)
    _add_controllers(commands)


def _add_init(commands: Any) -> None:
    parser = commands.add_parser(
        "init",
        help="make the monitor's keys and the file for boards",
        description="Make the monitor's keys, its configuration, and monitor.toml, which is carried to each board. "
        "The copy of the token key is for a safe: rows on boards cannot be sealed again without everybody's codes.",
        epilog="example: doorctl monitor init --address monitor.example.net:7443 --token-key-copy /media/usb/token.key",
    )
    parser.add_argument(
        "--address", action="append", required=True, metavar="HOST:PORT",
        help="where boards reach this monitor; twice for two lines",
    )  # fmt: skip
    parser.add_argument("--listen", metavar="HOST:PORT", help="where to listen for boards, if not on every address")
    parser.add_argument(
        "--console", default="127.0.0.1:8443", metavar="HOST:PORT", help="where people look (default: %(default)s)"
    )
    parser.add_argument(
        "--token-key-copy", type=Path, metavar="PATH", help="a new file for the offline copy, on removable media"
    )
    parser.add_argument(
        "--token-key", type=Path, metavar="PATH",
        help="the offline copy of a monitor that was lost, made anew: nobody needs new codes",
    )  # fmt: skip
    parser.add_argument("--simulated", action="store_true", help="for simulated boards only; needs no copy")
    parser.set_defaults(run=_init)


def _add_trust(commands: Any) -> None:
    parser = commands.add_parser(
        "trust",
        help="let the monitor trust a board",
        description="Take a board's controller.toml. Compare both fingerprints with what the board shows first. "
        "A running monitor notices within a second; to end the trust, move the file out of the controllers folder.",
        epilog="example: doorctl monitor trust controller.toml",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the controller.toml that `doorctl init` made")
    parser.add_argument("--yes", action="store_true", help="the fingerprints were compared already")
    parser.set_defaults(run=_trust)


def _add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="run the monitor",
        description="Run ingest and alarms, and print the console's address with its key. What doorctl-monitor.service "
        "starts.",
        epilog="example: doorctl monitor run",
    )
    parser.set_defaults(run=_run)


def _add_alarms(commands: Any) -> None:
    parser = commands.add_parser(
        "alarms",
        help="show or acknowledge alarms",
        description="Show alarms of the running monitor: first those that nobody acknowledged, the gravest on top.",
        epilog="example: doorctl monitor alarms -f",
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with each change")
    parser.add_argument("-n", "--limit", type=int, default=50, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--ack", type=int, metavar="ID", help="acknowledge this alarm, as `doorctl monitor ack` does")
    parser.add_argument("--as", dest="who", metavar="NAME", help="who acknowledges (default: your user name)")
    parser.set_defaults(run=_alarms)


def _add_ack(commands: Any) -> None:
    parser = commands.add_parser(
        "ack",
        help="acknowledge alarms",
        description="Say that somebody has seen these alarms and acts, as the button of the alarms page does. The "
        "first name stays. Where one number is not known, nothing is acknowledged.",
        epilog="example: doorctl monitor ack 12 13 --as 'Kim at the desk'",
    )
    parser.add_argument(
        "alarms", nargs="+", type=_number, metavar="NUMBER", help="as `doorctl monitor alarms` shows it"
    )
    parser.add_argument("--as", dest="who", metavar="NAME", help="who acknowledges (default: your user name)")
    parser.set_defaults(run=_ack)


def _add_controllers(commands: Any) -> None:
    parser = commands.add_parser(
        "controllers",
        help="show trusted boards and how they are",
        description="Show the boards that this monitor trusts, and when each was last heard of.",
        epilog="example: doorctl monitor controllers",
    )
    parser.set_defaults(run=_controllers)


def _init(args: argparse.Namespace) -> int:
    from doorctl.cli.monitor_setup import init

    return init(args)


def _trust(args: argparse.Namespace) -> int:
    from doorctl.cli.monitor_setup import trust

    return trust(args)


def _run(args: argparse.Namespace) -> int:
    from doorctl.cli.monitor_run import run

    return run(args)


def _alarms(args: argparse.Namespace) -> int:
    from doorctl.cli.monitor_alarms import alarms

    return alarms(args)


def _ack(args: argparse.Namespace) -> int:
    from doorctl.cli.monitor_ack import acknowledge

    return acknowledge(args)


def _number(text: str) -> int:
    """An alarm's, as a person types it: argparse says what was wrong with another text."""
    digits = text.removeprefix("#")
    if not digits.isascii() or not digits.isdecimal():
        raise argparse.ArgumentTypeError(f'expected the number of an alarm, found "{text}"')
    return int(digits)


def _controllers(args: argparse.Namespace) -> int:
    from doorctl.cli.monitor_alarms import controllers

    return controllers(args)
