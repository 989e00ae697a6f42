"""doorctl completion bash|zsh|fish: the script that lets a shell complete doorctl's lines.

The scripts are drawn from the argparse tree. Names of doors, groups and readers they ask of `doorctl completion
doors|groups|readers`, which reads the configuration and nothing else: never the roster, so that pressing TAB shows
nobody who is enrolled.
docs/decisions/completion.md says why.
"""

import argparse
import json
import re
from typing import Any, Final

from doorctl.errors import OperatorError
from doorctl.paths import Paths

SHELLS: Final = ("bash", "zsh", "fish")
NAMES: Final = ("doors", "groups", "readers")
_NAME: Final = re.compile(r"[a-z0-9-]{1,64}")
"""Others are mistakes; and what a shell inserts must need no quotes."""


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "completion",
        help="print what lets a shell complete doorctl's lines",
        description="Print the script that lets bash, zsh or fish complete doorctl's lines. The installed files have "
        "the same; this is for a shell that does not look there, as `source <(doorctl completion bash)`. "
        "doors, groups and readers print the names in the configuration, one a line, which is what the scripts ask "
        "for.",
        epilog="example: doorctl completion bash\n         doorctl completion doors",
    )
    parser.add_argument(
        "what", choices=(*SHELLS, *NAMES), metavar="SHELL", help="bash, zsh, fish; or doors, groups, readers"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a script, or names."""
    if args.what in NAMES:
        names = _names(Paths.chosen(args.home), args.what)
        print(json.dumps(names) if args.json else "".join(f"{name}\n" for name in names), end="\n" * args.json)
    else:
        print(script(args.what), end="")
    return 0


def script(shell: str) -> str:
    """The whole script for one of SHELLS."""
    from doorctl.cli.completion_bash import bash_script
    from doorctl.cli.completion_fish import fish_script
    from doorctl.cli.completion_tree import command_tree
    from doorctl.cli.completion_zsh import zsh_script
    from doorctl.cli.main import build_parser

    draw = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}[shell]
    return draw(command_tree(build_parser()))


def _names(paths: Paths, what: str) -> list[str]:
    """Names of tables, also while the rest of the file has mistakes: TAB is pressed while people write it."""
    import tomli

    try:
        tree = tomli.loads(paths.config.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise OperatorError(f"{paths.config}: cannot be read", hint="`doorctl check` says why") from error
    if what == "readers":
        doors = _tables(tree, "door")
        return [reader for door in doors for reader in _readers(door, doors[door])]
    return list(_tables(tree, what.removesuffix("s")))


def _tables(tree: Any, key: str) -> dict[str, Any]:
    tables = tree.get(key) if isinstance(tree, dict) else None
    return {name: table for name, table in tables.items() if _NAME.fullmatch(name)} if isinstance(tables, dict) else {}


def _readers(door: str, table: Any) -> list[str]:
    """The door's name, or DOOR/SIDE of each where it has several."""
    return [f"{door}/{side}" for side in _tables(table, "readers")] or [door]
