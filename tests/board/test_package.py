"""The package as a file: what is in it, and that it is the same each time."""

import subprocess
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.board.conftest import AGAIN, ARM, TRIXIE, Build
from tests.board.rig import Container

pytestmark = pytest.mark.board


def said(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_same_tree_gives_the_same_bytes(package: Path, others: Mapping[Build, Future[Path]]) -> None:
    again = others[AGAIN].result()
    assert again != package
    assert again.read_bytes() == package.read_bytes()


def test_lintian_finds_no_error(linted: "Future[subprocess.CompletedProcess[str]]") -> None:
    done = linted.result()
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("build", "arch", "module"), [
    (ARM, "arm64", "python3.11/site-packages/_lgpio.cpython-311-aarch64-linux-gnu.so"),
    (TRIXIE, "amd64", "python3.13/site-packages/_lgpio.cpython-313-x86_64-linux-gnu.so -> /usr/lib/python3/dist-packages/"),
])  # fmt: skip
def test_other_boards_have_theirs(others: Mapping[Build, Future[Path]], build: Build, arch: str, module: str) -> None:
    package = others[build].result()
    assert said("dpkg-deb", "--field", package, "Architecture").strip() == arch
    assert module in said("dpkg-deb", "--contents", package)


def test_installing_enables_and_starts_nothing_and_purging_leaves_nothing(stick: Path, package: Path) -> None:
    with Container("fresh", stick) as machine:
        for program in ("cc", "gcc", "pip", "pip3"):
            assert machine.run(f"command -v {program}", check=False) == ""
        before = set(machine.run(EVERYTHING).splitlines())
        machine.run(f"apt-get install -y /media/stick/{package.name}")
        for unit in ("doorctl", "doorctl-courier", "doorctl-monitor"):
            assert machine.run(f"systemctl is-enabled {unit}", check=False).strip() == "disabled"
            assert machine.run(f"systemctl is-active {unit}", check=False).strip() == "inactive"
        assert machine.run("dpkg --verify doorctl") == ""
        assert "DOORCTL-HOLDER(1)" in machine.run("man doorctl-holder | cat")
        machine.run("apt-get purge -y doorctl")
        left = set(machine.run(EVERYTHING).splitlines()) - before
        assert [one for one in left if not one.startswith("gpio:")] == [], "the group of pins may be others' as well"


EVERYTHING = (
    "find / /run -xdev \\( -path /proc -o -path /sys -o -path /media -o -path /var/lib/dpkg -o -path /var/lib/apt"
    " -o -path /var/cache -o -path /var/log -o -path /tmp -o -path /run/systemd -o -path /run/udev \\) -prune -o -print"
    " | grep -v -e '/etc/.*-$' -e '\\.pyc$' -e __pycache__ | sort; getent passwd; getent group"
)
