"""Somebody's own configuration, to be tried in the simulator: the same doors, on made-up wires.

The file is read as doord reads it, with every mistake at once, and never written to.
"""

from pathlib import Path

import msgspec

from doorctl.config.effective import effective, toml_of
from doorctl.config.reading import read_config
from doorctl.config.types import Backend, Config, Hal
from doorctl.core.types import GroupName

_MONITOR_FILE = "monitor.toml"
"""The simulated site's own."""


def simulated(path: Path) -> tuple[str, list[GroupName]]:
    """The configuration as the simulator's doord gets it, and its groups; ConfigError names every mistake."""
    config: Config = msgspec.structs.replace(
        read := read_config(path),
        hal=Hal(backend=Backend.MOCK, chip=None),
        monitor=msgspec.structs.replace(read.monitor, file=_MONITOR_FILE),
    )
    tree = effective(config)
    return toml_of(tree, tree), [group.name for group in config.groups]
