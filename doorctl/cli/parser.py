"""How every command's line is read and its help is shown: one manner for all, options of the whole program anywhere.

`doorctl status --json` and `doorctl --json status` are the same. Abbreviated options are refused: a script that uses
one breaks when a second option begins alike.
"""

import argparse
import re
import sys
import textwrap
from typing import Any, Final, NoReturn

from doorctl.config.section import nearest

USAGE: Final = 2
"""The exit code of a line that makes no sense."""
EXIT_CODES: Final = "exit codes: 0 done, 1 not done (the message says why), 2 wrong usage"
_HIGHEST_PORT: Final = 65_535
_INVALID_CHOICE: Final = re.compile(r"invalid choice: '?([^']*?)'? \(")
_MISPLACED: Final = re.compile("^unrecognized arguments|ignored explicit argument")
_TYPED: Final = re.compile(r"[\d*#]{3,}")
"""It may be a code: whoever writes one where none is taken does not find it on a screen or in a log again."""
_EXAMPLE: Final = re.compile(r"(?:example:|\s) *(doorctl .+)")
"""A line of an epilog: the first example has the word before it, further ones stand indented below it."""
_EXIT_CODE: Final = re.compile(r"(?:^exit codes: |, )(\d+) ")


class _Formatter(argparse.HelpFormatter):
    """Wraps each line of a text by itself, so that examples stay below each other, and never an example."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(
            indent + line
            if _EXAMPLE.fullmatch(line)
            else textwrap.fill(line, width, initial_indent=indent, subsequent_indent=indent)
            for line in text.splitlines()
        )


class CommandParser(argparse.ArgumentParser):
    """The parser of doorctl, of each command and of each verb."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _Formatter)
        if (epilog := options.get("epilog")) is not None and "exit codes" not in epilog:
            options["epilog"] = f"{epilog}\n\n{EXIT_CODES}"
        # resolve: a command may say --json in its own words
        super().__init__(**options, allow_abbrev=False, conflict_handler="resolve")
        self._commands: Any = None
        self.add_argument(
            "--home", metavar="DIR", default=argparse.SUPPRESS,
            help="keep everything in DIR instead of /etc, /var/lib and /run (also: DOORCTL_HOME)",
        )  # fmt: skip
        self.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON, for scripts"
        )  # fmt: skip

    def add_subparsers(self, **options: Any) -> Any:
        """As argparse does; the names are kept for `did you mean`."""
        action = super().add_subparsers(**options)
        self._commands = action
        return action

    @property
    def examples(self) -> tuple[str, ...]:
        """The command lines that its help gives as examples; tests parse them, the manual shows them."""
        found = (_EXAMPLE.fullmatch(line) for line in (self.epilog or "").splitlines())
        return tuple(example[1] for example in found if example)

    @property
    def exit_codes(self) -> dict[int, str]:
        """What its help says of each exit code."""
        for line in (self.epilog or "").splitlines():
            if line.startswith("exit codes: "):
                _, *parts = _EXIT_CODE.split(line)
                return {int(code): meaning for code, meaning in zip(parts[::2], parts[1::2], strict=True)}
        return {}

    def error(self, message: str) -> NoReturn:
        """Usage, what is wrong, a hint; exit code 2."""
        if self.prog.startswith("doorctl mock") or _MISPLACED.search(message):
            message = _TYPED.sub("…", message)
        hint = f"`{self.prog} --help` shows what it takes, with an example"
        if wrong := _INVALID_CHOICE.search(message):
            known = () if self._commands is None else tuple(self._commands.choices)
            if known and wrong[1] not in known:
                message = f'there is no command "{wrong[1]}"'
                hint = nearest(wrong[1], known) or f"there are {', '.join(known)}"
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: error: {message}\n  hint: {hint}\n")


def port(text: str) -> int:
    """A TCP port to listen on, as an option's type."""
    few = len(text) <= len(str(_HIGHEST_PORT))
    if not (few and text.isascii() and text.isdecimal() and 1 <= int(text) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f'expected a port from 1 to {_HIGHEST_PORT}, found "{text}"')
    return int(text)


def count(text: str) -> int:
    """A whole number from 0, as an option's type."""
    if not (text.isascii() and text.isdecimal()) or len(text) > len("999999999"):
        raise argparse.ArgumentTypeError(f'expected a whole number, found "{text}"')
    return int(text)
