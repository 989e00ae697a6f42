"""Machines of their own with a real systemd, on this one: Debian in a container, the package installed as a user would.

Each has a network of its own that leads nowhere but to what `join` puts at its other end, and forgets everything when
it ends. facts of the recipe: seccomp and capabilities are left to the units inside, or their hardening could not be
told from the container's; MemoryMax= and TasksMax= are not in effect there.
"""

import hashlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import pytest

INCLUDED: Final = (
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "udev", "kmod", "iproute2", "procps", "python3", "man-db",
    "bsdutils",
)  # fmt: skip
"""A board's Debian, without anything that the package must bring or ask for itself; no compiler."""
SOURCES: Final = Path("/etc/apt/sources.list.d/debian.sources")
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "doorctl-board"
PROGRAMS: Final = (
    "mmdebstrap", "systemd-nspawn", "unshare", "nsenter", "ip", "dpkg-deb", "lintian", "losetup", "mkfs.ext4", "e2fsck",
)  # fmt: skip
NUMBERS: Final = itertools.count(1)


def wanted() -> None:
    """Without root and these programs there is no rig, and so no board-test: told, and with CI=true a failure."""
    lacking = [program for program in PROGRAMS if shutil.which(program) is None]
    if lacking or os.geteuid() != 0 or not SOURCES.exists():
        pytest.fail(f"the rig wants root on Debian 12, and: {', '.join(lacking) or 'nothing else'} (make board-test)")


def root_file_system() -> Path:
    """Made once from Debian's packages, and kept; a minute."""
    said = hashlib.sha256("\n".join([*INCLUDED, SOURCES.read_text(encoding="utf-8")]).encode()).hexdigest()[:16]
    folder = CACHE / said
    if not folder.exists():
        sys.stderr.write("a Debian for the rig, once …\n")
        fresh = folder.with_suffix(f".{os.getpid()}")
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [
            "mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", f"--include={','.join(INCLUDED)}",
            '--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=APT::Install-Recommends "false"',
            '--customize-hook=chroot "$1" passwd -d root', '--customize-hook=mkdir -p "$1/var/log/journal"',
            "bookworm", str(fresh), str(SOURCES),
        ]  # fmt: skip
        subprocess.run(command, check=True)
        fresh.rename(folder)
    return folder


class Container:
    """One machine. A context manager: it runs inside, and is gone afterwards."""

    def __init__(self, name: str, brought: Path) -> None:
        """`brought`: a folder that it sees as /media/stick."""
        self.name = f"doorctl-{name}-{os.getpid()}-{next(NUMBERS)}"
        self._brought = brought
        self._leader = 0
        mounts = Path("/proc/mounts").read_text(encoding="ascii").splitlines()
        self._group = Path(next(line.split()[1] for line in mounts if line.split()[2] == "cgroup2")) / self.name

    def __enter__(self) -> Self:
        self._group.mkdir()
        self._console = (self._brought.parent / f"{self.name}.log").open("wb")
        script = (
            f"echo $$ > {self._group}/cgroup.procs; mount -t cgroup2 cgroup2 /sys/fs/cgroup; "
            "exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_SECCOMP=0 SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 "
            f"SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes systemd-nspawn -D {root_file_system()} -M {self.name} --boot "
            "--register=no --keep-unit --volatile=overlay --private-network --resolv-conf=off --timezone=off "
            f"--link-journal=no --console=pipe --capability=all --bind={self._brought}:/media/stick"
        )
        self._nspawn = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", script], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self._console, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            until(self._booted, 60, f"{self.name} has no systemd")
            self.run("systemctl is-system-running --wait")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._leader:
            self.run("systemctl poweroff", check=False)
        try:
            self._nspawn.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._nspawn.pid, signal.SIGKILL)
            self._nspawn.wait()
        self._console.close()
        until(self._forgotten, 10, f"{self._group} is in use")

    def run(self, command: str, *, check: bool = True, typed: str = "", within_s: float = 120) -> str:
        """What a shell there says on both outputs; a failure is the test's unless it is asked for."""
        done = subprocess.run(
            [*self.entered(), "sh", "-c", command],
            input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=within_s,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{self.name}$ {command}\n{done.stdout}"
        return done.stdout

    def entered(self) -> list[str]:
        """What stands before a command that is to run inside."""
        return [
            "nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C", "--", "env", "-i",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root",
        ]  # fmt: skip

    def path(self, inside: str) -> Path:
        """A file of it, seen from here."""
        return Path(f"/proc/{self._leader}/root{inside}")

    def main_pid(self, unit: str) -> int:
        """In its own numbers; 0: it does not run."""
        return int(self.run(f"systemctl show --property=MainPID --value {unit}"))

    def kill(self, unit: str, name: str) -> None:
        """A signal for a unit's main process, which must run."""
        number = self.main_pid(unit)
        assert number > 1, f"{unit} does not run"
        self.run(f"kill -{name} {number}")

    def cable(self, end: str, address: str) -> None:
        """Plug this end of a cable in."""
        subprocess.run(["ip", "link", "set", end, "netns", str(self._leader)], check=True)
        self.run(f"ip addr add {address}/24 dev {end} && ip link set {end} up && ip link set lo up")

    def _booted(self) -> bool:
        assert self._nspawn.poll() is None, f"systemd-nspawn ended with {self._nspawn.returncode}: {self._console.name}"
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text(encoding="ascii")
        for child in children.split():
            if Path(f"/proc/{child}/root/run/dbus/system_bus_socket").exists():
                self._leader = int(child)
        return self._leader > 0

    def _forgotten(self) -> bool:
        try:
            for folder, _, _ in os.walk(self._group, topdown=False):
                Path(folder).rmdir()
        except OSError:
            return False
        return True


def join(one: Container, its_address: str, other: Container, other_address: str) -> None:
    """A cable between two machines."""
    ends = (f"vd{os.getpid() % 1_000_000:06d}a", f"vd{os.getpid() % 1_000_000:06d}b")
    subprocess.run(["ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1]], check=True)
    one.cable(ends[0], its_address)
    other.cable(ends[1], other_address)


def until(true: Callable[[], bool], within_s: float, what: str) -> float:
    """Seconds until it was; AssertionError with `what` where it never is."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < within_s, f"{what}, after {within_s:g} s"
        time.sleep(0.05)
    return time.monotonic() - begun
