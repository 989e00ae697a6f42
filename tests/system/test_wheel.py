"""What `pip install` brings: the built wheel, in an environment of its own, far from the source tree."""

import email
import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urljoin, urlsplit

import pytest

from tests.system.wheelhouse import PATIENCE_S, PIP, ROOT, built, others, pip_environment

pytestmark = pytest.mark.system

PANEL = {"cryptography", "gpiozero", "h11", "msgspec", "pyserial", "tomli", "tzdata"}
"""design.md, Parts we stand on: this list does not grow."""
THEIRS = {"cffi", "colorzero", "pycparser", "setuptools"}
"""What those need themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """`pip install 'doorctl[sim]'` in a new environment."""

    wheel: Path
    archive: Path
    environment: Path
    elsewhere: Path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.environment / "bin" / "doorctl", *arguments], cwd=self.elsewhere, env=self.variables, timeout=240,
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def variables(self) -> dict[str, str]:
        """Nothing that leads to the source tree."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.elsewhere),
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(self.elsewhere),
        }


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    with TemporaryDirectory(prefix="dc-") as name:  # a short one: a socket's path has 107 bytes at most
        folder = Path(name)
        wheel, archive = built(folder / "dist")
        environment, elsewhere = folder / "venv", folder / "else"
        elsewhere.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=PATIENCE_S)
        done = subprocess.run(
            [*PIP, "--python", str(environment / "bin" / "python"), "install", "doorctl[sim]"], cwd=elsewhere,
            env=pip_environment(folder / "dist", others()), capture_output=True, text=True, check=False,
            timeout=PATIENCE_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield Installed(wheel=wheel, archive=archive, environment=environment, elsewhere=elsewhere)


def test_it_is_not_the_source_tree_that_runs(installed: Installed) -> None:
    ask = "import doorctl, hal; print(doorctl.__file__, hal.__file__)"
    done = subprocess.run(
        [installed.environment / "bin" / "python", "-c", ask], cwd=installed.elsewhere, env=installed.variables,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [Path(path).is_relative_to(installed.environment) for path in done.stdout.split()] == [True, True]


def test_it_says_its_version(installed: Installed) -> None:
    said = installed.run("--version")
    version = installed.wheel.name.split("-")[1]
    assert (said.returncode, said.stdout, said.stderr) == (0, f"doorctl {version}\n", "")


@pytest.mark.soak
def test_it_tells_the_story(installed: Installed) -> None:
    told = installed.run("sim", "--tour")
    assert (told.returncode, told.stderr) == (0, ""), told.stdout + told.stderr
    assert told.stdout.rstrip().endswith("every promise held")


def test_it_shows_the_page_and_ends_with_ctrl_c(installed: Installed) -> None:
    with subprocess.Popen(
        [str(installed.environment / "bin" / "doorctl"), "sim"], cwd=installed.elsewhere, env=installed.variables,
        text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            found = (re.search(r"http://127\.0\.0\.1:\d+/\S*", line) for line in process.stdout)
            address = next(one[0] for one in found if one)
            linked = re.findall(r'(?:src|href)="([^":#]+\.(?:js|css|svg))"', fetched(address))
            assert linked
            for name in linked:
                assert fetched(urljoin(address, name))
        finally:
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) in {(0, ""), (130, "")}
    assert list(installed.elsewhere.glob("doorctl-sim-*")) == []


def fetched(address: str) -> str:
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    try:
        connection.request("GET", where.path)
        answer = connection.getresponse()
        assert answer.status == 200, (address, answer.status)
        return answer.read().decode()
    finally:
        connection.close()


def test_everything_of_the_packages_is_in_the_wheel(installed: Installed) -> None:
    inside = {name for name in zipfile.ZipFile(installed.wheel).namelist() if name.startswith(("doorctl/", "hal/"))}
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "doorctl", "hal"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    there = {name for name in tracked.stdout.splitlines() if (ROOT / name).exists()}
    assert inside == there
    assert "hal/wiegand/formats.json" in inside
    assert any(name.endswith(".html") for name in inside)


SHARED = {
    **{f"share/doorctl/{path.relative_to(ROOT)}": path for folder in ("etc", "systemd")
       for path in ROOT.joinpath(folder).rglob("*") if path.is_file() and "packaging" not in path.parts},
    **{f"share/man/man{path.suffix[1:]}/{path.name}": path for path in ROOT.joinpath("docs/man").glob("*.[1-8]")},
    "share/bash-completion/completions/doorctl": ROOT / "docs/completion/doorctl",
    "share/zsh/site-functions/_doorctl": ROOT / "docs/completion/_doorctl",
    "share/fish/vendor_completions.d/doorctl.fish": ROOT / "docs/completion/doorctl.fish",
    **{f"share/doc/doorctl/{name}": ROOT / "docs" / name for name in ("install.md", "operations.md", "threat-model.md", "wiring.svg")},
}  # fmt: skip


def test_what_an_operator_installs_by_hand_is_there(installed: Installed) -> None:
    there = {
        str(path.relative_to(installed.environment))
        for path in installed.environment.joinpath("share").rglob("*")
        if path.is_file()
    }
    ours = {name for name in there if "doorctl" in name or name.startswith("share/man/man8/")}
    assert ours == set(SHARED), "name it in pyproject.toml, [tool.hatch.build.targets.wheel.shared-data]"
    assert {name: installed.environment.joinpath(name).read_bytes() for name in SHARED} == {
        name: path.read_bytes() for name, path in SHARED.items()
    }


def test_a_panel_installs_seven_packages_and_no_more(installed: Installed) -> None:
    """`pip install doorctl`, resolved as pip would; nothing is installed."""
    done = subprocess.run(
        [*PIP, "install", "--dry-run", "--ignore-installed", "--report", "-", str(installed.wheel)],
        env=pip_environment(others()), cwd=installed.elsewhere, capture_output=True, text=True, check=True,
        timeout=PATIENCE_S,
    )  # fmt: skip
    names = {one["metadata"]["name"].lower() for one in json.loads(done.stdout)["install"]}
    assert names - THEIRS == PANEL | {"doorctl"}
    with zipfile.ZipFile(installed.wheel) as wheel:
        (metadata,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        needs = email.message_from_bytes(wheel.read(metadata)).get_all("requires-dist") or []
    assert {re.split(r"[>=<\[ ;]", need)[0] for need in needs if "extra ==" not in need} == PANEL


def test_the_source_archive_builds_the_same_wheel(installed: Installed, tmp_path: Path) -> None:
    # `filter=` of extractall() is not in Debian 12's Python 3.11.2
    shutil.unpack_archive(installed.archive, tmp_path)
    (source,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=PATIENCE_S)
    (again,) = (tmp_path / "dist").iterdir()
    with zipfile.ZipFile(installed.wheel) as one, zipfile.ZipFile(again) as two:
        assert {i.filename: i.CRC for i in one.infolist()} == {i.filename: i.CRC for i in two.infolist()}
    assert source.joinpath("tests/system/test_wheel.py").exists()
