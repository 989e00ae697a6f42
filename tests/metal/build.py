"""Builds what rig 2 boots: Debian's kernel, gpio-sim from Debian's source, a small root with Python 3.11.

Everything lands in a cache folder outside the repository, one step a name; a step that is there is not made again. Its
name holds a digest of what it is made from, so a new kernel or another list of packages makes new ones and nothing stale
is ever booted. `python -m tests.metal.build` builds and says where.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
HEADERS: Final = Path("/usr/src")
SUITE: Final = "bookworm"
"""Debian 12: Python 3.11, and the kernel whose source has what the Makefile below builds."""
ROOT_PACKAGES: Final = ("python3", "kmod")
MODULES: Final = ("virtio_pci", "virtio_blk", "ext4", "9pnet_virtio", "9p", "configfs")
SOURCES: Final = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "kernel/irq/irq_sim.c")
PATIENCE_S: Final = 900


class CannotBuildError(Exception):
    """This machine lacks something, or a step failed; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What qemu is given."""

    kernel: Path
    initrd: Path
    root: Path


def cache_folder() -> Path:
    """Where everything is kept: $DOORCTL_METAL_CACHE, else doorctl-metal in the user's cache."""
    given = os.environ.get("DOORCTL_METAL_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "doorctl-metal"


def build() -> Machine:
    """Every step that is not there yet. Raises CannotBuildError."""
    version = _kernel_version()
    with _alone(cache_folder()) as cache:
        kernel = _step(cache / f"kernel-{version}", lambda to: _kernel(to, version))
        module = _step(cache / f"module-{digest(version, *SOURCES)}", lambda to: _module(to, version))
        system = _step(cache / f"system-{digest(SUITE, *ROOT_PACKAGES)}", _system)
        parts = (kernel.name, module.name, system.name, _text("guest/init"), _text("guest/pulses.c"))
        root = _step(cache / f"root-{digest(*parts)}", lambda to: _root(to, kernel, module, system, version))
        start = _step(
            cache / f"initrd-{digest(kernel.name, _text('guest/start'), *MODULES)}",
            lambda to: _initrd(to, kernel, version),
        )
        return Machine(kernel=kernel / "boot" / f"vmlinuz-{version}", initrd=start / "initrd", root=root / "root.ext4")


def _kernel_version() -> str:
    """That of the newest installed headers: image and source are taken at the same one."""
    names = [path.name.removeprefix("linux-headers-") for path in HEADERS.glob("linux-headers-*-amd64")]
    if not names:
        raise CannotBuildError("no kernel headers in /usr/src; as root on Debian 12: make metal-packages")
    return max(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])


def _kernel(to: Path, version: str) -> None:
    """The kernel's package, unpacked and not installed."""
    with tempfile.TemporaryDirectory() as folder:
        _run("apt-get", "download", f"linux-image-{version}", cwd=Path(folder))
        (package,) = Path(folder).glob("*.deb")
        _run("dpkg", "-x", str(package), str(to))
    _run("depmod", "-b", str(to), version)


def _module(to: Path, version: str) -> None:
    """gpio-sim out of tree: Debian ships neither it nor the simulated interrupts that it stands on."""
    installed = [_package_version(name) for name in (f"linux-headers-{version}", "linux-source-6.1")]
    if installed[0] != installed[1]:
        raise CannotBuildError(f"headers {installed[0]} and source {installed[1]} differ; make metal-packages")
    archive = HEADERS / "linux-source-6.1.tar.xz"
    _run("tar", "-xJf", str(archive), "--strip-components=1", *(f"linux-source-6.1/{one}" for one in SOURCES), cwd=to)
    for source, name in zip(SOURCES, ("sim_core.c", "gpiolib.h", "sim_irq.c"), strict=True):
        text = (to / source).read_text()
        # the one symbol in irq_sim.c that the kernel exports to no module, and the exported one that does the same
        text = re.sub(r"handle_simple_irq\(irq_to_desc\((\w*)\)\)", r"generic_handle_irq(\1)", text)
        (to / name).write_text(text)
    makefile = "obj-m := gpio-sim.o\ngpio-sim-y := sim_core.o sim_irq.o\nccflags-y := -I$(src)\n"
    (to / "Makefile").write_text(makefile)
    _run("make", "-C", str(HEADERS / f"linux-headers-{version}"), f"M={to}", "modules")


