"""A real filesystem of a few megabytes, to be filled to its end."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(place: Path, mib: int = 1) -> Iterator[Path]:
    """At a folder that does not exist yet; skips where nobody may mount, as in a container."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount; the test with a file-size limit stands in")
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(place)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        pytest.skip(f"this machine does not mount: {ran.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
