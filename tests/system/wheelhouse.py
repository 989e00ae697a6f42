"""The wheel and the source archive of this tree, and the wheels of everything that they need: made once, shared.

What other people publish is kept in the tests' cache between runs; ours is built for each run.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
EXTRAS: Final = ("board", "monitor", "sim")
PATIENCE_S: Final = 300
"""A first run downloads what the cache has not."""
PIP: Final = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def requirements() -> list[str]:
    """Everything but ourselves that a board, a monitor or the simulator needs."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for extra in EXTRAS for one in table["optional-dependencies"][extra]]
    return [*table["dependencies"], *(one for one in extras if not one.startswith("doorctl"))]


def built(folder: Path) -> tuple[Path, Path]:
    """(wheel, source archive) of the tree as it is."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    (wheel,), (archive,) = folder.glob("doorctl-*.whl"), folder.glob("doorctl-*.tar.gz")
    return wheel, archive


def others() -> Path:
    """A folder with the wheels of all `requirements()` and of what those need."""
    key = hashlib.sha256("\n".join([sys.version, *requirements()]).encode()).hexdigest()[:16]
    folder = ROOT / ".pytest_cache" / "wheels" / key
    with _alone(folder):
        if not (folder / "complete").exists():
            command = [*PIP, "wheel", "--wheel-dir", str(folder), *requirements()]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
            assert done.returncode == 0, done.stderr
            (folder / "complete").touch()
    return folder


def pip_environment(*folders: Path) -> dict[str, str]:
    """pip takes wheels from these folders and from nowhere else."""
    return {
        "PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": " ".join(map(str, folders)), "PIP_NO_COMPILE": "1", "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_CACHE_DIR": "1",
    }  # fmt: skip


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One worker fills the folder, the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
