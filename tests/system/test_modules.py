"""Which modules each running daemon really loaded, whatever the import contracts say of the source."""

import json
import os
from pathlib import Path

import pytest

from doorctl.cli.sim_site import SimSite

pytestmark = pytest.mark.system

_TELL = """
import atexit, json, os, sys
def tell():
    folder = os.environ["LOADED_MODULES"]
    name = (getattr(sys.modules["__main__"], "__spec__", None) or sys.modules["__main__"]).name
    with open(os.path.join(folder, f"{name}.{os.getpid()}"), "w") as file:
        json.dump(sorted(sys.modules), file)
atexit.register(tell)
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Main module → everything in sys.modules at the clean end of that daemon."""
    folder, hook = tmp_path_factory.mktemp("loaded"), tmp_path_factory.mktemp("hook")
    (hook / "sitecustomize.py").write_text(_TELL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(hook))
        patch.setenv("LOADED_MODULES", str(folder))
        with SimSite(tmp_path_factory.mktemp("site")) as site:
            site.make()
            site.start()
            site.status()
    found: dict[str, set[str]] = {}
    for path in folder.iterdir():
        main = path.name.rpartition(".")[0]
        found.setdefault(main, set()).update(json.loads(path.read_text()))
    return found


def _of_ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.split(".")[0] in ("doorctl", "hal")}


def _any_below(modules: set[str], *packages: str) -> set[str]:
    return {name for name in modules if any(name == p or name.startswith(p + ".") for p in packages)}


def test_all_four_processes_told(loaded: dict[str, set[str]]) -> None:
    assert {
        "doorctl.doord.__main__", "doorctl.courierd.__main__",
        "doorctl.monitord.ingest.__main__", "doorctl.monitord.alarms.__main__",
    } <= set(loaded)  # fmt: skip


def test_the_door_loaded_nothing_that_could_know(loaded: dict[str, set[str]]) -> None:
    modules = loaded["doorctl.doord.__main__"]
    assert "doorctl.core.decision" in modules
    forbidden = ("doorctl.seal.opening", "doorctl.seal.meaning", "doorctl.courierd", "doorctl.monitord", "doorctl.cli")
    assert not _any_below(modules, *forbidden)
    assert not _any_below(modules, "http", "h11", "urllib.request", "starlette", "sqlalchemy")


def test_the_courier_loaded_only_what_carries(loaded: dict[str, set[str]]) -> None:
    modules = loaded["doorctl.courierd.__main__"]
    assert "doorctl.wire.handoff" in modules
    forbidden = (
        "hal", "doorctl.core.door", "doorctl.core.decision", "doorctl.roster", "doorctl.journal", "doorctl.seal",
        "doorctl.doord", "doorctl.monitord", "doorctl.cli", "sqlite3", "gpiozero",
    )  # fmt: skip
    assert not _any_below(modules, *forbidden)


@pytest.mark.parametrize("part", ["ingest", "alarms"])
def test_the_monitor_loaded_no_doors(loaded: dict[str, set[str]], part: str) -> None:
    modules = loaded[f"doorctl.monitord.{part}.__main__"]
    assert "doorctl.seal.opening" in modules
    assert not _any_below(modules, "hal", "doorctl.roster", "doorctl.journal", "doorctl.doord", "gpiozero")


def test_only_alarms_knows_meanings(loaded: dict[str, set[str]]) -> None:
    assert "doorctl.seal.meaning" in loaded["doorctl.monitord.alarms.__main__"]
    assert "doorctl.seal.meaning" not in loaded["doorctl.monitord.ingest.__main__"]


def test_a_broken_import_breaks_the_contracts(tmp_path: Path) -> None:
    """The judge itself is judged: a copy of the source in which the door reaches for meanings must be refused."""
    import shutil
    import subprocess
    import sys

    root = Path(__file__).parents[2]
    for name in ("doorctl", "hal"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    judge = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()", "--no-cache"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "NO_COLOR": "1"}
    honest = subprocess.run(judge, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert honest.returncode == 0, honest.stdout + honest.stderr
    with (tmp_path / "doorctl" / "doord" / "answer.py").open("a") as file:
        file.write("\nfrom doorctl.seal import meaning\n")
    broken = subprocess.run(judge, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert broken.returncode != 0
    assert "the door cannot know BROKEN" in broken.stdout
