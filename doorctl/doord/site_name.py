"""Whether the monitor was given the name that this board's configuration has: controller.toml against doorctl.toml.

`doorctl init` writes the site's id into controller.toml, and people edit doorctl.toml afterwards. Then the monitor
sends somebody to a place by its old name. Said by doord's log, `doorctl check` and `doorctl doctor` in the same words.
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


def another_name(paths: Paths, config: Config) -> str | None:
    """What is to be said of two names, None where both are the same; OperatorError where controller.toml is no such."""
    given = read_controller_file(paths.controller_public).site
    if given == config.site.id:
        return None
    return (
        f'{paths.controller_public}: site: expected "{config.site.id}" as in doorctl.toml, found "{given}", '
        "which is what the monitor shows"
    )


def warning_of_name(paths: Paths, config: Config) -> str | None:
    """The same with its hint, in one line for a log."""
    try:
        words = another_name(paths, config)
    except OperatorError:
        # the door stays as it is: it needs no controller.toml, and doctor says what is the matter with the file
        return None
    return None if words is None else f"{words}; {RENAMED}"