def _system(to: Path) -> None:
    """Debian with Python and little else."""
    _run(
        "mmdebstrap", "--variant=minbase", "--mode=root", "--format=tar",
        '--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=APT::Install-Recommends "false"',
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*", f"--include={','.join(ROOT_PACKAGES)}",
        SUITE, str(to / "system.tar"), "http://deb.debian.org/debian",
    )  # fmt: skip


def _root(to: Path, kernel: Path, module: Path, system: Path, version: str) -> None:
    """One ext4 image: the system, the kernel's modules, gpio-sim and what runs first."""
    with tempfile.TemporaryDirectory(dir=to) as folder:
        tree = Path(folder)
        _run("tar", "-xf", str(system / "system.tar"), "-C", folder, "--exclude=./dev/*")
        modules = tree / "usr" / "lib" / "modules" / version
        shutil.copytree(kernel / "lib" / "modules" / version / "kernel", modules / "kernel")
        (modules / "extra").mkdir()
        shutil.copy(module / "gpio-sim.ko", modules / "extra")
        for path in (kernel / "lib" / "modules" / version).glob("modules.*"):
            shutil.copy(path, modules)
        _run("depmod", "-b", folder, version)
        _run("cc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o", f"{folder}/usr/local/bin/pulses",
             str(HERE / "guest" / "pulses.c"))  # fmt: skip
        shutil.copy(HERE / "guest" / "init", tree / "metal-init")
        (tree / "metal-init").chmod(0o755)
        (tree / "lab").mkdir()
        _run("mke2fs", "-q", "-t", "ext4", "-d", folder, str(to / "root.ext4"), "1500M")


def _initrd(to: Path, kernel: Path, version: str) -> None:
    """busybox and the modules that the root's disk needs."""
    with tempfile.TemporaryDirectory(dir=to) as folder:
        tree = Path(folder)
        for name in ("bin", "proc", "sys", "dev", "root", "modules"):
            (tree / name).mkdir()
        shutil.copy("/bin/busybox", tree / "bin" / "busybox")
        shutil.copy(HERE / "guest" / "start", tree / "init")
        (tree / "init").chmod(0o755)
        order: list[str] = []
        for name in MODULES:
            shown = _run("modprobe", "-d", str(kernel), "-S", version, "--show-depends", name)
            order += [line.split()[1] for line in shown.splitlines() if line.startswith("insmod")]
        for place, path in enumerate(dict.fromkeys(order)):
            shutil.copy(path, tree / "modules" / f"{place:02}-{Path(path).name}")
        listed = _run("find", ".", cwd=tree)
        with (to / "initrd").open("wb") as out:
            subprocess.run(
                ["cpio", "--quiet", "-o", "-H", "newc"], cwd=tree, input=listed.encode(), stdout=out, check=True
            )


def _step(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills: whole, or not there."""
    if folder.is_dir():
        return folder
    print(f"metal: making {folder.name}", file=sys.stderr, flush=True)  # noqa: T201 - minutes of work: say which
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    make(part)
    part.rename(folder)
    return folder


def _run(*command: str, cwd: Path | None = None) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    try:
        done = subprocess.run(
            ["nice", "-n", "10", *command],
            cwd=cwd, env=environment, capture_output=True, text=True, check=True, timeout=PATIENCE_S,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        tail = "\n".join((error.stderr or error.stdout).splitlines()[-15:])
        raise CannotBuildError(f"{' '.join(command[:2])}: exit code {error.returncode}\n{tail}") from error
    return done.stdout


def _package_version(name: str) -> str:
    return _run("dpkg-query", "-W", "-f", "${Version}", name)


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def digest(*parts: str) -> str:
    """A short name for what a step is made from."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """One builder at a time; another waits."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


if __name__ == "__main__":
    print(build())  # noqa: T201 - asked for by hand
