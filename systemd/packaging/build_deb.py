"""Builds doorctl's Debian package: `make deb`, `make deb SUITE=trixie ARCH=arm64`; the file is in dist/.

The package brings a virtual environment of its own in /usr/lib/doorctl, on the distribution's Python, with the wheels
that wheels.txt pins by hash: a board needs no network, no compiler and no pip. Nothing here runs a program of the
target, so any machine builds for any other; and nothing depends on when, where or in which order it ran: the same
commit gives the same bytes. Names, paths and fields: Debian's policy manual; deb-control(5).
"""  # noqa: INP001  a script beside the package's parts, in no Python package

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import HeaderParser
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
WHEELS: Final = ROOT / "build" / "wheels"
"""What was downloaded, a folder a target; hashes are compared each time."""
PREFIX: Final = Path("usr/lib/doorctl")
EXTRAS: Final = ("board", "monitor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A Debian release."""

    python: str
    glibc: int
    """2.this."""
    ending: str
    """Of its package's version: an upgrade of Debian is one of doorctl too."""
    debian: dict[str, str]
    """Modules without a wheel for this Python, and the release's package that has them."""

    def wheel(self, requirement: str) -> bool:
        """Whether it is had as a wheel, be it pinned or not."""
        return re.split(r"[^\w-]", requirement, maxsplit=1)[0] not in self.debian


SUITES: Final = {
    "bookworm": Suite(python="3.11", glibc=36, ending="deb12u1", debian={}),
    "trixie": Suite(python="3.13", glibc=41, ending="deb13u1", debian={"lgpio": "python3-lgpio"}),
}
MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
"""Debian's name of an architecture, and the wheels' one."""
OLDEST_GLIBC: Final = 17
"""2.17: the oldest that wheels are named for so."""
SHARED: Final = {
    "share/man/": "usr/share/man/",
    "share/bash-completion/": "usr/share/bash-completion/",
    "share/zsh/site-functions/": "usr/share/zsh/vendor-completions/",
    "share/fish/vendor_completions.d/": "usr/share/fish/vendor_completions.d/",
    "share/doorctl/etc/": "usr/share/doc/doorctl/examples/",
    "share/doc/doorctl/": "usr/share/doc/doorctl/",
    "share/doorctl/systemd/sysusers.d/": "usr/lib/sysusers.d/",
    "share/doorctl/systemd/tmpfiles.d/": "usr/lib/tmpfiles.d/",
    "share/doorctl/systemd/udev/": "usr/lib/udev/rules.d/",
    "share/doorctl/systemd/doorctl": "usr/lib/systemd/system/doorctl",
}
"""Where what the wheel has beside its modules goes."""
SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm")
TEXTS: Final = frozenset({"control", "md5sums"})
LAUNCHER: Final = """#!/usr/lib/doorctl/bin/python -I
import sys

from doorctl.cli.main import main

sys.exit(main())
"""
NOT_OURS: Final = ("setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")
"""What colorzero asks for and only its own build uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A Debian release on an architecture."""

    suite: str
    machine: str

    @property
    def release(self) -> Suite:
        """What is to be known of the Debian release."""
        return SUITES[self.suite]

    @property
    def modules(self) -> Path:
        """Where the modules are, in the package."""
        return PREFIX / "lib" / f"python{self.release.python}" / "site-packages"

    @property
    def wheels(self) -> list[str]:
        """The options by which pip finds this target's wheels, and builds none."""
        named = [
            f"manylinux_2_{minor}_{MACHINES[self.machine]}" for minor in range(OLDEST_GLIBC, self.release.glibc + 1)
        ]
        platforms = [*named, f"manylinux2014_{MACHINES[self.machine]}"]
        return [
            "--only-binary=:all:", "--implementation=cp", f"--python-version={self.release.python}",
            *(f"--platform={one}" for one in platforms),
        ]  # fmt: skip


def main() -> None:
    """One package."""
    parser = argparse.ArgumentParser(description="Build doorctl's Debian package into dist/.")
    parser.add_argument("--suite", choices=SUITES, default="bookworm")
    parser.add_argument("--arch", choices=MACHINES, default="amd64")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", metavar="DIR")
    parser.add_argument("--version", help="another version than pyproject.toml's, to try an upgrade")
    args = parser.parse_args()
    print(build(Target(suite=args.suite, machine=args.arch), args.into, args.version))  # noqa: T201  it is the result


def build(target: Target, into: Path, version: str | None = None) -> Path:
    """The package's file; whatever is wrong with a wheel, a hash or a tool is pip's or dpkg-deb's own message."""
    moment = source_date()
    os.environ["SOURCE_DATE_EPOCH"] = str(moment)
    wheels = downloaded(target)
    with TemporaryDirectory() as name:
        (ours,) = run_pip("wheel", "--no-deps", "--no-build-isolation", str(ROOT), into=Path(name) / "ours")
        tree = Path(name) / "tree"
        parts = [ours, *wheels]
        for wheel in parts:
            unpack(wheel, tree, target)
        environment(tree, target)
        full = f"{version or project()['version']}~{target.release.ending}"
        documents(tree, parts, full, moment)
        control(tree, target, full)
        settle(tree, moment)
        into.mkdir(parents=True, exist_ok=True)
        package = into / f"doorctl_{full}_{target.machine}.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(package)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return package


def project() -> dict[str, str]:
    """pyproject.toml's first table, as far as it is text."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {key: value for key, value in table.items() if isinstance(value, str)}


def requirements() -> list[str]:
    """What a board or a monitor needs beside doorctl, with bounds."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*table["dependencies"], *(one for extra in EXTRAS for one in table["optional-dependencies"][extra])]


def source_date() -> int:
    """When the sources were last changed, in seconds since 1970: the commit's time, or the change log's outside git."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(asked.stdout) if asked.stdout.strip() else int((ROOT / "CHANGELOG.md").stat().st_mtime)


def run_pip(verb: str, *arguments: str, into: Path) -> list[Path]:
    """The wheels that are in `into` afterwards, by name."""
    flag = "--wheel-dir" if verb == "wheel" else "--dest"
    command = [sys.executable, "-m", "pip", verb, "--quiet", "--disable-pip-version-check", flag, str(into), *arguments]
    subprocess.run(command, check=True)
    return sorted(into.glob("*.whl"))


def downloaded(target: Target) -> list[Path]:
    """The pinned wheels of a target, each compared with its hash; kept until the pins change."""
    pins = [one for one in pinned() if target.release.wheel(one)]
    text = "\n".join(pins) + "\n"
    folder = WHEELS / f"{target.suite}-{target.machine}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    print(f"{len(pins)} wheels for {target.suite} on {target.machine} …", file=sys.stderr)  # noqa: T201  progress
    shutil.rmtree(folder.with_suffix(".new"), ignore_errors=True)
    folder.with_suffix(".new").mkdir(parents=True)
    listed = folder.with_suffix(".new") / "wheels.txt"
    listed.write_text(text, encoding="utf-8")
    known = ["--find-links", str(folder), "--no-index"] if folder.exists() else []
    options = ["--no-deps", "--require-hashes", "-r", str(listed), *target.wheels]
    wheels = run_pip("download", *known, *options, into=folder.with_suffix(".new"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".new").rename(folder)
    return [folder / wheel.name for wheel in wheels]


def pinned() -> list[str]:
    """The pins of wheels.txt, each with its hashes."""
    text = (HERE / "wheels.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if "==" in line]


# The tree


def unpack(wheel: Path, tree: Path, target: Target) -> None:
    """A wheel's files where the package has them."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            place = placed(name, target)
            if place is None or name.endswith("/"):
                continue
            content = archive.read(name)
            if place.suffix == ".service":
                content = content.replace(b"/opt/doorctl/", b"/" + bytes(PREFIX) + b"/")
            path = tree / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def placed(name: str, target: Target) -> Path | None:
    """Where a wheel's file goes; None: nowhere. ValueError: a file that nobody has thought of."""
    top, _, rest = name.partition("/")
    if top in NOT_OURS or top.startswith("setuptools-") or name.endswith(("/RECORD", ".exe", ".h")):
        return None
    if not top.endswith(".data"):
        return target.modules / name
    kind, _, inside = rest.partition("/")
    if kind in {"purelib", "platlib"}:
        return target.modules / inside
    if kind != "data" or not top.startswith("doorctl-"):
        return None  # other people's commands and manuals
    for beginning, there in SHARED.items():
        if inside.startswith(beginning):
            return Path(there + inside.removeprefix(beginning))
    raise ValueError(f"{name}: SHARED of {__file__} does not say where this goes")


def environment(tree: Path, target: Target) -> None:
    """The virtual environment: an interpreter that is the distribution's, and one command."""
    programs = tree / PREFIX / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(f"/usr/bin/python{target.release.python}")
    (tree / PREFIX / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {target.release.python}\n", encoding="utf-8"
    )
    for module in target.release.debian:  # that one alone, and nothing else that the distribution's Python has
        theirs = Path("/usr/lib/python3/dist-packages")
        machine = f"cpython-{target.release.python.replace('.', '')}-{MACHINES[target.machine]}-linux-gnu"
        for name in (f"{module}.py", f"_{module}.{machine}.so"):
            (tree / target.modules / name).symlink_to(theirs / name)
    (programs / "doorctl").write_text(LAUNCHER, encoding="utf-8")
    (programs / "doorctl").chmod(0o755)
    commands = tree / "usr/bin"
    commands.mkdir()
    (commands / "doorctl").symlink_to("../lib/doorctl/bin/doorctl")


def documents(tree: Path, wheels: list[Path], version: str, moment: int) -> None:
    """Change log, licences, compressed manuals."""
    folder = tree / "usr/share/doc/doorctl"
    date = format_datetime(datetime.fromtimestamp(moment, UTC))
    entry = (
        f"doorctl ({version}) unstable; urgency=medium\n\n  * What changed: changelog.gz.\n\n -- {MAINTAINER}  {date}\n"
    )
    packed(folder / "changelog.Debian.gz", entry.encode())
    packed(folder / "changelog.gz", (ROOT / "CHANGELOG.md").read_bytes())
    (folder / "copyright").write_text("\n".join(licences(wheels)), encoding="utf-8")
    for page in sorted((tree / "usr/share/man").rglob("*.[1-8]")):
        packed(page.with_name(f"{page.name}.gz"), page.read_bytes())
        page.unlink()
    overrides = tree / "usr/share/lintian/overrides/doorctl"
    overrides.parent.mkdir(parents=True)
    shutil.copyfile(HERE / "lintian-overrides", overrides)


MAINTAINER: Final = "doorctl maintainers <maintainers@doorctl.invalid>"


def packed(path: Path, content: bytes) -> None:
    """gzip without a time or a name, as Debian wants it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))


def licences(wheels: list[Path]) -> Iterator[str]:
    """What each wheel says of itself; their licences' texts are beside their modules."""
    yield "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
    yield "Upstream-Name: doorctl"
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            name = next(one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
            said = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
        classified = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier", []) if one.startswith("License")]
        licence = said["License-Expression"] or " and ".join(classified) or said["License"] or "see its dist-info"
        yield ""
        yield "Files: *" if said["Name"] == "doorctl" else f"Files: usr/lib/doorctl/lib/*/site-packages/{said['Name']}*"
        yield f"Copyright: the authors of {said['Name']} {said['Version']}"
        yield f"License: {licence.splitlines()[0]}"
    yield ""


def control(tree: Path, target: Target, version: str) -> None:
    """The package's fields and scripts."""
    folder = tree / "DEBIAN"
    folder.mkdir()
    needed = "".join(f", {one}" for one in sorted(target.release.debian.values()))
    major, minor = target.release.python.split(".")
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    fields = (HERE / "control").read_text(encoding="utf-8").format(
        version=version, architecture=target.machine, size=size // 1024, maintainer=MAINTAINER,
        python=target.release.python, next_python=f"{major}.{int(minor) + 1}", glibc=target.release.glibc,
        summary=SUMMARY, needed=needed,
    )  # fmt: skip
    (folder / "control").write_text(fields, encoding="utf-8")
    sums = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(tree)}\n"
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink() and "DEBIAN" not in path.parts
    ]
    (folder / "md5sums").write_text("".join(sums), encoding="utf-8")
    for name in SCRIPTS:
        if (HERE / name).exists():
            shutil.copyfile(HERE / name, folder / name)
            (folder / name).chmod(0o755)


SUMMARY: Final = "access-control daemon for door-controller boards"


def settle(tree: Path, moment: int) -> None:
    """Rights, times, and sums of the files: what differs from one build to the next otherwise."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if not path.is_symlink():
            runs = path.is_dir() or (path.parent.name in {"bin", "DEBIAN"} and path.name not in TEXTS)
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (moment, moment), follow_symlinks=False)
    os.utime(tree, (moment, moment))


if __name__ == "__main__":
    main()
