"""What these tests need of the machine: without it they skip and say so; with CI=true a skip is a failure."""

import os
import shutil
from typing import Final, NoReturn

import pytest

_CURE: Final = "install it with: make system-packages"


def needed(program: str) -> str:
    """Where the program is."""
    path = shutil.which(program)
    if path is None:
        do_without(f"{program} is not installed here; {_CURE}")
    return path


def do_without(reason: str) -> NoReturn:
    """Skip; a machine that is there to test everything fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
