"""A site's configuration as written and as understood, for the commands that show both."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from doorctl.config.effective import effective
from doorctl.config.lines import Place, Spot, key_spots
from doorctl.config.mending import mended
from doorctl.config.reading import parse_config, read_text
from doorctl.errors import OperatorError


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One file: what stands in it, where, and what it comes to."""

    path: Path
    written: dict[str, Any]
    spots: dict[Place, Spot]
    tree: dict[str, Any]
    """Defaults included; config.effective has its shape."""
    trouble: str | None = None
    """Why nothing is known of the file, where that is so."""


def read_site_file(path: Path) -> Site:
    """OperatorError where the file cannot be read, ConfigError with all its mistakes."""
    text = read_text(path)
    tree = effective(parse_config(text, file=path.name))
    return Site(path=path, written=tomli.loads(text), spots=key_spots(text), tree=tree)


def site_of(path: Path) -> Site:
    """As above, but a file that is missing or mistaken is only said to be: explaining needs none."""
    try:
        return read_site_file(path)
    except OperatorError as error:
        trouble = getattr(error, "summary", str(error))
        return Site(path=path, written={}, spots={}, tree={}, trouble=trouble)


def untrusted_tree_of(path: Path) -> dict[str, Any]:
    """What TOML says, right or wrong; the names in it are the installer's."""
    reading = mended(read_text(path))
    return reading.tree or {}
