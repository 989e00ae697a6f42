"""doorctl(1): finds the command, runs it, and turns errors into two lines a person can act on.

Exit codes: 0 done, 1 it could not be done (the message says why), 2 wrong usage, 130 interrupted.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from doorctl.errors import DoorctlError

COMMANDS: Final = (
    "init", "check", "holder", "status", "log", "unlock", "lockdown", "test_alarm", "monitor", "sim",
)  # fmt: skip
"""One module each; its add_parser() says what the command takes, its run() does it."""

_DESCRIPTION: Final = "access control whose door cannot tell one code from another"
_EPILOG: Final = """\
try it:      doorctl sim
a new board: doorctl monitor init, doorctl init, doorctl check, doorctl holder add
manuals:     man doorctl, docs/operations.md
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command."""
    parser = argparse.ArgumentParser(
        prog="doorctl", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"doorctl {version('doorctl')}")
    parser.add_argument("--home", metavar="DIR", help="keep everything in DIR instead of /etc, /var/lib and /run")
    parser.add_argument("--json", action="store_true", help="print JSON where the command has something to print")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"doorctl.cli.{name}").add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; never a traceback for what an operator can mend."""
    args = build_parser().parse_args(arguments)
    try:
        code = args.run(args)
        sys.stdout.flush()
    except DoorctlError as error:
        print(error.told_by("doorctl"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # the reader (head, less) went away: nothing is wrong, and nothing more can be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
