"""Whether the monitor was given the name and the zone of this board's configuration: controller.toml and doorctl.toml.

`doorctl init` writes both into controller.toml, and people edit doorctl.toml afterwards. Then the monitor sends
somebody to a place by its old name. Said by doord's log, `doorctl check` and `doorctl doctor` in the same words.
"""

from typing import Final

from doorctl.config.types import Config
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.seal.keys import read_controller_file

RENAMED: Final = (
    "where doorctl.toml is right: `doorctl init`, then `doorctl monitor trust controller.toml` at the monitor again"
)
"""What to do."""


def told_otherwise(paths: Paths, config: Config) -> tuple[str, ...]:
    """What is to be said of a name and of a zone that differ; OperatorError where controller.toml is none."""
    given = read_controller_file(paths.controller_public)
    lines = (("site", config.site.id, given.site), ("timezone", config.site.timezone, given.timezone))
    return tuple(
        f'{paths.controller_public}: {key}: expected "{expected}" as in doorctl.toml, '
        + (f'found "{found}", which is what the monitor shows' if found else "found none")
        for key, expected, found in lines
        if found != expected
    )


def warnings_of_names(paths: Paths, config: Config) -> list[str]:
    """The same with its hint, a line each, for a log."""
    try:
        return [f"{words}; {RENAMED}" for words in told_otherwise(paths, config)]
    except OperatorError:
        # the door stays as it is: it needs no controller.toml, and doctor says what is the matter with the file
        return []
