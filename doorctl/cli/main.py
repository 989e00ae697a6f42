"""doorctl(1): finds the command, runs it, and turns errors into two lines a person can act on.

Exit codes: 0 done, 1 it could not be done (the message says why), 2 wrong usage, 130 interrupted.
"""

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from doorctl.cli.parser import CommandParser
from doorctl.errors import DoorctlError, OperatorError

COMMANDS: Final = (
    "init", "check", "config", "holder", "reader", "wire_test", "status", "doctor", "log", "unlock", "lockdown",
    "reload", "test_alarm", "monitor", "backup", "restore", "sim", "mock", "completion",
)  # fmt: skip
"""One module each; its add_parser() says what the command takes, its run() does it."""
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells say it."""

_DESCRIPTION: Final = "access control whose door cannot tell one code from another"
_EPILOG: Final = """\
try it:      doorctl sim
a new board: doorctl monitor init, doorctl init, doorctl check, doorctl holder add
example:     doorctl --home /tmp/site check
manuals:     man doorctl, docs/operations.md

exit codes: 0 done, 1 not done (the message says why), 2 wrong usage, 130 interrupted
"""


_OURS: Final = frozenset({"doorctl", "hal"})


def build_parser() -> CommandParser:
    """The parser with every command."""
    parser = CommandParser(prog="doorctl", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"doorctl {version('doorctl')}")
    parser.set_defaults(home=None, json=False)
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
        return INTERRUPTED
    except BrokenPipeError:
        # the reader (head, less) went away: nothing is wrong, and nothing more can be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in _OURS:
            raise
        print(_of_extra(error.name).told_by("doorctl"), file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        print(_of_file(error).told_by("doorctl"), file=sys.stderr)
        return 1
    return int(code)


def _of_extra(module: str) -> OperatorError:
    """A board's small installation has not what the monitor and the simulator need."""
    return OperatorError(
        f"this command needs {module}, which is not installed", hint="pip install 'doorctl[monitor]', or 'doorctl[sim]'"
    )


def _of_file(error: OSError) -> OperatorError:
    """A file or folder of the operator's that could not be had: no rights, no room, not there."""
    hint = None
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = "run it with sudo, or give --home DIR for a folder of your own"
    return OperatorError(f"{error.filename}: {(error.strerror or str(error)).lower()}", hint=hint)


if __name__ == "__main__":
    sys.exit(main())
