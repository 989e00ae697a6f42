"""doorctl config: what every key means, what is in force here, and the schema for editors. Changes nothing."""

import argparse
import json
from pathlib import Path
from typing import Any

from doorctl.paths import Paths

_SCHEMA_LINE = "#:schema doorctl.schema.json"


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "config",
        help="explain the configuration's keys, show what is in force",
        description="What every key of doorctl.toml means, what is in force here, and a schema for editors. "
        "`doorctl check` finds mistakes; this changes nothing and needs no running daemon.",
        epilog="example: doorctl config explain door.front.strike",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _explain(verbs)
    _show(verbs)
    _schema(verbs)


def _explain(verbs: Any) -> None:
    explain = verbs.add_parser(
        "explain",
        help="what a key means, takes and risks; its value here",
        description="What a key or a table means, takes, is by default and risks; and its value in this installation's "
        "file, with whether that is the default. Without KEY: every key in one line.",
        epilog="example: doorctl config explain door.front.strike.release_s\n"
        "         doorctl config explain 'door.*.strike'\n"
        "         doorctl config explain reader",
    )
    explain.add_argument("key", nargs="?", metavar="KEY", help="a key, a table, or the last words of one")
    explain.add_argument("--file", type=Path, metavar="FILE", help="default: this installation's doorctl.toml")
    explain.set_defaults(run=run_explain)


def _show(verbs: Any) -> None:
    show = verbs.add_parser(
        "show",
        help="the configuration in force, defaults included",
        description="The configuration as doord understands it, with every default written out and marked; what is "
        "printed is a configuration itself. A file with mistakes is refused as by `doorctl check`.",
        epilog="example: doorctl config show --json",
    )
    show.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: this installation's doorctl.toml")
    show.set_defaults(run=run_show)


def _schema(verbs: Any) -> None:
    schema = verbs.add_parser(
        "schema",
        help="a JSON Schema of doorctl.toml, for editors",
        description="A JSON Schema (2020-12) of doorctl.toml, for editors: keys, values and what they mean while one "
        f"types. Write it beside the file and begin the file with `{_SCHEMA_LINE}`. It cannot know that a pin is used "
        "once, nor, without --names, which doors and schedules there are: `doorctl check` does.",
        epilog="example: doorctl config schema --names doorctl.toml",
    )
    schema.add_argument(
        "--names", type=Path, metavar="FILE", help="a schema for this file: only its doors and schedules may be named"
    )
    schema.set_defaults(run=run_schema)


def run_explain(args: argparse.Namespace) -> int:
    """Print what the table of keys says, and what the file says."""
    from doorctl.cli.config_explain import explained, listed, told
    from doorctl.cli.config_site import site_of

    if args.key is None:
        return listed(as_json=args.json)
    found = explained(args.key, site_of(args.file or Paths.chosen(args.home).config))
    print(json.dumps(found, ensure_ascii=False, indent=2) if args.json else "\n\n".join(map(told, found)))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print the whole of it."""
    from doorctl.cli.config_site import read_site_file
    from doorctl.config.effective import as_json, is_written, leaves, toml_of
    from doorctl.config.section import dotted

    path = args.file or Paths.chosen(args.home).config
    site = read_site_file(path)
    if args.json:
        defaults = [dotted(place) for place, _ in leaves(site.tree) if not is_written(site.written, place)]
        shown = {"file": str(path), "configuration": as_json(site.tree), "defaults": defaults}
        print(json.dumps(shown, ensure_ascii=False, indent=2))
        return 0
    print(f"# {path}, with every default written out\n\n{toml_of(site.tree, site.written)}", end="")
    return 0


def run_schema(args: argparse.Namespace) -> int:
    """Print the schema; JSON with and without --json."""
    from doorctl.cli.config_site import untrusted_tree_of
    from doorctl.config.schema import schema

    untrusted_tree = {} if args.names is None else untrusted_tree_of(args.names)
    names = {key: untrusted_tree.get(key) for key in ("door", "schedule")}
    doors, schedules = (list(table) if isinstance(table, dict) else [] for table in names.values())
    print(json.dumps(schema(doors=doors, schedules=schedules), ensure_ascii=False, indent=1))
    return 0
