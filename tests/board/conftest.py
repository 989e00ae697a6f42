"""The package of this tree, and a site of two machines that it was installed on."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tests.board.rig import Container, join, wanted
from tests.system.wheelhouse import ROOT

NEWER = "0.1.1"
CARD = "H10301:12:3456"
BOARD, MONITOR = "10.77.0.1", "10.77.0.2"


LAST: Final = ("test_package.py", "test_debian.py", "test_withdrawal.py", "test_install.py")
"""In this order, after the others: what is made `beside` is done by then; then what the day has left is looked at, the
package is taken away, and somebody begins where there is none."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A machine is not made anew for each of them."""
    items.sort(key=lambda item: LAST.index(item.path.name) if item.path.name in LAST else -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """Of the one person there is."""

    normal: str
    duress: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A board and a monitor that run, and know each other."""

    board: Container
    monitor: Container
    codes: Codes


def built(into: Path, *options: str) -> Path:
    """A package of the tree as it is."""
    command = [sys.executable, "systemd/packaging/build_deb.py", "--into", str(into), *options]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def stick() -> Iterator[Path]:
    """A folder that every machine has as /media/stick, with the package in it."""
    wanted()
    with TemporaryDirectory(prefix="board-") as name:
        folder = Path(name) / "stick"
        folder.mkdir()
        folder.chmod(0o755)
        built(folder)
        yield folder


Build = tuple[str, ...]
"""The options of one."""
AGAIN: Final[Build] = ()
NEWER_ONE: Final[Build] = ("--version", NEWER)
ARM: Final[Build] = ("--suite", "bookworm", "--arch", "arm64")
TRIXIE: Final[Build] = ("--suite", "trixie", "--arch", "amd64")


@pytest.fixture(scope="session")
def beside() -> Iterator[ThreadPoolExecutor]:
    """What is done while machines boot and tests wait, one after the other."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        yield executor


@pytest.fixture(scope="session")
def others(package: Path, beside: ThreadPoolExecutor) -> Iterator[Mapping[Build, Future[Path]]]:
    """More packages of the same tree."""
    with TemporaryDirectory(prefix="board-") as name:
        made: dict[Build, Future[Path]] = {}
        for build in (AGAIN, NEWER_ONE, ARM, TRIXIE):
            folder = Path(name) / str(len(made))
            folder.mkdir()
            made[build] = beside.submit(built, folder, *build)
        yield made
        wait(made.values())


@pytest.fixture(scope="session")
def linted(package: Path, beside: ThreadPoolExecutor) -> "Future[subprocess.CompletedProcess[str]]":
    """What lintian says of the package."""
    command = ["lintian", "--fail-on", "error", "--no-tag-display-limit", "--allow-root", str(package)]
    return beside.submit(subprocess.run, command, check=False, capture_output=True, text=True)


@pytest.fixture(scope="session")
def package(stick: Path) -> Path:
    return next(stick.glob("doorctl_*.deb"))


@pytest.fixture(scope="session")
def site(
    stick: Path,
    package: Path,
    others: Mapping[Build, Future[Path]],
    linted: "Future[subprocess.CompletedProcess[str]]",
) -> Iterator[Site]:
    """Two machines, each as a person would make it with the package alone."""
    install = f"apt-get install -y /media/stick/{package.name}"
    with Container("monitor", stick) as monitor, Container("board", stick) as board:
        join(board, BOARD, monitor, MONITOR)
        monitor.run(install)
        monitor.run(f"doorctl monitor init --simulated --address {MONITOR}:7443")
        monitor.run("systemctl enable --now doorctl-monitor")
        board.run(install)
        example = (ROOT / "etc" / "mock.toml").read_text(encoding="utf-8")
        config = re.sub(r"(?m)^accept_colocated.*\n", "", example).replace("release_s = 5", "release_s = 2")
        board.path("/etc/doorctl/doorctl.toml").write_text(config, encoding="utf-8")
        (stick / "monitor.toml").write_bytes(monitor.path("/etc/doorctl-monitor/monitor.toml").read_bytes())
        board.run("doorctl init --mock --yes --monitor /media/stick/monitor.toml")
        (stick / "controller.toml").write_bytes(board.path("/etc/doorctl/controller.toml").read_bytes())
        monitor.run("doorctl monitor trust --yes /media/stick/controller.toml")
        board.run("doorctl check")
        said = board.run(f"script -qec 'doorctl holder add \"Ana Lopez\" --group staff --card {CARD}' /dev/null")
        drawn = re.search(r"code ([\d ]+), duress code ([\d ]+?)\s+\(", said)
        assert drawn, said
        board.run("systemctl enable --now doorctl doorctl-courier")
        board.run("doorctl mock contact front closed")
        normal, duress = (code.replace(" ", "") for code in drawn.groups())
        yield Site(board=board, monitor=monitor, codes=Codes(normal=normal, duress=duress))
